"""A number that is said several times: which mentions a translation may leave out, and which it may not."""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from mcot.core.numbers.number import Number
from mcot.core.numbers.order import in_sentences, sentence_ends

__all__ = ["Texts", "by_value", "find_lost_mentions", "without_mentions"]

# The source and the translation that the numbers were read from.
Texts = tuple[str, str]

# What is counted, where words are separated and where they aren't.
_COUNTED_WORD = re.compile(r"[\s\xa0-]{0,2}([^\W\d_](?:[^\W\d_]|[\u0980-\u09e5\u0c00-\u0c65])+)")
_COUNTED_LETTERS = re.compile(r"[ ]?([^\W\d_][^\W\d_\u3000-\u3002])")
# Comparing all pairs of more numbers than this would take long.
_MANY = 200
_TIME_AGO = re.compile(r"[ -](years?|months?|weeks?|days?|hours?|minutes?) (?:ago|later|earlier)\b", re.IGNORECASE)
# What says a number once for several: "50% men and 50% women" may be 男女各占50%, "50% each".
_EACH_BEFORE = re.compile(
    r"(?:[各均]|それぞれ|(?<!ร้อย)ละ|\b(?:по|je|jeweils) |\bkila )[^\d.,;。，、]{0,8}$", re.IGNORECASE
)
_EACH_AFTER = re.compile(
    r"[^\d.;。，、]{0,16}?(?:ずつ|\b(?:each|jeweils|chacune?s?|cada un[oa]|respecti\w+)\b)", re.IGNORECASE
)
_WIDEST_EACH = 16
_SHORTEST_PLURAL = 4
_HALF = Fraction(1, 2)
_WIDEST_LIST = 40
_SENTENCE_END = re.compile(r"[.!?;](?:\s|$)")
# "10 6 inch tiles along its width and 20 6 inch tiles along its length": what the thing is called.
_ATTRIBUTE = re.compile(
    r"[ -](?:inch|foot|yard|mile|pound|ounce|gallon|liter|meter|minute|hour|day|week|month|year|dollar|cent|page|piece"
    r"|story)[ -][a-z]+",
    re.IGNORECASE,
)
# Of "$100 bills" too, but not of 20 coins.
_DENOMINATED = re.compile(r"[ -](?:bills?|notes?|coins?|tickets?)\b", re.IGNORECASE)
# "for the first half ... and for the second", "half of them ... the other".
_OTHER_PART = ("second ", "other ", "latter ", "remaining ")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff]")


def without_mentions(
    missing: Sequence[Number], source: Sequence[Number], translation: Sequence[Number], texts: Texts | None
) -> list[Number]:
    """Without repeated mentions: "the 400-meter hurdles", where 400 meters were spoken of before, and 50% each.

    Only a phrase may be left out, not the number in it: nothing is spared where what the number counts, the
    meters, never stands without a number in the source and does so in the translation.
    """
    lacking = Counter(n.value for n in missing)
    spare: dict[Fraction, int] = {}
    for value, same in by_value([n for n in source if n.certain], set(lacking)).items():
        referring = sum(n.definite for n in same)
        if texts:
            referring += _count_repeated(same, texts[0], _TIME_AGO) + _count_repeated(same, texts[0], _ATTRIBUTE)
            in_dollars = [n for n in same if texts[0].endswith("$", 0, n.start)]
            referring += _count_repeated(in_dollars, texts[0], _DENOMINATED)
            referring += sum(texts[0].endswith(_OTHER_PART, 0, n.start) and value < 1 for n in same)
            # "Half have nuts and half do not": the others have none.
            each = len(same) if value == _HALF else _count_each(value, translation, texts[1])
            referring += min(each, _count_side_by_side(value, source, texts[0]))
        spare[value] = min(referring, len(same) - 1)
        if texts and 0 < lacking[value] <= spare[value] and len(same) <= _MANY:
            theirs, ours = _count_uncounted(value, source, texts[0]), _count_uncounted(value, translation, texts[1])
            if ours and not theirs:
                spare[value] = 0
    return [n for n in missing if lacking[n.value] > spare[n.value]]


def _count_repeated(same: Sequence[Number], text: str, phrase: re.Pattern[str]) -> int:
    """How many mentions with what a pattern finds behind them are repeated: "four years ago", "6 inch tiles"."""
    phrases = Counter(match[match.lastindex or 0].lower() for n in same if (match := phrase.match(text, n.end)))
    return sum(phrases.values()) - len(phrases)


def _count_each(value: Fraction, numbers: Sequence[Number], text: str) -> int:
    """How many mentions of a value stand for several."""
    return sum(
        number.value == value
        and bool(
            _EACH_BEFORE.search(text, max(0, number.start - _WIDEST_EACH), number.start)
            or _EACH_AFTER.match(text, number.end)
        )
        for number in numbers
    )


def _count_side_by_side(value: Fraction, numbers: Sequence[Number], text: str) -> int:
    """How often a value follows on itself in a sentence: "50% men and 50% women"."""
    return sum(
        one.value == other.value == value
        and other.start - one.end <= _WIDEST_LIST
        and not _SENTENCE_END.search(text, one.end, other.start)
        for one, other in pairwise(numbers)
    )


def _count_uncounted(value: Fraction, numbers: Sequence[Number], text: str) -> int:
    """How often what a value counts stands without any number before it, at most over what it counts."""
    ends = {number.end for number in numbers}
    most = 0
    for number in numbers:
        if number.value != value:
            continue
        unspaced = _UNSPACED.match(text, number.end + text.startswith(" ", number.end)) is not None
        counted = (_COUNTED_LETTERS if unspaced else _COUNTED_WORD).match(text, number.end)
        if counted is not None:
            # A month and three months are counted alike.
            places = [match.start() for match in re.finditer(re.escape(_singular(counted[1])), text)]
            begins = [place for place in places if unspaced or not text[place - 1 : place].isalpha()]
            most = max(most, sum(ends.isdisjoint(range(place - 2, place + 1)) for place in begins))
    return most


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > _SHORTEST_PLURAL else word


def find_lost_mentions(
    candidates: Sequence[Number], source: Sequence[Number], translation: Sequence[Number], texts: Texts, *,
    same_order: bool,
) -> list[Number]:  # fmt: skip
    """Numbers of the source in whose place the translation has none, though their value stands elsewhere in it.

    "He baked 5 pies. He ate the five pies.": that the five are there does not say that he baked five. What refers
    back may be left out, what is said first may not. Its place is its sentence where both texts have as many of
    them, else, where clauses keep their order, its place among the numbers that stand once in each text.

    Args:
        candidates: those of the source whose values the translation's certain numbers do not cover.
        same_order: whether the language orders clauses as English does.
    """
    lost: list[Number] = []
    if len(candidates) > _MANY:
        return lost
    ends: tuple[list[int], list[int]] | None = None
    for value in dict.fromkeys(n.value for n in candidates):
        same = [n for n in source if n.value == value]
        said = [n for n in same if n.certain and not n.definite] or [n for n in same if n.certain][:1]
        there = [n for n in translation if n.value == value or value in n.alternatives]
        short = len(there) < len(same) or sum(n.certain for n in there) < sum(n.certain for n in same)
        if not there or not said or not short:
            continue
        if ends is None:
            ends = sentence_ends(texts[0]), sentence_ends(texts[1])
        # Within a sentence "a dozen" may change its place as it likes.
        ranked = same_order and len(there) < len(same) and len({place for _, place in in_sentences(same, ends[0])}) > 1
        places = _places(said, there, source, translation, ends, ranked=ranked)
        if places is None:
            continue
        lacking = Counter(places[0])
        lacking.subtract(places[1])
        lost += [number for number, place in zip(said, places[0], strict=True) if lacking[place] > 0]
    return lost


def _places(
    said: Sequence[Number], there: Sequence[Number], source: Sequence[Number], translation: Sequence[Number],
    ends: tuple[list[int], list[int]], *, ranked: bool,
) -> tuple[list[int], list[int]] | None:  # fmt: skip
    """Where mentions of one value stand in source and translation, in numbers that can be compared."""
    if ends[0] and len(ends[0]) == len(ends[1]):
        theirs, ours = ([place for _, place in in_sentences(numbers, marks)]
                        for numbers, marks in ((said, ends[0]), (there, ends[1])))  # fmt: skip
        return theirs, ours
    if not ranked:
        return None
    once = _once(source) & _once(translation)
    anchors, other_anchors = ([n for n in numbers if n.value in once] for numbers in (source, translation))
    if not anchors or [n.value for n in anchors] != [n.value for n in other_anchors]:
        return None
    return (
        [sum(anchor.start < n.start for anchor in anchors) for n in said],
        [sum(anchor.start < n.start for anchor in other_anchors) for n in there],
    )


def _once(numbers: Sequence[Number]) -> set[Fraction]:
    counts = Counter(n.value for n in numbers)
    return {n.value for n in numbers if n.certain and counts[n.value] == 1}


def by_value(numbers: Sequence[Number], values: set[Fraction]) -> dict[Fraction, list[Number]]:
    """The numbers of some values, by value."""
    found: dict[Fraction, list[Number]] = {}
    for number in numbers:
        if number.value in values:
            found.setdefault(number.value, []).append(number)
    return found
