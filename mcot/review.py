"""Review, where annotation and curation meet: verdicts are taken by the one and applied to the dataset by the other."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from annotation.agreement import Agreement, measure_agreement
from annotation.estimates import Estimate
from annotation.labels import current_draws
from annotation.precision import estimate_standing
from annotation.settings import ReviewSettings
from curation.audit_outputs import DECISIONS_FILE, finish_audit_again
from curation.audit_settings import AuditSettings
from curation.finish import WAIT, Outcome, finish_again
from mcot.core.files import lock_folder, read_json, write_json
from mcot.core.reviews import ReviewFiles, read_decided
from mcot.core.settings import Band, CurationSettings
from mcot.core.settings_file import load_settings, parse_settings

__all__ = [
    "apply_reviews",
    "is_audit",
    "load_review_settings",
    "read_bands",
    "read_current",
    "refresh_reviews",
    "summarise",
]


def load_review_settings(path: Path | None, review_round: int | None = None) -> ReviewSettings:
    """The settings of a file, or the defaults, with another round if one is given.

    Raises:
        SettingsError: there is no such file, it is no YAML, or a key or a value is wrong.
    """
    settings = ReviewSettings() if path is None else load_settings(path, ReviewSettings)
    if review_round is None:
        return settings
    content: Mapping[str, Any] = {**settings.model_dump(), "review_round": review_round}
    return parse_settings(content, "--round", ReviewSettings)


def is_audit(run: Path) -> bool:
    """Whether the folder is an audit's; else it is a run's.

    Raises:
        RunError: it is neither, or not finished.
    """
    read_decided(run)
    return (run / DECISIONS_FILE).exists()


def read_bands(run: Path) -> dict[str, dict[str, Band]]:
    """The bands that a run's or an audit's rows were decided by, by language and check.

    Raises:
        RunError: the folder is neither a run's nor an audit's.
        SettingsError: its settings are damaged.
    """
    if is_audit(run):
        settings = load_settings(run / "settings.yaml", AuditSettings).for_curation("audit")
    else:
        settings = load_settings(run / "settings.yaml", CurationSettings)
    return {code: settings.bands(code) for code in settings.languages}


def read_current(run: Path) -> tuple[pa.Table, pa.Table, pa.Table]:
    """The queue, as far as it was drawn from the decisions that stand, the verdicts and what came of them."""
    files = ReviewFiles(run)
    return current_draws(files.read_queue(), read_decided(run)), files.read_verdicts(), files.read_resolved()


def summarise(run: Path) -> tuple[list[Estimate], list[Agreement]]:
    """What the verdicts say so far of the rows as they are decided now, and of the annotators on these rows."""
    files = ReviewFiles(run)
    queue, verdicts, resolved = files.read_queue(), files.read_verdicts(), files.read_resolved()
    estimates = estimate_standing(queue, verdicts, resolved, read_decided(run), read_bands(run))
    return estimates, measure_agreement(verdicts)


def apply_reviews(run: Path) -> Outcome:
    """Apply every verdict taken so far to the run's rows, and tell of them in its report.

    Raises:
        RunError: the folder is no finished run, or another process writes into it.
    """
    audited = is_audit(run)
    with lock_folder(run, "run folder", wait=WAIT):
        files = ReviewFiles.to_write(run)
        if files.verdicts.exists():
            estimates, agreement = summarise(run)
            summary: dict[str, Any] = {
                # Of which decisions the estimates are: a reader can see whether others stand by now.
                "decided": read_decided(run),
                "estimates": [asdict(one) for one in estimates],
                "agreement": [asdict(one) for one in agreement if one.rows],
            }
            if read_json(files.summary) != _as_read(summary):
                write_json(files.summary, summary)
    return finish_audit_again(run) if audited else finish_again(run)


def refresh_reviews(run: Path) -> None:
    """Have a run that was decided anew tell of its rows as they are now by what people said before.

    Does nothing where nobody said anything, or it is told already.

    Raises:
        RunError: the folder is no finished run, or another process writes into it.
    """
    if ReviewFiles(run).verdicts.exists():
        apply_reviews(run)


def _as_read(value: Any) -> Any:
    """A value as JSON gives it back: tuples are lists there."""
    match value:
        case dict():
            return {key: _as_read(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_as_read(inner) for inner in value]
        case _:
            return value
