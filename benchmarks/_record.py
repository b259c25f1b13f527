"""Where a benchmark's figures go: `results/<name>.json`, with the machine and the versions."""

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, object]:
    """The processor, its cores, the memory in GiB, and the system."""
    cpu = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": cpu, "cores": os.cpu_count(), "memory_gib": round(memory, 1), "system": platform.system()}


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8").splitlines()
    except OSError:
        return []


def record(name: str, figures: dict[str, Any], *, packages: tuple[str, ...] = ()) -> None:
    """Write a benchmark's figures and print them."""
    versions = {"python": platform.python_version(), **{package: version(package) for package in packages}}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"machine": machine(), "versions": versions, **figures}, indent=2, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
    print(text)
