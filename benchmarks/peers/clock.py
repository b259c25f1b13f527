"""Times one part of one tool: what every `benchmarks/peers/*/run.py` ends in, in that tool's own environment.

Nothing but Python's own library is imported here, as none of the environments has this project's dependencies.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

__all__ = ["Given", "Part", "Work", "run_part"]

Work = Callable[[], object]


class Given(NamedTuple):
    """What a part is made of.

    Attributes:
        path: of the rows, as JSON Lines.
        rows: the same, read: `language`, `source_question`, `question`, `back_question`.
        model: lid.176.ftz.
        benchmark: the file of MGSM's English problems, for contamination; None where it is not at hand.
    """

    path: Path
    rows: list[dict[str, str]]
    model: Path
    benchmark: Path | None

    def texts(self, column: str = "question") -> list[str]:
        """A column's texts, a line each: to several of the tools a text is a line."""
        return [" ".join(row[column].split()) for row in self.rows]

    def by_language(self) -> dict[str, list[str]]:
        """The questions by language, a line each."""
        found: dict[str, list[str]] = {}
        for row, text in zip(self.rows, self.texts(), strict=True):
            found.setdefault(row["language"], []).append(text)
        return found


class Part(NamedTuple):
    """A part of a tool.

    Attributes:
        make: loads what the part needs, and gives what is then timed: the whole work over all rows, once.
        does: what it is and how it was called, and what it leaves out that ours does, for the page.
    """

    make: Callable[[Given], Work]
    does: str


def run_part(parts: Mapping[str, Part], packages: Sequence[str]) -> None:
    """Time the part that the command line names, and write the figures: PART ROWS MODEL OUTPUT [--benchmark FILE].

    Args:
        parts: by name.
        packages: whose versions are recorded.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=sorted(parts))
    parser.add_argument("rows", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--benchmark", type=Path)
    options = parser.parse_args()
    rows = [json.loads(line) for line in options.rows.read_text("utf-8").splitlines()]
    part = parts[options.part]
    work = part.make(Given(options.rows, rows, options.model, options.benchmark))
    began, busy = time.monotonic(), _processor_seconds()
    work()
    figures = {
        "seconds": time.monotonic() - began,
        "processor_seconds": _processor_seconds() - busy,
        "does": part.does,
        "versions": {package: version(package) for package in packages},
    }
    options.output.write_text(json.dumps(figures), "utf-8")


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
