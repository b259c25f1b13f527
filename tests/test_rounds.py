"""Rounds: what one opens with, what it lacks, what it came to, and that a kill loses nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from annotation.estimates import UNCORRECTED
from annotation.precision import EARLIER
from annotation.settings import ReviewSettings
from curation.audit import audit
from curation.audit_settings import AuditSettings
from curation.pipeline import curate
from mcot.core.errors import RunError, SettingsError
from mcot.core.files import write_json
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings
from mcot.round_history import make_history, write_history
from mcot.round_record import note, open_round, read_rounds, record_path, round_folder
from mcot.rounds import finish_round, round_status, start_round
from tests.round_tables import curate_problems, draw, evaluate, judge
from training.settings import TrainingSettings

EVERYTHING = ("curate", "review", "train", "evaluate")
# Nothing is kept that people did not judge.
STRICT = {"default": {"back_translation": {"keep": 101, "drop": 0}}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return curate_problems(tmp_path_factory.mktemp("runs"), 24)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


@pytest.fixture
def review(tmp_path: Path) -> Path:
    path = tmp_path / "review.yaml"
    path.write_text("budget: 10\noverlap: {share: 0}\nannotators: {sw: [amina], de: [amina]}\n")
    return path


def curate_round(run: Path, number: int, **changes: Any) -> None:
    settings = load_settings(round_folder(run, number) / "settings.yaml", CurationSettings)
    assert settings.folder.resolve() == run.resolve()
    curate(CurationSettings.model_validate({**settings.model_dump(), **changes}))


def dataset(run: Path) -> dict[str, dict[str, Any]]:
    files = (run / "dataset").glob("*/*.parquet")
    return {row["id"]: row for path in files for row in pq.read_table(path).to_pylist()}


def test_a_round_opens_with_settings_ready_to_use(run: Path, review: Path) -> None:
    started = start_round(run, review=review, budget=12)
    assert (started.number, started.folder) == (1, run / "rounds" / "001")
    assert started.plan.budgets == {"sw": 6, "de": 6}
    asked = load_settings(started.folder / "review.yaml", ReviewSettings)
    assert (asked.review_round, asked.budget_of("sw"), asked.annotators_of("de")) == (1, 6, ["amina"])
    curation = load_settings(started.folder / "settings.yaml", CurationSettings)
    assert (curation.round, curation.folder, curation.languages) == (1, run, ["sw", "de"])
    training = load_settings(started.folder / "train.yaml", TrainingSettings)
    # The embedded model translated it.
    assert (training.preset, training.run, training.folder) == ("demo-cpu", run, started.folder / "training")
    assert open_round(run) == read_rounds(run)[0]
    with pytest.raises(RunError, match=r"round 1 is open; see what it lacks with `mcot round status .*run`"):
        start_round(run)


def test_start_needs_a_finished_run(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="not found; give the folder of a finished `mcot curate`"):
        start_round(tmp_path / "nothing")
    (run / "manifest.json").unlink()
    with pytest.raises(RunError, match=r"was cut off or is at it still; run `mcot curate .*settings.yaml` again"):
        start_round(run)
    assert not (run / "rounds").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"preset": "gigantic"}, "settings file .*train.yaml: .*there is no such preset; valid: demo-cpu"),
        ({"preset": "demo-cpu", "optimiser": {}}, "unknown key 'optimiser'"),
    ],
)
def test_wrong_settings_for_training_start_nothing(
    run: Path, tmp_path: Path, content: dict[str, Any], message: str
) -> None:
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(SettingsError, match=message):
        start_round(run, train=tmp_path / "train.yaml")
    assert read_rounds(run) == []


def test_two_rounds(run: Path, review: Path) -> None:
    """What people said in the first holds in the second, whatever thresholds; the second's budget follows the first."""
    start_round(run, review=review)
    curate_round(run, 1)
    shown = {row["id"]: row["row"] for row in draw(run, 1)}
    fixed, rejected = [name for name, row in shown.items() if row["decision"] == "keep"][:2]
    better = f"{shown[fixed]['question']} Bitte."
    judge(run, 1, **{fixed: {"verdict": "fix", "question": better}, rejected: {"verdict": "reject"}})
    # German solves all, Swahili three quarters of it.
    before = evaluate(run, 1, 12, sw=9, de=12, en=12)
    record = finish_round(run, without=["train"]).record
    assert record["dataset"]["rows"]["dataset"] == {"de": 24, "en": 24, "sw": 23} | _counts(run)
    assert record["review"]["verdicts"] == {"accept": 18, "fix": 1, "reject": 1}
    assert record["review"]["precision"]["all"]["basis"] == UNCORRECTED
    assert record["evaluation"]["folder"] == before.relative_to(run).as_posix()
    assert record["evaluation"]["benchmarks"]["predictions"]["accuracy"] == {"sw": 75.0, "de": 100.0, "en": 100.0}
    assert (record["comparison"], record["trained"], record["without"]) == (None, None, ["train"])

    started = start_round(run)
    assert started.plan.budgets["sw"] > 10 > started.plan.budgets["de"]
    assert sum(started.plan.budgets.values()) == 20
    curate_round(run, 2, thresholds=STRICT)
    judged = {row["id"]: row for row in dataset(run).values() if row["language"] != "en"}
    assert set(judged) == set(shown) - {rejected}
    assert judged[fixed]["question"] == better
    assert {row["review"]["round"] for row in judged.values()} == {1}
    judge(run, 2)
    evaluate(run, 2, 12, sw=11, de=12, en=12)
    record = finish_round(run, without=["train"]).record
    compared = record["comparison"]["benchmarks"]["predictions"]
    assert (record["comparison"]["with"], record["comparison"]["refused"]) == (1, None)
    assert (compared["languages"]["sw"]["won"], compared["languages"]["sw"]["lost"]) == (2, 0)
    assert "flips" not in compared
    assert len(json.loads((run / "rounds" / "002" / "comparison.json").read_text())["predictions"]["flips"]) == 2

    history = write_history(run)
    assert [entry["round"] for entry in history] == [1, 2]
    assert history[1]["benchmarks"]["predictions"]["change"]["difference"] == pytest.approx(5.5556, abs=1e-3)
    assert json.loads((run / "rounds" / "history.json").read_text()) == history
    picture = (run / "rounds" / "history.png").read_bytes()
    write_history(run)
    assert (run / "rounds" / "history.png").read_bytes() == picture


def _counts(run: Path) -> dict[str, int]:
    return {path.name: sum(pq.read_metadata(file).num_rows for file in path.glob("*.parquet"))
            for path in (run / "dataset").iterdir() if path.is_dir()}  # fmt: skip


def test_what_is_next(run: Path, review: Path) -> None:
    """Step by step; each is told from the files, and goes back where they do."""
    assert round_status(run) == (None, [])
    start_round(run, review=review)
    folder = run / "rounds" / "001"

    def following() -> tuple[str, str | None]:
        step = next(step for step in round_status(run)[1] if not step.done)
        return step.name, step.command

    assert following() == ("curate", f"mcot curate {folder / 'settings.yaml'}")
    curate_round(run, 1)
    assert following() == ("review", f"mcot review push {run} --settings {folder / 'review.yaml'}")
    draw(run, 1)
    assert following() == ("review", f"mcot review pull {run} --settings {folder / 'review.yaml'}")
    missing = (
        r"round 1 is not done \(review: 0 of 20 rows are judged; train: no model .*; next: `mcot review pull .*`, or "
        r".* with --without review,train,evaluate"
    )
    with pytest.raises(RunError, match=missing):
        finish_round(run)
    judge(run, 1)
    assert following() == ("calibrate", f"mcot calibrate {run} --output {folder / 'thresholds.yaml'}")
    bands = {"sw": {"back_translation": {"keep": 80.0, "drop": 35.0}}}
    note(run, calibration={"wanted": 0.95, "thresholds": bands, "file": folder / "thresholds.yaml"})
    assert following() == ("curate again", f"mcot curate {folder / 'thresholds.yaml'}")
    with pytest.raises(RunError, match=r"decided by the old thresholds.*--without train,evaluate,curate"):
        finish_round(run, without=["train", "evaluate"])
    curate_round(run, 1, thresholds=bands)
    train = f"mcot train {folder / 'train.yaml'} --evaluate mgsm"
    assert following() == ("train", train)
    [says] = [step.says for step in round_status(run)[1] if step.name == "review"]
    assert "20 of 20 rows are judged; good: 100.0% (" in says
    assert f" of the kept rows, {UNCORRECTED}, {EARLIER}, " in says
    manifest = json.loads((run / "manifest.json").read_text())
    learned = {"run_signature": manifest["signature"]}
    write_json(folder / "training" / "training.json",
               {"signature": "1", "files": "2", "dataset": learned, "metrics": {"held_out_loss": 0.5}})  # fmt: skip
    assert following() == ("evaluate", train)
    evaluate(run, 1, 4, sw=2, de=2)
    assert following() == ("publish", f"mcot publish {run} --repo-id ORG/NAME")
    note(run, published={"repo_id": "org/set", "tag": "round-1", "revision": None})
    assert all(step.done for step in round_status(run)[1])
    # Another dataset than the one that was learned.
    curate_round(run, 1, thresholds={**bands, **STRICT})
    assert following() == ("train", train)


def test_rounds_of_an_audit(run: Path, review: Path, tmp_path: Path) -> None:
    columns = ("id", "language", "source_question", "source_rationale", "question", "rationale", "answer")
    lines = [json.dumps({name: row[name] for name in columns}) for row in dataset(run).values()]
    (tmp_path / "set.jsonl").write_text("\n".join(lines))
    audited = audit(str(tmp_path / "set.jsonl"), tmp_path / "audited", AuditSettings(workers=1)).folder
    start_round(audited, review=review)
    # No curation decides them, so nothing is to be decided first.
    assert [step.name for step in round_status(audited)[1] if step.done] == ["curate"]
    bands = {"sw": {"length": {"keep": 0.7, "drop": 0.3}}}
    note(audited, calibration={"wanted": 0.95, "thresholds": bands, "file": "thresholds.yaml"})
    [step] = [step for step in round_status(audited)[1] if step.name == "curate again"]
    assert step.command == f"mcot audit INPUT --output {audited} --settings {audited / 'thresholds.yaml'}"
    judge(audited, 1)
    record = finish_round(audited, without=["curate", "train", "evaluate"]).record
    assert record["review"]["verdicts"]["accept"] == 20
    start_round(audited)
    carried = load_settings(audited / "rounds" / "002" / "settings.yaml", AuditSettings).thresholds
    assert carried["sw"]["length"].keep == 0.7


def test_finishing_twice_gives_the_same_bytes(run: Path) -> None:
    with pytest.raises(RunError, match="no round was started; start one with `mcot round start"):
        finish_round(run)
    start_round(run)
    with pytest.raises(SettingsError, match="--without: got 'reviews'; valid: curate, review, train, evaluate"):
        finish_round(run, without=["reviews"])
    assert finish_round(run, without=EVERYTHING).fresh
    written = record_path(run, 1).read_bytes()
    assert not finish_round(run).fresh
    note(run, published={"repo_id": "org/set"})
    assert record_path(run, 1).read_bytes() == written
    assert make_history(run)[0]["rows"]["all"] == 47


@pytest.mark.parametrize("adopted", [True, False])
def test_thresholds_that_no_curation_took_up_are_carried_on(run: Path, adopted: bool) -> None:
    start_round(run)
    bands = {"sw": {"back_translation": {"keep": 80.0, "drop": 35.0}}}
    note(run, calibration={"wanted": 0.95, "thresholds": bands, "file": run / "rounds" / "001" / "thresholds.yaml"})
    if adopted:
        curate_round(run, 1, thresholds=bands)
    assert finish_round(run, without=EVERYTHING).record["calibration"]["adopted"] is adopted
    if adopted:
        # By hand, since: that is what stands.
        curate_round(run, 1, thresholds={})
    start_round(run)
    carried = load_settings(run / "rounds" / "002" / "settings.yaml", CurationSettings).thresholds
    assert {code: {name: band.model_dump() for name, band in by.items()} for code, by in carried.items()} == (
        {} if adopted else bands
    )


def test_an_evaluation_on_other_problems_is_not_compared(run: Path) -> None:
    for number, problems in ((1, 4), (2, 5)):
        start_round(run)
        evaluate(run, number, problems, sw=2, de=2)
        record = finish_round(run, without=EVERYTHING).record
    assert record["comparison"]["benchmarks"] == {}
    assert "(4 and 5 problems)" in record["comparison"]["refused"]


def test_notes(run: Path, tmp_path: Path) -> None:
    note(run, trained=run / "rounds" / "001" / "training")
    assert not (run / "rounds").exists()
    start_round(run)
    note(run, trained=run / "model", evaluation=tmp_path / "elsewhere")
    assert open_round(run)["noted"] == {"trained": "model", "evaluation": str(tmp_path.resolve() / "elsewhere")}  # type: ignore[index]
    note(run, evaluation=None)
    assert open_round(run)["noted"] == {"trained": "model"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("damage", "message"),
    [("{", "001.json: is damaged; put back a copy"), (None, "002.json: the record of round 1 before it is missing")],
)
def test_damaged_records_are_named(run: Path, damage: str | None, message: str) -> None:
    start_round(run)
    finish_round(run, without=EVERYTHING)
    start_round(run)
    record_path(run, 1).unlink() if damage is None else record_path(run, 1).write_text(damage)
    with pytest.raises(RunError, match=message):
        round_status(run)
