"""The layers: imports point down only, and the distribution holds every package with its data."""

import ast
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("curation", "annotation", "training", "evaluation", "datasets_card")
# Each layer's folder, and what of the project it may import.
LAYERS = {"mcot/core": ("mcot.core",), **{stage: ("mcot.core", stage) for stage in STAGES}}


def imports(source: str) -> Iterator[str]:
    """The modules that a source imports, wherever in it; `from a import b` is `a.b`, as b may be a module."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (name.name for name in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{name.name}" for name in names)
            case ast.ImportFrom():
                yield "." * node.level + (node.module or "")
            case _:
                pass


def forbidden(source: str, allowed: tuple[str, ...]) -> list[str]:
    """What a source imports of the project beyond what its layer allows."""
    return [
        name
        for name in imports(source)
        if name.startswith(".")
        or (name.split(".")[0] in ("mcot", *STAGES) and not any(f"{name}.".startswith(f"{a}.") for a in allowed))
    ]


@pytest.mark.parametrize(
    ("source", "layer", "expected"),
    [
        ("import json, pyarrow", "curation", []),
        ("from mcot.core.rows import cast", "curation", []),
        ("from mcot.core import rows", "curation", []),
        ("from curation.checks import base", "curation", []),
        ("from mcot import cli", "curation", ["mcot.cli"]),
        ("import mcot.rounds", "curation", ["mcot.rounds"]),
        ("def f():\n    from evaluation.score import score", "curation", ["evaluation.score.score"]),
        ("import mcot.corelike", "curation", ["mcot.corelike"]),
        ("from . import base", "curation", ["."]),
        ("import curation", "mcot/core", ["curation"]),
        ("from mcot.cli import main", "mcot/core", ["mcot.cli.main"]),
    ],
)
def test_forbidden_imports_are_found(source: str, layer: str, expected: list[str]) -> None:
    assert forbidden(source, LAYERS[layer]) == expected


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_down(layer: str) -> None:
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in sorted((ROOT / layer).rglob("*.py"))
        if (wrong := forbidden(path.read_text("utf-8"), LAYERS[layer]))
    }
    assert not found


@pytest.fixture(scope="module")
def distribution() -> dict[str, Any]:
    setuptools: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    return setuptools


def test_every_package_is_distributed(distribution: dict[str, Any]) -> None:
    folders = {path.parent for name in ("mcot", *STAGES) for path in (ROOT / name).rglob("*.py")}
    assert sorted(".".join(path.relative_to(ROOT).parts) for path in folders) == sorted(distribution["packages"])


def test_all_data_is_distributed(distribution: dict[str, Any]) -> None:
    patterns = [
        f"{package.replace('.', '/')}/{pattern}"
        for package, data in distribution["package-data"].items()
        for pattern in data
    ]
    files = {
        str(path.relative_to(ROOT))
        for name in ("mcot", *STAGES)
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    # The state that training goes on from is the developer's own, and not in the repository.
    files = {name for name in files if not name.startswith("curation/demo/model/training/")}
    assert not {name for name in files if not any(fnmatch(name, pattern) for pattern in patterns)}
    assert not {pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in files)}
