"""Check and decide translations that already exist: `mcot audit`.

Rows are read one after another and go through checks and decisions in chunks, over several processes, so memory
does not grow with the set. Models, where the settings ask for any, score the checked chunks before they are decided.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.audit_models import AuditModels
from curation.audit_outputs import (
    FACTS,
    SETTINGS,
    Audited,
    finish_manifest,
    shard_path,
    write_audit,
)
from curation.audit_rows import READ_COLUMNS, read_rows
from curation.audit_settings import AuditSettings
from curation.auditor import Auditor
from curation.checks.model_stages import MODEL_STAGES
from curation.outputs import FOLDERS
from mcot.core.benchmarks import make_benchmark
from mcot.core.errors import RunError
from mcot.core.files import lock_folder, remove_folder, sign_files, write_file, write_json, write_table
from mcot.core.languages import TARGETS
from mcot.core.progress import Progress
from mcot.core.rows import SCHEMA, cast
from mcot.core.runs import read_shard, sign
from mcot.core.settings_file import dump_settings

__all__ = ["AuditOutcome", "audit"]

CHUNK_ROWS = 2_000
# Checked rows, for as long as models score them.
_CHECKED = "check"
# In the folder of every audit, finished or not.
_MARK = ".audit"


@dataclass(frozen=True, slots=True)
class AuditOutcome:
    """What an audit came to: its folder, the rows by decision, and why checks that did not run did not."""

    folder: Path
    rows: dict[str, int]
    not_run: dict[str, str]


def audit(path: str, output: Path, settings: AuditSettings | None = None) -> AuditOutcome:
    """Check and decide every row of a set.

    Writes `decisions.parquet`, the rows themselves in `dataset/`, `review/` and `rejected/`, `report.html`,
    `report.json` and `settings.yaml`. What people said of the rows in an earlier audit of the set stands.

    Args:
        path: a JSON Lines, JSON, CSV or Parquet file, or a Hub dataset's id.
        output: the folder to write into; what an earlier audit wrote there is replaced.
        settings: the defaults if there are none.

    Raises:
        UserError: the set can't be read or lacks a column, the folder, the settings or a model are wrong, or a budget
            is spent.
        StageError: a process of the audit died, or a model's server can't be reached.
    """
    settings = settings or AuditSettings()
    curation = settings.for_curation(path, output)
    _refuse_others(output)
    benchmarks = [make_benchmark(name, place) for name, place in settings.contamination.items()]
    models = AuditModels(curation)
    auditor = Auditor(curation, benchmarks, decides=not models)
    chunks = _chunks(read_rows(curation.sources[0]))
    # Before anything is written: a wrong input leaves no folder behind.
    first = next(chunks)
    with lock_folder(output, "output"):
        audited = _audit(output, auditor, models, chain([first], chunks), settings, Path(path).name)
    return AuditOutcome(output, audited.decisions, audited.not_run)


def _refuse_others(output: Path) -> None:
    """Raise `RunError` if the output is no folder, or holds rows that no audit wrote."""
    if output.exists() and not output.is_dir():
        raise RunError(f"output {output}: is a file; give a folder")
    taken = [name for name in (*FOLDERS, _CHECKED, *MODEL_STAGES, "decide", SETTINGS) if (output / name).exists()]
    if taken and not (output / _MARK).exists():
        raise RunError(f"output {output}: holds {taken[0]}, which no audit wrote; give a new or empty folder")


def _audit(
    output: Path,
    auditor: Auditor,
    models: AuditModels,
    chunks: Iterator[pa.Table],
    settings: AuditSettings,
    name: str,
) -> Audited:
    # First of all: what a killed audit leaves is known for its own.
    (output / _MARK).touch()
    (output / "manifest.json").unlink(missing_ok=True)
    decide = output / "decide"
    for folder in (decide, output / _CHECKED):
        remove_folder(folder)
    models.forget()
    decided = _score(output, auditor, models, chunks) if models else _check(output, auditor, chunks)
    decide.mkdir()
    signatures: list[str] = []

    def tables(progress: Progress) -> Iterator[pa.Table]:
        for path in decided:
            signatures.append(sign_files([path], whole=True))
            progress.note(f"chunk {len(signatures)}")
            yield read_shard(path)

    facts = _facts(settings, auditor, models, name)
    try:
        with Progress("audit", total=None, unit="rows") as progress:
            audited = write_audit(output, tables(progress), facts, settings, progress)
    except BaseException:
        # Half a set is none: without its rows the folder is not taken for an audit's.
        shutil.rmtree(decide, ignore_errors=True)
        raise
    write_file(output / SETTINGS, dump_settings(settings))
    write_json(output / FACTS, facts)
    signature = sign("audit", facts["bands"], signatures)
    write_json(decide / "stage.json", {"signature": signature, "shards": len(signatures)})
    finish_manifest(output, audited)
    return audited


def _check(output: Path, auditor: Auditor, chunks: Iterator[pa.Table]) -> Iterator[Path]:
    """Check and decide chunks. Gives where each lies, once it is there."""
    places = ((table, shard_path(output, number)) for number, table in enumerate(chunks))
    return auditor.run(places, auditor.settings.workers)


def _score(output: Path, auditor: Auditor, models: AuditModels, chunks: Iterator[pa.Table]) -> Iterator[Path]:
    """Check chunks, have models score them all, then decide them one after another, as where each lies is asked for."""
    folder = output / _CHECKED
    folder.mkdir()
    places = ((table, folder / shard_path(output, number).name) for number, table in enumerate(chunks))
    checked: list[Path] = []
    with Progress("check", total=None, unit="chunks") as progress:
        for path in auditor.run(places, auditor.settings.workers):
            checked.append(path)
            progress.advance()
    scored = models.score(checked)
    remove_folder(folder)

    def decided() -> Iterator[Path]:
        for number, path in enumerate(scored):
            place = shard_path(output, number)
            write_table(place, auditor.decide(read_shard(path)))
            yield place

    return decided()


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[pa.Table]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        columns = {name: pa.array([row.get(name) for row in chunk], SCHEMA.field(name).type) for name in READ_COLUMNS}
        yield cast(pa.table(columns))


def _facts(settings: AuditSettings, auditor: Auditor, models: AuditModels, name: str) -> dict[str, Any]:
    """What the report says besides the rows."""
    return {
        "name": name,
        # How many processes did it is no fact about the data.
        "settings": settings.model_dump(mode="json", exclude={"workers"}),
        "bands": {
            language.code: {check: band.model_dump() for check, band in auditor.settings.bands(language.code).items()}
            for language in TARGETS
        },
        "spending": models.read_spending(),
        "signatures": {check.name: check.signature for check in (*auditor.checks, *models.checks)},
        "versions": {package: version(package) for package in ("mcot-math", "pyarrow")} | models.versions,
    }
