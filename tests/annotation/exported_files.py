"""A run with a queue, and its files for annotators, for tests."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from annotation.files import export_queue
from annotation.settings import ReviewSettings
from annotation.spreadsheets import read_lines
from annotation.verdicts import Merged
from mcot.core.files import write_table
from mcot.core.reviews import QUEUE_SCHEMA, ReviewFiles, sign_source, sign_translation
from mcot.core.rows import from_rows

SETTINGS = ReviewSettings(annotators={"sw": ["amina", "juma"]}, adjudicators={"sw": ["neema"]})
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
QUESTION = '=Ana tufaha 2,\nna "3"; \'-1.'


def queued(name: str, language: str = "sw", min_submitted: int = 1, **changes: Any) -> dict[str, Any]:
    row = {
        "id": name,
        "language": language,
        "source_question": "Ann has 3 apples.",
        "source_rationale": "3",
        "question": QUESTION,
        "rationale": "Ana 3.",
        "reasons": ["numbers.changed"],
        "details": ["question: 3 -> 2"],
        "answer": "3",
    }
    return {
        "language": language,
        "id": name,
        "review_round": 1,
        "stratum": "review",
        "priority": 0.5,
        "min_submitted": min_submitted,
        "source_signature": sign_source("Ann has 3 apples.", "3"),
        "translation_signature": sign_translation(QUESTION, "Ana 3."),
        "row": from_rows([row]).to_pylist()[0],
        **changes,
    }


def read(path: Path) -> list[dict[str, str]]:
    return [dict(line.cells) for line in read_lines(path, ("id",))]


def fill(path: Path, *answers: dict[str, Any], delimiter: str = ",", encoding: str = "utf-8-sig") -> Path:
    """Fill in a file's lines in turn, and save it as a spreadsheet might."""
    rows = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    for row, answer in zip(rows[1:], answers, strict=False):
        for column, text in answer.items():
            row[rows[0].index(column)] = text
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    path.write_bytes(buffer.getvalue().encode(encoding))
    return path


def exported(run: Path, settings: ReviewSettings = SETTINGS, **options: Any) -> dict[str, Path]:
    return {file.path.name: file.path for file in export_queue(run, run / "files", settings, **options)}


def counts(merged: Merged) -> tuple[int, int, int]:
    return merged.added, merged.changed, merged.same


def write_queue(folder: Path) -> Path:
    """Two rounds in two languages, with ids that spreadsheets like to change."""
    rows = [queued("1e5", priority=0.9), queued("0012", min_submitted=2, priority=0.8), queued("b")]
    rows += [queued("a", "te"), queued("z", review_round=2)]
    write_table(ReviewFiles(folder).queue, pa.Table.from_pylist(rows, schema=QUEUE_SCHEMA))
    return folder
