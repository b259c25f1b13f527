"""What every test shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation.server.control import LocalServer
from annotation.server.environment import default_folder, ensure_environment
from mcot.core.errors import StageError

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    # Tests use what is in the repository. A model that is looked up on the Hub by mistake fails at once.
    os.environ["HF_HUB_OFFLINE"] = "1"
    if "PYTEST_XDIST_WORKER" in os.environ:
        # One thread a worker: workers whose thread pools share the cores spin on each other's locks.
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the repository: `gsm8k`, `mgsm` and others."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real data: {Path('..') / 'shared' / 'data'} is not beside the repository")
    return folder


@pytest.fixture(scope="session")
def argilla_environment() -> Path:
    """Where the server's environment is; made on first use, which takes a minute and the network."""
    folder = Path(os.environ.get("MCOT_ARGILLA_ENVIRONMENT") or default_folder())
    try:
        ensure_environment(folder)
    except StageError as error:
        pytest.skip(str(error))
    return folder


@pytest.fixture(scope="session")
def argilla_server(argilla_environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server on a fresh folder, for all tests of a process: each makes a workspace of its own."""
    with LocalServer.start(tmp_path_factory.mktemp("argilla"), environment=argilla_environment) as server:
        yield server
