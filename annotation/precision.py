"""The one measure of a dataset's precision: how many of the rows that the thresholds keep now are good.

Where people judged random rows of the decisions that stand, these say it (`annotation.estimates`). After new
thresholds, which decide otherwise, nobody has judged a draw from those yet: then the judged rows of the last draw are
sorted by the thresholds that stand, and those that they keep say it. The thresholds may have been chosen with these
very verdicts, so the figure flatters them until the next draw is judged; its `basis` ends with `EARLIER`.

Either way it is of the rows as the checks decide them. That people's corrections and rejections are applied to the
rows that they judged makes the published rows better than that, by however many they judged.
"""

from collections.abc import Mapping

import pyarrow as pa

from annotation.calibration_scores import GRADED, levels, to_scores
from annotation.estimates import Estimate, estimate, make_estimate
from annotation.labels import ALL, Judged, Labels, current_draws, read_labels
from mcot.core.settings import Band

__all__ = ["EARLIER", "estimate_standing"]

#: How an estimate's basis ends whose rows were drawn before the thresholds stood that it is of.
EARLIER = "from rows drawn under earlier thresholds"

_KEEP = "keep"


def estimate_standing(
    queue: pa.Table,
    verdicts: pa.Table,
    resolved: pa.Table,
    decided: str,
    bands: Mapping[str, Mapping[str, Band]],
    *,
    confidence: float = 0.95,
) -> list[Estimate]:
    """Estimate the shares of good rows among the kept and the dropped, by the decisions that stand.

    Args:
        queue: of `QUEUE_SCHEMA`, all of it.
        verdicts: of `VERDICT_SCHEMA`.
        resolved: of `RESOLVED_SCHEMA`.
        decided: the signature of the decisions that stand (`mcot.core.reviews.read_decided`).
        bands: that they were made by, by language and check.
        confidence: of the intervals, 0 to 1.

    Returns:
        As `annotation.estimates.estimate` gives it. Of kept rows that were judged under earlier thresholds alone each
        language with such rows, then `all`; `population` is then how many rows they stand for, and is estimated too.
    """
    found = estimate(current_draws(queue, decided), verdicts, resolved, confidence=confidence)
    if any(one.stratum == _KEEP and one.judged for one in found):
        return found
    labels = _last_judged(queue, verdicts, resolved)
    earlier = _estimate_kept(labels, bands, confidence)
    return [*earlier, *(one for one in found if one.stratum != _KEEP)] if earlier else found


def _last_judged(queue: pa.Table, verdicts: pa.Table, resolved: pa.Table) -> Labels:
    """The rows of the last draw that somebody judged, with all that were drawn from the same decisions."""
    newest = queue.sort_by([("review_round", "descending")])
    for decided in dict.fromkeys(newest["decided"].to_pylist()):
        labels = read_labels(current_draws(queue, str(decided)), verdicts, resolved)
        if labels.rows:
            return labels
    return Labels([], {})


def _estimate_kept(labels: Labels, bands: Mapping[str, Mapping[str, Band]], confidence: float) -> list[Estimate]:
    languages = sorted({row.language for row in labels.rows} & bands.keys())
    kept = {language: rows for language in languages if (rows := _kept(labels, language, bands[language]))}
    groups = [*kept.items(), *([(ALL, [row for rows in kept.values() for row in rows])] if kept else [])]
    return [
        make_estimate(
            labels, rows, name, _KEEP,
            population=round(sum(labels.weight(row) for row in rows)),
            queued=len(rows),
            without=[one for one in languages if one not in kept] if name == ALL else (),
            confidence=confidence,
            drawn=EARLIER,
        )
        for name, rows in groups
    ]  # fmt: skip


def _kept(labels: Labels, language: str, bands: Mapping[str, Band]) -> list[Judged]:
    """The judged rows of a language that its bands keep."""
    rows = [row for row in labels.rows if row.language == language]
    # At its own threshold no check moves.
    check = GRADED[0]
    first = levels(
        to_scores([row.scores for row in rows], [row.reasons for row in rows]), bands, check, [bands[check].keep]
    )
    return [row for row, place in zip(rows, first, strict=True) if not place]
