"""An LLM's rows: every one ends translated, in review or rejected, with its reason, in order."""

from pathlib import Path

import pytest

from curation.translation.stage import read_counts
from mcot.core.chat_store import read_spending
from mcot.core.errors import ModelError, SettingsError, StageError
from mcot.core.files import write_table
from mcot.core.rows import SCHEMA, from_rows
from mcot.core.runs import read_shard
from tests.curation.llm_runs import Run, english, settings
from tests.curation.llm_server import LlmServer, parallel
from tests.curation.test_carried import review
from tests.curation.test_verdicts import resolve


def test_rows_in_order(server: LlmServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [[0, 1, 2], [3], [4, 5]])
    rows = run.translate(settings(server.url), ["sw", "ja"])
    assert [row["id"] for row in rows] == [
        f"p{place}-{code}" for shard in ([0, 1, 2], [3], [4, 5]) for code in ("sw", "ja") for place in shard
    ]
    for row in rows:
        wanted = parallel(60)[int(row["problem_id"][1:])][row["language"]]
        assert (row["question"], row["rationale"]) == (wanted["question"], wanted["solution"])
        assert row["translator"].startswith("planted ")
    assert {row["decision"] for row in run.decide()} == {"keep"}
    assert len(server.asked) == 12
    assert server.busiest <= 4


@pytest.mark.parametrize(
    ("does", "decision", "reasons", "requests"),
    [
        # Trouble that passes.
        (["429 0.2"], "keep", [], 2),
        (["429-date"], "keep", [], 2),
        (["500", "500"], "keep", [], 3),
        (["hang"], "keep", [], 2),
        (["cut"], "keep", [], 2),
        (["html"], "keep", [], 2),
        # Answers that are mended, or that asking once more mends.
        (["fenced"], "keep", [], 1),
        (["thinks"], "keep", [], 1),
        (["broken"], "keep", [], 2),
        (["length"], "keep", [], 2),
        (["refusal"], "keep", [], 2),
        (["refuses"], "keep", [], 2),
        (["english"], "keep", [], 2),
        (["wrong-language"], "keep", [], 2),
        (["explains"], "keep", [], 2),
        (["numbers"], "keep", [], 2),
        # What stays wrong.
        (["500"] * 3, "drop", ["translation.unfinished"], 3),
        (["hang"] * 3, "drop", ["translation.unfinished"], 3),
        (["cut"] * 3, "drop", ["translation.unfinished"], 3),
        (["400"], "drop", ["translation.unfinished"], 1),
        (["broken"] * 2, "drop", ["translation.unfinished"], 2),
        (["length"] * 2, "drop", ["translation.unfinished"], 2),
        (["refusal"] * 2, "drop", ["translation.unfinished"], 2),
        (["refuses"] * 2, "drop", ["translation.unfinished"], 2),
        (["english"] * 2, "drop", ["language.wrong", "untranslated.copied"], 2),
        (["wrong-language"] * 2, "drop", ["language.wrong"], 2),
        (["explains"] * 2, "drop", ["language.wrong", "numbers.missing"], 2),
        (["numbers"] * 2, "review", ["numbers.changed"], 2),
        (["numbers", "refuses"], "review", ["numbers.changed"], 2),
        (["explains", "numbers"], "review", ["numbers.changed"], 2),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else None,
)
def test_planted(
    server: LlmServer, tmp_path: Path, does: list[str], decision: str, reasons: list[str], requests: int
) -> None:
    run = Run(tmp_path, [[0, 8, 5]])
    server.plan[english(8), "sw"] = list(does)
    run.translate(settings(server.url))
    rows = run.decide()
    assert [row["id"] for row in rows] == ["p0-sw", "p8-sw", "p5-sw"]
    assert [row["decision"] for row in rows] == ["keep", decision, "keep"]
    assert set(reasons) <= set(rows[1]["reasons"])
    assert bool(rows[1]["reasons"]) == (decision != "keep")
    assert sum(one["question"] == english(8) for one in server.asked) == requests


@pytest.mark.parametrize(
    ("does", "detail"),
    [
        ("500", "no translation: no answer in 3 tries, the last one: status 500: overloaded"),
        ("hang", "no translation: no answer in 3 tries, the last one: no answer in 0.5 s"),
        ("400", "no translation: refused by the server: status 400: the prompt was flagged"),
        ("refusal", "no translation: refused: \"I'm sorry, but I can't help with that.\"; asked twice"),
        ("length", "no translation: cut off: it reached the limit of its tokens; asked twice"),
    ],
)
def test_reasons_say_what_happened(server: LlmServer, tmp_path: Path, does: str, detail: str) -> None:
    run = Run(tmp_path, [[0, 8]])
    server.always[english(8), "sw"] = does
    run.translate(settings(server.url))
    row = run.decide()[1]
    assert (row["question"], row["rationale"], row["details"]) == (None, None, [detail])


def test_the_repair_names_what_failed(server: LlmServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [[8]])
    server.plan[english(8), "sw"] = ["numbers"]
    run.translate(settings(server.url))
    (repair,) = [one for one in server.asked if one["repair"]]
    *_, answered, said = repair["body"]["messages"]
    assert answered["role"] == "assistant"
    assert "- numbers.changed: question: " in said["content"]
    assert read_counts(run.done[-1].shards())["sw"]["translated"] == 1


def test_repair_can_be_left_out(server: LlmServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [[8]])
    server.plan[english(8), "sw"] = ["numbers"]
    run.translate(settings(server.url, repair=False))
    assert "numbers.changed" in run.decide()[0]["reasons"]
    assert len(server.asked) == 1


def test_back_translation(server: LlmServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [[0, 8], [5]])
    server.always[english(8), "sw"] = "refuses"
    server.plan[english(5), "sw-en"] = ["500", "fenced"]
    run.translate(settings(server.url))
    rows = run.translate_back(settings(server.url))
    backs = {row["id"]: (row["back_question"], row["back_rationale"]) for row in rows}
    wanted = {place: parallel(60)[place]["en"] for place in (0, 5)}
    assert backs == {
        "p0-sw": (wanted[0]["question"], wanted[0]["solution"]),
        # What has no translation has none back.
        "p8-sw": (None, None),
        "p5-sw": (wanted[5]["question"], wanted[5]["solution"]),
    }
    back = [one for one in server.asked if one["language"] == "sw-en"]
    # It sees the translation alone.
    assert all(english(place) not in str(one["body"]["messages"][-1]) for one in back for place in (0, 5))
    spending = read_spending(run.store, None)
    assert spending["back_translate"]["sw"]["requests"] == 3
    assert spending["back_translate"]["sw"]["troubles"] == {"status 500": 1}


@pytest.mark.parametrize(
    ("planted", "asked", "said"),
    [
        (["broken", "broken"], 2, "no JSON object"), (["refusal", "refusal"], 2, "refused"),
        (["broken", "good"], 2, None), (["400 content_filter"], 1, "refused by the server"),
    ],
)  # fmt: skip
def test_what_could_not_be_translated_back_does_not_pass(
    server: LlmServer, tmp_path: Path, planted: list[str], asked: int, said: str | None
) -> None:
    run = Run(tmp_path, [[0, 8]])
    server.plan[english(8), "sw-en"] = list(planted)
    run.translate(settings(server.url))
    run.translate_back(settings(server.url))
    kept, row = run.decide()
    assert (kept["decision"], kept["reasons"]) == ("keep", [])
    assert sum(one["language"] == "sw-en" and one["question"] == english(8) for one in server.asked) == asked
    if said is None:
        assert (row["decision"], row["back_question"]) == ("keep", english(8))
    else:
        assert (row["decision"], row["back_question"]) == ("review", None)
        assert row["reasons"] == ["back_translation.missing"]
        assert said in row["details"][0]


def test_schema(server: LlmServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [[0]])
    run.translate(settings(server.url))
    asked = server.asked[0]["body"]
    assert asked["temperature"] == 0
    assert asked["response_format"]["json_schema"]["schema"]["required"] == ["question", "solution"]
    assert asked["response_format"]["json_schema"]["strict"] is True


def test_a_server_without_schemas_is_asked_without(server: LlmServer, tmp_path: Path) -> None:
    server.schema = False
    run = Run(tmp_path, [[0, 1, 2, 3, 4, 5]])
    rows = run.translate(settings(server.url, concurrency=1))
    assert all(row["question"] for row in rows)
    assert [one["does"] for one in server.asked] == ["schema"] + ["good"] * 6
    rows = Run(tmp_path / "1", [[0, 1, 2, 3, 4, 5]]).translate(settings(server.url, concurrency=4))
    assert all(row["question"] for row in rows)
    with pytest.raises(ModelError, match="response_format: json_schema is not supported"):
        Run(tmp_path / "2", [[0]]).translate(settings(server.url, structured="json_schema"))


@pytest.mark.parametrize(
    ("does", "error", "said"),
    [
        ("401 sk-secret", ModelError, r"401: Incorrect API key provided: \[key\]\); .*LLM_KEY is not the right one"),
        ("quota", ModelError, "no credit left"),
        ("500", StageError, "3 tries, the last one: status 500: overloaded; see that it runs"),
    ],
)
def test_a_server_that_answers_nobody_stops_the_run(
    server: LlmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, error: type[Exception], said: str
) -> None:
    monkeypatch.setenv("LLM_KEY", "sk-secret")
    for place in range(40):
        server.always[english(place), "sw"] = does
    with pytest.raises(error, match=said):
        Run(tmp_path, [list(range(40))]).translate(settings(server.url, key_variable="LLM_KEY"))
    assert len(server.asked) < 30
    # Once it answers, the same run goes on.
    server.always.clear()
    assert len(Run(tmp_path, [[0]]).translate(settings(server.url, key_variable="LLM_KEY"))) == 40


@pytest.mark.parametrize(
    ("budget", "most", "said"),
    [
        ({"requests": 7}, 7, r"llm\.budget\.requests: 7 requests are spent \(7 requests, 7,000 tokens"),
        # An answer takes 1,000: what is in flight as it is reached is paid too.
        ({"tokens": 6500}, 7 + 4, r"llm\.budget\.tokens: 6,500 tokens are spent"),
        ({"money": 0.0055}, 5 + 4, r"llm\.budget\.money: 0\.0055 EUR are spent"),
    ],
)
def test_budget(server: LlmServer, tmp_path: Path, budget: dict[str, float], most: int, said: str) -> None:
    shards = [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9, 10, 11]]
    prices = {"input": 1.0, "output": 2.0, "currency": "EUR"}
    with pytest.raises(SettingsError, match=said):
        Run(tmp_path, shards).translate(settings(server.url, prices=prices, budget=budget))
    assert len(server.asked) <= most
    # Again with the same budget nothing more is asked; with a larger one it goes on.
    asked = len(server.asked)
    with pytest.raises(SettingsError, match="set a larger budget"):
        Run(tmp_path, shards).translate(settings(server.url, prices=prices, budget=budget))
    assert len(server.asked) == asked
    run = Run(tmp_path, shards)
    rows = run.translate(settings(server.url, prices=prices, budget={"requests": 12, "money": 1}))
    assert [row["id"] for row in rows] == [f"p{place}-sw" for place in range(12)]
    assert len(server.asked) == 12
    spent = read_spending(run.store, settings(server.url, prices=prices).prices)["translate"]["sw"]
    assert (spent["requests"], spent["cost"], spent["currency"]) == (12, 12 * (900 + 200) / 1e6, "EUR")


def test_places_are_filled_over_shards(server: LlmServer, tmp_path: Path) -> None:
    server.latency = 0.05
    run = Run(tmp_path, [[place] for place in range(12)])
    rows = run.translate(settings(server.url, concurrency=8))
    assert [row["id"] for row in rows] == [f"p{place}-sw" for place in range(12)]
    assert server.busiest == 8


def test_equal_rows_are_asked_once(server: LlmServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [[0, 0], [0, 1]])
    rows = run.translate(settings(server.url))
    assert [row["id"] for row in rows] == ["p0-sw", "p0-sw", "p0-sw", "p1-sw"]
    assert len(server.asked) == 2


def test_no_solution_and_rejected_problems(server: LlmServer, tmp_path: Path) -> None:
    run = Run(tmp_path, [[0, 1]])
    table = run.done[0].shards()[0]
    first, second = read_shard(table).to_pylist()
    first |= {"source_rationale": None, "rationale": None}
    second |= {"decision": "drop", "reasons": ["source.no_answer"], "details": ["none"]}
    write_table(table, from_rows([first, second]))
    rejected, row = run.translate(settings(server.url))
    assert (rejected["id"], row["id"]) == ("p1-en", "p0-sw")
    assert (row["question"], row["rationale"]) == (parallel(60)[0]["sw"]["question"], None)
    assert list(row) == SCHEMA.names


def test_what_people_said_is_not_asked(server: LlmServer, tmp_path: Path) -> None:
    row = Run(tmp_path / "first", [[0]]).translate(settings(server.url))[0]
    run = Run(tmp_path / "second", [[0, 1]])
    fix = resolve(row, "fix", question="Sasa Ana ana vitabu 7?", rationale="Jibu ni 7.")
    (tmp_path / "second" / "review").mkdir()
    review(tmp_path / "second", [fix], [row])
    server.asked.clear()
    rows = run.translate(settings(server.url))
    assert [row["question"] for row in rows] == ["Sasa Ana ana vitabu 7?", parallel(60)[1]["sw"]["question"]]
    assert [one["question"] for one in server.asked] == [english(1)]
    backs = run.translate_back(settings(server.url))
    assert [row["back_question"] for row in backs] == [None, english(1)]
