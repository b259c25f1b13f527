"""Equations, compared step by step: the translation calculates what its source does, in the same order."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import zip_longest

import pyarrow as pa

from curation.checks.base import Observation, Scored, column_values
from mcot.core.equation_values import Operand, Term, same_terms, side_value
from mcot.core.equations import Equation, find_equations
from mcot.core.numbers import read_numbers
from mcot.core.runs import sign

__all__ = ["EquationsCheck", "compare_equations"]

# With more pairs than this left between two texts nothing corresponds, and aligning them would take long.
_MOST_PAIRS = 40_000
# One English solution is the source of ten rows in a row; a long one is not worth keeping.
_REMEMBERED = 1024
_LONGEST_REMEMBERED = 4000


class EquationsCheck:
    """Scores the share of the source's equations that the translation has, in order and unaltered.

    Equations that only the translation has count against it: the share is of the longer of the two sequences.
    A rationale without equations on either side has no score, unless its lines stand in another order.

    Observes `equations.altered`, `equations.missing` and `equations.added`; `equations.false` for an equation that
    doesn't hold while its source does; and `equations.source_false`, once a row and at no cost, where the source's
    own arithmetic is wrong.
    """

    name = "equations"
    signature = sign("equations", 1)

    def open(self) -> None:
        """Nothing to load."""

    def score(self, table: pa.Table) -> Scored:
        """Score the rationale of every row."""
        columns = [column_values(table, name) for name in ("source_rationale", "rationale", "language")]
        scored = Scored({"equations_rationale": []}, [])
        for source, translation, language in zip(*columns, strict=True):
            value: float | None = None
            observations: list[Observation] = []
            if source and translation:
                value, observations = compare_equations(source, translation, language)
            scored.scores["equations_rationale"].append(value)
            scored.observations.append(observations)
        return scored


def compare_equations(source: str, translation: str, language: str) -> tuple[float | None, list[Observation]]:
    """The score of a translated rationale, None where neither text has an equation, and what was observed."""
    theirs = _without_lone_marks(_find_in_source(source), translation)
    ours = _without_lone_marks(find_equations(translation, language), source)
    observations = []
    false = next((one for one in theirs if one.holds is False), None)
    if false is not None:
        observations.append(Observation("equations.source_false", "rationale", f"the source's own: {false.text}"))
    places = _align(theirs, ours)
    kept = len(places)
    left_theirs, left_ours = _excuse_weak(theirs, ours, places)
    total = max(kept + len(left_theirs), kept + len(left_ours))
    observations += _observe(theirs, ours, places, left_theirs, left_ours)
    if total > kept:
        return kept / total, observations
    moved, lines = _moved_steps(
        _steps(source, "en", [(theirs[one].start, number) for number, (one, _) in enumerate(places)]),
        _steps(translation, language, [(ours[other].start, number) for number, (_, other) in enumerate(places)]),
    )
    if moved:
        detail = f"steps {', '.join(str(place + 1) for place in moved)} stand in another order"
        return 1 - len(moved) / lines, [*observations, Observation("equations.altered", "rationale", detail)]
    return 1.0 if total else None, observations


def _steps(text: str, language: str, equations: Sequence[tuple[int, int]]) -> list[tuple[int | Fraction, ...]]:
    """What identifies a line: the numbers of the common equations in it, or else the values written in digits."""
    steps: list[tuple[int | Fraction, ...]] = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        here: tuple[int | Fraction, ...] = tuple(-1 - number for place, number in equations if start <= place <= end)
        if not here and line.strip():
            here = tuple(sorted(number.value for number in read_numbers(line, language) if number.text[0].isdigit()))
        if line.strip():
            steps.append(here)
        start = end + 1
    return steps


def _moved_steps(
    source: Sequence[tuple[int | Fraction, ...]], translation: Sequence[tuple[int | Fraction, ...]]
) -> tuple[list[int], int]:
    """The places of the lines that another place has in the translation, and how many lines there are.

    Only if the two have the very same lines can one be sure that they changed places.
    """
    if source == translation or Counter(source) != Counter(translation):
        return [], len(source)
    pairs = enumerate(zip(source, translation, strict=True))
    return [place for place, (one, other) in pairs if one != other], len(source)


def _find_in_source(text: str) -> Sequence[Equation]:
    return _find_remembered(text) if len(text) <= _LONGEST_REMEMBERED else find_equations(text, "en")


@lru_cache(maxsize=_REMEMBERED)
def _find_remembered(text: str) -> tuple[Equation, ...]:
    return tuple(find_equations(text, "en"))


def _without_lone_marks(equations: Sequence[Equation], other: str) -> Sequence[Equation]:
    """Without what only calculator marks say, where the other text is written without marks."""
    return equations if "<<" in other else [one for one in equations if not one.marked]


def _align(theirs: Sequence[Equation], ours: Sequence[Equation]) -> list[tuple[int, int]]:
    """The longest common subsequence: pairs of places."""
    first = 0
    while first < min(len(theirs), len(ours)) and _are_same(theirs[first], ours[first]):
        first += 1
    last = 0
    while last < min(len(theirs), len(ours)) - first and _are_same(theirs[-1 - last], ours[-1 - last]):
        last += 1
    pairs = [(place, place) for place in range(first)]
    middle = _align_middle(theirs[first : len(theirs) - last], ours[first : len(ours) - last])
    pairs += [(first + one, first + other) for one, other in middle]
    pairs += [(len(theirs) - place, len(ours) - place) for place in range(last, 0, -1)]
    return pairs


def _align_middle(theirs: Sequence[Equation], ours: Sequence[Equation]) -> list[tuple[int, int]]:
    if not theirs or not ours or len(theirs) * len(ours) > _MOST_PAIRS:
        return []
    same = [[_are_same(one, other) for other in ours] for one in theirs]
    lengths = [[0] * (len(ours) + 1) for _ in range(len(theirs) + 1)]
    for i in range(len(theirs) - 1, -1, -1):
        for j in range(len(ours) - 1, -1, -1):
            longest = max(lengths[i + 1][j], lengths[i][j + 1])
            lengths[i][j] = max(longest, lengths[i + 1][j + 1] + 1) if same[i][j] else longest
    pairs, i, j = [], 0, 0
    while i < len(theirs) and j < len(ours):
        if same[i][j] and lengths[i][j] == lengths[i + 1][j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def _are_same(one: Equation, other: Equation) -> bool:
    """Whether two equations say the same.

    "48 / 2" says no less than "48 / 2 is 24", which another language may write "48 / 2 = 24".
    """
    left, right = [side for side in one.sides if side], [side for side in other.sides if side]
    if len(left) != len(right):
        shorter, longer = sorted((left, right), key=len)
        return len(shorter) == 1 and len(shorter[0]) > 1 and any(_are_same_side(shorter[0], side) for side in longer)
    return all(_are_same_side(side, its) for side, its in zip(left, right, strict=True))


def _are_same_side(one: Sequence[Term], other: Sequence[Term]) -> bool:
    """Whether two sides have the same operators and operands; parentheses may differ if they change no value."""
    if one == other:
        return True
    if not same_terms(one, other):
        return False
    operands = [[term.value for term in side if isinstance(term, Operand)] for side in (one, other)]
    if operands[0] != operands[1]:
        return True
    values = side_value(one), side_value(other)
    return None in values or values[0] == values[1]


def _excuse_weak(
    theirs: Sequence[Equation], ours: Sequence[Equation], places: Sequence[tuple[int, int]]
) -> tuple[list[int], list[int]]:
    """What is left of both sides.

    "1 hour = 60 minutes" may be put into words: that one side has more of such equations is no fault.
    """
    left_theirs = sorted(set(range(len(theirs))) - {one for one, _ in places})
    left_ours = sorted(set(range(len(ours))) - {other for _, other in places})
    weak_theirs = [place for place in left_theirs if theirs[place].weak]
    weak_ours = [place for place in left_ours if ours[place].weak]
    if bool(weak_theirs) != bool(weak_ours) and len(left_theirs) != len(left_ours):
        left_theirs = [place for place in left_theirs if not theirs[place].weak]
        left_ours = [place for place in left_ours if not ours[place].weak]
    return left_theirs, left_ours


def _observe(
    theirs: Sequence[Equation],
    ours: Sequence[Equation],
    places: Sequence[tuple[int, int]],
    left_theirs: Sequence[int],
    left_ours: Sequence[int],
) -> list[Observation]:
    """What is left between two common equations, the source's beside the translation's."""
    observations: list[Observation] = []
    lost_places, new_places = set(left_theirs), set(left_ours)
    i = j = 0
    for end_i, end_j in [*places, (len(theirs), len(ours))]:
        lost = [theirs[place] for place in range(i, end_i) if place in lost_places]
        new = [ours[place] for place in range(j, end_j) if place in new_places]
        for one, other in zip_longest(lost, new):
            if one is None:
                detail = ("equations.added", f"{other.text} is not in the source")
            elif other is None:
                detail = ("equations.missing", f"{one.text} is missing")
            else:
                detail = ("equations.altered", f"{one.text} became {other.text}")
            observations.append(Observation(detail[0], "rationale", detail[1]))
            if other is not None and other.holds is False and (one is None or one.holds is not False):
                observations.append(Observation("equations.false", "rationale", f"{other.text} does not hold"))
        i, j = end_i + 1, end_j + 1
    return observations
