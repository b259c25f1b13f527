"""Numbers that a translation has worked out: a product, a part of what was named before."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from mcot.core.numbers.number import Number

__all__ = ["highest_ordinal", "take_out_worked_out"]

# A relay of "4 by 400 meters" is one of 1600; a board of "2 x 4" is none.
_BY = re.compile(r"[ -](?:by|x|×)[ -]")
_LENGTH = re.compile(r"[ -]?(?:m\b|met|yard|yd)", re.IGNORECASE)


def take_out_worked_out(left: list[Number], right: list[Number], source: Sequence[Number], text: str) -> None:
    """Take out of both lists what the translation has worked out.

    "half as long" after "2 hours" may be "1 hour", "4 by 400 meters" 1600 meters.

    Args:
        left, right: what is unmatched in source and translation.
        source: all numbers of the source.
        text: what they were read from.
    """
    _take_out_products(left, right, source, text)
    _take_out_shares(left, right, source)


def _take_out_products(left: list[Number], right: list[Number], source: Sequence[Number], text: str) -> None:
    for one, other in pairwise(source):
        if not _BY.fullmatch(text, one.end, other.start) or not _LENGTH.match(text, other.end):
            continue
        factors = [n for value in (one.value, other.value) for n in left if n.value == value][:2]
        product = next((n for n in right if n.value == one.value * other.value), None)
        if product is not None and {n.value for n in factors} == {one.value, other.value}:
            right.remove(product)
            for factor in factors:
                left.remove(factor)


def _take_out_shares(left: list[Number], right: list[Number], source: Sequence[Number]) -> None:
    """One fraction of the source in whose place the translation has so much of a number that was named before."""
    missed = [n for n in left if n.certain and n.value != 1]
    if len(missed) != 1 or missed[0].value > 1:
        return
    added = [n for n in right if n.certain and not n.factor and n.value.denominator == 1 and "/" not in n.text]
    if len(added) != 1:
        return
    fraction = missed[0]
    shares: set[Fraction] = {n.value * fraction.value for n in source if n.certain and n.end <= fraction.start}
    if added[0].value in shares:
        left.remove(fraction)
        right.remove(added[0])


def highest_ordinal(source: Sequence[Number]) -> Fraction | None:
    """How many things the source goes through one by one: 3 where it has "the third"."""
    return max((value for n in source if n.ordinal for value in (n.value, *n.alternatives) if value > 1), default=None)
