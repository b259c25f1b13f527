"""The stage that runs every check over a table."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from curation.checks.base import Check
from mcot.core.rows import SCHEMA, SCORES, cast
from mcot.core.runs import sign

__all__ = ["CheckStage"]


class CheckStage:
    """Adds every check's scores, and what it observed, to the rows that are translations.

    Until rows are decided, `reasons` and `details` hold observations: all that could become a reason.
    """

    name = "check"

    notify: Callable[[str], None] | None = None

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks
        self.signature = sign("check", 1, {check.name: check.signature for check in checks})

    def open(self) -> None:
        """Open every check."""
        for check in self._checks:
            check.open()

    def close(self) -> None:
        """Nothing to let go of: what checks load is small, and shared."""

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Fill `scores`, `reasons` and `details` of the translations."""
        languages, decisions = table["language"].to_pylist(), table["decision"].to_pylist()
        places = [
            index
            for index, (language, decision) in enumerate(zip(languages, decisions, strict=True))
            if language != "en" and decision is None
        ]
        translations = table.take(pa.array(places, pa.int64()))
        scores = [row or dict.fromkeys(SCORES) for row in table["scores"].to_pylist()]
        reasons = [list(row or []) for row in table["reasons"].to_pylist()]
        details = [list(row or []) for row in table["details"].to_pylist()]
        for check in self._checks:
            scored = check.score(translations)
            for name, values in scored.scores.items():
                for place, value in zip(places, values, strict=True):
                    scores[place][name] = value
            for place, observations in zip(places, scored.observations, strict=True):
                for reason, part, detail in observations:
                    reasons[place].append(reason)
                    details[place].append(f"{part}: {detail}")
        for name, column in (("scores", scores), ("reasons", reasons), ("details", details)):
            index = SCHEMA.get_field_index(name)
            table = table.set_column(index, SCHEMA.field(index), pa.array(column, SCHEMA.field(index).type))
        return cast(table)
