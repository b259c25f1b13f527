"""Stages over shards: in order, in processes, after failures."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from mcot.core.engines import LocalEngine
from mcot.core.errors import SourceError, StageError
from mcot.core.runs import StageFolder, read_shard


class Double:
    """Doubles a column; fails on shards whose file says so as often as it says."""

    name = "double"
    signature = "1"
    notify: Callable[[str], None] | None = None

    def __init__(self, failures: Path | None = None, error: BaseException | None = None) -> None:
        self._failures, self._error = failures, error

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        if self._failures and (left := self._failures / str(shard)).exists():
            count = int(left.read_text())
            left.write_text(str(count - 1))
            if count > 0:
                raise self._error or ValueError("this shard is bad")
        return pa.table({"a": [2 * (value or 0) for value in table["a"].to_pylist()]})


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    folder = StageFolder(tmp_path / "in", "in")
    for index in range(5):
        folder.write(index, pa.table({"a": [index, index + 10]}))
    folder.close(5)
    return folder.shards()


def values(folder: StageFolder) -> list[list[int | None]]:
    return [read_shard(path)["a"].to_pylist() for path in folder.shards()]


EXPECTED = [[2 * index, 2 * index + 20] for index in range(5)]


@pytest.mark.parametrize(("workers", "parallel"), [(1, False), (2, False), (2, True)])
def test_run(tmp_path: Path, inputs: list[Path], workers: int, parallel: bool) -> None:
    folder = StageFolder(tmp_path / "out", "out")
    LocalEngine(workers=workers).run(Double(), inputs, folder, parallel=parallel)
    assert folder.done
    assert values(folder) == EXPECTED


@pytest.mark.parametrize("parallel", [False, True])
def test_a_failed_shard_is_tried_again(tmp_path: Path, inputs: list[Path], parallel: bool) -> None:
    (tmp_path / "3").write_text("1")
    folder = StageFolder(tmp_path / "out", "out")
    LocalEngine(workers=2, retries=1).run(Double(tmp_path), inputs, folder, parallel=parallel)
    assert values(folder) == EXPECTED


def test_a_shard_that_keeps_failing_is_named_and_the_others_are_kept(tmp_path: Path, inputs: list[Path]) -> None:
    (tmp_path / "3").write_text("2")
    folder = StageFolder(tmp_path / "out", "out")
    with pytest.raises(StageError, match=r"1 of 5 shards failed after 2 tries, shard 3 first \(ValueError: this shard"):
        LocalEngine(retries=1).run(Double(tmp_path), inputs, folder, parallel=True)
    assert "this shard is bad" in (folder.path / "failures.json").read_text()
    kept = folder.shard(4).stat().st_mtime_ns
    LocalEngine(retries=1).run(Double(tmp_path), inputs, folder, parallel=True)
    assert folder.done
    assert values(folder) == EXPECTED
    assert folder.shard(4).stat().st_mtime_ns == kept


def test_an_ordered_stage_stops_at_the_first_failure_and_goes_on_there(tmp_path: Path, inputs: list[Path]) -> None:
    """A later shard may depend on an earlier one, and is not made without it."""
    (tmp_path / "3").write_text("2")
    folder = StageFolder(tmp_path / "out", "out")
    with pytest.raises(StageError, match="shard 3 first"):
        LocalEngine(retries=1).run(Double(tmp_path), inputs, folder)
    assert [folder.has(index) for index in range(5)] == [True, True, True, False, False]
    LocalEngine(retries=1).run(Double(tmp_path), inputs, folder)
    folder.shard(1).unlink()
    later = folder.shard(4).stat().st_mtime_ns
    assert not folder.done
    LocalEngine().run(Double(tmp_path), inputs, folder)
    assert values(folder) == EXPECTED
    assert folder.shard(4).stat().st_mtime_ns != later


class Panic(BaseException):
    """What a panic in a library written in Rust looks like from Python."""


def test_a_panic_fails_its_shard_only(tmp_path: Path, inputs: list[Path]) -> None:
    (tmp_path / "1").write_text("2")
    folder = StageFolder(tmp_path / "out", "out")
    with pytest.raises(StageError, match="shard 1 first"):
        LocalEngine(retries=1).run(Double(tmp_path, Panic()), inputs, folder, parallel=True)
    assert folder.has(4)


@pytest.mark.parametrize("error", [SourceError("wrong"), OSError(28, "No space left on device")])
def test_what_no_second_try_mends_stops_at_once(tmp_path: Path, inputs: list[Path], error: Exception) -> None:
    (tmp_path / "1").write_text("1")
    folder = StageFolder(tmp_path / "out", "out")
    with pytest.raises(type(error)):
        LocalEngine(retries=3).run(Double(tmp_path, error), inputs, folder)
    assert [folder.has(index) for index in range(5)] == [True, False, False, False, False]
