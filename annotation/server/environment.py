"""The virtual environment that Argilla's server runs in.

It can't be the project's own: argilla-server 2.8 pins pydantic 2.9 and others. It is made on first use from the lock
beside this file.
"""

from pathlib import Path

from mcot.core.environments import Environment, cache_folder

__all__ = ["default_folder", "ensure_environment"]

_LOCK = Path(__file__).with_name("requirements.txt")
# pydantic-core 2.23, which the lock has, is published for these and does not build on newer ones.
_PYTHONS = ((3, 11), (3, 13))


def default_folder() -> Path:
    """Where environments are kept: `~/.cache/mcot/argilla-server`, or the same below `XDG_CACHE_HOME`."""
    return cache_folder("argilla-server")


def ensure_environment(folder: Path) -> Path:
    """Make the environment unless it is there: about a minute, 700 MB, over the network.

    Processes that call this at once make one between them. Killed in between, the next call begins anew.

    Args:
        folder: where environments are kept; that of this lock is a folder in it.

    Returns:
        The environment's Python.

    Raises:
        StageError: this Python is too new for Argilla's server, or a package could not be installed.
    """
    return Environment(
        title="Argilla's server",
        lock=_LOCK,
        pythons=_PYTHONS,
        cost="about a minute",
        otherwise="run mcot with one of those, or use a team server (docs/review-server.md)",
    ).ensure(folder)
