"""Does the translation mean what the source does? A model's estimate, without references: COMET (Rei et al. 2020).

CometKiwi (Rei et al. 2022) and its like were trained on people's scores of translations, sentence by sentence. What
they say of a whole solution, and of Swahili, Bengali, Telugu or Thai, for which few such scores exist, is for people's
verdicts to calibrate.
"""

import re
from collections.abc import Callable, Sequence

import pyarrow as pa

from curation.checks.base import PARTS, Scored
from curation.quality_estimation.estimator import Estimator
from mcot.core.quality_settings import QualityEstimationSettings
from mcot.core.runs import sign

__all__ = ["QualityEstimationCheck"]

_MARK = re.compile(r"<<[^<>\n]*>>")
# More would say more than such a model knows, and make a score depend on which others were in its batch.
_DIGITS = 4

_Pair = tuple[str, str]


class QualityEstimationCheck:
    """Scores question and rationale, 0 to 1, calculator marks aside. It observes nothing: the score is all it says.

    A text that is too long for the model is scored line by line, where source and translation have as many lines;
    its score is the lines' mean, weighted by the source's characters. Else it has none.

    Args:
        settings: model and hardware.

    Attributes:
        notify: told how many pairs are done.

    Raises:
        ModelError: there is no such model.
    """

    name = "quality_estimation"
    notify: Callable[[str], None] | None = None

    def __init__(self, settings: QualityEstimationSettings) -> None:
        self._estimator = Estimator(settings)
        self.signature = sign(self.name, 1, self._estimator.signature)

    def open(self) -> None:
        """Load the model, in a process of its own; the first time its environment is made."""
        self._estimator.open()

    def close(self) -> None:
        """End the process."""
        self._estimator.close()

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row."""
        wanted: dict[str, list[_Pair | None]] = {}
        for part in PARTS:
            columns = (table[f"source_{part}"].to_pylist(), table[part].to_pylist())
            wanted[part] = [
                (_MARK.sub("", source), _MARK.sub("", text)) if source and text else None
                for source, text in zip(*columns, strict=True)
            ]
        known = self._estimate(list(dict.fromkeys(pair for pairs in wanted.values() for pair in pairs if pair)))
        scores = {
            f"{self.name}_{part}": [None if pair is None else known[pair] for pair in pairs]
            for part, pairs in wanted.items()
        }
        return Scored(scores, [[] for _ in range(len(table))])

    def _estimate(self, pairs: Sequence[_Pair]) -> dict[_Pair, float | None]:
        scores = dict(zip(pairs, self._estimator.estimate(pairs, self._tell), strict=True))
        lines = {pair: _align(pair) for pair, score in scores.items() if score is None}
        # A line of one text may be the whole of another.
        own = [line for line in dict.fromkeys(line for found in lines.values() for line in found) if line not in scores]
        of_lines = scores | dict(zip(own, self._estimator.estimate(own, self._tell), strict=True))
        scores |= {pair: _mean([(of_lines[line], len(line[0])) for line in found]) for pair, found in lines.items()}
        return {
            pair: None if score is None else round(min(max(score, 0.0), 1.0), _DIGITS) for pair, score in scores.items()
        }

    def _tell(self, done: int, total: int) -> None:
        if self.notify is not None:
            self.notify(f"COMET: {done} of {total} texts")


def _align(pair: _Pair) -> list[_Pair]:
    """The pairs of lines of two texts that have as many, more than one; else none."""
    sources, translations = ([line for line in text.splitlines() if line.strip()] for text in pair)
    same = 1 < len(sources) == len(translations)
    return list(zip(sources, translations, strict=True)) if same else []


def _mean(scores: Sequence[tuple[float | None, int]]) -> float | None:
    """The weighted mean; None of nothing, and where one is None."""
    known = [(score, weight) for score, weight in scores if score is not None]
    if not known or len(known) < len(scores):
        return None
    return sum(score * weight for score, weight in known) / sum(weight for _, weight in known)
