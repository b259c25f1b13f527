"""What each check measured and from where on a row was kept, as the run's own thresholds say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcot.core.languages import LANGUAGES

__all__ = ["CHECKS", "Threshold", "list_thresholds"]

#: Title and measure of every check that a run's settings may have.
CHECKS: Mapping[str, tuple[str, str]] = {
    "translation": ("Translator", "share of sentences that the model ended by itself; of formulas that survived"),
    "language": ("Language", "probability of the right language among the eleven (fastText)"),
    "numbers": ("Numbers", "share of the English text's numbers that are there, as values, in any script or in words"),
    "back_translation": ("Back-translation", "chrF++ of the translation, translated back, against the English (0–100)"),
    "length": ("Length", "length against the one expected for the language, the smaller over the larger"),
    "untranslated": ("Untranslated", "share of the words that are not simply the English ones"),
    "mixed": ("One language", "share of the text that is in its language, piece by piece"),
    "repetition": ("Repetition", "share of the text that is no loop"),
    "equations": ("Equations", "share of the source's equations that are there, in order and unaltered"),
    "answer": ("Answer", "1 if the solution ends in the gold answer"),
    "duplicates": ("Duplicates", "unlikeness to every earlier row"),
    "contamination": ("Contamination", "unlikeness to every problem of the benchmarks"),
    "quality_estimation": ("Quality estimation", "a COMET model's estimate from source and translation alone"),
    "judge": ("Judge", "an LLM's list of errors: 1 less their MQM weights, over 25"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Threshold:
    """A check's line in a card.

    Attributes:
        title, measure: in words.
        keep, drop: from where on a row was kept, and below which it was dropped, in most languages.
        others: the languages with another band: code, keep, drop.
    """

    title: str
    measure: str
    keep: float
    drop: float
    others: tuple[tuple[str, float, float], ...]


def list_thresholds(report: Mapping[str, Any], languages: Sequence[str]) -> list[Threshold]:
    """The checks that scored a row of the run, each with its bands.

    Args:
        report: the run's.
        languages: that are told of, by code.
    """
    bands = {code: of for code, of in (report.get("bands") or {}).items() if code in languages}
    ran = {score["check"] for score in report.get("scores") or []}
    thresholds = []
    for check, (title, measure) in CHECKS.items():
        of = {code: (bands[code][check]["keep"], bands[code][check]["drop"]) for code in bands if check in bands[code]}
        if check in ran and of:
            # The first one seen wins a tie.
            usual = Counter(of.values()).most_common(1)[0][0]
            others = tuple((LANGUAGES[code].name, *band) for code, band in of.items() if band != usual)
            thresholds.append(Threshold(title, measure, *usual, others))
    return thresholds
