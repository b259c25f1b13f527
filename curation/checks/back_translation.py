"""Does the translation, translated back, say what the source says? chrF++ (Popović 2017), exactly sacreBLEU's.

sacreBLEU itself scores some 2,500 questions a second of a core, and fastchrf has no word n-grams. Here
n-grams are counted for many pairs at once: every position's six characters, the pair and the side are packed
into one integer; once these are sorted, the n-grams of every order are neighbours, as shorter ones are
prefixes of longer ones.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.checks.base import PARTS, Scored, column_values

__all__ = ["BackTranslationCheck", "chrf", "chrf_plus_plus"]

CHARACTER_ORDER = 6
WORD_ORDER = 2
BETA = 2
# Pairs counted at once: their characters take one digit each of a 64-bit key, the pair the rest of it.
_PAIRS = 256
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
    for start in range(0, len(hypotheses), _PAIRS):
        end = start + _PAIRS
        scores.extend(_score_pairs(hypotheses[start:end], references[start:end], with_words=words))
    return scores


def _score_pairs(hypotheses: Sequence[str], references: Sequence[str], *, with_words: bool) -> list[float]:
    texts = [*hypotheses, *references]
    # The little-endian form has no byte-order mark; lone surrogates are characters like any other.
    encoded = ["".join(text.split()).encode("utf-32-le", "surrogatepass") for text in texts]
    characters = [np.frombuffer(text, np.dtype("<u4")).astype(np.uint32, copy=False) for text in encoded]
    statistics = _count(characters, CHARACTER_ORDER)
    if with_words:
        numbers: dict[str, int] = {}
        words = [
            np.array([numbers.setdefault(word, len(numbers)) for word in _words(text)], np.uint32) for text in texts
        ]
        statistics = np.concatenate([statistics, _count(words, WORD_ORDER)])
    return [float(score) for score in _f_scores(statistics)]


def _words(text: str) -> list[str]:
    """Words with the punctuation mark at their end, or else at their start, split off, as sacreBLEU does."""
    words: list[str] = []
    for word in text.split():
        if len(word) > 1 and word[-1] in _PUNCTUATION:
            words += (word[:-1], word[-1])
        elif len(word) > 1 and word[0] in _PUNCTUATION:
            words += (word[0], word[1:])
        else:
            words.append(word)
    return words


def _count(sequences: list[npt.NDArray[np.uint32]], order: int) -> Counts:
    """N-grams of each pair's hypothesis and reference, and those in both.

    Args:
        sequences: the hypotheses' symbols, then the references', as many.

    Returns:
        [order, 3, pair]: counts in the hypothesis, in the reference, in both.
    """
    pairs = len(sequences) // 2
    lengths = np.array([len(sequence) for sequence in sequences], np.int64)
    # Zero is the end of a text, `order` times, so that no n-gram reaches into the next one.
    padded = np.zeros(int(lengths.sum()) + order * len(sequences), np.uint32)
    starts = np.concatenate(([0], np.cumsum(lengths + order)[:-1]))
    inside = np.repeat(starts - np.concatenate(([0], np.cumsum(lengths)[:-1])), lengths) + np.arange(int(lengths.sum()))
    symbols, dense = _number(np.concatenate(sequences)) if len(inside) else (0, padded[:0])
    padded[inside] = dense + 1
    bits = (symbols + 1).bit_length()
    if order * bits + 1 + (pairs - 1).bit_length() > _KEY_BITS:
        if pairs > 1:
            half = pairs // 2
            left = sequences[:half] + sequences[pairs : pairs + half]
            right = sequences[half:pairs] + sequences[pairs + half :]
            return np.concatenate([_count(left, order), _count(right, order)], axis=2)
        return _count_one(sequences[0].tolist(), sequences[1].tolist(), order)

    owner = np.repeat(np.arange(2 * pairs), lengths)
    keys = (owner % pairs).astype(np.uint64)
    for offset in range(order):
        keys = (keys << np.uint64(bits)) | padded[inside + offset]
    keys = np.sort((keys << np.uint64(1)) | (owner >= pairs).astype(np.uint64))
    is_reference = (keys & np.uint64(1)).astype(np.int64)

    counts = np.zeros((order, 3, pairs), np.int64)
    for n in range(1, order + 1):
        prefixes = keys >> np.uint64(1 + bits * (order - n))
        if len(keys):
            first = np.flatnonzero(np.concatenate(([True], prefixes[1:] != prefixes[:-1])))
            sizes = np.diff(first, append=len(keys))
            in_reference = np.add.reduceat(is_reference, first)
            shared = np.minimum(in_reference, sizes - in_reference)
            runs = prefixes[first]
            # A prefix that ends in zero is cut short by its text's end, and is no n-gram.
            shared[(runs & np.uint64((1 << bits) - 1)) == 0] = 0
            pair = (runs >> np.uint64(bits * n)).astype(np.int64)
            counts[n - 1, 2] = np.bincount(pair, weights=shared, minlength=pairs).astype(np.int64)
        totals = np.maximum(lengths - n + 1, 0)
        counts[n - 1, 0], counts[n - 1, 1] = totals[:pairs], totals[pairs:]
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
    precision = np.where(effective, in_both / np.maximum(in_hypothesis, 1), 0.0).sum(axis=0) / orders
    recall = np.where(effective, in_both / np.maximum(in_reference, 1), 0.0).sum(axis=0) / orders
    weight = BETA**2
    below = weight * precision + recall
    scores: npt.NDArray[np.float64] = 100 * (1 + weight) * precision * recall / np.where(below > 0, below, 1.0)
    return scores


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
