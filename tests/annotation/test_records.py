"""What annotators are shown of a row, and what their corrections come to."""

import re
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.findings import Fault, describe_findings, find_faults, mark_text
from annotation.records import FIELDS, corrected_text, make_record, record_id, shown_text
from mcot.core.reasons import MEANINGS
from mcot.core.rows import SCHEMA

# Argilla's page runs a text as HTML in which it finds this (TextField of its frontend, 2.8.0).
RUN_AS_HTML = re.compile(r"<([A-Za-z][A-Za-z0-9]*)\b[^>]*>(.*?)</\1>")
OUR_TAGS = re.compile(r'</?(mark|span|div)(?: (?:lang="[\w-]*" dir="auto"|style="[^"<>]*"))? ?>')


def queued(**shown: Any) -> dict[str, Any]:
    texts = {"source_question": "Ali has 12 apples.", "question": "Ali ana tufaha 21.", "language": "sw", "id": "a-sw"}
    row = dict.fromkeys(SCHEMA.names) | texts | shown
    signatures = {"source_signature": "s", "translation_signature": "t"}
    return {"language": row["language"], "id": row["id"], "review_round": 1, **signatures, "row": row}


@pytest.mark.parametrize(
    ("reason", "detail", "line", "faults"),
    [
        ("numbers.changed", "question: 12 -> 21", "Question: a number was changed: 12 → 21",
         [("question", "source", "12"), ("question", "translation", "21")]),
        ("numbers.missing", "rationale: 3 is missing", "Solution: a number is missing: 3 is missing",
         [("rationale", "source", "3")]),
        ("numbers.added", "question: ৫ is not in the source",
         "Question: a number is not in the English text: ৫ is not in the source", [("question", "translation", "৫")]),
        ("equations.altered", "rationale: 3 + 4 = 7 became 3 + 4 = 8",
         "Solution: an equation was changed, or steps changed places: 3 + 4 = 7 became 3 + 4 = 8",
         [("rationale", "source", "3 + 4 = 7"), ("rationale", "translation", "3 + 4 = 8")]),
        ("language.mixed", 'question: English: "and then she …"',
         'Question: a part is in another language: English: "and then she …"',
         [("question", "source", "and then she"), ("question", "translation", "and then she")]),
        ("length.short", 'rationale: lacks the full stop at its end: "…ana tufaha"',
         'Solution: it is too short or breaks off: lacks the full stop at its end: "…ana tufaha"',
         [("rationale", "source", "ana tufaha"), ("rationale", "translation", "ana tufaha")]),
        ("back_translation.low", "question: 31.2, kept from 45",
         "Question: translated back to English, it says something else", []),
        ("answer.differs", "rationale: 8, gold is 9", "Solution: the final answer is not the right one: 8, gold is 9",
         [("rationale", "translation", "8")]),
        ("contamination.mgsm", "question: is in mgsm", "Question: the problem is in a benchmark: is in mgsm", []),
        ("new.reason", "anything", "New.reason: anything", []),
        ("row.broken", "", "Row.broken", []),
    ],
)  # fmt: skip
def test_findings(reason: str, detail: str, line: str, faults: list[tuple[Any, Any, str]]) -> None:
    assert describe_findings([reason], [detail]) == [line]
    assert find_faults([reason], [detail]) == [Fault(*fault) for fault in faults]


def test_no_findings() -> None:
    assert describe_findings(None, None) == []
    assert find_faults(None, None) == []


def test_every_reason_that_annotators_see_has_words() -> None:
    reasons = [name for name in MEANINGS if not name.startswith(("row.", "source."))]
    assert len(reasons) > 15
    assert [name for name in reasons if name in describe_findings([name], [""])[0].lower()] == []


@pytest.mark.parametrize(
    ("text", "pieces", "marked"),
    [
        ("12 and 120, 3.12, 12.5, 12", ["12"], "[12] and 120, 3.12, 12.5, [12]"),
        ("12.", ["12"], "[12]."),
        ("many an apple", ["an"], "many [an] apple"),
        ("a < b & c", ["< b"], "a [&lt; b] &amp; c"),
        ("3  +\n4", ["3 + 4"], "[3  +\n4]"),
        ("১২টি আপেল", ["১২"], "[১২]টি আপেল"),
        ("ลูกมี5ผล", ["5"], "ลูกมี[5]ผล"),
        ("abc", ["x", "", " "], "abc"),
        ("5 and 5 and 6", ["5 and 5", "5", "6"], "[5 and 5] and [6]"),
    ],
)
def test_marks(text: str, pieces: list[str], marked: str) -> None:
    assert mark_text(text, pieces, before="[", after="]") == marked


EVIL = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<b>bold</b>",
    "[x](javascript:alert(1))",
    '" onmouseover="alert(1)',
    "</span><svg/onload=alert(1)></div>",
    "&lt;b&gt;",
    "a\0b\ud800c\x1bd\x7f",
)


@given(st.lists(st.sampled_from(EVIL) | st.text(max_size=8), min_size=5, max_size=5).map(tuple), st.booleans())
def test_text_is_never_html(texts: tuple[str, ...], named: bool) -> None:
    names = ("source_question", "question", "source_rationale", "rationale", "back_question")
    detail = f'question: English: "{texts[1]}"' if named else f"rationale: {texts[2]} is missing"
    row = queued(**dict(zip(names, texts, strict=True)), reasons=["language.mixed"], details=[detail])
    said = {"verdict": "fix", "error_types": ["grammar"], "question": texts[0], "rationale": None, "submitted_at": 0}
    record = make_record(row, [{**said, "comment": texts[3]}])
    assert set(record["fields"]) <= set(FIELDS)
    for html in record["fields"].values():
        assert not RUN_AS_HTML.search(html)
        plain = OUR_TAGS.sub("", html)
        assert "<" not in plain
        assert ">" not in plain
        assert '"' not in plain
    plain = unescape(OUR_TAGS.sub("", record["fields"].get("question", "")))
    # Beside each other, lines come in turn; all of both texts is there.
    assert sorted(plain.replace("\n", "")) == sorted((shown_text(texts[0]) + shown_text(texts[1])).replace("\n", ""))
    for part in ("question", "rationale"):
        assert record["suggestions"].get(f"corrected_{part}", "") == shown_text(row["row"][part])


def test_a_record() -> None:
    row = queued(reasons=["numbers.changed"], details=["question: 12 -> 21"], rationale="12 - 3 = 9")
    record = make_record(row)
    assert record["external_id"] == record_id(row)
    assert list(record["fields"]) == ["findings", "question", "rationale"]
    assert '<span lang="en" dir="auto">Ali has <mark>12</mark > apples.</span >' in record["fields"]["question"]
    assert '<span lang="sw" dir="auto">Ali ana tufaha <mark>21</mark >.</span >' in record["fields"]["question"]
    assert record["suggestions"] == {"corrected_question": "Ali ana tufaha 21.", "corrected_rationale": "12 - 3 = 9"}


def test_nothing_tells_why_a_row_was_drawn() -> None:
    row = queued(decision="drop", reasons=[], details=[]) | {"stratum": "drop", "probability": 0.1, "priority": 1.0}
    assert make_record(row) == make_record(row | {"stratum": "keep", "probability": 0.9})
    assert "drop" not in str(make_record(row))


def test_solutions_stand_line_by_line() -> None:
    even = queued(source_rationale="a\nb", rationale="c\nd")
    cells = re.findall(r">([a-d\n]+)</span >", make_record(even)["fields"]["rationale"])
    assert cells == ["a", "c", "b", "d"]
    uneven = queued(source_rationale="a\nb", rationale="c")
    assert re.findall(r">([a-d\n]+)</span >", make_record(uneven)["fields"]["rationale"]) == ["a\nb", "c"]


def test_browsers_are_told_the_script() -> None:
    for language, tag in (("zh", "zh-Hans"), ("ja", "ja"), ("bn", "bn")):
        assert f'lang="{tag}"' in make_record(queued(language=language))["fields"]["question"]


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"stratum": "keep", "priority": 2.0}, True),
        ({"id": "b-sw"}, False),
        ({"language": "bn"}, False),
        ({"review_round": 2}, False),
        ({"translation_signature": "u"}, False),
        ({"source_signature": "u"}, False),
    ],
)
def test_ids(change: dict[str, Any], same: bool) -> None:
    assert (record_id(queued()) == record_id(queued() | change)) == same


@pytest.mark.parametrize(
    ("answer", "shown", "expected"),
    [
        (None, "a", None),
        ("", "a", None),
        ("a", "a", None),
        ("a \n", " a", None),
        ("a\nb", "a\r\nb", None),
        ("a\xa0b", "a b", None),
        ("a\xa0c", "a b", "a c"),
        ("a\xa0c", "a\xa0b", "a\xa0c"),
        ("\ufffdx", "\0x", None),
        ("b", None, "b"),
        (" b\r\nc ", "a", "b\nc"),
    ],
)
def test_corrections(answer: str | None, shown: str | None, expected: str | None) -> None:
    assert corrected_text(answer, shown) == expected


def test_what_others_said_names_nobody() -> None:
    row = queued()
    said = {"error_types": ["wrong_number"], "rationale": None, "annotator": "amina", "comment": "two numbers"}
    verdicts = [
        {**said, "verdict": "fix", "question": "Ali ana tufaha 12.", "submitted_at": "2"},
        {**said, "verdict": "reject", "question": None, "submitted_at": "1", "error_types": [], "comment": None},
    ]
    assert make_record(row, verdicts)["fields"]["verdicts"] == (
        "• Annotator 1: reject\n• Annotator 2: fix (wrong number)\n  corrected question: Ali ana tufaha 12.\n"
        "  comment: two numbers"
    )
