"""`mcot curate` with an LLM: what the command says, what the report holds, and where the key is not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcot.cli import main
from tests.curation.llm_runs import english
from tests.curation.llm_server import LlmServer, parallel

KEY = "sk-planted-0123456789"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LlmServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("LLM_KEY", KEY)
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 0.01)
    one = LlmServer()
    yield one
    one.close()


def write(folder: Path, url: str, *, llm: dict[str, Any] | None = None, **changes: Any) -> list[str]:
    """A settings file for eight problems in two languages; gives the command's arguments."""
    problems = folder / "problems.jsonl"
    lines = [
        {"question": text["question"], "rationale": text["solution"], "answer": text["solution"].split()[-1][:-1]}
        for text in (texts["en"] for texts in parallel(60)[:8])
    ]
    problems.write_text("".join(json.dumps(line) + "\n" for line in lines))
    chosen = {"url": url, "model": "planted", "key_variable": "LLM_KEY", "prices": {"input": 1, "output": 2}}
    settings = {
        "name": "llm", "output": str(folder / "run"), "languages": ["sw", "ja"], "shard_rows": 3, "retries": 0,
        "sources": [{"path": str(problems), "license": "MIT"}], "contamination": {}, "translators": ["llm"],
        "llm": {**chosen, "tries": 3, "timeout": 5, "concurrency": 4, **(llm or {})}, **changes,
    }  # fmt: skip
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(settings))
    return ["curate", str(path)]


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    return int(str(exit.value.code or 0)), capsys.readouterr().err


def test_curate(server: LlmServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server.plan[english(0), "sw"] = ["500"]
    server.plan[english(1), "sw"] = ["numbers"]
    server.always[english(2), "ja"] = "refusal"
    code, said = run(write(tmp_path, server.url), capsys)
    assert code == 0
    assert "15 translations kept, 0 to review, 1 rejected" in said
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    spent = report["spending"]
    assert spent["translate"]["sw"] == {
        "requests": 10, "answers": 9, "troubles": {"status 500": 1}, "prompt_tokens": 8100, "completion_tokens": 900,
        "cost": 0.0099, "currency": "USD",
    }  # fmt: skip
    assert spent["translate"]["ja"]["requests"] == 9
    # What has no translation is not translated back.
    assert spent["back_translate"]["ja"]["requests"] == 7
    assert report["translation"]["sw"]["repaired"] == 1
    assert report["translation"]["ja"]["not_repaired"] == report["translation"]["ja"]["unfinished"] == 1
    assert report["versions"]["openai"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "What the language model was asked" in page
    assert "status 500: 1" in page
    # The dataset's card, and all that would be published with it.
    publish = ["publish", str(tmp_path / "run"), "--repo-id", "org/set", "--dry-run", str(tmp_path / "published")]
    publish.append("--without-contamination-check")
    code, told = run(publish, capsys)
    assert code == 0, told
    assert "planted" in (tmp_path / "published" / "README.md").read_text()
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert KEY.encode() not in path.read_bytes(), path
    assert KEY not in said
    # Nothing is asked again: not with other thresholds, and not for other languages.
    asked = len(server.asked)
    looser = {"default": {"length": {"keep": 0.5, "drop": 0.2}}}
    assert run(write(tmp_path, server.url, thresholds=looser), capsys)[0] == 0
    assert len(server.asked) == asked
    code, _ = run(write(tmp_path, server.url, languages=["sw", "ja", "de"]), capsys)
    assert code == 0
    assert len(server.asked) == asked + 2 * 8


def test_a_budget_stops_the_command(server: LlmServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(write(tmp_path, server.url, llm={"budget": {"requests": 20}}), capsys)
    assert code == 2
    assert said.splitlines()[-1] == (
        "mcot: llm.budget.requests: 20 requests are spent (20 requests, 20,000 tokens, 0.02 USD so far); every answer "
        "is kept: set a larger budget, then run the same command again to go on"
    )
    assert len(server.asked) == 20
    code, said = run(write(tmp_path, server.url, llm={"budget": {"requests": 32}}), capsys)
    assert (code, len(server.asked)) == (0, 32)
    assert "16 translations kept" in said


def test_nllb_back(server: LlmServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run(write(tmp_path, server.url, back_translation={"by": "nllb"}), capsys)
    assert code == 0
    assert {one["language"] for one in server.asked} == {"sw", "ja"}
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["back_translation"]["sw"]["sentences"] > 16


@pytest.mark.parametrize(
    ("does", "code", "said"),
    [
        (f"401 {KEY}", 2, "the key in the environment variable LLM_KEY is not the right one"),
        ("500", 1, "see that it runs and can be reached"),
    ],
)
def test_a_server_that_answers_nobody(
    server: LlmServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], does: str, code: int, said: str
) -> None:
    for place in range(8):
        server.always[english(place), "sw"] = server.always[english(place), "ja"] = does
    got, told = run(write(tmp_path, server.url), capsys)
    assert got == code
    assert said in told.splitlines()[-1]
    assert KEY not in told
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert KEY.encode() not in path.read_bytes(), path
