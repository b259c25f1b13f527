"""Files for annotators: exported, filled in and imported."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from annotation.files import export_queue, import_verdicts
from annotation.settings import ReviewSettings
from mcot.core.errors import RunError, SettingsError, SourceError
from mcot.core.reviews import ReviewFiles, sign_translation
from tests.annotation.exported_files import NOW, QUESTION, SETTINGS, counts, exported, fill, read


def test_a_file_for_each_annotator(run: Path) -> None:
    files = exported(run)
    assert sorted(files) == ["sw-round-1-amina.csv", "sw-round-1-juma.csv", "te-round-1.csv"]
    own = {name: [row["id"] for row in read(path)] for name, path in files.items()}
    assert Counter(own["sw-round-1-amina.csv"] + own["sw-round-1-juma.csv"]) == {"1e5": 1, "0012": 2, "b": 1}
    assert {len(own["sw-round-1-amina.csv"]), len(own["sw-round-1-juma.csv"])} == {2}
    row = read(files["te-round-1.csv"])[0]
    assert row["question"] == QUESTION
    assert (row["id"], row["answer"], row["findings"]) == ("a", "3", "Question: a number was changed: 3 → 2")
    assert (row["verdict"], row["annotator"], row["role"]) == ("", "", "annotator")
    # Nobody has translated it back: a column less.
    assert "back_question" not in row
    # Why it was drawn is nothing that an annotator should know.
    assert not {"stratum", "probability", "decision", "priority"} & set(row)
    assert b"'=Ana" in files["te-round-1.csv"].read_bytes()


def test_exporting_again_changes_nothing(run: Path) -> None:
    files = exported(run)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files.values()}
    assert exported(run) == files
    assert {path: path.read_bytes() for path in files.values()} == {path: old for path, (old, _) in before.items()}
    path = fill(files["te-round-1.csv"], {"verdict": "accept"})
    content = path.read_bytes()
    with pytest.raises(RunError, match=r"te-round-1\.csv: is there already and is another, perhaps filled in"):
        exported(run)
    assert path.read_bytes() == content


def test_what_was_judged_is_not_exported_again(run: Path) -> None:
    files = exported(run)
    path = files["sw-round-1-amina.csv"]
    names = [row["id"] for row in read(path)]
    import_verdicts(run, [fill(path, {"verdict": "accept"}, {"verdict": "reject"})], SETTINGS)
    again = export_queue(run, run / "later", SETTINGS)
    assert [(file.path.name, file.rows) for file in again] == [("sw-round-1-juma.csv", 2), ("te-round-1.csv", 1)]
    assert read(again[0].path) == read(files["sw-round-1-juma.csv"])
    assert "0012" in names


def test_one_annotator_alone(run: Path) -> None:
    assert list(exported(run, annotator="juma")) == ["sw-round-1-juma.csv"]
    with pytest.raises(SettingsError, match=r"annotator 'jumma': is not in the settings; valid: amina, juma \(did"):
        exported(run, annotator="jumma")
    with pytest.raises(SettingsError, match=r"annotator '\.\./x': is no name; valid: up to 64 letters"):
        exported(run, ReviewSettings(), annotator="../x")
    # Where the settings name nobody, it is anybody's.
    files = exported(run, ReviewSettings(languages=["sw"]), annotator="pendo")
    assert [row["annotator"] for row in read(files["sw-round-1-pendo.csv"])] == ["pendo"] * 3


def test_a_round_that_was_not_drawn(run: Path) -> None:
    with pytest.raises(RunError, match=r"review round 3 has no queue \(drawn: 1, 2\); draw it first"):
        exported(run, ReviewSettings(review_round=3))
    with pytest.raises(RunError, match=r"review round 1 has no queue \(drawn: none\)"):
        export_queue(run / "empty", run / "files", SETTINGS)


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8-sig"), (";", "utf-8"), ("\t", "utf-16")])
def test_what_is_filled_in_comes_back(run: Path, delimiter: str, encoding: str) -> None:
    files = exported(run)
    path = files["sw-round-1-amina.csv"]
    fix = {
        "verdict": "Fix ",
        "error_types": "Wrong number; grammar",
        "corrected_question": " -3\r\ntufaha",
        "comment": "'=so",
    }
    fill(path, {"verdict": "accept"}, fix, delimiter=delimiter, encoding=encoding)
    merged = import_verdicts(run, [path, files["te-round-1.csv"]], SETTINGS, now=NOW)
    assert (counts(merged), merged.refused) == ((2, 0, 0), ())
    rows = {row["verdict"]: row for row in ReviewFiles(run).read_verdicts().to_pylist()}
    assert rows["accept"]["question"] is None
    row = rows["fix"]
    assert (row["question"], row["rationale"], row["comment"]) == ("-3\ntufaha", None, "=so")
    assert row["error_types"] == ["wrong_number", "grammar"]
    assert (row["annotator"], row["origin"], row["submitted_at"]) == ("amina", "sw-round-1-amina.csv", NOW)
    assert (row["seconds"], row["adjudication"], row["review_round"]) == (None, False, 1)
    assert row["translation_signature"] == sign_translation(QUESTION, "Ana 3.")


def test_importing_again_changes_nothing(run: Path) -> None:
    path = fill(exported(run)["sw-round-1-amina.csv"], {"verdict": "accept"}, {"verdict": "reject"})
    files = ReviewFiles(run)
    import_verdicts(run, [path], SETTINGS, now=NOW)
    before = files.verdicts.read_bytes(), files.resolved.read_bytes()
    # At another time, under another name.
    path = path.rename(run / "copy.csv")
    assert counts(import_verdicts(run, [path, path], SETTINGS, now=NOW + timedelta(days=1))) == (0, 0, 2)
    assert (files.verdicts.read_bytes(), files.resolved.read_bytes()) == before
    fill(path, {"verdict": "reject"})
    # Later than what it replaces even if the clock was set back.
    assert counts(import_verdicts(run, [path], SETTINGS, now=NOW - timedelta(days=1))) == (0, 1, 1)
    assert {row["verdict"] for row in files.read_verdicts().to_pylist()} == {"reject"}
    assert counts(import_verdicts(run, [path], SETTINGS)) == (0, 0, 2)


def test_json_lines(run: Path) -> None:
    path = exported(run, format="jsonl", annotator="amina")["sw-round-1-amina.jsonl"]
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert records[0]["question"] == QUESTION
    assert records[0]["verdict"] is None
    records[0] |= {"verdict": "fix", "error_types": ["wrong_number"], "corrected_rationale": "=3"}
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    assert counts(import_verdicts(run, [path], SETTINGS, now=NOW)) == (1, 0, 0)
    (row,) = ReviewFiles(run).read_verdicts().to_pylist()
    assert (row["rationale"], row["error_types"]) == ("=3", ["wrong_number"])
    for wrong, message in (({"verdict": 5}, "'verdict': got 5, expected text"), ({"comment": "\ud800"}, "half of a")):
        path.write_text(json.dumps(records[0] | wrong), "utf-8")
        with pytest.raises(SourceError, match=message):
            import_verdicts(run, [path], SETTINGS)
