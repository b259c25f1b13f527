"""Which numbers of a source its translation lacks, and which it adds: multisets of values, as people translate them."""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from mcot.core.numbers.assignment import can_all_correspond
from mcot.core.numbers.clocks import take_out_clocks
from mcot.core.numbers.compounds import take_out_compounds
from mcot.core.numbers.mentions import Texts, by_value, find_lost_mentions, without_mentions
from mcot.core.numbers.number import Number
from mcot.core.numbers.pairing import (
    are_pairs,
    are_same_ordinal,
    has_digits,
    have_same_reading,
    have_same_value,
    may_be_same,
    pair,
    pair_with_parts,
)
from mcot.core.numbers.rephrasing import highest_ordinal, take_out_worked_out
from mcot.core.numbers.units import unit_of

__all__ = ["unmatched_numbers"]

_ONE = Fraction(1)
_TWO = Fraction(2)
# "An hour" and "a week" have no word for one there: по часу, గంటకు.
_BARE_UNITS = frozenset({"ru", "te"})
_WRITTEN_UNITS = (None, "dollar", "percent")
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"]  # fmt: skip
_MONTH = re.compile("|".join(_MONTHS))
# With more numbers than this left over nothing corresponds, and comparing all pairs would take long.
_MANY = 200


def unmatched_numbers(
    source: Sequence[Number],
    translation: Sequence[Number],
    *,
    writes_ones: bool = False,
    texts: Texts | None = None,
    same_order: bool = False,
    language: str = "",
) -> tuple[list[Number], list[Number]]:
    """The certain numbers of the source that the translation lacks, and the reverse.

    Numbers are compared as multisets of values, not by order. A certain number needs a certain or an
    uncertain one on the other side, of its value or of another that its writing may have. A 1 that is not
    in digits is never missed and none is ever added: articles and "per day" come and go with the language.

    Args:
        source: its numbers, in English.
        translation: its numbers.
        writes_ones: whether the translation's language writes the 1 of "one in four", as Chinese does; else
            it may be an article, or no word at all.
        texts: what the numbers were read from; without it, what is said twice is not looked at place by place.
        same_order: whether the language orders clauses as English does.
        language: of the translation, by which it says times of day in words.
    """
    # Certain numbers with one another first: else "eine" takes the 1 of "1 PM", which is written "13 Uhr".
    left, right = _take_out_same(source, translation)
    candidates = [n for n in left if n.value.numerator > 1 and not n.ordinal] if texts else []
    if (any(map(_is_missed, left)) or any(map(_is_added, right))) and max(len(left), len(right)) <= _MANY:
        left, right = _pair_differently_said(
            left, right, source, translation, writes_ones=writes_ones, texts=texts, language=language
        )
    missing = [n for n in left if _is_missed(n)]
    added = [n for n in right if _is_added(n)]
    if missing and not added:
        missing = [n for n in missing if not _needs_no_word(n, source, translation, texts, language)]
    if added and not any(n.certain for n in left):
        added = _without_repeated(added, source, translation)
    if missing:
        lacking = Counter(n.value for n in missing)
        missing = without_mentions(missing, source, translation, texts)
        # What the source refers back to ("the 14") may be said once, but not there alone where it refers back.
        referring = Counter(n.value for n in source if n.certain and n.definite)
        candidates = [n for n in candidates if 0 < lacking[n.value] <= referring[n.value]]
    if not missing and texts and candidates:
        missing = find_lost_mentions(candidates, source, translation, texts, same_order=same_order)
    if not missing and not added:
        added = _strange_ordinals(source, translation, texts[0] if texts else "")
    if not missing and any(n.pair for n in source):
        missing = _missing_before_pairs(source, translation)
    return missing + _missing_factors(source, translation, missing), added


def _pair_differently_said(
    left: list[Number],
    right: list[Number],
    source: Sequence[Number],
    translation: Sequence[Number],
    *,
    writes_ones: bool,
    texts: Texts | None,
    language: str,
) -> tuple[list[Number], list[Number]]:
    """Both sides without what corresponds in another writing: half an hour and 30 minutes, the 2nd and second.

    What corresponds most surely comes first, as it takes from what follows.
    """
    if texts:
        take_out_compounds(left, right, source, translation, texts, language)
        take_out_clocks(left, right, source, translation, texts[0], language)
    pair(left, right, have_same_value, both_certain=True)
    # What is still to be found at all comes before what is only said again.
    repeated = {value for value, same in by_value(source, {n.value for n in left}).items()
                if len(same) > sum(n.value == value for n in left)}  # fmt: skip
    left.sort(key=lambda n: n.value in repeated)
    pair(left, right, have_same_reading, both_certain=True)
    left.sort(key=_place)
    # Ordinals with one another: else "the fourth" stands in for a changed 4. So do pairs of shoes.
    pair(left, right, are_same_ordinal)
    pair(left, right, are_pairs)
    pair(left, right, have_same_value)
    pair(left, right, have_same_reading)
    pair_with_parts(left, right, writes_ones=writes_ones)
    pair_with_parts(right, left)
    if texts:
        take_out_worked_out(left, right, source, texts[0])
    if any(map(_is_missed, left)) and can_all_correspond(source, translation, _is_missed, _is_added, may_be_same):
        return [], []
    return left, right


def _take_out_same(source: Sequence[Number], translation: Sequence[Number]) -> tuple[list[Number], list[Number]]:
    """Both sides without the certain numbers whose values the other side's certain numbers have.

    Only values that are the same object are seen (`exact` makes most of them so): hashing fractions is slow.
    """
    unmatched: dict[int, int] = {}
    for number in translation:
        if number.certain:
            key = id(number.value)
            unmatched[key] = unmatched.get(key, 0) + 1
    # What has another value comes last, as it may correspond to that: half an hour to 30 minutes.
    reordered = any(map(_has_alternatives, source)) or any(map(_has_alternatives, translation))
    left = []
    for number in sorted(source, key=_has_alternatives) if reordered else source:
        if number.certain and unmatched.get(id(number.value), 0) > 0:
            unmatched[id(number.value)] -= 1
        else:
            left.append(number)
    right = []
    for number in reversed(sorted(translation, key=_has_alternatives) if reordered else translation):
        if not number.certain:
            right.append(number)
        elif unmatched[id(number.value)] > 0:
            unmatched[id(number.value)] -= 1
            right.append(number)
    return (sorted(left, key=_place), sorted(right, key=_place)) if reordered else (left, right[::-1])


def _has_alternatives(number: Number) -> bool:
    return bool(number.alternatives)


def _place(number: Number) -> int:
    return number.start


def _needs_no_word(
    number: Number, source: Sequence[Number], translation: Sequence[Number], texts: Texts | None, language: str
) -> bool:
    """Whether it is a 1 that languages leave to the noun: of "1 pair", and of "1 hour" where there is no article."""
    if number.value != _ONE:
        return False
    if any(n.pair and 0 <= n.start - number.end < 2 for n in source):
        return True
    if language not in _BARE_UNITS or texts is None:
        return False
    theirs, ours = (
        Counter(unit_of(n, text, code) for n in numbers)
        for numbers, text, code in ((source, texts[0], "en"), (translation, texts[1], language))
    )
    units = {unit_of(n, texts[0], "en") for n in source if n.value == _ONE}.difference(_WRITTEN_UNITS)
    return any(ours[unit] < theirs[unit] for unit in units)


def _is_missed(number: Number) -> bool:
    return number.certain and (number.value != _ONE or has_digits(number))


def _is_added(number: Number) -> bool:
    return number.certain and number.value != _ONE


def _without_repeated(added: list[Number], source: Sequence[Number], translation: Sequence[Number]) -> list[Number]:
    """Without what only counts again what the source calls "they" or "each"."""
    named = {n.value for n in source}
    # Three that were gone through one by one: "the average of the 3 guesses".
    counted = highest_ordinal(source)
    referring = {n.value for n in translation if n.definite or n.value == counted}
    named |= {counted} if counted else set()
    # Of three in words and 3, which of them counts again can't be told.
    referring.update(n.value for n in translation if n.certain and not has_digits(n))
    return [n for n in added if n.value not in named or (has_digits(n) and n.value not in referring)]


def _strange_ordinals(source: Sequence[Number], translation: Sequence[Number], text: str) -> list[Number]:
    """Ordinals in digits that the source has no number for, and that don't go on counting: a 7th without a 6th."""
    ordinals = [n for n in translation if n.ordinal and n.value > _TWO and has_digits(n)]
    if not ordinals:
        return []
    # May is 5月.
    months = {_MONTHS.index(name) + 1 for name in _MONTH.findall(text)}
    if not months and not any(n.ordinal for n in source):
        return []
    known = months.union(*((n.value, *n.alternatives) for n in source))
    counted = {value for n in translation for value in (n.value, *n.alternatives)}
    return [n for n in ordinals if known.isdisjoint((n.value, *n.alternatives)) and n.value - 1 not in counted]


def _missing_before_pairs(source: Sequence[Number], translation: Sequence[Number]) -> list[Number]:
    """The 2 of "2 pairs", of which the translation has only the pairs."""
    counts = [
        n for n, pair in pairwise(source) if pair.pair and n.certain and n.value == _TWO and 0 <= pair.start - n.end < 2
    ]
    there = sum(not n.pair and (n.value == _TWO or _TWO in n.alternatives or n.value == 4) for n in translation)
    wanted = sum(n.certain and not n.pair and n.value == _TWO for n in source)
    return counts[: max(0, wanted - there)]


def _missing_factors(
    source: Sequence[Number], translation: Sequence[Number], missing: Sequence[Number]
) -> list[Number]:
    """Factors in whose place the translation has the number of another role.

    "Three times as many ... the three girls": "drei Mädchen" is not what is left of "dreimal".
    """
    wanted = {n.value for n in source if n.factor and n.certain}
    if not wanted or wanted.isdisjoint(n.value for n in source if not n.certain):
        return []
    wanted.difference_update(n.value for n in missing)
    there = by_value(translation, wanted)
    found: list[Number] = []
    for value, same in by_value(source, wanted).items():
        # All mentions are there, whatever they are called.
        if all(n.certain for n in same) or len(there.get(value, ())) >= len(same):
            continue
        factors = sum(n.factor for n in there.get(value, ()))
        found += [n for n in same if n.factor and n.certain][factors:]
    return found
