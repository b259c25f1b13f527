"""What may be published beside the kept rows: the rejected ones and what reviewers said, less what nobody may have.

A problem of a benchmark that is published as a rejected row, or with a reviewer's correction of it, is published all
the same: whoever trains on what the repository holds has seen it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from datasets_card.reading import NO_SOURCE, find_benchmark_rows, find_unchecked_rows, list_files, read_batches
from datasets_card.settings import PublishSettings
from mcot.core.progress import Progress
from mcot.core.reviews import ReviewFiles
from mcot.core.rows import from_rows

__all__ = ["Beside", "find_beside", "read_rejected", "read_verdicts"]

_FOLDERS = ("dataset", "review", "rejected")
_FACTS = ["language", "id", "source", "license", "reasons", "scores.contamination_question"]

# A row's language and id.
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Beside:
    """What is published beside the kept rows.

    Attributes:
        rejected: how many rejected rows.
        verdicts: the rows, by language and id, whose verdicts are published.
        licenses: of each source of these, the licences that its rows name.
        left_out: what is not published of what was asked for, in words.
    """

    rejected: int = 0
    verdicts: frozenset[_Key] = frozenset()
    licenses: Mapping[str, set[str | None]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def find_beside(run: Path, languages: Sequence[str], settings: PublishSettings) -> Beside:
    """What may be published of a run's rejected rows and verdicts, as far as the settings ask for them.

    Args:
        run: the run's folder.
        languages: that are published.
        settings: whether rejected rows and verdicts are, and rows that were looked for in no benchmark.

    Raises:
        RunError: a file is damaged.
    """
    licenses: dict[str, set[str | None]] = {}
    left_out: list[str] = []
    rejected, keys = 0, frozenset[_Key]()
    if settings.rejected:
        every = 0
        for path in _rejected(run, languages):
            for table in read_batches(path, _FACTS):
                fit = _fit(table, settings)
                every, rejected = every + len(table), rejected + len(fit)
                _add_licenses(licenses, fit)
        if every > rejected:
            left_out.append(f"rejected: {every - rejected:,} rows are of a benchmark, or were looked for in none")
    if settings.verdicts:
        keys, lost = _find_judged(run, languages, settings, licenses)
        if lost:
            left_out.append(f"verdicts: those on {lost:,} rows, of a benchmark, or looked for in none")
    return Beside(rejected, keys, licenses, tuple(left_out))


def read_rejected(run: Path, languages: Sequence[str], settings: PublishSettings) -> Iterator[pa.Table]:
    """The rejected rows that may be published, some thousands at a time.

    Raises:
        RunError: a file is damaged.
    """
    for path in _rejected(run, languages):
        for table in read_batches(path):
            yield _fit(table, settings)


def read_verdicts(run: Path, beside: Beside) -> pa.Table:
    """The verdicts that may be published (`mcot.core.reviews.VERDICT_SCHEMA`), under annotators' names still.

    Raises:
        RunError: the file is damaged.
    """
    verdicts = ReviewFiles(run).read_verdicts()
    return verdicts.filter(pa.array([key in beside.verdicts for key in _keys(verdicts)], pa.bool_()))


def _rejected(run: Path, languages: Sequence[str]) -> list[Path]:
    return [path for code in sorted(languages) for path in list_files(run / "rejected" / code)]


def _fit(table: pa.Table, settings: PublishSettings) -> pa.Table:
    """The rows that are of no benchmark, as far as that is known."""
    barred = find_benchmark_rows(table)
    if not settings.without_contamination_check:
        barred = [one or unchecked for one, unchecked in zip(barred, find_unchecked_rows(table), strict=True)]
    return table.filter(pa.array([not one for one in barred], pa.bool_()))


def _find_judged(
    run: Path, languages: Sequence[str], settings: PublishSettings, licenses: dict[str, set[str | None]]
) -> tuple[frozenset[_Key], int]:
    """The rows whose verdicts may be published, and of how many rows they may not."""
    verdicts = ReviewFiles(run).read_verdicts()
    judged = {key for key in _keys(verdicts) if key[0] in languages}
    barred: set[_Key] = set()
    checked: set[_Key] = set()
    found: dict[_Key, tuple[str | None, str | None]] = {}
    with Progress("check verdicts", total=None, unit="rows") as progress:
        for table in _read_judged(run, judged):
            keys = _keys(table)
            barred |= {key for key, yes in zip(keys, find_benchmark_rows(table), strict=True) if yes}
            checked |= {key for key, yes in zip(keys, find_unchecked_rows(table), strict=True) if not yes}
            # What a row says of itself now stands over what it said when it was shown.
            pairs = zip(table["source"].to_pylist(), table["license"].to_pylist(), strict=True)
            found |= dict(zip(keys, pairs, strict=True))
            progress.advance(len(table))
    # Nobody knows what a row is that is nowhere any more.
    kept = (judged & found.keys()) - barred
    if not settings.without_contamination_check:
        kept &= checked
    # What a reviewer corrected is the source's as much as the text is.
    for source, named in (found[key] for key in kept):
        licenses.setdefault(source or NO_SOURCE, set()).add(named)
    return frozenset(kept), len(judged - kept)


def _read_judged(run: Path, judged: set[_Key]) -> Iterator[pa.Table]:
    """The judged rows as they were shown, then as they are now."""
    shown = [row for row in ReviewFiles(run).read_queue()["row"].to_pylist() if row is not None]
    yield _only(from_rows(shown), judged)
    ids = pa.array(sorted({row_id for _, row_id in judged}), pa.string())
    for code in sorted({code for code, _ in judged}):
        for path in (path for name in _FOLDERS for path in list_files(run / name / code)):
            for table in read_batches(path, _FACTS):
                yield _only(table.filter(pc.is_in(table["id"], value_set=ids)), judged)


def _only(table: pa.Table, keys: set[_Key]) -> pa.Table:
    return table.filter(pa.array([key in keys for key in _keys(table)], pa.bool_()))


def _keys(table: pa.Table) -> list[_Key]:
    columns: list[list[Any]] = [table[name].to_pylist() for name in ("language", "id")]
    return list(zip(*columns, strict=True))


def _add_licenses(licenses: dict[str, set[str | None]], table: pa.Table) -> None:
    pairs = table.group_by(["source", "license"]).aggregate([])
    for source, named in zip(pairs["source"].to_pylist(), pairs["license"].to_pylist(), strict=True):
        licenses.setdefault(source or NO_SOURCE, set()).add(named)
