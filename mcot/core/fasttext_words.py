"""What a fastText classifier makes of many texts, each word's vector kept where it allows that.

fastText represents a text by the mean of the vectors of its words and of their character n-grams, and looks all of
them up for every text. Words come again: here a word's vectors are added up when it first comes, and a text is a sum
over its words. The result is the library's own, but for the rounding of float32.

A text's result is the same to the last bit whatever texts it is told with: a matrix product's sums would be rounded in
an order that depends on the matrices' sizes, so their terms are rounded first, to numbers that add up without rounding.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mcot.core.fasttext_file import END_OF_TEXT, FastTextFile, Floats, read_fasttext

__all__ = ["FastTextTexts", "FastTextWords"]

Probabilities = NDArray[np.float64]

# Of the vectors that are kept.
_REMEMBERED_BYTES = 1 << 26
# Texts that are looked at together: some classifiers have thousands of labels, and vectors of 256 numbers.
_BATCH = 512
# What is longer is no word, and its n-grams could take any room.
_LONGEST = 100
# A threshold that every label of the library's passes.
_ALL = -1.0
# The library adds it to what it takes the logarithm of.
_EPSILON = 1e-5
# Binary digits behind the point. A product of two numbers with 20 has 40, which leaves 13 of float64's 53 before it:
# sums below 8,192 are exact, and a classifier's scores are below 100.
_DIGITS, _DIGITS_OF_PRODUCTS = 20, 40


class FastTextWords:
    """The probabilities of some of a classifier's labels for texts in small letters, from their words' vectors.

    Args:
        path: of the classifier.
        labels: those that are asked for.
        counted: words, in small letters, each with the number of a group; texts have so many of each group.

    Attributes:
        known: which labels the classifier has.

    Raises:
        UnreadableModelError: as `read_fasttext`.
        OSError: the file can't be read.
    """

    def __init__(self, path: Path, labels: Sequence[str], counted: Mapping[str, int]) -> None:
        self._file = read_fasttext(path)
        self.known = frozenset(self._file.labels)
        self._tell = (_Softmax if self._file.loss == "softmax" else _Tree)(self._file, labels)
        self._counted, self._groups = counted, len(set(counted.values()))
        self._forget()

    def _forget(self) -> None:
        self._places = _Places()
        # A row a word: the sum of its vectors, how many they are, and one for its group.
        self._sums: Floats = np.zeros((0, self._file.dim + 1 + self._groups), np.float32)
        self._places[END_OF_TEXT]
        self._learn()

    def _learn(self) -> None:
        """Add up the vectors of new words."""
        words = self._places.new
        lowered = [word[:_LONGEST].lower() for word in words]
        rows, owners = self._file.subwords(lowered)
        counts = np.bincount(owners, minlength=len(words))
        new = np.zeros((len(words), self._sums.shape[1]), np.float32)
        new[:, : self._file.dim] = _add_up(self._file.vectors(rows[np.argsort(owners, kind="stable")]), counts)
        new[:, self._file.dim] = counts
        for place, word in enumerate(lowered):
            if (group := self._counted.get(word)) is not None:
                new[place, self._file.dim + 1 + group] = 1.0
        self._sums = np.concatenate([self._sums, new])
        self._places.new = []

    def tell(self, texts: Sequence[Sequence[str]]) -> tuple[Probabilities, Floats]:
        """What there is to tell of texts, which are taken as if in small letters.

        Args:
            texts: words, none of them with white space.

        Returns:
            The labels' probabilities, (texts, labels) as ordered when asked for, each 0 to 1 or, by the library's
            rounding, a little more; 0 for a label that the classifier doesn't have. And how many words there are of
            each group, (texts, groups).
        """
        batches = [self._tell_batch(texts[start : start + _BATCH]) for start in range(0, len(texts) or 1, _BATCH)]
        probabilities, counts = zip(*batches, strict=True)
        return _rounded(np.concatenate(probabilities), _DIGITS_OF_PRODUCTS), np.concatenate(counts)

    def _tell_batch(self, texts: Sequence[Sequence[str]]) -> tuple[Probabilities, Floats]:
        if self._sums.nbytes > _REMEMBERED_BYTES:
            self._forget()
        sizes = np.fromiter(map(len, texts), np.int64, len(texts))
        places = np.fromiter(map(self._places.__getitem__, chain.from_iterable(texts)), np.int64, sizes.sum())
        if self._places.new:
            self._learn()
        sums = _add_up(self._sums[places], sizes)
        dim = self._file.dim
        vectors = sums[:, : dim + 1] + self._sums[0, : dim + 1]
        return self._tell(vectors[:, :dim] / np.maximum(vectors[:, dim:], 1.0)), sums[:, dim + 1 :]


class _Places(dict[str, int]):
    """Where the vectors of words are; new words get the next places, and are noted."""

    def __init__(self) -> None:
        self.new: list[str] = []

    def __missing__(self, word: str) -> int:
        self.new.append(word)
        self[word] = place = len(self)
        return place


class FastTextTexts:
    """The same for a classifier that looks at more than single words, by the library, text by text.

    Raises:
        ValueError: it is none that the library can load.
    """

    def __init__(self, path: Path, labels: Sequence[str], counted: Mapping[str, int]) -> None:
        import fasttext

        # Not through the package's own `predict`: what that does around this takes as long again for a short text.
        self._predict = fasttext.load_model(str(path)).f.predict
        self.known = frozenset(label for _, label in self._predict("a\n", -1, _ALL, "strict"))
        self._labels, self._counted = labels, counted

    def tell(self, texts: Sequence[Sequence[str]]) -> tuple[Probabilities, Floats]:
        """As `FastTextWords.tell`."""
        found = np.zeros((len(texts), len(self._labels)))
        counts = np.zeros((len(texts), len(set(self._counted.values()))), np.float32)
        for place, text in enumerate(" ".join(words).lower() for words in texts):
            predicted = {label: value for value, label in self._predict(f"{text}\n", -1, _ALL, "strict")}
            found[place] = [predicted.get(label, 0.0) for label in self._labels]
            for word in filter(self._counted.__contains__, text.split(" ")):
                counts[place, self._counted[word]] += 1
        return found, counts


def _add_up(values: Floats, sizes: NDArray[np.int64]) -> Floats:
    """The sums of consecutive values, so many in each; of none, zero."""
    sums = np.zeros((len(sizes), *values.shape[1:]), values.dtype)
    some = sizes > 0
    if some.any():
        starts = np.cumsum(sizes) - sizes
        sums[some] = np.add.reduceat(values, starts[some])
    return sums


def _rounded(values: NDArray[np.floating[Any]], digits: int = _DIGITS) -> Probabilities:
    """Values whose sums need no rounding, in whatever order they are made."""
    scale = 2.0**digits
    found: Probabilities = np.rint(values.astype(np.float64) * scale) / scale
    return found


class _Softmax:
    def __init__(self, file: FastTextFile, labels: Sequence[str]) -> None:
        self._output = _rounded(file.output).T
        places = {label: place for place, label in enumerate(file.labels)}
        self._shape = len(labels)
        self._asked = [place for place, label in enumerate(labels) if label in places]
        self._places = [places[labels[place]] for place in self._asked]

    def __call__(self, texts: Floats) -> Probabilities:
        scores = _rounded(texts) @ self._output
        odds = _rounded(np.exp(scores - scores.max(axis=1, keepdims=True)), _DIGITS_OF_PRODUCTS)
        found = np.zeros((len(texts), self._shape))
        found[:, self._asked] = odds[:, self._places] / odds.sum(axis=1, keepdims=True) + _EPSILON
        return found


class _Tree:
    """The hierarchical softmax: a label's probability is the product of those of the turns that lead to it."""

    def __init__(self, file: FastTextFile, labels: Sequence[str]) -> None:
        turns = _turns(file.labels)
        self._known = np.array([label in turns for label in labels])
        paths = [turns.get(label, []) for label in labels]
        nodes = sorted({node for path in paths for node, _ in path})
        self._output = _rounded(file.output[nodes]).T
        # To the right and to the left of each node, for each label.
        self._right, self._left = (np.zeros((len(nodes), len(labels))) for _ in range(2))
        for label, path in enumerate(paths):
            for node, right in path:
                (self._right if right else self._left)[nodes.index(node), label] = 1.0

    def __call__(self, texts: Floats) -> Probabilities:
        right = 1.0 / (1.0 + np.exp(-(_rounded(texts) @ self._output)))
        turns, others = (_rounded(np.log(odds + _EPSILON), _DIGITS_OF_PRODUCTS) for odds in (right, 1.0 - right))
        return self._known * np.exp(turns @ self._right + others @ self._left)


def _turns(labels: dict[str, int]) -> dict[str, list[tuple[int, bool]]]:
    """For each label the inner nodes of the Huffman tree above it, and whether the way goes to the right.

    Labels stand in a file by falling count, and inner nodes are made by rising count, so that the next two to join are
    always the first of two queues; of equal counts the inner node's comes first.
    """
    leaves = deque((count, [(label, list[tuple[int, bool]]())]) for label, count in reversed(labels.items()))
    inner: deque[tuple[int, list[tuple[str, list[tuple[int, bool]]]]]] = deque()
    for node in range(len(labels) - 1):
        total, joined = 0, []
        for right in (False, True):
            queue = leaves if leaves and (not inner or leaves[0][0] < inner[0][0]) else inner
            count, below = queue.popleft()
            for _, turns in below:
                turns.append((node, right))
            total += count
            joined += below
        inner.append((total, joined))
    return dict(inner[0][1]) if inner else {label: [] for label in labels}
