"""A run's folder: shards, manifests, signatures, resume.

Every file is written to a temporary name, synced, then renamed, so a reader never sees half a file. A stage
folder holds `stage.json` (the signature that its shards were made under, written first), the shards, and
`manifest.json` (written when all are there). A stage whose manifest has the expected signature, and that has all
its shards, is done; one whose `stage.json` has it goes on where it stopped; any other is begun anew.
"""

import copy
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mcot.core.errors import RunError
from mcot.core.files import is_machine_error, lock_folder, read_json, remove_folder, write_file, write_json, write_table
from mcot.core.rows import renew

__all__ = ["StageFolder", "open_run", "read_shard", "sign"]

_PARQUET_END = b"PAR1"


def sign(*parts: object) -> str:
    """A short signature of anything that JSON can hold."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_shard(path: Path) -> pa.Table:
    """Read a shard. Of rows that an earlier version wrote, what it did not score is null.

    Raises:
        RunError: it is damaged.
    """
    try:
        # Not through a dataset or memory map: a map would keep pages of every shard resident.
        return renew(pq.ParquetFile(path).read())
    except (pa.ArrowException, OSError) as error:
        if is_machine_error(error) or isinstance(error, FileNotFoundError):
            raise
        raise RunError(
            f"shard {path}: is damaged ({' '.join(str(error).split())}); remove this file, then run the command again"
        ) from error


class StageFolder:
    """A stage's shards in a run.

    Args:
        path: the folder.
        signature: of the stage and all that it depends on; shards of another signature are removed.
    """

    def __init__(self, path: Path, signature: str) -> None:
        self.path, self.signature = path, signature
        if _signature(path / "stage.json") != signature:
            remove_folder(path)
            path.mkdir(parents=True)
            write_json(path / "stage.json", {"signature": signature})

    @property
    def done(self) -> bool:
        """Whether the stage has nothing left to do: its manifest and every shard that it counts are there."""
        manifest = read_json(self.path / "manifest.json")
        if manifest.get("signature") != self.signature or not isinstance(manifest.get("shards"), int):
            return False
        return all(map(self.has, range(manifest["shards"])))

    def absolute(self) -> "StageFolder":
        """The same folder for processes that work elsewhere."""
        same = copy.copy(self)
        same.path = self.path.absolute()
        return same

    def _count(self) -> int:
        return int(self.manifest()["shards"])

    def shard(self, index: int) -> Path:
        """Where a shard is, or will be."""
        return self.path / f"shard-{index:05d}.parquet"

    def shards(self) -> list[Path]:
        """The shards of a stage that is done, in order."""
        return [self.shard(index) for index in range(self._count())]

    def has(self, index: int) -> bool:
        """Whether a shard is there, and whole as far as its last bytes tell."""
        path = self.shard(index)
        try:
            with path.open("rb") as file:
                file.seek(-len(_PARQUET_END), os.SEEK_END)
                return file.read() == _PARQUET_END
        except OSError:
            # Not there, or shorter than the mark.
            return False

    def discard_from(self, index: int) -> None:
        """Remove a shard and those after it."""
        for path in self.path.glob("shard-*.parquet"):
            if int(path.stem.removeprefix("shard-")) >= index:
                path.unlink()

    def write(self, index: int, table: pa.Table) -> None:
        """Write a shard."""
        write_table(self.shard(index), table)

    def record_failures(self, failures: Mapping[int, str]) -> Path:
        """Note which shards failed, with their tracebacks. Gives the file."""
        path = self.path / "failures.json"
        write_json(path, {str(index): failures[index].splitlines() for index in sorted(failures)})
        return path

    def close(self, count: int, **facts: object) -> None:
        """All `count` shards are there: write the manifest."""
        (self.path / "failures.json").unlink(missing_ok=True)
        rows = [pq.ParquetFile(self.shard(index)).metadata.num_rows for index in range(count)]
        manifest = {"signature": self.signature, "shards": count, "rows": sum(rows), **facts}
        write_json(self.path / "manifest.json", manifest)

    def manifest(self) -> dict[str, Any]:
        """The manifest of a stage that is done."""
        return dict(json.loads((self.path / "manifest.json").read_text("utf-8")))


def _signature(path: Path) -> str | None:
    signature = read_json(path).get("signature")
    return signature if isinstance(signature, str) else None


@contextmanager
def open_run(folder: Path, *, identity: object, settings: str) -> Iterator[None]:
    """Make a run's folder or go on with it, hold it against other processes, and write its settings into it.

    Args:
        folder: the run's.
        identity: what makes it this run and no other (its sources).
        settings: the settings file's text, every default spelled out.

    Raises:
        RunError: the folder holds something else, or another process is at it.
    """
    mark = folder / "run.json"
    another = "valid: a run's folder, or a new one; set another `output`"
    if folder.exists() and not folder.is_dir():
        raise RunError(f"run folder {folder}: is a file; {another}")
    # Names with a dot in front are ours from a run that was killed as it began, or the system's.
    if folder.exists() and not mark.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise RunError(f"run folder {folder}: is not empty and holds no run (no run.json); {another}")
    with lock_folder(folder, "run folder"):
        # Until its sources have been read, a run is bound to none: a mistyped path can be corrected.
        if _signature(mark) != sign(identity):
            if (folder / "sources" / "manifest.json").exists():
                raise RunError(
                    f"run folder {folder}: holds a run of other sources (see {folder / 'settings.yaml'}); valid: a "
                    "folder of the same sources, or a new one; set another `output`, or remove the folder"
                )
            write_json(mark, {"signature": sign(identity)})
        write_file(folder / "settings.yaml", settings)
        yield
