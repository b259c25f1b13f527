"""The LLM judge: against a server with planted answers."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from curation.checks.llm_judge import JudgeCheck
from curation.checks.model_stages import JudgeStage
from curation.pipeline import curate
from curation.stages import make_decide_stage
from curation.translation.carried import CarriedTexts
from mcot.core.chat_store import read_spending
from mcot.core.engines import LocalEngine
from mcot.core.errors import SettingsError
from mcot.core.quality_settings import JudgeSettings
from mcot.core.reviews import ReviewFiles
from mcot.core.rows import SCORES, from_rows, row_id
from mcot.core.runs import StageFolder, read_shard, sign
from mcot.core.settings import Band
from mcot.core.settings_file import load_settings
from tests.curation.judge_server import JudgeServer, error, judgement
from tests.curation.llm_runs import CURATION
from tests.curation.llm_server import parallel
from tests.curation.test_carried import review
from tests.curation.test_verdicts import resolve


@pytest.fixture
def server() -> Iterator[JudgeServer]:
    started = JudgeServer()
    yield started
    started.close()


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A translated row that was checked."""
    given = {
        "id": row_id(f"p{number}", "sw"),
        "problem_id": f"p{number}",
        "language": "sw",
        "source_question": f"Has Ana {number} apples?",
        "source_rationale": f"She has {number}.",
        "question": f"Ana ana tufaha {number}?",
        "rationale": f"Ana {number}.",
        "reasons": [],
        "details": [],
    }
    return {**given, **changes}


class Run:
    """A run's folder with checked rows in shards."""

    def __init__(self, folder: Path, *shards: list[dict[str, Any]]) -> None:
        self.folder, self.store = folder, folder / "llm" / "judge.sqlite"
        self.checked = StageFolder(folder / "check", "1")
        if not self.checked.done:
            for place, rows in enumerate(shards):
                self.checked.write(place, from_rows(rows))
            self.checked.close(len(shards))
        (folder / "translate").mkdir(exist_ok=True)
        self.carried = CarriedTexts(folder / "translate")

    def stage(self, url: str, **changes: Any) -> JudgeStage:
        """The stage that judges; `bands` of the language may be given."""
        bands = {"sw": CURATION.bands("sw") | changes.pop("bands", {})}
        given = {"url": url, "model": "planted", "timeout": 5, "tries": 2, "concurrency": 4}
        self.settings = JudgeSettings.model_validate({**given, **changes})
        return JudgeStage(
            JudgeCheck(self.settings, self.store), carried=self.carried, inputs=self.checked.shards,
            bands=bands if self.settings.rows == "undropped" else None, concurrency=self.settings.concurrency,
        )  # fmt: skip

    def judge(self, url: str, **changes: Any) -> list[dict[str, Any]]:
        """The rows, judged and decided."""
        self.carried.freeze(ReviewFiles(self.folder))
        done = self.checked
        for stage in (self.stage(url, **changes), make_decide_stage(CURATION)):
            folder = StageFolder(self.folder / stage.name, sign(stage.signature, done.signature))
            LocalEngine(retries=0).run(stage, done.shards(), folder)
            done = folder
        return [one for shard in done.shards() for one in read_shard(shard).to_pylist()]


def test_rows_are_judged_and_decided(server: JudgeServer, tmp_path: Path) -> None:
    wrong = error(severity="major", category="number", text="2", explanation="it was 20")
    server.answers = {
        "Ana ana tufaha 2?": [judgement(wrong, error())],
        "Ana ana tufaha 3?": [judgement(*[wrong] * 4, meaning_kept=False)],
        "Ana ana tufaha 4?": ["no idea", judgement(error(category="punctuation"))],
        "Ana ana tufaha 5?": ["no idea"],
        "Ana ana tufaha 6?": [400],
        "Ana ana tufaha 7?": [judgement(meaning_kept=False)],
    }
    english = row(0, language="en", question="Has Ana 0 apples?")
    rows = Run(tmp_path, [english, row(1), row(2), row(3)], [row(4), row(5), row(6), row(7)]).judge(server.url)
    found = {one["id"]: (one["decision"], one["reasons"], one["details"]) for one in rows if one["language"] == "sw"}
    why = "question: no judgement: it holds no JSON object; asked twice"
    assert found["p1-sw"] == ("keep", [], [])
    two = ['question: major error, number (it was 20): "2"', 'question: minor error, grammar (why): "ana"']
    assert found["p2-sw"] == ("review", ["judge.meaning", "judge.fluency"], two)
    assert found["p3-sw"] == ("drop", ["judge.meaning"], two[:1])
    assert found["p4-sw"] == ("keep", [], [])
    assert found["p5-sw"] == ("review", ["judge.unreadable"], [why])
    assert found["p6-sw"][:2] == ("review", ["judge.unreadable"])
    assert "refused by the server: status 400" in found["p6-sw"][2][0]
    assert found["p7-sw"][:2] == ("review", ["judge.unreadable"])
    scores = {one["id"]: (one["scores"]["judge_question"], one["scores"]["judge_rationale"]) for one in rows}
    assert scores["p2-sw"] == pytest.approx((0.76, 1.0))
    assert scores["p4-sw"] == pytest.approx((0.996, 1.0))
    assert scores["p5-sw"] == scores["p6-sw"] == (None, None)
    assert rows[0]["scores"]["judge_question"] is None
    # The English row is no translation.
    assert {json.dumps(one["given"]["english"]) for one in server.asked if "0" in str(one["given"])} == set()
    assert sum(one["repair"] for one in server.asked) == 3


def test_what_is_asked(server: JudgeServer, tmp_path: Path) -> None:
    Run(tmp_path, [row(1), row(2, rationale=None, source_rationale=None)]).judge(server.url)
    # They are asked at the same time.
    with_solution, alone = sorted(server.asked, key=lambda one: "solution" not in one["given"]["english"])
    first, second = with_solution["body"], alone["body"]
    assert (first["temperature"], first["model"]) == (0.0, "planted")
    assert "translation into Swahili" in first["messages"][0]["content"]
    assert '{"errors": [], "meaning_kept": true' in first["messages"][0]["content"]
    schemas = [body["response_format"]["json_schema"]["schema"] for body in (first, second)]
    assert [schema["properties"]["errors"]["items"]["properties"]["part"]["enum"] for schema in schemas] == [
        ["question", "solution"],
        ["question"],
    ]
    assert alone["given"] == {
        "english": {"question": "Has Ana 2 apples?"},
        "translation": {"question": "Ana ana tufaha 2?"},
    }


def test_a_restart_repeats_nothing(server: JudgeServer, tmp_path: Path) -> None:
    shards = [[row(1), row(2)], [row(3), row(4)], [row(5)]]
    with pytest.raises(SettingsError, match=r"judge\.budget\.requests: 3 requests are spent"):
        Run(tmp_path, *shards).judge(server.url, budget={"requests": 3})
    assert len(server.asked) == 3
    run = Run(tmp_path, *shards)
    rows = run.judge(server.url, budget={"requests": 5})
    assert [one["scores"]["judge_question"] for one in rows] == [1.0] * 5
    assert len(server.asked) == 5
    spent = read_spending(run.store, None)["judge"]["sw"]
    assert (spent["requests"], spent["answers"], spent["prompt_tokens"]) == (5, 5, 3500)


@pytest.mark.parametrize(("rows", "asked"), [("undropped", 2), ("all", 3)])
def test_what_other_checks_drop_costs_nothing(rows: str, asked: int, server: JudgeServer, tmp_path: Path) -> None:
    table = [row(1), row(2, scores={"numbers_question": 0.1}), row(3, scores={"numbers_question": 0.9})]
    decided = Run(tmp_path, table).judge(server.url, rows=rows)
    assert [one["decision"] for one in decided] == ["keep", "drop", "review"]
    assert len(server.asked) == asked


def test_what_is_decided_is_not_judged(server: JudgeServer, tmp_path: Path) -> None:
    decided = {"decision": "drop", "reasons": ["language.unknown"], "details": ["row: und"]}
    rows = Run(tmp_path, [row(1, **decided), row(2), row(3, language="und", **decided)]).judge(server.url)
    assert [one["scores"]["judge_question"] for one in rows] == [None, 1.0, None]
    assert len(server.asked) == 1


def test_what_comet_drops_costs_nothing(server: JudgeServer, tmp_path: Path) -> None:
    table = [
        row(1),
        row(2, scores={"quality_estimation_question": 0.1}),
        row(3, scores={"quality_estimation_question": 0.3}),
    ]
    run = Run(tmp_path, table)
    # By default it drops nothing.
    run.judge(server.url)
    assert len(server.asked) == 3
    rows = run.judge(server.url, bands={"quality_estimation": Band(keep=0.6, drop=0.2)})
    assert [one["scores"]["judge_question"] for one in rows] == [1.0, None, 1.0]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("check", "band", "rows", "expected"),
    [
        ("numbers", {"keep": 0.99}, "undropped", True),
        ("numbers", {"drop": 0.01}, "undropped", False),
        ("numbers", {"drop": 0.01}, "all", True),
        ("quality_estimation", {"drop": 0.01}, "undropped", False),
        # Scored later: whatever they drop was judged.
        ("judge", {"drop": 0.01}, "undropped", True),
        ("duplicates", {"drop": 0.01}, "undropped", True),
    ],
)
def test_which_thresholds_have_rows_judged_anew(
    check: str, band: dict[str, float], rows: str, expected: bool, tmp_path: Path
) -> None:
    run = Run(tmp_path, [row(1)])
    own = CURATION.bands("sw")[check]
    assert own.model_copy(update=band) != own
    changed = run.stage("http://127.0.0.1:1/v1", rows=rows, bands={check: own.model_copy(update=band)})
    assert (changed.signature == run.stage("http://127.0.0.1:1/v1", rows=rows).signature) is expected


def test_a_row_that_got_no_judgement_is_asked_again_where_the_stage_is_removed(
    server: JudgeServer, tmp_path: Path
) -> None:
    run = Run(tmp_path, [row(1), row(2)])
    server.answers = {"Ana ana tufaha 2?": [400]}
    assert [one["decision"] for one in run.judge(server.url)] == ["keep", "review"]
    before, server.answers = len(server.asked), {}
    # What is done stays as it is, whatever the server says by now.
    assert [one["decision"] for one in run.judge(server.url)] == ["keep", "review"]
    assert len(server.asked) == before
    for name in ("judge", "decide"):
        shutil.rmtree(tmp_path / name)
    assert [one["decision"] for one in run.judge(server.url)] == ["keep", "keep"]
    assert [one["given"]["translation"]["question"] for one in server.asked[before:]] == ["Ana ana tufaha 2?"]


def test_what_a_person_wrote_is_not_judged(server: JudgeServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [row(1), row(2), row(3)])
    (tmp_path / "review").mkdir()
    verdicts = [resolve(row(1), "fix", question="Ana ana tufaha moja?"), resolve(row(2), "accept")]
    review(tmp_path, verdicts, [row(1), row(2)])
    rows = run.judge(server.url)
    assert [one["scores"]["judge_question"] for one in rows] == [None, 1.0, 1.0]
    assert len(server.asked) == 2


def test_places_are_filled_over_shards(server: JudgeServer, tmp_path: Path) -> None:
    server.latency = 0.05
    rows = Run(tmp_path, *[[row(place)] for place in range(1, 13)]).judge(server.url)
    assert [one["id"] for one in rows] == [f"p{place}-sw" for place in range(1, 13)]
    assert server.busiest == 4


KEY = "sk-judge-0123456789"


def test_a_run_with_a_judge(server: JudgeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGE_KEY", KEY)
    english = [texts["en"] for texts in parallel(60)[:4]]
    problems = tmp_path / "problems.jsonl"
    lines = [
        {"question": text["question"], "rationale": text["solution"], "answer": text["solution"].split()[-1][:-1]}
        for text in english
    ]
    problems.write_text("".join(json.dumps(line) + "\n" for line in lines))
    given = {
        "name": "judged", "output": str(tmp_path / "run"), "languages": ["sw", "th"], "shard_rows": 3, "retries": 0,
        "sources": [{"path": str(problems), "license": "MIT"}], "contamination": {}, "duplicates": {"enabled": False},
    }  # fmt: skip
    judge = {"url": server.url, "model": "planted", "key_variable": "JUDGE_KEY", "prices": {"input": 1, "output": 2}}
    for name, changes in (("plain.yaml", {}), ("judged.yaml", {"judge": judge})):
        (tmp_path / name).write_text(yaml.safe_dump({**given, **changes}))
    run = tmp_path / "run"
    curate(load_settings(tmp_path / "plain.yaml", type(CURATION)))
    report = json.loads((run / "report.json").read_text())
    assert (report["spending"], {score["check"] for score in report["scores"]} & {"judge"}) == ({}, set())
    translated = {path: path.stat().st_mtime_ns for path in (run / "check").glob("*.parquet")}
    curate(load_settings(tmp_path / "judged.yaml", type(CURATION)))
    # Nothing is translated or checked again for it.
    assert {path: path.stat().st_mtime_ns for path in (run / "check").glob("*.parquet")} == translated
    report = json.loads((run / "report.json").read_text())
    asked = Counter(one["body"]["messages"][0]["content"].count("Thai") > 0 for one in server.asked)
    spent = report["spending"]["judge"]
    assert {code: spent[code]["answers"] for code in spent} == {"sw": asked[False], "th": asked[True]}
    assert spent["sw"]["cost"] == pytest.approx(asked[False] * (700 + 2 * 50) / 1e6)
    judged = {score["field"]: score["languages"]["sw"]["count"] for score in report["scores"]}
    assert judged["judge_question"] == judged["judge_rationale"] == asked[False]
    assert set(report["signatures"]) == {"sources", "translate", "back_translate", "check", "judge", "decide"}
    page = (run / "report.html").read_text()
    assert "LLM judge" in page
    assert server.authorization <= {f"bearer {KEY}", ""}
    assert not [path for path in run.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    curate(load_settings(tmp_path / "plain.yaml", type(CURATION)))
    assert not (run / "judge").exists()
    kept = [one for path in (run / "dataset").rglob("*.parquet") for one in read_shard(path).to_pylist()]
    assert all(one["scores"][name] is None for one in kept for name in SCORES if name.startswith("judge"))
