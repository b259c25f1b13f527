"""Times of day that a translation says in words: 7:30 is 七点半, "siete y media", "halb acht", "половина восьмого"."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from mcot.core.numbers.number import Number

__all__ = ["take_out_clocks"]

_HOURS, _MINUTES = 12, 60
_HALF = Fraction(1, 2)
# The Swahili day begins at six: 7:30 is "saa moja na nusu".
_SWAHILI = 6
# Where half of the eighth hour is half past seven.
_OF_NEXT_HOUR = frozenset({"de", "ru"})
_PAST, _TO = frozenset({" past ", " after "}), frozenset({" to ", " till ", " before "})


class _Time(NamedTuple):
    """A time of day in the source, and the numbers that say it."""

    hour: Fraction
    minute: Fraction
    hour_number: Number
    minute_number: Number


def take_out_clocks(
    left: list[Number], right: list[Number], source: Sequence[Number], translation: Sequence[Number],
    text: str, language: str,
) -> None:  # fmt: skip
    """Take out of both lists times of day that source and translation say in different ways.

    Args:
        left, right: what is unmatched in source and translation.
        source, translation: all numbers.
        text: the source.
        language: the translation's.
    """
    for time in _times(source, text):
        has_minute, has_hour = time.minute_number not in left, time.hour_number not in left
        if has_minute and has_hour:
            continue
        for said in _ways_to_say(time.hour, time.minute, language):
            # The half and the hour itself may be matched already; the one after it, which "halb acht" says, is not.
            minutes = translation if has_minute and said[0] == time.minute_number.value else right
            hours = translation if has_hour and (said[-1] - time.hour_number.value) % (_HOURS // 2) == 0 else right
            found = _find(said, minutes, hours)
            if found is not None:
                left[:] = [number for number in left if number not in (time.hour_number, time.minute_number)]
                right[:] = [number for number in right if number not in found]
                break


def _times(source: Sequence[Number], text: str) -> Iterator[_Time]:
    """The times of an English text: 7:30, half past seven, a quarter to eight."""
    for one, other in pairwise(source):
        between = text[one.end : other.start]
        if between == ":" and 0 < other.value < _MINUTES:
            yield _Time(one.value, other.value, one, other)
        elif between in _PAST and one.value <= _HALF:
            yield _Time(other.value, one.value * _MINUTES, other, one)
        elif between in _TO and one.value <= _HALF:
            yield _Time(other.value - 1, _MINUTES - one.value * _MINUTES, other, one)


def _ways_to_say(hour: Fraction, minute: Fraction, language: str) -> Iterator[tuple[Fraction, ...]]:
    """The numbers that a time may be said with; the hour comes last."""
    # By the clock of 12 hours, of 24, and by the Swahili one.
    hours = [hour, hour - _HOURS, hour + _HOURS]
    if language == "sw":
        counted = (hour - _SWAHILI) % _HOURS
        hours = list(dict.fromkeys((*hours, counted, counted or Fraction(_HOURS))))
    part = minute / _MINUTES
    # In digits; ten to eight.
    yield from ((minute, each) for each in hours)
    yield from ((_MINUTES - minute, each + 1) for each in hours)
    if part.denominator not in (2, 4):
        return
    # 7.5: "sept heures et demie", সাড়ে সাতটা; a quarter to eight.
    yield from ((each + part,) for each in hours)
    if part > _HALF:
        yield from ((1 - part, each + 1) for each in hours)
    if language in _OF_NEXT_HOUR:
        # A part of the eighth hour; of quarters, the German before it is three, the Russian any.
        if part >= _HALF or language == "ru":
            yield from ((part, each + 1) for each in hours)
        if part == _HALF or language == "ru":
            return
    # Seven and a half: 七点半, "Viertel nach sieben".
    yield from ((part, each) for each in hours)


def _find(said: Sequence[Fraction], minutes: Sequence[Number], hours: Sequence[Number]) -> list[Number] | None:
    """The numbers of the translation that say a time: first the part of an hour, last the hour."""
    found: list[Number] = []
    for place, value in enumerate(said):
        number = next((n for n in (hours if place else minutes) if n.value == value), None)
        if number is None:
            return None
        found.append(number)
    return found
