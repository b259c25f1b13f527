"""Check and decide translations that already exist: `mcot audit`.

Rows are read one after another and go through checks and decisions in chunks, over several processes, so memory
does not grow with the set.
"""

import os
import shutil
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, field_validator

from curation.audit_rows import READ_COLUMNS, read_rows
from curation.checks.stage import CheckStage
from curation.decide import DecideStage
from curation.pipeline import make_checks
from curation.report import gather, render
from mcot.core.benchmarks import Benchmark, make_benchmark
from mcot.core.errors import RunError, StageError, UserError
from mcot.core.files import is_machine_error, lock_folder, write_file, write_json, write_table
from mcot.core.languages import LANGUAGES, TARGETS
from mcot.core.progress import Progress
from mcot.core.rows import DECISIONS, SCHEMA, SCORES, cast, from_rows
from mcot.core.settings import (
    Band,
    CheckName,
    CheckSettings,
    CurationSettings,
    Language,
    SourceSettings,
    check_languages,
)
from mcot.core.settings_file import load_settings

__all__ = ["AuditOutcome", "AuditSettings", "audit", "load_audit_settings"]

CHUNK_ROWS = 2_000
COLUMNS = ("id", "decision", "reasons", "details", "scores")

# What a check needs before it can run, for people whose set lacks it.
_PAIR = "`source_rationale` and `rationale`"
_NEEDS = {
    "translation": "only the translator knows how it ended: `mcot curate` asks it",
    "back_translation": "no row has `back_question` or `back_rationale`",
    "equations": f"no row has {_PAIR} with equations",
    "answer": "no row has `rationale` and an `answer` that is a number",
    "duplicates": "it looks at whole datasets, not at rows",
    "contamination": "the settings don't ask for it: name benchmarks under `contamination`",
}


@dataclass(frozen=True, slots=True)
class AuditOutcome:
    """What an audit came to: its folder, the rows by decision, and why checks that did not run did not."""

    folder: Path
    rows: dict[str, int]
    not_run: dict[str, str]


class AuditSettings(BaseModel):
    """Settings of `mcot audit`: all optional, an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subset: str | None = Field(None, description="a Hub dataset's configuration")
    split: str = Field("train", description="a Hub dataset's split")
    revision: str | None = Field(None, description="a Hub dataset's commit, tag or branch")
    checks: CheckSettings = CheckSettings()
    contamination: dict[str, Path | None] = Field(
        {}, description="benchmarks to look for, each with its file or folder; null for the Hub's"
    )
    thresholds: dict[Language | Literal["default"], dict[CheckName, Band]] = Field(
        {}, description="bands by language and check, over the defaults"
    )
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, description="processes; all cores")

    @field_validator("thresholds")
    @classmethod
    def _known_languages(cls, bands: dict[str, dict[str, Band]]) -> dict[str, dict[str, Band]]:
        check_languages(bands, {"default", *LANGUAGES})
        return bands

    def for_curation(self, path: str) -> CurationSettings:
        """The same as settings of `mcot curate`, which makes the checks and knows the default bands."""
        source = SourceSettings(path=path, subset=self.subset, split=self.split, revision=self.revision)
        return CurationSettings(
            name="audit", sources=[source], checks=self.checks, thresholds=self.thresholds, workers=self.workers
        )


def load_audit_settings(path: Path | None) -> AuditSettings:
    """The settings of a YAML file; the defaults without one.

    Raises:
        SettingsError: there is no such file, it is no YAML, or a key or a value is wrong.
    """
    return AuditSettings() if path is None else load_settings(path, AuditSettings)


def audit(path: str, output: Path, settings: AuditSettings | None = None) -> AuditOutcome:
    """Check and decide every row of a set, and write `decisions.parquet`, `report.html` and `report.json`.

    Args:
        path: a JSON Lines, JSON, CSV or Parquet file, or a Hub dataset's id.
        output: the folder to write into; what an earlier audit wrote there is replaced.

    Raises:
        UserError: the set can't be read or lacks a column, or the folder or the settings are wrong.
        StageError: a process of the audit died.
    """
    settings = settings or AuditSettings()
    curation = settings.for_curation(path)
    if output.exists() and not output.is_dir():
        raise RunError(f"output {output}: is a file; give a folder")
    benchmarks = [make_benchmark(name, place) for name, place in settings.contamination.items()]
    auditor = _Auditor(curation, benchmarks)
    chunks = _chunks(read_rows(curation.sources[0]))
    # Before anything is written: a wrong input leaves no folder behind.
    first = next(chunks)
    with lock_folder(output, "output"):
        return _audit(output, auditor, chain([first], chunks), settings, Path(path).name)


def _audit(
    output: Path, auditor: "_Auditor", chunks: Iterator[pa.Table], settings: AuditSettings, name: str
) -> AuditOutcome:
    shards = output / ".chunks"
    shutil.rmtree(shards, ignore_errors=True)
    shards.mkdir()
    counts: Counter[str] = Counter()
    try:
        decided = auditor.run(chunks, shards, settings.workers)
        # The report counts a chunk while others are still being decided.
        report = gather(_write_decisions(output, decided, counts), _facts(settings, auditor, name))
    finally:
        shutil.rmtree(shards, ignore_errors=True)
    not_run = _not_run(counts)
    report["settings"]["checks not run"] = report["not_run"] = not_run
    write_file(output / "report.html", render(report))
    write_json(output / "report.json", report)
    return AuditOutcome(output, {decision: counts[decision] for decision in DECISIONS}, not_run)


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[pa.Table]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        columns = {name: pa.array([row.get(name) for row in chunk], SCHEMA.field(name).type) for name in READ_COLUMNS}
        yield cast(pa.table(columns))


class _Auditor:
    """Checks and decides chunks, in this process or in others."""

    def __init__(self, settings: CurationSettings, benchmarks: Sequence[Benchmark]) -> None:
        self.settings = settings
        self.checks = make_checks(settings, benchmarks)
        self._check = CheckStage(self.checks)
        self._decide = DecideStage({language.code: settings.bands(language.code) for language in TARGETS}, round=0)
        self._opened = False

    def run(self, chunks: Iterator[pa.Table], folder: Path, workers: int) -> Iterator[tuple[Path, pa.Table]]:
        """Decide chunks, in order. Gives where each lies whole, and its `COLUMNS`."""
        places = ((table, folder / f"{number:06d}.parquet") for number, table in enumerate(chunks))
        if workers == 1:
            for table, path in places:
                yield path, self.work(table, path)
            return
        # Spawned, not forked: a fork after threads have started (Arrow's) can hang.
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_set_auditor, initargs=(self,)) as pool:
            running: deque[tuple[Path, Future[pa.Table]]] = deque()
            try:
                for table, path in places:
                    running.append((path, pool.submit(_work, table, path)))
                    if len(running) == 2 * workers:
                        yield _result(*running.popleft())
                while running:
                    yield _result(*running.popleft())
            except BrokenProcessPool:
                raise StageError(
                    "audit: a process was ended from outside, as the system does when memory runs out; "
                    f"set fewer `workers` than {workers}, then run the command again"
                ) from None
            finally:
                pool.shutdown(cancel_futures=True)

    def work(self, table: pa.Table, path: Path) -> pa.Table:
        """Decide one chunk and write it."""
        if not self._opened:
            # Here and not when a process starts: a model that can't be loaded is the user's to know.
            self._check.open()
            self._opened = True
        decided = self._process(table)
        write_table(path, decided)
        return decided.select(list(COLUMNS))

    def _process(self, table: pa.Table) -> pa.Table:
        """Checks and decisions. A row on which a check fails is dropped as `row.failed`, and only that row."""
        try:
            return self._decide.process(self._check.process(table, 0), 0)
        except UserError:
            raise
        except Exception as error:
            if is_machine_error(error):
                raise
            if len(table) > 1:
                half = len(table) // 2
                return pa.concat_tables([self._process(table.slice(0, half)), self._process(table.slice(half))])
            row = {**table.to_pylist()[0], "decision": "drop", "reasons": ["row.failed"], "round": 0}
            failure = f"{type(error).__name__}: {error}"[:200]
            return from_rows([{**row, "details": [f"a check failed on this row: {failure}"]}])


_auditor: _Auditor


def _set_auditor(auditor: _Auditor) -> None:
    global _auditor  # noqa: PLW0603 a worker process has one auditor for its whole life
    _auditor = auditor


def _work(table: pa.Table, path: Path) -> pa.Table:
    return _auditor.work(table, path)


def _result(path: Path, future: Future[pa.Table]) -> tuple[Path, pa.Table]:
    return path, future.result()


def _write_decisions(output: Path, decided: Iterator[tuple[Path, pa.Table]], counts: Counter[str]) -> Iterator[Path]:
    """Write `decisions.parquet`, and count how many rows have each decision and each score.

    Gives where each chunk lies whole; it is removed when the next is asked for.
    """
    part = output / ".decisions.parquet.part"
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS])
    try:
        with (
            pq.ParquetWriter(part, schema, compression="zstd") as file,
            Progress("audit", total=None, unit="rows") as progress,
        ):
            for path, table in decided:
                file.write_table(table)
                counts.update(map(str, table["decision"].to_pylist()))
                for field in SCORES:
                    counts[field] += len(table) - pc.struct_field(table["scores"], field).null_count
                progress.advance(len(table))
                yield path
                path.unlink()
        part.replace(output / "decisions.parquet")
    finally:
        part.unlink(missing_ok=True)


def _not_run(counts: Mapping[str, int]) -> dict[str, str]:
    """Which checks, or which of their parts, scored no row of the set, and why."""
    result = {}
    for check in get_args(CheckName):
        fields = [field for field in SCORES if field.startswith(f"{check}_")]
        empty = [field for field in fields if not counts[field]]
        if len(empty) == len(fields):
            result[check] = _NEEDS.get(check, "no row has what it needs")
        elif empty:
            result[f"{check} of {empty[0].rpartition('_')[2]}s"] = f"no row has {_PAIR}"
    return result


def _facts(settings: AuditSettings, auditor: _Auditor, name: str) -> dict[str, Any]:
    """What the report says besides the rows."""
    return {
        "name": name,
        # How many processes did it is no fact about the data.
        "settings": settings.model_dump(mode="json", exclude={"workers"}),
        "bands": {
            language.code: {check: band.model_dump() for check, band in auditor.settings.bands(language.code).items()}
            for language in TARGETS
        },
        "signatures": {check.name: check.signature for check in auditor.checks},
        "versions": {package: version(package) for package in ("mcot-math", "pyarrow")},
    }
