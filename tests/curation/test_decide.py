"""Decisions from scores and bands."""

import pytest

from curation.decide import decide_row
from mcot.core.settings import Band

BANDS = {
    name: Band(keep=0.8, drop=0.4)
    for name in ("translation", "language", "numbers", "back_translation", "length", "untranslated")
}

SAW = [("numbers.changed", "question: 12 -> 21"), ("language.wrong", "rationale: looks like English (0.97)")]


@pytest.mark.parametrize(
    ("scores", "decision", "reasons"),
    [
        ({}, "keep", []),
        ({"numbers_question": 0.8, "language_question": 1.0}, "keep", []),
        ({"numbers_question": 0.79}, "review", ["numbers.changed"]),
        ({"numbers_question": 0.39}, "drop", ["numbers.changed"]),
        # What was seen in the question is no reason for a low score of the rationale.
        ({"numbers_rationale": 0.5}, "review", ["numbers.changed"]),
        ({"language_question": 0.5, "numbers_question": 0.1}, "drop", ["language.wrong", "numbers.changed"]),
        ({"translation_ended": 0.5}, "review", ["translation.unfinished"]),
        ({"translation_spans": 0.0}, "drop", ["translation.spans_lost"]),
        ({"back_translation_question": 0.3}, "drop", ["back_translation.low"]),
        ({"length_question": None, "numbers_question": None}, "keep", []),
    ],
)
def test_decide_row(scores: dict[str, float | None], decision: str, reasons: list[str]) -> None:
    got, got_reasons, details = decide_row(scores, SAW, BANDS)
    assert (got, got_reasons) == (decision, reasons)
    assert len(details) == len(reasons)


def test_details() -> None:
    assert decide_row({"numbers_question": 0.5}, SAW, BANDS)[2] == ["question: 12 -> 21"]
    assert decide_row({"numbers_rationale": 0.5}, SAW, BANDS)[2] == ["rationale: 0.5, kept from 0.8"]


def test_the_translators_two_scores_have_a_reason_each() -> None:
    saw = [("translation.unfinished", "question: 1 of 2"), ("translation.spans_lost", "question: '$5' did not survive")]
    assert decide_row({"translation_ended": 0.5, "translation_spans": 0.9}, saw, BANDS)[1] == ["translation.unfinished"]


def test_every_observation_of_a_low_score_is_a_reason_once() -> None:
    saw = [("numbers.missing", "question: 3 is missing"), ("numbers.added", "question: 4 is not in the source")] * 2
    assert decide_row({"numbers_question": 0.5}, saw, BANDS)[1] == ["numbers.missing", "numbers.added"]
