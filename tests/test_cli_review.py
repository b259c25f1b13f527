"""`mcot review` and `mcot calibrate` as a person types them: from a run to files, back, and to thresholds."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from curation.audit_settings import AuditSettings
from curation.pipeline import curate
from mcot.cli import main
from mcot.core.reviews import ReviewFiles
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings
from mcot.demo import write_problems

Call = Callable[..., tuple[int, str]]


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command in a folder of its own, without a server: its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    for name in ("ARGILLA_API_URL", "ARGILLA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        return int(stop.value.code or 0), capsys.readouterr().err

    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_problems(tmp_path / "problems.jsonl", 6)
    source = {"path": str(tmp_path / "problems.jsonl"), "format": "gsm8k", "license": "MIT"}
    content = {"name": "run", "output": tmp_path / "run", "sources": [source], "languages": ["de"], "contamination": {}}
    return curate(CurationSettings.model_validate(content)).folder


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def dataset(run: Path) -> dict[str, dict[str, Any]]:
    rows = [row for path in (run / "dataset" / "de").iterdir() for row in pq.read_table(path).to_pylist()]
    return {row["id"]: row for row in rows}


def test_from_a_run_to_files_and_back_into_the_dataset(call: Call, run: Path, tmp_path: Path) -> None:
    (tmp_path / "review.yaml").write_text("overlap: {share: 0}\nannotators: {de: [karla]}\n")
    code, said = call("review", "export", run, "--output", "files", "--settings", "review.yaml")
    assert code == 0, said
    [path] = (tmp_path / "files").iterdir()
    rows = read(path)
    before = dataset(run)
    assert {row["id"] for row in rows} == set(before)
    rows[0] |= {"verdict": "reject", "error_types": "grammar"}
    rows[1] |= {"verdict": "fix", "corrected_question": f"{rows[1]['question']} Bitte rechne genau."}
    write(path, rows)
    for again in (False, True):
        code, said = call("review", "import", run, path, "--settings", "review.yaml")
        assert code == 0, said
        assert ("0 verdicts added" if again else "2 verdicts added") in said
        after = dataset(run)
        assert rows[0]["id"] not in after
        assert after[rows[1]["id"]]["question"].endswith("Bitte rechne genau.")
        assert after[rows[1]["id"]]["review"]["reviewers"] == ["karla"]
    report = json.loads((run / "report.json").read_text())
    assert next(one["judged"] for one in report["reviews"]["estimates"] if one["language"] == "de") == 2
    assert "What people said" in (run / "report.html").read_text()
    code, said = call("review", "status", run, "--offline")
    assert code == 0
    assert "2 judged" in said


@pytest.mark.parametrize("kind", ["run", "audit"])
@pytest.mark.parametrize("answer", ["accept", "reject", "fix"])
def test_what_a_second_person_says_of_a_doubted_correction_counts(
    call: Call, run: Path, answer: str, kind: str
) -> None:
    if kind == "audit":
        columns = ("id", "language", "source_question", "source_rationale", "question", "rationale", "answer")
        lines = [json.dumps({name: row[name] for name in columns}) for row in dataset(run).values()]
        Path("input.jsonl").write_text("\n".join(lines), "utf-8")
        assert call("audit", "input.jsonl", "--output", "audited")[0] == 0
        run = Path("audited")
    name, row = next((name, row) for name, row in dataset(run).items() if any(map(str.isdigit, row["question"])))
    number = next(word for word in row["question"].split() if word.isdigit())
    wrong = row["question"].replace(number, f"{number}7")
    accept_all(call, run, **{name: {"verdict": "fix", "corrected_question": wrong}})
    assert name not in dataset(run)
    assert call("review", "export", run, "--output", "second", "--round", 2, "--annotator", "jonas")[0] == 0
    [path] = Path("second").iterdir()
    extra = {"corrected_question": f"{row['question']} Bitte."} if answer == "fix" else {}
    write(path, [line | {"verdict": answer} | extra for line in read(path)])
    code, said = call("review", "import", run, path)
    assert code == 0, said
    found = dataset(run)
    if answer == "accept":
        assert found[name]["question"] == wrong
    elif answer == "reject":
        assert name not in found
    else:
        assert found[name]["question"].endswith("Bitte.")


def test_too_few_verdicts_are_refused_with_a_number(call: Call, run: Path) -> None:
    call("review", "export", run, "--output", "files")
    Path("thresholds.yaml").write_text("another: file\n")
    for more in ([], ["--curve", "curve.png"]):
        code, said = call("calibrate", run, *more)
        assert code == 2, said
        assert "de: 0 verdicts of kept rows; at least 99 are needed for 0.97 at 95% confidence" in said
        last = said.splitlines()[-1]
        assert last.startswith("mcot: calibration: no threshold is certified for 0.97 at 95% confidence; more verdicts")
        assert "needed: 99 for de; have more judged" in last
    assert Path("thresholds.yaml").read_text() == "another: file\n"
    assert not Path("curve.png").exists()


def accept_all(call: Call, run: Path, **other: dict[str, str]) -> None:
    """Have every row of the run judged: accepted, but for some by id."""
    code, said = call("review", "export", run, "--output", "files", "--annotator", "karla")
    assert code == 0, said
    [path] = Path("files").iterdir()
    write(path, [row | (other.get(row["id"]) or {"verdict": "accept"}) for row in read(path)])
    code, said = call("review", "import", run, path)
    assert code == 0, said


def shards(folder: Path, *stages: str) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for stage in stages for path in sorted((folder / stage).glob("*.parquet"))}


CALIBRATE = ("--precision", 0.5, "--confidence", 0.5)


def test_calibrated_thresholds_go_on_with_the_run(call: Call, run: Path) -> None:
    bands = {"default": {"length": {"keep": 0.55, "drop": 0.2}}, "de": {"numbers": {"keep": 0.9, "drop": 0.5}}}
    settings = decide_anew(run, bands)
    stages = ("sources", "translate", "back_translate", "check", "duplicates")
    before = shards(run, *stages)
    accept_all(call, run)
    code, said = call("calibrate", run, *CALIBRATE, "--curve", "curve.png")
    assert code == 0, said
    assert "thresholds of de: thresholds.yaml" in said
    assert Path("curve.png").exists()
    found = load_settings(Path("thresholds.yaml"), CurationSettings)
    assert found.folder == run
    assert found.thresholds["default"] == settings.thresholds["default"]
    # Numbers are right or wrong: no threshold of theirs is moved.
    assert found.thresholds["de"]["numbers"] == settings.thresholds["de"]["numbers"]
    assert len(found.thresholds["de"]) == 2
    # A run that was moved is gone on with where it is.
    moved = shutil.copytree(run, run.with_name("moved"))
    assert call("calibrate", moved, *CALIBRATE, "--output", "moved.yaml")[0] == 0
    assert load_settings(Path("moved.yaml"), CurationSettings).folder == moved
    code, said = call("curate", "thresholds.yaml")
    assert code == 0, said
    assert len(before) >= len(stages)
    assert shards(run, *stages) == before


def decide_anew(run: Path, bands: dict[str, Any]) -> CurationSettings:
    """Go on with the run with other thresholds."""
    settings = load_settings(run / "settings.yaml", CurationSettings).model_dump()
    changed = CurationSettings.model_validate({**settings, "thresholds": bands})
    curate(changed)
    return changed


def test_an_audit_is_calibrated_too(call: Call, run: Path) -> None:
    columns = ("id", "language", "source_question", "source_rationale", "question", "rationale", "answer")
    lines = [json.dumps({name: row[name] for name in columns}) for row in dataset(run).values()]
    Path("input.jsonl").write_text("\n".join(lines), "utf-8")
    Path("audit.yaml").write_text("thresholds: {default: {length: {keep: 0.5, drop: 0.2}}}\nworkers: 1\n")
    code, said = call("audit", "input.jsonl", "--output", "audited", "--settings", "audit.yaml")
    assert code == 0, said
    accept_all(call, Path("audited"))
    code, said = call("calibrate", "audited", *CALIBRATE)
    assert code == 0, said
    found = load_settings(Path("thresholds.yaml"), AuditSettings)
    assert (found.workers, found.thresholds["default"]["length"].keep) == (1, 0.5)
    assert found.thresholds["de"]
    code, said = call("audit", "input.jsonl", "--output", "audited", "--settings", "thresholds.yaml")
    assert code == 0, said


def test_verdicts_of_other_decisions_are_told_apart(call: Call, run: Path) -> None:
    accept_all(call, run)
    code, said = call("review", "status", run, "--offline")
    assert "not counted" not in said
    assert "6 judged" in said
    decide_anew(run, {"default": {"length": {"keep": 0.5, "drop": 0.2}}})
    code, said = call("review", "status", run, "--offline")
    assert code == 0
    assert (
        "de: 100.0% (54.1 to 100.0) of 6 kept rows are good, as annotators judge, from rows drawn under earlier" in said
    )
    assert "not counted" not in said
    # Of these none is kept, so they say nothing of what is.
    decide_anew(run, {"default": {"back_translation": {"keep": 101, "drop": 0}}})
    code, said = call("review", "status", run, "--offline")
    assert "6 verdicts were given for rows as other thresholds had decided them: not counted" in said
    assert "judged" not in said
    code, said = call("review", "export", run, "--output", "again")
    assert "de: round 1 was drawn from other decisions than those that stand" in said
    assert "(--round 2)" in said


def test_a_correction_that_the_checks_doubt_is_shown_to_another_person(call: Call, run: Path) -> None:
    name, row = next((name, row) for name, row in dataset(run).items() if any(map(str.isdigit, row["question"])))
    number = next(word for word in row["question"].split() if word.isdigit())
    wrong = row["question"].replace(number, f"{number}7")
    accept_all(call, run, **{name: {"verdict": "fix", "corrected_question": wrong}})
    assert name not in dataset(run)
    people = {"annotators": {"de": ["karla", "jonas"]}, "overlap": {"share": 0}}
    Path("review.yaml").write_text(json.dumps(people))
    code, said = call("review", "export", run, "--output", "second", "--round", 2, "--settings", "review.yaml")
    assert code == 0, said
    [path] = Path("second").iterdir()
    assert path.name == "de-round-2-jonas.csv"
    assert [(row["id"], row["question"]) for row in read(path)] == [(name, wrong)]


def test_a_name_that_is_not_in_the_settings_draws_nothing(call: Call, run: Path) -> None:
    Path("review.yaml").write_text("annotators: {de: [karla, jonas]}\n")
    code, said = call("review", "export", run, "--output", "x", "--settings", "review.yaml", "--annotator", "nobody")
    assert code == 2
    assert "annotator 'nobody': is not in the settings; valid: jonas, karla" in said
    assert not ReviewFiles(run).queue.exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["push", "none"], ["none: not found", "`mcot curate`"]),
        (["pull", "."], ["holds no decided rows"]),
        (["status", "none", "--offline"], ["none: not found"]),
        (["export", "none", "--output", "x"], ["none: not found"]),
        (["import", "run", "none.csv"], ["none.csv", "not found"]),
        (["import", "run"], ["Missing argument"]),
        (["export", "run", "--output", "x", "--settings", "none.yaml"], ["none.yaml: not found"]),
        (["export", "run", "--output", "x", "--format", "xlsx"], ["--format", "csv"]),
        (["push", "run"], ["mcot review serve"]),
        (["push", "run", "--api-url", "http://127.0.0.1:9"], ["ARGILLA_API_KEY"]),
        (["pull", "run"], ["mcot review serve"]),
        (["serve", "--port", "0"], ["--port"]),
        (["export", "run", "--output", "x", "--round", "0"], ["--round"]),
        (["push", "run", "--round", str(2**31)], ["--round", "2147483647"]),
        (["pull", "run", "--round", "1"], ["--round"]),
        (["status", "run", "--round", "1"], ["--round"]),
        (["push", "run", "--home", "nowhere"], ["no Argilla server runs on nowhere; start it"]),
    ],
)
def test_a_mistake_is_one_line(call: Call, run: Path, arguments: list[str], parts: list[str]) -> None:
    code, said = call("review", *arguments)
    lines = [line for line in said.splitlines() if line.startswith("mcot: ")]
    assert (code, len(lines)) == (2, 1), said
    assert all(part in lines[0] for part in parts), lines


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["none"], ["none: not found"]),
        (["run", "--precision", "97"], ["97"]),
        (["run", "--confidence", "0"], ["0"]),
        (["run", "--base", "none.yaml"], ["none.yaml"]),
        (["run", "--curve", "curve.gif"], ["curve.gif", "valid: .png, .svg"]),
    ],
)
def test_a_mistake_in_calibrating_is_one_line(call: Call, run: Path, arguments: list[str], parts: list[str]) -> None:
    code, said = call("calibrate", *arguments)
    lines = [line for line in said.splitlines() if line.startswith("mcot: ")]
    assert (code, len(lines)) == (2, 1), said
    assert all(part in lines[0] for part in parts), lines
