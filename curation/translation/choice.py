"""Which of several translations of a row is taken.

The checks are gates: one that they would keep wins over one that they would send to review, and that over one that
they would drop. Of those that are left the one is taken that the others agree with most: minimum Bayes risk (Kumar and
Byrne 2004) with chrF (Popović 2015), each way, as utility. Two can't outvote one another: there, and of equals, the
scores say: quality estimation's, the judge's, the back-translation's; in the end the translators' order.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from curation.checks.back_translation import chrf
from curation.checks.base import PARTS
from curation.decide import decide_row
from mcot.core.settings import Band

__all__ = ["BY", "Choice", "choose", "decide", "gate"]

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


def decide(row: Mapping[str, Any], bands: Mapping[str, Band]) -> dict[str, Any]:
    """What the checks would decide of a row that is not decided: `decision`, `reasons` and `details`."""
    observations = list(zip(row["reasons"] or [], row["details"] or [], strict=True))
    decision, reasons, details = decide_row(row["scores"] or {}, observations, bands)
    return {"decision": decision, "reasons": reasons, "details": details}


def gate(row: Mapping[str, Any], bands: Mapping[str, Band]) -> str:
    """What the checks would decide of a row: keep, review or drop; what was decided before stays."""
    return str(row["decision"] or decide(row, bands)["decision"])


def choose(rows: Sequence[Mapping[str, Any]], bands: Mapping[str, Band]) -> Choice:
    """Choose between translations of a row.

    Args:
        rows: of the schema, checked and not decided; in the order of the translators.
        bands: of the language, by check.
    """
    # Of what is to be dropped, some text is more to go on than none.
    ranks = [_RANKS[gate(row, bands)] if row["question"] else len(_RANKS) for row in rows]
    left = [place for place, rank in enumerate(ranks) if rank == min(ranks)]
    if len(left) == 1:
        return Choice(left[0], "checks")
    if len({_text(rows[place]) for place in left}) == 1:
        return Choice(left[0], "same")
    if len(left) >= _FEWEST_OF_CONSENSUS:
        left = _best(left, _agreement([_text(rows[place]) for place in left]))
        if len({_text(rows[place]) for place in left}) == 1:
            return Choice(left[0], "consensus")
    for check in _SCORES:
        means = _means([rows[place]["scores"] or {} for place in left], check)
        if means is not None:
            left = _best(left, means)
            if len(left) == 1:
                return Choice(left[0], check)
    return Choice(left[0], "order")


def _text(row: Mapping[str, Any]) -> str:
    return "\n".join(row[part] or "" for part in PARTS)


def _agreement(texts: Sequence[str]) -> list[float]:
    """Of each text the mean chrF with all others, as hypothesis and as reference: its expected utility.

    One way alone the longer text would win: what a hypothesis has too much costs chrF less than what it lacks, so that
    one with a sentence more could win over two that are the same.
    """
    pairs = [(own, other) for own in range(len(texts)) for other in range(len(texts)) if own != other]
    scores = chrf([texts[own] for own, _ in pairs], [texts[other] for _, other in pairs])
    sums = [0.0] * len(texts)
    for (own, other), score in zip(pairs, scores, strict=True):
        sums[own] += score
        sums[other] += score
    return [total / (2 * len(texts) - 2) for total in sums]


def _means(scores: Sequence[Mapping[str, float | None]], check: str) -> list[float] | None:
    """The mean of a check's scores of each row, over the parts that it scored of all of them; None for no such part.

    A part that one row alone has a score of would make that row better or worse by what nothing compares with.
    """
    fields = [f"{check}_{part}" for part in PARTS]
    columns = [[one.get(field) for one in scores] for field in fields]
    known = [[value for value in column if value is not None] for column in columns]
    compared = [column for column in known if len(column) == len(scores)]
    return [sum(values) / len(values) for values in zip(*compared, strict=True)] if compared else None


def _best(places: Sequence[int], scores: Sequence[float]) -> list[int]:
    highest = max(scores)
    return [place for place, score in zip(places, scores, strict=True) if score >= highest - _NEAR]
