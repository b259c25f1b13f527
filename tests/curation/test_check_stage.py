"""All the checks of a table together."""

import random
from pathlib import Path
from typing import Any

import pytest

from curation.stages import make_check_stage, make_checks
from mcot.core.rows import from_rows
from mcot.core.settings import CurationSettings
from tests.curation.checked_texts import mgsm_questions

LANGUAGES = ("sw", "bn", "te", "th", "ja", "zh", "ru", "es", "fr", "de")


@pytest.fixture(scope="module")
def rows(shared_data: Path) -> list[dict[str, Any]]:
    """Some of MGSM's questions, as they are, cut, and half in another language."""
    sources = mgsm_questions(shared_data, "en")[:12]
    rng = random.Random(5)
    found = []
    for language in LANGUAGES:
        for place, (source, text) in enumerate(zip(sources, mgsm_questions(shared_data, language)[:12], strict=True)):
            other = (text, text[: rng.randrange(len(text))], f"{text[: len(text) // 2]} {source}")[place % 3]
            found.append({"id": f"{language}-{place}", "problem_id": str(place), "language": language,
                          "source_question": source, "question": text, "source_rationale": source, "rationale": other,
                          "back_question": source, "back_rationale": source[: place * 10]})  # fmt: skip
    rng.shuffle(found)
    return found


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_a_row_is_scored_alike_in_any_table(size: int, rows: list[dict[str, Any]]) -> None:
    """To the last bit: engines cut tables differently, and make the same bytes."""
    stage = make_check_stage(
        make_checks(CurationSettings.model_validate({"name": "tables", "sources": [{"path": "rows.jsonl"}]}))
    )
    stage.open()
    columns = ["id", "scores", "reasons", "details"]
    whole = stage.process(from_rows(rows), 0).select(columns).to_pylist()
    parts = [stage.process(from_rows(rows[start : start + size]), 0) for start in range(0, len(rows), size)]
    assert [row for part in parts for row in part.select(columns).to_pylist()] == whole
    assert len({str(row["scores"]) for row in whole}) > len(rows) / 2
