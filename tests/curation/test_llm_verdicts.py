"""What becomes of a row that has no back-translation or an empty answer, and what a judge's verdict depends on."""

from pathlib import Path
from typing import Any

import pytest

from curation.decide import decide_row
from curation.stages import make_checks
from curation.translation.choice import choose, gate
from curation.translation.llm.answers import read_answer
from curation.translation.llm.judge import Judge
from mcot.core.chat_store import Reply
from mcot.core.languages import TARGETS
from mcot.core.settings import DEFAULT_BANDS, Band
from tests.curation import llm_server
from tests.curation.llm_runs import CURATION, Run, english, settings

GOOD = {"translation_ended": 1.0, "numbers_question": 1.0, "length_question": 1.0}
BAND = DEFAULT_BANDS["back_translation"]
LOW = (BAND.drop + BAND.keep) / 2
MISSING = ("back_translation.missing", "no back-translation: refused; asked twice")


def row(text: str, back: float | None, *observations: tuple[str, str]) -> dict[str, Any]:
    return {
        "decision": None, "question": text, "rationale": None, "scores": {**GOOD, "back_translation_question": back},
        "reasons": [reason for reason, _ in observations], "details": [detail for _, detail in observations],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "decision"),
    [(GOOD, "review"), ({**GOOD, "numbers_question": 0.0}, "drop"), ({"translation_ended": 0.0}, "drop")],
)
def test_a_missing_back_translation_is_never_kept(scores: dict[str, float], decision: str) -> None:
    found, reasons, details = decide_row(scores, [MISSING], DEFAULT_BANDS)
    assert (found, reasons[-1], details[-1]) == (decision, *MISSING)


def test_without_a_back_translation_that_was_asked_for_nothing_is_missing() -> None:
    assert decide_row(GOOD, [], DEFAULT_BANDS) == ("keep", [], [])


@pytest.mark.parametrize(
    ("rows", "place", "decision"),
    [
        # One that nobody compared does not win over one that is known to be good, wherever it stands.
        ([row("a", None, MISSING), row("b", BAND.keep)], 1, "keep"),
        ([row("b", BAND.keep), row("a", None, MISSING)], 0, "keep"),
        # Nor does it pass where the other is known to be worse.
        ([row("b", LOW), row("a", None, MISSING)], 0, "review"),
        ([row("a", None, MISSING), row("b", BAND.drop - 1)], 0, "review"),
        ([row("a", None, MISSING), row("b", None, MISSING)], 0, "review"),
    ],
)
def test_choosing(rows: list[dict[str, Any]], place: int, decision: str) -> None:
    assert choose(rows, DEFAULT_BANDS).place == place
    assert gate(rows[place], DEFAULT_BANDS) == decision


def test_a_judge_depends_on_the_thresholds_of_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Judge(make_checks(CURATION)).signature
    monkeypatch.setattr(
        "curation.translation.llm.judge.DEFAULT_LANGUAGE_BANDS", {TARGETS[0].code: {"length": Band(keep=0.9, drop=0.1)}}
    )
    assert Judge(make_checks(CURATION)).signature != before


def test_an_answer_behind_many_braces_is_read() -> None:
    answer = '{"question": "Je, ni ngapi?"}'
    assert read_answer(Reply(r"$\frac{1}{2}$ " * 300 + answer), {"question": "How many?"}) == {
        "question": "Je, ni ngapi?"
    }


def test_an_empty_answer_is_not_shown_as_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Some servers refuse a message without a text.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    behave = llm_server._behave
    empty = {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}
    monkeypatch.setattr(
        llm_server, "_behave", lambda does, *given: (200, [], empty) if does == "empty" else behave(does, *given)
    )
    server = llm_server.LlmServer()
    try:
        server.plan[english(0), "sw"] = ["empty"]
        (row,) = Run(tmp_path, [[0]]).translate(settings(server.url))
    finally:
        server.close()
    assert row["question"]
    assert server.asked[1]["repair"]
    assert server.asked[1]["body"]["messages"][-2] == {"role": "assistant", "content": "(nothing)"}
