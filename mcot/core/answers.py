r"""The final answer of a solution, as a canonical number: ``"72"``, ``"0.5"``, ``"1/2"``, ``"-3"``.

A solution states its answer by ``#### 72``, by ``\boxed{72}``, or by its language's phrase ("The answer is 72.").
What is stated need not be a number: a letter of a choice, a root, a pair. Such an answer has no canonical form.
"""

import re
import unicodedata
from fractions import Fraction
from functools import cache
from typing import NamedTuple

from mcot.core.languages import ENGLISH, get_language

__all__ = [
    "Statement",
    "canonical",
    "closing_brace",
    "final_answer",
    "find_statement",
    "has_digit",
    "plain_answer",
    "write_number",
]

# No word problem's number is longer, and reading an endless one takes quadratic time.
_LONGEST = 60
# CLDR: where the comma marks decimals, points and spaces group digits; in the others the comma groups.
_COMMA_DECIMAL = frozenset({"ru", "es", "fr", "de"})
# CLDR's pattern #,##,##0: 1,00,000 is a hundred thousand.
_INDIAN_GROUPS = frozenset({"bn", "te"})
_NO_BREAK = "\u00a0\u2009\u202f"

# English forms that are plain in a language of decimal commas too: 1,234.50; 14.67; 1,234,567; and 80,000 or
# 1,250, as no decimal is written with a last zero at the third place.
_ENGLISH_FORMS = r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|[1-9]\d{0,2},\d{2}0|\d+\.(?!\d{3}(?!\d))\d+|0\.\d+"
_COMMA_NUMBER = rf"(?:{_ENGLISH_FORMS}|(?:\d{{1,3}}(?:[. {_NO_BREAK}]\d{{3}})+|\d+)(?:,\d+)?)"
_POINT_NUMBER = rf"(?:(?:\d{{1,3}}(?:[,{_NO_BREAK}]\d{{3}})+|\d+)(?:\.\d+)?|\.\d+)"
_INDIAN_NUMBER = rf"(?:\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d+)?|{_POINT_NUMBER})"

# Not "dozen": who asks how many dozen gets it as a unit.
_SCALES = {
    "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "百": 100, "千": 10**3, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8,
}  # fmt: skip
# 千 may begin a unit: 5千克 are five kilograms.
_SCALE = re.compile(
    r"\s*(?:(hundred|thousand|million|billion|trillion)s?\b|([百万萬亿億]|千(?![克米瓦卡焦赫])))", re.IGNORECASE
)
# A single letter right behind a number is a unit only if it is one of these; any other is a variable: 5x, 2n.
_LETTER_UNITS = frozenset("mghslL")
_GLUED_LETTERS = re.compile(r"[A-Za-z]+")

_LATEX_REMOVED = re.compile(r"\\(?:left|right|displaystyle|[!()\[\]])|\*\*")
_LATEX_UNIT = re.compile(r"\\(?:text|mbox|mathrm|textbf|mathbf|textrm)\s*\{([^{}]*)\}(?:\^\{?[23]\}?)?")
_LATEX_FRACTION = re.compile(r"(\d?)\s*\\[dtc]?frac\s*(?:\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}|\s?(\d)\s?(\d))")
_LATEX_DEGREE = re.compile(r"\^\s*\{?\s*\\circ\s*\}?|\\degree|\\circ")
_UNIT_POWER = re.compile(r"(?<=[A-Za-z])(?:\^\{?[23]\}?|[²³])")
_LIST = re.compile(r"[,;]\s|\b(?:and|or)\b")
_CHOICE = re.compile(r"\([A-Ea-e]\)")
# What makes an expression of which a number is only a part.
_NO_NUMBER = frozenset("\\^_√π{}")
_CHARACTERS = str.maketrans("−–—⁄，．：＝％", "---/,.:=%")


class Statement(NamedTuple):
    """Where a solution states its answer.

    Attributes:
        text: what is stated, without the mark or phrase: "72", "$18 a day.", "(B)".
        start, end: of mark, phrase and text, in characters of the solution.
    """

    text: str
    start: int
    end: int


def final_answer(rationale: str, language: str, *, lenient: bool = False) -> str | None:
    r"""The answer that a solution states last, in canonical form.

    Args:
        rationale: the solution.
        language: ISO 639-1; ``####``, ``\boxed{}`` and the English phrase are understood in all of them.
        lenient: where nothing is stated, the text's last number will do.

    Returns:
        None if no answer is stated, or if what is stated is not one number.
    """
    statement = find_statement(rationale, language)
    if statement is not None:
        return canonical(statement.text, language)
    if not lenient:
        return None
    text = _ascii_digits(rationale).translate(_CHARACTERS)
    last = _last(_number(language), text)
    if last is None:
        return None
    answer = _render(last, language, 1)
    # Behind an operand, a minus sign subtracts: the last number of "10 - 3" is 3.
    subtracts = text[: last.start()].rstrip().endswith((*"0123456789)]%",))
    return answer.removeprefix("-") if answer and subtracts else answer


def find_statement(rationale: str, language: str) -> Statement | None:
    """The last statement of an answer in a solution; None if there is none."""
    last = _last(_marks(language), rationale)
    if last is None:
        return None
    if last["boxed"]:
        end = closing_brace(rationale, last.end())
        return Statement(rationale[last.end() : end].strip(), last.start(), min(end + 1, len(rationale)))
    match = _STATED.match(rationale, last.end())
    end = match.end() if match else last.end()
    return Statement(rationale[last.end() : end].strip(), last.start(), end)


def canonical(text: str, language: str = ENGLISH.code) -> str | None:
    r"""The canonical form of a number in a text that holds just that number.

    Currency, percent signs and units are dropped: "$1,200.00" is "1200", "50%" is "50", "72." is "72", "1.50" is
    "1.5". Fractions stay fractions, in lowest terms: "2/4" and ``\frac{2}{4}`` are "1/2", "1 1/2" is "3/2". An
    equation has the value of its right side. Digits of any script are understood, and separators as the language
    uses them. `fractions.Fraction` reads every canonical form.

    Returns:
        None if the text is no number (``\sqrt{2}``, "2π", "5x", "(B)"), or more than one ("3:1", "3 and 4").
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST:
        return str(int(text))
    text = plain_answer(text)
    left, equals, right = text.rpartition("=")
    if equals:
        if _LIST.search(left):
            return None
        text = right
    if _CHOICE.search(text) or not _NO_NUMBER.isdisjoint(text):
        return None
    match = _number(language).search(text)
    if match is None or has_digit(text[: match.start()]) or text[: match.start()].endswith("-"):
        return None
    rest, scale = text[match.end() :], 1
    if found := _SCALE.match(rest):
        scale, rest = _SCALES[(found[1] or found[2]).lower()], rest[found.end() :]
    elif (letters := _GLUED_LETTERS.match(rest)) and len(letters[0]) == 1 and letters[0] not in _LETTER_UNITS:
        return None
    return None if has_digit(rest) else _render(match, language, scale)


# A statement goes on to the end of its line, or of the sentence in which its first digit stands: "Rs. 5. Thus".
_STATED = re.compile(r"[ \t]*[^\n\d]*(?:\d[^\n]*?(?:[.!?](?=\s|$)|[。।](?!\d)|(?=\n|$)))?")


@cache
def _marks(language: str) -> re.Pattern[str]:
    """What comes before a statement of the answer."""
    phrases = [r"\b(?:the\s+)?(?:final\s+)?answer\s*(?:is\b\s*:?|:)"]
    if language != ENGLISH.code:
        before = get_language(language).answer_phrase.partition("{answer}")[0].strip()
        words = r"\s*".join(re.escape(word) for word in before.split())
        phrases.insert(0, words.replace(":", "[:：]") if ":" in before else rf"{words}\s*[:：]?")
    return re.compile(rf"####|(?P<boxed>\\boxed\s*\{{)|{'|'.join(phrases)}", re.IGNORECASE)


@cache
def _number(language: str) -> re.Pattern[str]:
    """A signed number: mixed, fraction, or with separators as the language uses them."""
    number = _COMMA_NUMBER if language in _COMMA_DECIMAL else _POINT_NUMBER
    if language in _INDIAN_GROUPS:
        number = _INDIAN_NUMBER
    # Letters other than Latin ones may touch a number: 答えは72です.
    return re.compile(
        r"(?P<sign>(?<![A-Za-z0-9_)\]])(?:-\s?)?)"
        r"(?:(?:(?P<whole>\d+)\s+)?(?P<top>\d+)/(?P<bottom>\d+)(?![\d/]|[.,]\d)"
        rf"|(?P<number>{number})(?!\d|[.,]\d|/\d))"
    )


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    last = None
    for match in pattern.finditer(text):
        last = match
    return last


def _render(match: re.Match[str], language: str, scale: int) -> str | None:
    """A number's canonical form; None if it divides by zero or is longer than any real one."""
    if len(match[0]) > _LONGEST:
        return None
    sign = -1 if "-" in match["sign"] else 1
    if match["top"]:
        if int(match["bottom"]) == 0:
            return None
        value = int(match["whole"] or 0) + Fraction(int(match["top"]), int(match["bottom"]))
        return str(sign * scale * value)
    return write_number(sign * scale * _value(match["number"], language))


def _value(number: str, language: str) -> Fraction:
    """The value of a number written with separators."""
    number = re.sub(rf"[ {_NO_BREAK}]", "", number)
    if language in _COMMA_DECIMAL and not re.fullmatch(_ENGLISH_FORMS, number):
        number = number.replace(".", "").replace(",", ".")
    return Fraction(number.replace(",", ""))


def write_number(value: Fraction) -> str:
    """The canonical form of a value: a decimal without needless zeros, or a fraction where its decimals never end."""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest > 1:
        return str(value)
    places = 0
    while value.denominator != 1:
        value, places = value * 10, places + 1
    digits = str(abs(value.numerator)).zfill(places + 1)
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if value < 0 else text


def plain_answer(text: str) -> str:
    """A statement of an answer without LaTeX, currency and other dress of a number, its digits as 0-9."""
    text = _ascii_digits(text)
    if not text.isascii():
        text = "".join(_fraction_sign(character) for character in text.translate(_CHARACTERS))
    if "\\" in text:
        text = _LATEX_REMOVED.sub("", text.replace(r"\$", "").replace(r"\%", "%"))
        text = _LATEX_DEGREE.sub("°", _LATEX_UNIT.sub(r" \1 ", re.sub(r"\\[,;: ]", " ", text)))
        text = _LATEX_FRACTION.sub(_plain_fraction, text)
        if (boxed := text.find(r"\boxed{")) >= 0:
            text = text[boxed + 7 : closing_brace(text, boxed + 7)]
    else:
        text = text.replace("**", "")
    text = _UNIT_POWER.sub("", text.replace("{,}", ","))
    return "".join(c for c in text if c != "$") if text.isascii() else _without_currency(text)


def _plain_fraction(match: re.Match[str]) -> str:
    whole, top, bottom, short_top, short_bottom = match.groups()
    return f"{whole} {top or short_top}/{bottom or short_bottom}"


def _without_currency(text: str) -> str:
    return "".join(character for character in text if unicodedata.category(character) != "Sc")


def _fraction_sign(character: str) -> str:
    """½ as " 1/2"; any other character as it is."""
    if unicodedata.category(character) != "No" or not unicodedata.decomposition(character).startswith("<fraction>"):
        return character
    return f" {Fraction(unicodedata.numeric(character)).limit_denominator(10)}"


def _ascii_digits(text: str) -> str:
    """A text with the decimal digits of every script as 0-9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def has_digit(text: str) -> bool:
    """Whether a text has a digit of any script."""
    return any(character.isdigit() for character in text)


def closing_brace(text: str, start: int) -> int:
    """Where the brace that was opened before `start` closes; the text's end if it doesn't."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return len(text)
