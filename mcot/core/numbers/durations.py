"""Hours and years in parts, which are so many minutes and months: "half an hour", 半年."""

import re
from functools import cache

from mcot.core.numbers.context import Part
from mcot.core.numbers.lexicon import load_lexicon

__all__ = ["consider_duration"]

# How many of something a unit has.
_SMALLER = (("hour", 60), ("year", 12))
# "hora y media", "saa moja na nusu": more than one of them may have its unit before it.
_BEFORE = {"en": 14, "es": 7, "th": 9, "sw": 7}


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
