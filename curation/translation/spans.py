r"""What must survive translation: calculator marks, LaTeX, equations, amounts of money, code.

A translation model sees a *stand-in* for each such span and the span is put back into what it wrote. The
stand-in is a plain number, for an equation its own result: "Natalia sold 48/2 = <<48/2=24>>24 clips" is
translated as "Natalia sold 24 clips". Models copy short numbers more dependably than invented markers
(``<x1>``, ``__EQ__``), which NLLB mangles, and the sentence keeps its grammar: a number still stands
where a number stood, with its plural.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

__all__ = ["Protected", "Span", "has_words", "missing", "protect", "restore"]

_NUMBER = r"(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)"
_CURRENCY = r"[$€£¥₹]"
_MARK = r"<<[^<>\n]*>>"
_LETTER = r"(?<![A-Za-z])[a-zA-Z](?![A-Za-z])"
_MONEY = rf"(?:{_CURRENCY}\s?)?"
_OPERAND = rf"[-−]?\(*[-−]?{_MONEY}(?:{_MARK})?{_MONEY}(?:{_NUMBER}%?|{_LETTER})\)*"
_COEFFICIENT = r"(?:\d+[a-z](?![A-Za-z]))"
_TERM = rf"(?:[-−]?\(*{_COEFFICIENT}\)*|{_OPERAND})"
# "x" is a multiplication sign only between two numbers; "-" without spaces is a range ("5-10 minutes").
_OPERATOR = r"(?:\s*[+*×÷·/^]\s*|\s+[-−–x]\s+|(?<=\d)x(?=\d))"
_TIGHT_OPERATOR = r"(?:\s*[-+*×÷·/^−–]\s*|\s+x\s+|(?<=\d)x(?=\d))"
_EQUATION = rf"{_TERM}(?:{_TIGHT_OPERATOR}{_TERM})*(?:\s*[=≈]\s*{_TERM}(?:{_TIGHT_OPERATOR}{_TERM})*)+"
# Without an equals sign, letters are words ("a", "I") and 1/2 is a number.
_PLAIN_TERM = rf"[-−]?\(*{_MONEY}{_NUMBER}%?\)*"
_EXPRESSION = rf"{_PLAIN_TERM}(?:{_OPERATOR}{_PLAIN_TERM})+"
_LATEX = (
    r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)"
    # A dollar sign opens LaTeX only when what it encloses looks like LaTeX: "$5 and $6" is money.
    r"|\$(?=[^$\n]*[\\^_{=])[^$\n]*?[^\s$\\]\$(?!\d)"
    r"|\\(?:boxed|frac|dfrac|tfrac|sqrt|text|mathrm)(?:\{(?:[^{}]|\{[^{}]*\})*\})+"
)
_CODE = r"```.+?```|`[^`\n]+`"
# Only Latin letters and digits continue a term: in Japanese, Chinese and Bengali words touch numbers.
_START, _END = r"(?<![A-Za-z\d_.,])", r"(?![A-Za-z\d_])"
_SPAN = re.compile(
    rf"(?:{_CODE})|(?:{_LATEX})|{_START}(?:{_EQUATION}){_END}|{_START}(?:{_EXPRESSION}){_END}"
    rf"|{_MONEY}{_MARK}{_MONEY}(?:{_NUMBER})?|{_CURRENCY}\s?{_NUMBER}",
    re.DOTALL,
)
_FRACTION = re.compile(r"\d+/\d+")
_LAST_NUMBER = re.compile(rf"({_NUMBER})%?\D*$")
# A number in a hypothesis: any script's digits, grouped by commas, points, spaces or apostrophes.
_WRITTEN = re.compile(r"\d+(?:[.,'’ \u00a0\u202f]\d{3})*(?:[.,]\d+)?")
_WORDS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that translation must not change, and the number that stands in for it."""

    text: str
    stand_in: str


@dataclass(frozen=True, slots=True)
class Protected:
    """A text with stand-ins, and the spans that they stand for, in order."""

    text: str
    spans: tuple[Span, ...]


def protect(text: str) -> Protected:
    """Replace every span by its stand-in. Stand-ins differ from one another and from the text's numbers."""
    matches = [match for match in _SPAN.finditer(text) if not _FRACTION.fullmatch(match[0].strip())]
    if not matches:
        return Protected(text, ())
    outside, last = [], 0
    for match in matches:
        outside.append(text[last : match.start()])
        last = match.end()
    outside.append(text[last:])
    taken = {value for part in outside for written in _WRITTEN.findall(part) for value in _readings(written)}
    spans = []
    for match in matches:
        stand_in = _stand_in(match[0], taken)
        taken.add(Decimal(stand_in))
        spans.append(Span(match[0], stand_in))
    pieces = [outside[0]]
    for span, part in zip(spans, outside[1:], strict=True):
        pieces += [span.stand_in, part]
    return Protected("".join(pieces), tuple(spans))


def _stand_in(span: str, taken: set[Decimal]) -> str:
    number = _LAST_NUMBER.search(span)
    value = Decimal(number[1].replace(",", "")) if number else Decimal(12)
    # Plural rules look at the last two digits, so another hundred keeps the sentence's grammar.
    while value in taken:
        value += 100
    return format(value.normalize(), "f")


def restore(hypothesis: str, spans: tuple[Span, ...]) -> tuple[str, tuple[Span, ...]]:
    """Put the spans back.

    Returns:
        The text, and the spans that are lost: their stand-in is not there, or is there more than once.
    """
    written = [(match, _readings(match[0])) for match in _WRITTEN.finditer(hypothesis)]
    places: dict[int, tuple[int, str]] = {}
    lost = []
    for span in spans:
        found = [match for match, values in written if Decimal(span.stand_in) in values]
        if len(found) == 1 and found[0].start() not in places:
            places[found[0].start()] = (found[0].end(), span.text)
        else:
            lost.append(span)
    for start in sorted(places, reverse=True):
        end, text = places[start]
        hypothesis = hypothesis[:start] + text + hypothesis[end:]
    return hypothesis, tuple(lost)


def missing(hypothesis: str, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans that a text does not hold letter for letter, white space aside."""
    rest = re.sub(r"\s", "", hypothesis)
    lost = []
    for span in sorted(spans, key=lambda span: -len(span.text)):
        text = re.sub(r"\s", "", span.text)
        if text in rest:
            rest = rest.replace(text, "\n", 1)
        else:
            lost.append(span)
    return tuple(lost)


def has_words(text: str) -> bool:
    """Whether anything is left to translate once the spans are taken out."""
    return bool(_WORDS.search(_SPAN.sub(" ", text)))


def _readings(written: str) -> set[Decimal]:
    """The values that a written number may have: its separators may group digits or mark the decimals."""
    compact = re.sub(r"['’ \u00a0\u202f]", "", written)
    candidates = {re.sub(r"[.,]", "", compact), compact.replace(",", ""), compact.replace(".", "").replace(",", ".")}
    values = set()
    for candidate in candidates:
        try:
            values.add(Decimal(candidate))
        except InvalidOperation:
            continue
    return values
