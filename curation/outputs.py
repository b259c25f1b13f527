"""What a run leaves for others: `dataset/`, `rejected/` and `review/`, from the decided rows."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from mcot.core.files import replace_folder, sign_files
from mcot.core.rows import SCHEMA
from mcot.core.runs import read_shard

__all__ = ["FOLDERS", "write_outputs"]

# Rows of a file: large enough for a Hub shard, small enough to open in a viewer.
_FILE_ROWS = 100_000
# Rows of a row group: what is held in memory for each language.
_GROUP_ROWS = 2_000


FOLDERS = {"dataset": "keep", "review": "review", "rejected": "drop"}


def write_outputs(folder: Path, shards: Sequence[Path]) -> dict[str, dict[str, int]]:
    """Write the three folders from the decided shards, one shard in memory at a time.

    Each language with rows becomes a config of its folder. One without has none: `datasets` can't load an
    empty split.

    Returns:
        For each folder the number of rows by language.
    """
    counts: dict[str, dict[str, int]] = {}
    for name, decision in FOLDERS.items():

        def fill(new: Path, name: str = name, decision: str = decision) -> None:
            counts[name] = _write_languages(new, shards, decision)

        replace_folder(folder / name, fill)
    return counts


def _write_languages(folder: Path, shards: Iterable[Path], decision: str) -> dict[str, int]:
    writers: dict[str, _Writer] = {}
    for shard in shards:
        table = read_shard(shard).replace_schema_metadata(None)
        places: dict[str, list[int]] = {}
        columns = (table["language"].to_pylist(), table["decision"].to_pylist())
        for place, (language, decided) in enumerate(zip(*columns, strict=True)):
            if decided == decision:
                places.setdefault(str(language), []).append(place)
        for language, chosen in places.items():
            writers.setdefault(language, _Writer(folder / language)).add(table.take(pa.array(chosen)))
    for writer in writers.values():
        writer.close()
    (folder / "README.md").write_text(_configs(folder, sorted(writers)), "utf-8")
    return {language: writers[language].total for language in sorted(writers)}


def _configs(folder: Path, languages: Sequence[str]) -> str:
    """Metadata by which `datasets.load_dataset(folder, "sw")` finds a language.

    `datasets` caches what it has loaded of a folder by the folder's name and this metadata alone. Without a
    signature of the files in it, another run's `dataset/`, or this one's after a change, would be taken for
    what was loaded before.
    """
    configs = [
        {
            "config_name": language,
            "description": f"files {sign_files(list((folder / language).iterdir()), whole=True)}",
            "data_files": [{"split": "train", "path": f"{language}/*.parquet"}],
        }
        for language in languages
    ]
    return f"---\n{yaml.safe_dump({'configs': configs}, sort_keys=False)}---\n"


class _Writer:
    """A language's rows, in files of about `_FILE_ROWS`.

    Attributes:
        total: the rows so far.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = 0
        self._rows = 0
        self.total = 0
        self._buffer: list[pa.Table] = []
        self._buffered = 0
        self._file: pq.ParquetWriter | None = None

    def add(self, table: pa.Table) -> None:
        self._buffer.append(table)
        self._buffered += len(table)
        self.total += len(table)
        if self._buffered >= _GROUP_ROWS:
            self._flush()

    def close(self) -> None:
        if self._buffered:
            self._flush()
        if self._file is not None:
            self._file.close()

    def _flush(self) -> None:
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"train-{self._files:05d}.parquet"
            self._file = pq.ParquetWriter(path, SCHEMA, compression="zstd")
            self._files += 1
            self._rows = 0
        self._file.write_table(pa.concat_tables(self._buffer))
        self._rows += self._buffered
        self._buffer, self._buffered = [], 0
        if self._rows >= _FILE_ROWS:
            self._file.close()
            self._file = None
