"""Queues and verdicts for tests: one row of Swahili, as it was shown, and what people say of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from mcot.core.reviews import QUEUE_SCHEMA, VERDICT_SCHEMA, sign_source, sign_translation

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
SHOWN = {"source_question": "Ann has 3 apples.", "question": "Ana tufaha 2.", "rationale": "Ana 3."}


def queued(name: str = "a", min_submitted: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "language": "sw",
        "id": name,
        "review_round": 1,
        "stratum": "review",
        "min_submitted": min_submitted,
        "source_signature": sign_source(SHOWN["source_question"], None),
        "translation_signature": sign_translation(SHOWN["question"], SHOWN["rationale"]),
        "row": {"id": name, "language": "sw", **SHOWN},
        **changes,
    }


def said(annotator: str, verdict: str, question: str | None = None, minute: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "language": "sw",
        "id": "a",
        "review_round": 1,
        "annotator": annotator,
        "adjudication": False,
        "submitted_at": BEGIN + timedelta(minutes=minute),
        "verdict": verdict,
        "error_types": [],
        "question": question,
        "origin": "argilla",
        "source_signature": sign_source(SHOWN["source_question"], None),
        "translation_signature": sign_translation(SHOWN["question"], SHOWN["rationale"]),
        **changes,
    }


def queue_of(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=QUEUE_SCHEMA)


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=VERDICT_SCHEMA)


GOOD = "Ana tufaha 3."
BETTER = "Ana ana tufaha 3."
