"""Find the numbers of a text: one pass of a regular expression, then put the parts together."""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from mcot.core.numbers.compose import WIDEST_GAP, compose
from mcot.core.numbers.context import Part, consider_context
from mcot.core.numbers.digits import read_digits
from mcot.core.numbers.durations import consider_duration
from mcot.core.numbers.grammar import GRAMMARS
from mcot.core.numbers.ideographs import read_elided, read_ideographs, read_spoken_decimal
from mcot.core.numbers.joined import JOINING, WIDEST_UNIT, add_article, join_half, join_share, read_scale
from mcot.core.numbers.lexicon import Lexicon, load_lexicon, one_case
from mcot.core.numbers.number import Number

__all__ = ["read_numbers"]

# "20 times as many" is a factor; "100 times" is more often a figure of speech.
_ORDINAL_ENDS = ("st", "nd", "rd", "th")
_LARGEST_FACTOR = 100
_ZEROS = (0x09E6, 0x0C66, 0x0E50, 0xFF10)
# Native and full-width digits, full-width marks, apostrophes, hyphens and spaces as their plain kind.
_PLAIN = {zero + value: str(value) for zero in _ZEROS for value in range(10)}
_PLAIN |= {ord("．"): ".", ord("／"): "/", ord("％"): "%", ord("："): ":", ord("⁄"): "/"}
_PLAIN |= {ord("’"): "'", ord("‑"): "-", ord("‐"): "-", ord("＝"): "=", ord("＋"): "+", ord("＊"): "*"}
_PLAIN |= {0x202F: "\xa0", 0x2009: "\xa0", 0x2007: "\xa0"}

_SPECIAL = re.compile(f"[{re.escape(''.join(map(chr, _PLAIN)))}]")
# Elsewhere the full-width comma stands between words.
_WIDE_GROUP = re.compile("(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")


def read_numbers(text: str, language: str) -> list[Number]:
    """The numbers of a text, in order of occurrence.

    Args:
        text: any text; what can't be read as a number is passed over.
        language: ISO 639-1, one of `mcot.core.languages.LANGUAGES`.

    Raises:
        UserError: the language is unknown.
    """
    lexicon = load_lexicon(language)
    plain = one_case(text)
    if not text.isascii() and _SPECIAL.search(plain):
        plain = _WIDE_GROUP.sub(",", plain).translate(_PLAIN)
    parts = _find_parts(plain, lexicon)
    if lexicon.names:
        parts = [part for part, after in pairwise([*parts, None]) if part and not _is_name(text, part, after, lexicon)]
    grammar = GRAMMARS[language]
    numbers: list[Number] = []
    index, count, joins = 0, len(parts), language in JOINING
    while index < count:
        part = parts[index]
        if index + 1 < count and parts[index + 1].start - part.end <= WIDEST_GAP:
            part, index = compose(plain, parts, index, grammar, language)
        else:
            index += 1
        if joins and index < count and parts[index].start - part.end <= WIDEST_UNIT:
            following = parts[index]
            joined = join_half(plain, part, following, language) or join_share(plain, part, following, language)
            part, index = (joined, index + 1) if joined is not None else (part, index)
        if part.value.denominator > 1:
            add_article(plain, part, language)
            consider_duration(plain, part, language)
        consider_context(text, plain, part, language)
        # A date has an article whether it is new or not: "from the 3rd to the 8th".
        part.definite = (
            part.definite
            or (plain.endswith(lexicon.definite, 0, part.start) and not plain.startswith(_ORDINAL_ENDS, part.end))
            or (lexicon.definite_after is not None and lexicon.definite_after.match(plain, part.end) is not None)
        )
        if not part.factor and (
            lexicon.times.match(plain, part.end) or plain.endswith(lexicon.times_before, 0, part.start)
        ):
            part.factor = part.value.denominator == 1 and 1 < part.value.numerator < _LARGEST_FACTOR
        if part.factor and lexicon.fewer is not None and lexicon.fewer.match(plain, part.end):
            _turn_round(part, language)
        numbers.append(
            Number(
                part.value,
                part.start,
                part.end,
                text[part.start : part.end],
                part.certain,
                part.alternatives,
                part.ordinal,
                part.definite,
                part.factor,
                part.pair,
            )
        )
    return numbers


def _is_name(text: str, part: Part, after: Part | None, lexicon: Lexicon) -> bool:
    """Whether a number word is somebody's name: "Mia ana", but not "Mia mbili", two hundred."""
    word = text[part.start : part.end]
    counted = after is not None and after.start - part.end == 1
    return not counted and word[0].isupper() and word.lower() in lexicon.names


def _turn_round(part: Part, language: str) -> None:
    """Make a third of "three times less"; English uses it loosely, so there it is one reading of two."""
    if language == "en":
        part.alternatives = (*part.alternatives, 1 / part.value)
    else:
        part.value, part.certain, part.factor = 1 / part.value, True, False


def _find_parts(plain: str, lexicon: Lexicon) -> list[Part]:
    parts: list[Part] = []
    language, words = lexicon.language, lexicon.words
    for match in lexicon.pattern.finditer(plain):
        group = match.lastgroup
        if group is None:
            continue
        start, end = match.span(group)
        token = plain[start:end]
        if group == "digits":
            parts += _read_digit_token(plain, token, start, language)
        elif group == "word":
            word = words[token.replace("\xa0", " ")]
            if word.kind != "none":
                parts.append(Part(start, end, *word))
        elif group == "spoken":
            parts.append(Part(start, end, "cardinal", read_spoken_decimal(token)))
        elif group == "run":
            read = read_ideographs(token, language)
            if read is not None:
                value, certain = read
                certain = certain or (value > 1 and bool(lexicon.counters.match(plain, end)))
                elided = read_elided(token) if language == "zh" else None
                alternatives = () if elided is None else (elided,)
                parts.append(Part(start, end, "cardinal", value, certain, alternatives))
        elif group == "derived":
            prefix = next(token[:size] for size in range(len(token), 0, -1) if token[:size] in lexicon.prefixes)
            parts.append(Part(start, end, "derived", lexicon.prefixes[prefix], False, ()))
        else:
            fused = _read_fused(token, lexicon)
            if fused is not None:
                parts.append(Part(start, end, *fused, ()))
    return parts


def _read_digit_token(plain: str, token: str, start: int, language: str) -> list[Part]:
    """The numbers of a token in digits, a sum of money with its scale."""
    readings, end = read_digits(token, language), start + len(token)
    if len(readings) != 1:
        return _spread(readings, token, start)
    value, alternatives = readings[0]
    scale = read_scale(plain, start, end) if end < len(plain) else None
    if scale is not None:
        return [Part(start, scale[1], "digits", value * scale[0])]
    return [Part(start, end, "digits", value, True, alternatives)]


def _spread(readings: Sequence[tuple[Fraction, tuple[Fraction, ...]]], token: str, start: int) -> list[Part]:
    """The numbers of a token that holds several ("1,2,3"), each in its place."""
    places = [match.span() for match in re.finditer(r"[0-9]+", token)]
    if len(places) != len(readings):
        places = [(0, len(token))] * len(readings)
    return [
        Part(start + first, start + last, "digits", value, True, alternatives)
        for (first, last), (value, alternatives) in zip(places, readings, strict=True)
    ]


def _read_fused(token: str, lexicon: Lexicon) -> tuple[str, Fraction, bool] | None:
    """A German compound: "zweihundertfünfzig" is 250, "dreistündig" 3 (an adjective, so not certain)."""
    total: Fraction = Fraction(0)
    current: Fraction = Fraction(0)
    rest, und, morphemes = token, False, lexicon.morphemes
    while rest:
        if rest.startswith("und"):
            rest, und = rest[3:], True
            continue
        size = next((size for size in range(min(len(rest), 10), 2, -1) if rest[:size] in morphemes), 0)
        if not size:
            break
        value = morphemes[rest[:size]]
        rest = rest[size:]
        if value == 1000:
            total, current = (total + current or Fraction(1)) * 1000, Fraction(0)
        elif value == 100:
            current = (current or Fraction(1)) * 100
        else:
            current += value
    value = total + current
    if not rest:
        return "cardinal", value, True
    return ("ordinal", value, False) if value > 1 or und else None
