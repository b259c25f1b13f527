"""Merging what annotators say, and what comes of it."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import run_folder
from annotation.verdicts import merge_verdicts, save_verdicts, validate_verdicts
from mcot.core.errors import RunError
from mcot.core.files import lock_folder, write_table
from mcot.core.reviews import ReviewFiles
from tests.annotation.verdict_tables import BETTER, GOOD, SHOWN, queue_of, queued, said, table_of


@st.composite
def verdict_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    row = st.builds(
        said,
        st.sampled_from(["amina", "juma"]),
        st.sampled_from(["accept", "fix", "reject"]),
        st.sampled_from([None, GOOD, BETTER]),
        st.integers(0, 2),
        id=st.sampled_from(["a", "b"]),
        review_round=st.integers(1, 2),
        language=st.sampled_from(["sw", "te"]),
    )
    return draw(st.lists(row, max_size=12))


@given(verdict_rows(), verdict_rows(), verdict_rows())
def test_merging_in_any_order_and_number_of_times_gives_the_same(
    one: list[dict[str, Any]], two: list[dict[str, Any]], three: list[dict[str, Any]]
) -> None:
    batches = (one, two, three)
    first, second, third = map(table_of, batches)
    empty = table_of([])
    merged = merge_verdicts(merge_verdicts(merge_verdicts(empty, first), second), third)
    assert merge_verdicts(merge_verdicts(third, first), second).equals(merged)
    assert merge_verdicts(first, merge_verdicts(second, third)).equals(merged)
    assert merge_verdicts(merged, second).equals(merged)
    assert merge_verdicts(empty, table_of([row for batch in batches for row in reversed(batch)])).equals(merged)
    keys = [(row["review_round"], row["language"], row["id"], row["annotator"]) for row in merged.to_pylist()]
    assert keys == sorted(set(keys))
    given_rows = [row for batch in batches for row in batch]
    for row in merged.to_pylist():
        # Each is one that was given, and none of its own key is later.
        alike = [
            other
            for other in given_rows
            if all(other[k] == row[k] for k in ("review_round", "language", "id", "annotator"))
        ]
        assert max(other["submitted_at"] for other in alike) == row["submitted_at"]
        assert any(other["verdict"] == row["verdict"] and other["question"] == row["question"] for other in alike)
    assert len(merged) == len({(r["review_round"], r["language"], r["id"], r["annotator"]) for r in given_rows})


def test_a_later_verdict_replaces_within_its_round_alone() -> None:
    old = table_of([said("amina", "accept"), said("amina", "reject", review_round=2, minute=1)])
    new = table_of([said("amina", "fix", GOOD, minute=9), said("juma", "accept", minute=8)])
    merged = merge_verdicts(old, new).to_pylist()
    assert [(row["review_round"], row["annotator"], row["verdict"]) for row in merged] == [
        (1, "amina", "fix"), (1, "juma", "accept"), (2, "amina", "reject"),
    ]  # fmt: skip
    # An earlier one that comes late changes nothing.
    assert merge_verdicts(table_of(merged), old).to_pylist() == merged


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, None),
        ({"id": "z"}, "^sw z, round 1, by amina: no such row is in the queue of this run; give verdicts of this run$"),
        ({"review_round": 2}, "no such row is in the queue"),
        ({"annotator": ""}, "by nobody: whose verdict it is, is missing"),
        ({"submitted_at": None}, "when it was submitted is missing"),
        ({"verdict": "acept"}, r"got verdict 'acept'; valid: accept, fix, reject \(did you mean 'accept'\?\)"),
        ({"verdict": None}, "got verdict None; valid: accept"),
        ({"error_types": ["grammar", "gramar"]}, "got error type 'gramar'; valid: .*did you mean 'grammar'"),
        ({"translation_signature": "x"}, "is about another translation than the queue shows"),
        ({"source_signature": None}, "is about another source than the queue shows"),
        ({"verdict": "fix", "question": ""}, "the corrected question is empty; write it in full, or reject the row"),
        ({"verdict": "fix", "rationale": " \n"}, "the corrected rationale is empty"),
        ({"verdict": "accept", "question": GOOD}, "accepts the row, but the question was changed; set the verdict fix"),
        ({"verdict": "accept", "question": SHOWN["question"] + "\n"}, None),
        ({"verdict": "reject", "question": GOOD}, None),
        ({"verdict": "reject", "question": ""}, None),
        ({"error_types": None, "seconds": 3.5, "comment": "a\nb"}, None),
    ],
)
def test_what_is_wrong_with_a_verdict(change: dict[str, Any], message: str | None) -> None:
    table = table_of([said("juma", "accept"), said("amina", "accept") | change])
    found = validate_verdicts(table, queue_of(queued()))
    if message is None:
        assert found == {}
    else:
        assert list(found) == [1]
        assert re.search(message, found[1])
        assert "\n" not in found[1]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_table(ReviewFiles(tmp_path).queue, queue_of(queued("a", 2), queued("b"), queued("c")))
    return tmp_path


def test_saving(run: Path) -> None:
    files = ReviewFiles(run)
    first = [said("amina", "accept"), said("amina", "fix", SHOWN["question"], id="b"), said("amina", "nope", id="c")]
    merged = save_verdicts(run, table_of(first))
    assert (merged.added, merged.changed, merged.same) == (2, 0, 0)
    assert (merged.resolved, merged.disputed, merged.waiting) == (1, 0, 2)
    assert merged.refused == ("sw c, round 1, by amina: got verdict 'nope'; valid: accept, fix, reject",)
    # A fix that changes nothing accepts.
    assert [(row["id"], row["verdict"], row["question"]) for row in files.read_verdicts().to_pylist()] == [
        ("a", "accept", None), ("b", "accept", None),
    ]  # fmt: skip
    assert files.read_resolved()["verdict"].to_pylist() == ["accept"]
    before = files.verdicts.read_bytes(), files.resolved.read_bytes()
    merged = save_verdicts(run, table_of(first[:2]))
    assert (merged.added, merged.changed, merged.same, merged.refused) == (0, 0, 2, ())
    assert (files.verdicts.read_bytes(), files.resolved.read_bytes()) == before
    merged = save_verdicts(run, table_of([said("juma", "reject"), said("amina", "reject", id="b", minute=1)]))
    assert (merged.added, merged.changed, merged.same) == (1, 1, 0)
    assert (merged.resolved, merged.disputed, merged.waiting) == (1, 1, 1)


def test_batches_in_any_order_give_the_same_bytes(run: Path) -> None:
    batches = [[said("amina", "accept"), said("juma", "reject")], [said("amina", "fix", GOOD, minute=1)]]
    files = ReviewFiles(run)
    contents = []
    for order in (batches, batches[::-1]):
        for batch in order:
            save_verdicts(run, table_of(batch))
        contents.append((files.verdicts.read_bytes(), files.resolved.read_bytes()))
        files.verdicts.unlink()
        files.resolved.unlink()
    assert contents[0] == contents[1]


def test_nobody_settles_a_disagreement_of_their_own(run: Path) -> None:
    save_verdicts(run, table_of([said("amina", "accept"), said("juma", "reject")]))
    merged = save_verdicts(run, table_of([said("amina", "reject", adjudication=True, minute=5)]))
    assert merged.refused == (
        "sw a, round 1, by amina: settles a disagreement of their own; have somebody else settle it",
    )  # fmt: skip
    assert (merged.added, merged.changed, merged.disputed) == (0, 0, 1)
    merged = save_verdicts(run, table_of([said("neema", "reject", adjudication=True, minute=5)]))
    assert (merged.added, merged.resolved, merged.disputed) == (1, 1, 0)


def test_a_kill_between_the_files_is_made_good(run: Path) -> None:
    files = ReviewFiles(run)
    save_verdicts(run, table_of([said("amina", "accept", id="b")]))
    files.resolved.unlink()
    assert save_verdicts(run, table_of([])).resolved == 1
    assert len(files.read_resolved()) == 1


def test_only_one_process_saves(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "WAIT", 0.2)
    with lock_folder(run, "run folder"), pytest.raises(RunError, match="another process is writing"):
        save_verdicts(run, table_of([]))
