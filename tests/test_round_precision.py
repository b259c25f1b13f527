"""One measure of precision: the report, the card, the history and the status say the same of the rows kept now."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from annotation.estimates import CORRECTED, UNCORRECTED
from annotation.precision import EARLIER
from annotation.verdicts import save_verdicts
from datasets_card.settings import PublishSettings
from mcot import rounds
from mcot.cli import main
from mcot.core.checkpoints import find_checkpoint
from mcot.core.errors import RunError
from mcot.core.files import read_json, write_json
from mcot.core.reviews import read_decided
from mcot.publish import publish_to_folder
from mcot.round_history import _draw_line, draw_history, make_history, print_history
from mcot.round_models import read_evaluation
from mcot.round_record import note, round_folder
from mcot.round_status import read_state, show_precision
from mcot.rounds import finish_round, round_status, start_round
from tests.round_tables import accept, curate_problems, draw, evaluate, judge

SETTINGS = PublishSettings(repo_id="org/set", without_contamination_check=True)
# Drops some of the kept rows; Swahili's scores are spread the most.
STRICTER = "default: {back_translation: {keep: 90.0, drop: 20.0}}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return curate_problems(tmp_path_factory.mktemp("runs"), 24)


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A run in its first round, of which all rows that were drawn are judged, and one rejected."""
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    (tmp_path / "review.yaml").write_text("budget: 20\noverlap: {share: 0}\nannotators: {sw: [amina], de: [amina]}\n")
    start_round(folder, review=tmp_path / "review.yaml")
    curate(round_folder(folder, 1) / "settings.yaml")
    [rejected, *_] = [row["id"] for row in draw(folder, 1) if row["stratum"] == "keep"]
    judge(folder, 1, **{rejected: {"verdict": "reject"}})
    return folder


def curate(settings: Path, **changes: str) -> None:
    """`mcot curate`, as it is typed."""
    text = settings.read_text()
    for key, value in changes.items():
        text = (
            "\n".join(line for line in text.splitlines() if not line.startswith(f"{key}:")) + f"\n{key}: {{{value}}}\n"
        )
    settings.write_text(text)
    with pytest.raises(SystemExit) as stop:
        main(["curate", str(settings)])
    assert not stop.value.code


def card(run: Path, folder: Path) -> dict[str, bytes]:
    publish_to_folder(run, SETTINGS, folder)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("stricter", [False, True])
def test_report_card_history_and_status_say_the_same(run: Path, tmp_path: Path, stricter: bool) -> None:
    if stricter:
        curate(round_folder(run, 1) / "settings.yaml", thresholds=STRICTER)
    told = read_json(run / "report.json")["reviews"]["estimates"]
    [one] = [one for one in told if (one["language"], one["stratum"]) == ("all", "keep")]
    assert one["judged"] > 5
    assert one["basis"] == (f"{UNCORRECTED}, {EARLIER}" if stricter else UNCORRECTED)
    before = card(run, tmp_path / "published")
    record = finish_round(run, without=["train", "evaluate"]).record
    # Nothing of the rows has changed, and nothing of what is said of them.
    assert card(run, tmp_path / "published") == before
    known = record["review"]["precision"]["all"]
    assert (known["value"], known["judged"], known["basis"]) == (one["good"]["value"], one["judged"], one["basis"])
    said, text = show_precision(known), before["README.md"].decode()
    share, *_ = said.split(" ")
    assert f"**{share}** (95% interval" in text
    assert f"{one['basis']}, {one['judged']} judged by people who read the language" in text
    assert "Nobody has judged" not in text
    assert ("flatter thresholds that were chosen by the same verdicts" in text) is stricter
    printed = io.StringIO()
    print_history(make_history(run), title="Rounds", console=Console(file=printed, width=300))
    assert f"round 1: good: {said}" in printed.getvalue()
    start_round(run)
    draw(run, 2)
    [says] = [step.says for step in round_status(run)[1] if step.name == "review"]
    assert f"good: {said}" in says


def test_a_card_never_tells_of_rows_as_they_were_decided_before(run: Path, tmp_path: Path) -> None:
    write_json(run / "review" / "summary.json", {**read_json(run / "review" / "summary.json"), "decided": "before"})
    with pytest.raises(RunError, match=r"its rows were decided anew since summary\.json .*run `mcot curate .*` again"):
        card(run, tmp_path / "published")
    curate(round_folder(run, 1) / "settings.yaml")
    assert "README.md" in card(run, tmp_path / "published")


def test_an_audit_that_is_decided_anew_tells_of_its_rows_as_they_are_now(run: Path, tmp_path: Path) -> None:
    columns = ("id", "language", "source_question", "source_rationale", "question", "rationale", "answer")
    rows = [row for path in sorted((run / "dataset").glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]
    (tmp_path / "set.jsonl").write_text("\n".join(json.dumps({name: row[name] for name in columns}) for row in rows))
    (tmp_path / "stricter.yaml").write_text("thresholds: {sw: {length: {keep: 0.8, drop: 0.3}}}\nworkers: 1\n")
    audited = tmp_path / "audited"
    for settings in ([], ["--settings", str(tmp_path / "stricter.yaml")]):
        with pytest.raises(SystemExit) as stop:
            main(["audit", str(tmp_path / "set.jsonl"), "--output", str(audited), *settings])
        assert not stop.value.code
        if not settings:
            start_round(audited, review=tmp_path / "review.yaml")
            judge(audited, 1)
    assert read_json(audited / "review" / "summary.json")["decided"] == read_decided(audited)
    [one] = [one for one in read_json(audited / "report.json")["reviews"]["estimates"] if one["language"] == "all"]
    assert one["basis"].endswith(EARLIER)


def test_what_was_taken_and_not_applied_is_applied_by_finish(run: Path) -> None:
    rows = json.loads((run / "manifest.json").read_text())["rows"]["dataset"]
    start = [row for row in draw(run, 1) if row["stratum"] == "keep"]
    # As a command does that is killed before it applies them.
    save_verdicts(run, accept(start[1:3], **{row["id"]: {"verdict": "reject"} for row in start[1:3]}))
    record = finish_round(run, without=["train", "evaluate"]).record
    assert record["dataset"]["rows"]["dataset"] != rows
    assert record["review"]["verdicts"]["reject"] == 3
    assert sum(record["dataset"]["rows"]["dataset"].values()) == sum(rows.values()) - 2


def test_what_another_process_notes_meanwhile_is_not_lost(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*arguments: Any) -> Any:
        note(run, published={"repo_id": "org/set"})
        return read_state(*arguments)

    monkeypatch.setattr(rounds, "read_state", read)
    with pytest.raises(RunError, match="another process noted something of round 1 just now; run the same command"):
        finish_round(run, without=["train", "evaluate"])
    monkeypatch.undo()
    assert finish_round(run, without=["train", "evaluate"]).record["published"] == {"repo_id": "org/set"}


def test_the_advice_to_finish_without_can_be_followed(run: Path) -> None:
    with pytest.raises(RunError) as refused:
        finish_round(run, without=["train"])
    names = str(refused.value).rpartition("--without ")[2]
    assert names == "train,evaluate"
    assert finish_round(run, without=names.split(",")).fresh


def test_an_evaluation_of_another_model_is_told_from_this_ones(tmp_path: Path) -> None:
    model = tmp_path / "training" / "model"
    model.mkdir(parents=True)
    (model / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    (model / "model.safetensors").write_bytes(b"weights")
    found = find_checkpoint(str(model), revision=None, where="model", advice="give a model")
    for revision, expected in ((found.revision, True), ("another", False), (None, None)):
        metrics = {"accuracy": {"sw": 50.0}, "problems": 2, "means": {"accuracy": 50.0},
                   "model": {"name": "m", "revision": revision}}  # fmt: skip
        write_json(tmp_path / "evaluation" / "metrics.json", metrics)
        evaluation = read_evaluation(tmp_path / "evaluation", tmp_path / "training")
        assert evaluation is not None
        assert evaluation["of_this_model"] is expected


def test_history_counts_rows_and_not_verdicts(run: Path) -> None:
    rows = draw(run, 1)
    twice = [row for row in rows if row["stratum"] == "keep"][1:7]
    save_verdicts(run, accept(twice, **{row["id"]: {"annotator": "juma"} for row in twice}))
    evaluate(run, 1, 4, sw=2, de=2)
    record = finish_round(run, without=["train"]).record
    assert sum(record["review"]["verdicts"].values()) == len(rows) + 6
    assert make_history(run)[0]["judged"] == sum(record["review"]["settled"].values()) == len(rows)


def entry(number: int, value: float, basis: str) -> dict[str, Any]:
    judged = {"value": value, "low": value - 0.05, "high": min(value + 0.03, 1.0)}
    corrected = {"value": 1.0, "low": 0.94, "high": 1.0} if CORRECTED in basis else judged
    precision = {**corrected, "judged": 127, "basis": basis, "as_judged": judged}
    return {"round": number, "rows": {"sw": 400, "all": 400}, "judged": 127, "precision": {"all": precision},
            "benchmarks": {}, "published": None}  # fmt: skip


def test_the_share_as_judged_is_beside_a_corrected_one(capsys: pytest.CaptureFixture[str]) -> None:
    history = [entry(1, 0.953, f"{CORRECTED}, {EARLIER}"), entry(2, 0.956, UNCORRECTED)]
    print_history(history, title="Rounds", console=Console(width=300))
    printed = capsys.readouterr().out
    assert (
        f"round 1: good: 100.0% (94.0 to 100.0) of the kept rows, {CORRECTED}, {EARLIER} (95.3% as judged), 127 judged"
        in printed
    )
    assert f"round 2: good: 95.6% (90.6 to 98.6) of the kept rows, {UNCORRECTED}, 127 judged" in printed
    # What was judged is drawn for both rounds: the correction alone makes no fall.
    other = entry(1, 0.97, f"{CORRECTED}, {EARLIER}")
    assert other["precision"]["all"]["value"] == history[0]["precision"]["all"]["value"]
    assert draw_history([other, history[1]]) != draw_history(history)


@pytest.mark.parametrize(("values", "under"), [([100.0, 95.6], True), ([90.0, 95.6], False), ([95.6], False)])
def test_a_figure_does_not_lie_on_its_line(values: list[float], under: bool) -> None:
    axis = Figure().add_subplot()
    _draw_line(axis, list(range(1, len(values) + 1)), values, [None] * len(values), 0, "")
    last = axis.texts[-1]
    # To the left of the point, where the line comes from: under it where it falls to the point.
    assert last.get_text() == "95.6"
    assert (last.xyann[0] < 0, last.xyann[1] < 0) == (True, under)  # type: ignore[attr-defined]
