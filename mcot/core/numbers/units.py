"""What a number counts, as far as it is a unit that every language has: hours, dollars, percent."""

import re
from functools import cache

from mcot.core.numbers.grammar import GRAMMARS
from mcot.core.numbers.lexicon import load_lexicon
from mcot.core.numbers.number import Number

__all__ = ["unit_of"]

_PERCENT = re.compile(r"[ \xa0]?[%٪]")
_DOLLARS_AFTER = re.compile(r"[ \xa0]?(?:US)?\$")
_DOLLARS_BEFORE = re.compile(r"\$[ \xa0]?$")
_REACH = 10


def unit_of(number: Number, text: str, language: str) -> str | None:
    """The unit that a number in a text counts, by its English name; None if it counts something else."""
    if _PERCENT.match(text, number.end):
        return "percent"
    if _DOLLARS_BEFORE.search(text, max(0, number.start - 2), number.start) or _DOLLARS_AFTER.match(text, number.end):
        return "dollar"
    pattern = _pattern(language)
    if GRAMMARS[language].unit_first:
        match = pattern.search(text, max(0, number.start - _REACH), number.start)
    else:
        match = pattern.match(text, number.end)
    return match.lastgroup if match else None


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """Finds a unit after a number or, where units come first, before one; its group is the unit's English name."""
    # The longest name first: a kilometer is no meter where words aren't separated.
    units = sorted(load_lexicon(language).units.items(), key=lambda unit: -max(map(len, unit[1].split("|"))))
    names = "|".join(f"(?P<{unit}>{named})" for unit, named in units)
    spaced = rf"\b(?:{names})[ \xa0]$" if GRAMMARS[language].unit_first else rf"[ \xa0-]{{0,2}}(?:{names})"
    return re.compile(spaced, re.IGNORECASE)
