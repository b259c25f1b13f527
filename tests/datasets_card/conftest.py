"""A small finished run, a Hub on loopback to publish it to, and cards of planted rows."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import _http

from curation.pipeline import curate
from mcot.core.hub import hub_is_reachable
from mcot.core.settings import CurationSettings
from mcot.demo import write_problems
from tests.datasets_card.hub_server import HubServer
from tests.datasets_card.rendered_cards import ROWS, Published, publish_rows

# Of no account.
TOKEN = "hf_thisTokenIsASecretOfTheTests"  # noqa: S105


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of some problems in two languages, looked for in a benchmark."""
    folder = tmp_path_factory.mktemp("finished")
    write_problems(folder / "problems.jsonl", 24)
    benchmark = folder / "gsm8k.jsonl"
    benchmark.write_text(
        '{"question": "A baker has forty ovens, and each of them burns?", "answer": "It does. #### 4"}\n'
    )
    source = {"path": str(folder / "problems.jsonl"), "format": "gsm8k", "name": "problems", "license": "MIT"}
    content: dict[str, Any] = {
        "name": "run",
        "output": folder / "run",
        "sources": [source],
        "languages": ["sw", "de"],
        "contamination": {"gsm8k": str(benchmark)},
        "back_translation": {"enabled": False},
    }
    return curate(CurationSettings.model_validate(content)).folder


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of it to be changed."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    """An empty Hub, which this process's client talks to with a token that may write."""
    with HubServer(token=TOKEN) as server:
        point_to(server, monkeypatch, tmp_path)
        yield server
        _http.close_session()
        hub_is_reachable.cache_clear()


def point_to(server: HubServer, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
    template = server.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    # Its storage speaks another protocol, which HF_HUB_DISABLE_XET=1 switches off for a whole process.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "no-token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_IMPLICIT_TOKEN", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    hub_is_reachable.cache_clear()
    _http.close_session()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How many seconds were to be waited, each time; none is."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., Published]:
    """See `publish_rows`."""

    def publish(rows: list[dict[str, Any]] = ROWS, **facts: Any) -> Published:
        return publish_rows(tmp_path, rows, **facts)

    return publish
