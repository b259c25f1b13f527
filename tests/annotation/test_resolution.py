"""What comes of what annotators say: majorities, corrections, adjudicators, rounds."""

from typing import Any

import pytest

from annotation.resolution import disputed, resolve, same_text
from mcot.core.reviews import RESOLVED_SCHEMA, sign_translation
from tests.annotation.verdict_tables import BETTER, GOOD, SHOWN, queue_of, queued, said, table_of


@pytest.mark.parametrize(
    ("needed", "verdicts", "expected"),
    [
        # As many as needed, or nothing.
        (2, [said("amina", "accept")], None),
        (1, [], None),
        (1, [said("amina", "reject")], ("reject", SHOWN["question"], 1.0)),
        (1, [said("amina", "fix", GOOD)], ("fix", GOOD, 1.0)),
        # A strict majority.
        (2, [said("amina", "accept"), said("juma", "accept")], ("accept", SHOWN["question"], 1.0)),
        (2, [said("amina", "accept"), said("juma", "reject")], (None, SHOWN["question"], None)),
        (3, [said("a", "accept"), said("b", "reject"), said("c", "reject")], ("reject", SHOWN["question"], 2 / 3)),
        (3, [said("a", "accept"), said("b", "fix", GOOD), said("c", "reject")], (None, SHOWN["question"], None)),
        # Two that hold it good or mendable don't say which text is to stand.
        (2, [said("amina", "accept"), said("juma", "fix", GOOD)], (None, SHOWN["question"], None)),
        # More than needed all count.
        (1, [said("amina", "accept"), said("juma", "reject")], (None, SHOWN["question"], None)),
        # The correction that most wrote, else the earliest.
        (3, [said("a", "fix", GOOD), said("b", "fix", BETTER), said("c", "fix", BETTER)], ("fix", BETTER, 1.0)),
        (2, [said("a", "fix", BETTER, minute=5), said("b", "fix", GOOD, minute=3)], ("fix", GOOD, 1.0)),
        (3, [said("a", "fix", GOOD), said("b", "reject"), said("c", "fix", GOOD)], ("fix", GOOD, 2 / 3)),
        # A correction that corrects nothing accepts.
        (1, [said("amina", "fix", SHOWN["question"])], ("accept", SHOWN["question"], 1.0)),
        (1, [said("amina", "fix", f" {SHOWN['question']}\r\n")], ("accept", SHOWN["question"], 1.0)),
        (1, [said("amina", "fix")], ("accept", SHOWN["question"], 1.0)),
        (2, [said("amina", "fix"), said("juma", "accept")], ("accept", SHOWN["question"], 1.0)),
        # An adjudicator settles what is disputed, and only that; the last one holds.
        (
            2,
            [said("a", "accept"), said("b", "reject"), said("n", "fix", GOOD, adjudication=True)],
            ("fix", GOOD, 0.0),
        ),
        (2, [said("a", "accept"), said("b", "reject"), said("n", "reject", adjudication=True)],
         ("reject", SHOWN["question"], 0.5)),
        (2, [said("a", "accept"), said("b", "accept"), said("n", "reject", adjudication=True)],
         ("accept", SHOWN["question"], 1.0)),
        (2, [said("a", "accept"), said("n", "reject", adjudication=True)], None),
        (
            2,
            [
                said("a", "accept"), said("b", "reject"),
                said("m", "accept", adjudication=True, minute=2), said("n", "reject", adjudication=True, minute=1),
            ],
            ("accept", SHOWN["question"], 0.5),
        ),
        # What was said of another text, another row or in another round says nothing of this one.
        (1, [said("amina", "accept", translation_signature="another")], None),
        (1, [said("amina", "accept", id="b")], None),
        (1, [said("amina", "accept", review_round=2)], None),
    ],
)  # fmt: skip
def test_what_comes_of_verdicts(needed: int, verdicts: list[dict[str, Any]], expected: tuple[Any, ...] | None) -> None:
    queue = queue_of(queued(min_submitted=needed))
    table = resolve(table_of(verdicts), queue)
    assert table.schema == RESOLVED_SCHEMA
    assert resolve(table_of(verdicts[::-1]), queue).equals(table)
    rows = table.to_pylist()
    assert [(row["verdict"], row["question"], row["agreement"]) for row in rows] == ([expected] if expected else [])
    assert len(disputed(table_of(verdicts), queue)) == (expected is not None and expected[0] is None)


def test_all_of_a_resolved_row() -> None:
    verdicts = [
        said("juma", "fix", GOOD, error_types=["grammar", "wrong_number"]),
        said("amina", "fix", GOOD, error_types=["wrong_number", "untranslated"]),
        said("baraka", "reject", error_types=["mistranslation"]),
    ]
    (row,) = resolve(table_of(verdicts), queue_of(queued(min_submitted=3))).to_pylist()
    assert row == {
        "language": "sw",
        "id": "a",
        "review_round": 1,
        "verdict": "fix",
        "reviewers": ["amina", "baraka", "juma"],
        # Of those who said what was resolved.
        "error_types": ["wrong_number", "untranslated", "grammar"],
        "agreement": 2 / 3,
        "question": GOOD,
        "rationale": SHOWN["rationale"],
        "source_signature": queued()["source_signature"],
        "translation_signature": queued()["translation_signature"],
    }


def test_corrected_rationales_and_nulls() -> None:
    row = {"id": "a", "language": "sw", "source_question": "Ann has 3 apples.", "question": "Ana tufaha 2."}
    queue = queue_of(queued(row=row))
    (resolved,) = resolve(table_of([said("amina", "fix", GOOD, rationale="")]), queue).to_pylist()
    assert (resolved["verdict"], resolved["question"]) == ("fix", GOOD)
    queue = queue_of(queued())
    (resolved,) = resolve(table_of([said("amina", "fix", None, rationale="3.")]), queue).to_pylist()
    assert (resolved["question"], resolved["rationale"]) == (SHOWN["question"], "3.")


def test_the_last_review_round_wins() -> None:
    queue = queue_of(queued(review_round=2, min_submitted=2), queued())
    verdicts = [said("amina", "accept"), said("juma", "reject", review_round=2)]
    # Until the later one has its verdicts, the earlier one holds.
    (row,) = resolve(table_of(verdicts), queue).to_pylist()
    assert (row["review_round"], row["verdict"]) == (1, "accept")
    verdicts.append(said("neema", "reject", review_round=2))
    (row,) = resolve(table_of(verdicts), queue).to_pylist()
    assert (row["review_round"], row["verdict"]) == (2, "reject")


def test_a_row_that_was_shown_again_with_other_texts_has_an_outcome_for_each() -> None:
    corrected: dict[str, Any] = {"translation_signature": sign_translation(GOOD, SHOWN["rationale"]), "review_round": 2}
    again = {"id": "a", "language": "sw", **SHOWN, "question": GOOD}
    queue = queue_of(queued(), queued(row=again, **corrected))
    verdicts = [said("amina", "fix", GOOD), said("juma", "reject", **corrected)]
    rows = resolve(table_of(verdicts), queue).to_pylist()
    # In the order in which they hold: the second is on what the first made of the row.
    assert [(row["review_round"], row["verdict"], row["question"]) for row in rows] == [
        (1, "fix", GOOD), (2, "reject", GOOD),
    ]  # fmt: skip
    assert rows[1]["translation_signature"] == corrected["translation_signature"]


def test_disputed_rows_are_those_of_the_queue() -> None:
    queue = queue_of(queued("a", 2), queued("b", 2), queued("c", 2))
    verdicts = [said("amina", "accept", id=name) for name in "abc"]
    verdicts += [
        said("juma", verdict, id=name) for name, verdict in zip("abc", ("reject", "accept", "fix"), strict=True)
    ]
    assert disputed(table_of(verdicts), queue).equals(queue_of(queued("a", 2)))
    verdicts[-1]["question"] = GOOD
    assert disputed(table_of(verdicts), queue)["id"].to_pylist() == ["a", "c"]


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (None, None, True), (None, "", True), ("a", " a\n", True), ("a\r\nb", "a\nb", True), ("a\rb", "a\nb", True),
        ("a", "b", False), ("a b", "a  b", False), ("a", None, False),
    ],
)  # fmt: skip
def test_same_text(first: str | None, second: str | None, same: bool) -> None:
    assert same_text(first, second) is same_text(second, first) is same
