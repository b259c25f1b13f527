"""The signs of arithmetic in a text: operators of any script, in LaTeX and in words, and what ends an equation."""

import re
from functools import cache
from typing import Literal, NamedTuple

from mcot.core.languages import get_language

__all__ = ["CURRENCIES", "Sign", "find_signs", "undress"]

Kind = Literal["operator", "word", "parenthesis", "stop"]
CURRENCIES = "$€£¥₹৳฿₽₩¢"

# LaTeX's \frac{a}{b} becomes ((a)/(b)) in as many characters: one of these stands for ")/(" and "))".
_BAR, _BAR_END = "\ue000", "\ue001"
_ZEROS = (0x09E6, 0x0C66, 0x0E50, 0xFF10)
_PLAIN = {zero + value: str(value) for zero in _ZEROS for value in range(10)}
_PLAIN |= dict.fromkeys(map(ord, "×✕✖⨯·⋅∙∗＊"), "*") | dict.fromkeys(map(ord, "÷／∕⁄"), "/")
_PLAIN |= dict.fromkeys(map(ord, "−–－﹣"), "-") | dict.fromkeys(map(ord, "＝≈≃≅"), "=")
_PLAIN |= {ord(wide): narrow for wide, narrow in zip("＋（）［］［］％＄．：хХX", "+()()()%$.:xxx", strict=True)}
_PLAIN |= {ord("["): "(", ord("]"): ")"}

_FRAC = re.compile(r"\\[dtc]?frac\s*\{([^{}]*)\}\{([^{}]*)\}")
_COMMANDS = {"times": "*", "cdot": "*", "div": "/", "approx": "=", "left": "", "right": "", "quad": "", "$": "$"}
_COMMANDS |= {"%": "%", ",": "", " ": "", "!": "", "text": "", "mbox": "", "mathrm": "", "textbf": "", "boxed": ""}
_COMMAND = re.compile(r"\\(" + "|".join(map(re.escape, _COMMANDS)) + r")(?![a-z])")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[^{}]*\}")
_LATEX_GROUP = re.compile(r"\{,\}(\d+)")
_BRACES = str.maketrans("{}&", "() ")

# Between two numbers only: "3 mal 4". Dictionaries' words for the four operations in school arithmetic.
_WORDS: dict[str, dict[str, str]] = {
    "en": {"*": "times|multiplied by", "/": "divided by", "+": "plus|added to", "-": "minus"},
    "sw": {"*": "mara|kuzidisha kwa|zidisha kwa", "/": "kugawanya kwa|gawanya kwa", "+": "jumlisha", "-": "toa|kutoa"},
    "bn": {"*": "গুণ|গুণন", "/": "ভাগ", "+": "যোগ|প্লাস", "-": "বিয়োগ|মাইনাস"},
    "te": {"*": "సార్లు|గుణించగా|ఇంటూ", "/": "భాగించగా", "+": "కూడగా|ప్లస్", "-": "మైనస్"},
    "th": {"*": "คูณด้วย|คูณ", "/": "หารด้วย|หาร", "+": "บวก", "-": "ลบ"},
    "ja": {"*": "かける|掛ける", "/": "割る|わる", "+": "足す|たす", "-": "引く|ひく"},
    "zh": {"*": "乘以|乘", "/": "除以", "+": "加上|加", "-": "减去|减"},
    "ru": {"*": "умножить на|умноженное на", "/": "разделить на|делить на", "+": "плюс", "-": "минус"},
    "es": {"*": "por|veces|multiplicado por", "/": "dividido por|dividido entre|entre", "+": "más", "-": "menos"},
    "fr": {"*": "fois|multiplié par", "/": "divisé par", "+": "plus", "-": "moins"},
    "de": {"*": "mal|multipliziert mit", "/": "geteilt durch|durch", "+": "plus", "-": "minus"},
}
# Between a share and its whole, or the other way round: "60% of 10", "10の60%".
_OF = {
    "en": "of the|of", "sw": "ya|za|wa|la|kwa", "bn": "-?এর", "te": "లో|యొక్క", "th": "ของ", "ja": "の", "zh": "的",
    "ru": "от|из", "es": "de los|de las|de", "fr": "des|de", "de": "von den|von der|von|der",
}  # fmt: skip


class Sign(NamedTuple):
    """A sign and where it stands.

    Attributes:
        kind: `word` for an operator in words, which alone makes no expression; `stop` for the end of a clause.
        text: ``+ - * / ^ = of ( )``; anything for a stop.
    """

    kind: Kind
    text: str
    start: int
    end: int


def undress(text: str) -> str:
    """The text with plain digits, plain signs and no LaTeX, every character in its place."""
    if not text.isascii() or "[" in text or "X" in text:
        text = text.translate(_PLAIN)
    if "\\" in text:
        text = _ENVIRONMENT.sub(lambda match: " " * len(match[0]), text)
        text = _FRAC.sub(_plain_fraction, text)
        text = _COMMAND.sub(lambda match: _COMMANDS[match[1]].ljust(len(match[0])), text)
        text = _LATEX_GROUP.sub(lambda match: f",{match[1]}  ", text).translate(_BRACES)
    return text


def _plain_fraction(match: re.Match[str]) -> str:
    """As many characters, and the numbers where they were."""
    head = match.start(1) - match.start()
    return f"{'(('.ljust(head)}{match[1]}{_BAR} {match[2]}{_BAR_END}"


@cache
def _pattern(language: str) -> re.Pattern[str]:
    get_language(language)
    named = {"+": "plus", "-": "minus", "*": "star", "/": "stroke"}
    table = {named[sign]: words for sign, words in _WORDS[language].items()} | {"of": _OF[language]}
    words = "|".join(f"(?P<{name}>{either})" for name, either in table.items())
    # A colon divides in the schools of most languages, but not of English; 7:50 is a time.
    colon = r"(?P<colon>(?<=\d ):(?= \d[\d.,]*%?[ ]?[=+*/])|(?<=\d):(?=(?![0-5]\d(?!\d))\d[\d.,]* ?=))|"
    colon = "" if language == "en" else colon
    return re.compile(
        rf"{colon}(?P<stop>=>|->|!=|[<>]=?|[;,](?!\d)|[.!?:](?=\s)(?![ ]+[-=+*/x])|[。！？，、；।]|\n(?!\s*=)|\\\\)"
        r"|(?P<operator>==?|\*\*?|[+/^—-])|(?P<open>\()|(?P<close>\))"
        rf"|(?P<bar>{_BAR})|(?P<end>{_BAR_END})"
        # No letter of a word, which Cyrillic's х is the last of: "в 2 неделях 2*7".
        r"|(?<![^\W\d_])(?P<x>x)(?![^\W\d_])"
        rf"|(?:(?<=[\d%)])|(?<=[\d%)] ))(?:{words})(?=\s?[{CURRENCIES}(]*\s?\d)",
        re.IGNORECASE,
    )


_SPELLED = {"**": "^", "—": "-"}
_WORD_SIGNS = {"plus": "+", "minus": "-", "star": "*", "stroke": "/", "of": "of"}
_NUMBER_FOLLOWS = re.compile(rf"\s*(?:[{CURRENCIES}(]|US\$|Rs\.?)*\s*\.?\d")
_OPERAND_ENDS = re.compile(rf"(?:[\d)%{CURRENCIES}]|\d ?[^\W\d_]{{1,12}})\s*$")


def find_signs(plain: str, language: str) -> list[Sign]:
    """The signs of an undressed text, in order; hyphens, bullets, Markdown, "/" of rates and the variable x aside."""
    signs: list[Sign] = []
    for match in _pattern(language).finditer(plain):
        start, end = match.span()
        match match.lastgroup:
            case "operator" if _is_operator(plain, match[0], start, end):
                signs.append(Sign("operator", _SPELLED.get(match[0], match[0][0]), start, end))
            case "colon":
                signs.append(Sign("operator", "/", start, end))
            case "x" if _NUMBER_FOLLOWS.match(plain, end) and _OPERAND_ENDS.search(plain, max(0, start - 20), start):
                signs.append(Sign("operator", "*", start, end))
            case "open":
                if _is_factor(plain, start):
                    signs.append(Sign("operator", "*", start, start))
                signs.append(Sign("parenthesis", "(", start, end))
            case "bar":
                signs += [Sign("parenthesis", ")", start, end), Sign("operator", "/", start, end)]
                signs.append(Sign("parenthesis", "(", start, end))
            case "close" | "end" as group:
                signs += [Sign("parenthesis", ")", start, end)] * (2 if group == "end" else 1)
            case "stop" if match[0] != "\n" or not _goes_on(plain, signs, start):
                signs.append(Sign("stop", match[0], start, end))
            case "plus" | "minus" | "star" | "stroke" | "of" as group:
                signs.append(Sign("word", _WORD_SIGNS[group], start, end))
    return signs


def _goes_on(plain: str, signs: list[Sign], start: int) -> bool:
    """Whether a line ends in an equals sign."""
    return bool(signs) and signs[-1].text == "=" and not plain[signs[-1].end : start].strip()


def _is_factor(plain: str, start: int) -> bool:
    """Whether a parenthesis right behind a number multiplies: "2(3 + 4)", and not "in 2010(3 + 4 in May)"."""
    if not plain[start - 1 : start].isdigit():
        return False
    close = plain.find(")", start, start + 60)
    inside, after = (plain[start + 1 : close], plain[close + 1 : close + 3].strip()) if close > 0 else ("", "")
    if any(character.isalpha() for character in inside):
        return False
    return any(sign in inside for sign in "+-*/") or (inside.isdigit() and after[:1] in tuple("+-*/="))


def _is_operator(plain: str, sign: str, start: int, end: int) -> bool:
    """Whether a sign is one of arithmetic here."""
    before, after = plain[start - 1 : start] if start else "\n", plain[end : end + 1] or "\n"
    if sign[0] in "=^":
        return True
    if sign == "**":
        return before.isdigit() and after.isdigit()
    line_start = not plain[max(0, start - 6) : start].rpartition("\n")[2].strip() and (
        start < 6 or "\n" in plain[start - 6 : start]
    )
    if line_start and after.isspace():
        return False
    if sign == "/":
        return not after.isalpha() and not (after.isspace() and plain[end : end + 2][1:].isalpha() and before.isalpha())
    # Dashes between words, and long ones before a word, are punctuation: "3 часа — это 3 * 60", "3 hours - that is".
    beside = plain[max(0, start - 8) : start].rstrip()[-1:]
    if sign == "—" and beside.isalpha():
        # "на второй — 1/2 * 5000".
        return False
    if sign in "-—" and not _NUMBER_FOLLOWS.match(plain, end) and (sign == "—" or beside.isalpha()):
        return False
    if sign in "-+" and not before.isspace():
        # A hyphen: "5-year-old", "apples-and", "5+ years".
        return bool(_NUMBER_FOLLOWS.match(plain, end)) and (not before.isalpha() or after.isspace())
    return True
