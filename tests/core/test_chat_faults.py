"""Whose fault is it that a request has no answer: its own, the server's, the settings'? And what that costs."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mcot.core.chat_store import read_spending
from mcot.core.errors import ModelError, SettingsError, StageError
from tests.curation.llm_runs import Run, english, settings
from tests.curation.llm_server import LlmServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LlmServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 0.01)
    monkeypatch.setattr("mcot.core.servers.LONGEST_WAIT", 0.2)
    one = LlmServer()
    yield one
    one.close()


def unfinished(rows: list[dict[str, Any]]) -> list[str]:
    """The problems of the rows that have no translation."""
    return [row["problem_id"] for row in rows if row["question"] is None]


def books(run: Run) -> tuple[int, int]:
    """Requests and tokens in a run's store."""
    with closing(sqlite3.connect(run.store)) as connection:
        requests, tokens = connection.execute(
            "SELECT count(*), sum(prompt_tokens + completion_tokens) FROM request"
        ).fetchone()
    return int(requests), int(tokens)


class LimitedServer(LlmServer):
    """Lets so many requests in each second, and says nothing of when to come back."""

    rate, let_in, since, refused = 40.0, 1.0, 0.0, 0

    async def _answer(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        now = time.monotonic()
        self.let_in = min(1.0, self.let_in + (now - self.since) * self.rate)
        self.since = now
        if self.let_in >= 1:
            self.let_in -= 1
            return await super()._answer(body, writer)
        self.refused += 1
        text = json.dumps({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})
        head = "HTTP/1.1 429 Planted\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())
        await writer.drain()
        return True


def test_a_limit_of_requests_costs_no_row(server: LlmServer, tmp_path: Path) -> None:
    limited = LimitedServer()
    try:
        rows = Run(tmp_path, [range(40)]).translate(settings(limited.url, concurrency=16, timeout=5))
    finally:
        limited.close()
    assert unfinished(rows) == []
    assert limited.refused > 20


def test_a_limit_that_one_request_never_passes_ends(server: LlmServer, tmp_path: Path) -> None:
    server.always[english(1), "sw"] = "429"
    rows = Run(tmp_path, [range(4)]).translate(settings(server.url))
    assert unfinished(rows) == ["p1"]
    tries = sum(one["does"] == "429" for one in server.asked)
    # Tried anew once the server is known to answer; then it is the request's own.
    assert 6 <= tries <= 12
    assert len(server.probes) <= 2


@pytest.mark.parametrize(("does", "error"), [("credit", ModelError), ("500", StageError), ("cut", StageError)])
@pytest.mark.parametrize("first", [1, 7, 10])
def test_a_server_that_ceases_to_answer_costs_no_row(
    server: LlmServer, tmp_path: Path, does: str, error: type[Exception], first: int
) -> None:
    shards = [range(8), range(8, 14)]
    server.probe = does
    server.always = {(english(place), "sw"): does for place in range(first, 60)}
    with pytest.raises(error):
        Run(tmp_path, shards).translate(settings(server.url))
    server.always.clear()
    rows = Run(tmp_path, shards).translate(settings(server.url))
    assert (len(rows), unfinished(rows)) == (14, [])


@pytest.mark.parametrize("does", ["context", "bad", "400", "500", "cut", "html"])
@pytest.mark.parametrize("places", [[1, 0, 2, 3], [0, 2, 1], [1]])
def test_a_row_that_no_server_answers_stops_nothing(
    server: LlmServer, tmp_path: Path, does: str, places: list[int]
) -> None:
    server.always[english(1), "sw"] = does
    server.probe = "good"
    # As after a kill, the other rows are answered, or there is none but this one.
    rows = Run(tmp_path, [places]).translate(settings(server.url, concurrency=1))
    assert unfinished(rows) == ["p1"]
    assert len(server.probes) == 1 or does in ("context", "400")
    if does in ("context", "400"):
        # The server itself says that it is the request's fault: any answer before is enough.
        assert len(server.probes) == (places[0] == 1)


def test_many_rows_share_a_probe_which_is_on_the_books(server: LlmServer, tmp_path: Path) -> None:
    server.latency = 0.05
    server.always = {(english(place), "sw"): "bad" for place in range(8)}
    server.probe = "good"
    run = Run(tmp_path, [range(9)])
    rows = run.translate(settings(server.url, concurrency=8, structured="none"))
    assert unfinished(rows) == [f"p{place}" for place in range(8)]
    assert 1 <= len(server.probes) <= 3
    spent = read_spending(run.store, None)["translate"]["sw"]
    assert spent["requests"] == 9 + len(server.probes)
    assert (spent["answers"], spent["troubles"]) == (1, {"probe": len(server.probes), "status 400": 8})


def test_a_probe_keeps_to_the_budget(server: LlmServer, tmp_path: Path) -> None:
    server.always[english(0), "sw"] = "bad"
    chosen = settings(server.url, budget={"requests": 1}, structured="none")
    with pytest.raises(SettingsError, match=r"budget\.requests: 1 requests are spent .* no answer: status 400: bad"):
        Run(tmp_path, [[0]]).translate(chosen)
    assert server.probes == []


@pytest.mark.parametrize("does", ["bad", "context", "hang"])
def test_settings_that_suit_no_request_stop_the_run(server: LlmServer, tmp_path: Path, does: str) -> None:
    server.always = {(english(place), "sw"): does for place in range(60)}
    server.probe = "good"
    advice = {"bad": "mend the settings", "context": "a smaller max_tokens", "hang": "a longer timeout"}[does]
    with pytest.raises(ModelError, match=rf"none of the first 10 that matter .*{advice}"):
        Run(tmp_path, [range(60)]).translate(settings(server.url, timeout=0.1, tries=2, concurrency=8))
    assert len(server.asked) < 60


def test_a_schema_that_one_request_fails_with_stays(server: LlmServer, tmp_path: Path) -> None:
    server.plan[english(3), "sw"] = ["generate"]
    Run(tmp_path, [range(6)]).translate(settings(server.url, concurrency=1))
    assert ["response_format" in one["body"] for one in server.asked] == [True] * 4 + [False] + [True] * 2


def test_what_is_broken_off_is_on_the_books(server: LlmServer, tmp_path: Path) -> None:
    server.plan[english(0), "sw"] = ["401"]
    for place in range(1, 8):
        server.plan[english(place), "sw"] = ["hang"]
    run = Run(tmp_path, [range(8)])
    with pytest.raises(ModelError):
        run.translate(settings(server.url, concurrency=8, timeout=20))
    requests, tokens = books(run)
    assert requests >= len(server.asked) > 1
    # The prompts of those that were under way may be paid.
    assert tokens > 1000 * (len(server.asked) - 1)


@pytest.mark.parametrize("does", ["hang", "html", "cut"])
def test_what_may_be_paid_counts(server: LlmServer, tmp_path: Path, does: str) -> None:
    server.always = {(english(place), "sw"): does for place in range(20)}
    chosen = settings(server.url, timeout=0.3, budget={"tokens": 20_000}, tries=20, concurrency=2)
    with pytest.raises(SettingsError, match=r"budget\.tokens"):
        Run(tmp_path, [range(20)]).translate(chosen)
    assert len(server.asked) < 10


def test_a_server_that_is_not_there_costs_nothing(server: LlmServer, tmp_path: Path) -> None:
    # One request: another's might be cut off on its way, which counts as sent.
    run = Run(tmp_path, [range(1)])
    began = time.monotonic()
    with pytest.raises(StageError, match=r"3 tries, the last one: .*see that it runs"):
        run.translate(settings("http://127.0.0.1:9/v1", budget={"tokens": 10}))
    assert books(run)[1] == 0
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("does", ["429 20", "500"])
def test_a_budget_that_is_spent_waits_for_no_second_try(
    server: LlmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 20.0)
    monkeypatch.setattr("mcot.core.servers.LONGEST_WAIT", 20.0)
    server.always[english(0), "sw"] = does
    server.latency = 0.05
    began = time.monotonic()
    with pytest.raises(SettingsError, match=r"budget\.requests"):
        Run(tmp_path, [range(12)]).translate(settings(server.url, budget={"requests": 4}, concurrency=4, timeout=5))
    assert time.monotonic() - began < 8
