"""Two numbers that changed places: the same values, but each where the other was."""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations

from mcot.core.numbers.digits import exact
from mcot.core.numbers.number import Number
from mcot.core.numbers.units import unit_of

__all__ = ["Swap", "find_swap", "find_swap_by_neighbours", "in_sentences", "sentence_ends"]

# The two numbers of the source that changed places.
Swap = tuple[Number, Number]

_ONE = exact(1, 1)
# The points of "p. m." and "Mr." end none.
_SENTENCE_END = re.compile(
    r"[.!?。！？।॥\n](?:(?<=[。！？।॥\n])"
    r"|(?<![\s.][A-Za-z]\.)(?<![DMS]r\.)(?<!Mrs\.)(?<!Sra\.)(?<!Mme\.)(?<!Ms\.)['\")»”]?(?=\s))"
)
_LAST_MARKS = " \n.!?。！？।॥"
_WORD = re.compile(r"[a-z]+")
# Words that stand around any number.
_COMMON = frozenset(
    ("a", "an", "and", "as", "at", "by", "each", "for", "from", "has", "he", "in", "is", "it", "of", "on", "she", "the")
)
_REACH = 24
# Comparing all pairs of more numbers than this would take long.
_MANY = 200
# A name, as a text in Latin letters takes it over from another.
_NAME = re.compile(r"(?<![^\W\d_])[A-Z][a-z]{2,}(?![^\W\d_])")


def find_swap(
    source: Sequence[Number],
    translation: Sequence[Number],
    source_text: str,
    text: str,
    language: str,
    *,
    same_order: bool,
) -> Swap | None:
    """Two numbers that a translation has in each other's place, as far as another order of clauses can't explain it.

    Sentences keep their order in translation; what is in them need not. So two numbers are swapped if each
    stands in the other's sentence and all else where it was; in a language that orders its clauses as English
    does, also if just these two have changed places, across a third number that stayed. Side by side they are if
    each has the other's unit ("3 hours for $5": "5 Stunden für 3 $"), or stands with the other's name while the
    names stayed where they were ("Tom has 5 and Anna 8": "Tom hat 8 und Anna 5").

    Args:
        source_text, text: what the numbers were read from.
        language: the translation's.
        same_order: whether it orders clauses as English does.

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
    if len(differing) == 2:
        first, second = one[differing[0]], one[differing[1]]
        if same_order and differing[1] - differing[0] > 1:
            return first, second
        if _is_between_names(first, second, one, other, source_text, text):
            return first, second
    return _swapped_sentences(one, other, source_text, text) or (
        _swapped_units(one, other, source_text, text, language) if len(one) <= _MANY else None
    )


def _swapped_sentences(one: Sequence[Number], other: Sequence[Number], source_text: str, text: str) -> Swap | None:
    ends, other_ends = sentence_ends(source_text), sentence_ends(text)
    if not ends or len(ends) != len(other_ends):
        return None
    theirs = in_sentences(one, ends)
    moved = Counter(theirs)
    moved.subtract(in_sentences(other, other_ends))
    gone = [key for key, count in moved.items() for _ in range(count)]
    come = [key for key, count in moved.items() for _ in range(-count)]
    if len(gone) != 2 or {(gone[0][0], gone[1][1]), (gone[1][0], gone[0][1])} != set(come):
        return None
    first, second = (next(n for n, at in zip(one, theirs, strict=True) if at == key) for key in gone)
    return first, second


def _swapped_units(
    one: Sequence[Number], other: Sequence[Number], source_text: str, text: str, language: str
) -> Swap | None:
    counts = Counter(n.value for n in one)
    places = {n.value: n for n in other}
    # What stands twice may stand anywhere.
    once = [n for n in one if counts[n.value] == 1]
    units = [(n, unit_of(n, source_text, "en"), unit_of(places[n.value], text, language)) for n in once]
    # Ages are said with years in some languages and without them in others.
    moved = [unit for unit in units if unit[1] != unit[2] and not (None in unit and "year" in unit)]
    for first, second in combinations(moved, 2):
        if first[1] == second[2] and first[2] == second[1]:
            return first[0], second[0]
    return None


def _is_between_names(
    first: Number, second: Number, one: Sequence[Number], other: Sequence[Number], source_text: str, text: str
) -> bool:
    """Whether names stand between two numbers and alike around all, in two texts that both have these names."""
    shared = set(_NAME.findall(source_text)) & set(_NAME.findall(text))
    if len(shared) < 2:
        return False
    theirs, ours = (
        sorted([(m.start(), m[0]) for m in _NAME.finditer(side) if m[0] in shared] + [(n.start, "") for n in numbers])
        for numbers, side in ((one, source_text), (other, text))
    )
    between = any(name and first.start < place < second.start for place, name in theirs)
    return between and [name for _, name in theirs] == [name for _, name in ours]


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


def sentence_ends(text: str) -> list[int]:
    """Where the sentences of a text end, but for the last."""
    return [match.start() for match in _SENTENCE_END.finditer(text.rstrip(_LAST_MARKS))]


def in_sentences(numbers: Sequence[Number], ends: Sequence[int]) -> list[tuple[Fraction, int]]:
    """The value of each number, with the index of the sentence it stands in."""
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
