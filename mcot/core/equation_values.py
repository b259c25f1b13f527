"""The sides of an equation: what they are made of, what they are worth, and whether they are equal."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import groupby, pairwise, product
from typing import NamedTuple

from mcot.core.arithmetic import evaluate

__all__ = ["Operand", "Term", "holds", "same_terms", "side_value", "split_sides"]

# Cents for dollars, percent for a share, "16 million" for 16.
_UNITS = frozenset(Fraction(10) ** power for power in (-9, -6, -3, -2, 2, 3, 6, 9))
# More would be no solution's, and is costly to evaluate.
_MOST_TERMS, _MOST_READINGS = 60, 32


class Operand(NamedTuple):
    """A number of an equation.

    Attributes:
        value: as the language reads it; 25 for "25%".
        alternatives: other values of the same writing: 1/4 for "25%", 1.234 or 1234 for "1.234".
        places: decimal places written; None where the value is exact without any (½).
        share: whether it is a percentage.
    """

    value: Fraction
    alternatives: tuple[Fraction, ...] = ()
    places: int | None = 0
    share: bool = False


Term = Operand | str


def same_terms(one: Sequence[Term], other: Sequence[Term]) -> bool:
    """Whether two sides have the same operators and, as far as their writing tells, operands; parentheses aside."""
    left = [term for term in one if term not in ("(", ")")]
    right = [term for term in other if term not in ("(", ")")]
    return len(left) == len(right) and all(map(_may_be_same, left, right))


def _may_be_same(one: Term, other: Term) -> bool:
    if not isinstance(one, Operand) or not isinstance(other, Operand):
        return one == other
    return one.value == other.value or not {one.value, *one.alternatives}.isdisjoint((other.value, *other.alternatives))


def split_sides(terms: list[Term]) -> tuple[tuple[Term, ...], ...] | None:
    """Tokens by side, parentheses balanced; the first side empty if it is no expression. None: nothing is left."""
    sides = [
        tuple(_balanced(_shares_first(list(side)))) for key, side in groupby(terms, key=lambda t: t == "=") if not key
    ]
    if terms[0] == "=":
        sides.insert(0, ())
    if len(sides) > 1 and sum(isinstance(term, Operand) for term in sides[0]) <= 1 and not _has_operator(sides[0]):
        sides[0] = ()
    if len(sides) > 2 and not sides[0]:
        del sides[0]
    return tuple(sides) if any(sides) else None


def _has_operator(side: Sequence[Term]) -> bool:
    return any(isinstance(term, str) and term not in "()" for term in side)


def _balanced(terms: list[Term]) -> list[Term]:
    """Without parentheses that open or close in prose."""
    opened: list[int] = []
    single: set[int] = set()
    for index, term in enumerate(terms):
        if term == "(":
            opened.append(index)
        elif term == ")" and opened:
            opened.pop()
        elif term == ")":
            single.add(index)
    single.update(opened)
    return [term for index, term in enumerate(terms) if index not in single] if single else terms


def _shares_first(terms: list[Term]) -> list[Term]:
    """A side with "60% of 10" as (60% * 10), whichever of the two its language says first."""
    while "of" in terms:
        index = terms.index("of")
        left = _operand_before(terms, index)
        right = _operand_after(terms, index)
        share, whole = terms[left:index], terms[index + 1 : right]
        if _is_share(whole) and not _is_share(share):
            share, whole = whole, share
        joint: list[Term] = ["(", *share, "*", *whole, ")"] if _is_share(share) else [*share, "*", *whole]
        terms = [*terms[:left], *joint, *terms[right:]]
    return terms


def _operand_before(terms: list[Term], index: int) -> int:
    """Where the operand that ends before a place begins; a fraction is one operand."""
    return max(0, index - (3 if terms[index - 2 : index - 1] == ["/"] else 1))


def _operand_after(terms: list[Term], index: int) -> int:
    return index + (4 if terms[index + 2 : index + 3] == ["/"] else 2)


def _is_share(terms: list[Term]) -> bool:
    return len(terms) == 3 or (len(terms) == 1 and isinstance(terms[0], Operand) and terms[0].share)


def holds(sides: Sequence[Sequence[Term]]) -> bool | None:
    """Whether neighbouring sides are equal; None where one has no value, or has it in another unit."""
    held: list[bool | None] = [_are_equal(one, other) for one, other in pairwise(side for side in sides if side)]
    if not held:
        return None
    return False if False in held else None if None in held else True


def _are_equal(one: Sequence[Term], other: Sequence[Term]) -> bool | None:
    lefts, rights = _values(one), _values(other)
    if len(other) > 1 and isinstance(other[0], Operand):
        # Running: "5 * 3 = 15 + 2 = 17" goes on from its result.
        rights += [other[0].value, *other[0].alternatives]
    units = [Fraction(1, 10**term.places) for term in (*one, *other) if isinstance(term, Operand) and term.places]
    pairs = list(product(lefts, rights))
    if any(_is_rounded(left, right, max(units, default=None)) for left, right in pairs):
        return True
    other_unit = any(left and right and left / right in _UNITS for left, right in pairs)
    # In "25 / 1/3" only a person sees which stroke is a fraction's.
    strokes = any("/" in side[index + 2 : index + 3] for side in (one, other) for index in _strokes(side))
    return None if other_unit or strokes or not lefts or not rights else False


def _strokes(side: Sequence[Term]) -> list[int]:
    return [index for index, term in enumerate(side) if term == "/"]


def _is_rounded(left: Fraction, right: Fraction, unit: Fraction | None) -> bool:
    """Whether two values are equal, or their difference is lost where the last decimal of either is cut."""
    apart = abs(left - right)
    if unit is not None:
        return apart < unit
    # A quotient may be given as a whole number.
    return not apart or (apart <= Fraction(1, 2) and right.denominator == 1)


def _values(side: Sequence[Term]) -> list[Fraction]:
    """The values of a side by all readings of its operands; none if it has no value."""
    operands = [term for term in side if isinstance(term, Operand)]
    readings = [(operand.value, *operand.alternatives) for operand in operands]
    combinations = 1
    for several in readings:
        combinations *= len(several)
    if combinations > _MOST_READINGS:
        readings = [several[:1] for several in readings]
    values = (side_value(side, chosen) for chosen in product(*readings))
    return [value for value in values if value is not None]


def side_value(side: Sequence[Term], chosen: Sequence[Fraction] | None = None) -> Fraction | None:
    """The value of a side, with its operands' first readings or those chosen; None where it has none."""
    if not side or len(side) > _MOST_TERMS or side[0] in ("+", "*", "/"):
        return None
    if chosen is None:
        chosen = [term.value for term in side if isinstance(term, Operand)]
    if len(side) == 1 and chosen:
        return chosen[0]
    names = iter(range(len(chosen)))
    words = ("**" if term == "^" else term if isinstance(term, str) else f"a{next(names)}" for term in side)
    try:
        return evaluate(" ".join(words), {f"a{index}": value for index, value in enumerate(chosen)})
    except (ValueError, ZeroDivisionError):
        return None
