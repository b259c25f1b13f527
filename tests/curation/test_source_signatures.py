"""Sources on the Hub, and signatures that change with what is read."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pytest
from huggingface_hub import HfApi

from curation.sources import hub, read_source, sources_signature
from curation.sources.hub import read_hub
from mcot.core.errors import SourceError
from mcot.core.settings import SourceSettings
from tests.curation.problem_files import PLAIN, write_lines


def test_streaming_through_the_datasets_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Hub dataset's id opens a folder of that name too, and is streamed by the same code."""
    folder = tmp_path / "some-org" / "some-set"
    folder.mkdir(parents=True)
    write_lines(folder / "train.jsonl", {**PLAIN, "unused": 1}, {**PLAIN, "unused": 2})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    # A whole commit, for which the Hub need not be asked.
    settings = SourceSettings(path="some-org/some-set", revision="0" * 40)
    placed = list(read_hub(settings, lambda columns: [name for name in columns if name != "unused"]))
    assert [str(place) for place, _ in placed] == ["some-org/some-set, row 1", "some-org/some-set, row 2"]
    assert [record for _, record in placed] == [PLAIN, PLAIN]
    with pytest.raises(SourceError, match="set `subset`, `split`"):
        list(read_hub(settings.model_copy(update={"split": "nope"}), list))


def test_the_commit_that_was_signed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is pushed to the branch in between."""
    heads = iter(["1" * 40, "2" * 40, "3" * 40])
    loaded: list[str] = []

    def dataset_info(_: HfApi, name: str, **options: object) -> SimpleNamespace:
        return SimpleNamespace(sha=next(heads))

    def load_dataset(*arguments: object, revision: str, **options: object) -> list[dict[str, str]]:
        loaded.append(revision)
        return [PLAIN]

    monkeypatch.setattr(HfApi, "dataset_info", dataset_info)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(hub, "_commits", {})
    source = SourceSettings(path="no-such/dataset", revision="main")
    for commit in ("1" * 40, "2" * 40):
        signature = sources_signature([source])
        assert len(list(read_source(source))) == 1
        assert loaded[-1] == commit
        assert signature == sources_signature([source.model_copy(update={"revision": commit})])
    # Another branch is another commit.
    list(read_source(source.model_copy(update={"revision": None})))
    assert loaded[-1] == "3" * 40


def test_signature_is_of_the_whole_of_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        # A hole takes no room on the disk.
        file.truncate(300 << 20)
    before = sources_signature([SourceSettings(path=str(path))])
    with path.open("r+b") as file:
        file.seek(150 << 20)
        file.write(b"x")
    assert sources_signature([SourceSettings(path=str(path))]) != before


def test_signature_is_of_contents_and_of_how_they_are_read(tmp_path: Path) -> None:
    def signature(path: Path, **settings: Any) -> str:
        return sources_signature([SourceSettings(path=str(path), **settings)])

    first = write_lines(tmp_path / "a.jsonl", PLAIN)
    (tmp_path / "other").mkdir()
    moved = write_lines(tmp_path / "other" / "a.jsonl", PLAIN)
    assert signature(first) == signature(moved)
    assert signature(first) != signature(first, name="b")
    assert signature(first) != signature(first, calculator_marks="remove")
    assert signature(first) != signature(write_lines(tmp_path / "other" / "a.jsonl", PLAIN, PLAIN))
    commit = "0123456789abcdef0123456789abcdef01234567"
    # A whole commit needs no Hub.
    assert signature(Path("org/set"), revision=commit) != signature(Path("org/set"), revision=commit[::-1])
