"""Environments that share a package with this one. Making them is tested by `test_server_environment`."""

import subprocess
from pathlib import Path

import pytest

from mcot.core.environments import Environment, cache_folder

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
    # What the lock has is not shared: an environment of its own version would hide it.
    locked = Environment("Jinja", lock, ((3, 11), (3, 99)), "seconds", "wait", shared="numpy")
    assert locked.find(tmp_path / "environments") is None


def test_where_caches_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder("comet") == Path("/somewhere/mcot/comet")
