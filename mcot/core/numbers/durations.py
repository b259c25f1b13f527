"""A part of an hour is so many minutes, a part of a year so many months: "half an hour", 半年, полчаса."""

import re

from mcot.core.numbers.context import Part

__all__ = ["consider_duration"]

_MINUTES = 60
_MONTHS = 12
# What stands between a number and the hour or the year, and these, as words begin or are written together.
_UNITS: dict[str, tuple[str, str, str]] = {
    "en": (r"[ -](?:an? |of an? |the )?", r"hours?\b", r"years?\b"),
    "sw": (r" (?:ya |la |wa )?", r"\b(?:saa|lisaa|masaa)\b", r"\b(?:mwaka|miaka)\b"),
    "bn": (r"[ ]?", r"ঘ[ণন]্টা", r"(?:বছর|বৎসর)"),
    "te": (r"[ ]?", r"గంట", r"(?:సంవత్సర|ఏడాది|ఏళ్)"),
    "th": (r"[ ]?", r"(?:ชั่วโมง|ชม\.)", r"ปี"),
    "ja": (r"[ ]?", r"時間", r"年(?!生)"),
    "zh": (r"[ ]?[个個]?", r"(?:小时|小時|钟头|鐘頭|刻[钟鐘])", r"年(?!级)"),
    "ru": (r"[ ]?", r"час(?:а|ов)?(?![а-яё])", r"(?:год(?:а|у)?|лет)(?![а-яё])"),
    "es": (r" (?:de )?(?:la )?", r"horas?\b", r"años?\b"),
    "fr": (r"[ -](?:d['’])?", r"heures?\b", r"(?:ans?|années?)\b"),
    "de": (r"[ -]?", r"stunden?\b", r"jahr(?:e|es|en)?\b"),
}
_AFTER = {code: tuple(re.compile(between + unit) for unit in units) for code, (between, *units) in _UNITS.items()}
_INSIDE = {code: tuple(map(re.compile, units)) for code, (_, *units) in _UNITS.items()}
# "hora y media", "saa moja na nusu": more than one of them may have its unit before it.
_BEFORE = {"en": 14, "es": 7, "th": 9, "sw": 7}


def consider_duration(plain: str, part: Part, language: str) -> None:
    """Add to a number that is not whole the minutes or the months that it says.

    Args:
        plain: the text in lower case.
        part: the number; half an hour has 30 as another value then.
    """
    start = max(0, part.start - _BEFORE.get(language, 0)) if part.value > 1 else part.start
    for times, after, inside in zip((_MINUTES, _MONTHS), _AFTER[language], _INSIDE[language], strict=True):
        value = part.value * times
        if value.denominator == 1 and (after.match(plain, part.end) or inside.search(plain, start, part.end)):
            part.alternatives = (*part.alternatives, value)
            return
