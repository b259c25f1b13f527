"""Which number of a text corresponds to which of its translation, and pairing those that do."""

import re
from collections.abc import Callable
from fractions import Fraction

from mcot.core.numbers.number import Number

__all__ = [
    "are_pairs",
    "are_same_ordinal",
    "has_digits",
    "have_same_reading",
    "have_same_value",
    "may_be_same",
    "pair",
    "pair_with_parts",
]

_ONE = Fraction(1)
_IN_PARTS, _AND = re.compile("/|分[のノ之]"), re.compile("[ -]|[と又]")


def have_same_value(one: Number, other: Number) -> bool:
    """Whether two numbers are worth the same, one of them certainly a number."""
    if one.value != other.value or not (one.certain or other.certain):
        return False
    # "$1.00" is no article.
    return one.value != _ONE or not (_is_decimal(one) or _is_decimal(other)) or has_digits(one) is has_digits(other)


def may_be_same(one: Number, other: Number) -> bool:
    """Whether two numbers correspond; the fourth of them is no 4 here."""
    same_kind = one.ordinal is other.ordinal
    return (same_kind and (have_same_value(one, other) or have_same_reading(one, other))) or are_pairs(one, other)


def _is_decimal(number: Number) -> bool:
    return "." in number.text or "," in number.text


def are_same_ordinal(one: Number, other: Number) -> bool:
    """Whether both are ordinals, of the same value."""
    return one.ordinal and other.ordinal and (one.value == other.value or _share_reading(one, other))


def are_pairs(one: Number, other: Number) -> bool:
    """Whether both are words for two that belong together."""
    return one.pair and other.pair


def have_same_reading(one: Number, other: Number) -> bool:
    """Whether two numbers, one of them certain, have a value in common that their writing may have."""
    return (one.certain or other.certain) and _share_reading(one, other)


def _share_reading(one: Number, other: Number) -> bool:
    return (
        one.value in other.alternatives
        or other.value in one.alternatives
        or not set(one.alternatives).isdisjoint(other.alternatives)
    )


def pair(
    left: list[Number],
    right: list[Number],
    correspond: Callable[[Number, Number], bool],
    *,
    both_certain: bool = False,
) -> None:
    """Take corresponding numbers out of both lists."""
    kept: list[Number] = []
    for one in left:
        for index, other in enumerate(right):
            if (not both_certain or (one.certain and other.certain)) and correspond(one, other):
                del right[index]
                break
        else:
            kept.append(one)
    left[:] = kept


def pair_with_parts(left: list[Number], right: list[Number], *, writes_ones: bool = False) -> None:
    """Take out a number of one side that the other side writes as two.

    "2 and a half hours" may be "deux heures et demie" (2 + 1/2), and "3/4" may be "3 von 4" (3, 4).
    """
    # 5/4 is not one and a quarter to anyone who writes it so.
    for number in [n for n in left if n.certain and n.value.denominator != 1 and not _is_improper(n)]:
        found = _find_parts(number.value, right, writes_ones=writes_ones)
        if found is not None:
            left.remove(number)
            for part in found:
                right.remove(part)


def _is_improper(number: Number) -> bool:
    """Whether it is written as so many parts though it is more than one: 5/4, 4分の5."""
    return number.value > 1 and _IN_PARTS.search(number.text) is not None and _AND.search(number.text) is None


def _find_parts(value: Fraction, numbers: list[Number], *, writes_ones: bool) -> list[Number] | None:
    if value < 1:
        wanted = {Fraction(value.numerator), Fraction(value.denominator)}
        if not writes_ones:
            wanted.discard(_ONE)
        # "Twice" is no part of a half.
        found = [next((n for n in numbers if n.value == part and not n.factor and "/" not in n.text), None)
                 for part in wanted]  # fmt: skip
    else:
        part = next((n for n in numbers if n.value == value % 1), None)
        whole = next((n for n in numbers if n.value == value // 1), None)
        # "a minute and a half" is 1.5, and its one is an article.
        article = value // 1 == 1 and part is not None and not has_digits(part)
        found = [part] if whole is None and article else [part, whole]
    return None if None in found else [n for n in found if n is not None]


def has_digits(number: Number) -> bool:
    """Whether a number is written in digits of any script."""
    return any(character.isdigit() for character in number.text)
