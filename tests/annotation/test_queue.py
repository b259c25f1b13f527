"""The queue: which rows people are shown, round after round."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotation import queue as module
from annotation import run_folder
from annotation.queue import Drawn, draw_queue, extend_queue
from annotation.settings import AuditShares, Overlap
from mcot.core.errors import RunError
from mcot.core.files import lock_folder, write_table
from mcot.core.reviews import QUEUE_SCHEMA, VERDICT_SCHEMA, ReviewFiles, sign_source, sign_translation
from mcot.core.rows import SCHEMA, from_rows
from tests.annotation.queued_runs import FOLDERS, Counts, decide, keys, make_row, make_run, settings_of, write_rows

SMALL: Counts = {
    ("sw", "keep"): 200,
    ("sw", "review"): 30,
    ("sw", "drop"): 50,
    ("te", "keep"): 100,
    ("te", "review"): 300,
    ("te", "drop"): 20,
    ("en", "keep"): 100,
}


def test_a_round_of_a_small_run(tmp_path: Path) -> None:
    run = make_run(tmp_path, SMALL)
    table = draw_queue(run, settings_of())
    assert table.schema == QUEUE_SCHEMA
    strata = Counter(zip(table["language"].to_pylist(), table["stratum"].to_pylist(), strict=True))
    # In Swahili the whole band fits, and the audits share what it leaves as 25 to 15.
    assert strata == {
        ("sw", "review"): 30, ("sw", "keep"): 44, ("sw", "drop"): 26,
        ("te", "review"): 60, ("te", "keep"): 25, ("te", "drop"): 15,
    }  # fmt: skip
    rows = table.to_pylist()
    for row in rows:
        drawn, there = strata[row["language"], row["stratum"]], SMALL[row["language"], row["stratum"]]
        assert row["probability"] == drawn / there
        assert row["row"]["id"] == row["id"]
        assert row["row"]["decision"] == row["stratum"]
        assert row["source_signature"] == sign_source(row["row"]["source_question"], None)
        assert row["translation_signature"] == sign_translation(row["row"]["question"], None)
        assert (row["review_round"], row["decided"]) == (1, "first")
        assert 0 < row["priority"] <= 1
    assert len(set(keys(table))) == len(rows)
    # A fifth of each language's uncertain rows and of each audit.
    assert Counter(row["min_submitted"] for row in rows if row["language"] == "te") == {1: 80, 2: 20}


def test_the_same_run_and_settings_give_the_same_queue(tmp_path: Path) -> None:
    run = make_run(tmp_path, SMALL)
    first = draw_queue(run, settings_of())
    assert draw_queue(run, settings_of()).equals(first)
    assert not draw_queue(run, settings_of(seed=1)).equals(first)
    extend_queue(run, settings_of())
    # Its own rows are no earlier round's.
    assert draw_queue(run, settings_of()).equals(first)
    assert ReviewFiles(run).read_queue().equals(first)
    only = draw_queue(run, settings_of(languages=["te"]))
    assert only.equals(first.filter(pa.array([language == "te" for language in first["language"].to_pylist()])))


def test_rounds_follow_one_another(tmp_path: Path) -> None:
    run = make_run(tmp_path, SMALL)
    sizes = {"sw": {"review": 30, "keep": 44, "drop": 26}, "te": {"review": 60, "keep": 25, "drop": 15}}
    assert extend_queue(run, settings_of()) == Drawn(sizes, {}, ())
    before = ReviewFiles(run).queue.read_bytes()
    assert extend_queue(run, settings_of()) == Drawn({}, {"sw": 100, "te": 100}, ())
    assert extend_queue(run, settings_of(seed=5, budget=7)) == Drawn({}, {"sw": 100, "te": 100}, ())
    assert ReviewFiles(run).queue.read_bytes() == before
    for review_round in (2, 3, 4, 5):
        drawn = extend_queue(run, settings_of(review_round=review_round))
    assert drawn.notes == (
        "sw: no rows are left to show", "te: only 20 rows are left to show of the 100 asked for",
    )  # fmt: skip
    queue = ReviewFiles(run).read_queue()
    # Every row was shown, and none twice.
    assert len(set(keys(queue))) == len(queue)
    assert Counter(language for language, _ in keys(queue)) == {"sw": 280, "te": 420}
    first = queue.filter(pa.array([number == 1 for number in queue["review_round"].to_pylist()]))
    assert first.equals(draw_queue(make_run(tmp_path / "again", SMALL), settings_of()))


def test_rows_with_a_verdict_of_another_round_are_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path, {("sw", "review"): 5})
    shown = draw_queue(run, settings_of()).select([name for name in VERDICT_SCHEMA.names if name in QUEUE_SCHEMA.names])
    verdicts = [row | {"review_round": int(row["id"][6]) + 1} for row in shown.to_pylist() if row["id"] != "review4-sw"]
    write_table(ReviewFiles(run).verdicts, pa.Table.from_pylist(verdicts, schema=VERDICT_SCHEMA))
    # Number 0 has one of this round: it stays what it is.
    table = draw_queue(run, settings_of())
    assert sorted(map(str, table["id"].to_pylist())) == ["review0-sw", "review4-sw"]
    assert set(table["probability"].to_pylist()) == {1.0}


def test_what_people_have_seen_is_not_shown_again_but_what_changed_is(tmp_path: Path) -> None:
    run = make_run(tmp_path, {("sw", "review"): 4, ("sw", "keep"): 2})
    extend_queue(run, settings_of())
    fixed = {"review": {"verdict": "fix", "reviewers": ["amina"], "error_types": [], "agreement": 1.0, "round": 1}}
    accepted = {"review": fixed["review"] | {"verdict": "accept"}}
    # What came of the verdicts: a correction that the checks doubt, one that they don't, one accepted as it was.
    doubted = make_row("sw", "review", 0, question="Ana tufaha 99.", **fixed)
    write_rows(run, "sw", "review", [doubted, make_row("sw", "review", 3)])
    kept = [make_row("sw", "review", 1, question="Ana matufaha 1.", **fixed), make_row("sw", "review", 2, **accepted)]
    # Translated anew.
    other = make_row("sw", "keep", 1, question="Ana ana tufaha moja.")
    write_rows(run, "sw", "keep", [*kept, make_row("sw", "keep", 0), other])
    drawn = extend_queue(run, settings_of(review_round=2))
    assert drawn.rows == {"sw": {"review": 1, "keep": 1, "drop": 0}}
    second = [row for row in ReviewFiles(run).read_queue().to_pylist() if row["review_round"] == 2]
    assert {row["id"]: row["row"]["question"] for row in second} == {
        "review0-sw": "Ana tufaha 99.", "keep1-sw": "Ana ana tufaha moja.",
    }  # fmt: skip
    assert extend_queue(run, settings_of(review_round=3)).rows == {}


def test_a_round_of_other_decisions_is_said(tmp_path: Path) -> None:
    run = make_run(tmp_path, SMALL)
    extend_queue(run, settings_of(languages=["te"], budget=10))
    decide(run, "second")
    drawn = extend_queue(run, settings_of(budget=10))
    note = "te: round 1 was drawn from other decisions than those that stand, and tells nothing of the rows kept now"
    assert (list(drawn.rows), drawn.notes) == (["sw"], (f"{note}; draw another (--round 2)",))
    queue = ReviewFiles(run).read_queue()
    assert set(zip(*(queue[name].to_pylist() for name in ("language", "decided")), strict=True)) == {
        ("te", "first"), ("sw", "second"),
    }  # fmt: skip


def test_a_language_that_comes_later_joins_the_round(tmp_path: Path) -> None:
    run = make_run(tmp_path, SMALL)
    extend_queue(run, settings_of(languages=["te"]))
    drawn = extend_queue(run, settings_of())
    assert (list(drawn.rows), drawn.before) == (["sw"], {"te": 100})
    assert ReviewFiles(run).read_queue().equals(draw_queue(run, settings_of()))


def test_a_kill_before_the_end_leaves_the_old_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, SMALL)
    extend_queue(run, settings_of())
    before = ReviewFiles(run).queue.read_bytes()

    def killed(path: Path, table: pa.Table) -> None:
        path.with_name(f".{path.name}.part").write_bytes(b"PAR1half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "write_table", killed)
        with pytest.raises(KeyboardInterrupt):
            extend_queue(run, settings_of(review_round=2))
    assert ReviewFiles(run).queue.read_bytes() == before
    extend_queue(run, settings_of(review_round=2))
    assert len(ReviewFiles(run).read_queue()) == 400


def test_no_audits_no_overlap(tmp_path: Path) -> None:
    run = make_run(tmp_path, SMALL)
    table = draw_queue(run, settings_of(audits=AuditShares(keep=0, drop=0), overlap=Overlap(share=0)))
    assert Counter(table["stratum"].to_pylist()) == {"review": 130}
    assert set(table["min_submitted"].to_pylist()) == {1}


def test_audits_may_have_an_overlap_of_their_own(tmp_path: Path) -> None:
    table = draw_queue(make_run(tmp_path, SMALL), settings_of(audit_overlap=Overlap(share=1, annotators=3)))
    seen = Counter(zip(table["stratum"].to_pylist(), table["min_submitted"].to_pylist(), strict=True))
    assert seen == {("review", 1): 72, ("review", 2): 18, ("keep", 3): 69, ("drop", 3): 41}


def test_uncertain_rows_nearest_to_their_threshold_come_first(tmp_path: Path) -> None:
    run = make_run(tmp_path, {("sw", "drop"): 50, ("sw", "keep"): 50})
    scores = [{"back_translation_question": 35 + n / 2} for n in range(40)]
    # As near as it could be, but for a second check that failed.
    scores[39]["numbers_question"] = 0.8
    write_rows(run, "sw", "review", [make_row("sw", "review", n, scores=scores[n]) for n in range(40)])
    table = draw_queue(run, settings_of())
    shown = [row["id"] for row in table.to_pylist() if row["stratum"] == "review"]
    assert shown[:3] == ["review38-sw", "review37-sw", "review36-sw"]
    assert shown.index("review39-sw") > 20
    # The run's own thresholds are those that count: now back-translation accuses nobody.
    (run / "settings.yaml").write_text("thresholds: {sw: {back_translation: {keep: 1, drop: 0}}}")
    shown = [row["id"] for row in draw_queue(run, settings_of()).to_pylist() if row["stratum"] == "review"]
    assert shown[-1] == "review39-sw"


def test_audits_are_mixed_in_among_the_uncertain(tmp_path: Path) -> None:
    run = make_run(tmp_path, {("sw", decision): 1000 for decision in FOLDERS})
    rows = draw_queue(run, settings_of()).to_pylist()
    priorities = [row["priority"] for row in rows]
    assert priorities == sorted(priorities, reverse=True)
    strata = [row["stratum"] for row in rows]
    for shown in range(10, 101, 10):
        for stratum, share in (("keep", 0.25), ("drop", 0.15)):
            assert abs(strata[:shown].count(stratum) - share * shown) <= 2
    # Nobody can count them out: they come at no fixed distance.
    places = [place for place, stratum in enumerate(strata) if stratum == "keep"]
    assert len({second - first for first, second in pairwise(places)}) >= 4


def test_ids_that_are_there_twice_are_said(tmp_path: Path) -> None:
    run = make_run(tmp_path, {})
    write_rows(run, "sw", "review", [make_row("sw", "review", number % 3) for number in range(5)])
    drawn = extend_queue(run, settings_of())
    assert drawn.rows == {"sw": {"review": 3, "keep": 0, "drop": 0}}
    assert drawn.notes[1] == "sw: 2 rows have the id of another; of each id only the first can be shown"


def test_older_files_lack_columns(tmp_path: Path) -> None:
    run = make_run(tmp_path, {("sw", "keep"): 1})
    path = next((run / "dataset" / "sw").glob("*00000*"))
    pq.write_table(pq.read_table(path).drop_columns(["back_question"]), path)
    assert draw_queue(run, settings_of()).to_pylist()[0]["row"]["back_question"] is None


def first_file(run: Path) -> Path:
    return run / "dataset" / "sw" / "train-00000.parquet"


@pytest.mark.parametrize(
    ("break_run", "settings", "message"),
    [
        (lambda run: run.rename(run.with_name("gone")), {}, "not found; give the folder that mcot curate or"),
        (lambda run: (run / "rejected").rename(run / "old"), {}, "has no rejected/, so its rows are not decided"),
        (lambda run: (run / "review").rename(run / "old"), {}, "has no review/, so its rows are not decided"),
        (lambda run: (run / "decide" / "stage.json").unlink(), {}, "holds no decided rows"),
        (lambda _: None, {"languages": ["te"]}, "has no rows of language 'te'; valid: sw; change `languages`"),
        (lambda run: first_file(run).write_bytes(b"PAR1"), {}, "is damaged .*; run the command that wrote it again"),
        (lambda run: pq.write_table(pa.table({"id": ["x"], "foo": [1]}), first_file(run)), {}, "is damaged .*'foo'"),
        (lambda run: pq.write_table(pa.table({"foo": [1]}), first_file(run)), {}, "is damaged .no column 'id'"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_drawn_from(tmp_path: Path, break_run: Any, settings: Any, message: str) -> None:
    run = make_run(tmp_path / "run", {("sw", "keep"): 2})
    break_run(run)
    with pytest.raises(RunError, match=message) as caught:
        draw_queue(run, settings_of(**settings))
    assert "\n" not in str(caught.value)


def test_a_run_without_translations(tmp_path: Path) -> None:
    run = make_run(tmp_path, {("en", "keep"): 3})
    assert extend_queue(run, settings_of()) == Drawn({}, {}, ())
    with pytest.raises(RunError, match="no rows of language 'sw'; it has no translations at all"):
        draw_queue(run, settings_of(languages=["sw"]))


def test_two_at_once_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, SMALL)
    monkeypatch.setattr(run_folder, "WAIT", 0.2)
    with lock_folder(run, "run folder"), pytest.raises(RunError, match="another process is writing into it"):
        extend_queue(run, settings_of())


def test_texts_come_through_as_they_are(tmp_path: Path) -> None:
    run = make_run(tmp_path, {})
    text = "=1+1\r\n<b>\0 จำนวน ১২ 🍎"
    row = make_row("th", "review", 0, question=text, reasons=["numbers.changed"], details=["question: 3 is missing"])
    write_rows(run, "th", "review", [row])
    shown = draw_queue(run, settings_of()).to_pylist()[0]["row"]
    assert shown == dict.fromkeys(SCHEMA.names) | from_rows([row]).to_pylist()[0]
