"""Steps that are announced as what one would type, and done once, however often the whole is begun."""

import shlex
from collections.abc import Callable
from pathlib import Path

from mcot.core.errors import RunError
from mcot.core.files import read_json, write_json
from mcot.core.progress import say

__all__ = ["Steps"]

# What a command line gives back where the user stopped it.
_INTERRUPTED = 130


class Steps:
    """A row of steps, of which those that were done before are left out.

    A step that was cut off is done again, and has to go on by itself where it was, as every command here does.

    Args:
        file: says how many steps are done.
        total: how many there will be.
        run: runs a command line; gives its exit code, or nothing.
    """

    def __init__(self, file: Path, *, total: int, run: Callable[[list[str]], object]) -> None:
        self._file, self._total, self._run = file, total, run
        done = read_json(file).get("done")
        self._done = done if isinstance(done, int) else 0
        self._count = 0
        if self._done:
            say(f"{self._done} steps were done before")

    def command(self, *words: str | Path, may_refuse: bool = False, unless: Callable[[], bool] = lambda: False) -> None:
        """Run a command of `mcot`.

        Args:
            words: of the command line. A pattern of file names stands for the files, as in a shell; where there are
                none, the command is left out.
            may_refuse: whether its refusal (`RunError`) is said, and the next step is gone on to.
            unless: says whether a command that may not be run twice was run, and only not noted as done.
        """
        given = list(map(str, words))
        line = " ".join(word if _is_pattern(word) else shlex.quote(word) for word in ("mcot", *given))
        self.do(f"$ {line}", lambda: None if unless() else self._command(given, may_refuse=may_refuse))

    def do(self, title: str, work: Callable[[], object]) -> None:
        """Do a step that is no command."""
        self._count += 1
        if self._count <= self._done:
            return
        say(f"\n[{self._count}/{self._total}] {title}")
        work()
        self._done = self._count
        write_json(self._file, {"done": self._done})

    def _command(self, given: list[str], *, may_refuse: bool) -> None:
        words: list[str] = []
        for word in given:
            files = _find(word) if _is_pattern(word) else [word]
            if not files:
                say("there are no such files: left out")
                return
            words += files
        try:
            code = self._run(words)
        except RunError as refusal:
            if not may_refuse:
                raise
            say(f"refused: {refusal}")
            return
        if code == _INTERRUPTED:
            raise KeyboardInterrupt


def _is_pattern(word: str) -> bool:
    return "*" in Path(word).name


def _find(pattern: str) -> list[str]:
    path = Path(pattern)
    return sorted(map(str, path.parent.glob(path.name)))
