"""Numbers that a translation says in another way: a product or a part worked out, a time in other units."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from mcot.core.numbers.number import Number

__all__ = ["highest_ordinal", "take_out_times", "take_out_worked_out"]

_MINUTES = 60
# A relay of "4 by 400 meters" is one of 1600; a board of "2 x 4" is none.
_BY = re.compile(r"[ -](?:by|x|×)[ -]")
_LENGTH = re.compile(r"[ -]?(?:m\b|met|yard|yd)", re.IGNORECASE)
# Between the hours and the minutes of "1 h 30", "1 hour and 30 minutes", "1小时30分".
_HOURS = re.compile(
    r"[\s\xa0]?(?:h|hours?|heures?|std\.?|stunden?|小时|小時|個?時間|ч\.?|час(?:а|ов)?|horas?|ঘ[ণন]্টা|గంటల?|ชั่วโมง|ชม\.)"
    r"[\s\xa0]?(?:,|and|y|et|und|и|na|మరియు|এবং|与|又|と)?[\s\xa0]?",
    re.IGNORECASE,
)
_WIDEST_HOURS = 20


def take_out_times(
    left: list[Number], right: list[Number], source: Sequence[Number], translation: Sequence[Number],
    texts: tuple[str, str],
) -> None:  # fmt: skip
    """Take out of both lists times that one side says in hours and the other in hours and minutes, or in minutes.

    Args:
        left, right: what is unmatched in source and translation.
        source, translation: all numbers.
        texts: what they were read from.
    """
    _take_out_minutes(left, right, translation, texts[1])
    _take_out_minutes(right, left, source, texts[0])


def _take_out_minutes(ones: list[Number], others: list[Number], numbers: Sequence[Number], text: str) -> None:
    for hours, minutes in pairwise(numbers):
        if minutes.start - hours.end > _WIDEST_HOURS or not _HOURS.fullmatch(text, hours.end, minutes.start):
            continue
        if minutes not in others or minutes.value >= _MINUTES:
            continue
        part = minutes.value / _MINUTES
        whole = hours.value + part
        same = next((n for n in ones if n.certain and n.value in (whole, whole * _MINUTES)), None)
        if same is not None and hours in others:
            others.remove(hours)
        elif same is None or hours.value == 1:
            # "an hour and a half": the 1 is an article's, or both sides have it.
            same = same or next((n for n in ones if n.certain and n.value == part), None)
        else:
            same = None
        if same is not None:
            ones.remove(same)
            others.remove(minutes)


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
