"""Is every part of the translation in its language?

A translation whose second half was left in English, or that slips into a third language for a sentence, has
a language all the same, if one looks at the whole. Here it is looked at piece by piece. The score is the
share of the letters that stand in pieces of the row's language.

Another script is another language: three Latin words that are no names beside Bengali, kana in Chinese, a
clause of Chinese characters without kana in Japanese. Names, units and brands (Netflix, km) are none.

In a text of Latin script, sentences are cut into pieces of about seven words, and fastText says how likely
each is Swahili, Spanish, French, German or English, the source's names aside. As seven words tell little,
the pieces are read as a sequence (a hidden Markov model: the most likely path by Viterbi's algorithm): to
leave the row's language for another and to come back costs as much as a piece or two must speak for it.

Measured on MGSM's human translations, 250 questions a language: none of 2,500 has a score below 1. With the
second half left in English 99.5% score less than 0.8, with it in another language of Latin script 99.7%.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.checks.base import Observation, Outcome, Part, Scored, score_parts_together
from mcot.core.language_id import BUILT_IN_MODEL, LATIN_LANGUAGES, LanguageIdentifier
from mcot.core.languages import LANGUAGES
from mcot.core.reading import LATIN_WORD, SCRIPTS, Reading, read

__all__ = ["Foreign", "MixedCheck"]

# Words of a piece. Of MGSM's Swahili pieces of three words 19% are likelier another language, of five 6%, of
# seven 3%, of ten 2%; of Spanish, French and German ones of seven 0.4% at most.
PIECE_WORDS = 7
# A sentence of fewer goes with the next one.
SHORTEST_SENTENCE = 4
# A piece's own probability is never taken for less: it may be all names and numbers.
LEAST_PROBABILITY = 0.001
# The probability that the next piece is in another language.
SWITCH = 0.03
# Latin words beside another script, names aside, and letters of any other script, that are a language.
FOREIGN_WORDS = 3
FOREIGN_LETTERS = 5
FOREIGN_CHARACTERS = 3
# Kana of a Chinese text's clause that make it Japanese.
FOREIGN_KANA = 2
# A Japanese clause of so many characters has kana.
CHARACTERS_WITHOUT_KANA = 8
_LONGEST_QUOTE = 60

_NO_LETTERS = re.compile(r"[\W\d_]+")
_OWN_SCRIPTS = {"bn": ("Beng",), "te": ("Telu",), "th": ("Thai",), "ru": ("Cyrl",), "ja": ("Hani", "Kana")}
_OWN_SCRIPTS |= {"zh": ("Hani", "Kana")} | dict.fromkeys(("en", "sw", "es", "fr", "de"), ("Latn",))
_LANGUAGE_OF = {"Beng": "bn", "Telu": "te", "Thai": "th", "Cyrl": "ru"}
_CLASSES = {script: pattern.pattern.removesuffix("+") for script, (pattern, _) in SCRIPTS.items()}
# Japanese is written in both.
_CLASSES["Hani"] = _CLASSES["Hani"].removesuffix("]") + _CLASSES.pop("Kana").removeprefix("[")
_CLAUSE = re.compile(r"[^\u3001\u3002\uff0c\uff01\uff1f,.!?;:\n]+")


Word = TypeVar("Word", str, re.Match[str])
Floats = NDArray[np.float64]


class Foreign(NamedTuple):
    """A piece of a text in another language.

    Attributes:
        start: where it begins in the text.
        end: where it ends.
        language: ISO 639-1.
    """

    start: int
    end: int
    language: str


def _runs_of(script: str) -> re.Pattern[str]:
    """Words of a script with nothing but other signs in between: a run ends at any other script's letter."""
    letters = _CLASSES[script]
    others = "".join(re.findall(r"\[(.*?)\]", "".join(c for s, c in _CLASSES.items() if s != script)))
    return re.compile(f"{letters}(?:[^{others}]*{letters})*")


_RUNS = {script: _runs_of(script) for script in _CLASSES}
_RUNS_OF = {script: script if script in _RUNS else "Hani" for script in SCRIPTS}


class MixedCheck:
    """Scores the share of a text's letters that stand in pieces of the row's language, 0 to 1.

    Observes `language.mixed` with the largest piece of another language, and which that is. A text without
    letters has no score.

    Args:
        model: as `LanguageIdentifier`'s.

    Raises:
        ModelError: `model` is neither a file nor looks like one of the Hub.
    """

    name = "mixed"

    def __init__(self, model: str = BUILT_IN_MODEL) -> None:
        self._languages = LanguageIdentifier(model)
        self.signature = (
            f"mixed|language|{self._languages.signature}|words:{PIECE_WORDS}|least:{LEAST_PROBABILITY}"
            f"|switch:{SWITCH}|version:3"
        )

    def open(self) -> None:
        """Load the model that the language check loads, once for both.

        Raises:
            ModelError: as `LanguageIdentifier.open`.
        """
        self._languages.open()

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row."""
        return score_parts_together(
            table, lambda part: [part], self._score, name=self.name, optional=lambda part: [f"source_{part}"]
        )

    def _score(
        self, texts: Sequence[tuple[str, str | None]], languages: Sequence[str], part: Part
    ) -> Iterator[Outcome]:
        pieces = [_latin_pieces(*row, language) for row, language in zip(texts, languages, strict=True)]
        likelihoods = iter(self._languages.among_latin([piece for found in pieces for piece in found]))
        for (text, source), language, found in zip(texts, languages, pieces, strict=True):
            reading = read(text)
            own = np.array(list(islice(likelihoods, len(found))))
            if reading.letters:
                names = read(source).names if source else frozenset()
                yield self._score_pieces(reading.prose, self._foreign_pieces(reading, language, names, own), part)
            else:
                yield None, []

    def _score_pieces(self, text: str, found: Sequence[Foreign], part: Part) -> Outcome:
        if not found:
            return 1.0, []
        sizes = [_size(text[piece.start : piece.end]) for piece in found]
        largest = found[max(range(len(found)), key=sizes.__getitem__)]
        quote = " ".join(text[largest.start : largest.end].split())
        if len(quote) > _LONGEST_QUOTE:
            quote = quote[: _LONGEST_QUOTE - 1].rstrip() + "\u2026"
        name = LANGUAGES[largest.language].name
        share = min(1.0, sum(sizes) / (_size(text) or 1.0))
        return 1.0 - share, [Observation("language.mixed", part, f'{name}: "{quote}"')]

    def _foreign_pieces(
        self, reading: Reading, language: str, names: frozenset[str], likelihoods: Floats
    ) -> list[Foreign]:
        """The pieces of a text's prose that are in another language than its own, in order."""
        own, text = _OWN_SCRIPTS[language], reading.prose
        found: list[Foreign] = []
        for script in {_RUNS_OF[script] for script in reading.scripts if script not in own}:
            found += self._of_script(text, script, names)
        if own == ("Latn",):
            found += _of_latin(reading, language, names, likelihoods)
        elif "Hani" in own:
            if language == "ja":
                found += _chinese_clauses(text)
            elif "Kana" in reading.scripts:
                found += _japanese_clauses(text)
        return sorted(found)

    def _of_script(self, text: str, script: str, names: frozenset[str]) -> list[Foreign]:
        found = []
        for run in _RUNS[script].finditer(text):
            if script == "Latn":
                words = [
                    match[0]
                    for match in LATIN_WORD.finditer(run[0])
                    if match[0][0].islower()
                    and match[0] not in names
                    and not _is_unit(text, run.start() + match.start())
                ]
                if len(words) >= FOREIGN_WORDS:
                    likelihoods = self._languages.among_latin([words])[0]
                    found.append(Foreign(*run.span(), LATIN_LANGUAGES[likelihoods.argmax()]))
            elif script == "Hani":
                if len(_NO_LETTERS.sub("", run[0])) >= FOREIGN_CHARACTERS:
                    found.append(Foreign(*run.span(), "ja" if SCRIPTS["Kana"][0].search(run[0]) else "zh"))
            elif len(_NO_LETTERS.sub("", run[0])) >= FOREIGN_LETTERS:
                found.append(Foreign(*run.span(), _LANGUAGE_OF[script]))
        return found


def _latin_pieces(text: str, source: str | None, language: str) -> list[list[str]]:
    """The words of a text's pieces, where the text is to be in a language of Latin script, and has more than one."""
    if language not in LATIN_LANGUAGES:
        return []
    names = read(source).names if source else frozenset()
    pieces = _pieces([[word for word in words if word not in names] for words in read(text).latin_sentences])
    return pieces if len(pieces) > 1 else []


def _of_latin(reading: Reading, language: str, names: frozenset[str], likelihoods: Floats) -> list[Foreign]:
    """The pieces of another language, as `_latin_pieces` cuts the text, by the likelihoods of each."""
    home = LATIN_LANGUAGES.index(language)
    if not len(likelihoods) or (likelihoods.argmax(axis=1) == home).all():
        return []
    pieces = _pieces([[match for match in LATIN_WORD.finditer(reading.prose, *place) if match[0] not in names]
                      for place in reading.sentences()])  # fmt: skip
    # A piece of fewer words says less.
    weights = np.array([len(piece) / PIECE_WORDS for piece in pieces])
    found: list[Foreign] = []
    before = home
    for piece, state in zip(pieces, _most_likely_path(likelihoods, weights, home), strict=True):
        if state != home:
            start = found.pop().start if state == before else piece[0].start()
            found.append(Foreign(start, piece[-1].end(), LATIN_LANGUAGES[state]))
        before = state
    return found


def _is_unit(text: str, place: int) -> bool:
    """Whether the word there follows a number: "200km", "80 mph"."""
    return text[max(0, place - 2) : place].rstrip(" \xa0/")[-1:].isdigit()


def _pieces(sentences: Iterable[list[Word]]) -> list[list[Word]]:
    """The words of sentences in pieces of about `PIECE_WORDS`, none over the end of a sentence."""
    joined: list[list[Word]] = [[]]
    for words in sentences:
        if len(joined[-1]) < SHORTEST_SENTENCE:
            joined[-1] += words
        else:
            joined.append(words)
    if len(joined) > 1 and len(joined[-1]) < SHORTEST_SENTENCE:
        joined[-2:] = [joined[-2] + joined[-1]]
    pieces = []
    for words in joined:
        count = max(1, round(len(words) / PIECE_WORDS))
        bounds = [round(len(words) * place / count) for place in range(count + 1)]
        pieces += [words[first:last] for first, last in pairwise(bounds) if first < last]
    return pieces


def _most_likely_path(likelihoods: Floats, weights: Floats, home: int) -> list[int]:
    """The language of each piece: Viterbi's path through a model that starts at home and seldom switches."""
    switch, stay = math.log(SWITCH), math.log(1 - SWITCH)
    emitted = weights[:, None] * np.log(np.maximum(likelihoods, LEAST_PROBABILITY))
    states = np.arange(likelihoods.shape[1])
    scores = np.where(states == home, stay, switch) + emitted[0]
    back = []
    for emission in emitted[1:]:
        best = scores.argmax()
        came = np.where(scores + stay >= scores[best] + switch, states, best)
        scores = np.maximum(scores + stay, scores[best] + switch) + emission
        back.append(came)
    path = [int(scores.argmax())]
    for came in reversed(back):
        path.append(int(came[path[-1]]))
    return path[::-1]


def _chinese_clauses(text: str) -> list[Foreign]:
    """Clauses of a Japanese text that are all characters."""
    kana, han = SCRIPTS["Kana"][0], SCRIPTS["Hani"][0]
    return [
        Foreign(*clause.span(), "zh")
        for clause in _CLAUSE.finditer(text)
        if not kana.search(clause[0]) and len("".join(han.findall(clause[0]))) >= CHARACTERS_WITHOUT_KANA
    ]


def _japanese_clauses(text: str) -> list[Foreign]:
    """Clauses of a Chinese text that have kana."""
    kana = SCRIPTS["Kana"][0]
    return [
        Foreign(*clause.span(), "ja")
        for clause in _CLAUSE.finditer(text)
        if len("".join(kana.findall(clause[0]))) >= FOREIGN_KANA
    ]


def _size(text: str) -> float:
    """How much a text says, in letters of English."""
    return sum(weight * len("".join(pattern.findall(text))) for pattern, weight in SCRIPTS.values())
