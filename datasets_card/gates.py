"""What a run has to be before its rows are published. Each fault is one line."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from datasets_card.beside import Beside, find_beside
from datasets_card.reading import NO_SOURCE, find_benchmark_rows, list_files, list_splits, read_batches
from datasets_card.settings import PublishSettings
from mcot.core.errors import RunError, SettingsError, choose
from mcot.core.files import read_json
from mcot.core.languages import LANGUAGES
from mcot.core.progress import Progress

__all__ = ["Rows", "check_finished", "check_run"]

_CHECKED = ["language", "decision", "reasons", "source", "license", "id", "question", "scores.contamination_question"]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a run that may be published.

    Attributes:
        languages: their number by language, in the order in which the project has the languages.
        licenses: of each source, the licence that its rows name; of what is published beside the kept rows too.
        unchecked: how many of them were not looked for in the benchmarks.
        beside: what is published beside them.
        only_beside: the sources of which no kept row is.
    """

    languages: Mapping[str, int]
    licenses: Mapping[str, str | None]
    unchecked: int
    beside: Beside = field(default_factory=Beside)
    only_beside: frozenset[str] = frozenset()


def check_run(run: Path, settings: PublishSettings) -> Rows:
    """Check that a run is finished and its kept rows fit to be published.

    Raises:
        RunError: it is no finished run, a file is damaged, rows don't have the schema, or one of them is of a
            benchmark.
        SettingsError: a language that is to be published has no rows, or rows were not looked for in the benchmarks.
    """
    check_finished(run)
    found = _Found()
    languages = _choose_languages(run, settings)
    files = [(code, path) for code in languages for path in list_files(run / "dataset" / code)]
    with Progress("check rows", total=len(files), unit="files") as progress:
        for code, path in files:
            found.read(path, code)
            progress.advance()
    if found.unchecked and not settings.without_contamination_check:
        raise SettingsError(
            f"run {run}: {found.unchecked:,} of {sum(found.rows.values()):,} kept rows were not looked for in the "
            "benchmarks; name them under `contamination` in the run's settings and curate again, or give "
            "--without-contamination-check"
        )
    beside = find_beside(run, languages, settings)
    only_beside = frozenset(beside.licenses.keys() - found.licenses.keys())
    for source, named in beside.licenses.items():
        found.licenses.setdefault(source, set()).update(named)
    counts = {code: found.rows[code] for code in languages}
    return Rows(counts, _licenses(found, settings), found.unchecked, beside, only_beside)


def check_finished(run: Path) -> None:
    """Check that a run's manifest is there, and every file that it counts as it was written.

    Raises:
        RunError: it is no finished run, or a file is not its own.
    """
    if not run.is_dir():
        raise RunError(f"run folder {run}: not found; give the folder of a finished `mcot curate` or `mcot audit`")
    files = read_json(run / "manifest.json").get("files")
    if not isinstance(files, dict) or not files:
        raise RunError(f"run folder {run}: holds no finished run; run `mcot curate` with its settings to the end")
    for name, size in files.items():
        path = run / name
        if not path.is_file() or path.stat().st_size != size:
            what = "is not there" if not path.is_file() else f"has {path.stat().st_size} bytes, not {size}"
            raise RunError(f"{path}: {what}; run `mcot curate` with the run's settings again")
    there = {path.relative_to(run).as_posix() for path in (run / "dataset").rglob("*.parquet")}
    if stray := sorted(there - files.keys()):
        raise RunError(f"{run / stray[0]}: is not of this run, which made no such file; move it away")


def _choose_languages(run: Path, settings: PublishSettings) -> list[str]:
    """The languages to publish, each with rows."""
    kept = [code for code in LANGUAGES if list_splits(run / "dataset" / code)]
    if not kept:
        raise RunError(f"run {run}: kept no row, so there is nothing to publish; see its report.html")
    if settings.languages is not None:
        for code in settings.languages:
            if code not in kept:
                raise SettingsError(f"`languages`: got {code!r}, of which the run kept no row; {choose(code, kept)}")
        return [code for code in kept if code in settings.languages]
    told = read_json(run / "report.json").get("settings", {}).get("languages") or []
    if empty := [code for code in told if code not in kept]:
        raise SettingsError(
            f"run {run}: kept no row of {', '.join(empty)}, and an empty config can't be loaded; see its report.html, "
            f"or publish the others: `languages: [{', '.join(kept)}]` in the settings"
        )
    return kept


def _licenses(found: "_Found", settings: PublishSettings) -> dict[str, str | None]:
    for name in settings.source_licenses:
        if name not in found.licenses:
            raise SettingsError(f"`source_licenses`: got {name!r}; {choose(name, sorted(found.licenses))}")
    licenses: dict[str, str | None] = {}
    for source, named in sorted(found.licenses.items()):
        chosen = settings.source_licenses.get(source)
        if chosen is None and len(named) > 1:
            raise SettingsError(
                f"source {source!r}: its rows name several licences ({', '.join(sorted(map(str, named)))}); name one "
                "under `source_licenses` in the settings"
            )
        licenses[source] = chosen or next(iter(named))
    return licenses


class _Found:
    """What the kept rows turn out to be.

    Attributes:
        rows: their number by language.
        licenses: the licences that each source's rows name.
        unchecked: how many have no score for contamination.
    """

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.licenses: dict[str, set[str | None]] = {}
        self.unchecked = 0

    def read(self, path: Path, language: str) -> None:
        for table in read_batches(path, _CHECKED):
            self.rows[language] += len(table)
            self._check_values(table, path, language)
            self._check_benchmarks(table, path)
            pairs = table.group_by(["source", "license"]).aggregate([])
            for source, named in zip(pairs["source"].to_pylist(), pairs["license"].to_pylist(), strict=True):
                self.licenses.setdefault(source or NO_SOURCE, set()).add(named)

    def _check_values(self, table: pa.Table, path: Path, language: str) -> None:
        expected = {"language": language, "decision": "keep"}
        for name, value in expected.items():
            others: list[Any] = [found for found in pc.unique(table[name]).to_pylist() if found != value]
            if others:
                raise RunError(f"{path}: holds a row of {name} {others[0]!r} among those of {value!r}; curate again")
        for name in ("id", "question"):
            if table[name].null_count:
                raise RunError(f"{path}: holds {table[name].null_count} rows without {name}; curate again")

    def _check_benchmarks(self, table: pa.Table, path: Path) -> None:
        self.unchecked += pc.struct_field(table["scores"], "contamination_question").null_count
        places = [place for place, found in enumerate(find_benchmark_rows(table)) if found]
        if places:
            raise RunError(
                f"{path}: {len(places)} kept rows are of a benchmark, row {table['id'][places[0]].as_py()!r} among "
                "them; raise the band of `contamination` in the run's settings to the built-in one and curate again"
            )
