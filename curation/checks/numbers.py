"""Numbers, compared as values: whatever the script, in digits or words, the translation has the source's."""

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction

import pyarrow as pa

from curation.checks.base import Observation, Part, Scored, score_parts
from mcot.core.numbers import Number, read_numbers
from mcot.core.runs import sign

__all__ = ["NumbersCheck", "unmatched_numbers"]

_ONE = Fraction(1)
# With more numbers than this left over nothing corresponds, and comparing all pairs would take long.
_MANY = 200


class NumbersCheck:
    """Scores how far the numbers of source and translation correspond: 1.0 when all of them do."""

    name = "numbers"
    signature = sign("numbers", 1)

    def open(self) -> None:
        """Nothing to load: a language's words are read when its first row comes."""

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale; observes `numbers.missing`, `numbers.added`, `numbers.changed`."""
        return score_parts(table, lambda part: (f"source_{part}", part), _score, name=self.name)


def _score(source: str, translation: str, *, language: str, part: Part) -> tuple[float, list[Observation]]:
    theirs, ours = read_numbers(source, "en"), read_numbers(translation, language)
    missing, added = unmatched_numbers(theirs, ours)
    if not missing and not added:
        return 1.0, []
    total = sum(number.certain for number in theirs) + sum(number.certain for number in ours)
    return max(0.0, 1 - (len(missing) + len(added)) / total), _observe(missing, added, part)


def _observe(missing: list[Number], added: list[Number], part: Part) -> list[Observation]:
    if len(missing) == len(added) == 1:
        return [Observation("numbers.changed", part, f"{missing[0].text} -> {added[0].text}")]
    return [
        *(Observation("numbers.missing", part, f"{number.text} is missing") for number in missing),
        *(Observation("numbers.added", part, f"{number.text} is not in the source") for number in added),
    ]


def unmatched_numbers(source: Sequence[Number], translation: Sequence[Number]) -> tuple[list[Number], list[Number]]:
    """The certain numbers of the source that the translation lacks, and the reverse.

    Numbers are compared as multisets of values, not by order. A certain number needs a certain or an
    uncertain one on the other side, of its value or of another that its writing may have. The number 1 is
    never missed: articles and "per day" come and go with the language.
    """
    # Certain numbers with one another first: else "eine" takes the 1 of "1 PM", which is written "13 Uhr".
    left, right = _take_out_same(source, translation)
    if not (_all_excused(left) and _all_excused(right)) and max(len(left), len(right)) <= _MANY:
        _pair(left, right, _have_same_reading, both_certain=True)
        # Ordinals with one another: else "the fourth" stands in for a changed 4.
        _pair(left, right, _are_same_ordinal)
        _pair(left, right, _have_same_value)
        _pair(left, right, _have_same_reading)
        _pair(left, right, _are_reciprocal_words)
        _pair_with_parts(left, right)
        _pair_with_parts(right, left)
    missing = [n for n in left if not _is_excused(n)]
    added = [n for n in right if not _is_excused(n)]
    if added and not any(n.certain for n in left):
        # A translation may count again what the source calls "they" or "each"; it does so in words.
        named = {n.value for n in source}
        added = [n for n in added if n.value not in named or _has_digits(n)]
    return missing, added


def _take_out_same(source: Sequence[Number], translation: Sequence[Number]) -> tuple[list[Number], list[Number]]:
    """Both sides without the certain numbers whose values the other side's certain numbers have."""
    unmatched = Counter(n.value for n in translation if n.certain)
    left = []
    for number in source:
        if number.certain and unmatched[number.value] > 0:
            unmatched[number.value] -= 1
        else:
            left.append(number)
    right = []
    for number in reversed(translation):
        if not number.certain:
            right.append(number)
        elif unmatched[number.value] > 0:
            unmatched[number.value] -= 1
            right.append(number)
    return left, right[::-1]


def _all_excused(numbers: list[Number]) -> bool:
    return all(map(_is_excused, numbers))


def _is_excused(number: Number) -> bool:
    return not number.certain or number.value == _ONE


def _have_same_value(one: Number, other: Number) -> bool:
    return (one.certain or other.certain) and one.value == other.value


def _are_same_ordinal(one: Number, other: Number) -> bool:
    return one.ordinal and other.ordinal and (one.value == other.value or _share_reading(one, other))


def _have_same_reading(one: Number, other: Number) -> bool:
    return (one.certain or other.certain) and _share_reading(one, other)


def _share_reading(one: Number, other: Number) -> bool:
    return (
        one.value in other.alternatives
        or other.value in one.alternatives
        or not set(one.alternatives).isdisjoint(other.alternatives)
    )


def _are_reciprocal_words(one: Number, other: Number) -> bool:
    """Whether both are words, as "half as many" and "deux fois moins"."""
    return one.value * other.value == 1 and not _has_digits(one) and not _has_digits(other)


def _has_digits(number: Number) -> bool:
    return any(character.isdigit() for character in number.text)


def _pair(
    left: list[Number],
    right: list[Number],
    correspond: Callable[[Number, Number], bool],
    *,
    both_certain: bool = False,
) -> None:
    """Take corresponding numbers out of both lists."""
    kept: list[Number] = []
    for one in left:
        for index, other in enumerate(right):
            if (not both_certain or (one.certain and other.certain)) and correspond(one, other):
                del right[index]
                break
        else:
            kept.append(one)
    left[:] = kept


def _pair_with_parts(left: list[Number], right: list[Number]) -> None:
    """Take out a number of one side that the other side writes as two.

    "2 and a half hours" may be "deux heures et demie" (2 + 1/2), and "3/4" may be "3 von 4" (3, 4).
    """
    for number in [n for n in left if not _is_excused(n)]:
        found = _find_parts(number.value, right)
        if found is not None:
            left.remove(number)
            for part in found:
                right.remove(part)


def _find_parts(value: Fraction, numbers: list[Number]) -> list[Number] | None:
    if value.denominator == 1:
        return None
    if value < 1:
        # The 1 of "1 in 4" may be an article, or no word at all.
        wanted = {Fraction(value.numerator), Fraction(value.denominator)} - {_ONE}
        found = [next((n for n in numbers if n.value == part), None) for part in wanted]
    else:
        part = next((n for n in numbers if n.value == value % 1), None)
        whole = next((n for n in numbers if n.value == value // 1), None)
        # "a minute and a half" is 1.5, and its one is an article.
        article = value // 1 == 1 and part is not None and not _has_digits(part)
        found = [part] if whole is None and article else [part, whole]
    return None if None in found else [n for n in found if n is not None]
