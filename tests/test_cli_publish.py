"""`mcot publish` as a person types it."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from mcot import cli
from mcot.publish_commands import publish
from tests.datasets_card.conftest import TOKEN, finished_run, hub, naps, run
from tests.datasets_card.hub_server import Fault, HubServer
from tests.datasets_card.test_publish import review_rows

__all__ = ["finished_run", "hub", "naps", "run"]

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(run: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Publish the run: the exit code and all that was said."""
    if not any(command.callback is publish for command in cli.app.registered_commands):
        cli.app.command()(publish)

    def call(*arguments: str, folder: Path = run, **settings: object) -> tuple[int, str]:
        capfd.readouterr()
        given = list(arguments)
        if settings:
            (run / ".settings.yaml").write_text(yaml.safe_dump(settings))
            given += ["--settings", str(run / ".settings.yaml")]
        with pytest.raises(SystemExit) as stop:
            cli.main(["publish", str(folder), *given])
        said = capfd.readouterr()
        return int(stop.value.code or 0), said.out + said.err

    return call


def test_published_and_published_again(call: Call, hub: HubServer) -> None:
    code, said = call("--repo-id", "org/set", "--yes")
    assert code == 0, said
    for part in ("(private, new)", "licence: mit (problems: MIT)", "tag: round-1", "/datasets/org/set: "):
        assert part in said
    assert TOKEN not in said
    code, said = call("--yes", repo_id="org/set")
    assert (code, "nothing was sent" in said) == (0, True)
    code, said = call("--yes", "--public", "--tag", "v2", repo_id="org/set", private=True)
    assert (code, "it stays private" in said) == (0, True)
    code, said = call("--yes", "--public", "--tag", "v2", repo_id="org/set")
    assert (code, "nothing was sent" in said, "it stays private" in said) == (0, True, True)
    assert set(hub.repositories["org/set"].tags) == {"round-1", "v2"}


def test_a_dry_run_needs_no_token(call: Call, hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    code, said = call("--repo-id", "org/set", "--dry-run", str(tmp_path / "dry"))
    assert (code, "nothing was uploaded" in said) == (0, True)
    assert f"datasets.load_dataset({str(tmp_path / 'dry')!r}, 'sw')" in said
    assert (tmp_path / "dry" / "README.md").exists()
    assert not hub.asked


def test_a_dry_run_compares_with_what_is_published(call: Call, hub: HubServer, tmp_path: Path) -> None:
    dry = ("--repo-id", "org/set", "--dry-run", str(tmp_path / "dry"))
    assert call("--repo-id", "org/set", "--yes")[0] == 0
    assert call(*dry, "--tag", "round-2")[0] == 0
    record = json.loads((tmp_path / "dry" / "mcot.json").read_text())
    assert (record["tag"], record["previous"]["tag"]) == ("round-2", "round-1")
    hub.token = hub.read_only
    code, said = call(*dry, "--tag", "round-3")
    assert (code, "not compared with what was published before: " in said) == (0, True)
    record = json.loads((tmp_path / "dry" / "mcot.json").read_text())
    assert record["previous"]["tag"] == "round-2"


def test_what_is_told_is_not_more_than_was_sent(call: Call, hub: HubServer) -> None:
    hub.faults = [Fault("commit", 413)]
    assert call("--repo-id", "org/set", "--yes")[0] == 2
    hub.faults = [Fault("commit", None, late=True)]
    hub.reset_counts()
    code, said = call("--repo-id", "org/set", "--yes")
    assert (code, hub.asked["put"]) == (0, 0)
    assert "files are new or changed" in said.splitlines()[-1]
    assert "sent" not in said.splitlines()[-1]


def test_comments_are_published_only_when_told(call: Call, hub: HubServer, tmp_path: Path, run: Path) -> None:
    review_rows(run)
    dry = ("--repo-id", "org/set", "--verdicts", "--dry-run", str(tmp_path / "dry"))
    for more, told in (([], False), (["--comments"], True), ([], False)):
        assert call(*dry, *more)[0] == 0
        (path,) = (tmp_path / "dry" / "data" / "verdicts").iterdir()
        comments = pq.ParquetFile(path).read(["comment"])["comment"].to_pylist()
        assert [comment is not None for comment in comments] == [told] * len(comments)


@pytest.mark.parametrize(
    ("arguments", "settings", "parts"),
    [
        (["--yes"], {}, ["--repo-id ORG/NAME"]),
        (["--yes", "--repo-id", "set"], {}, ["repo_id", "ORG/NAME", "'set'"]),
        (["--yes", "--repo-id", "org/set", "--tag", "a b"], {}, ["tag", "'a b'"]),
        (["--yes", "--repo-id", "org/set"], {"licence": "mit"}, ["unknown key 'licence'", "did you mean 'license'"]),
        (["--yes", "--repo-id", "org/set"], {"languages": ["xx"]}, ["'xx'"]),
        (["--yes", "--repo-id", "org/set"], {"license": "cc0-1.0"}, ["'cc0-1.0'", "does not allow"]),
        (["--repo-id", "org/set"], {}, ["nobody can be asked", "--yes", "--dry-run DIR"]),
    ],
)
def test_a_mistake_is_one_line(
    call: Call, hub: HubServer, arguments: list[str], settings: dict[str, object], parts: list[str]
) -> None:
    code, said = call(*arguments, **settings)
    assert code == 2, said
    assert len(said.splitlines()) == 1 + said.count("check rows: ")
    assert [part for part in parts if part not in said] == []
    assert hub.repositories == {}


@pytest.mark.parametrize(
    ("token", "part"),
    [
        (None, "there is no token"),
        ("hf_gärtner", "that no token has"),
        ("hf_wrong_one", "does not know the token"),
        ("hf_reads", "may not write to org/set"),
    ],
)
def test_a_wrong_token_is_one_clear_line(
    call: Call, hub: HubServer, monkeypatch: pytest.MonkeyPatch, token: str | None, part: str
) -> None:
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    code, said = call("--repo-id", "org/set", "--yes")
    assert code == 2
    assert sum(line.startswith("mcot: ") for line in said.splitlines()) == 1
    assert part in said.splitlines()[-1]
    assert "Traceback" not in said
    assert token is None or token not in said
    assert hub.repositories == {}


def test_the_answer_is_asked_for(call: Call, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    code, said = call("--repo-id", "org/set")
    assert (code, "nothing was uploaded" in said) == (0, True)
    assert hub.repositories == {}
