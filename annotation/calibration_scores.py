"""The scores of all rows of a run, read in batches: what the thresholds of a check would keep."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mcot.core.errors import RunError
from mcot.core.progress import Progress
from mcot.core.rows import SCORES, UNSCORED_REASONS
from mcot.core.settings import Band

__all__ = [
    "GRADED",
    "STEPS",
    "ScoreCounts",
    "Scores",
    "count_scores",
    "levels",
    "read_scores",
    "to_scores",
]

#: Checks whose scores are graded, so that a threshold can be moved; in the others anything but 1 is a fault.
GRADED = (
    "back_translation",
    "language",
    "length",
    "untranslated",
    "mixed",
    "repetition",
    "translation",
    "quality_estimation",
    "judge",
)
#: Steps of a score from 0 to its highest; a threshold is one of them.
STEPS = 1000
# What a check was to score and could not is no check's low score, and no moved threshold keeps it: a check of its own,
# which has failed where there is such a reason, and else did not run.
_UNSCORED = "unscored"
_UNSCORED_BAND = Band(keep=1.0, drop=0.0)
# Highest scores that are not 1.
_HIGHEST = {"back_translation": 100.0}
_FOLDERS = ("dataset", "review", "rejected")
_BATCH = 8192

Floats = npt.NDArray[np.float64]
#: By check, a row each: the lower of its question's and its rationale's score; NaN where the check did not run. As read
#: from rows they also say, under a name of its own, which of these could not be scored.
Scores = Mapping[str, Floats]


def _fields() -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name in SCORES:
        fields.setdefault(name.rpartition("_")[0] if not name.startswith("translation_") else "translation", []).append(
            name
        )
    return fields


_FIELDS = _fields()


def highest(check: str) -> float:
    """The highest score of a check."""
    return _HIGHEST.get(check, 1.0)


def to_scores(rows: Sequence[Mapping[str, float | None]], reasons: Sequence[Sequence[str] | None]) -> dict[str, Floats]:
    """The scores by check of rows' scores by field, and of what they are accused of."""
    by_field = {name: np.array([row.get(name) for row in rows], np.float64) for name in SCORES}
    unscored = [any(reason in UNSCORED_REASONS for reason in own or ()) for own in reasons]
    return _lowest(by_field) | {_UNSCORED: np.where(unscored, 0.0, np.nan)}


def _lowest(by_field: Mapping[str, Floats]) -> dict[str, Floats]:
    return {check: np.fmin.reduce([by_field[name] for name in names]) for check, names in _FIELDS.items()}


def read_scores(run: Path, *, label: str) -> Iterator[tuple[str, dict[str, Floats]]]:
    """The scores of a run's translations, language by language in batches.

    English rows are no translations, and rows without any score were refused before the checks; neither is given.

    Args:
        run: its folder.
        label: of the progress shown.

    Raises:
        RunError: a file is damaged, or there is none.
    """
    files = [
        path for folder in _FOLDERS for path in sorted((run / folder).glob("*/*.parquet")) if path.parent.name != "en"
    ]
    if not files:
        raise RunError(
            f"run folder {run}: has no translated rows in {', '.join(_FOLDERS)}; "
            "give the folder that `mcot curate` or `mcot audit` wrote"
        )
    with Progress(label, total=None, unit="rows") as progress:
        for path in files:
            for scores in _read_file(path):
                yield path.parent.name, scores
                progress.advance(len(next(iter(scores.values()))))


def _read_file(path: Path) -> Iterator[dict[str, Floats]]:
    try:
        for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH, columns=["scores", "reasons"]):
            column = batch.column("scores")
            scores = _lowest({name: _to_numpy(column, name) for name in SCORES})
            scores[_UNSCORED] = _find_unscored(batch.column("reasons"))
            scored = ~np.logical_and.reduce([np.isnan(values) for values in scores.values()])
            if scored.any():
                yield {check: values[scored] for check, values in scores.items()}
    except (pa.ArrowException, KeyError) as error:
        raise RunError(
            f"{path}: is damaged or of another version ({' '.join(str(error).split())[:200]}); run the command that "
            "made it again"
        ) from error


def _to_numpy(column: "pa.Array[Any]", name: str) -> Floats:
    if pa.types.is_struct(column.type) and column.type.get_field_index(name) < 0:
        # An earlier version wrote the file, which did not know the check.
        return np.full(len(column), np.nan)
    values: Floats = pc.struct_field(column, [name]).to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _find_unscored(reasons: "pa.Array[Any]") -> Floats:
    """0 for each row with a reason of `UNSCORED_REASONS`, NaN for any other."""
    found = np.full(len(reasons), np.nan)
    named = pc.is_in(pc.list_flatten(reasons), pa.array(UNSCORED_REASONS, pa.string()))
    found[pc.list_parent_indices(reasons).filter(named).to_numpy()] = 0.0
    return found


def _band(bands: Mapping[str, Band], check: str) -> Band:
    return _UNSCORED_BAND if check == _UNSCORED else bands[check]


@dataclass(slots=True)
class ScoreCounts:
    """How a language's rows are decided, and the scores of those that a moved threshold would decide otherwise.

    Attributes:
        total: rows.
        kept: with no score below its band's `keep`, and none that could not be given.
        dropped: with a score below its band's `drop`.
        above: by check, how many kept rows have each step's score (`STEPS` + 2: the last did not run the check).
        below: by check, the same of rows that it alone keeps from being kept, without being dropped for it.
    """

    total: int = 0
    kept: int = 0
    dropped: int = 0
    above: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    below: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)


def count_scores(run: Path, bands: Mapping[str, Mapping[str, Band]], checks: Sequence[str]) -> dict[str, ScoreCounts]:
    """Count a run's scores by language.

    Args:
        run: its folder.
        bands: by language and check.
        checks: whose scores are counted.
    """
    counts: dict[str, ScoreCounts] = {}
    for language, scores in read_scores(run, label="reading scores"):
        if language not in bands:
            continue
        band = bands[language]
        count = counts.setdefault(language, ScoreCounts())
        fails = {check: values < _band(band, check).keep for check, values in scores.items()}
        dropped = np.logical_or.reduce([values < _band(band, check).drop for check, values in scores.items()])
        failed = np.sum(list(fails.values()), axis=0)
        count.total += len(failed)
        count.kept += int((failed == 0).sum())
        count.dropped += int(dropped.sum())
        for check in checks:
            steps = _steps(scores[check], check)
            alone = fails[check] & (failed == 1) & ~dropped
            for histograms, chosen in ((count.above, failed == 0), (count.below, alone)):
                found = np.bincount(steps[chosen], minlength=STEPS + 2)
                histograms[check] = histograms.get(check, 0) + found
    return counts


def _steps(values: Floats, check: str) -> npt.NDArray[np.int64]:
    """The step that each score reaches; one more than the highest where the check did not run."""
    reached = np.clip(np.floor(values / highest(check) * STEPS + 1e-9), 0, STEPS)
    return np.where(np.isnan(values), STEPS + 1, reached).astype(np.int64)


def levels(scores: Scores, bands: Mapping[str, Band], check: str, keeps: Sequence[float]) -> npt.NDArray[np.int64]:
    """Which of a check's thresholds is the first to keep each row, the other checks' standing as they are.

    Args:
        scores: of the rows.
        bands: by check.
        check: whose threshold moves.
        keeps: the thresholds, falling.

    Returns:
        A position in `keeps` for each row; its length where none keeps it.
    """
    others = np.logical_or.reduce(
        [values < _band(bands, name).keep for name, values in scores.items() if name != check]
    )
    # Comparisons with NaN are false: a check that did not run keeps nothing out.
    above = (np.asarray(keeps)[None, :] > scores[check][:, None]).sum(axis=1)
    return np.where(others, len(keeps), above).astype(np.int64)
