"""The findings of a run: what is wrong with which row, the most certain first, in memory that does not grow."""

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from curation.report.certainty import Certainty, find_strongest
from curation.report.samples import describe, digest, language_order, row_of
from mcot.core.languages import ENGLISH
from mcot.core.reasons import explain

__all__ = ["MOST", "Findings"]

# Rows shown of each reason and language.
MOST = 5

_COLUMNS = (
    "id", "language", "reasons", "details", "scores", "question", "source_question", "back_question",
    "source_rationale", "back_rationale",
)  # fmt: skip


class _Finding(NamedTuple):
    """A row that is shown. `order` is the key: equally certain ones are drawn as samples are."""

    order: tuple[float, bytes]
    row: dict[str, Any]
    certainty: Certainty


class Findings:
    """The most certain rows of every reason and language, out of any number of rows; a row under one reason only.

    Held are `MOST` rows for each pair of a reason and a language, whatever the number of rows; the same rows give
    the same findings in any order.

    Args:
        bands: by language and check, of `keep` and `drop`.
    """

    def __init__(self, bands: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
        self._bands = bands
        self._rows: Counter[tuple[str, str]] = Counter()
        self._best: defaultdict[tuple[str, str], list[_Finding]] = defaultdict(list)

    def add(self, table: pa.Table) -> None:
        """Consider a shard's rows: translations that are not kept."""
        columns = table["decision"].to_pylist(), table["language"].to_pylist()
        wanted = [decision != "keep" and language != ENGLISH.code for decision, language in zip(*columns, strict=True)]
        rejected = table.filter(pa.array(wanted, pa.bool_()))
        for index, row in enumerate(rejected.select(list(_COLUMNS)).to_pylist()):
            if (found := find_strongest(row, self._bands.get(row["language"], {}))) is not None:
                reason, certainty = found
                self._consider(row, reason, certainty, partial(row_of, rejected, index))

    def _consider(
        self, row: Mapping[str, Any], reason: str, certainty: Certainty, whole: Callable[[], dict[str, Any]]
    ) -> None:
        group = reason, row["language"]
        self._rows[group] += 1
        best = self._best[group]
        order = -certainty.value, digest(f"{row['id']}\0{row['question']}")
        if len(best) < MOST or order < best[-1].order:
            insort(best, _Finding(order, whole(), certainty), key=lambda finding: finding.order)
            del best[MOST:]

    def list(self) -> list[dict[str, Any]]:
        """The groups: the one with the most certain finding first, then the one with more rows.

        Returns:
            For each reason `reason`, `meaning` (in a sentence), `rows` (whose strongest reason it is) and
            `languages`; for each of the languages `code`, `rows` and `findings`: samples as `describe` gives them,
            each with `certainty` (0 to 1) and `evidence` (sentences).
        """
        groups = []
        for reason in {reason for reason, _ in self._best}:
            codes = sorted((code for name, code in self._best if name == reason), key=language_order)
            languages = [
                {
                    "code": code,
                    "rows": self._rows[reason, code],
                    "findings": [_show(finding, reason) for finding in self._best[reason, code]],
                }
                for code in codes
            ]
            rows = sum(self._rows[reason, code] for code in codes)
            groups.append({"reason": reason, "meaning": explain(reason).sentence, "rows": rows, "languages": languages})
        return sorted(groups, key=lambda group: (-self._most(group), -int(group["rows"]), group["reason"]))

    def _most(self, group: Mapping[str, Any]) -> float:
        """The certainty of a group: the median of its languages' first ones, which one odd row can't raise."""
        firsts = sorted(language["findings"][0]["certainty"] for language in group["languages"])
        return float(firsts[len(firsts) // 2])


def _show(finding: _Finding, reason: str) -> dict[str, Any]:
    value, evidence = finding.certainty
    return {**describe(finding.row, reason), "certainty": value, "evidence": evidence}
