"""Which of many texts may have a loop at all: a look at all of them together, in a fraction of the time of one each."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curation.checks.loops import EXTRA_WEIGHTS, LONGEST_TEXT, SMALLEST_END, SMALLEST_LOOP
from mcot.core.reading import Reading, is_alphanumeric, read

__all__ = ["may_loop"]

_EXTRA = {script: weight for scripts, (_, weight) in EXTRA_WEIGHTS.items() for script in scripts}
# Bengali and Telugu numerals are letters to `find_loop`, and of no script to `mcot.core.reading`.
_EXTRA_OF_OTHERS = 0.5
# Texts that are looked at together. Of 64 bits, those left of the text's number are a piece's hash and its place.
_TEXTS = 256
_ALL_BITS, _HASH_BITS, _PLACE_BITS = np.uint64(64), np.uint64(33), np.uint64(23)
# The golden ratio's 64 bits, odd.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

_Numbers = NDArray[np.uint64]


def may_loop(texts: Sequence[str]) -> list[bool]:
    """Whether each text may have a loop.

    All texts are looked at together, in a fraction of the time that `find_loop` takes for each.
    """
    found = [True] * len(texts)
    places: defaultdict[float, list[int]] = defaultdict(list)
    for place, text in enumerate(texts):
        if len(text) <= LONGEST_TEXT:
            places[_heaviest(read(text))].append(place)
    for weight, those in places.items():
        for start in range(0, len(those), _TEXTS):
            some = those[start : start + _TEXTS]
            suspects = _suspects([read(texts[place]).prose for place in some], weight)
            for number, place in enumerate(some):
                found[place] = number in suspects
    return found


def _heaviest(reading: Reading) -> float:
    """The most that a character of a text weighs."""
    others = _EXTRA_OF_OTHERS if reading.lengths[0] else 0.0
    return 1 + max([others, *(_EXTRA.get(script, 0.0) for script in reading.scripts)])


def _suspects(texts: Sequence[str], weight: float) -> set[int]:
    """Which texts may have a loop, if no character weighs more than `weight`: see `curation.checks.loops`.

    A loop has the same piece twice. Of three or more copies, two are alike at the distance of one: so either two
    pieces as long as the shortest such run overlap or touch, or two of twice that length are alike. So they are in a
    loop elsewhere than at the end, whose copies are longer still.
    """
    several, end = (math.ceil(least / weight) for least in (SMALLEST_LOOP * 2 / 3, SMALLEST_END))
    # As `find_loop` reads them, but for a sigma at the end of a word.
    together = [text.lower().replace("\u03c2", "\u03c3") for text in texts]
    codes = np.frombuffer("".join(together).encode("utf-32-le", "surrogatepass"), "<u4")
    inside = is_alphanumeric()[codes]
    owners = np.repeat(np.arange(len(texts), dtype=np.uint64), list(map(len, together)))[inside]
    codes = codes[inside].astype(np.uint64)
    return (
        _repeating(codes, owners, several, several)
        | _repeating(codes, owners, 2 * several, None)
        | _ending_alike(codes, owners, end)
    )


def _repeating(codes: _Numbers, owners: _Numbers, size: int, reach: int | None) -> set[int]:
    """The texts that have the same so many characters twice, at most `reach` from one another."""
    hashes, own, place = _hash(codes, owners, size)
    # Text, piece and place in one number: equal pieces of a text stand side by side once these are sorted.
    keys = np.sort((own << _PLACE_BITS + _HASH_BITS) | (hashes >> (_ALL_BITS - _HASH_BITS) << _PLACE_BITS) | place)
    same = (keys[1:] ^ keys[:-1]) >> _PLACE_BITS == 0
    if reach is not None:
        same &= keys[1:] - keys[:-1] <= reach
    return set((keys[1:][same] >> (_PLACE_BITS + _HASH_BITS)).tolist())


def _ending_alike(codes: _Numbers, owners: _Numbers, size: int) -> set[int]:
    """The texts whose last so many characters stand elsewhere in them too."""
    hashes, own, _ = _hash(codes, owners, size)
    last = np.append(own[1:] != own[:-1], True)[: len(own)]
    # Of the text that each piece is in, the last one.
    lasts = hashes[last].repeat(np.diff(np.flatnonzero(last), prepend=-1))
    return set(own[(hashes == lasts) & ~last].tolist())


def _hash(codes: _Numbers, owners: _Numbers, size: int) -> tuple[_Numbers, _Numbers, _Numbers]:
    """Each piece of so many characters of one text as a number, with its text and its place among all characters."""
    hashes, length = codes * _MULTIPLIER, 1
    while length < size:
        step = min(length, size - length)
        hashes = (hashes[:-step] * _MULTIPLIER) ^ (hashes[step:] >> np.uint64(7)) * _MULTIPLIER
        length += step
    places = np.flatnonzero(owners[: len(hashes)] == owners[size - 1 :])
    return hashes[places], owners[places], places.astype(np.uint64)
