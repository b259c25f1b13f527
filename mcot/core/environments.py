"""Virtual environments for what can't live in the project's own, as it pins other versions of what that has.

One is made on first use from a lock. Each lock and Python version has its own, so that an update takes nothing from a
process that runs in another.
"""

import fcntl
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from mcot.core.errors import StageError
from mcot.core.files import read_json, remove_folder, write_json
from mcot.core.progress import Progress, say
from mcot.core.runs import sign

__all__ = ["Environment", "cache_folder"]

# Written last: an environment without it is half made.
_MARKER = "environment.json"
# Of what pip and venv print, how many lines are kept to tell a failure by.
_KEPT_LINES = 20
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def cache_folder(name: str) -> Path:
    """A folder below the user's cache: `~/.cache/mcot/NAME`, or the same below `XDG_CACHE_HOME`."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG specification has a relative path ignored.
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "mcot" / name


@dataclass(frozen=True, slots=True)
class Environment:
    """How an environment is made.

    Attributes:
        title: of what runs in it, for messages.
        lock: a pip requirements file that names every package in it with its version.
        pythons: the lowest and the highest Python that the lock has packages for.
        cost: what making it takes, for the message that it is being made.
        otherwise: what to do where this Python is none of those; the end of an error.
        shared: a distribution that is not installed again: this environment's own is used, with all that it needs
            and the lock has not.
    """

    title: str
    lock: Path
    pythons: tuple[tuple[int, int], tuple[int, int]]
    cost: str
    otherwise: str
    shared: str | None = None

    def ensure(self, folder: Path) -> Path:
        """Make the environment unless it is there, over the network.

        Processes that call this at once make one between them. Killed in between, the next call begins anew.

        Args:
            folder: where environments are kept; that of this lock is a folder in it.

        Returns:
            The environment's Python.

        Raises:
            StageError: this is no Python for it, or a package could not be installed.
        """
        self.check_python()
        signature = self._sign()
        environment = folder.absolute() / signature
        if not _is_made(environment, signature):
            with self._hold(folder):
                if not _is_made(environment, signature):
                    self._make(environment)
                    write_json(environment / _MARKER, {"signature": signature})
        return environment / "bin" / "python"

    def find(self, folder: Path) -> Path | None:
        """The environment's Python where it is made, else None."""
        signature = self._sign()
        environment = folder.absolute() / signature
        return environment / "bin" / "python" if _is_made(environment, signature) else None

    def check_python(self) -> None:
        """Raises `StageError` where this Python is none that the lock has packages for."""
        lowest, highest = self.pythons
        if not lowest <= sys.version_info[:2] <= highest:
            raise StageError(
                f"{self.title} runs on Python 3.{lowest[1]} to 3.{highest[1]}, got {sys.version.split()[0]}; "
                f"{self.otherwise}"
            )

    def _sign(self) -> str:
        parts: list[object] = [self.lock.read_text("utf-8"), sys.version_info[:2], sys.platform]
        if self.shared is not None:
            own = distribution(self.shared)
            parts += [own.version, str(own.locate_file("").resolve())]  # type: ignore[attr-defined]
        return sign(*parts)

    @contextmanager
    def _hold(self, folder: Path) -> Iterator[None]:
        """Wait until no other process makes an environment there, and keep others from it."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"{self.title}: waiting for another process that makes its environment in {folder}")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self, environment: Path) -> None:
        locked = [line for line in self.lock.read_text("utf-8").splitlines() if "==" in line]
        with Progress(self.title, total=len(locked), unit="packages") as progress:
            progress.say(f"installing {self.title} into {environment}; the first time this takes {self.cost}")
            self._run([sys.executable, "-I", "-m", "venv", "--clear", str(environment)], progress)
            python = environment / "bin" / "python"
            # The lock is the whole of it: without --no-deps pip would look up what each package asks for.
            options = ["--no-deps", "--no-input", "--disable-pip-version-check", "--requirement", str(self.lock)]
            self._run([str(python), "-I", "-m", "pip", "install", *options], progress)
        if self.shared is not None:
            _share(self.shared, environment, {_normal(line.partition("==")[0]) for line in locked})

    def _run(self, command: list[str], progress: Progress) -> None:
        last: deque[str] = deque(maxlen=_KEPT_LINES)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            assert process.stdout is not None  # noqa: S101 (it is: a pipe was asked for)
            for line in process.stdout:
                if line.startswith("Collecting "):
                    progress.advance(note=line.split()[1])
                elif line.startswith("Installing collected packages"):
                    progress.note("unpacking")
                if line.strip():
                    last.append(line.strip())
        if process.returncode:
            # pip's own reason comes last, after its warnings of each attempt.
            errors = (line for line in reversed(last) if line.startswith("ERROR"))
            reason = next(errors, last[-1] if last else "no output")
            raise StageError(
                f"{self.title} could not be installed: {reason.removeprefix('ERROR: ')}; see that pip reaches a "
                "package index from here, then run the same command again"
            )


def _is_made(environment: Path, signature: str) -> bool:
    return read_json(environment / _MARKER).get("signature") == signature


def _normal(name: str) -> str:
    """A distribution's name as the packaging specifications compare it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _share(name: str, environment: Path, locked: set[str]) -> None:
    """Have an environment find a distribution of this one, and nothing else of it.

    Its folders are linked into one of their own, which stands last on the environment's path.
    """
    links = environment / "shared"
    remove_folder(links)
    links.mkdir()
    for own in _find_needed(name, locked):
        tops = {file.parts[0] for file in own.files or () if len(file.parts) > 1 or file.suffix in (".py", ".so")}
        for top in sorted(tops - {"..", "__pycache__"}):
            if not (links / top).is_symlink():
                (links / top).symlink_to(Path(str(own.locate_file(top))).resolve())
    (packages,) = (environment / "lib").glob("python3.*/site-packages")
    (packages / "shared.pth").write_text(f"{links}\n", "utf-8")


def _find_needed(name: str, locked: set[str]) -> list[Distribution]:
    """A distribution of this environment and all that it needs, but for what is locked elsewhere."""
    found: dict[str, Distribution] = {}
    names = [name]
    while names:
        wanted = _normal(names.pop())
        if wanted in found or wanted in locked:
            continue
        try:
            found[wanted] = distribution(wanted)
        except PackageNotFoundError:
            # Of another system, or of no use here.
            continue
        lines = [line for line in found[wanted].requires or () if "extra ==" not in line]
        names += [match[0] for line in lines if (match := _NAME.match(line))]
    return list(found.values())
