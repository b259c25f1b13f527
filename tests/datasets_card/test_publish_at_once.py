"""What else happens while a run is published: a second publication of it, a command that decides its rows anew."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from datasets_card.publication import RECORD
from mcot.core.errors import RunError, UserError
from mcot.core.files import lock_folder
from mcot.publish import publish, publish_to_folder
from tests.datasets_card.conftest import TOKEN
from tests.datasets_card.hub_server import HubServer
from tests.datasets_card.test_gates import set_scores
from tests.datasets_card.test_publish import REPO, Send, send, settings_of

__all__ = ["send"]

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")


def test_one_publication_of_a_run_at_a_time(run: Path, hub: HubServer, naps: list[float], tmp_path: Path) -> None:
    first = publish(run, settings_of(tag="first"), lambda _: True)
    assert first is not None
    whole = set(hub.repositories[REPO].files)

    def publish_beside(_: Sequence[str]) -> bool:
        for attempt in (
            lambda: publish(run, settings_of(tag="third"), lambda _: True),
            lambda: publish_to_folder(run, settings_of(), tmp_path / "dry"),
        ):
            with pytest.raises(RunError, match="another process is publishing it; wait for it or stop it") as raised:
                attempt()
            assert "\n" not in str(raised.value)
        return True

    second = publish(run, settings_of(tag="second"), publish_beside)
    assert second is not None
    assert set(hub.repositories[REPO].files) == whole
    assert set(hub.repositories[REPO].tags) == {"first", "second"}
    # Then the way is free.
    assert publish(run, settings_of(tag="third"), lambda _: True) is not None


def test_two_processes_at_once_leave_a_whole_repository(run: Path, send: Send, hub: HubServer, tmp_path: Path) -> None:
    send(tag="first")
    there = hub.repositories[REPO]
    whole = set(there.files)
    given = {"HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path)}
    clean = {key: value for key, value in os.environ.items() if key != "HF_HUB_OFFLINE"}
    program = "import sys; from mcot.cli import main; main(sys.argv[1:])"
    options = ["--repo-id", REPO, "--yes", "--tag", "second"]
    command = [sys.executable, "-c", program, "publish", str(run), *options]
    both = [
        subprocess.Popen(command, env=clean | given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(2)
    ]
    said = [one.communicate(timeout=240)[0] for one in both]
    assert set(there.files) - {name for name in there.files if name.startswith("data/")} <= whole
    record = json.loads(hub.objects[there.files[RECORD]])
    assert {*record["files"], *record["card"], ".gitattributes"} == set(there.files)
    assert "second" in there.tags
    assert "Traceback" not in "".join(said)
    for one, text in zip(both, said, strict=True):
        assert one.returncode == 0 or "another process is publishing it" in text.splitlines()[-1]


def test_what_is_checked_is_what_is_published(run: Path, send: Send, hub: HubServer) -> None:
    # The rows change after the command began, while the Hub is asked.
    hub.meanwhile["info"] = lambda: set_scores(0.2)(run)
    with pytest.raises(UserError, match="1 kept rows are of a benchmark"):
        send()
    assert hub.repositories == {}


def test_nobody_puts_other_rows_there_meanwhile(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcot.publish._WAIT", 0.0)
    with lock_folder(run, "run folder"), pytest.raises(RunError, match="another process is writing into it"):
        publish_to_folder(run, settings_of(), tmp_path / "dry")
    # Of the mistake nothing is left beside the folder.
    assert [path.name for path in tmp_path.iterdir() if "dry" in path.name] == []
