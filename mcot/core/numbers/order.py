"""Two numbers that changed places: the same values, but each where the other was."""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from mcot.core.numbers.digits import exact
from mcot.core.numbers.number import Number

__all__ = ["Swap", "find_swap", "find_swap_by_neighbours"]

# The two numbers of the source that changed places.
Swap = tuple[Number, Number]

_ONE = exact(1, 1)
_SENTENCE_END = re.compile(r"[.!?]['\")»”]?(?=\s)|[。！？।॥]|\n")
_LAST_MARKS = " \n.!?。！？।॥"
_WORD = re.compile(r"[a-z]+")
# Words that stand around any number.
_COMMON = frozenset(
    ("a", "an", "and", "as", "at", "by", "each", "for", "from", "has", "he", "in", "is", "it", "of", "on", "she", "the")
)
_REACH = 24


def find_swap(
    source: Sequence[Number], translation: Sequence[Number], source_text: str, text: str, *, same_order: bool
) -> Swap | None:
    """Two numbers that a translation has in each other's place, as far as another order of clauses can't explain it.

    Sentences keep their order in translation; what is in them need not. So two numbers are swapped if each
    stands in the other's sentence and all else where it was; in a language that orders its clauses as English
    does, also if just these two have changed places, across a third number that stayed.

    Args:
        source_text, text: what the numbers were read from.
        same_order: whether the language orders clauses as English does.

    Returns:
        None if there is none, or the values are not the same on both sides, so that order can't be compared.
    """
    one, other = _in_question(source), _in_question(translation)
    values, others = [n.value for n in one], [n.value for n in other]
    if values == others or len(values) != len(others):
        return None
    # The same objects, nearly always; fractions are slow to compare.
    if sorted(map(id, values)) != sorted(map(id, others)) and Counter(values) != Counter(others):
        return None
    differing = [place for place, (a, b) in enumerate(zip(values, others, strict=True)) if a != b]
    if same_order and len(differing) == 2 and differing[1] - differing[0] > 1:
        return one[differing[0]], one[differing[1]]
    ends, other_ends = _sentence_ends(source_text), _sentence_ends(text)
    if not ends or len(ends) != len(other_ends):
        return None
    moved = Counter(_in_sentences(one, ends))
    moved.subtract(_in_sentences(other, other_ends))
    gone = [key for key, count in moved.items() for _ in range(count)]
    come = [key for key, count in moved.items() for _ in range(-count)]
    if len(gone) != 2 or {(gone[0][0], gone[1][1]), (gone[1][0], gone[0][1])} != set(come):
        return None
    first, second = (next(n for n, at in zip(one, _in_sentences(one, ends), strict=True) if at == key) for key in gone)
    return first, second


def find_swap_by_neighbours(
    source: Sequence[Number], back: Sequence[Number], source_text: str, back_text: str
) -> Swap | None:
    """Two numbers that stand among each other's words in a back-translation.

    Returns:
        None if there are none, or more has changed than two places.
    """
    one, other = _in_question(source), _in_question(back)
    values, others = [n.value for n in one], [n.value for n in other]
    if values == others or len(values) != len(others):
        return None
    differing = [place for place, (a, b) in enumerate(zip(values, others, strict=True)) if a != b]
    if len(differing) != 2:
        return None
    i, j = differing
    if values[i] != others[j] or values[j] != others[i]:
        return None
    here = [_neighbours(one[place], source_text) for place in (i, j)]
    there = [_neighbours(other[place], back_text) for place in (i, j)]
    # Where clauses changed places their words did too, and each number still has its own.
    stayed = len(here[0] & there[0]) + len(here[1] & there[1])
    went_along = len(here[0] & there[1]) + len(here[1] & there[0])
    return (one[i], one[j]) if stayed > went_along else None


def _in_question(numbers: Sequence[Number]) -> list[Number]:
    """Those whose order can be compared: a 1 comes and goes with the language."""
    return [n for n in numbers if n.certain and n.value is not _ONE]


def _sentence_ends(text: str) -> list[int]:
    return [match.start() for match in _SENTENCE_END.finditer(text.rstrip(_LAST_MARKS))]


def _in_sentences(numbers: Sequence[Number], ends: Sequence[int]) -> list[tuple[Fraction, int]]:
    found, sentence = [], 0
    for number in numbers:
        while sentence < len(ends) and ends[sentence] < number.start:
            sentence += 1
        found.append((number.value, sentence))
    return found


def _neighbours(number: Number, text: str) -> set[str]:
    """The nearest telling word on either side of a number."""
    before, after = (
        [word for word in _WORD.findall(stretch.lower()) if word not in _COMMON]
        for stretch in (text[max(0, number.start - _REACH) : number.start], text[number.end : number.end + _REACH])
    )
    return {*before[-1:], *after[:1]}
