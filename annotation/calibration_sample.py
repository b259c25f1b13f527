"""The judged rows of some languages as a sample of all their rows, and what it says of the rows that are kept."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from annotation.calibration_scores import levels, to_scores
from annotation.estimates import Share, estimate_share, find_error
from annotation.intervals import upper_bound, weigh
from annotation.labels import ALL, Labels
from mcot.core.settings import Band

__all__ = ["Flags", "Sample"]

Flags = npt.NDArray[np.bool_]
# Fewer judged uncertain rows say too little of what a lower threshold would let in.
_FEWEST_UNCERTAIN = 10


class Sample:
    """The judged rows of some languages.

    Args:
        labels: of a queue.
        languages: whose rows.
        bands: by language and check, as they stand.
        confidence: of the shares' intervals, 0 to 1.
    """

    def __init__(
        self,
        labels: Labels,
        languages: Sequence[str],
        bands: Mapping[str, Mapping[str, Band]],
        confidence: float,
    ) -> None:
        self._labels, self._languages, self._bands, self._confidence = labels, languages, bands, confidence
        self._rows = [row for row in labels.rows if row.language in languages]
        self._weights = np.array([labels.weight(row) for row in self._rows], np.float64)
        # One on which annotators disagree counts against the threshold.
        self._bad = np.array([row.good is not True for row in self._rows], np.float64)
        self._error = find_error(labels, languages[0] if len(languages) == 1 else ALL, confidence)

    def kept(self, check: str, keeps: Mapping[str, Sequence[float]]) -> list[Flags]:
        """For each threshold of a check which judged rows it keeps.

        Args:
            check: that moves.
            keeps: by language, falling, as many in each.
        """
        first = np.zeros(len(self._rows), np.int64)
        for language in self._languages:
            at = [place for place, row in enumerate(self._rows) if row.language == language]
            rows = [self._rows[place] for place in at]
            scores = to_scores([row.scores for row in rows], [row.reasons for row in rows])
            first[at] = levels(scores, self._bands[language], check, keeps[language])
        return [first <= place for place in range(len(keeps[self._languages[0]]))]

    def good(self, kept: Flags) -> Share | None:
        """The share of good rows among those kept; None where none of them is judged."""
        rows = [row for row, chosen in zip(self._rows, kept, strict=True) if chosen]
        if not rows:
            return None
        return estimate_share(rows, self._weights[kept].tolist(), self._error, self._confidence)

    def bound(self, kept: Flags, risk: float) -> float:
        """The precision of the rows kept that is certain but for a risk."""
        if not kept.any() or risk <= 0:
            return 0.0
        return 1 - upper_bound(*weigh(self._bad[kept], self._weights[kept]), risk)

    def bad_share(self, kept: Flags) -> tuple[float, float]:
        """The share of rows kept that are not good, as annotators judge, and of how many that is worth."""
        return weigh(self._bad[kept], self._weights[kept]) if kept.any() else (0.0, 0.0)

    def may_lower(self) -> bool:
        """Whether the uncertain rows are known well enough to let some in.

        They are shown in the order of their priority: until all of those queued are judged, those judged are no
        random ones.
        """
        cells = [self._labels.cells.get((language, "review")) for language in self._languages]
        return all(cell is not None and cell.queued == cell.judged >= _FEWEST_UNCERTAIN for cell in cells)
