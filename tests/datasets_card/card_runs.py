"""Small finished runs for the card's tests: rows made here, written and counted by the code that writes real runs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.outputs import list_files, write_outputs
from curation.report.gather import gather
from datasets_card.gates import check_run
from datasets_card.publication import Staged
from datasets_card.settings import PublishSettings
from datasets_card.staging import stage_data
from mcot.core.files import write_json, write_table
from mcot.core.reviews import RESOLVED_SCHEMA, VERDICT_SCHEMA
from mcot.core.rows import from_rows, source_row
from mcot.core.settings import CurationSettings

SETTINGS = PublishSettings(
    repo_id="group/word-problems", license="mit", tag="round-2", title="Word problems", without_contamination_check=True
)


def make_row(number: int, language: str, *, decision: str = "keep", **changed: Any) -> dict[str, Any]:
    """A row of problem `number`: kept unless something else is said."""
    problem = f"p{number}"
    english = source_row(
        problem_id=problem,
        source="problems",
        license="MIT",
        question=f"Ann has {number} pens and buys 2. How many?",
        rationale=f"She has {number} + 2 = {number + 2}.",
        answer=str(number + 2),
    )
    translated = {
        "id": f"{problem}-{language}",
        "language": language,
        "question": f"{language}: {number}, 2?",
        "rationale": f"{language}: {number} + 2 = {number + 2}",
        "translator": "facebook/nllb-200-distilled-600M@abc123 0011",
        "scores": {"back_translation_question": 60.0 + number % 7, "back_translation_rationale": 80.0 + number % 3},
    }
    return english | ({} if language == "en" else translated) | {"decision": decision} | changed


def make_run(
    folder: Path,
    rows: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any] | None = None,
    reviews: Mapping[str, Any] | None = None,
    annotators: Sequence[str] = (),
) -> Path:
    """A finished run that holds these rows, and what people said of it."""
    (folder / "review").mkdir(parents=True)
    if reviews is not None:
        write_json(folder / "review" / "summary.json", reviews)
    if annotators:
        said = [_verdict(name) for name in annotators]
        write_table(folder / "review" / "verdicts.parquet", pa.Table.from_pylist(said, schema=VERDICT_SCHEMA))
        settled = [{"language": "sw", "id": "p1-sw", "verdict": "accept", "reviewers": list(annotators)}]
        write_table(folder / "review" / "resolved.parquet", pa.Table.from_pylist(settled, schema=RESOLVED_SCHEMA))
    table = from_rows(rows)
    write_table(folder / "shard.parquet", table)
    counts = write_outputs(folder, [folder / "shard.parquet"])
    (folder / "shard.parquet").unlink()
    write_json(folder / "report.json", gather([table], _facts(settings or {}, reviews)))
    write_json(folder / "manifest.json", {"signature": "0" * 16, "rows": counts, "files": list_files(folder)})
    return folder


def stage(run: Path, folder: Path, settings: PublishSettings = SETTINGS) -> Staged:
    """What is published of a run."""
    folder.mkdir(parents=True)
    return stage_data(run, folder, check_run(run, settings), settings)


def _facts(changed: Mapping[str, Any], reviews: Mapping[str, Any] | None) -> dict[str, Any]:
    content = {"name": "study", "sources": [{"path": "openai/gsm8k", "format": "gsm8k"}], "languages": ["sw", "bn"]}
    settings = CurationSettings.model_validate({**content, **changed})
    return {
        "name": settings.name,
        "settings": settings.model_dump(mode="json", exclude={"output"}),
        "bands": {
            code: {check: band.model_dump() for check, band in settings.bands(code).items()}
            for code in settings.languages
        },
        "reviews": reviews or {},
        "signatures": {"decide": "0123456789abcdef"},
        "versions": {"mcot-math": "0.1.0"},
    }


def _verdict(annotator: str) -> dict[str, Any]:
    return {"language": "sw", "id": "p1-sw", "review_round": 1, "annotator": annotator, "verdict": "accept"}


def share(value: float, low: float, high: float) -> dict[str, float]:
    """A share as a review's summary has it."""
    return {"value": value, "low": low, "high": high}


def summary(*, precision: float = 0.95) -> dict[str, Any]:
    """What a review of Swahili came to, as `mcot review` writes it."""

    def estimate(language: str, stratum: str, good: float) -> dict[str, Any]:
        return {"language": language, "stratum": stratum, "population": 30, "judged": 20,
                "accepted": round(20 * good), "basis": "as annotators judge", "judged_good": None, "error": None,
                "good": share(good, good - 0.1, min(1.0, good + 0.04))}  # fmt: skip

    agreed = {"question": "verdict", "rows": 12, "annotators": 2, "alpha": 0.5, "alpha_low": -0.1, "alpha_high": 0.9,
              "pairwise": 0.9, "pairwise_low": 0.8, "pairwise_high": 1.0, "note": ""}  # fmt: skip
    return {
        "estimates": [estimate("sw", "keep", precision), {**estimate("bn", "keep", 0.5), "good": None, "judged": 0},
                      estimate("all", "keep", precision), estimate("all", "drop", 0.25)],
        "agreement": [{"language": "sw", **agreed}, {"language": "all", **agreed},
                      {"language": "sw", **agreed, "question": "grammar", "pairwise": 0.1}],
    }  # fmt: skip
