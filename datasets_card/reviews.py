"""What a run's review says of its rows: how many of them are good, and how far annotators agree, with intervals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from datasets_card.figures import Measured
from mcot.core.errors import RunError
from mcot.core.files import read_json
from mcot.core.reviews import ReviewFiles

__all__ = ["ALL", "Agreed", "Precision", "Reviews", "read_reviews"]

#: What stands for every language together.
ALL = "all"

# What `mcot demo` names the annotators that it simulates.
_SIMULATED = "simulated-"
# How a basis ends of rows that were not drawn from those that the thresholds keep now.
_EARLIER = "drawn under earlier thresholds"


@dataclass(frozen=True, slots=True)
class Precision:
    """The share of good rows among those kept, or those dropped, of a language.

    Attributes:
        share: 0 to 1.
        judged: rows drawn at random that people judged.
        accepted: of these, as they stood.
        population: rows that they stand for.
        basis: in words, whether it is corrected for annotators' error, and whether the rows were drawn from those that
            the run's thresholds keep or under earlier thresholds.
        as_judged: the share without any correction, 0 to 1; None where `share` is it.
    """

    share: Measured
    judged: int
    accepted: int
    population: int
    basis: str
    as_judged: float | None = None


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
        simulated: how many of them are programs that stand in for people, as in the demo.
        judged: rows that have a verdict, however they were drawn, by language.
        disputed: rows on which annotators disagree, and nobody has settled it.
    """

    kept: Mapping[str, Precision]
    dropped: Mapping[str, Precision]
    agreement: Mapping[str, Agreed]
    annotators: int
    simulated: int
    judged: Mapping[str, int]
    disputed: int

    @property
    def flatters(self) -> bool:
        """Whether the thresholds were changed after the rows had been drawn that say how many are good."""
        return any(one.basis.endswith(_EARLIER) for one in self.kept.values())

    @property
    def judges(self) -> str:
        """Who judged, in words."""
        people = self.annotators - self.simulated
        if not self.simulated:
            return "people who read the language"
        if not people:
            return "simulated annotators"
        programs = "simulated annotators" if self.simulated > 1 else "simulated annotator"
        return f"{self.simulated:,} {programs} and {people:,} {'people' if people > 1 else 'person'}"


def read_reviews(run: Path, languages: Collection[str]) -> Reviews:
    """Read what people said of a run's rows of some languages.

    Args:
        run: its folder.
        languages: that are published. What was found over all languages is left out where some others were judged.

    Raises:
        RunError: a file of its review is damaged, or what it came to was counted before the rows were decided anew.
    """
    files = ReviewFiles(run)
    summary = _read_summary(run, files.summary)
    resolved, verdicts = (_only(table, languages) for table in (files.read_resolved(), files.read_verdicts()))
    names = {str(name) for name in verdicts["annotator"].to_pylist()}
    judged: dict[str, set[str]] = {}
    disputed = set()
    columns = (resolved[name].to_pylist() for name in ("language", "id", "verdict"))
    for language, row_id, verdict in zip(*columns, strict=True):
        if verdict is None:
            disputed.add((language, row_id))
        else:
            judged.setdefault(language, set()).add(row_id)
    estimates = [one for one in _told(summary.get("estimates", []), languages) if one.get("good")]
    return Reviews(
        kept=_precision(estimates, "keep"),
        dropped=_precision(estimates, "drop"),
        agreement=_agreement(_told(summary.get("agreement", []), languages)),
        annotators=len(names),
        simulated=sum(name.startswith(_SIMULATED) for name in names),
        judged={language: len(ids) for language, ids in judged.items()},
        disputed=len(disputed),
    )


def _read_summary(run: Path, path: Path) -> dict[str, Any]:
    summary = read_json(path)
    stands = read_json(run / "decide" / "stage.json").get("signature")
    if summary and summary.get("decided") != stands:
        raise RunError(
            f"run folder {run}: its rows were decided anew since {path.name} was written, so the card would tell of "
            f"other rows; run `mcot curate {run / 'settings.yaml'}` again"
        )
    return summary


def _only(table: pa.Table, languages: Collection[str]) -> pa.Table:
    return table.filter(pc.is_in(table["language"], pa.array(sorted(languages), pa.string())))


def _told(lines: Sequence[Mapping[str, Any]], languages: Collection[str]) -> list[Mapping[str, Any]]:
    others = any(one["language"] not in languages for one in lines if one["language"] != ALL)
    return [one for one in lines if one["language"] in languages or (one["language"] == ALL and not others)]


def _precision(estimates: Sequence[Mapping[str, Any]], stratum: str) -> dict[str, Precision]:
    return {
        one["language"]: Precision(
            _measured(one["good"]),
            one["judged"],
            one["accepted"],
            one["population"],
            one["basis"],
            # Without an error that is known it is the same.
            one["judged_good"]["value"] if one["error"] is not None else None,
        )
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
