"""`mcot audit` with quality estimation and the judge: the same decisions as `mcot curate`, and nothing asked twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import curation.audit as module
from curation.audit import audit
from curation.audit_outputs import finish_audit_again
from curation.audit_settings import AuditSettings
from curation.pipeline import curate
from mcot.core.errors import ModelError, RunError, SettingsError, StageError
from mcot.core.settings import CurationSettings
from tests.curation.judge_server import JudgeServer, error, judgement
from tests.curation.llm_server import parallel
from tests.curation.planted_comet import PlantedProcess, make_model
from tests.curation.test_audit import ENGLISH, GOOD, write
from tests.curation.test_verdicts import resolve
from tests.curation.test_verdicts import write as write_verdicts

Decided = dict[str, tuple[str, list[str]]]


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    started = JudgeServer()
    yield started
    started.close()


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlantedProcess:
    return PlantedProcess(tmp_path / "process", monkeypatch)


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A good translation, of which the planted COMET says a hundredth of the number."""
    texts = {name: GOOD[name].replace("12", str(number)) for name in ("source_question", "question")}
    return {**GOOD, **texts, "id": f"r{number}", **changes}


def models(server: JudgeServer, folder: Path, **judge: Any) -> dict[str, Any]:
    """Settings of both models."""
    asked = {"url": server.url, "model": "planted", "timeout": 5, "tries": 2, "prices": {"input": 1, "output": 2}}
    return {"quality_estimation": {"model": str(make_model(folder / "model"))}, "judge": {**asked, **judge}}


def settings(**more: Any) -> AuditSettings:
    return AuditSettings.model_validate({"workers": 1, **more})


def decide(folder: Path, given: AuditSettings, *rows: dict[str, Any]) -> Decided:
    """The decisions and reasons of an audit, by id."""
    audit(str(write(folder / "set.jsonl", rows)), folder / "out", given)
    decided = pq.read_table(folder / "out" / "decisions.parquet").to_pylist()
    return {one["id"]: (one["decision"], one["reasons"]) for one in decided}


def read_rows(folder: Path) -> list[dict[str, Any]]:
    """What a run or an audit left, English rows aside."""
    files = [path for name in ("dataset", "review", "rejected") for path in (folder / name).glob("*/*.parquet")]
    return [one for path in files if path.parent.name != "en" for one in pq.read_table(path).to_pylist()]


def test_rows_are_decided_as_curate_decides_them(
    server: JudgeServer, process: PlantedProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [text["en"] for text in parallel(60)[:5]]
    lines = [
        {"question": text["question"], "rationale": text["solution"], "answer": text["solution"].split()[-1][:-1]}
        for text in texts
    ]
    given = {
        "name": "run", "output": tmp_path / "run", "languages": ["sw", "th"], "shard_rows": 2, "contamination": {},
        "sources": [{"path": str(write(tmp_path / "problems.jsonl", lines)), "license": "MIT"}],
        "duplicates": {"enabled": False},
    }  # fmt: skip
    curate(CurationSettings.model_validate(given))
    # The planted estimates are these numbers' hundredths: the third problem is dropped before anybody judges it.
    bands = {"thresholds": {"default": {"quality_estimation": {"keep": 0.3, "drop": 0.18}}}}
    questions = sorted(one["question"] for one in read_rows(tmp_path / "run"))
    good = [question for question in questions if "35" in question or "86" in question]
    wrong = error(severity="major", category="number", text="2")
    plans: list[list[str | int | None]] = [
        ["no idea"],
        [judgement(wrong)],
        [judgement(*[wrong] * 4, meaning_kept=False)],
    ]
    server.answers = dict(zip(good, plans, strict=False))
    both = models(server, tmp_path)
    curate(CurationSettings.model_validate({**given, **both, **bands}))
    expected = {one["id"]: one for one in read_rows(tmp_path / "run")}
    asked = len(server.asked)
    columns = ("id", "language", "source_question", "question", "source_rationale", "rationale", "answer",
               "back_question", "back_rationale")  # fmt: skip
    monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    decide(tmp_path, settings(**both, **bands), *[{name: one[name] for name in columns} for one in expected.values()])
    found = {one["id"]: one for one in read_rows(tmp_path / "out")}
    assert len(found) == 10
    assert {one["decision"] for one in found.values()} == {"keep", "review", "drop"}
    assert {"judge.unreadable", "judge.meaning", "quality_estimation.low"} <= {
        reason for one in found.values() for reason in one["reasons"]
    }
    for name, one in found.items():
        # What only the translator knows is all that differs.
        of_run = {
            **expected[name],
            "scores": expected[name]["scores"] | dict.fromkeys(("translation_ended", "translation_spans")),
        }
        for column in ("decision", "reasons", "details", "scores"):
            assert one[column] == of_run[column], (name, column)
    assert asked == 8 + 1
    assert len(server.asked) == 2 * asked


def test_what_is_asked_and_what_is_told(server: JudgeServer, process: PlantedProcess, tmp_path: Path) -> None:
    server.answers = {row(70)["question"]: ["no idea"]}
    wrong = {**GOOD, "question": GOOD["question"].replace("12", "9").replace("5", "8"), "id": "wrong"}
    rows = [
        row(80), row(70), row(20), wrong,
        row(81, language="xx"), row(82, language="en", question=ENGLISH.replace("12", "82")), row(80, id="again"),
    ]  # fmt: skip
    decided = decide(tmp_path, settings(**models(server, tmp_path)), *rows)
    assert decided == {
        "r80": ("keep", []), "r70": ("review", ["judge.unreadable"]), "r20": ("review", ["quality_estimation.low"]),
        "wrong": ("drop", [*["numbers.missing"] * 2, *["numbers.added"] * 2, "quality_estimation.low"]),
        "r81": ("drop", ["row.bad_language"]), "r82": ("keep", []), "again": ("keep", []),
    }  # fmt: skip
    # Neither what is dropped already nor English rows are judged, and what is there twice is asked for once.
    asked = [one["given"]["translation"]["question"] for one in server.asked if not one["repair"]]
    assert sorted(asked) == sorted(row(number)["question"] for number in (80, 70, 20))
    assert len(process.pairs) == 4
    out = tmp_path / "out"
    report = json.loads((out / "report.json").read_text())
    assert report["spending"] == {
        "judge": {
            "es": {
                "requests": 4, "answers": 4, "troubles": {}, "prompt_tokens": 2800, "completion_tokens": 200,
                "cost": pytest.approx(0.0032), "currency": "USD",
            }
        }
    }  # fmt: skip
    assert "Judging" in (out / "report.html").read_text()
    assert {"quality_estimation", "judge"} <= set(report["signatures"])
    assert "openai" in report["versions"]
    assert not {"judge", "quality_estimation"} & set(report["not_run"])
    # What people say needs neither of the models.
    (out / "review").mkdir(exist_ok=True)
    write_verdicts(out, [resolve({**row(70), "source_rationale": None, "rationale": None}, "accept")])
    finish_audit_again(out)
    kept = [one["id"] for one in read_rows(out) if one["decision"] == "keep"]
    assert sorted(kept) == ["again", "r70", "r80"]
    assert (len(server.asked), len(process.pairs)) == (4, 4)


def test_an_audit_that_is_run_again_asks_nothing(
    server: JudgeServer, process: PlantedProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    rows, both = [row(number) for number in (70, 75, 80, 85, 90)], models(server, tmp_path)
    first = decide(tmp_path, settings(**both), *rows)
    asked = len(server.asked), len(process.pairs), len(process.told)
    assert asked[:2] == (5, 5)
    report = (tmp_path / "out" / "report.json").read_bytes()
    assert decide(tmp_path, settings(**both, workers=2), *rows) == first
    assert (tmp_path / "out" / "report.json").read_bytes() == report
    stricter = {"es": {"quality_estimation": {"keep": 0.8, "drop": 0.0}, "judge": {"keep": 1.0, "drop": 0.4}}}
    again = decide(tmp_path, settings(**both, thresholds=stricter), *rows)
    assert [again[f"r{number}"][0] for number in (70, 75, 80, 85, 90)] == ["review"] * 2 + ["keep"] * 3
    assert (len(server.asked), len(process.pairs), len(process.told)) == asked
    # One that the settings ask for no more is removed, but for what was paid for.
    assert decide(tmp_path, settings(), *rows) == first
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert not {"check", "estimate", "judge"} & left
    assert "llm" in left
    assert decide(tmp_path, settings(judge=both["judge"]), *rows, row(95)) == first | {"r95": ("keep", [])}
    assert len(server.asked) == 6


def test_one_that_was_stopped_goes_on(server: JudgeServer, process: PlantedProcess, tmp_path: Path) -> None:
    rows = [row(number) for number in (70, 75, 80, 85, 90)]
    small = settings(**models(server, tmp_path, budget={"requests": 3}))
    with pytest.raises(SettingsError, match=r"judge\.budget\.requests: 3 requests are spent .*; every answer is kept"):
        decide(tmp_path, small, *rows)
    with pytest.raises(RunError, match="is not finished; run `mcot audit` with this output again"):
        finish_audit_again(tmp_path / "out")
    decided = decide(tmp_path, settings(**models(server, tmp_path, budget={"requests": 5})), *rows)
    assert {decision for decision, _ in decided.values()} == {"keep"}
    assert (len(server.asked), len(process.pairs)) == (5, 5)


def test_a_model_that_dies_is_told_in_one_line(process: PlantedProcess, tmp_path: Path) -> None:
    process.order("kill", "kill")
    given = settings(quality_estimation={"model": str(make_model(tmp_path / "model"))})
    with pytest.raises(StageError, match="SIGKILL") as caught:
        decide(tmp_path, given, row(70))
    assert "\n" not in str(caught.value)
    assert decide(tmp_path, given, row(70)) == {"r70": ("keep", [])}


def test_a_wrong_model_leaves_no_folder(process: PlantedProcess, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"quality_estimation\.model") as caught:
        decide(tmp_path, settings(quality_estimation={"model": str(tmp_path / "none")}), row(70))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["check", "estimate", "judge"])
def test_what_no_audit_wrote_stays(name: str, tmp_path: Path) -> None:
    (tmp_path / "out" / name).mkdir(parents=True)
    with pytest.raises(RunError, match=f"holds {name}, which no audit wrote"):
        decide(tmp_path, settings(), row(70))


def test_why_a_model_said_nothing(server: JudgeServer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    decide(tmp_path, settings(), row(70))
    told = json.loads((out / "report.json").read_text())["not_run"]
    assert told["judge"] == told["quality_estimation"] == "the settings don't ask for it: each has a key of its name"
    server.answers = {row(70)["question"]: ["no idea"]}
    decide(tmp_path, settings(judge=models(server, tmp_path)["judge"]), row(70))
    told = json.loads((out / "report.json").read_text())["not_run"]
    assert told["judge"] == "other checks drop every row, or no judgement could be read"
