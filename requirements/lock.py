"""Write the locks: the exact versions of all that pyproject.toml asks for, and of all that these ask for.

``python requirements/lock.py`` from the repository's root. pip resolves, and nothing is installed. The newest
versions that fit, but for those that held.txt holds.
"""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).parent
PROJECT = "mcot-math"
# These belong to one build of torch, which pins them itself; a lock with them would force that build on everybody.
TORCH_BUILD = ("cuda-", "nvidia-", "triton")


def resolve(requirement: str, constraints: Path) -> list[dict[str, Any]]:
    """The metadata of each distribution that pip would install in an empty environment, this project's included.

    Raises:
        subprocess.CalledProcessError: pip found no versions that fit together; it has said why.
    """
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    command += ["--constraint", str(constraints), "--report", "-", requirement]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [item["metadata"] for item in json.loads(report)["install"]]


def pins(distributions: list[dict[str, Any]]) -> dict[str, str]:
    """``name==version`` by name, without the label of a build (``+cpu``), which no index has for everybody.

    What is asked for on some Python versions only is locked for these only.
    """
    markers: dict[str, set[str]] = {}
    for text in (text for distribution in distributions for text in distribution.get("requires_dist", [])):
        requirement = Requirement(text)
        markers.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.marker or ""))
    found: dict[str, str] = {}
    for distribution in distributions:
        name = canonicalize_name(distribution["name"])
        if name == PROJECT or name.startswith(TORCH_BUILD):
            continue
        conditions = markers[name]
        version_only = all(condition.startswith("python_") for condition in conditions)
        suffix = f" ; {' or '.join(sorted(conditions))}" if version_only else ""
        found[name] = f"{name}=={distribution['version'].partition('+')[0]}{suffix}"
    return found


def write(path: Path, lines: Iterable[str], title: str) -> None:
    """Write a lock under a heading that says how to renew it."""
    path.write_text("\n".join([f"# {title}", "# Made by `make lock` from pyproject.toml.", *lines, ""]), "utf-8")


def main() -> None:
    """Write lock.txt, then lock-dev.txt: what the tests and checks need above it."""
    runtime_path = FOLDER / "lock.txt"
    runtime = pins(resolve(".", FOLDER / "held.txt"))
    write(runtime_path, (runtime[name] for name in sorted(runtime)), "What mcot runs on, in exact versions.")
    development = pins(resolve(".[dev]", runtime_path))
    write(
        FOLDER / "lock-dev.txt",
        (development[name] for name in sorted(development) if name not in runtime),
        "What its tests and checks need besides, in exact versions.",
    )


if __name__ == "__main__":
    main()
