"""A run's rows as the data files of a repository: the same rows give the same bytes."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datasets_card.beside import read_rejected, read_verdicts
from datasets_card.gates import Rows
from datasets_card.pseudonyms import Pseudonyms
from datasets_card.publication import ALL, REJECTED, VERDICTS, Config, Staged
from datasets_card.reading import NO_SOURCE, list_splits, read_batches
from datasets_card.settings import PublishSettings
from mcot.core.progress import Progress
from mcot.core.reviews import VERDICT_SCHEMA, ReviewFiles
from mcot.core.rows import SCHEMA

__all__ = ["find_reviewers", "hash_file", "stage_data"]

# Of the verdicts, in whatever order they came.
_ORDER = ("language", "id", "review_round", "annotator")


def stage_data(run: Path, folder: Path, rows: Rows, settings: PublishSettings) -> Staged:
    """Write the data files of a repository.

    Args:
        run: the run's folder, checked (`datasets_card.gates`).
        folder: an empty one to write into.
        rows: what is to be published.
        settings: which configs there are, and how large a file is.

    Returns:
        The folder with a config a language, `all` of them, and `rejected` and `verdicts` where they are asked for
        and have rows.

    Raises:
        RunError: a file is damaged.
    """
    stager = _Stager(run, folder, settings)
    with Progress("stage", total=sum(rows.languages.values()) + rows.beside.rejected, unit="rows") as progress:
        languages = [
            stager.write(code, {split: _read(paths, progress) for split, paths in _splits(run, code).items()})
            for code in rows.languages
        ]
        configs = [_unite(languages), *languages]
        if rows.beside.rejected:
            tables = read_rejected(run, list(rows.languages), settings)
            configs.append(stager.write(REJECTED, {"train": _count(tables, progress)}))
    if rows.beside.verdicts:
        hidden = stager.pseudonyms.verdicts(read_verdicts(run, rows.beside), comments=settings.comments)
        hidden = hidden.take(pc.sort_indices(hidden, [(name, "ascending") for name in _ORDER]))
        configs.append(stager.write(VERDICTS, {"train": [hidden]}, VERDICT_SCHEMA))
    return Staged(folder, tuple(configs), stager.files)


def find_reviewers(run: Path) -> set[str]:
    """Everybody whose name is in a run's verdicts."""
    files = ReviewFiles(run)
    names = {name for named in files.read_resolved()["reviewers"].to_pylist() for name in named or []}
    return names | {str(name) for name in files.read_verdicts()["annotator"].to_pylist()}


def hash_file(path: Path) -> str:
    """A file's SHA-256, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _splits(run: Path, code: str) -> dict[str, list[Path]]:
    return list_splits(run / "dataset" / code)


def _read(paths: Sequence[Path], progress: Progress) -> Iterator[pa.Table]:
    return _count((table for path in paths for table in read_batches(path)), progress)


def _count(tables: Iterable[pa.Table], progress: Progress) -> Iterator[pa.Table]:
    for table in tables:
        yield table
        progress.advance(len(table))


def _unite(languages: Sequence[Config]) -> Config:
    """The config of all languages, which has no files of its own."""
    splits: dict[str, tuple[str, ...]] = {}
    rows: dict[str, int] = {}
    for config in languages:
        for split, files in config.splits.items():
            splits[split] = (*splits.get(split, ()), *files)
            rows[split] = rows.get(split, 0) + config.rows[split]
    return Config(ALL, splits, rows, sum(config.bytes for config in languages))


class _Stager:
    """The data files of a repository, config after config.

    Attributes:
        files: the SHA-256 of each file so far, by its path relative to the repository.
        pseudonyms: of the run's annotators.
    """

    def __init__(self, run: Path, folder: Path, settings: PublishSettings) -> None:
        self._folder, self._settings = folder, settings
        self.pseudonyms = Pseudonyms(run, find_reviewers(run))
        self.files: dict[str, str] = {}

    def write(self, name: str, splits: Mapping[str, Iterable[pa.Table]], schema: pa.Schema = SCHEMA) -> Config:
        """Write a config's files, named as the Hub names those of a dataset."""
        files: dict[str, tuple[str, ...]] = {}
        rows: dict[str, int] = {}
        place = self._folder / "data" / name
        place.mkdir(parents=True)
        for split, tables in splits.items():
            prepared = map(self._prepare, tables) if schema is SCHEMA else tables
            counts = _write_shards(place, split, prepared, schema, self._settings.shard_rows)
            paths = [place / f"{split}-{number:05d}-of-{len(counts):05d}.parquet" for number in range(len(counts))]
            for number, path in enumerate(paths):
                (place / _part(split, number)).rename(path)
                self.files[path.relative_to(self._folder).as_posix()] = hash_file(path)
            files[split] = tuple(path.relative_to(self._folder).as_posix() for path in paths)
            rows[split] = sum(counts)
        sizes = (self._folder / path for paths in files.values() for path in paths)
        return Config(name, files, rows, sum(path.stat().st_size for path in sizes))

    def _prepare(self, table: pa.Table) -> pa.Table:
        """Rows as they are published: no annotator's name, and each source's licence as it is declared."""
        table = self.pseudonyms.rows(table)
        declared = self._settings.source_licenses
        if not declared:
            return table
        named = zip(table["source"].to_pylist(), table["license"].to_pylist(), strict=True)
        values = pa.array([declared.get(source or NO_SOURCE, license) for source, license in named], pa.string())
        return table.set_column(table.schema.get_field_index("license"), "license", values)


def _part(split: str, number: int) -> str:
    return f".{split}-{number:05d}.parquet"


def _write_shards(place: Path, split: str, tables: Iterable[pa.Table], schema: pa.Schema, size: int) -> list[int]:
    """Write tables into files of `size` rows, and give the number of rows of each; no file is empty."""
    counts: list[int] = []
    writer: pq.ParquetWriter | None = None
    try:
        for table in tables:
            rest = table.cast(schema)
            while len(rest):
                if writer is None:
                    writer = _open(place / _part(split, len(counts)), schema)
                    counts.append(0)
                piece = rest.slice(0, size - counts[-1])
                writer.write_table(piece)
                counts[-1] += len(piece)
                rest = rest.slice(len(piece))
                if counts[-1] == size:
                    writer.close()
                    writer = None
    finally:
        if writer is not None:
            writer.close()
    return counts


def _open(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # Pages are cut where the content says, so that a row that was added moves no other page: of a file that changed,
    # the Hub's storage takes only the chunks that it has not seen.
    # https://huggingface.co/docs/hub/datasets-libraries#optimized-parquet-files
    return pq.ParquetWriter(path, schema, compression="zstd", use_content_defined_chunking=True)
