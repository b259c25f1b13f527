"""What a round has come to, read from the files that curating, reviewing, training and evaluating left.

Nothing here is remembered: after a kill or an edit by hand it tells what is there now. All is as JSON has it, so
that a record can hold it; shares are 0 to 1, accuracies and consistencies percent.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.agreement import measure_agreement
from annotation.calibrate import Calibration
from annotation.calibration_sample import Sample
from annotation.calibration_scores import GRADED
from annotation.estimates import Share, estimate
from annotation.labels import ALL, Labels, current_draws, read_labels
from mcot.core.errors import RunError
from mcot.core.files import read_json, sign_files
from mcot.core.reviews import VERDICTS, ReviewFiles, read_decided
from mcot.core.settings import Band, CurationSettings
from mcot.core.settings_file import load_settings
from mcot.review import is_audit, read_bands
from mcot.round_record import note, open_round

__all__ = [
    "AS_DRAWN",
    "AS_KEPT_NOW",
    "curation_round",
    "note_calibration",
    "read_dataset",
    "read_review",
    "sign_verdicts",
]

#: What a round's precision is of: the decisions that its rows were drawn from still stand, or others do.
AS_DRAWN = "rows that were kept when they were drawn"
AS_KEPT_NOW = "rows that the thresholds keep now (by verdicts on an earlier draw)"

_CONFIDENCE = 0.95
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
        `drawn`, `settled`, `disputed` and `waiting` rows by language; how many `verdicts` of each kind; `precision`
        of the kept rows by language and for `all`, with its interval; `agreement` by language; signatures.

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
        "precision": _measure_precision(run, queue, verdicts, resolved) if len(said) else {},
        "agreement": _measure_agreement(said),
        "queue_signature": sign_files([files.queue]) if files.queue.exists() else None,
        "verdicts_signature": sign_verdicts(run),
    }


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SHOWN)


def _measure_precision(run: Path, queue: pa.Table, verdicts: pa.Table, resolved: pa.Table) -> dict[str, Any]:
    """The share of good rows among the kept ones, by language and for `all`; only where somebody judged some.

    Verdicts tell of the decisions that their rows were drawn from. Where others stand by now, new thresholds above
    all, the judged rows are sorted by these: those that they keep tell how good the rows kept now are.
    """
    current = current_draws(queue, read_decided(run))
    precision = {}
    for one in estimate(current, verdicts, resolved, confidence=_CONFIDENCE):
        if one.stratum == "keep" and one.good is not None:
            precision[one.language] = _describe(one.good, one.judged, f"{AS_DRAWN} ({one.basis})")
    if precision:
        return precision
    labels, bands = _last_judged(queue, verdicts, resolved), read_bands(run)
    judged = sorted({row.language for row in labels.rows} & bands.keys())
    for name, languages in [*((code, [code]) for code in judged), *([(ALL, judged)] if judged else [])]:
        share, count = _share_kept(labels, languages, bands)
        if share is not None:
            precision[name] = _describe(share, count, AS_KEPT_NOW)
    return precision


def _last_judged(queue: pa.Table, verdicts: pa.Table, resolved: pa.Table) -> Labels:
    """The rows of the last draw that somebody judged, with all that were drawn from the same decisions."""
    newest = queue.sort_by([("review_round", "descending")])
    for decided in dict.fromkeys(newest["decided"].to_pylist()):
        labels = read_labels(current_draws(queue, str(decided)), verdicts, resolved)
        if labels.rows:
            return labels
    return Labels([], {})


def _share_kept(
    labels: Labels, languages: Sequence[str], bands: Mapping[str, Mapping[str, Band]]
) -> tuple[Share | None, int]:
    """The share of good rows among those that bands keep, as `mcot calibrate` shows it, and how many were judged."""
    sample = Sample(labels, languages, bands, _CONFIDENCE)
    check = GRADED[0]
    [kept] = sample.kept(check, {code: [bands[code][check].keep] for code in languages})
    return sample.good(kept), int(kept.sum())


def _describe(share: Share, judged: int, basis: str) -> dict[str, Any]:
    return {**_describe_share(share), "judged": judged, "basis": basis}


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
