"""What is read out of a judge's answers, and what it comes to."""

import json

import pytest

from curation.checks.base import Observation
from curation.checks.judge_answers import JudgedError, UnreadableError, observe, read_errors, score_errors
from mcot.core.chat_store import Reply
from tests.curation.judge_server import GOOD, error, judgement

PARTS = ("question", "solution")


@pytest.mark.parametrize(
    ("errors", "question", "rationale"),
    [
        ([], 1.0, 1.0),
        ([error()], 0.96, 1.0),
        ([error(category="punctuation")], 0.996, 1.0),
        ([error(severity="major", category="punctuation")], 0.8, 1.0),
        ([error(severity="major", category="number", part="solution")], 1.0, 0.8),
        ([error(severity="major", category="step", part="solution")] * 4 + [error()], 0.96, 0.2),
        ([error(severity="major")] * 7, 0.0, 1.0),
        ([error(category="non-translation")], 0.0, 1.0),
    ],
)
def test_score(errors: list[dict[str, str]], question: float, rationale: float) -> None:
    found = read_errors(Reply(judgement(*errors)), PARTS)
    assert (score_errors(found, "question"), score_errors(found, "rationale")) == pytest.approx((question, rationale))


NOT_KEPT = judgement(meaning_kept=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (judgement(error()), 1),
        (f"```json\n{judgement(error(), error())}\n```", 2),
        (f"<think>{{no}}</think>Here it is: {judgement()}.", 0),
        (judgement(error(category="grammar"), fluent=False), 1),
        (judgement(error(category="number", severity="major"), meaning_kept=False), 1),
        ("", "it is empty"),
        (None, "it is empty"),
        ("The translation is good.", "it holds no JSON object"),
        (judgement()[:-9], "it holds no JSON object"),
        ("[1]", "it holds no JSON object"),
        # Whichever of the two counted, the other one would be lost.
        (judgement(error(severity="major"))[:-1] + ', "errors": []}', '"errors" is said twice'),
        (judgement()[:-1] + ', "fluent": false}', '"fluent" is said twice'),
        (
            judgement(error()).replace('"severity": "minor"', '"severity": "major", "severity": "minor"'),
            '"severity" is s',
        ),
        (json.dumps({**GOOD, "errors": None}), '"errors" is no list'),
        (json.dumps({**GOOD, "errors": ["bad"]}), "an error is no JSON object"),
        (judgement(error(part="title")), 'part" is none of question, solution'),
        (judgement(error(category="tone")), '"category" is none of mistranslation, '),
        (judgement(error(severity="critical")), '"severity" is none of major, minor'),
        (judgement(fluent="yes"), '"fluent" is neither true nor false'),
        (json.dumps({"errors": []}), '"meaning_kept" is neither true nor false'),
        (NOT_KEPT, '"meaning_kept" is false, but no major error of meaning is marked'),
        (judgement(error(category="number"), meaning_kept=False), "no major error of meaning is marked"),
        (judgement(error(category="number", severity="major"), fluent=False), "no error of fluency is marked"),
    ],
)
def test_reading(text: str | None, expected: int | str) -> None:
    if isinstance(expected, int):
        assert len(read_errors(Reply(text, "stop"), PARTS)) == expected
    else:
        with pytest.raises(UnreadableError) as caught:
            read_errors(Reply(text, "stop"), PARTS)
        assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(judgement(), "length"), "cut off"),
        (Reply(judgement(), "content_filter"), "refuses"),
        (Reply(None, "stop", refusal="I can't."), "refuses"),
    ],
)
def test_what_is_no_whole_answer_is_unreadable(reply: Reply, expected: str) -> None:
    with pytest.raises(UnreadableError, match=expected):
        read_errors(reply, PARTS)


def test_what_it_says_is_made_short_and_plain() -> None:
    shown = observe(
        [
            JudgedError("question", "grammar", "minor", "ana", ""),
            *read_errors(
                Reply(
                    judgement(error(text='a\n"b" ' + "c" * 300, explanation="", category="number", severity="major"))
                ),
                PARTS,
            ),
        ]
    )
    assert [(one.reason, one.part) for one in shown] == [("judge.meaning", "question"), ("judge.fluency", "question")]
    assert shown[0].detail == f"major error, number: \"a 'b' {'c' * 113}…\""
    assert shown[1] == Observation("judge.fluency", "question", 'minor error, grammar: "ana"')
