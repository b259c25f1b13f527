"""Which of several translations of a row is taken.

The checks are gates: one that they would keep wins over one that they would send to review, and that over one that
they would drop. Of those that are left the one is taken that the others agree with most: minimum Bayes risk (Kumar and
Byrne 2004) with chrF (Popović 2015) as utility. Two can't outvote one another: there, and of equals, the scores say:
quality estimation's, the judge's, the back-translation's; in the end the translators' order.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from curation.checks.back_translation import chrf
from curation.checks.base import PARTS
from curation.decide import decide_row
from mcot.core.settings import Band

__all__ = ["BY", "Choice", "choose", "gate"]

By = Literal["checks", "same", "consensus", "quality_estimation", "judge", "back_translation", "order"]
#: What can decide, in the order in which it is asked. `same`: the translations are.
BY: tuple[By, ...] = ("checks", "same", "consensus", "quality_estimation", "judge", "back_translation", "order")
_SCORES: tuple[By, ...] = ("quality_estimation", "judge", "back_translation")
_RANKS = {"keep": 0, "review": 1, "drop": 2}
# So many agree with one another or don't.
_FEWEST_OF_CONSENSUS = 3
# Of scores and of chrF's 0 to 100: what is no difference but of arithmetic.
_NEAR = 1e-9


class Choice(NamedTuple):
    """The place of the translation that is taken, and what decided."""

    place: int
    by: By


def gate(row: Mapping[str, Any], bands: Mapping[str, Band]) -> str:
    """What the checks would decide of a row: keep, review or drop; what was decided before stays."""
    if row["decision"] is not None:
        return str(row["decision"])
    observations = list(zip(row["reasons"] or [], row["details"] or [], strict=True))
    return decide_row(row["scores"] or {}, observations, bands)[0]


def choose(rows: Sequence[Mapping[str, Any]], bands: Mapping[str, Band]) -> Choice:
    """Choose between translations of a row.

    Args:
        rows: of the schema, checked and not decided; in the order of the translators.
        bands: of the language, by check.
    """
    ranks = [_RANKS[gate(row, bands)] for row in rows]
    left = [place for place, rank in enumerate(ranks) if rank == min(ranks)]
    if len(left) == 1:
        return Choice(left[0], "checks")
    if len({_text(rows[place]) for place in left}) == 1:
        return Choice(left[0], "same")
    if len(left) >= _FEWEST_OF_CONSENSUS:
        left = _best(left, _agreement([_text(rows[place]) for place in left]))
        if len(left) == 1:
            return Choice(left[0], "consensus")
    for check in _SCORES:
        means = [_mean(rows[place]["scores"] or {}, check) for place in left]
        # Whom nobody scored can't be compared.
        known = [mean for mean in means if mean is not None]
        if len(known) == len(left):
            left = _best(left, known)
            if len(left) == 1:
                return Choice(left[0], check)
    return Choice(left[0], "order")


def _text(row: Mapping[str, Any]) -> str:
    return "\n".join(row[part] or "" for part in PARTS)


def _agreement(texts: Sequence[str]) -> list[float]:
    """Of each text the mean chrF against all others: its expected utility."""
    pairs = [(own, other) for own in range(len(texts)) for other in range(len(texts)) if own != other]
    scores = chrf([texts[own] for own, _ in pairs], [texts[other] for _, other in pairs])
    sums = [0.0] * len(texts)
    for (own, _), score in zip(pairs, scores, strict=True):
        sums[own] += score
    return [total / (len(texts) - 1) for total in sums]


def _mean(scores: Mapping[str, float | None], check: str) -> float | None:
    """The mean of a check's scores of the row; None where it has none."""
    known = [value for part in PARTS if (value := scores.get(f"{check}_{part}")) is not None]
    return sum(known) / len(known) if known else None


def _best(places: Sequence[int], scores: Sequence[float]) -> list[int]:
    highest = max(scores)
    return [place for place, score in zip(places, scores, strict=True) if score >= highest - _NEAR]
