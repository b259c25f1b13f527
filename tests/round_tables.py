"""Rounds for tests: people's verdicts on what was drawn, and evaluations of answers that are right as often as told."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from annotation.queue import extend_queue
from annotation.settings import ReviewSettings
from annotation.verdicts import save_verdicts
from curation.pipeline import curate
from evaluation.predictions import score_predictions
from mcot.core.reviews import VERDICT_SCHEMA, ReviewFiles
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings
from mcot.demo import write_problems
from mcot.review import apply_reviews
from mcot.round_record import round_folder

BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
_COPIED = ("language", "id", "review_round", "source_signature", "translation_signature")


def curate_problems(folder: Path, count: int) -> Path:
    """A finished run of the embedded model on so many problems in Swahili and German."""
    write_problems(folder / "problems.jsonl", count)
    source = {"path": str(folder / "problems.jsonl"), "format": "gsm8k", "license": "MIT"}
    content = {"name": "trial", "output": folder / "run", "sources": [source], "languages": ["sw", "de"],
               "contamination": {}}  # fmt: skip
    return curate(CurationSettings.model_validate(content)).folder


def draw(run: Path, number: int) -> list[dict[str, Any]]:
    """Draw the rows that a round's settings ask for."""
    extend_queue(run, load_settings(round_folder(run, number) / "review.yaml", ReviewSettings))
    rows: list[dict[str, Any]] = ReviewFiles(run).read_queue().to_pylist()
    return [row for row in rows if row["review_round"] == number]


def accept(rows: list[dict[str, Any]], **other: Mapping[str, Any]) -> pa.Table:
    """Amina accepts all of the rows, but for some by id."""
    said = [
        {
            **{name: row[name] for name in _COPIED},
            "annotator": "amina", "adjudication": False, "submitted_at": BEGIN, "verdict": "accept",
            "error_types": [], "origin": "argilla", **other.get(row["id"], {}),
        }
        for row in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(said, schema=VERDICT_SCHEMA)


def judge(run: Path, number: int, **other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Draw a round's rows and have all of them judged."""
    rows = draw(run, number)
    assert not save_verdicts(run, accept(rows, **other)).refused
    apply_reviews(run)
    return rows


def evaluate(run: Path, number: int, problems: int, **right: int) -> Path:
    """Score answers to so many problems, of which the first so many are right in each language."""
    folder = run.parent / f"answers-{number}"
    folder.mkdir()
    for code, count in right.items():
        lines = [json.dumps({"response": "7" if i < count else f"{90 + i}", "answer": 7}) for i in range(problems)]
        (folder / f"{code}.jsonl").write_text("\n".join(lines), "utf-8")
    output = round_folder(run, number) / "evaluation"
    score_predictions(folder, output, resamples=100)
    return output
