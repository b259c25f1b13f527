"""People's verdicts, applied to decided rows: what they accepted is kept, what they corrected is checked again."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from curation.checks.stage import CheckStage
from curation.decide import DecideStage
from mcot.core.reviews import sign_source, sign_translation
from mcot.core.rows import SCORES, cast, from_rows
from mcot.core.runs import sign

__all__ = ["VerdictStage"]

# Scores that are of the problem, or of the translator's work, and not of the words that a person corrected.
_OF_THE_PROBLEM = ("duplicates_question", "contamination_question")
_OF_THE_PROBLEM_REASONS = ("duplicates.", "contamination.")


# By language and id.
_Verdicts = dict[tuple[str, str], dict[str, Any]]


class VerdictStage:
    """The stage that applies resolved verdicts.

    - `accept`: the row is kept, and keeps the reasons that people overruled. If it was translated anew since, it gets
      the accepted translation back.
    - `fix`: the row gets the corrected texts, which are checked and decided as any other. Where the checks find fault
      with them they go to review: a person and a check disagree, so another person is to look.
    - `reject`: the row is dropped, unless its translation is another one now.

    Several verdicts on a row are applied one after another, by review round: a later one is on what the earlier ones
    made of it. A verdict stands while the English texts do. A problem that is a duplicate or a benchmark's stays
    dropped, however well it is translated.

    Args:
        resolved: `mcot.core.reviews.RESOLVED_SCHEMA`.
        check: the run's checks.
        decide: the run's decisions.
        carry: whether a row that was translated anew gets the judged translation back. Not in a set from elsewhere,
            where several rows may have one id.
    """

    name = "verdicts"

    notify: Callable[[str], None] | None = None

    def __init__(self, resolved: pa.Table, check: CheckStage, decide: DecideStage, *, carry: bool) -> None:
        rows = [row for row in resolved.to_pylist() if row["verdict"] is not None]
        # A row may have several: one on its translation, the next on what a person made of it.
        self._steps: list[_Verdicts] = []
        count: Counter[tuple[str, str]] = Counter()
        for row in sorted(rows, key=lambda row: row["review_round"]):
            key = (row["language"], row["id"])
            if count[key] == len(self._steps):
                self._steps.append({})
            self._steps[count[key]][key] = row
            count[key] += 1
        self._check, self._decide, self._carry = check, decide, carry
        self.signature = sign("verdicts", 3, rows, check.signature, decide.signature, carry)

    def open(self) -> None:
        """Load what the checks need, if anything was corrected."""
        self._check.open()
        self._decide.open()

    def close(self) -> None:
        """Let go of it."""
        self._check.close()
        self._decide.close()

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Apply the verdicts on the table's rows, and fill their `review`."""
        for verdicts in self._steps:
            table = self._process(table, shard, verdicts)
        return table

    def _process(self, table: pa.Table, shard: int, verdicts: _Verdicts) -> pa.Table:
        keys = zip(table["language"].to_pylist(), table["id"].to_pylist(), strict=True)
        places = [place for place, key in enumerate(keys) if key in verdicts]
        if not places:
            return table
        rows = table.take(pa.array(places)).to_pylist()
        changed = {
            place: row for place, row in zip(places, self._apply(rows, shard, verdicts), strict=True) if row is not None
        }
        if not changed:
            return table
        # The table is sliced around the few rows that change: Python sees no other.
        pieces, start = [], 0
        for place, row in sorted(changed.items()):
            pieces += [table.slice(start, place - start), from_rows([row])]
            start = place + 1
        return cast(pa.concat_tables([*pieces, table.slice(start)]).combine_chunks())

    def _apply(self, rows: list[dict[str, Any]], shard: int, verdicts: _Verdicts) -> list[dict[str, Any] | None]:
        """Each row with its verdict applied; None where it stays as it is."""
        result: list[dict[str, Any] | None] = [None] * len(rows)
        again: dict[int, dict[str, Any]] = {}
        for place, row in enumerate(rows):
            verdict = verdicts[row["language"], row["id"]]
            if verdict["source_signature"] != sign_source(row["source_question"], row["source_rationale"]):
                continue
            same = verdict["translation_signature"] == sign_translation(row["question"], row["rationale"])
            if verdict["verdict"] == "reject":
                result[place] = _reject(row, verdict) if same else None
                continue
            if verdict["verdict"] == "accept" and same:
                result[place] = _keep(row, verdict)
                continue
            if not same and verdict["verdict"] == "fix" and _has_texts(row, verdict):
                # Corrected before: a set that was audited keeps its rows' corrected texts, and what is translated
                # anew takes them in the translator's place.
                result[place] = row | {"review": _review(verdict)}
                if self._carry:
                    result[place] = self._judge(dict(row), row, verdict)
                continue
            if same or self._carry:
                again[place] = _with_texts(row, verdict)
        if again:
            table = from_rows([row | {"decision": None} for row in again.values()])
            decided = self._decide.process(self._check.process(table, shard), shard).to_pylist()
            for (place, before), row in zip(again.items(), decided, strict=True):
                result[place] = self._judge(row, before, verdicts[row["language"], row["id"]])
        return result

    def _judge(self, row: dict[str, Any], before: Mapping[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
        """What comes of a row whose texts are a person's, once they are checked."""
        row["round"] = before["round"]
        if verdict["verdict"] == "accept":
            return _keep(row, verdict)
        row["review"] = _review(verdict)
        if row["decision"] == "drop" and not _is_of_the_problem(row["reasons"]):
            row["decision"] = "review"
        return row


def _is_of_the_problem(reasons: list[str] | None) -> bool:
    return any(reason.startswith(_OF_THE_PROBLEM_REASONS) for reason in reasons or [])


def _review(verdict: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: verdict[name] for name in ("verdict", "reviewers", "error_types", "agreement")}
    return {**fields, "round": verdict["review_round"]}


def _keep(row: dict[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
    decision = row["decision"] if _is_of_the_problem(row["reasons"]) else "keep"
    return {**row, "decision": decision, "review": _review(verdict)}


def _reject(row: dict[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
    review = _review(verdict)
    found = list(zip(row["reasons"] or [], row["details"] or [], strict=True))
    found = [(reason, detail) for reason, detail in found if reason != "review.rejected"]
    what = ", ".join(review["error_types"] or []).replace("_", " ") or "no error type given"
    found.append(("review.rejected", f"by {len(review['reviewers'] or [])} of its reviewers: {what}"))
    reasons, details = zip(*found, strict=True)
    return {**row, "decision": "drop", "reasons": list(reasons), "details": list(details), "review": review}


def _has_texts(row: Mapping[str, Any], verdict: Mapping[str, Any]) -> bool:
    return all(row[name] == verdict[name] for name in ("question", "rationale"))


def _with_texts(row: dict[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The row with a person's texts, without what was found of the old ones."""
    scores = dict.fromkeys(SCORES) | {name: (row["scores"] or {}).get(name) for name in _OF_THE_PROBLEM}
    found = [
        (reason, detail)
        for reason, detail in zip(row["reasons"] or [], row["details"] or [], strict=True)
        if reason.startswith(_OF_THE_PROBLEM_REASONS)
    ]
    return {
        **row,
        "question": verdict["question"],
        "rationale": verdict["rationale"],
        # They are of the old texts.
        "back_question": None,
        "back_rationale": None,
        "scores": scores,
        "reasons": [reason for reason, _ in found],
        "details": [detail for _, detail in found],
    }
