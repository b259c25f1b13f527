"""Runs with quality estimation and a judge: which of their settings have what done anew."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.pipeline import curate
from mcot.core.quality_settings import JudgeSettings, QualityEstimationSettings
from mcot.core.settings import Band, CurationSettings, SourceSettings
from tests.curation.judge_server import JudgeServer
from tests.curation.planted_comet import PlantedProcess, make_model

PROBLEMS = [("Ana has 50 apples?", "50"), ("Ben has 90 pens and buys 2?", "92")]


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    started = JudgeServer()
    yield started
    started.close()


def test_what_changes_the_judge_alone_leaves_the_estimates(
    server: JudgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = PlantedProcess(tmp_path / "process", monkeypatch)
    problems = tmp_path / "problems.jsonl"
    lines = [{"question": question, "rationale": f"{answer}.", "answer": answer} for question, answer in PROBLEMS]
    problems.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    given: dict[str, Any] = {
        "name": "estimated", "output": tmp_path / "run", "languages": ["sw"], "contamination": {}, "retries": 0,
        "sources": [SourceSettings(path=str(problems), license="MIT")], "duplicates": {"enabled": False},
        "quality_estimation": QualityEstimationSettings(model=str(make_model(tmp_path / "model"))),
    }  # fmt: skip
    judge = JudgeSettings(url=server.url, model="planted", rows="undropped", timeout=5, tries=2)

    def run(**changes: Any) -> tuple[int, int, set[str]]:
        """How much was estimated, and asked, and of which checks there are reasons."""
        before = len(process.pairs), len(server.asked)
        curate(CurationSettings.model_validate(given | changes))
        report = json.loads((tmp_path / "run" / "report.json").read_text("utf-8"))
        assert "estimate" in report["signatures"]
        assert ("judge" in report["signatures"]) is ("judge" in changes)
        assert "quality_estimation" in {score["check"] for score in report["scores"]}
        reasons = {reason["reason"].partition(".")[0] for reason in report["reasons"]}
        return len(process.pairs) - before[0], len(server.asked) - before[1], reasons

    estimated, asked, _ = run(thresholds={"sw": {"quality_estimation": Band(keep=0.0, drop=0.0)}})
    assert (estimated > 1, asked) == (True, 0)
    # A judge is added; then what it is asked of changes; then what its own scores and the others' come to.
    loose = {name: Band(keep=0.0, drop=0.0) for name in CurationSettings.model_validate(given).bands("sw")}
    estimated, asked, reasons = run(judge=judge, thresholds={"sw": loose})
    assert (estimated, asked, reasons) == (0, len(PROBLEMS), set())
    estimated, asked, reasons = run(judge=judge, thresholds={"sw": loose | {"judge": Band(keep=1.0, drop=0.9)}})
    assert (estimated, asked) == (0, 0)
    strict = loose | {"quality_estimation": Band(keep=1.0, drop=0.99)}
    estimated, asked, reasons = run(judge=judge, thresholds={"sw": strict})
    assert (estimated, asked, reasons) == (0, 0, {"quality_estimation"})
    # Nothing of the judge's is left where it is not wanted, and it is asked nothing twice where it is wanted again.
    assert run(thresholds={"sw": loose})[:2] == (0, 0)
    assert not (tmp_path / "run" / "judge").exists()
    assert run(judge=judge, thresholds={"sw": loose})[:2] == (0, 0)
