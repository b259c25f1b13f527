"""Loops: where a text repeats itself.

A model that has lost its way says its last words again and again ("und dann und dann und dann"), or a whole
clause or sentence twice. Texts are compared as their letters and digits alone, so that a loop counts whatever
spaces and full stops its copies have between them, and "eggs 3 ... eggs 4" is no repetition: solutions say
the same of one number after another.

A loop is a piece that stands two or more times in a row. Where the text ends with it, one copy more of a few
words is enough. In the middle it must be a clause, as one sentence may begin with the words that end the
last. A short piece must come three times or more: languages double words to say "each", "very" or "several"
(Swahili "mbili mbili", Bengali "আলাদা আলাদা", Chinese "很多很多"). A long sentence that comes again later
counts too. What the source repeats, a translation may repeat.

Measured on MGSM's human translations, 250 questions a language: none is taken for a loop. With the last third
repeated once or more, with or without a space: all 7,500 are.
"""

import re
from typing import NamedTuple

from mcot.core.reading import prose

__all__ = [
    "EXTRA_WEIGHTS",
    "LONGEST_TEXT",
    "SMALLEST_DISTANT",
    "SMALLEST_END",
    "SMALLEST_LOOP",
    "SMALLEST_TWICE",
    "Loop",
    "find_loop",
]

# Weights are in letters of English, see `_weigh`. What ends a text, and stood right before that end, has at
# least this many: two or three words. So have all of a shorter piece's copies, three or more, together.
SMALLEST_END = 12
SMALLEST_LOOP = 15
# A clause that stands twice in a row elsewhere.
SMALLEST_TWICE = 40
# A sentence that comes again, but not next to itself.
SMALLEST_DISTANT = 120
# A loop is at the end of a text, and one of a megabyte shall take no minutes.
LONGEST_TEXT = 20_000
_LONGEST_QUOTE = 60

_NOT_LETTERS = re.compile(r"[\W_]+")
_END_MARKS = " \t\r\n.,;:!?([\"'$¡¿…।、。，！？"
_LETTER = re.compile(r"[^\W\d_]")
# Letters of MGSM's English questions over those of its translations: what a letter stands for beyond one of
# English, by script. Combining vowel signs are no letters here.
EXTRA_WEIGHTS: dict[tuple[str, ...], tuple[str, float]] = {
    ("Hani",): ("[\u3400-\u4dbf\u4e00-\u9fff]", 1.8),
    ("Kana",): ("[\u3041-\u30ff]", 0.9),
    ("Beng", "Telu"): ("[\u0980-\u09ff\u0c00-\u0c7f]", 0.5),
    ("Thai",): ("[\u0e00-\u0e7f]", 0.2),
}
_EXTRA = [(re.compile(letters), weight) for letters, weight in EXTRA_WEIGHTS.values()]
_HEAVIEST = 1 + max(weight for _, weight in _EXTRA)
# Characters that are looked for again: of any run of twice as many, one chunk at least is. Four Chinese
# characters, or eight Bengali letters, weigh as much as the smallest loop.
_CHUNKS = ((re.compile("[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"), 2), (re.compile("[\u0980-\u0e7f]"), 4))
_CHUNK = 6


class Loop(NamedTuple):
    """A repetition.

    Attributes:
        share: of the text's letters and digits that stand in it, all copies counted, 0 to 1.
        piece: what is repeated, as it stands in the text.
        times: how often it stands there.
    """

    share: float
    piece: str
    times: float


class _Run(NamedTuple):
    """`text[start : start + length]` is the same as what stands `distance` characters before it."""

    start: int
    length: int
    distance: int


def find_loop(text: str, source: str | None = None) -> Loop | None:
    """The largest repetition of a text beyond those of its source; None where there is none."""
    text = prose(text[-LONGEST_TEXT:])
    core = _core(text)
    runs = _runs(core)
    if not runs:
        return None
    best: tuple[float, _Run] | None = None
    for run in runs:
        weight = _loop_weight(core, run)
        if weight and (best is None or weight > best[0]):
            best = weight, run
    if best is None:
        return None
    weight, run = best
    if source and _allowed(prose(source[-LONGEST_TEXT:]), weight, run):
        return None
    adjacent = run.length >= run.distance
    size = run.distance if adjacent else run.length
    covered = run.length + (run.distance if adjacent else run.length)
    first = run.start - run.distance
    piece = _quote(text, first, first + size)
    return Loop(min(1.0, covered / len(core)), piece, 1 + run.length / size)


def _core(text: str) -> str:
    """The letters and digits of a text, as many as it has, in one case."""
    core = _NOT_LETTERS.sub("", text)
    # Some capitals ("İ") have two characters in lower case, and places must stay places.
    return lower if len(lower := core.lower()) == len(core) else core


def _runs(core: str) -> list[_Run]:
    """The repetitions of a text without spaces, each as long as it goes."""
    size = next((size for letters, size in _CHUNKS if letters.search(core)), _CHUNK)
    runs: list[_Run] = []
    # Where the first copy of the last run at a distance ends: its other chunks tell nothing new.
    known: dict[int, int] = {}
    for place in range(0, len(core) - 2 * size + 1, size):
        again = core.find(core[place : place + size], place + 1)
        if again < 0 or known.get(distance := again - place, -1) >= place + size:
            continue
        start, end = again, again + size
        while start > distance and core[start - 1] == core[start - 1 - distance]:
            start -= 1
        while end < len(core) and core[end] == core[end - distance]:
            end += 1
        known[distance] = end - distance
        runs.append(_Run(start, end - start, distance))
    return runs


def _weigh(piece: str) -> float:
    """How much a piece says, in letters of English; digits say nothing."""
    letters = len(_LETTER.findall(piece))
    return letters + (0 if piece.isascii() else sum(weight * len(kind.findall(piece)) for kind, weight in _EXTRA))


def _loop_weight(core: str, run: _Run) -> float:
    """The weight of a run's repeated part where it is a loop, else 0."""
    end = run.start + run.length
    if run.length < run.distance:
        start, smallest = run.start, SMALLEST_DISTANT
    elif run.length >= 2 * run.distance:
        start, smallest = run.start - run.distance, SMALLEST_LOOP
    else:
        start, smallest = run.start, SMALLEST_END if end == len(core) else SMALLEST_TWICE
        end = run.start + run.distance
    if (end - start) * _HEAVIEST < smallest or _weigh(core[start:end]) < smallest:
        return 0.0
    return _weigh(core[run.start : run.start + run.length])


def _allowed(source: str, weight: float, run: _Run) -> bool:
    """Whether the source repeats about as much, in the same manner."""
    core = _core(source)
    adjacent = run.length >= run.distance
    theirs = [
        _weigh(core[other.start : other.start + other.length])
        for other in _runs(core)
        if adjacent <= (other.length >= other.distance)
    ]
    return 2 * max(theirs, default=0.0) >= weight


def _quote(text: str, first: int, last: int) -> str:
    """The characters first to last of a text's letters and digits, with what stands between them."""
    places = [match.start() for match in re.finditer(r"[^\W_]", text)]
    # Up to the next letter, or a vowel sign that is none would be lost.
    end = places[last] if last < len(places) else len(text)
    piece = " ".join(text[places[first] : end].rstrip(_END_MARKS).split())
    return piece if len(piece) <= _LONGEST_QUOTE else piece[: _LONGEST_QUOTE - 1].rstrip() + "\u2026"
