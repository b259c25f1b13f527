"""Runs for tests of the queue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from annotation.settings import ReviewSettings
from mcot.core.files import write_json
from mcot.core.rows import from_rows

FOLDERS = {"keep": "dataset", "review": "review", "drop": "rejected"}
SEEDS = 120
Counts = Mapping[tuple[str, str], int]


def make_row(language: str, decision: str, number: int, **columns: Any) -> dict[str, Any]:
    return {
        "id": f"{decision}{number}-{language}",
        "language": language,
        "decision": decision,
        "source_question": f"Ann has {number} apples.",
        "question": f"Ana tufaha {number}.",
        "scores": {"back_translation_question": 35 + number % 20},
        **columns,
    }


def make_run(folder: Path, counts: Counts) -> Path:
    """A run of so many rows of each language and decision, in files of two row groups each."""
    for name in FOLDERS.values():
        (folder / name).mkdir(parents=True, exist_ok=True)
    decide(folder, "first")
    for (language, decision), count in counts.items():
        write_rows(folder, language, decision, [make_row(language, decision, number) for number in range(count)])
    return folder


def decide(run: Path, signature: str) -> None:
    """Have the run's rows be of other decisions."""
    write_json(run / "decide" / "stage.json", {"signature": signature})


def write_rows(folder: Path, language: str, decision: str, rows: list[dict[str, Any]]) -> None:
    path = folder / FOLDERS[decision] / language
    path.mkdir(parents=True, exist_ok=True)
    half = (len(rows) + 1) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        pq.write_table(from_rows(part), path / f"train-{number:05d}.parquet", row_group_size=max(1, half // 2))


def settings_of(**changes: Any) -> ReviewSettings:
    return ReviewSettings(**changes)


def keys(table: pa.Table) -> list[tuple[str, str]]:
    return [(row["language"], row["id"]) for row in table.select(["language", "id"]).to_pylist()]
