"""Environments that share a package with this one. Making them is tested by `test_server_environment`."""

import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from mcot.core.environments import Environment, _find_needed, cache_folder

SEES = "import importlib.util as u, sys; print(*[bool(u.find_spec(name)) for name in sys.argv[1:]])"


@pytest.mark.slow
def test_it_shares_a_package_and_what_that_needs_and_nothing_else(tmp_path: Path) -> None:
    lock = tmp_path / "lock.txt"
    lock.write_text("# nothing\n", "utf-8")
    made = Environment("Jinja", lock, ((3, 11), (3, 99)), "seconds", "wait", shared="jinja2")
    assert made.find(tmp_path / "environments") is None
    python = made.ensure(tmp_path / "environments")
    assert made.find(tmp_path / "environments") == python
    names = ["jinja2", "markupsafe", "numpy", "mcot"]
    assert subprocess.check_output([python, "-I", "-c", SEES, *names], text=True).split() == [
        "True", "True", "False", "False",
    ]  # fmt: skip
    version = "import importlib.metadata as m, jinja2; print(m.version('jinja2') != '', jinja2.__name__)"
    assert subprocess.check_output([python, "-I", "-c", version], text=True).split() == ["True", "jinja2"]


def make_wheel(folder: Path, name: str, version: str) -> Path:
    """A package that says which version it is. Gives the folder."""
    folder.mkdir()
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
        wheel.writestr(f"{info}/RECORD", "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD")))
    return folder


@pytest.mark.slow
def test_what_the_lock_has_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(make_wheel(tmp_path / "wheels", "markupsafe", "0.0.7")))
    lock = tmp_path / "lock.txt"
    lock.write_text("markupsafe==0.0.7\n", "utf-8")
    folder = tmp_path / "environments"
    locked = Environment("Jinja", lock, ((3, 11), (3, 99)), "seconds", "wait", shared="jinja2")
    assert locked.find(folder) is None
    python = locked.ensure(folder)
    assert sorted(path.name for path in (python.parents[1] / "shared").iterdir() if "-" not in path.name) == ["jinja2"]
    own = "import markupsafe; print(markupsafe.version)"
    assert subprocess.check_output([python, "-I", "-c", own], text=True).strip() == "0.0.7"


@pytest.mark.parametrize(
    ("locked", "expected"),
    [(set(), {"jinja2", "markupsafe"}), ({"markupsafe"}, {"jinja2"}), ({"jinja2"}, set())],
)
def test_what_is_shared(locked: set[str], expected: set[str]) -> None:
    assert {own.metadata["Name"].lower() for own in _find_needed("Jinja2", locked)} == expected


def test_where_caches_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder("comet") == Path("/somewhere/mcot/comet")
