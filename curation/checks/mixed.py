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
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import pyarrow as pa

from curation.checks.base import Observation, Part, Scored, score_parts
from mcot.core.language_id import BUILT_IN_MODEL, LanguageIdentifier
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
_SENTENCE_END = re.compile(r"[.?!:;\n](?:(?<=\n)|[\"')\u00bb\u201d]*\s)")
_CLAUSE = re.compile(r"[^\u3001\u3002\uff0c\uff01\uff1f,.!?;:\n]+")


Word = TypeVar("Word", str, re.Match[str])


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
            f"|switch:{SWITCH}|version:2"
        )

    def open(self) -> None:
        """Load the model that the language check loads, once for both.

        Raises:
            ModelError: as `LanguageIdentifier.open`.
        """
        self._languages.open()

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row."""
        return score_parts(
            table, lambda part: [part], self._score, name=self.name, optional=lambda part: [f"source_{part}"]
        )

    def _score(
        self, text: str, source: str | None, *, language: str, part: Part
    ) -> tuple[float | None, list[Observation]]:
        reading = read(text)
        if not reading.letters:
            return None, []
        text, names = reading.prose, read(source).names if source else frozenset()
        found = self._foreign_pieces(reading, language, names)
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

    def _foreign_pieces(self, reading: Reading, language: str, names: frozenset[str]) -> list[Foreign]:
        """The pieces of a text's prose that are in another language than its own, in order."""
        own, text = _OWN_SCRIPTS[language], reading.prose
        found: list[Foreign] = []
        for script in {_RUNS_OF[script] for script in reading.scripts if script not in own}:
            found += self._of_script(text, script, names)
        if own == ("Latn",):
            found += self._of_latin(text, language, names)
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
                    found.append(Foreign(*run.span(), _likeliest(self._languages.among_latin(words))))
            elif script == "Hani":
                if len(_NO_LETTERS.sub("", run[0])) >= FOREIGN_CHARACTERS:
                    found.append(Foreign(*run.span(), "ja" if SCRIPTS["Kana"][0].search(run[0]) else "zh"))
            elif len(_NO_LETTERS.sub("", run[0])) >= FOREIGN_LETTERS:
                found.append(Foreign(*run.span(), _LANGUAGE_OF[script]))
        return found

    def _of_latin(self, text: str, language: str, names: frozenset[str]) -> list[Foreign]:
        sentences = _sentences(text)
        words = _pieces([[word for word in LATIN_WORD.findall(text, *place) if word not in names]
                         for place in sentences])  # fmt: skip
        if len(words) < 2:
            return []
        unsure = [piece for piece in words if not self._languages.is_surely(language, piece)]
        if all(_likeliest(self._languages.among_latin(piece)) == language for piece in unsure):
            return []
        pieces = _pieces([[match for match in LATIN_WORD.finditer(text, *place) if match[0] not in names]
                          for place in sentences])  # fmt: skip
        likelihoods = [self._languages.among_latin(piece) for piece in words]
        # A piece of fewer words says less.
        weights = [len(piece) / PIECE_WORDS for piece in pieces]
        path = _most_likely_path(likelihoods, weights, language)
        found: list[Foreign] = []
        before = language
        for piece, state in zip(pieces, path, strict=True):
            if state != language:
                start = found.pop().start if state == before else piece[0].start()
                found.append(Foreign(start, piece[-1].end(), state))
            before = state
        return found


def _is_unit(text: str, place: int) -> bool:
    """Whether the word there follows a number: "200km", "80 mph"."""
    return text[max(0, place - 2) : place].rstrip(" \xa0/")[-1:].isdigit()


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text begin and end."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return list(pairwise([0, *ends, len(text)]))


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


def _most_likely_path(likelihoods: Sequence[Mapping[str, float]], weights: Sequence[float], language: str) -> list[str]:
    """The language of each piece: Viterbi's path through a model that starts in `language` and seldom switches."""
    switch, stay = math.log(SWITCH), math.log(1 - SWITCH)
    states = list(likelihoods[0])
    scores = {state: stay if state == language else switch for state in states}
    back: list[dict[str, str]] = []
    for place, (likelihood, weight) in enumerate(zip(likelihoods, weights, strict=True)):
        if place:
            best = max(states, key=lambda state: scores[state])
            came = {state: state if scores[state] + stay >= scores[best] + switch else best for state in states}
            scores = {s: max(scores[s] + stay, scores[best] + switch) for s in states}
            back.append(came)
        for state in states:
            scores[state] += weight * math.log(max(likelihood[state], LEAST_PROBABILITY))
    path = [max(states, key=lambda state: scores[state])]
    for came in reversed(back):
        path.append(came[path[-1]])
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


def _likeliest(likelihoods: Mapping[str, float]) -> str:
    return max(likelihoods, key=lambda code: likelihoods[code])


def _size(text: str) -> float:
    """How much a text says, in letters of English."""
    return sum(weight * len("".join(pattern.findall(text))) for pattern, weight in SCRIPTS.values())
