"""Hours and years in parts, or as so many minutes and months: "half an hour", 半年, "1 h 30"."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

from mcot.core.numbers.context import Part
from mcot.core.numbers.lexicon import load_lexicon
from mcot.core.numbers.number import Number

__all__ = ["consider_duration", "take_out_durations"]

_MINUTES = 60
# How many of something a unit has.
_SMALLER = (("hour", _MINUTES), ("year", 12))
# "hora y media", "saa moja na nusu": more than one of them may have its unit before it.
_BEFORE = {"en": 14, "es": 7, "th": 9, "sw": 7}
# What may stand between "1 h" and "30", in any language.
_AND = "(?:,|and|y|et|und|и|na|మరియు|এবং|与|又|と)"
_WIDEST_HOURS = 20


def consider_duration(plain: str, part: Part, language: str) -> None:
    """Add to a number that is not whole the minutes or the months that it says.

    Args:
        plain: the text in lower case.
        part: the number; half an hour has 30 as another value then.
    """
    start = max(0, part.start - _BEFORE.get(language, 0)) if part.value > 1 else part.start
    for times, after, inside in _unit_patterns(language):
        value = part.value * times
        if value.denominator == 1 and (after.match(plain, part.end) or inside.search(plain, start, part.end)):
            part.alternatives = (*part.alternatives, value)
            return


@cache
def _unit_patterns(language: str) -> list[tuple[int, re.Pattern[str], re.Pattern[str]]]:
    """For each unit how many smaller ones it has, and what finds it after a number and within one: полчаса."""
    lexicon = load_lexicon(language)
    return [
        (times, re.compile(f"{lexicon.before_unit}(?:{names})"), re.compile(names))
        for times, names in ((times, lexicon.units[unit]) for unit, times in _SMALLER)
    ]


def take_out_durations(
    left: list[Number], right: list[Number], source: Sequence[Number], translation: Sequence[Number],
    texts: tuple[str, str], language: str,
) -> None:  # fmt: skip
    """Take out of both lists durations that one side says in hours and the other in hours and minutes, or in minutes.

    Args:
        left, right: what is unmatched in source and translation.
        source, translation: all numbers.
        texts: what they were read from.
        language: the translation's.
    """
    _take_out_minutes(left, right, translation, texts[1], _hours_before_minutes(language))
    _take_out_minutes(right, left, source, texts[0], _hours_before_minutes("en"))


@cache
def _hours_before_minutes(language: str) -> re.Pattern[str]:
    """What stands between the hours and the minutes of "1 h 30", "1 hour and 30 minutes", 1小时30分."""
    return re.compile(rf"\s?(?:{load_lexicon(language).units['hour']})[^\s\d,]*\s?{_AND}?\s?", re.IGNORECASE)


def _take_out_minutes(
    ones: list[Number], others: list[Number], numbers: Sequence[Number], text: str, between: re.Pattern[str]
) -> None:
    for hours, minutes in pairwise(numbers):
        if minutes.start - hours.end > _WIDEST_HOURS or not between.fullmatch(text, hours.end, minutes.start):
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
