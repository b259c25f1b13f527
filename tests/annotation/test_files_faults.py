"""Files of annotators that can be taken in part or not at all, and rows that come again."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from annotation.files import assign, export_queue, import_verdicts
from annotation.filled import row_key
from annotation.settings import Overlap, ReviewSettings
from mcot.core.errors import SettingsError, SourceError
from mcot.core.files import write_table
from mcot.core.reviews import QUEUE_SCHEMA, ReviewFiles
from tests.annotation.exported_files import NOW, SETTINGS, counts, exported, fill, queued, read


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"verdict": "acept"}, r"'verdict': got 'acept'; valid: accept, fix, reject \(did you mean 'accept'\?\)"),
        ({"comment": "?"}, "'verdict': is empty, but 'comment' is filled in; valid: accept, fix, reject"),
        (
            {"verdict": "reject", "error_types": "gramar"},
            "'error_types': got 'gramar'; valid: .*did you mean 'grammar'",
        ),
        ({"verdict": "fix"}, "'corrected_question': is empty, and so is 'corrected_rationale'; a fix needs one"),
        (
            {"verdict": "accept", "corrected_rationale": "4"},
            "'corrected_rationale': is filled in, but the verdict is 'accept'; set the verdict 'fix', or empty",
        ),
        ({"verdict": "accept", "key": "r1"}, "'key': got 'r1', no row of this run's queue; put back what was there"),
        ({"verdict": "accept", "annotator": "aminah"}, "'annotator': got 'aminah', no annotator of sw in the settings"),
        ({"verdict": "accept", "annotator": ""}, "'annotator': is empty; fill in whose verdict it is"),
        ({"verdict": "accept", "role": "boss"}, "'role': got 'boss'; valid: annotator, adjudicator"),
        ({"verdict": "accept", "role": "adjudicator"}, "'annotator': got 'amina', no adjudicator of sw"),
    ],
)
def test_a_bad_line_is_named_and_nothing_taken(run: Path, answer: dict[str, str], message: str) -> None:
    path = fill(exported(run)["sw-round-1-amina.csv"], {"verdict": "accept"}, answer)
    with pytest.raises(SourceError, match=rf"sw-round-1-amina\.csv, line \d+: column {message}") as caught:
        import_verdicts(run, [path], SETTINGS)
    assert "\n" not in str(caught.value)
    assert "nothing was taken" in str(caught.value)
    assert len(ReviewFiles(run).read_verdicts()) == 0
    merged = import_verdicts(run, [path], SETTINGS, skip_bad_lines=True)
    assert (counts(merged), len(merged.refused)) == ((1, 0, 0), 1)


def test_all_bad_lines_are_counted_by_their_lines(run: Path) -> None:
    files = exported(run)
    first = fill(files["sw-round-1-amina.csv"], {"verdict": "no"}, {"verdict": "maybe"})
    second = fill(files["te-round-1.csv"], {"verdict": "accept"})
    # The question of the row before has a line break.
    with pytest.raises(SourceError, match=r"amina.csv, line 2: .* \(and 2 more bad lines\); nothing was taken"):
        import_verdicts(run, [first, second], SETTINGS)
    merged = import_verdicts(run, [first, second], SETTINGS, annotator="sita", skip_bad_lines=True)
    assert [line.split(": ")[0].rpartition("/")[2] for line in merged.refused] == [
        "sw-round-1-amina.csv, line 2", "sw-round-1-amina.csv, line 4",
    ]  # fmt: skip
    assert ReviewFiles(run).read_verdicts()["annotator"].to_pylist() == ["sita"]


def test_files_that_contradict_one_another(run: Path) -> None:
    path = fill(exported(run)["sw-round-1-amina.csv"], {"verdict": "accept"})
    other = run / "other.csv"
    other.write_bytes(path.read_bytes())
    assert counts(import_verdicts(run, [path, other], SETTINGS, now=NOW)) == (1, 0, 0)
    fill(other, {"verdict": "reject"})
    with pytest.raises(SourceError, match=r"other.csv, line 2: the row has another verdict of amina at .*line 2"):
        import_verdicts(run, [path, other], SETTINGS)


def test_names_where_the_settings_name_nobody(run: Path) -> None:
    nobody = ReviewSettings()
    path = fill(exported(run, nobody)["te-round-1.csv"], {"verdict": "accept"})
    for wrong in ("=amina", "a" * 65, "amina juma", "../amina"):
        with pytest.raises(SourceError, match=r"column 'annotator': got '.*; valid: up to 64 letters"):
            import_verdicts(run, [path], nobody, annotator=wrong)
    assert counts(import_verdicts(run, [path], nobody, annotator="Åsa")) == (1, 0, 0)
    # Capitals make no other person.
    with pytest.raises(SourceError, match=r"column 'annotator': got 'åsa', but verdicts of 'Åsa' are there; write"):
        import_verdicts(run, [path], nobody, annotator="åsa")
    with pytest.raises(SettingsError, match=r"annotator 'ÅSA': verdicts of 'Åsa' are there; write 'Åsa'"):
        exported(run, nobody, annotator="ÅSA")
    second = fill(exported(run, nobody)["sw-round-1.csv"], {"verdict": "accept", "annotator": "åsa"})
    with pytest.raises(SourceError, match="but verdicts of 'Åsa' are there"):
        import_verdicts(run, [second], nobody)
    assert counts(import_verdicts(run, [path], nobody, annotator="Åsa")) == (0, 0, 1)


def test_a_row_that_is_shown_again_goes_to_somebody_else(run: Path) -> None:
    """As one does that a person corrected, and whose correction the checks doubt."""
    people = ReviewSettings(annotators={"sw": ["amina", "juma", "pendo"]}, overlap=Overlap(share=0), review_round=3)
    again = [queued(f"r{number}", review_round=3, translation_signature="new") for number in range(30)]
    first = [queued(f"r{number}") for number in range(30)]
    table = pa.Table.from_pylist([*first, *again], schema=QUEUE_SCHEMA)
    write_table(ReviewFiles(run).queue, table)
    files = export_queue(run, run / "first", people.model_copy(update={"review_round": 1}))
    for file in files:
        import_verdicts(run, [fill(file.path, *[{"verdict": "accept"}] * 30)], people)
    before = {file.annotator: {row["id"] for row in read(file.path)} for file in files}
    after = {
        file.annotator: {row["id"] for row in read(file.path)} for file in export_queue(run, run / "second", people)
    }
    assert sum(map(len, after.values())) == 30
    assert all(before[name].isdisjoint(after[name]) for name in before)
    # Where nobody else is, it goes to the same.
    assert assign(first[:1], ["amina"], {row_key(first[0]): {"amina"}}) == {"amina": first[:1]}


def test_adjudication(run: Path) -> None:
    files = exported(run)
    answers = {"amina": {"verdict": "accept"}, "juma": {"verdict": "reject", "comment": "si sahihi"}}
    for name, answer in answers.items():
        path = files[f"sw-round-1-{name}.csv"]
        fill(path, *(answer if row["id"] == "0012" else {} for row in read(path)))
        import_verdicts(run, [path], SETTINGS)
    (file,) = export_queue(run, run / "files", SETTINGS, adjudication=True)
    assert (file.path.name, file.annotator, file.rows) == ("sw-round-1-adjudication-neema.csv", "neema", 1)
    (row,) = read(file.path)
    assert row["id"] == "0012"
    assert sorted(row["opinions"].splitlines()) == [
        "  comment: si sahihi",
        *sorted(line for line in row["opinions"].splitlines() if line.startswith("Annotator")),
    ]
    assert "amina" not in row["opinions"]
    merged = import_verdicts(run, [fill(file.path, {"verdict": "fix", "corrected_rationale": "3."})], SETTINGS)
    assert (merged.resolved, merged.disputed) == (1, 0)
    (resolved,) = ReviewFiles(run).read_resolved().to_pylist()
    assert (resolved["verdict"], resolved["rationale"]) == ("fix", "3.")
    assert export_queue(run, run / "later", SETTINGS, adjudication=True) == []


@pytest.mark.parametrize(("names", "needed"), [(2, 2), (3, 2), (5, 3), (2, 5)])
def test_rows_are_shared_out_evenly(names: int, needed: int) -> None:
    people = [f"p{number}" for number in range(names)]
    rows = [queued(f"r{number}", min_submitted=needed if number % 3 == 0 else 1) for number in range(120)]
    shares = assign(rows, people)
    load = [len(own) for own in shares.values()]
    assert max(load) - min(load) <= 1
    judged = Counter(row["id"] for own in shares.values() for row in own)
    assert judged == {row["id"]: min(row["min_submitted"], names) for row in rows}
    assert assign(rows, people) == shares
    # Everybody meets everybody: agreement is not that of two alone.
    together: Counter[frozenset[str]] = Counter()
    for row in rows[::3]:
        together[frozenset(name for name, own in shares.items() if row in own)] += 1
    assert names < 3 or len(together) >= names
