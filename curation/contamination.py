"""Contamination: a row whose problem is a benchmark's, by its English source or by its translation.

Benchmarks are indexed by runs of words. A row that shares enough of a problem's runs is compared with it in full:
how much of the story stands there, as runs and in its order (the mean of both), and how many of its numbers. The
lesser of the two counts: a word or a name that was changed costs little of the one and nothing of the other; the same
story told with other numbers is another problem.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.checks.base import Observation, Scored
from mcot.core.benchmarks import Benchmark
from mcot.core.languages import ENGLISH
from mcot.core.numbers import read_numbers
from mcot.core.runs import sign

__all__ = ["ContaminationCheck", "Match", "plain_text", "split_words"]

_Ints = NDArray[np.int64]

# Words in a run. A name that is changed wherever it stands breaks few runs of three; a run of single characters
# (Thai, Japanese, Chinese) says as much only when it is longer.
_RUN = 3
_CHARACTER_RUN = 5
_CHARACTER_LANGUAGES = frozenset({"th", "ja", "zh"})
# Share of a problem's runs from which on it is compared in full. 3% of GSM8K's training problems share as much with a
# test problem; a leak with a word or a name changed shares more than twice that (0.55 at the least, of 2,036 planted).
_GATE = 0.2
# Variants of one story (SVAMP has 20 of each) pass the gate together; the most alike are enough.
_MOST_COMPARED = 8
# In a text this many times longer than a problem, its words stand in its order by chance.
_MUCH_LONGER = 2.5
# Rows that are looked up at once: bounds the memory.
_BATCH = 256

_SEPARATOR = re.compile(r"(?<=\d)[.,'٫٬](?=\d)")
# What stands within words and is written or left out at will: apostrophes, joiners, soft hyphens.
_WITHIN = re.compile("['’‘ʼ`´\u00ad\u200b-\u200d\u2060\ufeff]")
_WORD = re.compile(
    "[0-9]+|[\u0e01-\u0e2e][\u0e30-\u0e3a\u0e47-\u0e4e]*|[\u0e40-\u0e4e]"
    "|[\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff]"
    # Any other letters with their marks: what is no space, digit or punctuation.
    "|[^\\s0-9!-/:-@\\[-`{-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u0964\u0965\u0e01-\u0e4f"
    "\u2000-\u206f\u20a0-\u20cf\u2190-\u2bff\u3000-\u303f\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\uffef]+"
)


def plain_text(text: str) -> str:
    """A text in one writing of its letters and digits: lower case, plain forms, 0-9 for all digits."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def split_words(text: str) -> list[str]:
    """The words of a text, in one writing: lower case, plain digits, no separators within numbers, no punctuation.

    Thai, Japanese and Chinese are split into characters, as they have no spaces to go by.
    """
    return _WORD.findall(_WITHIN.sub("", _SEPARATOR.sub("", plain_text(text))))


class Match(NamedTuple):
    """A benchmark's problem that a text holds.

    Attributes:
        benchmark: the benchmark's name.
        problem: its id there.
        language: in which it was found.
        containment: 0 to 1, how much of it is there.
    """

    benchmark: str
    problem: str
    language: str
    containment: float


class _Indexed(NamedTuple):
    """A problem as it is compared."""

    benchmark: str
    id: str
    question: str
    words: tuple[int, ...]


class _Index:
    """The problems in one language by their runs of words, in a few flat arrays."""

    def __init__(self, language: str, benchmarks: Iterable[Benchmark]) -> None:
        self._language = language
        self._size = _CHARACTER_RUN if language in _CHARACTER_LANGUAGES else _RUN
        self._vocabulary: dict[str, int] = {}
        self._problems = [
            _Indexed(
                benchmark.name,
                problem.id,
                problem.question,
                tuple(
                    self._vocabulary.setdefault(word, len(self._vocabulary)) for word in split_words(problem.question)
                ),
            )
            for benchmark in benchmarks
            for problem in benchmark.read(language)
        ]
        runs, owners = self._runs([problem.words for problem in self._problems])
        self._keys, starts = np.unique(runs, return_index=True)
        self._starts = np.append(starts, len(runs)).astype(np.int64)
        self._owners = owners
        self._run_counts = np.bincount(owners, minlength=len(self._problems))

    def find(self, texts: Sequence[str]) -> list[list[Match]]:
        """The problems that each text holds something of, the best match of each benchmark."""
        matches: list[list[Match]] = []
        for start in range(0, len(texts), _BATCH):
            matches += self._find(texts[start : start + _BATCH])
        return matches

    def _find(self, texts: Sequence[str]) -> list[list[Match]]:
        rows = [tuple(self._vocabulary.get(word, -1) for word in split_words(text)) for text in texts]
        runs, row_of_run = self._runs(rows)
        places = np.minimum(np.searchsorted(self._keys, runs), len(self._keys) - 1)
        found = self._keys[places] == runs
        places, row_of_run = places[found], row_of_run[found]
        counts = self._starts[places + 1] - self._starts[places]
        # The postings of every run found, one after another.
        offsets = np.repeat(self._starts[places] - np.cumsum(counts) + counts, counts)
        owners = self._owners[offsets + np.arange(int(counts.sum()))]
        pairs, shared = np.unique(np.repeat(row_of_run, counts) * len(self._problems) + owners, return_counts=True)
        row_of_pair, problem_of_pair = np.divmod(pairs, len(self._problems))
        shares = shared / self._run_counts[problem_of_pair]
        candidates: list[list[tuple[float, int]]] = [[] for _ in texts]
        for pair in np.flatnonzero(shares >= _GATE):
            candidates[row_of_pair[pair]].append((-float(shares[pair]), int(problem_of_pair[pair])))
        return [
            self._compare(text, row, sorted(near)) if near else []
            for text, row, near in zip(texts, rows, candidates, strict=True)
        ]

    def _runs(self, texts: Sequence[tuple[int, ...]]) -> tuple[_Ints, _Ints]:
        """The distinct runs of each text as numbers, sorted by run, and the text that each is of.

        Texts shorter than a run are filled up; words that no problem has are -1, and so are no problem's runs.
        """
        size, base = self._size, len(self._vocabulary) + 2
        padded = [(*text, *[-2] * (size - len(text))) for text in texts]
        lengths = np.array([len(text) for text in padded], np.int64)
        words = np.fromiter((word for text in padded for word in text), np.int64, int(lengths.sum()))
        owners = np.repeat(np.arange(len(texts), dtype=np.int64), lengths)
        if len(words) < size:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        windows = np.lib.stride_tricks.sliding_window_view(words, size)
        first, last = owners[: len(windows)], owners[size - 1 :]
        # Exact up to 6,200 characters or 2 million words; beyond, the product wraps round and is a hash.
        keys = np.zeros(len(windows), np.int64)
        for column in range(size):
            keys = keys * base + windows[:, column] + 2
        kept = (first == last) & (windows != -1).all(axis=1)
        order = np.lexsort((first[kept], keys[kept]))
        keys, first = keys[kept][order], first[kept][order]
        fresh = np.ones(len(keys), bool)
        fresh[1:] = (keys[1:] != keys[:-1]) | (first[1:] != first[:-1])
        return keys[fresh], first[fresh]

    def _compare(self, text: str, words: tuple[int, ...], near: Sequence[tuple[float, int]]) -> list[Match]:
        best: dict[str, Match] = {}
        numbers, glued = read_numbers(text, self._language), _glue(text)
        values = Counter(number.value for number in numbers)
        for share, index in near[:_MOST_COMPARED]:
            problem = self._problems[index]
            story = -share
            if len(words) <= _MUCH_LONGER * len(problem.words):
                story = (story + _common(problem.words, words) / len(problem.words)) / 2
            # What may be no number ("a", "one of them") need not be there.
            known = [number for number in read_numbers(problem.question, self._language) if number.certain]
            by_value = (Counter(number.value for number in known) & values).total()
            # The same digits and words may be put together to other values once marks and spaces are changed.
            by_writing = sum(_glue(number.text) in glued for number in known)
            contained = min(story, max(by_value, by_writing) / len(known) if known else 1.0)
            held = best.get(problem.benchmark)
            if held is None or contained > held.containment:
                best[problem.benchmark] = Match(problem.benchmark, problem.id, self._language, contained)
        return list(best.values())


def _glue(text: str) -> str:
    """A text's words without spaces but around those of digits: a number is looked for as a part of it."""
    return "".join(f" {word} " if word.isdecimal() else word for word in split_words(text))


def _common(left: Sequence[int], right: Sequence[int]) -> int:
    """The length of the longest common subsequence: Hyyrö 2004, all of a row of the table at once as bits."""
    places: dict[int, int] = {}
    for index, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << index
    mask = (1 << len(left)) - 1
    state = mask
    for word in right:
        matches = state & places.get(word, 0)
        state = ((state + matches) | (state - matches)) & mask
    return len(left) - state.bit_count()


class ContaminationCheck:
    """Scores how far a row is from every problem of the benchmarks: 1 - the largest containment.

    Rows are looked up by their English source and, where the benchmark is in their language, by their translation.
    English rows may be passed in.

    Args:
        benchmarks: what must not be in the dataset.
    """

    name = "contamination"

    def __init__(self, benchmarks: Sequence[Benchmark]) -> None:
        self._benchmarks = tuple(benchmarks)
        self._titles = {benchmark.name: benchmark.title for benchmark in benchmarks}
        self._indexes: dict[str, _Index | None] = {}
        self.signature = sign("contamination", 1, [benchmark.signature for benchmark in benchmarks])

    def open(self) -> None:
        """Index the benchmarks in English; those in other languages when a row of theirs comes."""
        self._index(ENGLISH.code)

    def score(self, table: pa.Table) -> Scored:
        """Score the questions; observes `contamination.mgsm` and so on, with the problem's number."""
        languages = table["language"].to_pylist()
        matches = self._find([ENGLISH.code] * len(languages), table["source_question"].to_pylist())
        others = [None if language == ENGLISH.code else language for language in languages]
        for found, more in zip(matches, self._find(others, table["question"].to_pylist()), strict=True):
            found.extend(more)
        scored = Scored({"contamination_question": []}, [])
        texts = zip(table["source_question"].to_pylist(), table["question"].to_pylist(), strict=True)
        for found, pair in zip(matches, texts, strict=True):
            best: dict[str, Match] = {}
            for match in sorted(found, key=lambda match: -match.containment):
                best.setdefault(match.benchmark, match)
            nearest = max((match.containment for match in best.values()), default=0.0)
            scored.scores["contamination_question"].append(1.0 - nearest if any(pair) else None)
            scored.observations.append([self._observe(match) for match in best.values()])
        return scored

    def _find(self, languages: Sequence[str | None], texts: Sequence[str | None]) -> list[list[Match]]:
        """The matches of each text in its language; none where there is no text or no language."""
        found: list[list[Match]] = [[] for _ in texts]
        # The English source of a problem is the same in its rows of ten languages.
        for language in sorted({language for language in languages if language}):
            index = self._index(language)
            places: dict[str, list[int]] = {}
            for place, (own, text) in enumerate(zip(languages, texts, strict=True)):
                if own == language and text:
                    places.setdefault(text, []).append(place)
            if index is None or not places:
                continue
            for rows, matches in zip(places.values(), index.find(list(places)), strict=True):
                for row in rows:
                    found[row] = list(matches)
        return found

    def _index(self, language: str) -> _Index | None:
        if language not in self._indexes:
            having = [benchmark for benchmark in self._benchmarks if language in benchmark.languages]
            self._indexes[language] = _Index(language, having) if having else None
        return self._indexes[language]

    def _observe(self, match: Match) -> Observation:
        where = "English source" if match.language == ENGLISH.code else f"text ({match.language})"
        detail = (
            f"{self._titles[match.benchmark]} problem {match.problem}: the {where} has {match.containment:.0%} of it"
        )
        return Observation(f"{self.name}.{match.benchmark}", "question", detail)
