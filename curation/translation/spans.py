r"""What must survive translation: calculator marks, LaTeX, equations, amounts of money, code.

A translation model sees a *stand-in* for each such span and the span is put back into what it wrote. The
stand-in is a plain number, for an equation its own result: "Natalia sold 48/2 = <<48/2=24>>24 clips" is
translated as "Natalia sold 24 clips". Models copy short numbers more dependably than invented markers
(``<x1>``, ``__EQ__``), which NLLB mangles, and the sentence keeps its grammar: a number still stands
where a number stood, with its plural.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

__all__ = ["Protected", "Span", "has_words", "missing", "protect", "restore"]

# The pieces give nothing back once they matched (possessive quantifiers), no character can be read by two of
# them, and what may fail after reading far is bounded: a text is searched in time proportional to its length.
# Only Latin letters and digits continue a term: in Japanese, Chinese and Bengali words touch numbers.
_START, _END = r"(?<![A-Za-z\d_.,])", r"(?![A-Za-z\d_])"
_NUMBER = r"(?:\d++(?:,\d{3}(?!\d))*+(?:\.\d++)?+|\.\d++)"
# "x" is a multiplication sign only between two numbers.
_FACTORS = rf"(?:x(?=\d){_NUMBER})*+{_END}"
_CURRENCY = r"[$€£¥₹]"
_MARK = r"<<[^<>\n]*+>>"
_MONEY = rf"(?:{_CURRENCY}\s?+)?+"
_OPEN = r"[-−]?+(?:\({1,8}+[-−]?+)?+"
_CLOSE = rf"(?:\){{1,8}}+{_END})?+"
_PERCENT = rf"(?:%{_END})?+"
_LETTER = rf"(?<![A-Za-z])[a-zA-Z]{_END}"
_COEFFICIENT = rf"\d++[a-z]{_END}"
_AMOUNT = rf"{_MONEY}(?:{_MARK}{_MONEY})?+(?:{_NUMBER}{_FACTORS}{_PERCENT}|{_LETTER})"
_TERM = rf"{_OPEN}(?>{_COEFFICIENT}|{_AMOUNT}){_CLOSE}"
# "-" without spaces is a range ("5-10 minutes"), but not beside an equals sign.
_OPERATOR = r"(?>\s*+[+*×÷·/^]\s*+|\s++[-−–x]\s++)"
_TIGHT_OPERATOR = r"(?>\s*+[-+*×÷·/^−–]\s*+|\s++x\s++)"
# A side is read again from each of its terms where no equals sign follows: hence at most 24 operators.
_SIDE = rf"{_TERM}(?:{_TIGHT_OPERATOR}{_TERM}){{0,24}}+"
_EQUATION = rf"{_SIDE}(?:\s*+[=≈]\s*+{_SIDE})++"
# Without an equals sign, letters are words ("a", "I") and 1/2 is a number.
_PLAIN_TERM = rf"{_OPEN}{_MONEY}{_NUMBER}{_FACTORS}{_PERCENT}{_CLOSE}"
# A product without spaces ("2x3") is an expression of one term.
_EXPRESSION = rf"{_PLAIN_TERM}(?:{_OPERATOR}{_PLAIN_TERM})++|{_OPEN}{_MONEY}{_NUMBER}(?=x\d){_FACTORS}"
_LATEX = (
    # A bracket after two backslashes is a line break's ("\\[2pt]"), and display mathematics does not nest.
    r"\$\$.+?\$\$|(?<!\\)\\\[(?>[^\\]++|\\[^\[\]])++\\\]|(?<!\\)\\\((?>[^\\]++|\\[^()])++\\\)"
    # A dollar sign opens LaTeX only when what it encloses looks like LaTeX, and closes none before an amount:
    # "$5 and $6" is money, and so is "$5 each makes 2*5=$<<2*5=10>>10".
    r"|\$(?=[^$\n]*[\\^_{=])[^$\n]*?[^\s$\\]\$(?!\d|<<)"
    r"|\\(?:boxed|frac|dfrac|tfrac|sqrt|text|mathrm)(?:\{(?>[^{}]++|\{[^{}]*+\})*+\})++"
)
_CODE = r"```.+?```|`[^`\n]++`"
_SPAN = re.compile(
    rf"{_CODE}|{_LATEX}|{_START}(?:{_EQUATION}|{_EXPRESSION})"
    rf"|{_MONEY}{_MARK}{_MONEY}(?:{_NUMBER})?+|{_CURRENCY}\s?+{_NUMBER}",
    re.DOTALL,
)
_FRACTION = re.compile(r"\d+/\d+")
_NUMBERS = re.compile(_NUMBER)
# A number in a hypothesis: any script's digits, grouped by commas, points, spaces or apostrophes.
_WRITTEN = re.compile(r"\d++(?:[.,'’ \u00a0\u202f]\d{3}(?!\d))*+(?:[.,]\d++)?+")
_GAP = re.compile("['’ \u00a0\u202f]")
_WORDS = re.compile(r"[^\W\d_]")
# Models miscopy long numbers, so a longer result is no stand-in. Numbers so long that Decimal would round them
# (28 digits) equal no stand-in and are not read.
_LONGEST_STAND_IN = 9
_LONGEST_WRITTEN = 28
_DEFAULT = Decimal(12)


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
    """Replace every span by its stand-in. Stand-ins differ from one another and from the text's numbers.

    A stand-in that would melt into a neighbouring number ("$5 $600" as "5 600") takes the neighbour into its
    span. What is returned always comes back: ``restore(protected.text, protected.spans) == (text, ())``; a text
    for which no stand-ins do that is left unprotected.
    """
    places = [match.span() for match in _SPAN.finditer(text) if not _FRACTION.fullmatch(match[0].strip())]
    if not places:
        return Protected(text, ())
    # Most often every span's own result will do, which is quicker to try than to prove.
    protected = _replace(text, places, _results(text, places))
    if _comes_back(protected, text):
        return protected
    for first in (True, False, False):
        protected = _replace(text, places, _distinct(text, places))
        if _comes_back(protected, text):
            return protected
        # The next stand-ins may melt where these do not. Three digits melt with whatever any number melts with.
        places = _merge(protected if first else _replace(text, places, [Decimal(100)] * len(places)), places)
    return Protected(text, ())


def _comes_back(protected: Protected, text: str) -> bool:
    return restore(protected.text, protected.spans) == (text, ())


def _outside(text: str, places: list[tuple[int, int]]) -> list[str]:
    edges = [(0, 0), *places, (len(text), len(text))]
    return [text[end:start] for (_, end), (start, _) in pairwise(edges)]


def _replace(text: str, places: list[tuple[int, int]], stand_ins: Iterable[Decimal]) -> Protected:
    outside = _outside(text, places)
    pieces, spans = [outside[0]], []
    for (start, end), value, part in zip(places, stand_ins, outside[1:], strict=True):
        spans.append(Span(text[start:end], format(value, "f")))
        pieces += [spans[-1].stand_in, part]
    return Protected("".join(pieces), tuple(spans))


def _results(text: str, places: list[tuple[int, int]]) -> list[Decimal]:
    return [_result(text[start:end]) for start, end in places]


def _result(span: str) -> Decimal:
    """The last number of a span, an equation's result; a small number where there is none, or a long one."""
    numbers = _NUMBERS.findall(span)
    digits = numbers[-1].replace(",", "") if numbers else ""
    if not digits or len(digits) > _LONGEST_WRITTEN:
        return _DEFAULT
    value = Decimal(digits).normalize()
    return value if len(format(value, "f")) <= _LONGEST_STAND_IN else _DEFAULT


def _distinct(text: str, places: list[tuple[int, int]]) -> Iterator[Decimal]:
    """The spans' results, each raised until no number outside the spans and no value before can be read as it."""
    read: set[Decimal] = set()
    for part in _outside(text, places):
        read.update(*map(_readings, _WRITTEN.findall(part)))
    chosen: set[Decimal] = set()
    onward: dict[Decimal, Decimal] = {}
    for wanted in _results(text, places):
        value, passed = wanted, []
        while value in read or not _readings(format(value, "f")).isdisjoint(chosen):
            passed.append(value)
            # Plural rules look at the last two digits, so another hundred keeps the sentence's grammar.
            value = onward.get(value, value + 100)
        # Who comes this way again jumps over the numbers that are taken.
        onward.update(dict.fromkeys(passed, value))
        chosen.add(value)
        read |= _readings(format(value, "f"))
        yield value


def _merge(protected: Protected, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The places of the spans, grown over the digits that their stand-ins melt into, those that meet as one."""
    numbers = [match.span() for match in _WRITTEN.finditer(protected.text)]
    merged: list[tuple[int, int]] = []
    number = offset = before = 0
    # Nothing follows the last span, and no number is longer than its text.
    following = [start for start, _ in places[1:]] + [places[-1][1] + len(protected.text)]
    for span, (start, end), after in zip(protected.spans, places, following, strict=True):
        first = start + offset
        last = first + len(span.stand_in)
        offset = last - end
        # A stand-in begins and ends with digits, and every digit is part of a number.
        while numbers[number][1] <= first:
            number += 1
        low = max(start - (first - numbers[number][0]), before)
        while numbers[number][1] < last:
            number += 1
        high = min(end + (numbers[number][1] - last), after)
        if merged and low <= merged[-1][1]:
            low = merged.pop()[0]
        merged.append((low, high))
        before = end
    return merged


def restore(hypothesis: str, spans: tuple[Span, ...]) -> tuple[str, tuple[Span, ...]]:
    """Put the spans back.

    Returns:
        The text, and the spans that are lost: their stand-in is not there, or is there more than once.
    """
    written: dict[Decimal, list[tuple[int, int]]] = {}
    for match in _WRITTEN.finditer(hypothesis):
        for value in _readings(match[0]):
            written.setdefault(value, []).append(match.span())
    places: dict[tuple[int, int], str] = {}
    lost = []
    for span in spans:
        found = written.get(Decimal(span.stand_in), [])
        if len(found) == 1 and found[0] not in places:
            places[found[0]] = span.text
        else:
            lost.append(span)
    pieces, last = [], 0
    for (start, end), text in sorted(places.items()):
        pieces += [hypothesis[last:start], text]
        last = end
    return "".join([*pieces, hypothesis[last:]]), tuple(lost)


def missing(hypothesis: str, spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """The spans that a text does not hold letter for letter, white space aside."""
    rest = re.sub(r"\s", "", hypothesis)
    wanted: dict[str, list[Span]] = {}
    for span in spans:
        wanted.setdefault(re.sub(r"\s", "", span.text), []).append(span)
    lost = []
    # A long span may hold a short one.
    for text in sorted(wanted, key=len, reverse=True):
        found = min(rest.count(text), len(wanted[text]))
        rest = rest.replace(text, "\n", found)
        lost += wanted[text][found:]
    return tuple(lost)


def has_words(text: str) -> bool:
    """Whether anything is left to translate once the spans are taken out."""
    return bool(_WORDS.search(_SPAN.sub(" ", text)))


def _readings(written: str) -> set[Decimal]:
    """The values that a written number may have: its last separator may group digits or mark the decimals."""
    if len(written) > _LONGEST_WRITTEN:
        return set()
    if written.isdecimal():
        return {Decimal(written)}
    compact = _GAP.sub("", written)
    at = max(compact.rfind("."), compact.rfind(","))
    if at < 0:
        return {Decimal(compact)}
    whole, separator, decimals = compact[:at], compact[at], compact[at + 1 :]
    digits = whole.replace(".", "").replace(",", "")
    values = set()
    if separator not in whole:
        values.add(Decimal(f"{digits}.{decimals}"))
    if len(decimals) == 3 and len(whole) - len(digits) == whole.count(separator) and not digits.startswith("0"):
        values.add(Decimal(digits + decimals))
    return values
