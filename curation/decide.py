"""Scores and thresholds -> keep, review or drop, with reasons. The only place where rows are decided."""

from collections.abc import Callable, Mapping

import pyarrow as pa

from mcot.core.rows import SCHEMA, SCORES, UNSCORED_REASONS, cast
from mcot.core.runs import sign
from mcot.core.settings import Band

__all__ = ["DecideStage", "decide_row"]

# What a row is accused of where its score is too low and the check observed nothing in particular.
_GENERAL_REASONS = {
    "translation_ended": "translation.unfinished",
    "translation_spans": "translation.spans_lost",
    "language": "language.wrong",
    "numbers": "numbers.changed",
    "back_translation": "back_translation.low",
    "length": "length.unusual",
    "untranslated": "untranslated.copied",
    "mixed": "language.mixed",
    "repetition": "repetition.loop",
    "equations": "equations.altered",
    "answer": "answer.differs",
    "duplicates": "duplicates.near",
    "contamination": "contamination.benchmark",
    "quality_estimation": "quality_estimation.low",
    "judge": "judge.low",
}
# Reasons belong to the check that they are named after, but for these.
_CHECK_OF_REASON = {"language.mixed": "mixed"}


def _check_of(field: str) -> str:
    """The check that a score field belongs to: `language_question` is of `language`."""
    return "translation" if field.startswith("translation_") else field.rpartition("_")[0]


def _part_of(field: str) -> str | None:
    part = field.rpartition("_")[2]
    return part if part in ("question", "rationale") else None


_FIELDS = [(field, _check_of(field), _part_of(field)) for field in SCORES]


def decide_row(
    scores: Mapping[str, float | None],
    observations: list[tuple[str, str]],
    bands: Mapping[str, Band],
) -> tuple[str, list[str], list[str]]:
    """Decide one row.

    Args:
        scores: by field.
        observations: reason and detail ("question: 12 is missing") of all that the checks saw.
        bands: by check.

    Returns:
        The decision, and the reasons with their details: every observation of a score below its band's
        `keep`, or a general reason where there is none.
    """
    decision = "keep"
    reasons: list[str] = []
    details: list[str] = []
    for field, check, part in _FIELDS:
        value = scores.get(field)
        if value is None:
            continue
        band = bands[check]
        if value >= band.keep:
            continue
        if value < band.drop:
            decision = "drop"
        elif decision == "keep":
            decision = "review"
        found = [
            (reason, detail)
            for reason, detail in observations
            if (reason == _GENERAL_REASONS[field] if part is None else _is_of(reason, detail, check, part))
        ]
        if not found:
            where = f"{part}: " if part else ""
            general = _GENERAL_REASONS.get(field) or _GENERAL_REASONS[check]
            found = [(general, f"{where}{value:.3g}, kept from {band.keep:g}")]
        for reason, detail in found:
            if (reason, detail) not in zip(reasons, details, strict=True):
                reasons.append(reason)
                details.append(detail)
    for reason, detail in observations:
        if reason in UNSCORED_REASONS:
            decision = "review" if decision == "keep" else decision
            reasons.append(reason)
            details.append(detail)
    return decision, reasons, details


def _is_of(reason: str, detail: str, check: str, part: str) -> bool:
    """Whether an observation is a check's, of a part of the row."""
    named = _CHECK_OF_REASON.get(reason, reason.partition(".")[0])
    return named == check and detail.startswith(f"{part}:")


class DecideStage:
    """The stage that decides. Rows that a source rejected stay dropped.

    English rows are decided like any other: they have scores of what is looked for in sources alone.
    """

    name = "decide"

    notify: Callable[[str], None] | None = None

    def __init__(self, bands: Mapping[str, Mapping[str, Band]], *, round: int) -> None:
        self._bands, self._round = bands, round
        thresholds = {code: {name: band.model_dump() for name, band in by.items()} for code, by in bands.items()}
        self.signature = sign("decide", 2, thresholds, round)

    def open(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to let go of."""

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Fill `decision`, `reasons` and `details`, which held the checks' observations."""
        columns = {name: table[name].to_pylist() for name in ("language", "decision", "scores", "reasons", "details")}
        decided: list[tuple[str, list[str], list[str]]] = []
        for language, decision, scores, reasons, details in zip(*columns.values(), strict=True):
            if decision is not None:
                decided.append((decision, reasons or [], details or []))
            else:
                observations = list(zip(reasons or [], details or [], strict=True))
                decided.append(decide_row(scores or {}, observations, self._bands[language]))
        for position, name in enumerate(("decision", "reasons", "details")):
            index = SCHEMA.get_field_index(name)
            values = pa.array([row[position] for row in decided], SCHEMA.field(index).type)
            table = table.set_column(index, SCHEMA.field(index), values)
        rounds = pa.array([self._round] * len(table), pa.int32())
        return cast(table.set_column(SCHEMA.get_field_index("round"), "round", rounds))
