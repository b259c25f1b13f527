"""Numerals of Chinese and Japanese: 二百五十, 3万5千, 二〇二四."""

import re
from fractions import Fraction
from functools import lru_cache

from mcot.core.numbers.digits import exact, read_digits

__all__ = [
    "NUMERALS",
    "SPOKEN_DECIMAL",
    "ideographs_pattern",
    "is_numeral",
    "read_elided",
    "read_ideographs",
    "read_spoken_decimal",
]

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "两": 2, "兩": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9}
_DIGITS |= {"壱": 1, "弐": 2}
_SMALL = {"十": 10, "百": 100, "千": 1000, "佰": 100, "仟": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12}
NUMERALS = "".join([*_DIGITS, *_SMALL, *_LARGE])
# Beyond this a run of numerals is no number.
_LONGEST = 40
_NUMBER = r"[0-9]+(?:[.,][0-9]+)*"
# 千克, 千米, 千瓦 are units: 3千克 is 3 kilograms.
_THOUSAND = "千(?![克米瓦卡焦赫])"
# 一共, 一起, 一样 ("in all", "together", "alike") begin with a one that counts nothing.
_ONE = "一(?![共起样樣直些般定旦边邊切])"
_NUMERAL = f"(?:[{NUMERALS.replace('千', '').replace('一', '')}]|{_ONE}|{_THOUSAND})"
_SCALE = f"(?:[十百佰仟{''.join(_LARGE)}]|{_THOUSAND})"
# 三点五 is 3.5, and 三点五分 and 下午三点五十 are times of day. Chinese only: Japanese counts points by 点.
SPOKEN_DECIMAL = (
    f"(?<![午晚晨上天])[{NUMERALS}]{{1,8}}点[{''.join(_DIGITS)}]{{1,4}}(?![{NUMERALS}0-9]|分(?!之)|钟|刻|半|整|多|点)"
)
_TOKEN = re.compile(rf"{_NUMBER}|[{NUMERALS}]")


def ideographs_pattern() -> str:
    """A regular expression, without groups, of a run of numerals, or of digits with a scale (3万)."""
    return rf"(?:{_NUMBER}[ ]?{_SCALE}(?:{_NUMERAL}|[0-9])*|{_NUMERAL}+)"


def is_numeral(text: str) -> bool:
    """Whether a text is made of numerals only."""
    return all(character in NUMERALS for character in text)


@lru_cache(maxsize=65536)
def read_ideographs(text: str, language: str) -> tuple[Fraction, bool] | None:
    """The value of a run, and whether it surely is a number; None if it is none.

    Not sure are one numeral (it depends on what follows) and runs like 两三 ("two or three").
    """
    if len(text) > _LONGEST:
        return None
    if all(character in _DIGITS for character in text):
        if len(text) == 1:
            return exact(_DIGITS[text], 1), False
        positional = int("".join(str(_DIGITS[character]) for character in text))
        return exact(positional, 1), "〇" in text or "零" in text or len(text) > 2
    total = section = current = Fraction(0)
    seen = False
    for token in _TOKEN.findall(text):
        if token in _DIGITS:
            current, seen = Fraction(_DIGITS[token]), True
        elif token in _SMALL:
            section += (current if seen else 1) * _SMALL[token]
            current, seen = Fraction(0), False
        elif token in _LARGE:
            part = section + current
            total += (part or 1) * _LARGE[token]
            section = current = Fraction(0)
            seen = False
        else:
            readings = read_digits(token, language)
            if len(readings) != 1:
                return None
            current, seen = readings[0][0], True
    return exact(*(total + section + current).as_integer_ratio()), len(text) > 1


def read_elided(text: str) -> Fraction | None:
    """The value of a run of Chinese numerals that ends without its last scale: 一万五 is 15,000; None for others."""
    if len(text) < 2 or text[-1] not in _DIGITS or not _DIGITS[text[-1]]:
        return None
    scale = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}.get(text[-2])
    whole = read_ideographs(text[:-1], "zh") if scale else None
    return whole[0] + Fraction(_DIGITS[text[-1]] * scale, 10) if scale and whole else None


def read_spoken_decimal(text: str) -> Fraction:
    """The value of what `SPOKEN_DECIMAL` finds: 3.5 of 三点五."""
    whole, _, decimals = text.partition("点")
    read = read_ideographs(whole, "zh")
    value = read[0] if read is not None else Fraction(0)
    return value + Fraction(int("".join(str(_DIGITS[one]) for one in decimals)), 10 ** len(decimals))
