"""What a fastText classifier's file holds (fastText 0.9, format 12), read without the library.

The library tells a text's probabilities and nothing that they are made of. `FastTextFile` gives what
`mcot.core.fasttext_words` keeps of each word: which rows of the input matrix it stands for. The matrices of a file
that isn't quantised stay on the disk and are mapped, so that processes share them.

References: Joulin et al. 2017, "Bag of Tricks for Efficient Text Classification" (arXiv:1607.01759); Joulin et al.
2016, "FastText.zip" (arXiv:1612.03651), for product quantisation; Bojanowski et al. 2017, "Enriching Word Vectors with
Subword Information" (arXiv:1607.04606), for subwords.
"""

import mmap
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["END_OF_TEXT", "FastTextFile", "UnreadableModelError", "read_fasttext"]

# What the library puts behind every text.
END_OF_TEXT = "</s>"

_MAGIC, _FORMAT = 793712314, 12
_SUPERVISED = 3
_LOSSES = {1: "hs", 3: "softmax"}
# A quantised vector is made of so many possible parts.
_CENTROIDS = 256
_HASH_OF_NOTHING, _PRIME = np.uint32(2166136261), np.uint32(16777619)

Floats = NDArray[np.float32]
Number = TypeVar("Number", np.uint8, np.int32, np.float32)


class UnreadableModelError(Exception):
    """The file is none of a fastText classifier, or of one whose texts are more than the sum of their words."""


class _Settings(NamedTuple):
    dim: int
    ws: int
    epoch: int
    min_count: int
    neg: int
    word_ngrams: int
    loss: int
    model: int
    bucket: int
    minn: int
    maxn: int
    lr_update_rate: int
    t: float


class _Cursor:
    """Reads a file's values one after the other.

    Raises:
        UnreadableModelError: the file ends too early.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            try:
                self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                raise UnreadableModelError("the file is empty") from None
        self.place = 0

    def values(self, layout: str) -> tuple[int, ...]:
        """Numbers as `struct` lays them out, without padding."""
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}")))

    def take(self, size: int) -> bytes:
        """So many bytes."""
        start = self._skip(size)
        return self.bytes[start : start + size]

    def take_until_zero(self) -> bytes:
        """The bytes before the next that is zero."""
        end = self.bytes.find(b"\0", self.place)
        if end < 0:
            raise UnreadableModelError("the file ends too early")
        return self.take(end + 1 - self.place)[:-1]

    def array(self, count: int, kind: type[Number]) -> NDArray[Number]:
        """So many numbers of a kind, mapped."""
        start = self._skip(count * np.dtype(kind).itemsize)
        return np.frombuffer(self.bytes, kind, count, start) if count else np.empty(0, kind)

    def _skip(self, size: int) -> int:
        start = self.place
        if size < 0 or start + size > len(self.bytes):
            raise UnreadableModelError("the file ends too early")
        self.place += size
        return start


class _Quantised:
    """A matrix whose rows are put together of parts, each one of 256 (product quantisation)."""

    def __init__(self, cursor: _Cursor) -> None:
        (has_norms,) = cursor.values("?")
        rows, _, size = cursor.values("qqi")
        codes = cursor.array(size, np.uint8)
        self._blocks = _read_blocks(cursor)
        self._codes = codes.reshape(rows, len(self._blocks))
        self._norms: Floats | None = None
        if has_norms:
            norm_codes = cursor.array(rows, np.uint8)
            self._norms = _read_blocks(cursor)[0][:, 0][norm_codes]

    def __len__(self) -> int:
        return len(self._codes)

    def __getitem__(self, rows: NDArray[np.int64]) -> Floats:
        codes = self._codes[rows]
        vectors = np.concatenate([block[codes[:, place]] for place, block in enumerate(self._blocks)], axis=1)
        return vectors if self._norms is None else vectors * self._norms[rows, None]


def _read_blocks(cursor: _Cursor) -> list[Floats]:
    """For each part of a vector the 256 that it may be; the last part may be shorter than the others."""
    dim, parts, length, last = cursor.values("4i")
    centroids = np.array(cursor.array(dim * _CENTROIDS, np.float32))
    blocks = [centroids[start : start + length * _CENTROIDS].reshape(_CENTROIDS, length)
              for start in range(0, (parts - 1) * length * _CENTROIDS, length * _CENTROIDS)]  # fmt: skip
    return [*blocks, centroids[(parts - 1) * length * _CENTROIDS :].reshape(_CENTROIDS, last)]


def _read_matrix(cursor: _Cursor, quantised: bool) -> "_Quantised | Floats":
    if quantised:
        return _Quantised(cursor)
    rows, columns = cursor.values("qq")
    return cursor.array(rows * columns, np.float32).reshape(rows, columns)


@dataclass(frozen=True)
class FastTextFile:
    """A classifier.

    Attributes:
        labels: with how often each was seen in training, in the order of the output matrix's rows.
        loss: "softmax", or "hs" for the hierarchical one.
        output: (labels, dim), or (labels - 1, dim) of the inner nodes of the tree of labels.
    """

    labels: dict[str, int]
    loss: str
    output: Floats
    _input: "_Quantised | Floats"
    _words: dict[bytes, int]
    _kept: NDArray[np.int64] | None
    _settings: _Settings

    @property
    def dim(self) -> int:
        """Of a vector."""
        return self._settings.dim

    def subwords(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows of the input matrix that words stand for: their own, if they have one, and their n-grams'.

        Returns:
            The rows, and for each the place of its word; in no order.
        """
        own = [(place, row) for place, word in enumerate(words) if (row := self._words.get(word.encode())) is not None]
        places, rows = np.array(own, np.int64).reshape(-1, 2).T
        found = [(rows, places)]
        maxn, minn = self._settings.maxn, self._settings.minn
        marked = ["" if word == END_OF_TEXT else f"<{word}>" for word in words]
        sizes = np.fromiter(map(len, marked), np.int64, len(marked))
        word_of = np.repeat(np.arange(len(marked)), sizes)
        utf8 = _utf8("".join(marked))
        hashes = np.full(len(word_of), _HASH_OF_NOTHING, np.uint32)
        for size in range(1, maxn + 1):
            last = size - 1
            hashes = _hash(hashes[: len(word_of) - last], [one[last:] for one in utf8])
            inside = word_of[: len(hashes)] == word_of[last:]
            if size == 1:  # The marks of a word's beginning and end alone say nothing.
                ends = np.cumsum(sizes[sizes > 0])
                inside[ends - 1] = inside[ends - sizes[sizes > 0]] = False
            if size >= minn:
                grams = (hashes[inside] % np.uint32(self._settings.bucket)).astype(np.int64)
                kept = grams if self._kept is None else self._kept[grams]
                there = kept >= 0
                found.append((len(self._words) + kept[there], word_of[: len(hashes)][inside][there]))
        rows, places = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
        return rows, places

    def vectors(self, rows: NDArray[np.int64]) -> Floats:
        """Rows of the input matrix, (rows, dim)."""
        return self._input[rows]


def read_fasttext(path: Path) -> FastTextFile:
    """Read a classifier's file.

    Raises:
        UnreadableModelError: it is none, or one of another format, loss, or with n-grams of words.
        OSError: it can't be read.
    """
    cursor = _Cursor(path)
    if cursor.values("ii") != (_MAGIC, _FORMAT):
        raise UnreadableModelError("no fastText file of format 12")
    settings = _Settings(*cursor.values("12id"))
    if settings.model != _SUPERVISED or settings.loss not in _LOSSES or settings.word_ngrams > 1:
        raise UnreadableModelError("no classifier by words alone")
    try:
        words, labels, kept = _read_dictionary(cursor, settings.bucket)
        (quantised,) = cursor.values("?")
        rows = _read_matrix(cursor, bool(quantised))
        (quantised_output,) = cursor.values("?")
        output = _read_matrix(cursor, bool(quantised and quantised_output))
    except (ValueError, IndexError) as error:
        raise UnreadableModelError(f"the matrices don't fit ({error})") from None
    decoded = output[np.arange(len(output))]
    expected = len(words) + (settings.bucket if kept is None else kept.max(initial=-1) + 1)
    if len(rows) < expected or decoded.shape != (len(labels), settings.dim):
        raise UnreadableModelError("the matrices don't fit the words and labels")
    loss = _LOSSES[settings.loss]
    return FastTextFile(labels, loss, decoded, rows, words, kept, settings)


def _utf8(text: str) -> list[NDArray[np.uint32]]:
    """The first byte of each character, the second, and so on as far as there are any; 0 where there is none.

    A byte is taken for signed where the library computes a hash of it.
    """
    codes = np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.uint32)
    widths = 1 + (codes >= 0x80).astype(np.uint32) + (codes >= 0x800) + (codes >= 0x10000)
    found = []
    for place in range(int(widths.max(initial=1))):
        rest = widths - np.uint32(1 + place)  # Bytes behind this one; of one that is none, more than there are.
        byte = np.uint32(0xFFFFFF80) | (codes >> (6 * (rest & 7))) & np.uint32(0x3F)
        if not place:
            byte |= np.where(widths == 4, 0x70, np.where(widths == 3, 0x60, 0x40)).astype(np.uint32)
            byte = np.where(widths == 1, codes, byte)
        found.append(np.where(widths > place, byte, 0))
    return found


def _hash(hashes: NDArray[np.uint32], characters: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """The hashes of what is one character longer (FNV-1a)."""
    for place, byte in enumerate(one[: len(hashes)] for one in characters):
        following = (hashes ^ byte) * _PRIME
        hashes = np.where(byte > 0, following, hashes) if place else following
    return hashes


def _read_dictionary(cursor: _Cursor, bucket: int) -> tuple[dict[bytes, int], dict[str, int], NDArray[np.int64] | None]:
    """Words by row, labels by count, and of a pruned model by n-gram its row, or -1 where it has none any more."""
    size, count, label_count, _, pruned = cursor.values("iiiqq")
    words: dict[bytes, int] = {}
    labels: dict[str, int] = {}
    for number in range(size):
        entry = cursor.take_until_zero()
        seen, _ = cursor.values("qb")
        if number < count:
            words[entry] = number
        else:
            labels[entry.decode(errors="replace")] = seen
    if len(words) != count or len(labels) != label_count:
        raise UnreadableModelError("words or labels are missing")
    if pruned < 0:
        return words, labels, None
    before, now = cursor.array(2 * pruned, np.int32).reshape(-1, 2).T
    kept = np.full(bucket, -1, np.int64)
    kept[before] = now
    return words, labels, kept
