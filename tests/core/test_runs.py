"""A run's folder."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from mcot.core.errors import RunError
from mcot.core.runs import StageFolder, open_run, read_shard, replace_folder, sign, sign_files, write_file

TABLE = pa.table({"a": [1, 2, 3]})


def test_stage_folder_goes_on_and_begins_anew(tmp_path: Path) -> None:
    folder = StageFolder(tmp_path / "stage", "one")
    folder.write(0, TABLE)
    assert not folder.done
    assert StageFolder(tmp_path / "stage", "one").has(0)
    folder.write(1, TABLE)
    folder.close(2, fact="kept")
    again = StageFolder(tmp_path / "stage", "one")
    assert again.done
    assert again.manifest() == {"signature": "one", "shards": 2, "rows": 6, "fact": "kept"}
    assert not StageFolder(tmp_path / "stage", "two").shards()


def test_a_half_written_stage_mark_begins_anew(tmp_path: Path) -> None:
    folder = StageFolder(tmp_path / "stage", "one")
    folder.write(0, TABLE)
    (tmp_path / "stage" / "stage.json").write_text('{"sig')
    assert not StageFolder(tmp_path / "stage", "one").has(0)


def test_same_table_same_bytes(tmp_path: Path) -> None:
    folder = StageFolder(tmp_path / "stage", "one")
    folder.write(0, TABLE)
    folder.write(1, TABLE)
    assert folder.shard(0).read_bytes() == folder.shard(1).read_bytes()
    assert read_shard(folder.shard(0)).equals(TABLE)


def test_write_file_leaves_the_old_one_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_file(path, "old")

    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_replace_folder_clears_what_a_kill_left(tmp_path: Path) -> None:
    (tmp_path / ".data.new").mkdir()
    (tmp_path / ".data.new" / "half").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "stale").touch()
    replace_folder(tmp_path / "data", lambda new: (new / "fresh").touch())
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["fresh"]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_open_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    open_run(run, identity=["a.jsonl"], settings="x: 1\n")
    open_run(run, identity=["a.jsonl"], settings="x: 2\n")
    assert (run / "settings.yaml").read_text() == "x: 2\n"
    with pytest.raises(RunError, match="holds a run of other sources"):
        open_run(run, identity=["b.jsonl"], settings="x: 1\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(RunError, match="is not empty and holds no run"):
        open_run(other, identity=["a.jsonl"], settings="")
    assert (other / "thesis.tex").exists()


def test_signatures(tmp_path: Path) -> None:
    assert sign({"a": 1, "b": 2}) == sign({"b": 2, "a": 1}) != sign({"a": 1, "b": 3})
    first, second = tmp_path / "x" / "data", tmp_path / "y" / "data"
    for path in (first, second):
        path.parent.mkdir()
        path.write_text("same")
    assert sign_files([first]) == sign_files([second])
    second.write_text("diff")
    assert sign_files([first]) != sign_files([second])


def test_failures_are_recorded_and_forgotten(tmp_path: Path) -> None:
    folder = StageFolder(tmp_path / "stage", "one")
    path = folder.record_failures({3: "Traceback\nValueError: no"})
    assert json.loads(path.read_text()) == {"3": ["Traceback", "ValueError: no"]}
    folder.close(0)
    assert not path.exists()
