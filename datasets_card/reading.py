"""Reading a run's rows: its files by language and split, some thousands of rows at a time, and whose they are."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mcot.core.errors import RunError
from mcot.core.rows import SCHEMA
from mcot.core.settings import DEFAULT_BANDS

__all__ = ["NO_SOURCE", "find_benchmark_rows", "find_unchecked_rows", "list_files", "list_splits", "read_batches"]

#: What rows that name no source are called by, such as those of an audit.
NO_SOURCE = "unknown"

# Rows that are held in memory at a time.
_BATCH_ROWS = 10_000
_PREFIX = "contamination."


def list_files(folder: Path) -> list[Path]:
    """A folder's Parquet files, in order."""
    return sorted(folder.glob("*.parquet"))


def list_splits(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of a language by split; `train` alone in a run that was not split."""
    splits: dict[str, list[Path]] = {}
    for path in list_files(folder):
        splits.setdefault(path.stem.rpartition("-")[0] or "train", []).append(path)
    return splits


def read_batches(path: Path, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """A Parquet file's rows, some thousands at a time.

    Raises:
        RunError: it is damaged, or of another schema than a row's.
    """
    try:
        # Not memory-mapped: a map would keep pages of every file resident.
        with pq.ParquetFile(path) as file:
            if not file.schema_arrow.equals(SCHEMA):
                names = set(file.schema_arrow.names) ^ set(SCHEMA.names)
                what = f"columns {sorted(names)}" if names else "a column's type"
                raise RunError(f"{path}: is not of the schema of a row ({what}); curate again with this version")
            for batch in file.iter_batches(_BATCH_ROWS, columns=columns):
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{path}: can't be read ({' '.join(str(error).split())[:200]}); curate again") from None


def find_benchmark_rows(table: pa.Table) -> list[bool]:
    """Of each row whether its problem is of a benchmark, whatever bands it was decided by and whatever people said.

    Args:
        table: rows with their `reasons` and `scores`.
    """
    least = DEFAULT_BANDS["contamination"].keep
    scores = pc.struct_field(table["scores"], "contamination_question").to_pylist()
    return [
        (score is not None and score < least) or any(str(reason).startswith(_PREFIX) for reason in reasons or [])
        for score, reasons in zip(scores, table["reasons"].to_pylist(), strict=True)
    ]


def find_unchecked_rows(table: pa.Table) -> list[bool]:
    """Of each row whether its problem was looked for in no benchmark."""
    return [score is None for score in pc.struct_field(table["scores"], "contamination_question").to_pylist()]
