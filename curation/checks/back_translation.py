"""Does the translation, translated back, say what the source says? chrF++ (Popović 2017), exactly sacreBLEU's.

sacreBLEU itself scores some 2,500 questions a second of a core, and fastchrf has no word n-grams. Here
n-grams are counted for many pairs at once: every position's six characters, the pair and the side are packed
into one integer; once these are sorted, the n-grams of every order are neighbours, as shorter ones are
prefixes of longer ones.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence, Sized
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.checks.base import PARTS, Scored, column_values

__all__ = ["BackTranslationCheck", "chrf", "chrf_plus_plus"]

CHARACTER_ORDER = 6
WORD_ORDER = 2
BETA = 2
# Of the pairs that are counted at once: a core's cache holds what is made of so many.
_CHARACTERS = 10_000
# An n-gram's symbols take one digit each of a key, the pair the rest of it.
_KEY_BITS = 64

_MARK = re.compile(r"<<[^<>\n]*>>")
_PUNCTUATION = frozenset(string.punctuation)

Counts = npt.NDArray[np.int64]


def chrf_plus_plus(hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """Sentence chrF++ of each pair, 0 to 100: what `sacrebleu.CHRF(word_order=2).sentence_score` gives."""
    return _score(hypotheses, references, words=True)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> list[float]:
    """Sentence chrF (Popović 2015) of each pair, 0 to 100: what `sacrebleu.CHRF().sentence_score` gives."""
    return _score(hypotheses, references, words=False)


def _score(hypotheses: Sequence[str], references: Sequence[str], *, words: bool) -> list[float]:
    scores: list[float] = []
    numbers = _WordNumbers() if words else None
    start = characters = 0
    for end, pair in enumerate(zip(hypotheses, references, strict=True), 1):
        characters += sum(map(len, pair))
        if characters > _CHARACTERS or end == len(hypotheses):
            scores.extend(_score_pairs(hypotheses[start:end], references[start:end], numbers))
            start, characters = end, 0
    return scores


def _score_pairs(hypotheses: Sequence[str], references: Sequence[str], numbers: "_WordNumbers | None") -> list[float]:
    words = [text.split() for text in (*hypotheses, *references)]
    characters = ["".join(text) for text in words]
    # The little-endian form has no byte-order mark; lone surrogates are characters like any other.
    codes = np.frombuffer("".join(characters).encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
    statistics = _count(codes, _lengths(characters), CHARACTER_ORDER)
    if numbers is not None:
        statistics = np.concatenate([statistics, _count(*numbers.of(words), WORD_ORDER)])
    return [float(score) for score in _f_scores(statistics)]


def _lengths(sequences: Sequence[Sized]) -> Counts:
    return np.fromiter(map(len, sequences), np.int64, len(sequences))


class _WordNumbers(dict[str, int]):
    """Numbers of words, by what stands between white space: one word's, and the next one's in the upper half.

    There are two where the punctuation mark at the end, or else at the start, is split off, as sacreBLEU does.
    """

    def __init__(self) -> None:
        # From one on: zero is no word.
        self._numbers: dict[str, int] = {}

    def __missing__(self, token: str) -> int:
        words: tuple[str, ...] = (token,)
        if len(token) > 1 and token[-1] in _PUNCTUATION:
            words = (token[:-1], token[-1])
        elif len(token) > 1 and token[0] in _PUNCTUATION:
            words = (token[0], token[1:])
        numbers = [self._numbers.setdefault(word, len(self._numbers) + 1) for word in words]
        self[token] = both = numbers[0] | (numbers[1] << 32 if len(numbers) > 1 else 0)
        return both

    def of(self, texts: Sequence[Sequence[str]]) -> tuple[npt.NDArray[np.uint32], Counts]:
        """The numbers of all words of texts split at white space, and how many each text has."""
        both = np.fromiter(map(self.__getitem__, chain.from_iterable(texts)), np.int64)
        found = np.stack([both & 0xFFFFFFFF, both >> 32], axis=1).ravel()
        owner = np.repeat(np.arange(len(texts)), 2 * _lengths(texts))
        is_word = found > 0
        return found[is_word].astype(np.uint32), np.bincount(owner[is_word], minlength=len(texts))


def _count(symbols: npt.NDArray[np.uint32], lengths: Counts, order: int) -> Counts:
    """N-grams of each pair's hypothesis and reference, and those in both.

    Args:
        symbols: of all sequences: the hypotheses', then the references', as many.
        lengths: of each sequence.

    Returns:
        [order, 3, pair]: counts in the hypothesis, in the reference, in both.
    """
    pairs = len(lengths) // 2
    ends = np.cumsum(lengths)
    # Zero is the end of a text, `order` times, so that no n-gram reaches into the next one.
    padded = np.zeros(len(symbols) + order * len(lengths), np.uint32)
    inside = np.arange(len(symbols)) + np.repeat(order * np.arange(len(lengths)), lengths)
    different, dense = _number(symbols) if len(symbols) else (0, padded[:0])
    padded[inside] = dense + 1
    bits = (different + 1).bit_length()
    if order * bits + 1 + (pairs - 1).bit_length() > _KEY_BITS:
        if pairs == 1:
            both = symbols.tolist()
            return _count_one(both[: lengths[0]], both[lengths[0] :], order)
        half = pairs // 2
        bounds = [0, *(int(ends[place - 1]) for place in (half, pairs, pairs + half, 2 * pairs))]
        quarters = [symbols[start:end] for start, end in pairwise(bounds)]
        parts = [lengths[:half], lengths[half:pairs], lengths[pairs : pairs + half], lengths[pairs + half :]]
        return np.concatenate(
            [_count(np.concatenate(quarters[side::2]), np.concatenate(parts[side::2]), order) for side in (0, 1)],
            axis=2,
        )

    owner = np.repeat(np.arange(2 * pairs), lengths)
    keys = (owner % pairs).astype(np.uint64)
    for offset in range(order):
        keys = (keys << np.uint64(bits)) | padded[inside + offset]
    keys = np.sort((keys << np.uint64(1)) | (owner >= pairs).astype(np.uint64))

    counts = np.zeros((order, 3, pairs), np.int64)
    for n in range(1, order + 1):
        totals = np.maximum(lengths - n + 1, 0)
        counts[n - 1, 0], counts[n - 1, 1] = totals[:pairs], totals[pairs:]
    if not len(keys):
        return counts
    # Of the longest first: what they count adds up to what their beginnings do.
    runs, in_reference = keys >> np.uint64(1), (keys & np.uint64(1)).astype(np.int64)
    sizes = np.ones(len(keys), np.int64)
    for n in range(order, 0, -1):
        first = np.flatnonzero(np.concatenate(([True], runs[1:] != runs[:-1])))
        runs = runs[first]
        in_reference, sizes = np.add.reduceat(in_reference, first), np.add.reduceat(sizes, first)
        shared = np.minimum(in_reference, sizes - in_reference)
        # A prefix that ends in zero is cut short by its text's end, and is no n-gram.
        shared[(runs & np.uint64((1 << bits) - 1)) == 0] = 0
        pair = (runs >> np.uint64(bits * n)).astype(np.int64)
        counts[n - 1, 2] = np.bincount(pair, weights=shared, minlength=pairs).astype(np.int64)
        runs = runs >> np.uint64(bits)
    return counts


def _number(symbols: npt.NDArray[np.uint32]) -> tuple[int, npt.NDArray[np.uint32]]:
    """How many different symbols there are, and each as its place among them."""
    there = np.zeros(int(symbols.max()) + 1, np.uint32)
    there[symbols] = 1
    return int(there.sum()), (np.cumsum(there, dtype=np.uint32) - 1)[symbols].astype(np.uint32)


def _count_one(hypothesis: list[int], reference: list[int], order: int) -> Counts:
    """`_count` of one pair of so many different symbols that no key holds them."""
    counts = np.zeros((order, 3, 1), np.int64)
    for n in range(1, order + 1):
        both = [
            [tuple(symbols[start : start + n]) for start in range(len(symbols) - n + 1)]
            for symbols in (hypothesis, reference)
        ]
        left, right = (Counter(grams) for grams in both)
        counts[n - 1, :, 0] = len(both[0]), len(both[1]), (left & right).total()
    return counts


def _f_scores(counts: Counts) -> npt.NDArray[np.float64]:
    """F of precision and recall, each averaged over the orders that both sides have ("effective order")."""
    in_hypothesis, in_reference, in_both = counts[:, 0], counts[:, 1], counts[:, 2]
    effective = (in_hypothesis > 0) & (in_reference > 0)
    orders = np.maximum(effective.sum(axis=0), 1)
    precision = _sum(np.where(effective, in_both / np.maximum(in_hypothesis, 1), 0.0)) / orders
    recall = _sum(np.where(effective, in_both / np.maximum(in_reference, 1), 0.0)) / orders
    weight = BETA**2
    below = weight * precision + recall
    scores: npt.NDArray[np.float64] = 100 * (1 + weight) * precision * recall / np.where(below > 0, below, 1.0)
    return scores


def _sum(of_orders: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Over the orders, one after the other as sacreBLEU does: numpy's own order is another for a single pair."""
    total = np.zeros(of_orders.shape[1])
    for values in of_orders:
        total += values
    return total


class BackTranslationCheck:
    """Scores chrF++ of the back-translation against the English source, 0 to 100, calculator marks aside.

    A row without a back-translation has no score; one translated back to nothing has 0. It observes
    nothing: a low score is all there is to say.
    """

    name = "back_translation"

    def __init__(self) -> None:
        # sacreBLEU's signature, with our own version where it has its.
        orders = f"nc:{CHARACTER_ORDER}|nw:{WORD_ORDER}"
        self.signature = f"chrF{BETA}++|nrefs:1|case:mixed|eff:yes|{orders}|space:no|version:1"

    def open(self) -> None:
        """Nothing to load."""

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row."""
        scored = Scored({}, [[] for _ in range(len(table))])
        for part in PARTS:
            sources, backs = column_values(table, f"source_{part}"), column_values(table, f"back_{part}")
            pairs = [
                (index, _MARK.sub("", back), _MARK.sub("", source))
                for index, (source, back) in enumerate(zip(sources, backs, strict=True))
                if source and back is not None
            ]
            scores: list[float | None] = [None] * len(table)
            values = chrf_plus_plus([back for _, back, _ in pairs], [source for _, _, source in pairs])
            for (index, _, _), value in zip(pairs, values, strict=True):
                scores[index] = value
            scored.scores[f"{self.name}_{part}"] = scores
        return scored
