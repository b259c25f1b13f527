"""Put the parts of a number together: "two hundred and five", "2 and a half", "3 dozen"."""

import re
from fractions import Fraction

from mcot.core.numbers.context import Part
from mcot.core.numbers.grammar import Grammar

__all__ = ["WIDEST_GAP", "compose"]

# The longest thing that joins two parts: "-and-a-".
WIDEST_GAP = 7
# Between digits and a multiplier, or anything and a dozen.
_DIGIT_GAPS = frozenset({" ", "-", ""})
_DENOMINATOR_GAPS = frozenset({" ", "-", "- ", ""})
_OF_PARTS = re.compile(r"[ ]?分[のノ之][ ]?")
_CURRENCIES = frozenset("$€£¥₹৳")
# "half a dozen", "half of a dozen".
_HALVED_GAPS = frozenset({*_DIGIT_GAPS, " a ", " of a "})
# Words that count in dozens and the like.
_SCALES = frozenset(Fraction(value) for value in (10, 12, 100, 144, 1000))
_HUNDRED, _THOUSAND = Fraction(100), Fraction(1000)


def _gap(plain: str, start: int, end: int) -> str:
    return plain[start:end].replace("\xa0", " ")


def compose(plain: str, parts: list[Part], index: int, grammar: Grammar, language: str) -> tuple[Part, int]:
    """The number that begins at a part, and the index of the part after it."""
    first = parts[index]
    if first.kind == "implied":
        return first, index + 1
    if first.kind == "ordinal":
        return _compose_ordinal(plain, first, parts[index + 1], index, grammar)
    if first.kind == "multiplicative":
        return _compose_dozen(plain, first, parts[index + 1], index, grammar)
    added = grammar.added.get(plain[first.start : first.end]) if first.kind == "fraction" else None
    if added is not None and _is_whole(parts[index + 1]) and plain[first.end : parts[index + 1].start] == " ":
        following = parts[index + 1]
        # সাড়ে তিনশো is 350: the half is one of a hundred.
        scale = next(scale for scale in (_THOUSAND, _HUNDRED, 1) if not following.value % scale)
        value = following.value + added * scale
        whole, index = Part(first.start, following.end, "cardinal", value), index + 2
    elif first.kind not in ("cardinal", "multiplier", "digits"):
        return _compose_pair(plain, first, parts[index + 1], index, grammar)
    elif first.kind == "multiplier" and grammar.multiplier_first:
        whole, index = _compose_multiplier_first(plain, parts, index, grammar)
    else:
        whole, index = _compose_whole(plain, parts, index, grammar)
    last = None
    while index < len(parts) and whole is not last:
        # "две с половиной дюжины": first the half, then the dozen.
        last = whole
        whole, index = _join_next(plain, whole, parts, index, grammar, language)
    return whole, index


def _is_whole(part: Part) -> bool:
    return part.kind in ("cardinal", "digits") and part.value.denominator == 1 and part.value > 1


def _compose_whole(plain: str, parts: list[Part], index: int, grammar: Grammar) -> tuple[Part, int]:
    """Cardinals and multipliers: "two hundred and twenty-five", "3 million"."""
    first = parts[index]
    total, current, scale = Fraction(0), first.value, None
    if first.kind == "multiplier" and first.value >= _THOUSAND:
        # "mille deux cents": the two are hundreds.
        total, current, scale = first.value, Fraction(0), first.value
    digits = first.kind == "digits"
    end, start_index = first.end, index
    index += 1
    while index < len(parts):
        part = parts[index]
        gap = _gap(plain, end, part.start)
        if part.kind == "multiplier" and current and gap in (_DIGIT_GAPS if digits else grammar.multiplied):
            counts_people = grammar.people is not None and grammar.people.search(plain, first.start, first.end)
            if counts_people or not _multiplies(current, part.value, scale, grammar, digits=digits):
                break
            if part.value == _HUNDRED:
                current *= _HUNDRED
            else:
                total, current, scale = total + current * part.value, Fraction(0), part.value
        elif part.kind == "multiplier" and not digits and not current and scale is not None:
            if part.value >= scale or gap not in grammar.hundreds:
                break
            current = part.value
        elif part.kind == "cardinal" and not digits and _adds(current, part.value, scale, gap, grammar):
            current += part.value
        elif part.kind == "ordinal" and not digits and _adds(current, part.value, scale, gap, grammar):
            # "twenty-first", or eighty of the second: "восемьдесят второго".
            value = total + current + part.value
            return Part(first.start, part.end, "ordinal", value, True, (total + current,), ordinal=True), index + 1
        else:
            break
        end = part.end
        index += 1
    if index == start_index + 1:
        return first, index
    alternatives = first.alternatives if digits else ()
    return Part(first.start, end, "cardinal", total + current, True, tuple(alternatives)), index


def _multiplies(
    current: Fraction, multiplier: Fraction, scale: Fraction | None, grammar: Grammar, *, digits: bool
) -> bool:
    if multiplier == _HUNDRED:
        # "50 cents" is money in French; only English counts up to 99 hundreds.
        return current <= grammar.largest_hundreds and (not digits or grammar.largest_hundreds > 9)
    return current < 1000 * multiplier if digits else current < multiplier and (scale is None or multiplier < scale)


def _adds(current: Fraction, value: Fraction, scale: Fraction | None, gap: str, grammar: Grammar) -> bool:
    if value == 0:
        return False
    if not current:
        return scale is not None and value < scale and gap in grammar.hundreds
    if current % 100 == 0:
        return value < (1000 if current % 1000 == 0 else 100) and gap in grammar.hundreds
    tens = current % 100
    if grammar.twenties and tens in (60, 80):
        return value < 20 and gap in grammar.tens
    return tens >= 20 and tens % 10 == 0 and value < 10 and gap in grammar.tens


def _compose_multiplier_first(plain: str, parts: list[Part], index: int, grammar: Grammar) -> tuple[Part, int]:
    """Swahili: "elfu mbili mia tano na hamsini" is 2550, "elfu 5" is 5000."""
    first = parts[index]
    total, scale, end = Fraction(0), None, first.end
    certain = first.certain
    while index < len(parts):
        part = parts[index]
        gap = " " if part is first else _gap(plain, end, part.start)
        if gap not in grammar.hundreds or part.kind not in ("multiplier", "cardinal"):
            break
        if scale is not None and part.value >= scale:
            break
        index += 1
        end = part.end
        if part.kind == "cardinal":
            total, scale, certain = total + part.value, Fraction(10 if part.value % 10 == 0 else 1), True
            continue
        times = Fraction(1)
        following = parts[index] if index < len(parts) else None
        largest = 10 if part.value == _HUNDRED else 1000
        if (
            following
            and (following.kind in ("cardinal", "digits") or (following.kind == "fraction" and following.value > 1))
            and following.value < largest
            and _gap(plain, end, following.start) == " "
        ):
            times, end, certain = following.value, following.end, True
            index += 1
        total, scale = total + times * part.value, part.value
    return Part(first.start, end, "cardinal", total, certain, ()), index


def _compose_pair(plain: str, first: Part, following: Part, index: int, grammar: Grammar) -> tuple[Part, int]:
    """What begins with a fraction: "nusu dazeni", "half of a dozen", Swahili "robo 3", Telugu "మూడింట రెండు"."""
    gap = _gap(plain, first.end, following.start)
    counted = following.kind in ("digits", "cardinal")
    value: Fraction | None = None
    if first.kind == "denominator":
        if gap in _DENOMINATOR_GAPS and 0 < following.value < first.value:
            value = following.value / first.value
    elif first.kind == "fraction" and following.kind in ("multiplicative", "multiplier"):
        # "half a million", দেড় হাজার.
        counts = following.kind == "multiplier" or following.value in _SCALES
        if counts and (gap in _HALVED_GAPS or gap in grammar.multiplied):
            value = first.value * following.value
    elif grammar.multiplier_first and counted and gap == " " and 1 < following.value < first.value.denominator:
        value = first.value * following.value
    if value is None:
        return first, index + 1
    # Half a dozen may be six or half of twelve, and half a century fifty years or half of one.
    others: tuple[Fraction, ...] = (following.value,)
    if not counted:
        others = (first.value,) if following.kind == "multiplier" else (following.value, first.value)
    return Part(first.start, following.end, "cardinal", value, True, others), index + 2


def _compose_dozen(plain: str, first: Part, following: Part, index: int, grammar: Grammar) -> tuple[Part, int]:
    """What begins with a dozen: "docena y media", Swahili "dazeni 2" and "dazeni moja na nusu"."""
    gap = _gap(plain, first.end, following.start)
    if first.value not in _SCALES or following.kind not in ("digits", "cardinal", "fraction"):
        return first, index + 1
    alternatives: tuple[Fraction, ...] = ()
    if following.kind == "fraction" and following.value < 1:
        if gap not in grammar.halves:
            return first, index + 1
        value = first.value * (1 + following.value)
    elif grammar.multiplier_first and gap == " ":
        value, alternatives = first.value * following.value, (following.value,)
    else:
        return first, index + 1
    return Part(first.start, following.end, "cardinal", value, True, alternatives), index + 2


def _compose_ordinal(plain: str, first: Part, following: Part, index: int, grammar: Grammar) -> tuple[Part, int]:
    """An ordinal of two words: "vigésimo primero", 第十三, "ya kumi na tatu"."""
    gap = _gap(plain, first.end, following.start)
    joined = gap in grammar.tens or gap in grammar.ordinals
    if following.kind in ("cardinal", "ordinal") and joined and first.value % 10 == 0 and 0 < following.value < 10:
        value = first.value + following.value
        return Part(first.start, following.end, "ordinal", value, False, (first.value,), ordinal=True), index + 2
    return first, index + 1


def _join_next(
    plain: str, whole: Part, parts: list[Part], index: int, grammar: Grammar, language: str
) -> tuple[Part, int]:
    """A whole with what follows it: parts ("two thirds"), a half ("2 and a half"), dozens, 分の."""
    following = parts[index]
    gap = _gap(plain, whole.end, following.start)
    value: Fraction | None = None
    alternatives: tuple[Fraction, ...] = ()
    if plain[following.start : following.end] in grammar.subtracted and gap == " ":
        value = whole.value - following.value
    elif following.kind == "fraction" and following.value < 1:
        is_unit = following.value.numerator == 1
        if gap in grammar.parts and is_unit and following.value.denominator > 2:
            if whole.value < following.value.denominator:
                value, alternatives = whole.value * following.value, (whole.value,)
        elif gap in grammar.halves and whole.value.denominator == 1 and _is_added(plain, gap, following, language):
            # "un millón y medio": the half is one of a million.
            last = parts[index - 1]
            scale = last.value if last.kind == "multiplier" and last.value >= _THOUSAND else 1
            value, alternatives = whole.value + following.value * scale, (whole.value,)
    elif following.kind == "multiplicative" and following.value in _SCALES and gap in _DIGIT_GAPS:
        if plain[whole.start - 1 : whole.start] in _CURRENCIES:
            # "$68 dozen" is a price, not 816.
            return whole, index
        return _count_dozens(plain, whole, parts, index, grammar)
    elif following.kind == "multiplier" and whole.value.denominator > 1 and gap in grammar.multiplied:
        # "two and a half million".
        value, alternatives = whole.value * following.value, (whole.value,)
    elif following.kind == "multiplicative" and not following.certain and language in ("ja", "zh") and gap in ("", " "):
        # In 3倍, 3双 the word is only the counter of the number before it.
        return whole, index + 1
    elif following.kind in ("digits", "cardinal") and language in ("ja", "zh") and _OF_PARTS.fullmatch(gap):
        return _count_parts(whole, following, index, language)
    if value is None:
        return whole, index
    return Part(whole.start, following.end, "cardinal", value, True, alternatives), index + 1


def _count_parts(whole: Part, following: Part, index: int, language: str) -> tuple[Part, int]:
    """So many of so many parts: 3分の2, 百分之二十."""
    if whole.value == _HUNDRED and language == "zh":
        alternatives = (following.value / 100,)
        return Part(whole.start, following.end, "cardinal", following.value, True, alternatives), index + 1
    if whole.value:
        return Part(whole.start, following.end, "cardinal", following.value / whole.value), index + 1
    return whole, index


def _count_dozens(plain: str, whole: Part, parts: list[Part], index: int, grammar: Grammar) -> tuple[Part, int]:
    """A whole with its dozens: "3 dozen", "dos docenas y media", where the half is one of a dozen."""
    dozen = parts[index]
    value, end = whole.value * dozen.value, dozen.end
    index += 1
    half = parts[index] if index < len(parts) else None
    if half and half.kind == "fraction" and half.value < 1 and _gap(plain, end, half.start) in grammar.halves:
        value, end, index = value + half.value * dozen.value, half.end, index + 1
    return Part(whole.start, end, "cardinal", value, True, (whole.value,)), index


def _is_added(plain: str, gap: str, fraction: Part, language: str) -> bool:
    """English: "5 and a half", "6 and three-quarters", but not "5 and half of them", "5 and two thirds of them"."""
    if fraction.value.numerator > 1 and not plain.startswith(" of", fraction.end):
        return True
    return language != "en" or gap in ("-and-a-", " and a ") or plain.startswith(("a ", "one", "an "), fraction.start)
