"""What the run's own checks say of a translation, at once, so that it can be asked for once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from curation.checks.base import Check
from curation.decide import decide_row
from curation.translation.llm.prompts import Text
from curation.translation.spans import missing, protect
from mcot.core.languages import Language
from mcot.core.rows import SCHEMA, SCORES, row_id
from mcot.core.runs import sign
from mcot.core.settings import DEFAULT_BANDS, DEFAULT_LANGUAGE_BANDS

__all__ = ["COLUMNS", "REPAIRING_CHECKS", "Judge", "Outcome"]

# Those that look at a row alone, without its back-translation, and that a translator can answer for.
REPAIRING_CHECKS = frozenset(
    {"language", "numbers", "length", "untranslated", "mixed", "repetition", "equations", "answer"}
)
# A row's columns by the keys of an answer.
COLUMNS = {"question": "question", "solution": "rationale"}
# The rows' details name at most so many lost spans; a person needs no more to see what went wrong.
_NAMED_SPANS = 3
_SEEN = (
    "language", "source_question", "source_rationale", "question", "rationale", "answer", "back_question",
    "back_rationale",
)  # fmt: skip
_SEEN_SCHEMA = pa.schema([SCHEMA.field(name) for name in _SEEN])
_ORDER = {"keep": 0, "review": 1, "drop": 2}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking for a translation.

    Attributes:
        text: None where there is none.
        fault: why there is none, for people.
        repaired: whether it was asked for once more; None where it was not, else whether the second is taken.
    """

    text: Text | None
    fault: str = ""
    repaired: bool | None = None

    def to_row(self, problem: Mapping[str, Any], language: Language, translator: str) -> dict[str, Any]:
        """The problem's row in the language: with the translator's own scores and observations."""
        texts = self.text or {}
        scores: dict[str, float | None] = dict.fromkeys(SCORES)
        scores["translation_ended"] = float(self.text is not None)
        observations = []
        if self.text is None:
            observations.append(("translation.unfinished", f"no translation: {self.fault}"))
        spans = lost = 0
        for key, text in texts.items():
            part = COLUMNS[key]
            guarded = protect(problem[f"source_{part}"]).spans
            gone = missing(text, guarded)
            spans, lost = spans + len(guarded), lost + len(gone)
            observations += [
                ("translation.spans_lost", f"{part}: {span.text!r} did not survive") for span in gone[:_NAMED_SPANS]
            ]
        if spans:
            scores["translation_spans"] = 1 - lost / spans
        return {
            **problem,
            "id": row_id(str(problem["problem_id"]), language.code),
            "language": language.code,
            **{column: texts.get(key) for key, column in COLUMNS.items()},
            "translator": translator,
            "scores": scores,
            "reasons": [reason for reason, _ in observations],
            "details": [detail for _, detail in observations],
        }


class Judge:
    """Decides as a run of the built-in thresholds would.

    The thresholds of the settings change nothing here: a run in which they change translates nothing again.

    Args:
        checks: of the run; those that can't help are left out.

    Attributes:
        signature: of all that a judgement depends on.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = [check for check in checks if check.name in REPAIRING_CHECKS]
        used = sorted({"translation", *(check.name for check in self._checks)})
        bands = {name: DEFAULT_BANDS[name].model_dump() for name in used}
        own = {
            code: {name: band.model_dump() for name, band in by.items() if name in used}
            for code, by in DEFAULT_LANGUAGE_BANDS.items()
        }
        self.signature = sign("judge", 2, {check.name: check.signature for check in self._checks}, bands, own)

    def open(self) -> None:
        """Open the checks."""
        for check in self._checks:
            check.open()

    def judge(self, row: Mapping[str, Any], language: Language) -> tuple[tuple[int, int], list[str]]:
        """How bad a row is (0, 0 for one that is kept), and what is wrong with it, by reason and detail."""
        # Of the columns that checks look at: a whole row takes longer to make than most checks to run.
        table = pa.Table.from_pydict({name: [row.get(name)] for name in _SEEN}, schema=_SEEN_SCHEMA)
        scores = dict(row["scores"])
        observations = list(zip(row["reasons"], row["details"], strict=True))
        for check in self._checks:
            scored = check.score(table)
            scores.update({name: values[0] for name, values in scored.scores.items()})
            observations += [(reason, f"{part}: {detail}") for reason, part, detail in scored.observations[0]]
        bands = {**DEFAULT_BANDS, **DEFAULT_LANGUAGE_BANDS.get(language.code, {})}
        decision, reasons, details = decide_row(scores, observations, bands)
        faults = [f"{reason}: {detail}" for reason, detail in zip(reasons, details, strict=True)]
        return (_ORDER[decision], len(faults)), faults
