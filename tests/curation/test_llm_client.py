"""The client of OpenAI-compatible servers: waiting, keys, stores and what is read."""

import asyncio
import logging
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcot.core.chat_client import ChatClient
from mcot.core.chat_flow import ChatFlow
from mcot.core.chat_reading import Trouble, read_error, read_reply
from mcot.core.chat_settings import ChatSettings
from mcot.core.chat_store import ChatStore, Reply, Spent, read_spending
from mcot.core.errors import ModelError, RunError, SettingsError
from mcot.core.servers import back_off, plain, read_key, read_retry_after
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import dump_settings, parse_settings
from tests.curation.llm_runs import Run, english, settings
from tests.curation.llm_server import LlmServer

KEY = "sk-planted-0123456789"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://me:sk-1@host/v1"}, "url holds a user or a password"),
        ({"url": "http://host/v1?key=sk-1"}, "url is no address"),
        ({"url": "ftp://host"}, "url is no address"),
        ({"budget": {"money": 3}}, "budget.money needs prices"),
        ({"extra": {"messages": []}}, "extra may not hold messages"),
        ({"extra": {"api-key": "sk-1"}}, "extra may hold no secret"),
        ({"api_key": "sk-1"}, "unknown key"),
        ({"prices": {"input": 1, "output": float("nan")}}, "finite"),
    ],
)
def test_wrong_settings(changes: dict[str, Any], said: str) -> None:
    content = {"url": "http://host/v1", "model": "m", **changes}
    with pytest.raises(SettingsError, match=said) as error:
        parse_settings(content, "settings", ChatSettings)
    assert "sk-1" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"translators": ["llm"]}, "llm is to translate and is not set"),
        ({"back_translation": {"by": "llm"}}, "llm is to translate and is not set"),
        ({"translators": []}, "translators"),
    ],
)
def test_wrong_curation_settings(content: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        parse_settings({"name": "x", "sources": [{"path": "p"}], **content}, "settings", CurationSettings)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({}, "nllb"),
        ({"translators": ["llm"]}, "llm"),
        ({"translators": ["llm"], "back_translation": {"by": "nllb"}}, "nllb"),
        ({"translators": ["llm"], "back_translation": {"model": {}}}, "nllb"),
        ({"back_translation": {"by": "llm"}}, "llm"),
    ],
)
def test_what_translates_back(content: dict[str, Any], expected: str) -> None:
    llm = {"url": "http://host/v1", "model": "m"}
    read = parse_settings({"name": "x", "sources": [{"path": "p"}], "llm": llm, **content}, "s", CurationSettings)
    assert read.back_translator == expected


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("3", 3.0, 3.0),
        ("0.5", 0.5, 0.5),
        ("-1", 0.0, 0.0),
        ("1e9", 600.0, 600.0),
    ],
)
def test_retry_after(value: str, low: float, high: float) -> None:
    read = read_retry_after(value)
    assert read is not None
    assert low <= read <= high


@pytest.mark.parametrize(("seconds", "low", "high"), [(90, 1.0, 90.0), (-90, 0.0, 0.0)])
def test_retry_after_as_a_date(seconds: int, low: float, high: float) -> None:
    read = read_retry_after(format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True))
    assert read is not None
    assert low <= read <= high


@pytest.mark.parametrize("value", [None, "soon", "nan", ""])
def test_no_retry_after(value: str | None) -> None:
    assert read_retry_after(value) is None


def test_back_off_grows_and_is_bounded() -> None:
    waits = [back_off(attempt) for attempt in range(1, 101)]
    assert 0.5 <= waits[0] <= 1.0
    assert 2.0 <= waits[2] <= 4.0
    assert all(30.0 <= wait <= 60.0 for wait in waits[6:])


def test_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_KEY", f" {KEY}\n")
    assert read_key("LLM_KEY") == KEY
    monkeypatch.setenv("LLM_KEY", "sk-\u00e9")
    with pytest.raises(ModelError, match="holds characters that no key has") as error:
        read_key("LLM_KEY")
    assert "sk-" not in str(error.value)
    assert plain(f"wrong\nkey {KEY}!", KEY) == "wrong key [key]!"


MESSAGES = [{"role": "user", "content": "\u00e9\u00e9"}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 7}}',
         Reply("a", "stop", None, 7, 1)),
        # Where nothing is counted, bytes are.
        ('{"choices": [{"message": {"content": "abc"}}]}', Reply("abc", None, None, 4, 3)),
        ('{"choices": [{"message": {"content": null, "refusal": "no"}}], "usage": {}}', Reply(None, None, "no", 4, 2)),
        (f'{{"choices": [{{"message": {{"content": "my {KEY}"}}}}]}}', Reply("my [key]", None, None, 4, 8)),
    ],
)  # fmt: skip
def test_replies(body: str, expected: Reply) -> None:
    assert read_reply(body, MESSAGES, KEY) == expected


@pytest.mark.parametrize(
    "body",
    ["", "<html>", "[]", "{}", '{"choices": []}', '{"choices": [{"message": 1}]}', "[" * 100_000,
     '{"choices": [{"message": {"content": 3}}]}'],
)  # fmt: skip
def test_unreadable_replies(body: str) -> None:
    trouble = read_reply(body, MESSAGES, KEY)
    assert isinstance(trouble, Trouble)
    assert (trouble.kind, trouble.scope) == ("unreadable", "passing")


@pytest.mark.parametrize(
    ("status", "body", "scope", "said"),
    [
        (429, b'{"error": {"message": "slow"}}', "passing", "status 429: slow"),
        (429, b'{"error": {"message": "none", "code": "insufficient_quota"}}', "settings", "status 429: none"),
        (503, b"<html>busy</html>", "passing", "status 503: <html>busy</html>"),
        (401, b'{"error": "no"}', "settings", "status 401: no"),
        (402, b"{}", "settings", "status 402: {}"),
        (403, b'{"detail": "not here"}', "unknown", "status 403: not here"),
        (404, b'{"message": "no model"}', "settings", "status 404: no model"),
        (400, b'{"error": {"message": "long", "code": "context_length_exceeded"}}', "request", "status 400: long"),
        (422, b"[1]", "unknown", "status 422: [1]"),
    ],
)
def test_errors(status: int, body: bytes, scope: str, said: str) -> None:
    trouble = read_error(status, {}, body, KEY, "LLM_KEY")
    assert (trouble.scope, trouble.said) == (scope, said)


def test_the_store(tmp_path: Path) -> None:
    store = ChatStore(tmp_path / "deep" / "s.sqlite")
    store.end(store.begin("k", "translate", "sw", 70), Reply(None), "status 429")
    assert store.find("k") is None
    for text in ("first", "second"):
        store.end(store.begin("k", "translate", "sw", 70), Reply(text, "stop", None, 10, 5))
    assert store.find("k") == Reply("first", "stop", None, 10, 5)
    # Whatever ends the process now, this one was sent.
    store.begin("k", "translate", "sw", 70)
    assert store.spent(None) == Spent(4, 100, 0.0)
    store.close()
    counts = {"requests": 4, "answers": 2, "prompt_tokens": 90, "completion_tokens": 10}
    assert read_spending(tmp_path / "deep" / "s.sqlite", None) == {
        "translate": {"sw": {**counts, "troubles": {"broken off": 1, "status 429": 1}}}
    }
    assert read_spending(tmp_path / "none.sqlite", None) == {}


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(RunError, match=r"s\.sqlite: can't be used .*move it away"):
        ChatStore(path)


def test_a_server_that_asks_to_wait_is_left_alone_by_all(server: LlmServer, tmp_path: Path) -> None:
    server.plan[english(0), "sw"] = ["429 0.6"]
    Run(tmp_path, [list(range(12))]).translate(settings(server.url, concurrency=2))
    refused = next(one["at"] for one in server.asked if one["does"] == "429 0.6")
    later = sorted(one["at"] - refused for one in server.asked if one["at"] > refused)
    # One may have been under way as the other was refused.
    assert all(wait > 0.55 for wait in later[1:])


def test_flow_keeps_order_and_number() -> None:
    flow = ChatFlow(3)
    busy = most = 0
    begun: list[int] = []

    async def work(number: int) -> int:
        nonlocal busy, most
        begun.append(number)
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.01)
        busy -= 1
        if number == 5:
            raise ValueError(number)
        return number

    futures = [flow.submit(lambda number=number: work(number)) for number in range(10)]  # type: ignore[misc]
    assert [future.result() for future in futures if future is not futures[5]] == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    with pytest.raises(ValueError, match="5"):
        futures[5].result()
    assert (begun, most) == (list(range(10)), 3)
    slow = [flow.submit(lambda number=number: work(number)) for number in range(10, 20)]  # type: ignore[misc]
    while len(begun) < 13:
        time.sleep(0.001)
    flow.drain()
    assert sum(future.cancelled() for future in slow) >= 10 - 6
    assert all(future.done() for future in slow)
    flow.close()


def test_the_key_is_nowhere(
    server: LlmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("LLM_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    chosen = settings(server.url, key_variable="LLM_KEY")
    server.plan[english(1), "sw"] = [f"echo {KEY}", f"echo {KEY}"]
    run = Run(tmp_path / "run", [[0, 1]])
    run.translate(chosen)
    run.decide()
    assert server.authorization == {f"Bearer {KEY}".lower()}
    for place in range(4):
        server.always[english(place), "sw"] = f"401 {KEY}"
    with pytest.raises(ModelError) as error:
        Run(tmp_path / "other", [[2, 3]]).translate(chosen)
    whole = CurationSettings.model_validate({"name": "x", "sources": [{"path": "p"}], "llm": chosen.model_dump()})
    (tmp_path / "settings.yaml").write_text(dump_settings(whole))
    assert yaml.safe_load(dump_settings(whole))["llm"]["key_variable"] == "LLM_KEY"
    client = ChatClient(chosen, tmp_path / "c.sqlite", where="llm")
    told = [str(error.value), repr(error.value), caplog.text, *capfd.readouterr(), repr(chosen), client.signature]
    assert not [text for text in told if KEY in text]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".sqlite" for path in files)
    assert not [path for path in files if KEY.encode() in path.read_bytes()]
    with closing(sqlite3.connect(run.store)) as connection:
        texts = connection.execute("SELECT text FROM request").fetchall()
    assert any("[key]" in text for (text,) in texts)
