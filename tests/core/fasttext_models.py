"""Classifiers of random numbers, in fastText's own format, which its library loads."""

import random
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_MAGIC, _FORMAT, _SUPERVISED = 793712314, 12, 3
LOSSES = {"hs": 1, "softmax": 3}


@dataclass(frozen=True)
class Shape:
    """What a classifier is like."""

    dim: int = 6
    loss: str = "hs"
    minn: int = 2
    maxn: int = 4
    bucket: int = 50
    word_ngrams: int = 1
    quantised: bool = False
    norms: bool = False
    quantised_output: bool = False
    part: int = 4
    pruned: bool = False
    end_of_text: bool = True


def write_model(path: Path, words: list[str], labels: list[str], shape: Shape, seed: int = 0) -> None:
    """Write a classifier whose vectors and counts are drawn."""
    rng = random.Random(seed)
    numbers = np.random.default_rng(seed)
    words = [*(["</s>"] if shape.end_of_text else []), *words]
    counts = sorted((rng.randrange(1, 30) for _ in labels), reverse=True)
    kept = sorted(rng.sample(range(shape.bucket), shape.bucket // 2)) if shape.pruned else None
    grams = shape.bucket if kept is None else len(kept)
    with path.open("wb") as file:
        file.write(struct.pack("<ii", _MAGIC, _FORMAT))
        file.write(struct.pack("<12id", shape.dim, 5, 5, 1, 5, shape.word_ngrams, LOSSES[shape.loss], _SUPERVISED,
                               shape.bucket, shape.minn, shape.maxn, 100, 1e-4))  # fmt: skip
        size = len(words) + len(labels)
        file.write(struct.pack("<iiiqq", size, len(words), len(labels), 1000, -1 if kept is None else len(kept)))
        for word in words:
            file.write(word.encode() + b"\0" + struct.pack("<qb", 5, 0))
        for label, count in zip(labels, counts, strict=True):
            file.write(label.encode() + b"\0" + struct.pack("<qb", count, 1))
        for place, old in enumerate(kept or ()):
            file.write(struct.pack("<ii", old, place))
        file.write(struct.pack("<?", shape.quantised))
        file.write(_matrix(len(words) + grams, shape, numbers, quantised=shape.quantised))
        file.write(struct.pack("<?", shape.quantised_output))
        file.write(_matrix(len(labels), shape, numbers, quantised=shape.quantised and shape.quantised_output))


def _matrix(rows: int, shape: Shape, numbers: np.random.Generator, *, quantised: bool) -> bytes:
    if not quantised:
        values = numbers.normal(size=(rows, shape.dim)).astype("<f4")
        return struct.pack("<qq", rows, shape.dim) + values.tobytes()
    parts = -(-shape.dim // shape.part)
    codes = numbers.integers(0, 256, rows * parts, np.uint8)
    found = struct.pack("<?qqi", shape.norms, rows, shape.dim, len(codes)) + codes.tobytes()
    found += _quantiser(shape.dim, shape.part, numbers)
    if shape.norms:
        found += numbers.integers(0, 256, rows, np.uint8).tobytes() + _quantiser(1, 1, numbers)
    return found


def _quantiser(dim: int, part: int, numbers: np.random.Generator) -> bytes:
    parts = -(-dim // part)
    centroids = numbers.normal(size=dim * 256).astype("<f4")
    return struct.pack("<4i", dim, parts, part, dim - part * (parts - 1)) + centroids.tobytes()
