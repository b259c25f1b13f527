"""Numbers written in digits: separators by language and by context, fractions."""

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

__all__ = ["DIGITS", "FRACTION_SIGNS", "digits_pattern", "exact", "read_digits"]

# No word problem's number is longer; Python itself refuses to read one of more than 4300 digits.
_LONGEST = 60
# CLDR: where the comma marks decimals, points and spaces group digits; in the others the comma groups.
_COMMA_DECIMAL = frozenset({"ru", "es", "fr", "de"})

FRACTION_SIGNS: dict[str, Fraction] = {
    sign: Fraction(unicodedata.numeric(sign)).limit_denominator(10) for sign in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒"
}
_SIGNS = "".join(FRACTION_SIGNS)
# A fraction stands alone; in an equation (48/2=24, 3 * 1/2) the stroke divides.
_FRACTION = (
    r"(?<![\d.,/=+*×÷<>−^])(?<![=+*×÷/<−-] )(?:\d{1,4}[ \xa0-])?\d{1,4}/\d{1,4}"
    r"(?![\d/]|[.,]\d|\)?[ \xa0]?[=+*×÷/<>−^]|[ \xa0]-[ \xa0]\d)"
)
_PLAIN = r"[0-9]+(?:[.,'][0-9]+)*"
_GROUPED = r"(?<![\d.,])[1-9][0-9]{0,2}(?:%s[0-9]{3})+(?![0-9])(?:[.,][0-9]+)?"
# Elsewhere a plain space groups digits where nothing else makes sense: 1 650 000, 50 000, but not 5 100.
_SPACED = r"(?<![\d.,])(?<!\d )[1-9][0-9]{0,2}(?:(?: [0-9]{3}){2,}| 000)(?![.,]?[0-9])(?! [0-9]{3}(?![0-9]))"
DIGITS = rf"(?:[0-9]+[ ]?[{_SIGNS}]|[{_SIGNS}]|{_PLAIN}|(?<![A-Za-zก-ฮ0-9.,)…])\.[0-9]+)"

_MIXED = re.compile(r"(?:(\d+)[ \xa0-])?(\d+)/(\d+)")
_INDIAN = re.compile(r"[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3}(?:\.[0-9]+)?")
_SPACES = str.maketrans("", "", " \xa0'")


@lru_cache(maxsize=65536)
def exact(numerator: int, denominator: int) -> Fraction:
    """A value, as the one object that stands for it: equal values are compared fast where they are the same."""
    return Fraction(numerator, denominator)


# What follows the time of day in languages that write it with a point: 13.30 น., 13.30 Uhr.
_CLOCKS = {"th": r"(?:น\.|นาฬิกา)", "de": "uhr"}

# Values of one token: usually one; several where the token is a list ("1,2,3") or a date.
Readings = tuple[tuple[Fraction, tuple[Fraction, ...]], ...]


def digits_pattern(language: str) -> str:
    """A regular expression, without groups, of a number in ASCII digits.

    Plain spaces group digits where the comma marks decimals, elsewhere thousands of thousands and round thousands;
    no-break ones (U+00A0) do everywhere.
    """
    clock = rf"[0-9]{{1,2}}(?=\.[0-9]{{2}}[ \xa0]?{_CLOCKS[language]})|" if language in _CLOCKS else ""
    grouped = _GROUPED % r"[ \xa0]" if language in _COMMA_DECIMAL else rf"{_GROUPED}|{_SPACED}" % r"\xa0"
    return rf"(?:{clock}{_FRACTION}|{grouped}|{DIGITS})"


@lru_cache(maxsize=65536)
def read_digits(token: str, language: str) -> Readings:
    """The values of a token of `digits_pattern`, each with its other possible values."""
    if len(token) > _LONGEST:
        return ()
    if token.isdecimal():
        return ((exact(int(token), 1), ()),)
    if "/" in token:
        return _read_fraction(token)
    sign = FRACTION_SIGNS.get(token[-1])
    if sign is not None:
        whole = token[:-1].strip()
        return (((Fraction(int(whole)) if whole else Fraction(0)) + sign, ()),)
    return _read_separated(token, language)


def _read_fraction(token: str) -> Readings:
    match = _MIXED.fullmatch(token)
    if match is None:
        return ()
    whole, top, bottom = match[1], int(match[2]), int(match[3])
    if bottom == 0:
        return tuple((Fraction(int(part)), ()) for part in re.findall(r"\d+", token))
    value = exact(*Fraction(top, bottom).as_integer_ratio())
    if whole is None:
        return ((value, ()),)
    # "2 1/2" is one number, "in 2010 30/40" is two.
    return ((int(whole) + value, ()),) if top < bottom else ((Fraction(int(whole)), ()), (value, ()))


def _read_separated(token: str, language: str) -> Readings:
    groups = token.split("'")
    if len(groups) > 1 and not all(len(group.split(".")[0].split(",")[0]) == 3 for group in groups[1:]):
        return tuple(reading for group in groups for reading in read_digits(group, language))
    token = token.translate(_SPACES)
    marks = re.findall(r"[.,]", token)
    if not marks:
        return ((exact(int(token), 1), ()),)
    if token[0] == ".":
        return ((_decimal("0" + token), ()),)
    if len(set(marks)) == 2:
        grouping, decimal = marks[0], marks[-1]
        if marks.count(decimal) == 1 and _is_grouped(token.split(decimal)[0], grouping):
            return ((_decimal(token.replace(grouping, "").replace(decimal, ".")), ()),)
        return _read_list(token)
    if len(marks) > 1 and _is_grouped(token, marks[0]):
        return ((exact(int(token.replace(marks[0], "")), 1), ()),)
    if len(marks) > 1:
        return _read_list(token)
    return _read_one_mark(token, marks[0], language)


def _decimal(text: str) -> Fraction:
    return exact(*Fraction(text).as_integer_ratio())


def _is_grouped(whole: str, mark: str) -> bool:
    """Whether digits are grouped by threes, or the Indian way (1,00,000)."""
    first, *rest = whole.split(mark)
    if all(len(group) == 3 for group in rest) and 1 <= len(first) <= 3:
        return True
    return mark == "," and bool(_INDIAN.fullmatch(whole))


def _read_list(token: str) -> Readings:
    return tuple((Fraction(int(part)), ()) for part in re.split(r"[.,]", token))


def _read_one_mark(token: str, mark: str, language: str) -> Readings:
    whole, rest = token.split(mark)
    decimal = _decimal(f"{whole}.{rest}")
    if len(rest) != 3 or len(whole) > 3 or whole[0] == "0":
        return ((decimal, ()),)
    grouped = exact(int(whole + rest), 1)
    # Three digits after a mark: a group where the mark groups, else decimals; people mix them up.
    groups = (mark == ".") == (language in _COMMA_DECIMAL)
    if groups:
        return ((grouped, (decimal,) if rest != "000" else ()),)
    return ((decimal, (grouped,)),)
