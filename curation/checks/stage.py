"""The stage that runs every check over a table."""

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from curation.checks.base import PARTS, Check, Scored, column_values
from mcot.core.languages import ENGLISH
from mcot.core.reading import expect
from mcot.core.rows import SCHEMA, SCORES, cast
from mcot.core.runs import sign

__all__ = ["CheckStage", "add_scored"]

_TEXTS = [column for part in PARTS for column in (part, f"source_{part}")]


class CheckStage:
    """Adds every check's scores, and what it observed, to the rows that are translations.

    Until rows are decided, `reasons` and `details` hold observations: all that could become a reason.

    Args:
        checks: in the order in which their observations stand.
        english: those of them that look at English rows too.
    """

    name = "check"

    notify: Callable[[str], None] | None = None

    def __init__(self, checks: Sequence[Check], *, english: Sequence[Check] = ()) -> None:
        self._checks = checks
        self._english = {check.name for check in english}
        self.signature = sign("check", 2, {check.name: check.signature for check in checks}, sorted(self._english))

    def open(self) -> None:
        """Open every check."""
        for check in self._checks:
            check.open()

    def close(self) -> None:
        """Nothing to let go of: what checks load is small, and shared."""

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Fill `scores`, `reasons` and `details` of the rows that are not decided yet."""
        languages, decisions = table["language"].to_pylist(), table["decision"].to_pylist()
        undecided = [place for place, decision in enumerate(decisions) if decision is None]
        translated = [place for place in undecided if languages[place] != ENGLISH.code]
        translations, both = _take(table, translated), _take(table, undecided)
        expect(text for name in _TEXTS for text in column_values(translations, name))
        results = []
        for check in self._checks:
            wide = check.name in self._english
            results.append((undecided, check.score(both)) if wide else (translated, check.score(translations)))
        return add_scored(table, results)


def _take(table: pa.Table, places: Sequence[int]) -> pa.Table:
    return table if len(places) == len(table) else table.take(pa.array(places, pa.int64()))


def add_scored(table: pa.Table, results: Iterable[tuple[Sequence[int], Scored]]) -> pa.Table:
    """Rows with the scores and the observations of checks beside those that they have.

    Args:
        table: of the schema, not decided.
        results: the places of the rows that a check was given, and its outcome.
    """
    scores = _score_columns(table)
    reasons = [list(row or []) for row in table["reasons"].to_pylist()]
    details = [list(row or []) for row in table["details"].to_pylist()]
    for places, scored in results:
        every = len(places) == len(table)
        for name, values in scored.scores.items():
            if every:
                scores[name] = values
                continue
            column = scores[name]
            for place, value in zip(places, values, strict=True):
                column[place] = value
        for place, observations in zip(places, scored.observations, strict=True):
            for reason, part, detail in observations:
                reasons[place].append(reason)
                details[place].append(f"{part}: {detail}")
    fields = SCHEMA.field("scores").type
    arrays = [pa.array(scores[field.name], field.type) for field in fields]
    columns = {
        "scores": pa.StructArray.from_arrays(arrays, fields=list(fields)),
        **{
            name: pa.array(column, SCHEMA.field(name).type)
            for name, column in (("reasons", reasons), ("details", details))
        },
    }
    for name, column in columns.items():
        index = SCHEMA.get_field_index(name)
        table = table.set_column(index, SCHEMA.field(index), column)
    return cast(table)


def _score_columns(table: pa.Table) -> dict[str, list[float | None]]:
    """The scores that the rows have, by name."""
    column = table["scores"]
    if column.null_count == len(table):
        return {name: [None] * len(table) for name in SCORES}
    return {name: pc.struct_field(column, name).to_pylist() for name in SCORES}
