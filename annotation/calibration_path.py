"""The thresholds of a check that a calibration tries: a path from strict to lax, made without a look at verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.calibration_scores import STEPS, ScoreCounts, highest
from mcot.core.settings import Band

__all__ = ["CURRENT", "MOST_LOST", "Path", "make_path", "split_risk"]

# Raised thresholds of a path, and where on it the one that stands is.
CURRENT = 12
#: Of the kept rows, the share that the strictest threshold may lose, by default. The test begins there. On 40 of the
#: sets of `benchmarks/review_estimates.py` 0.25 to 0.4 certified most often: further on too few judged rows are left.
MOST_LOST = 0.3
#: Of the rows that only this check sends to review, the share that each lowered threshold may keep.
LOWERS = (0.25, 0.5, 0.75, 1.0)
# The graded scores of the meaning have half of the risk, all the others the rest.
_OF_MEANING, _THEIR_PART = ("back_translation", "quality_estimation", "judge"), 0.5


@dataclass(frozen=True, slots=True)
class Path:
    """A check's thresholds in a language.

    Attributes:
        keeps: falling; what stands is at `CURRENT`.
        kept: how many rows each keeps.
    """

    keeps: tuple[float, ...]
    kept: tuple[int, ...]


def make_path(count: ScoreCounts, check: str, band: Band, most_lost: float = MOST_LOST) -> Path:
    """The thresholds to try, and how many of a language's rows each keeps.

    Where many rows have one score the loss is less than it may be, never more.

    Args:
        count: of the language.
        check: whose threshold moves.
        band: its band as it stands.
        most_lost: of the kept rows, the share that the strictest may lose.
    """
    above, below = count.above[check], count.below[check]
    top = highest(check)
    # How many rows have less than each step, and how many at least.
    less = np.concatenate([[0], np.cumsum(above[:STEPS])])
    least = np.cumsum(below[STEPS::-1])[::-1]
    keeps, kept = [], []
    for place in range(CURRENT):
        share = most_lost * (1 - place / CURRENT)
        lost = less[np.searchsorted(less, share * count.kept, side="right") - 1]
        keep = float(np.searchsorted(less, lost)) / STEPS * top
        keeps.append(max(round(keep, 6), band.keep))
        kept.append(count.kept - int(lost))
    keeps.append(band.keep)
    kept.append(count.kept)
    for share in LOWERS:
        # `least` falls: the first step from which on no more than the share is left.
        step = int(np.argmax(least <= share * least[0]))
        keep = min(max(round(step / STEPS * top, 6), band.drop), band.keep)
        keeps.append(band.drop if share == 1 else keep)
        kept.append(count.kept + int(least[0] if share == 1 else least[step]))
    return Path(tuple(keeps), tuple(kept))


def split_risk(checks: Sequence[str], risk: float) -> dict[str, float]:
    """How much of the risk of a wrong claim each check's path is given; the verdicts have no say in it.

    Args:
        checks: those with a path.
        risk: 1 - confidence.
    """
    first = [check for check in checks if check in _OF_MEANING]
    others = [check for check in checks if check not in _OF_MEANING]
    if not first or not others:
        return dict.fromkeys(checks, risk / len(checks))
    parts = dict.fromkeys(first, _THEIR_PART / len(first)) | dict.fromkeys(others, (1 - _THEIR_PART) / len(others))
    return {check: risk * parts[check] for check in checks}
