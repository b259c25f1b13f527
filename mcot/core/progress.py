"""Progress: a bar on a terminal, plain lines in a log."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

__all__ = ["Progress", "say"]

# A log gets a line at most this often, in seconds, and one at the end.
_LINE_EVERY = 10.0


def say(message: str) -> None:
    """A line for the user, on standard error."""
    print(message, file=sys.stderr, flush=True)


class Progress:
    """The progress of one piece of work, as a context manager.

    Args:
        label: what is done.
        total: how much there is to do, None where nobody knows.
        done: how much was done before.
        unit: of `total`, in the plural.
    """

    def __init__(self, label: str, *, total: int | None, done: int = 0, unit: str) -> None:
        self._label, self._total, self._done, self._unit = label, total, done, unit
        self._resumed = done
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._began = self._last = time.monotonic()

    def __enter__(self) -> "Progress":
        if sys.stderr.isatty():
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description:<15}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn(self._unit),
                TimeElapsedColumn(),
                TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._total, completed=self._done, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif kind is None:
            self._line()

    def advance(self, amount: int = 1, note: str = "") -> None:
        """So much more is done; `note` is shown beside the bar."""
        self._done += amount
        if self._bar is not None:
            self._bar.update(self._task, advance=amount, note=note)
        elif time.monotonic() - self._last > _LINE_EVERY:
            self._line(note)

    def note(self, note: str) -> None:
        """Show a note; nothing more is done yet."""
        self.advance(0, note)

    def say(self, message: str) -> None:
        """A line for the user that does not break the bar."""
        if self._bar is not None:
            self._bar.console.print(message, markup=False, highlight=False)
        else:
            say(message)

    def _line(self, note: str = "") -> None:
        self._last = time.monotonic()
        of = f"/{self._total}" if self._total is not None else ""
        resumed = f", {self._resumed} from before" if self._resumed else ""
        seconds = self._last - self._began
        say(f"{self._label}: {self._done}{of} {self._unit} in {seconds:.1f} s{resumed}{'; ' + note if note else ''}")
