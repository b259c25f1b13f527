"""The Arrow schema of a row, which every stage takes and gives back as a `pyarrow.Table`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

__all__ = ["DECISIONS", "SCHEMA", "SCORES", "UNSCORED_REASONS", "cast", "from_rows", "renew", "row_id", "source_row"]

DECISIONS = ("keep", "review", "drop")

# One field a score; higher is better in all of them, null where a check did not run. Those of a text are
# given for its question and its rationale.
SCORES = (
    "translation_ended",
    "translation_spans",
    "language_question",
    "language_rationale",
    "numbers_question",
    "numbers_rationale",
    "back_translation_question",
    "back_translation_rationale",
    "length_question",
    "length_rationale",
    "untranslated_question",
    "untranslated_rationale",
    "mixed_question",
    "mixed_rationale",
    "repetition_question",
    "repetition_rationale",
    "equations_rationale",
    "answer_rationale",
    "duplicates_question",
    "contamination_question",
    "quality_estimation_question",
    "quality_estimation_rationale",
    "judge_question",
    "judge_rationale",
)

# A check that was to give a score and could not: what nobody judged does not pass, whatever its other scores.
UNSCORED_REASONS = ("back_translation.missing", "judge.unreadable")

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("problem_id", pa.string()),
        ("source", pa.string()),
        ("license", pa.string()),
        ("language", pa.string()),
        ("source_question", pa.string()),
        ("source_rationale", pa.string()),
        ("answer", pa.string()),
        ("question", pa.string()),
        ("rationale", pa.string()),
        ("translator", pa.string()),
        ("back_question", pa.string()),
        ("back_rationale", pa.string()),
        ("scores", pa.struct([(name, pa.float64()) for name in SCORES])),
        ("decision", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("details", pa.list_(pa.string())),
        (
            "review",
            pa.struct(
                [
                    ("verdict", pa.string()),
                    ("reviewers", pa.list_(pa.string())),
                    ("error_types", pa.list_(pa.string())),
                    ("agreement", pa.float64()),
                    ("round", pa.int32()),
                ]
            ),
        ),
        ("round", pa.int32()),
    ]
)


def row_id(problem_id: str, language: str) -> str:
    """The id of a problem's row in a language."""
    return f"{problem_id}-{language}"


def source_row(
    *, problem_id: str, source: str, license: str, question: str, rationale: str | None, answer: str | None
) -> dict[str, Any]:
    """The English row of a problem: its translation is itself."""
    return {
        "id": row_id(problem_id, "en"),
        "problem_id": problem_id,
        "source": source,
        "license": license,
        "language": "en",
        "source_question": question,
        "source_rationale": rationale,
        "answer": answer,
        "question": question,
        "rationale": rationale,
        "reasons": [],
        "details": [],
        "round": 0,
    }


def from_rows(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A table of the schema; a column that a row lacks is null there."""
    columns = [pa.array([row.get(field.name) for row in rows], type=field.type) for field in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def cast(table: pa.Table) -> pa.Table:
    """The table with the schema's columns, order and types; lacking columns are null.

    Raises:
        ValueError: a column is unknown, or its values don't fit.
    """
    unknown = set(table.column_names) - set(SCHEMA.names)
    if unknown:
        raise ValueError(f"columns {sorted(unknown)} are not in the schema of a row")
    columns = [
        table[field.name].cast(field.type) if field.name in table.column_names else pa.nulls(len(table), field.type)
        for field in SCHEMA
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def renew(table: pa.Table) -> pa.Table:
    """Rows as an earlier version wrote them, in today's schema: what it did not score is null.

    Other tables come back as they are. Scores and columns only ever come to be more; whether what is there still holds,
    a stage's signature says.
    """
    if table.schema == SCHEMA or not {"id", "scores", "decision"} <= set(table.column_names) <= set(SCHEMA.names):
        return table
    return cast(table).replace_schema_metadata(table.schema.metadata)
