"""What a run's review says of its rows: how many of them are good, and how far annotators agree, with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets_card.figures import Measured
from mcot.core.files import read_json
from mcot.core.reviews import ReviewFiles

__all__ = ["ALL", "Agreed", "Precision", "Reviews", "read_reviews"]

#: What stands for every language together.
ALL = "all"

# What `mcot demo` names the annotators that it simulates.
_SIMULATED = "simulated-"


@dataclass(frozen=True, slots=True)
class Precision:
    """The share of good rows among those kept, or those dropped, of a language.

    Attributes:
        share: 0 to 1.
        judged: rows drawn at random that people judged.
        population: rows that they were drawn from.
        basis: whether it is corrected for annotators' error.
    """

    share: Measured
    judged: int
    population: int
    basis: str


@dataclass(frozen=True, slots=True)
class Agreed:
    """How far annotators of a language agree on the verdict.

    Attributes:
        rows: that several of them judged.
        annotators: how many people they are.
        pairs: the share of pairs that agree, 0 to 1.
        alpha: Krippendorff's; None where it is undefined.
    """

    rows: int
    annotators: int
    pairs: Measured
    alpha: Measured | None


@dataclass(frozen=True, slots=True)
class Reviews:
    """What people said of a run, in figures; each mapping is by language, or `all`.

    Attributes:
        kept: how many of the kept rows are good.
        dropped: how many of the dropped ones are.
        agreement: on the verdict.
        annotators: who gave a verdict, how many.
        simulated: whether these are programs that stand in for people, as in the demo.
        judged: rows that have a verdict, however they were drawn, by language.
        disputed: rows on which annotators disagree, and nobody has settled it.
    """

    kept: Mapping[str, Precision]
    dropped: Mapping[str, Precision]
    agreement: Mapping[str, Agreed]
    annotators: int
    simulated: bool
    judged: Mapping[str, int]
    disputed: int


def read_reviews(run: Path) -> Reviews:
    """Read what people said of a run.

    Raises:
        RunError: a file of its review is damaged.
    """
    files = ReviewFiles(run)
    summary, resolved, verdicts = read_json(files.summary), files.read_resolved(), files.read_verdicts()
    names = {str(name) for name in verdicts["annotator"].to_pylist()}
    judged: dict[str, set[str]] = {}
    disputed = set()
    columns = (resolved[name].to_pylist() for name in ("language", "id", "verdict"))
    for language, row_id, verdict in zip(*columns, strict=True):
        if verdict is None:
            disputed.add((language, row_id))
        else:
            judged.setdefault(language, set()).add(row_id)
    estimates = [one for one in summary.get("estimates", []) if one.get("good")]
    return Reviews(
        kept=_precision(estimates, "keep"),
        dropped=_precision(estimates, "drop"),
        agreement=_agreement(summary.get("agreement", [])),
        annotators=len(names),
        simulated=bool(names) and all(name.startswith(_SIMULATED) for name in names),
        judged={language: len(ids) for language, ids in judged.items()},
        disputed=len(disputed),
    )


def _precision(estimates: Sequence[Mapping[str, Any]], stratum: str) -> dict[str, Precision]:
    return {
        one["language"]: Precision(_measured(one["good"]), one["judged"], one["population"], one["basis"])
        for one in estimates
        if one["stratum"] == stratum
    }


def _agreement(lines: Sequence[Mapping[str, Any]]) -> dict[str, Agreed]:
    agreed = {}
    for one in lines:
        pairs = _ends(one, "pairwise")
        if one["question"] == "verdict" and pairs is not None:
            agreed[one["language"]] = Agreed(one["rows"], one["annotators"], pairs, _ends(one, "alpha"))
    return agreed


def _measured(share: Mapping[str, float]) -> Measured:
    return Measured(share["value"], share["low"], share["high"])


def _ends(line: Mapping[str, Any], name: str) -> Measured | None:
    values = [line.get(key) for key in (name, f"{name}_low", f"{name}_high")]
    value, low, high = values
    return None if value is None or low is None or high is None else Measured(value, low, high)
