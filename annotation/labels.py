"""The judged rows of a queue: what people say of each, how many said it, and how many rows it stands for."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "ALL",
    "GOOD",
    "Cell",
    "Judged",
    "Labels",
    "annotator_verdicts",
    "count_earlier",
    "current_draws",
    "read_labels",
]

#: Stands for a language where all are taken together.
ALL = "all"
#: Verdicts on a row that is good as it was shown. One to fix is not: it may not go out as it is.
GOOD = ("accept",)

# What a verdict is about: a row's language and id, and the signatures of the texts that were shown.
Key = tuple[str, str, str | None, str | None]
_KEY = ("language", "id", "source_signature", "translation_signature")
# Where a verdict was asked for.
_PLACE = ["language", "id", "review_round"]


@dataclass(frozen=True, slots=True)
class Judged:
    """A row that at least one annotator judged.

    Attributes:
        language: ISO 639-1.
        id: within the language.
        stratum: the decision that it was drawn from.
        verdict: as resolved, else what most said; None where that is open.
        good: whether the row is good as it was shown; None where annotators disagree on that and nobody settled it.
        annotators: how many judged it, adjudication aside.
        disagreement: the share of their pairs that disagree on whether it is good; None with fewer than two.
        scores: by field, as it was shown.
        reasons: that it was decided for, as it was shown.
    """

    language: str
    id: str
    stratum: str
    verdict: str | None
    good: bool | None
    annotators: int
    disagreement: float | None
    scores: Mapping[str, float | None]
    reasons: Sequence[str]


@dataclass(slots=True)
class Cell:
    """A language's rows of a stratum.

    Attributes:
        population: how many there were to draw from.
        queued: how many were drawn.
        judged: how many of these somebody judged.
    """

    population: int = 0
    queued: int = 0
    judged: int = 0


@dataclass(frozen=True, slots=True)
class Labels:
    """What a queue and its verdicts say.

    Attributes:
        rows: those judged.
        cells: by language and stratum, of all that were queued.
    """

    rows: list[Judged]
    cells: dict[tuple[str, str], Cell]

    def weight(self, row: Judged) -> float:
        """How many rows of the population a judged row stands for."""
        cell = self.cells[row.language, row.stratum]
        return cell.population / cell.judged


def annotator_verdicts(verdicts: pa.Table) -> dict[Key, dict[str, dict[str, Any]]]:
    """For each row as it was shown the last verdict of each annotator; those that adjudicate are left out."""
    columns = [*_KEY, "annotator", "adjudication", "submitted_at", "verdict", "error_types"]
    lines = verdicts.select(columns).to_pylist()
    corrected = pc.or_(pc.is_valid(verdicts["question"]), pc.is_valid(verdicts["rationale"])).to_pylist()
    said: dict[Key, dict[str, dict[str, Any]]] = defaultdict(dict)
    for line, changed in zip(lines, corrected, strict=True):
        if line["adjudication"] or line["verdict"] is None:
            continue
        before = said[_key(line)].get(line["annotator"])
        if before is None or _time(before) <= _time(line):
            # A `fix` that changed nothing says that nothing is to be changed.
            verdict = "accept" if line["verdict"] == "fix" and not changed else line["verdict"]
            said[_key(line)][line["annotator"]] = {**line, "verdict": verdict, "corrected": changed}
    return {key: by for key, by in said.items() if by}


def current_draws(queue: pa.Table, decided: str) -> pa.Table:
    """The rows of a queue that were drawn from given decisions, whatever round drew them.

    What people say of them tells of the rows as they are decided now. Draws from other decisions are of other strata:
    put together they would be no random sample of either.

    Args:
        queue: of `QUEUE_SCHEMA`.
        decided: the signature of the decisions (`mcot.core.reviews.read_decided`).
    """
    return queue.filter(pc.equal(queue["decided"], pa.scalar(decided)))


def count_earlier(queue: pa.Table, verdicts: pa.Table, decided: str) -> int:
    """How many verdicts were given on rows that were drawn from other decisions.

    Args:
        queue: of `QUEUE_SCHEMA`, all of it.
        verdicts: of `VERDICT_SCHEMA`.
        decided: the signature of the decisions that stand.
    """
    current = set(map(_place, current_draws(queue, decided).select(_PLACE).to_pylist()))
    return sum(_place(line) not in current for line in verdicts.select(_PLACE).to_pylist())


def read_labels(queue: pa.Table, verdicts: pa.Table, resolved: pa.Table) -> Labels:
    """Join a queue with what people say.

    A verdict counts for the row that it was given on: after either text changed it does not. The population of a
    stratum is what the first draw from it found; rows that later rounds drew from the rest join the sample, which
    stays a random one as the decisions are the same. A row that was shown again with a person's correction is no
    part of it: the checks decided another text.

    Args:
        queue: of `QUEUE_SCHEMA`, drawn from one and the same decisions (`current_draws`).
        verdicts: of `VERDICT_SCHEMA`.
        resolved: of `RESOLVED_SCHEMA`.
    """
    said = annotator_verdicts(verdicts)
    settled = {_key(line): line["verdict"] for line in resolved.select([*_KEY, "verdict"]).to_pylist()}
    rows: dict[Key, Judged] = {}
    queued: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    seen: set[Key] = set()
    lines = queue.select([*_KEY, "review_round", "stratum", "probability"]).to_pylist()
    scores, reasons = (pc.struct_field(queue["row"], name).to_pylist() for name in ("scores", "reasons"))
    corrected = pc.is_valid(pc.struct_field(queue["row"], ["review", "verdict"])).to_pylist()
    for line, by_field, accused, is_corrected in zip(lines, scores, reasons, corrected, strict=True):
        key, number = _key(line), line["review_round"] or 0
        if not line["probability"] or key in seen or is_corrected:
            continue
        seen.add(key)
        queued[line["language"], line["stratum"]][number].append(line["probability"])
        if key in said:
            given = [one["verdict"] for one in said[key].values()]
            verdict, votes = settled.get(key) or _majority(given), [one in GOOD for one in given]
            rows[key] = Judged(
                line["language"], line["id"], line["stratum"], verdict, _settle(verdict, votes), len(votes),
                _disagreement(votes), by_field or {}, accused or [],
            )  # fmt: skip
    cells = {cell: Cell(_population(rounds), sum(map(len, rounds.values()))) for cell, rounds in queued.items()}
    for row in rows.values():
        cells[row.language, row.stratum].judged += 1
    return Labels(list(rows.values()), cells)


def _place(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(line[name] for name in _PLACE)


def _key(line: Mapping[str, Any]) -> Key:
    return line["language"], line["id"], line["source_signature"], line["translation_signature"]


def _time(line: Mapping[str, Any]) -> float:
    return line["submitted_at"].timestamp() if line["submitted_at"] is not None else 0.0


def _majority(given: Sequence[str]) -> str | None:
    """What more than half said, for rows that still wait for more annotators."""
    verdict, times = Counter(given).most_common(1)[0]
    return verdict if 2 * times > len(given) else None


def _settle(verdict: str | None, votes: Sequence[bool]) -> bool | None:
    """Whether a row is good: by its verdict, else by majority, as to fix and to reject differ but both say no."""
    if verdict is not None:
        return verdict in GOOD
    doubled = 2 * sum(votes)
    return None if doubled == len(votes) else doubled > len(votes)


def _disagreement(votes: Sequence[bool]) -> float | None:
    pairs = [one != other for one, other in combinations(votes, 2)]
    return sum(pairs) / len(pairs) if pairs else None


def _population(rounds: Mapping[int, Sequence[float]]) -> int:
    """How many rows a stratum had: those that a round drew by their probability, and those drawn before it."""
    largest = before = 0
    for number in sorted(rounds):
        largest = max(largest, before + round(sum(1 / probability for probability in rounds[number])))
        before += len(rounds[number])
    return largest
