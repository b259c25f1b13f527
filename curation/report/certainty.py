"""How certain it is that what a check found in a translation is a true error.

A person who can't read the language looks at few rows, and should look at true errors first. The measure
orders the findings of a report and is no probability. It is made of what a decided row has:

    strength  = kind * (0.7 + 0.3 * depth)
    certainty = 1 - (1 - strength) * 0.5 ** (other checks + several + back-translation)

- `kind`, 0 to 1: what kind of evidence the reason is. A digit that changed is seldom a way of saying the same; a
  number word that is missing may be ("both", "a pair"); order alone may be grammar.
- `depth`, 0 to 1: how far the score is below its band: 0 at `keep`, 0.5 at `drop`, 1 at a score of 0.
- other checks: how many more checks fail the same part of the row, below their `drop`.
- several: 1 if the reason was given more than once: three numbers missing, or a text both short and without its end.
- back-translation, for numbers: 1 if it has the same error, -1 if it has the source's number after all.

A row fails many checks for one error: a copied source has no number words either. Its finding is the strongest of
its reasons, and the others speak for it.
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from curation.checks.base import PARTS
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.numbers import read_numbers
from mcot.core.rows import SCORES

__all__ = ["FOUND_IN", "Certainty", "check_of", "find_part", "find_strongest"]

# Reasons of rows and of sources accuse no translation.
_NO_FINDINGS = ("row", "source")
FOUND_IN = tuple(sorted({field.rpartition("_")[0] for field in SCORES}))

# By judgement: what is compared as signs (copied words, digits, equations) is rarely wrong, what rests on an
# expectation (length) or on a model's text (back-translation) may be. The second is for number words: of the
# human translations of MGSM that fail, most fail for a word.
_UNKNOWN_KIND = 0.5
_KINDS = {
    "untranslated.copied": 0.95,
    "untranslated.partly": 0.85,
    "language.wrong": 0.9,
    "language.mixed": 0.85,
    "repetition.loop": 0.9,
    "numbers.changed": 0.9,
    "numbers.missing": 0.8,
    "numbers.added": 0.7,
    "numbers.order": 0.5,
    "equations.altered": 0.9,
    "equations.false": 0.95,
    "equations.source_false": 0.95,
    "equations.missing": 0.7,
    "equations.added": 0.6,
    "answer.differs": 0.9,
    "translation.unfinished": 0.9,
    "translation.spans_lost": 0.7,
    "length.short": 0.7,
    "length.long": 0.5,
    "length.unusual": 0.4,
    "back_translation.low": 0.4,
    "duplicates.near": 0.9,
    "quality_estimation.low": 0.4,
    "judge.meaning": 0.7,
    "judge.reasoning": 0.7,
    "judge.fluency": 0.4,
    "back_translation.missing": 0.1,
    "judge.unreadable": 0.1,
    "review.rejected": 1.0,
}
_LEAST_DEPTH = 0.7
_KIND_OF_CONTAMINATION = 0.9
_KINDS_OF_WORDS = {"numbers.changed": 0.6, "numbers.missing": 0.5, "numbers.added": 0.4, "numbers.order": 0.4}
_AGREEMENT = 0.5


class Certainty(NamedTuple):
    """How certain a finding is, and what speaks for it or against it.

    Attributes:
        value: 0 to 1.
        evidence: in words.
    """

    value: float
    evidence: list[str]


def check_of(reason: str) -> str | None:
    """The check whose score a reason belongs to; None for reasons of rows and sources, which are no findings."""
    name = reason.partition(".")[0]
    if name in _NO_FINDINGS:
        return None
    return "mixed" if reason == "language.mixed" else name


def find_part(detail: str) -> tuple[str | None, str]:
    """The part of a row that a detail is about, None where it names none, and the rest of the detail."""
    where, colon, rest = detail.partition(": ")
    return (where, rest) if colon and where in PARTS else (None, detail)


def find_strongest(row: Mapping[str, Any], bands: Mapping[str, Mapping[str, float]]) -> tuple[str, Certainty] | None:
    """The finding of a row: its strongest reason, and how certain it is; None where no reason is a finding.

    Args:
        row: of the schema, decided; `reasons`, `details`, `scores` and the back-translations are looked at.
        bands: of the row's language, by check: `keep` and `drop`.
    """
    best: tuple[float, str, str] | None = None
    scores = row["scores"] or {}
    for reason, detail in zip(row["reasons"] or [], row["details"] or [], strict=True):
        check = check_of(reason)
        if check is not None:
            part, rest = find_part(detail)
            depth, _ = _depth(scores, check, part, bands)
            strength = _kind(reason, rest) * (_LEAST_DEPTH + (1 - _LEAST_DEPTH) * depth)
            # Of two that are as strong, the same whatever the order of the details.
            if best is None or (strength, reason, detail) > best:
                best = strength, reason, detail
    return None if best is None else (best[1], _measure(row, best, bands))


def _measure(
    row: Mapping[str, Any], found: tuple[float, str, str], bands: Mapping[str, Mapping[str, float]]
) -> Certainty:
    strength, reason, detail = found
    check, (part, rest) = check_of(reason), find_part(detail)
    scores = row["scores"] or {}
    _, evidence = _depth(scores, check, part, bands)
    others = [name for name in FOUND_IN if name != check and _fails(scores, name, part, bands)]
    if others:
        evidence.append("another check fails" if len(others) == 1 else f"{len(others)} other checks fail")
    times = row["reasons"].count(reason)
    if times > 1:
        evidence.append(f"found {times} times")
    back = _confirmation(row, part, rest) if check == "numbers" and part else 0
    if back:
        evidence.append("the back-translation has the same error" if back > 0 else "but the back-translation is right")
    doubt = min(1.0, (1 - strength) * _AGREEMENT ** (len(others) + (times > 1) + back))
    return Certainty(round(1 - doubt, 4), evidence)


def _kind(reason: str, rest: str) -> float:
    if reason in _KINDS_OF_WORDS and not any(character.isdigit() for character in rest):
        return _KINDS_OF_WORDS[reason]
    if reason.startswith("contamination."):
        return _KIND_OF_CONTAMINATION
    return _KINDS.get(reason, _UNKNOWN_KIND)


@cache
def _fields(check: str | None, part: str | None) -> tuple[str, ...]:
    """A check's score fields for a part; all of them where it has none for that part, or none is named."""
    own = tuple(field for field in SCORES if field.rpartition("_")[0] == check)
    return tuple(field for field in own if part and field.endswith(f"_{part}")) or own


def _depth(
    scores: Mapping[str, float | None],
    check: str | None,
    part: str | None,
    bands: Mapping[str, Mapping[str, float]],
) -> tuple[float, list[str]]:
    """How far below its band the lowest score is, 0 to 1, and in words; the middle where nobody knows.

    What is no score is a person's verdict, below which there is nothing.
    """
    fields = _fields(check, part)
    if not fields:
        return 1.0, []
    known = [value for field in fields if (value := scores.get(field)) is not None]
    band = bands.get(check or "")
    if not known or band is None:
        return 0.5, []
    value, keep, drop = min(known), band["keep"], band["drop"]
    where = f"score {value:.3g}, kept from {keep:g}, dropped below {drop:g}"
    if value >= keep:
        return 0.0, [where]
    if value >= drop:
        return 0.5 * (keep - value) / (keep - drop), [where]
    return min(1.0, 0.5 + 0.5 * (drop - value) / drop) if drop > 0 else 1.0, [where]


def _fails(
    scores: Mapping[str, float | None], check: str, part: str | None, bands: Mapping[str, Mapping[str, float]]
) -> bool:
    if check not in bands:
        return False
    fields = [field for field in _fields(check, part) if part is None or field.endswith(f"_{part}")]
    return any((value := scores.get(field)) is not None and value < bands[check]["drop"] for field in fields)


def _confirmation(row: Mapping[str, Any], part: str, rest: str) -> int:
    """1 if the back-translation has the error of a detail on numbers, -1 if it has what the source has, else 0."""
    source, back = row[f"source_{part}"], row[f"back_{part}"]
    if not source or not back:
        return 0
    there = [number.value for number in read_numbers(back, ENGLISH.code)]
    lost, arrow, new = rest.partition(" -> ")
    if not arrow and rest.endswith(" is missing"):
        lost, new = rest.removesuffix(" is missing"), ""
    elif not arrow:
        return 0
    wanted = _value(lost)
    if wanted is None:
        return 0
    in_source = [number.value for number in read_numbers(source, ENGLISH.code)].count(wanted)
    if there.count(wanted) >= in_source:
        return -1
    changed = _value(new, row["language"]) if new else None
    return 1 if not new or (changed is not None and changed in there) else 0


def _value(text: str, language: str = ENGLISH.code) -> Fraction | None:
    found = read_numbers(text, language if language in LANGUAGES else ENGLISH.code)
    return found[0].value if len(found) == 1 else None
