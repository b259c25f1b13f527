"""Numbers that one side says in two units and the other in one: "1 h 30" and 90 minutes, $2.50 and 2ドル50セント."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from mcot.core.numbers.grammar import GRAMMARS
from mcot.core.numbers.lexicon import load_lexicon
from mcot.core.numbers.number import Number

__all__ = ["take_out_compounds"]

# A unit, a smaller one, how many of that it has, and whether the smaller one is always named: "1 h 30" is, "$2 50" is
# two numbers.
_UNITS = (("hour", "minute", 60, False), ("dollar", "cent", 100, True), ("year", "month", 12, True))
# What may stand between the two, in any language.
_AND = "(?:,|and|y|con|et|und|и|na|మరియు|এবং|আর|ও|และ|กับ|与|和|又|零|と)"
_WIDEST = 24


class _Compound(NamedTuple):
    """Two units, in a language.

    Attributes:
        parts: how many of the smaller one the greater one has.
        between: what stands between the two numbers.
        after: what stands behind the second one.
    """

    parts: int
    between: re.Pattern[str]
    after: re.Pattern[str]


def take_out_compounds(
    left: list[Number], right: list[Number], source: Sequence[Number], translation: Sequence[Number],
    texts: tuple[str, str], language: str,
) -> None:  # fmt: skip
    """Take out of both lists what one side says in one unit and the other in two.

    Args:
        left, right: what is unmatched in source and translation.
        source, translation: all numbers.
        texts: what they were read from.
        language: the translation's.
    """
    _take_out(left, right, translation, texts[1], language)
    _take_out(right, left, source, texts[0], "en")


@cache
def _compounds(language: str) -> list[_Compound]:
    units, unit_first = load_lexicon(language).units, GRAMMARS[language].unit_first
    found = []
    for unit, part, parts, named in _UNITS:
        greater, smaller = (rf"(?:{units[name]})[^\s\d,]*" for name in (unit, part))
        joined = rf"{greater}\s?{_AND}?" + (f"|{_AND}" if named else "")
        between, after = (
            (rf"\s?{_AND}?\s?{smaller}\s", "") if unit_first
            else (rf"\s?(?:{joined})\s?", rf"[\s-]?{smaller}" if named else "")
        )  # fmt: skip
        found.append(_Compound(parts, re.compile(between, re.IGNORECASE), re.compile(after, re.IGNORECASE)))
    return found


def _take_out(ones: list[Number], others: list[Number], numbers: Sequence[Number], text: str, language: str) -> None:
    for first, second in pairwise(numbers):
        if second.start - first.end > _WIDEST or second not in others:
            continue
        for parts, between, after in _compounds(language):
            if (
                second.value < parts
                and between.fullmatch(text, first.end, second.start)
                and after.match(text, second.end)
            ):
                _take_out_sum(ones, others, first, second, parts)
                break


def _take_out_sum(ones: list[Number], others: list[Number], first: Number, second: Number, parts: int) -> None:
    part = second.value / parts
    whole = first.value + part
    same = next((n for n in ones if n.certain and n.value in (whole, whole * parts)), None)
    if same is not None and first in others:
        others.remove(first)
    elif same is None or first.value == 1:
        # "an hour and a half": the 1 is an article's, or both sides have it.
        same = same or next((n for n in ones if n.certain and n.value == part), None)
    else:
        same = None
    if same is not None:
        ones.remove(same)
        others.remove(second)
