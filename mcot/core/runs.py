"""A run's folder: shards, manifests, signatures, resume.

Every file is written to a temporary name, synced, then renamed, so a reader never sees half a file. A stage
folder holds `stage.json` (the signature that its shards were made under, written first), the shards, and
`manifest.json` (written when all are there). A stage whose manifest has the expected signature is done; one
whose `stage.json` has it goes on where it stopped; any other is begun anew.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mcot.core.errors import RunError

__all__ = [
    "StageFolder",
    "is_machine_error",
    "lock_folder",
    "open_run",
    "read_json",
    "read_shard",
    "remove_folder",
    "replace_folder",
    "sign",
    "sign_files",
    "write_file",
    "write_json",
    "write_table",
]

# Of a file larger than this only size, first and last bytes are signed: reading 17 GB of weights to learn
# that they are the same takes longer than loading them.
_WHOLE_FILE = 256 << 20
_PART = 4 << 20
_PARQUET_END = b"PAR1"


def sign(*parts: object) -> str:
    """A short signature of anything that JSON can hold."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def sign_files(paths: list[Path], *, whole: bool = False) -> str:
    """A signature of files' contents and names, not of where they are or when they were made.

    Args:
        paths: the files.
        whole: read large files to their end too.
    """
    digest = hashlib.sha256()
    for path in sorted(paths):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            if whole or size <= _WHOLE_FILE:
                while block := file.read(1 << 20):
                    digest.update(block)
            else:
                digest.update(file.read(_PART))
                file.seek(-_PART, os.SEEK_END)
                digest.update(file.read(_PART))
    return digest.hexdigest()[:16]


def is_machine_error(error: BaseException) -> bool:
    """Whether an error is the machine's (a full disk, no permission), which no second try mends."""
    return isinstance(error, OSError) and error.errno in {
        errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR,
    }  # fmt: skip


def _sync(path: Path) -> None:
    """Have a file's or a folder's contents on the disk, not only in the system's cache."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_folder(path: Path) -> None:
    """Remove a folder so that a kill in between leaves no half of it under its name."""
    leftover = path.with_name(f".{path.name}.old")
    if leftover.exists():
        shutil.rmtree(leftover)
    if path.exists():
        path.rename(leftover)
        shutil.rmtree(leftover)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary name to write to, which becomes `path` at the end, or goes away after an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        _sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    with _replacing(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def write_json(path: Path, value: object) -> None:
    """Write JSON that people can read, whole or not at all."""
    write_file(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_table(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whole or not at all; the same table gives the same bytes."""
    with _replacing(path) as part:
        pq.write_table(table, part, compression="zstd")


def read_shard(path: Path) -> pa.Table:
    """Read a shard as it was written.

    Raises:
        RunError: it is damaged.
    """
    try:
        # Not through a dataset or memory map: a map would keep pages of every shard resident.
        return pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        if is_machine_error(error) or isinstance(error, FileNotFoundError):
            raise
        raise RunError(
            f"shard {path}: is damaged ({' '.join(str(error).split())}); remove this file, then run the command again"
        ) from error


def replace_folder(path: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder anew beside the old one, then put it in its place.

    Killed in between, the next call finds only leftovers with a dot in front, and clears them.
    """
    new, old = path.with_name(f".{path.name}.new"), path.with_name(f".{path.name}.old")
    for leftover in (new, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    new.mkdir(parents=True)
    fill(new)
    for file in [*new.rglob("*"), new]:
        _sync(file)
    if path.exists():
        path.rename(old)
    new.rename(path)
    if old.exists():
        shutil.rmtree(old)


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


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object of a file; an empty one if the file is not there or is damaged."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def lock_folder(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder against other processes. The system lets go of it when this one ends, however it ends.

    Raises:
        RunError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{what} {folder}: another process is writing into it; wait for it or stop it, or give another folder"
            ) from None
        yield


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
