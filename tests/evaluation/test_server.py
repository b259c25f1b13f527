"""An OpenAI-compatible server: a real one on this machine, which answers as told."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evaluation.backends import make_backend
from evaluation.cache import GenerationStore
from evaluation.generate import generate
from evaluation.problems import read_problems
from evaluation.settings import ModelSettings
from mcot.core.errors import ModelError, StageError
from mcot.core.servers import read_retry_after


class Server:
    """A real HTTP server that answers as told; what it was asked is in `asked`."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.script: list[tuple[int, dict[str, str], Any]] = []
        outer, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    outer.asked.append({"path": self.path, **body})
                    outer.headers.append(dict(self.headers))
                    status, headers, content = outer.script.pop(0) if outer.script else (200, {}, outer.reply(body))
                text = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                # Who asked may have been told to stop by another answer.
                with suppress(BrokenPipeError, ConnectionResetError):
                    self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    @staticmethod
    def reply(body: dict[str, Any]) -> dict[str, Any]:
        if "messages" in body:
            said = body["messages"][-1]["content"][::-1]
            return {"choices": [{"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}]}
        return {"choices": [{"text": body["prompt"][::-1], "finish_reason": "length"}]}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 0.01)
    one = Server()
    yield one
    one.close()


def served(url: str, **changes: Any) -> ModelSettings:
    server = {"url": url + "/", "tries": 3, **changes.pop("server", {})}
    content = {"model": "org/served", "backend": "server", "sampling": {"max_new_tokens": 12}, "server": server}
    return ModelSettings.model_validate({**content, **changes})


def test_a_server_answers(server: Server, benchmark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret\n")
    sets = [read_problems("mgsm", benchmark)]
    answers = generate(served(server.url), sets, tmp_path / "a.jsonl")
    for sample in answers.samples[0].to_pylist():
        assert sample["response"] == sample["prompt"][::-1]
        assert sample["ended"] is False
    assert {one["path"] for one in server.asked} == {"/v1/completions"}
    assert {one["Authorization"] for one in server.headers} == {"Bearer sk-secret"}
    first = {key: value for key, value in server.asked[0].items() if key != "prompt"}
    assert first == {"path": "/v1/completions", "model": "org/served", "max_tokens": 12, "temperature": 0.0}
    assert b"sk-secret" not in (tmp_path / "a.jsonl").read_bytes()

    changes = {"prompt": {"style": "chat", "system": "Solve."}, "sampling": {"temperature": 0.5, "stop": ["END"]}}
    chat = generate(served(server.url, **changes), sets, tmp_path / "a.jsonl", seed=4)
    asked = server.asked[-1]
    assert asked["messages"][0] == {"role": "system", "content": "Solve."}
    assert (asked["stop"], asked["top_p"], asked["path"]) == (["END"], 1.0, "/v1/chat/completions")
    assert isinstance(asked["seed"], int)
    assert chat.samples[0]["ended"].to_pylist() == [True] * 36


def test_a_busy_server_is_asked_again(
    server: Server, benchmark: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.script = [(429, {"Retry-After": "0.3"}, {"error": {"message": "slow down"}}), (503, {}, b"<html>")]
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=1)]
    began = time.monotonic()
    assert generate(served(server.url), sets, tmp_path / "a.jsonl").generated == 1
    assert time.monotonic() - began >= 0.3
    assert len(server.asked) == 3
    assert "status 429; trying again in 0 s" in capsys.readouterr().err


def test_what_came_before_a_failure_is_kept(server: Server, benchmark: Path, tmp_path: Path) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"])]
    settings = served(server.url, server={"connections": 1})
    good: list[Any] = [(200, {}, {"choices": [{"text": f"{n}", "finish_reason": "stop"}]}) for n in range(5)]
    server.script = [*good, *[(500, {}, {"error": "overloaded"})] * 3]
    with pytest.raises(StageError, match=r"3 tries, the last one: status 500; .*every answer so far is kept"):
        generate(settings, sets, tmp_path / "a.jsonl")
    assert len(GenerationStore(tmp_path / "a.jsonl")) == 5
    assert generate(settings, sets, tmp_path / "a.jsonl").generated == 7


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (
            401,
            {"error": {"message": "bad key sk-secret"}},
            r"\(401: bad key \[key\]\); the key in the environment vari",
        ),
        (
            404,
            {"error": {"message": "no model"}},
            r"has no model 'org/served', or nothing at this address \(404: no mod",
        ),
        (400, {"error": {"message": "too\nlong"}}, r"refused the request \(400: too long\)"),
        (307, b"", r"refused the request \(307: \)"),
        (200, {"choices": []}, "its answer is none of an OpenAI-compatible server"),
        (200, b"<html>hello</html>", r"none of an OpenAI-compatible server \(<html>hello</html>\)"),
        (200, {"choices": [{"text": 5}]}, "its answer is none of an OpenAI-compatible server"),
    ],
)
def test_a_refusal_is_said_in_one_line(
    server: Server, benchmark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, content: Any,
    message: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    server.script = [(status, {}, content)] * 40
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=2)]
    with pytest.raises(ModelError, match=message) as error:
        generate(served(server.url), sets, tmp_path / "a.jsonl")
    assert "sk-secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_server_that_is_not_there(benchmark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = served("http://127.0.0.1:9/v1", server={"tries": 2})
    with pytest.raises(StageError, match="2 tries, the last one: ConnectError"):
        generate(settings, [read_problems("mgsm", benchmark, limit=1)], tmp_path / "a.jsonl")


def test_a_key_of_odd_characters_is_not_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sécret")
    with pytest.raises(ModelError, match="OPENAI_API_KEY: holds characters that no key has") as error:
        make_backend(served(server.url))
    assert "cret" not in str(error.value)


def test_retry_after_is_seconds_or_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    values: Sequence[tuple[str | None, float | None]] = [
        (None, None), ("2", 2.0), ("0.5", 0.5), ("-1", 0.0), ("1e9", 600.0), ("nan", None), ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ]  # fmt: skip
    for value, expected in values:
        assert read_retry_after(value) == expected
    assert 25 < (read_retry_after(soon) or 0) <= 30
