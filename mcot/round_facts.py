"""What a round has come to, read from the files that curating, reviewing, training and evaluating left.

Nothing here is remembered: after a kill or an edit by hand it tells what is there now. All is as JSON has it, so
that a record can hold it; shares are 0 to 1, accuracies and consistencies percent.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.agreement import measure_agreement
from annotation.calibrate import Calibration
from annotation.estimates import Share
from mcot.core.errors import RunError
from mcot.core.files import read_json, sign_files
from mcot.core.reviews import VERDICTS, ReviewFiles, read_decided
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings
from mcot.review import is_audit, read_bands, summarise
from mcot.round_record import note, open_round

__all__ = ["curation_round", "note_calibration", "read_dataset", "read_review", "sign_verdicts"]

_DECIMALS = 4
_SHOWN = ["language", "id", "source_signature", "translation_signature"]


def read_dataset(run: Path) -> dict[str, Any]:
    """The run's dataset: its `signature`, `rows` by folder and language, `decided`, `thresholds` and `settings`.

    Raises:
        RunError: the folder is no run's or audit's, or what wrote into it was cut off.
    """
    decided = read_decided(run)
    manifest = read_json(run / "manifest.json")
    if not isinstance(manifest.get("rows"), dict):
        command = "mcot audit" if is_audit(run) else f"mcot curate {run / 'settings.yaml'}"
        raise RunError(f"run folder {run}: what wrote into it was cut off or is at it still; run `{command}` again")
    bands = read_bands(run)
    return {
        "signature": manifest["signature"],
        "decided": decided,
        "rows": manifest["rows"],
        "settings": sign_files([run / "settings.yaml"]),
        "thresholds": {code: {name: band.model_dump() for name, band in by.items()} for code, by in bands.items()},
    }


def curation_round(run: Path) -> int | None:
    """The round that the run's rows were decided in; None for an audit, whose rows have none."""
    return None if is_audit(run) else load_settings(run / "settings.yaml", CurationSettings).round


def sign_verdicts(run: Path) -> str | None:
    """A signature of every verdict taken so far; None where there are none."""
    path = ReviewFiles(run).verdicts
    return sign_files([path]) if path.exists() else None


def read_review(run: Path, number: int) -> dict[str, Any]:
    """What people were shown in a review round and said of it.

    Returns:
        `drawn`, `settled`, `disputed` and `waiting` rows by language; how many `verdicts` of each kind; `agreement` by
        language; signatures. And `precision` of the rows kept now, by the verdicts of all rounds that tell of these,
        by language and for `all`, each with its interval, how many rows were `judged`, its `basis` in words, and the
        share `as_judged`, without any correction.

    Raises:
        RunError: a file is damaged.
    """
    files = ReviewFiles(run)
    queue, verdicts, resolved = files.read_queue(), files.read_verdicts(), files.read_resolved()
    own = queue.filter(pc.equal(queue["review_round"], pa.scalar(number)))
    said = verdicts.filter(pc.equal(verdicts["review_round"], pa.scalar(number)))
    outcomes = {_key(row): row["verdict"] for row in resolved.select([*_SHOWN, "verdict"]).to_pylist()}
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("drawn", "settled", "disputed", "waiting")}
    for row in own.select(_SHOWN).to_pylist():
        found = outcomes.get(_key(row), "")
        state = "waiting" if found == "" else "disputed" if found is None else "settled"
        counts["drawn"][row["language"]] += 1
        counts[state][row["language"]] += 1
    kinds = Counter(said["verdict"].to_pylist())
    return {
        **{name: dict(sorted(by.items())) for name, by in counts.items()},
        "verdicts": {name: kinds[name] for name in VERDICTS},
        "annotators": len(set(said["annotator"].to_pylist())),
        "precision": _measure_precision(run),
        "agreement": _measure_agreement(said),
        "queue_signature": sign_files([files.queue]) if files.queue.exists() else None,
        "verdicts_signature": sign_verdicts(run),
    }


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SHOWN)


def _measure_precision(run: Path) -> dict[str, Any]:
    """The share of good rows among the kept ones, by language and for `all`; only where somebody judged some.

    The run's one measure of it, as its report and its card have it: not rounded, so that none says another figure.
    """
    return {
        one.language: {
            **asdict(one.good),
            "judged": one.judged,
            "basis": one.basis,
            "as_judged": None if one.judged_good is None else asdict(one.judged_good),
        }
        for one in summarise(run)[0]
        if one.stratum == "keep" and one.good is not None
    }


def _describe_share(share: Share) -> dict[str, float]:
    return {name: round(getattr(share, name), _DECIMALS) for name in ("value", "low", "high")}


def _measure_agreement(verdicts: pa.Table) -> dict[str, Any]:
    return {
        one.language: {
            "rows": one.rows,
            "annotators": one.annotators,
            "pairwise": None if one.pairwise is None else round(one.pairwise, _DECIMALS),
            "alpha": None if one.alpha is None else round(one.alpha, _DECIMALS),
        }
        for one in measure_agreement(verdicts)
        if one.question == "verdict" and one.rows
    }


def note_calibration(run: Path, found: Calibration, output: Path | None) -> None:
    """Note in the open round what a calibration came to; does nothing where no round is open.

    That more could not be certified takes no thresholds away that were found before.

    Args:
        run: the run's folder.
        found: what was found.
        output: the settings file with the thresholds; None where nothing was certified.
    """
    languages = {
        one.language: {
            "kept_before": one.kept_before,
            "kept_after": one.kept_after,
            "before": None if one.before is None else _describe_share(one.before),
            "after": None if one.after is None else _describe_share(one.after),
        }
        for one in found.languages
    }
    bands = {code: {name: band.model_dump() for name, band in by.items()} for code, by in found.thresholds.items()}
    record = open_round(run)
    if record is None or (not bands and record["noted"].get("calibration", {}).get("thresholds")):
        return
    told = {
        "wanted": found.wanted,
        "confidence": found.confidence,
        "verdicts": sign_verdicts(run),
        "thresholds": bands,
        "languages": languages,
        "file": output,
        "refused": None if bands else found.explain(),
    }
    note(run, calibration=told)
