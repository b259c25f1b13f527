"""Numbers, compared as values: whatever the script, in digits or words, the translation has the source's."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa

from curation.checks.base import Observation, Part, Scored, score_parts
from mcot.core.numbers import (
    Number,
    find_holes,
    find_swap,
    find_swap_by_neighbours,
    read_numbers,
    unmatched_numbers,
)
from mcot.core.runs import sign

__all__ = ["Compared", "NumbersCheck", "compare_numbers"]

# One English text is the source of ten rows in a row; a long one is not worth keeping.
_REMEMBERED = 4096
_LONGEST_REMEMBERED = 4000
# Where the 1 of "one in four" is always written.
_WRITE_ONES = frozenset({"ja", "zh"})
# Whose verb comes last and whose clauses come in another order than in English.
_OTHER_ORDER = frozenset({"bn", "te", "ja"})
# All values are there, so it is for people to see: order alone is weaker evidence than a lost number.
_SWAPPED = 0.9


class Compared(NamedTuple):
    """The numbers of a text and of its translation.

    Attributes:
        source: of the English text.
        translation: of its translation.
        missing: of the source, what the translation lacks.
        added: of the translation, what the source lacks.
    """

    source: Sequence[Number]
    translation: Sequence[Number]
    missing: list[Number]
    added: list[Number]


class NumbersCheck:
    """Scores how far the numbers of source and translation correspond: 1.0 when all of them do."""

    name = "numbers"
    signature = sign("numbers", 7)

    def open(self) -> None:
        """Nothing to load: a language's words are read when its first row comes."""

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale.

        Observes `numbers.missing`, `numbers.added`, `numbers.changed`, and `numbers.order` where all values are
        there but two have changed places.
        """
        return score_parts(
            table,
            lambda part: (f"source_{part}", part),
            _score,
            name=self.name,
            optional=lambda part: (f"back_{part}", "source_question"),
        )


def _score(
    source: str, translation: str, back: str | None = None, problem: str | None = None, *, language: str, part: Part
) -> tuple[float, list[Observation]]:
    theirs, ours, missing, added = compare_numbers(source, translation, language)
    if part == "rationale" and added and not missing and not _repeats_line(translation):
        added = _without_known(added, theirs, problem)
    holes = find_holes(translation, language, source, ours)
    if not missing and not added and not holes:
        swap = find_swap(theirs, ours, source, translation, language, same_order=language not in _OTHER_ORDER)
        if swap is None and back:
            swap = find_swap_by_neighbours(theirs, _read_source(back), source, back)
        if swap is None:
            return 1.0, []
        return _SWAPPED, [Observation("numbers.order", part, f"{swap[0].text} and {swap[1].text} changed places")]
    wrong = len(missing) + len(added) + len(holes)
    total = sum(number.certain for number in theirs) + sum(number.certain for number in ours) + len(holes)
    return max(0.0, 1 - wrong / max(total, wrong)), _observe(missing, added, holes, part)


def compare_numbers(source: str, translation: str, language: str) -> Compared:
    """What numbers an English text and its translation have, and which of them do not correspond."""
    theirs, ours = _read_source(source), read_numbers(translation, language)
    missing, added = unmatched_numbers(
        theirs,
        ours,
        writes_ones=language in _WRITE_ONES,
        texts=(source, translation),
        same_order=language not in _OTHER_ORDER,
        language=language,
    )
    return Compared(theirs, ours, missing, added)


def _without_known(added: Sequence[Number], source: Sequence[Number], problem: str | None) -> list[Number]:
    """Without what a solution says again of its problem or of itself: "Ellie's 8 + Riley's 5" as two sentences."""
    numbers = [*source, *(_read_source(problem) if problem else ())]
    known = {value for number in numbers for value in (number.value, *number.alternatives)}
    return [number for number in added if number.value not in known]


def _repeats_line(text: str) -> bool:
    """Whether a line stands in a text twice: a step that was repeated says nothing anew."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return len(set(lines)) < len(lines)


def _read_source(text: str) -> Sequence[Number]:
    return _read_remembered(text) if len(text) <= _LONGEST_REMEMBERED else read_numbers(text, "en")


@lru_cache(maxsize=_REMEMBERED)
def _read_remembered(text: str) -> tuple[Number, ...]:
    return tuple(read_numbers(text, "en"))


def _observe(missing: list[Number], added: list[Number], holes: list[str], part: Part) -> list[Observation]:
    if len(missing) == len(added) == 1 and not holes:
        return [Observation("numbers.changed", part, f"{missing[0].text} -> {added[0].text}")]
    return [
        *(Observation("numbers.missing", part, f"{number.text} is missing") for number in missing),
        *(Observation("numbers.missing", part, f"{counter} counts nothing") for counter in holes),
        *(Observation("numbers.added", part, f"{number.text} is not in the source") for number in added),
    ]
