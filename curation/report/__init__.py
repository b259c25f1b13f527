"""The report of a run: `report.json` for programs, `report.html` for people."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from curation.report.gather import gather
from curation.report.page import render
from mcot.core.files import write_file

__all__ = ["gather", "render", "write_report"]


def write_report(folder: Path, shards: Iterable[Path], facts: Mapping[str, Any]) -> None:
    """Write `report.json` and `report.html` into a folder.

    Args:
        shards, facts: as `gather` takes them.
    """
    report = gather(shards, facts)
    write_file(folder / "report.json", json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False) + "\n")
    write_file(folder / "report.html", render(report))
