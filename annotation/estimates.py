"""How many of the kept rows are good, and how many of the dropped ones, from random audits alone.

A row is good if it was accepted as it was shown; one to fix is not, as without the correction it would have gone out
wrong (how many there were stands beside it). The headline is corrected for the annotators' error wherever at least
`ENOUGH_OVERLAP` audited rows have several annotators, the language's own or else those of all languages, and its
interval carries what is uncertain about both. Elsewhere it is the share as annotators judge, and says so.

Each interval is a Clopper-Pearson one; that the rows are drawn without replacement makes it a little too wide. Over
all languages rows are weighted by how many they stand for. See `annotation.intervals`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from annotation.intervals import (
    Interval,
    clopper_pearson,
    correct,
    error_of_disagreement,
    interval_of_error,
    resolved_error,
    weigh,
)
from annotation.labels import ALL, Judged, Labels, read_labels

__all__ = [
    "CORRECTED",
    "ENOUGH_OVERLAP",
    "UNCORRECTED",
    "ErrorRate",
    "Estimate",
    "Share",
    "estimate",
    "estimate_share",
    "find_error",
    "make_estimate",
]

#: Fewer rows that several judged say too little of an annotator's error: with 30 and no disagreement it may be 6%.
ENOUGH_OVERLAP = 30

#: What a headline is: corrected by how often annotators disagree, or the share of what they accepted.
CORRECTED, UNCORRECTED = "corrected for annotators' error", "as annotators judge"
_NOTHING = "no verdicts"


@dataclass(frozen=True, slots=True)
class Share:
    """An estimated share with its interval, 0 to 1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """How often one annotator errs.

    Attributes:
        share: of rows.
        rows: that several judged.
        of: the language, or `all`.
    """

    share: Share
    rows: int
    of: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share of good rows in a stratum.

    Attributes:
        language: ISO 639-1, or `all`.
        stratum: `keep` or `drop`.
        population: rows of the stratum when it was drawn from, of the languages with verdicts.
        queued: rows drawn at random.
        judged: of these.
        accepted: of those judged; so are the next three.
        to_fix: to be corrected.
        rejected: not to be kept.
        unsettled: annotators disagree. The interval holds whichever way they will be settled.
        judged_good: the share as annotators judge; None without verdicts.
        good: the headline.
        basis: what the headline is, in words: with or without correction, and whether its rows were drawn from the
            decisions that stand, of which nothing is said, or from earlier ones.
        error: of an annotator, where it is known.
        without: languages with rows queued and none judged, which `all` says nothing of.
    """

    language: str
    stratum: str
    population: int
    queued: int
    judged: int
    accepted: int
    to_fix: int
    rejected: int
    unsettled: int
    judged_good: Share | None
    good: Share | None
    basis: str
    error: ErrorRate | None
    without: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for people."""
        what = {"keep": "kept", "drop": "dropped"}[self.stratum]
        if self.good is None:
            return f"{self.language}: none of {self.queued:,} queued {what} rows is judged yet"
        without = f"; not of {', '.join(self.without)}, where none is judged" if self.without else ""
        return (
            f"{self.language}: {100 * self.good.value:.1f}% ({100 * self.good.low:.1f} to {100 * self.good.high:.1f}) "
            f"of {self.population:,} {what} rows are good, {self.basis}; {self.judged:,} judged{without}"
        )


def estimate(
    queue: pa.Table,
    verdicts: pa.Table,
    resolved: pa.Table,
    *,
    confidence: float = 0.95,
) -> list[Estimate]:
    """Estimate the shares of good rows among the kept and among the dropped.

    Args:
        queue: of `QUEUE_SCHEMA`, drawn from the decisions that stand (`annotation.labels.current_draws`).
        verdicts: of `VERDICT_SCHEMA`.
        resolved: of `RESOLVED_SCHEMA`.
        confidence: of the intervals, 0 to 1.

    Returns:
        For each audited stratum its languages in alphabetic order, then `all`.
    """
    labels = read_labels(queue, verdicts, resolved)
    estimates = []
    for stratum in ("keep", "drop"):
        languages = sorted(language for language, drawn_from in labels.cells if drawn_from == stratum)
        groups = [((language,), language) for language in languages]
        for members, name in [*groups, *([(tuple(languages), ALL)] if languages else [])]:
            estimates.append(_estimate(labels, members, name, stratum, confidence))
    return estimates


def _estimate(labels: Labels, languages: Sequence[str], name: str, stratum: str, confidence: float) -> Estimate:
    rows = [row for row in labels.rows if row.stratum == stratum and row.language in languages]
    cells = {language: labels.cells[language, stratum] for language in languages}
    covered = [cell for cell in cells.values() if cell.judged] or list(cells.values())
    return make_estimate(
        labels, rows, name, stratum,
        population=sum(cell.population for cell in covered),
        queued=sum(cell.queued for cell in cells.values()),
        without=[language for language, cell in cells.items() if not cell.judged] if rows else (),
        confidence=confidence,
    )  # fmt: skip


def make_estimate(
    labels: Labels,
    rows: Sequence[Judged],
    name: str,
    stratum: str,
    *,
    population: int,
    queued: int,
    without: Sequence[str],
    confidence: float,
    drawn: str = "",
) -> Estimate:
    """The estimate that judged rows come to.

    Args:
        labels: that the rows are of.
        rows: those that stand for the stratum; none gives an estimate of nothing.
        name: the language, or `all`.
        stratum: `keep` or `drop`.
        population: rows that they stand for.
        queued: rows drawn at random.
        without: languages that `all` says nothing of.
        confidence: of the intervals, 0 to 1.
        drawn: how, where that is to be said in the basis.
    """
    error = find_error(labels, name, confidence)
    good = [row for row in rows if row.good]
    bad = [row for row in rows if row.good is False]
    weights = [labels.weight(row) for row in rows]
    basis = _NOTHING if not rows else UNCORRECTED if error is None else CORRECTED
    return Estimate(
        name,
        stratum,
        population=population,
        queued=queued,
        judged=len(rows),
        accepted=len(good),
        # Where some say to fix and some to reject, it can at least not go out as it is.
        to_fix=sum(row.verdict != "reject" for row in bad),
        rejected=sum(row.verdict == "reject" for row in bad),
        unsettled=len(rows) - len(good) - len(bad),
        judged_good=estimate_share(rows, weights, None, confidence) if rows else None,
        good=estimate_share(rows, weights, error, confidence) if rows else None,
        basis=f"{basis}, {drawn}" if drawn else basis,
        error=error,
        without=tuple(without),
    )


def find_error(labels: Labels, language: str, confidence: float) -> ErrorRate | None:
    """An annotator's error in a language, from audited rows that several judged.

    The uncertain band is left out: its rows are harder, and its error is not that of the audits.

    Args:
        labels: of a queue.
        language: ISO 639-1, or `all`. One with too little overlap is given that of all.
        confidence: of its interval, 0 to 1.

    Returns:
        None where all of them have too little overlap.
    """
    audited = [row for row in labels.rows if row.stratum in ("keep", "drop") and row.disagreement is not None]
    own = [row for row in audited if row.language == language]
    for of, rows in ((language, own), (ALL, audited)):
        if len(rows) >= ENOUGH_OVERLAP:
            disagreements = [row.disagreement or 0.0 for row in rows]
            ends = interval_of_error(disagreements, confidence)
            value = error_of_disagreement(sum(disagreements) / len(rows))
            return ErrorRate(Share(value, *ends), len(rows), of)
    return None


def estimate_share(
    rows: Sequence[Judged], weights: Sequence[float], error: ErrorRate | None, confidence: float
) -> Share:
    """The share of good rows in what judged rows stand for.

    Args:
        rows: at least one.
        weights: how many rows each stands for.
        error: of an annotator, to correct by; None for the share as annotators judge.
        confidence: of the interval, 0 to 1.
    """
    judged = np.array([np.nan if row.good is None else row.good for row in rows], np.float64)
    weight = np.array(weights, np.float64)
    settled = ~np.isnan(judged)
    # Where nothing is settled, the middle of what is possible.
    value = weigh(judged[settled], weight[settled])[0] if settled.any() else 0.5
    # Whichever way open rows will be settled, the interval holds.
    low, high = (clopper_pearson(*weigh(np.where(settled, judged, fill), weight), confidence) for fill in (0.0, 1.0))
    interval = Interval(low.low, high.high)
    if error is None:
        return Share(value, *interval)
    wrong = [_mean_error(rows, weight, rate) for rate in (error.share.value, error.share.low, error.share.high)]
    value, interval = correct(value, interval, wrong[0], Interval(wrong[1], wrong[2]))
    return Share(value, *interval)


def _mean_error(rows: Sequence[Judged], weights: np.ndarray[tuple[int], np.dtype[np.float64]], error: float) -> float:
    """How often what was resolved is wrong, over rows of more and fewer annotators."""
    known = {count: resolved_error(error, count) for count in {row.annotators for row in rows}}
    return float(np.average([known[row.annotators] for row in rows], weights=weights))
