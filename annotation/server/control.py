"""Starting, finding and stopping the local Argilla server."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from annotation.server.environment import default_folder, ensure_environment
from mcot.core.errors import StageError, UserError
from mcot.core.files import read_json
from mcot.core.progress import Progress, say

__all__ = ["DEFAULT_PORT", "LocalServer", "default_home", "find_local", "run_foreground"]

DEFAULT_PORT = 6900
_LAUNCHER = Path(__file__).with_name("app") / "launch.py"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Of the launcher: what the user gave is wrong, and a line of the log that begins so says what.
_USER_ERROR = 2
_USER_ERROR_LINE = re.compile(r"process (\d+): (.+)")
# In seconds. A first start makes the database, and a busy machine takes ten times what an idle one does.
_START_WAIT = 180.0
_STOP_WAIT = 30.0
# How often a server that runs in the foreground is looked at, and so how late a signal may be seen.
_POLL = 0.2
# The log of earlier starts is kept up to this size, in bytes, once.
_LOG_SIZE = 1 << 20


class LocalServer:
    """A local Argilla server, running until it is stopped or this process ends. A context manager.

    Made by `start`.
    """

    def __init__(self, home: Path, process: subprocess.Popen[bytes], url: str) -> None:
        self.home, self.process, self.url = home, process, url

    @classmethod
    def start(
        cls,
        home: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        environment: Path | None = None,
        hub: bool = False,
    ) -> "LocalServer":
        """Start a server and wait until it answers: about five seconds; the first time a minute, to install it.

        Args:
            home: the server's folder: its database, secrets and log.
            host: the address to listen at. Any other than this machine's own lets others reach it, unencrypted.
            port: the port to listen at; 0 means any that is free.
            environment: where the server's virtual environments are kept; None means below the user's cache.
            hub: whether it may import from the Hugging Face Hub and export to it.

        Raises:
            UserError: the port is taken, or another server has the folder.
            StageError: the server could not be installed, or ended.
        """
        if host not in _LOOPBACK:
            say(f"warning: listening at {host}, others can reach this server, and nothing is encrypted on the way")
        python = ensure_environment(environment or default_folder())
        home = home.absolute()
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        command = [str(python), "-I", str(_LAUNCHER), "--home", str(home), "--host", host, "--port", str(port)]
        command += ["--with-parent", *(["--hub"] if hub else [])]
        with _open_log(home).open("ab") as log:
            began = log.tell()
            # A session of its own: Ctrl-C is for this process, which then stops the server in order. Its input is a
            # pipe that ends with this process, however that ends.
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=home, start_new_session=True
            )
        server = cls(home, process, "")
        try:
            server._wait(began)
        except BaseException:
            server.kill()
            raise
        return server

    def _wait(self, log_start: int) -> None:
        deadline = time.monotonic() + _START_WAIT
        with Progress("Argilla's server", total=1, unit="started") as progress:
            while time.monotonic() < deadline:
                code = self.process.poll()
                if code is not None:
                    raise self._explain(code, log_start, "ended while it started")
                told = read_json(self.home / "server.json")
                if told.get("pid") == self.process.pid and _answers(str(told["url"])):
                    self.url = str(told["url"])
                    progress.advance()
                    return
                time.sleep(0.05)
        raise StageError(f"Argilla's server did not answer within {_START_WAIT:.0f} s; see {self.log}")

    def _explain(self, code: int, log_start: int, what: str) -> UserError | StageError:
        """Why the process ended. Others that could not start on this folder may have written into its log."""
        if code < 0:
            return StageError(f"Argilla's server {what}, by {_name_signal(-code)}; see {self.log}")
        lines = [line.strip() for line in self.log.read_bytes()[log_start:].decode(errors="replace").splitlines()]
        found = [(line, _USER_ERROR_LINE.fullmatch(line)) for line in reversed(lines) if line]
        if code == _USER_ERROR:
            for _, fault in found:
                if fault and int(fault[1]) == self.process.pid:
                    return UserError(fault[2])
        last = next((line for line, fault in found if not fault), "nothing in its log")
        return StageError(f"Argilla's server {what}: {last}; see {self.log}")

    @property
    def log(self) -> Path:
        """The file with the server's warnings and errors."""
        return self.home / "server.log"

    @property
    def username(self) -> str:
        """The owner's name to sign in with."""
        return "owner"

    @property
    def password(self) -> str:
        """The owner's first password."""
        return _read_secret(self.home / "owner_password")

    @property
    def api_key(self) -> str:
        """The owner's key for the API."""
        return _read_secret(self.home / "owner_api_key")

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        self.process.kill()
        self._close()

    def stop(self) -> None:
        """End the server in order: what it is answering, and its jobs."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_WAIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._close()

    def _close(self) -> None:
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    def __enter__(self) -> "LocalServer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run_foreground(
    home: Path,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    *,
    environment: Path | None = None,
    hub: bool = False,
) -> None:
    """Run a server until Ctrl-C or SIGTERM, telling where it is and how to sign in.

    Args:
        home: the server's folder.
        host: the address to listen at.
        port: the port to listen at.
        environment: where the server's virtual environments are kept; None means below the user's cache.
        hub: whether it may use the Hugging Face Hub.

    Raises:
        UserError: as `LocalServer.start`.
        StageError: as there, or the server ended by itself.
    """
    first = not (home / "owner_password").exists()
    with _interrupted_by_signals(), LocalServer.start(home, host, port, environment=environment, hub=hub) as server:
        began = server.log.stat().st_size
        try:
            say(f"Argilla: {server.url}")
            # Shown once, on a terminal only: a log is read by others and kept.
            shown = f": {server.password} (shown this once)" if first and sys.stderr.isatty() else ""
            say(f"sign in as {server.username}; the password is in {server.home / 'owner_password'}{shown}")
            say(f"warnings and errors: {server.log}; Ctrl-C stops the server")
            # Not one endless wait: a signal that comes just before the system call would leave it waiting.
            while (code := server.process.poll()) is None:
                time.sleep(_POLL)
        except KeyboardInterrupt:
            server.stop()
            say("Argilla: stopped")
        else:
            raise server._explain(code, began, "ended")


def default_home() -> Path:
    """Where the server keeps its data: `~/.local/share/mcot/argilla`, or the same below `XDG_DATA_HOME`."""
    data = os.environ.get("XDG_DATA_HOME", "")
    # The XDG specification has a relative path ignored.
    return (Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share") / "mcot" / "argilla"


def find_local(home: Path | None = None) -> tuple[str, str] | None:
    """The address and the owner's key of the server that runs on a folder; None where none does.

    Args:
        home: the server's folder; None means the default one.
    """
    home = home or default_home()
    told = read_json(home / "server.json")
    try:
        # A server holds this file as long as it lives.
        with (home / ".lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (str(told["url"]), _read_secret(home / "owner_api_key")) if "url" in told else None
    except FileNotFoundError:
        pass
    return None


def _name_signal(number: int) -> str:
    try:
        return f"the signal {signal.Signals(number).name}"
    except ValueError:
        return f"the signal {number}"


def _open_log(home: Path) -> Path:
    log = home / "server.log"
    if log.exists() and log.stat().st_size > _LOG_SIZE:
        log.replace(home / "server.log.1")
    log.touch(mode=0o600)
    return log


def _read_secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise UserError(f"{path}: can't be read: {error.strerror}; put it back from a copy of the folder") from None


def _answers(url: str) -> bool:
    try:
        # The user's proxy is not for this machine's own addresses.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{url}/api/v1/version", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, and Ctrl-C too where who started this had it ignored, as shells do in the background.

    Only the main thread may ask for that.
    """

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
