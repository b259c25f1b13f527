"""Requests to Argilla that fail: what is outlasted, and what is said of the rest."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from annotation.argilla import push, status
from annotation.connection import connect
from annotation.server.control import LocalServer
from mcot.core.errors import SettingsError, StageError
from mcot.core.reviews import ReviewFiles
from tests.annotation.argilla_people import SignIn, check_line, make_run, settings_for


class Faults:
    """A server before the server: gives the faults that it is told, one a request, and passes on all others."""

    def __init__(self, target: str) -> None:
        self.faults: list[int | str | None] = []
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                outer.requests += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fault = outer.faults.pop(0) if outer.faults else None
                if fault == "cut":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{")
                    self.close_connection = True
                    return
                if fault == "page":
                    self.reply(200, b"<html>hello</html>")
                    return
                if fault is not None and fault != "lost":
                    self.reply(int(fault), b'{"detail": "a fault"}')
                    return
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "accept-encoding")}
                url = target + self.path
                got = httpx.request(self.command, url, headers=headers, content=body, timeout=60, trust_env=False)
                if fault == "lost":
                    # Done, but nobody is told.
                    self.close_connection = True
                    return
                self.reply(got.status_code, got.content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

            def reply(self, code: int, content: bytes) -> None:
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def faults(argilla_server: LocalServer) -> Iterator[Faults]:
    between = Faults(argilla_server.url)
    yield between
    between.server.shutdown()
    between.server.server_close()


@pytest.mark.parametrize("fault", [500, "cut", pytest.param("lost", marks=pytest.mark.slow)])
def test_faults_are_outlasted(
    fault: int | str, faults: Faults, tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn
) -> None:
    """Every request of a push and a pull fails once; what is there after is there once."""
    run, settings = make_run(tmp_path / "demo", ["sw"], 5), settings_for(f"faults-{fault}", ["sw"])
    client = sign_in(faults.url, argilla_server.api_key)
    # Each fault is followed by a try that goes well.
    faults.faults = [fault, *[None, fault] * 60]
    assert sum(push(client, run, settings, passwords=tmp_path / "users").added.values()) == 5
    assert len(faults.faults) < 100
    faults.faults = []
    assert push(client, run, settings, passwords=tmp_path / "users").there == 5
    assert [one.rows for one in status(client, run, settings)] == [5]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (500, "answers 500, for 1 s; see that it runs (mcot review serve), then run the same command again"),
        ("cut", "broke the connection off, for 1 s"),
    ],
)
def test_an_outage_that_lasts_is_one_line(
    fault: int | str, expected: str, faults: Faults, tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn
) -> None:
    run, settings = make_run(tmp_path / "demo", ["sw"], 5), settings_for("lasting", ["sw"])
    client = sign_in(faults.url, argilla_server.api_key, patience=1)
    faults.faults = [fault] * 100
    with pytest.raises(StageError) as told:
        push(client, run, settings, passwords=tmp_path / "users")
    assert expected in check_line(told.value, argilla_server.api_key)
    assert not ReviewFiles(run).verdicts.exists()


def test_a_key_that_expires_is_one_line_at_once(
    faults: Faults, tmp_path: Path, argilla_server: LocalServer, sign_in: SignIn
) -> None:
    run, settings = make_run(tmp_path / "demo", ["sw"], 5), settings_for("expiring", ["sw"])
    client = sign_in(faults.url, argilla_server.api_key)
    before = faults.requests
    faults.faults = [401]
    with pytest.raises(SettingsError) as told:
        push(client, run, settings, passwords=tmp_path / "users")
    assert "refuses the key (401)" in check_line(told.value, argilla_server.api_key)
    assert faults.requests == before + 1
    assert push(client, run, settings, passwords=tmp_path / "users").added == {"sw": 5}


def test_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StageError) as told:
        connect("http://127.0.0.1:9", "a-secret-key", patience=1)
    assert "http://127.0.0.1:9: can't be connected to, for 1 s" in check_line(told.value, "a-secret-key")
    said = capsys.readouterr().err
    assert said == "Argilla at http://127.0.0.1:9: can't be connected to; waiting for up to 1 s\n"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("localhost:6900", "valid: one such as http://127.0.0.1:6900"),
        ("ftp://x", "valid: one such as"),
        ("http://[", "valid: one such as"),
        ("http://me:secret@127.0.0.1:6900", "holds a name or password"),
        ("me:secret@host", "got an address; valid"),
    ],
)
def test_bad_addresses(url: str, expected: str) -> None:
    with pytest.raises(SettingsError) as told:
        connect(url, "key")
    assert expected in check_line(told.value, "secret")


def test_what_is_not_argilla(faults: Faults) -> None:
    for fault in ("page", 404):
        faults.faults = [fault]
        with pytest.raises(SettingsError, match="is no Argilla 2"):
            connect(faults.url, "key")


def test_a_wrong_key(argilla_server: LocalServer) -> None:
    with pytest.raises(SettingsError) as told:
        connect(argilla_server.url, "wrong-key")
    assert "refuses the key (401)" in check_line(told.value, "wrong-key")


def test_no_server_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ARGILLA_")]:
        monkeypatch.delenv(name)
    with pytest.raises(SettingsError, match=f"no Argilla server runs on {tmp_path}"):
        connect(home=tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="no Argilla server: none runs here"):
        connect()
    monkeypatch.setenv("ARGILLA_API_URL", "http://127.0.0.1:9")
    with pytest.raises(SettingsError, match="no key; set ARGILLA_API_KEY"):
        connect()
    # A folder that is named is meant, whatever the environment says; an address that is named even more so.
    with pytest.raises(SettingsError, match=f"no Argilla server runs on {tmp_path}; start it"):
        connect(home=tmp_path)
    with pytest.raises(SettingsError, match=r"http://127\.0\.0\.1:8: no key"):
        connect("http://127.0.0.1:8", home=tmp_path)


def test_the_local_server_is_found(
    argilla_server: LocalServer, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ARGILLA_API_URL", "ARGILLA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert sign_in(home=argilla_server.home).me.username == argilla_server.username
    # The local server's key is for the local server alone, and what is set for another is not for this one.
    monkeypatch.setenv("ARGILLA_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ARGILLA_API_KEY", "another's")
    assert sign_in(home=argilla_server.home).me.username == argilla_server.username
    monkeypatch.delenv("ARGILLA_API_KEY")
    assert sign_in(argilla_server.url, home=argilla_server.home).me.username == argilla_server.username
