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
        # Seconds between two bytes.
        self.drip = 0.0
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
                    pieces = [text[place : place + 1] for place in range(len(text))] if outer.drip else [text]
                    for piece in pieces:
                        self.wfile.write(piece)
                        time.sleep(outer.drip)

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
    assert "status 429: slow down; trying again in 0 s" in capsys.readouterr().err


def test_what_came_before_a_failure_is_kept(server: Server, benchmark: Path, tmp_path: Path) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"])]
    settings = served(server.url, server={"connections": 1})
    good: list[Any] = [(200, {}, {"choices": [{"text": f"{n}", "finish_reason": "stop"}]}) for n in range(5)]
    server.script = [*good, *[(500, {}, {"error": "overloaded"})] * 3]
    with pytest.raises(StageError, match=r"3 tries, .*: status 500: overloaded; .*every answer so far is kept"):
        generate(settings, sets, tmp_path / "a.jsonl")
    assert len(GenerationStore(tmp_path / "a.jsonl")) == 5
    assert generate(settings, sets, tmp_path / "a.jsonl").generated == 7


@pytest.mark.parametrize(
    ("status", "content", "message"),
    [
        (
            401,
            {"error": {"message": "bad key sk-secret"}},
            r"\(status 401: bad key \[key\]\); the key in the environment vari",
        ),
        (
            404,
            {"error": {"message": "no model"}},
            r"refused a request to model 'org/served' \(status 404: no model\); valid: the name that the server gives",
        ),
        (400, {"error": {"message": "too\nbad"}}, r"\(status 400: too bad\); mend the settings"),
        (400, {"error": {"message": "temperature is not supported"}}, r"; set temperature: null"),
        (307, b"", r"refused a request .* \(status 307:\)"),
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


@pytest.mark.parametrize(
    "content", [{"choices": []}, b"<html>hello</html>", {"choices": [{"text": 5}]}, b'{"choices": [{"tex', b"[" * 9000]
)
def test_what_is_no_answer_is_asked_for_again(server: Server, benchmark: Path, tmp_path: Path, content: Any) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=1)]
    server.script = [(200, {}, content)] * 2
    assert generate(served(server.url), sets, tmp_path / "a.jsonl").generated == 1
    server.script = [(200, {}, content)] * 3
    with pytest.raises(StageError, match="3 tries, the last one: no answer of an OpenAI-compatible server") as error:
        generate(served(server.url), sets, tmp_path / "b.jsonl")
    assert "\n" not in str(error.value)


def test_an_answer_that_drips_is_not_waited_for(server: Server, benchmark: Path, tmp_path: Path) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=1)]
    server.drip = 0.05
    began = time.monotonic()
    with pytest.raises(StageError, match=r"2 tries, the last one: no answer in 0\.4 s; .*server\.timeout"):
        generate(served(server.url, server={"timeout": 0.4, "tries": 2}), sets, tmp_path / "a.jsonl")
    assert time.monotonic() - began < 2


def test_what_a_server_refuses_for_its_own_sake_is_a_wrong_answer(
    server: Server, benchmark: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=3)]
    error = {"message": "This model's maximum context length is 16 tokens", "type": "BadRequestError", "code": 400}
    server.script = [(400, {}, {"error": error})]
    answers = generate(served(server.url, server={"connections": 1}), sets, tmp_path / "a.jsonl")
    assert sorted(map(bool, answers.samples[0]["response"].to_pylist())) == [False, True, True]
    assert "that count as wrong: 1 (the first one: status 400: This model's" in capsys.readouterr().err


def test_settings_that_let_no_prompt_through_are_not_the_prompts_fault(
    server: Server, benchmark: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"])]
    error = {"message": "maximum context length is 16 tokens", "code": 400}
    server.script = [(400, {}, {"error": error})] * 12
    with pytest.raises(ModelError, match=r"refused all of the 12 prompts .*; lower sampling\.max_new_tokens"):
        generate(served(server.url), sets, tmp_path / "a.jsonl")
    assert "count as wrong" not in capsys.readouterr().err
    # None of them counts as answered wrongly: once the server reads longer texts they are asked again.
    assert generate(served(server.url), sets, tmp_path / "a.jsonl").generated == 12


def test_an_answer_whose_compression_is_broken_is_asked_for_again(
    server: Server, benchmark: Path, tmp_path: Path
) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=1)]
    server.script = [(200, {"Content-Encoding": "gzip"}, b"cut off")]
    assert generate(served(server.url), sets, tmp_path / "a.jsonl").generated == 1


def test_an_answer_may_come_in_parts(server: Server, benchmark: Path, tmp_path: Path) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=1)]
    parts = [{"type": "text", "text": "It is "}, {"type": "text", "text": "18.\ud83d"}]
    server.script = [(200, {}, {"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]})]
    answers = generate(served(server.url, prompt={"style": "chat"}), sets, tmp_path / "a.jsonl")
    assert answers.samples[0]["response"].to_pylist() == ["It is 18.\N{REPLACEMENT CHARACTER}"]


def test_a_server_need_not_be_told_a_temperature(server: Server, benchmark: Path, tmp_path: Path) -> None:
    sets = [read_problems("mgsm", benchmark, languages=["sw"], limit=1)]
    generate(served(server.url), sets, tmp_path / "a.jsonl")
    silent = served(server.url, sampling={"temperature": None})
    assert generate(silent, sets, tmp_path / "a.jsonl").generated == 1
    assert [one.get("temperature", "none") for one in server.asked] == [0.0, "none"]


def test_a_server_that_is_not_there(benchmark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcot.core.servers.FIRST_WAIT", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    settings = served("http://127.0.0.1:9/v1", server={"tries": 2})
    with pytest.raises(StageError, match=r"2 tries, the last one: ConnectError.*see that it runs and can be reached"):
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
