"""Choosing between translators: row by row, and in whole runs of NLLB's embedded model and a planted LLM."""

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import sacrebleu
import yaml

from curation.checks.back_translation import chrf
from curation.pipeline import curate
from curation.translation.choice import BY, choose, gate
from curation.translation.choice_stages import find_failed
from mcot.core.errors import SettingsError
from mcot.core.rows import SCHEMA, SCORES
from mcot.core.runs import read_shard
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings
from tests.curation.llm_runs import CURATION
from tests.curation.llm_server import LlmServer, parallel

BANDS = CURATION.bands("sw")
LOW = {"numbers_question": 0.9}
DROPPED = {"numbers_question": 0.1}


def row(text: str, **scores: float) -> dict[str, Any]:
    """A checked translation."""
    known: dict[str, float | None] = {**dict.fromkeys(SCORES), **scores}
    return {"question": text, "rationale": None, "decision": None, "scores": known, "reasons": [], "details": []}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row("a")], (0, "checks")),
        ([row("a", **LOW), row("b")], (1, "checks")),
        ([row("a", **DROPPED), row("b", **LOW)], (1, "checks")),
        ([row("a", **DROPPED), row("b", **LOW), row("a", **DROPPED)], (1, "checks")),
        ([row("same"), row("same")], (0, "same")),
        ([row("same", **LOW), row("other", **DROPPED), row("same", **LOW)], (0, "same")),
        # What nobody judged, though it was asked for, is no better than a doubt.
        ([{**row("a"), "reasons": ["judge.unreadable"], "details": ["question: none"]}, row("b")], (1, "checks")),
        # Of three the one that is most like the others; one that the checks keep out has no vote.
        ([row("Ana ana vitabu 33"), row("Ana ana vitabu 34"), row("Ana ana kitabu 34")], (1, "consensus")),
        ([row("xyz"), row("Ana ana vitabu 3 tu"), row("Ana ana vitabu 3")], (1, "order")),
        # One with a word more is no nearer to two that are the same.
        ([row("Ana ana vitabu 3 tu"), row("Ana ana vitabu 3"), row("Ana ana vitabu 3")], (1, "consensus")),
        (
            [
                row("zzz", **LOW),
                row("Ana", back_translation_question=60),
                row("zzz", back_translation_question=55),
            ],
            (1, "back_translation"),
        ),
        ([row("Ana ana 3"), row("xyz"), row("Ana ana 3")], (0, "consensus")),
        # Two can't outvote one another.
        (
            [row("a", quality_estimation_question=0.7), row("b", quality_estimation_question=0.9)],
            (1, "quality_estimation"),
        ),
        (
            [
                row("a", quality_estimation_question=0.9, judge_question=0.95, back_translation_question=90),
                row("b", quality_estimation_question=0.9, judge_question=1.0, back_translation_question=60),
            ],
            (1, "judge"),
        ),
        # The mean of question and solution.
        (
            [
                row("a", back_translation_question=80, back_translation_rationale=80),
                row("b", back_translation_question=95, back_translation_rationale=60),
            ],
            (0, "back_translation"),
        ),
        # Over what all have a score of: a lost line is no gain.
        (
            [
                row("a", quality_estimation_question=0.85),
                row("b", quality_estimation_question=0.88, quality_estimation_rationale=0.7),
            ],
            (1, "quality_estimation"),
        ),
        # One without a score can't be compared.
        ([row("a"), row("b", back_translation_question=90)], (0, "order")),
        ([row("a", back_translation_question=90), row("b", back_translation_question=90)], (0, "order")),
        # Some text is more to go on than none.
        ([{**row("a", **DROPPED), "question": None}, row("b", **DROPPED)], (1, "checks")),
    ],
)
def test_choose(rows: list[dict[str, Any]], expected: tuple[int, str]) -> None:
    assert choose(rows, BANDS) == expected
    assert expected[1] in BY


def test_gate_keeps_what_was_decided() -> None:
    assert gate({**row("a", **DROPPED), "decision": "keep"}, BANDS) == "keep"
    assert [gate(row("a", **scores), BANDS) for scores in ({}, LOW, DROPPED)] == ["keep", "review", "drop"]


def test_chrf_is_sacrebleus() -> None:
    draw = random.Random(3)
    texts = [text for texts in parallel(20) for text in (texts["sw"]["question"], texts["th"]["question"])]
    pairs = [(draw.choice(texts), draw.choice(texts)) for _ in range(300)] + [("", "a"), ("a", ""), ("ab", "ab")]
    metric = sacrebleu.CHRF()
    expected = [metric.sentence_score(hypothesis, [reference]).score for hypothesis, reference in pairs]
    assert chrf(*map(list, zip(*pairs, strict=True))) == pytest.approx(expected, abs=1e-9)


def make_settings(folder: Path, url: str, **changes: Any) -> CurationSettings:
    """Six problems in two languages, by the embedded model and an LLM."""
    lines = [
        {"question": text["question"], "rationale": text["solution"], "answer": text["solution"].split()[-1][:-1]}
        for text in (texts["en"] for texts in parallel(60)[:6])
    ]
    problems = folder / "problems.jsonl"
    problems.write_text("".join(json.dumps(line) + "\n" for line in lines))
    given = {
        "name": "both", "output": str(folder / "run"), "languages": ["sw", "de"], "shard_rows": 4, "retries": 0,
        "sources": [{"path": str(problems), "license": "MIT"}], "contamination": {}, "duplicates": {"enabled": False},
        "translators": ["nllb", "llm"],
        "llm": {"url": url, "model": "planted", "tries": 3, "timeout": 5, "prices": {"input": 1, "output": 2}},
    }  # fmt: skip
    (folder / "settings.yaml").write_text(yaml.safe_dump({**given, **changes}))
    return load_settings(folder / "settings.yaml", CurationSettings)


def read(folder: Path) -> list[dict[str, Any]]:
    """The rows of a stage."""
    return [own for shard in sorted(folder.glob("*.parquet")) for own in read_shard(shard).to_pylist()]


def test_the_best_of_both_is_taken_and_the_rest_kept(server: LlmServer, tmp_path: Path) -> None:
    for place in (0, 3):
        server.always[parallel(60)[place]["en"]["question"], "sw"] = "refusal"
    settings = make_settings(tmp_path, server.url)
    outcome = curate(settings)
    run = tmp_path / "run"
    assert sum(outcome.translations.values()) == 12
    taken = [one for one in read(run / "decide") if one["language"] != "en"]
    rest = read(run / "candidates")
    assert Counter(one["id"] for one in taken) == Counter(one["id"] for one in rest)
    assert read_shard(run / "candidates" / "shard-00000.parquet").schema.names == SCHEMA.names
    assert {one["decision"] for one in rest} <= {"keep", "review", "drop"}
    # Who is not kept has its reasons.
    assert all(bool(one["reasons"]) is (one["decision"] != "keep") for one in rest)
    # Each row is one translator's, and the other's stands beside it.
    by_id = {one["id"]: one["translator"] for one in taken}
    assert all((by_id[one["id"]].startswith("planted")) != one["translator"].startswith("planted") for one in rest)
    ranks = {"keep": 0, "review": 1, "drop": 2}
    decided = {one["id"]: ranks[one["decision"]] for one in taken}
    assert all(decided[one["id"]] <= ranks[one["decision"]] for one in rest)
    # What was refused has no translation, and can't win.
    refused = [one for one in rest if one["question"] is None]
    assert [one["language"] for one in refused] == ["sw", "sw"]
    report = json.loads((run / "report.json").read_text())
    choice = report["choice"]
    assert (choice["use"], choice["order"]) == ("best", ["nllb", "llm"])
    for code in ("sw", "de"):
        won = Counter(
            "llm" if one["translator"].startswith("planted") else "nllb" for one in taken if one["language"] == code
        )
        figures = choice["languages"][code]
        assert {name: figures[name]["won"] for name in figures} == {"nllb": won["nllb"], "llm": won["llm"]}
        assert sum(figures["nllb"]["by"].values()) == won["nllb"]
        assert figures["llm"]["cost"] == report["spending"]["translate"][code]["cost"] > 0
    assert "What each translator won" in (run / "report.html").read_text()
    assert set(report["signatures"]) == {"sources", "choose", "decide"}
    # Again nothing is done, and nothing is asked.
    asked, files = len(server.asked), {path: path.stat().st_mtime_ns for path in run.rglob("*.parquet")}
    curate(settings)
    assert (len(server.asked), {path: path.stat().st_mtime_ns for path in run.rglob("*.parquet")}) == (asked, files)


def test_the_second_translates_what_the_first_failed(server: LlmServer, tmp_path: Path) -> None:
    thresholds = {"sw": {"length": {"keep": 0.95, "drop": 0}}}
    settings = make_settings(
        tmp_path,
        server.url,
        use_translators="failed",
        thresholds=thresholds,
        checks={},
        back_translation={"by": "nllb"},
    )
    curate(settings)
    run = tmp_path / "run"
    first = [one for one in read(run / "translators" / "nllb" / "check") if one["language"] != "en"]
    failed = {one["id"] for one in first if gate(one, settings.bands(one["language"])) != "keep"}
    assert 0 < len(failed) < len(first)
    english = {one["id"]: one["source_question"] for one in first}
    assert {one["question"] for one in server.asked} == {english[own] for own in failed}
    assert {one["language"] for one in server.asked} == {own.rsplit("-", 1)[1] for own in failed}
    taken = {one["id"]: one for one in read(run / "decide") if one["language"] != "en"}
    assert set(taken) == set(english)
    assert all(taken[own]["question"] for own in taken)
    assert {one["id"] for one in read(run / "candidates")} == failed
    passed = [one for one in first if one["id"] not in failed]
    assert all(taken[one["id"]]["question"] == one["question"] for one in passed)
    choice = json.loads((run / "report.json").read_text())["choice"]
    assert sum(by["won"] for figures in choice["languages"].values() for by in figures.values()) == len(first)


def test_back_to_one_translator(server: LlmServer, tmp_path: Path) -> None:
    run = tmp_path / "run"
    names = ("translate", "back_translate", "check")

    def made(folder: Path) -> list[int]:
        return [(folder / name / "shard-00000.parquet").stat().st_mtime_ns for name in names]

    curate(make_settings(tmp_path, server.url, languages=["sw"]))
    assert (run / "choose").exists()
    first = made(run / "translators" / "nllb")
    curate(make_settings(tmp_path, server.url, languages=["sw"], translators=["nllb"]))
    assert not any((run / name).exists() for name in ("translators", "choose", "candidates"))
    assert json.loads((run / "report.json").read_text())["choice"] == {}
    # Nothing is translated again, there or back.
    assert made(run) == first
    curate(make_settings(tmp_path, server.url, languages=["sw"]))
    assert not any((run / name).exists() for name in names)
    assert made(run / "translators" / "nllb") == first


def test_of_three_the_one_that_is_like_the_others_is_taken(server: LlmServer, tmp_path: Path) -> None:
    # The one model says it in other words than the others, and no check finds fault with that.
    for place in range(6):
        server.always[parallel(60)[place]["en"]["question"], "sw"] = "echo Asante."
    other = LlmServer()
    try:
        llms = {"qwen": {"url": other.url, "model": "planted"}, "gpt-2": {"url": other.url, "model": "planted"}}
        settings = make_settings(
            tmp_path, server.url, languages=["sw"], translators=["llm", "qwen", "gpt-2"], llms=llms,
            back_translation={"enabled": False},
        )  # fmt: skip
        curate(settings)
    finally:
        other.close()
    run = tmp_path / "run"
    report = json.loads((run / "report.json").read_text())
    choice = report["choice"]["languages"]["sw"]
    assert report["choice"]["order"] == ["llm", "qwen", "gpt-2"]
    # One way alone chrF likes the longer text better.
    assert choice["qwen"]["by"] == {"consensus": 6}
    assert [choice[name]["won"] for name in ("llm", "gpt-2")] == [0, 0]
    assert choice["gpt-2"]["tokens"] > 0
    assert sorted(report["spending"]) == ["translate", "translate gpt-2", "translate qwen"]
    assert "From English, gpt-2" in (run / "report.html").read_text()
    assert len(read(run / "candidates")) == 12


def test_a_translator_less(server: LlmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = Mock(wraps=find_failed)
    monkeypatch.setattr("curation.lines.find_failed", find)
    llms = {name: {"url": server.url, "model": name} for name in ("qwen", "gpt")}
    thresholds = {"default": {"length": {"keep": 0.95, "drop": 0}}}
    for translators, spent in ((["nllb", "qwen", "gpt"], 2), (["nllb", "qwen"], 2)):
        changes = {"translators": translators, "llms": llms, "use_translators": "failed", "thresholds": thresholds}
        curate(make_settings(tmp_path, server.url, **changes))
        assert {path.name for path in (tmp_path / "run" / "translators").iterdir()} == set(translators)
        # What was spent stays spent.
        assert len(json.loads((tmp_path / "run" / "report.json").read_text())["spending"]) == spent
    # Once for each translator but the first, however many stages ask.
    assert find.call_count == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"translators": ["qwen"]}, "'qwen' is to translate and is no translator; valid: nllb, llm"),
        ({"translators": ["nlb"]}, r"'nlb' is to translate .*valid: nllb, llm \(did you mean 'nllb'\?\)"),
        ({"back_translation": {"by": "gpt"}}, "'gpt' is to translate and is no translator"),
        ({"llms": {"nllb": {"url": "http://x/v1", "model": "m"}}}, "'nllb', which is another translator's name"),
        ({"llms": {"../x": {"url": "http://x/v1", "model": "m"}}}, "llms"),
        ({"llm": None, "translators": ["llm"]}, "llm is to translate and is not set"),
    ],
)
def test_translators_that_are_none(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        make_settings(tmp_path, "http://127.0.0.1:1/v1", **changes)
    assert "\n" not in str(error.value)


def test_a_translator_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a translator twice; name each once"):
        make_settings(tmp_path, "http://127.0.0.1:1/v1", translators=["llm", "llm"])
