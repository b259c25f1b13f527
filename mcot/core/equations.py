r"""The arithmetic that a solution writes down: ``find_equations("48/2 = <<48/2=24>>24", "en")`` is one, 48/2 = 24.

Read are signs of any script (``× ÷ − ＝``), LaTeX, operators in words between two numbers ("3 mal 4 = 12"), units
("5 apples * 3 = 15 apples"), shares ("60% of 10 = 6") and native digits, by the language's separators. What leads
up to an equals sign in prose ("Half of 12 = 6", "Total = 6") is no arithmetic: only its right side is kept.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from typing import NamedTuple

from mcot.core.equation_signs import CURRENCIES, Sign, find_signs, undress
from mcot.core.equation_values import Operand, Term, holds, same_terms, split_sides
from mcot.core.numbers import Number, read_numbers

__all__ = ["Equation", "find_equations"]

# Characters between an operand and the operator behind it ("2 bolts of blue fiber +") or before it ("= a total of 15").
_WIDEST_UNIT, _WIDEST_LEAD = 60, 40
_MARK = re.compile(r"<<[^<>\n]{0,200}>>")
_FRACTION = re.compile(r"(\d+)/(\d+)")
_DECIMALS = re.compile(r"[.,](\d+)$")
_DIGITAL = re.compile(r"[\d.½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒]")
_PERCENT = re.compile(r" ?%")
# What may stand between operators and operands that no equals sign shows to be arithmetic.
_TIGHT = re.compile(rf"[\s{CURRENCIES}%()\ue000\ue001]*")
# Letters or functions that take part in the arithmetic: it can't be held against its result.
_VARIABLE = re.compile(
    r"\\|√|π|\d:\d\d|[\d)]\s?(?![mghslkt])[a-z](?![^\W\d_])"
    r"|(?<![^\W\d_])[a-z]\s*[-+*/=^]|[-+*/=^]\s*[a-z](?![^\W\d_])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation, or an expression without an equals sign.

    Attributes:
        sides: what stands between the equals signs: operands, ``+ - * / ^`` and parentheses. The first is
            empty where it is a phrase or one number ("1 hour = 60 minutes").
        start, end: where it stands in the text, in characters.
        text: as it stands there, without calculator marks.
        holds: exactly, or within the rounding of the digits written; None where that can't be told.
        marked: whether it stands in a calculator mark and not around it too.
    """

    sides: tuple[tuple[Term, ...], ...]
    start: int
    end: int
    text: str
    holds: bool | None = None
    marked: bool = False

    @property
    def weak(self) -> bool:
        """Whether it says no more than a result: "Total = 15"."""
        return len(self.sides) == 2 and not self.sides[0] and len(self.sides[1]) == 1


def find_equations(text: str, language: str) -> list[Equation]:
    """The equations and expressions of a text, in order; none where it holds none.

    A calculator mark whose equation is written out around it too is not given twice. A fraction ("1/2 of them"),
    a range ("5-10 minutes") and operators in words alone ("3 times 4") are no expressions.

    Raises:
        UserError: the language is unknown.
    """
    marks = list(_MARK.finditer(text))
    blanked = _MARK.sub(lambda match: " " * len(match[0]), text) if marks else text
    found = list(_find(blanked, language))
    for mark in marks:
        around = [one for one in found if not one.marked and one.start <= mark.end() and mark.start() <= one.end]
        for inside in _find(mark[0][2:-2], language):
            if not any(_repeats(inside, one) for one in around):
                start, end = mark.start() + 2 + inside.start, mark.start() + 2 + inside.end
                found.append(Equation(inside.sides, start, end, inside.text, inside.holds, marked=True))
    return sorted(found, key=lambda one: one.start) if marks else found


def _repeats(mark: Equation, written: Equation) -> bool:
    """Whether a mark says what is written around it; parentheses and a leading phrase aside."""
    one, other = ([side for side in equation.sides if side] for equation in (mark, written))
    return len(one) == len(other) and all(same_terms(side, its) for side, its in zip(one, other, strict=True))


class _Item(NamedTuple):
    """An operand or a sign, and where it stands."""

    term: Term
    kind: str
    start: int
    end: int


def _find(text: str, language: str) -> Iterator[Equation]:
    plain = undress(text)
    signs = find_signs(plain, language)
    if not any(sign.kind == "operator" for sign in signs) and "/" not in plain:
        return
    numbers = read_numbers(plain, language)
    # In "1列目の21 + 2列目の15" the rows are no operands.
    digital = [number for number in numbers if _DIGITAL.match(number.text) and not number.ordinal]
    spoken = [number for number in numbers if not _DIGITAL.match(number.text) and number.value != 1]
    for is_stop, segment in groupby(_items(plain, digital, signs), key=lambda item: item.kind == "stop"):
        if not is_stop:
            for run in _runs(list(segment)):
                equation = _equation(text, plain, run, spoken)
                if equation is not None:
                    yield equation


def _items(plain: str, numbers: Sequence[Number], signs: Sequence[Sign]) -> list[_Item]:
    """Operands and signs, in order. A fraction comes as two operands and a stroke, as in 1/2 * 3."""
    items: list[_Item] = []
    taken: set[int] = set()
    for number in numbers:
        taken.update(range(number.start, number.end))
        fraction = _FRACTION.fullmatch(number.text)
        if fraction:
            middle = number.start + fraction.end(1)
            items.append(_Item(Operand(Fraction(int(fraction[1]))), "number", number.start, middle))
            items.append(_Item("/", "operator", middle, middle + 1))
            items.append(_Item(Operand(Fraction(int(fraction[2]))), "number", middle + 1, number.end))
            continue
        decimals = _DECIMALS.search(number.text)
        places = 0 if number.value.denominator == 1 else len(decimals[1]) if decimals else None
        share = bool(_PERCENT.match(plain, number.end))
        operand = Operand(number.value, number.alternatives, places, share)
        items.append(_Item(operand, "number", number.start, number.end))
    items += [_Item(sign.text, sign.kind, sign.start, sign.end) for sign in signs if sign.start not in taken]
    # Stable: an operator that a parenthesis implies comes before it.
    items.sort(key=lambda item: item.start)
    for index in range(len(items) - 4, -1, -1):
        mixed = _mixed(plain, items[index : index + 4])
        if mixed is not None:
            items[index : index + 4] = [mixed]
    return [item for index, item in enumerate(items) if item.term != "of" or _joins_share(items, index)]


def _mixed(plain: str, items: Sequence[_Item]) -> _Item | None:
    """The "2 1/2" that four items make; None if they don't."""
    whole, top, stroke, bottom = items
    terms = (whole.term, top.term, bottom.term)
    if stroke.term != "/" or bottom.start - top.end > 1 or plain[whole.end : top.start] not in (" ", " and ", "-"):
        return None
    if not all(isinstance(term, Operand) and term.value.denominator == 1 for term in terms):
        return None
    one, part, parts = (term.value for term in terms if isinstance(term, Operand))
    return _Item(Operand(one + part / parts, (), None), "number", whole.start, bottom.end) if part < parts else None


def _joins_share(items: list[_Item], index: int) -> bool:
    """Whether an "of" stands beside a percentage or fraction: "12 of 20 eggs" is no arithmetic."""
    beside = [item.term for item in (*items[max(0, index - 1) : index], *items[index + 1 : index + 2])]
    strokes = [item.term for item in (*items[max(0, index - 2) : index - 1], *items[index + 2 : index + 3])]
    return "/" in strokes or any(isinstance(term, Operand) and term.share for term in beside)


def _runs(items: list[_Item]) -> Iterator[list[_Item]]:
    """The equations of a clause: operators with the operands next to them.

    Where two operands stand between two operators, nothing joins them and a run ends: "3 * 4 = 12 and 5 + 6 = 11".
    """
    run: list[_Item] = []
    gap: list[_Item] = []
    left: _Item | None = None
    for item in items:
        if item.kind not in ("operator", "word"):
            gap.append(item)
            continue
        before, after = _divide(gap, left, item)
        if after is None:
            run += before
        else:
            if left is not None:
                yield run + before
            run = after
        run.append(item)
        gap, left = [], item
    if left is not None:
        yield run + _divide(gap, left, None)[0]


def _divide(gap: list[_Item], left: _Item | None, right: _Item | None) -> tuple[list[_Item], list[_Item] | None]:
    """What of a gap belongs to the operator before it and, if not all does, to the one after it."""
    places = [index for index, item in enumerate(gap) if item.kind == "number"]
    first, last = (gap[places[0]], gap[places[-1]]) if places else (None, None)
    near_left = left is not None and (first is None or first.start - left.end <= _WIDEST_LEAD)
    near_right = right is not None and (last is None or right.start - last.end <= _WIDEST_UNIT)
    if len(places) <= 1 and near_left and near_right:
        return gap, None
    before: list[_Item] = []
    after: list[_Item] = []
    if near_left:
        end = places[0] + 1 if places else 0
        while end < len(gap) and gap[end].term == ")":
            end += 1
        before = gap[:end]
    if near_right:
        start = places[-1] if places else len(gap)
        while start and gap[start - 1].term == "(":
            start -= 1
        after = gap[start:]
    return before, after


def _equation(text: str, plain: str, run: list[_Item], spoken: Sequence[Number]) -> Equation | None:
    run = _trim(run)
    equals = any(item.term == "=" for item in run)
    count = sum(item.kind == "number" for item in run)
    if not count or not (equals or _is_expression(plain, run, count)):
        return None
    sides = split_sides([item.term for item in run])
    if sides is None:
        return None
    start, end = run[0].start, run[-1].end
    held = holds(sides)
    unknown = _VARIABLE.search(plain, max(0, start - 3), end + 3) or _lacks_operand(plain, run)
    if held is False and (unknown or _is_spoken(start, end, spoken)):
        held = None
    return Equation(sides, start, end, " ".join(text[start:end].split()).lstrip("= "), held)


def _lacks_operand(plain: str, run: list[_Item]) -> bool:
    """Whether words stand where an operand should: "60 - Losses - 2"."""
    beside = [(a, b) for a, b in pairwise(run) if a.kind in ("operator", "word") and b.kind in ("operator", "word")]
    return run[0].term in ("-", "+") or any(re.search(r"[^\W\d_]", plain[a.end : b.start]) for a, b in beside)


def _trim(run: list[_Item]) -> list[_Item]:
    """A run without the operators that nothing follows, or that nothing comes before but as a sign."""
    while run and (run[-1].kind in ("operator", "word") or run[-1].term == "("):
        run = run[:-1]
    while run and run[0].kind in ("operator", "word") and not any(item.term == "=" for item in run):
        run = run[1:]
    return run


def _is_expression(plain: str, run: list[_Item], count: int) -> bool:
    """Whether operators and operands without an equals sign are arithmetic: no range, no fraction, no prose."""
    operators = [item.term for item in run if item.kind == "operator"]
    if count < 2 or not operators or not all(_TIGHT.fullmatch(plain, a.end, b.start) for a, b in pairwise(run)):
        return False
    if run[0].kind in ("operator", "word"):
        return False
    first, last = run[0].term, run[-1].term
    falls = isinstance(first, Operand) and isinstance(last, Operand) and first.value > last.value
    if set(operators) == {"/"}:
        return count == 2 and falls
    if set(operators) == {"-"}:
        return falls and all(plain[item.end].isspace() for item in run if item.kind == "operator")
    return True


def _is_spoken(start: int, end: int, spoken: Sequence[Number]) -> bool:
    """Whether a number in words stands in an equation or leads to it: "half of 12 + 3 = 9"."""
    return any(number.end > start - 12 and number.start < end for number in spoken)
