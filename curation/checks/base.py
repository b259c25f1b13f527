"""What every check is."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import pyarrow as pa

__all__ = [
    "PARTS",
    "Check",
    "Observation",
    "Outcome",
    "Part",
    "Scored",
    "column_values",
    "score_parts",
    "score_parts_together",
]

Part = Literal["question", "rationale"]
PARTS: tuple[Part, ...] = ("question", "rationale")


class Observation(NamedTuple):
    """Something that a check saw, and that becomes a row's reason if the check's score is too low.

    Attributes:
        reason: namespaced by the check, e.g. `numbers.changed`.
        part: of the row, where it was seen.
        detail: short and for people: which number, which segment.
    """

    reason: str
    part: Part
    detail: str


@dataclass(slots=True)
class Scored:
    """A check's outcome for a table.

    Attributes:
        scores: a list a score field (see `mcot.core.rows.SCORES`), a value a row; higher is better, None
            where the check does not apply.
        observations: a list a row.
    """

    scores: dict[str, list[float | None]]
    observations: list[list[Observation]] = field(default_factory=list)


class _LastTable(threading.local):
    """What was read of the table that was asked for last, by a thread."""

    table: pa.Table | None = None
    columns: dict[str, list[Any]]


_last = _LastTable()


def column_values(table: pa.Table, name: str) -> list[Any]:
    """A column's values, not to be changed. Read once for all the checks of a table, which then share its texts."""
    if _last.table is not table:
        _last.table, _last.columns = table, {}
    values = _last.columns.get(name)
    if values is None:
        values = _last.columns[name] = table[name].to_pylist()
    return values


class Check(Protocol):
    """Scores the rows of a table.

    Attributes:
        name: as in the settings' thresholds, and the namespace of its reasons.
        signature: its version and settings; when it changes, rows are checked again.
    """

    name: str
    signature: str

    def open(self) -> None:
        """Load what is expensive, once a process."""

    def score(self, table: pa.Table) -> Scored:
        """Score every row. English rows are passed in to those alone that look at sources (`CheckStage`)."""


# The score of one part of a row, and what was seen there.
Outcome = tuple[float | None, Sequence[Observation]]


def score_parts(
    table: pa.Table,
    columns: Callable[[Part], Sequence[str]],
    score: Callable[..., Outcome],
    *,
    name: str,
    optional: Callable[[Part], Sequence[str]] = lambda _: (),
) -> Scored:
    """Apply a function of one text's columns to question and rationale of every row.

    Args:
        columns: the columns that the function takes, for a part; where one of them is null, the score is.
        score: takes the columns' values, then the optional ones', then `language=` and `part=`.
        name: of the check; the score fields are `{name}_question` and `{name}_rationale`.
        optional: columns that may be null.
    """

    def score_each(rows: Sequence[tuple[Any, ...]], languages: Sequence[str], part: Part) -> Iterator[Outcome]:
        for texts, language in zip(rows, languages, strict=True):
            yield score(*texts, language=language, part=part)

    return score_parts_together(table, columns, score_each, name=name, optional=optional)


def score_parts_together(
    table: pa.Table,
    columns: Callable[[Part], Sequence[str]],
    score: Callable[[Sequence[tuple[Any, ...]], Sequence[str], Part], Iterable[Outcome]],
    *,
    name: str,
    optional: Callable[[Part], Sequence[str]] = lambda _: (),
) -> Scored:
    """As `score_parts`, by a function of all rows at once.

    Args:
        score: takes a tuple a row that has a score, of the columns' values and the optional ones'; the rows'
            languages; and the part.
    """
    languages = column_values(table, "language")
    scored = Scored({}, [[] for _ in languages])
    for part in PARTS:
        required = columns(part)
        scores: list[float | None] = [None] * len(languages)
        scored.scores[f"{name}_{part}"] = scores
        # A set of questions alone has no second part.
        if any(table[column].null_count == len(languages) for column in required):
            continue
        values = [column_values(table, column) for column in (*required, *optional(part))]
        last = len(required)
        # An empty translation of a text is a translation, and a bad one.
        rows = [(place, texts) for place, texts in enumerate(zip(*values, strict=True))
                if None not in texts[:last] and any(texts[:last])]  # fmt: skip
        places = [place for place, _ in rows]
        outcomes = score([texts for _, texts in rows], [languages[place] for place in places], part)
        for place, (value, observations) in zip(places, outcomes, strict=True):
            scores[place] = value
            if observations:
                scored.observations[place].extend(observations)
    return scored
