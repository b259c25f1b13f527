"""The main job, from problems to dataset, through the real model."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest
import yaml

from curation.pipeline import curate
from mcot.core.rows import SCHEMA
from mcot.core.settings import CurationSettings, load_settings
from mcot.demo import write_problems

FOLDERS = ("dataset", "rejected", "review")


def settings(folder: Path, problems: Path, **more: object) -> CurationSettings:
    return CurationSettings.model_validate(
        {"name": "trial", "output": folder, "sources": [{"path": str(problems), "format": "gsm8k", "license": "MIT"}],
         "languages": ["sw", "ja", "th"], "shard_rows": 3, **more}
    )  # fmt: skip


def contents(run: Path) -> dict[str, bytes]:
    """Everything that others read of a run."""
    files = [path for folder in FOLDERS for path in sorted((run / folder).rglob("*")) if path.is_file()]
    return {str(path.relative_to(run)): path.read_bytes() for path in [*files, run / "report.json"]}


def times(run: Path, stage: str) -> list[int]:
    return [path.stat().st_mtime_ns for path in sorted((run / stage).glob("shard-*.parquet"))]


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("problems") / "problems.jsonl"
    write_problems(path, 10)
    with path.open("a") as file:
        file.write(json.dumps({"question": "How many?", "answer": "Nobody knows."}) + "\n")
        file.write(json.dumps({"question": " ", "answer": "So it is 3.\n#### 3"}) + "\n")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, problems: Path) -> Path:
    return curate(settings(tmp_path_factory.mktemp("runs") / "trial", problems)).folder


def test_the_folder(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = {folder: [row for path in (run / folder).rglob("*.parquet") for row in pq.read_table(path).to_pylist()]
            for folder in FOLDERS}  # fmt: skip
    # Ten good problems in English and three languages, and two that the source rejected.
    assert sum(map(len, rows.values())) == 42
    assert {row["reasons"][0] for row in rows["rejected"] if row["language"] == "en"} == {
        "source.no_answer", "source.empty_question"
    }  # fmt: skip
    assert len(rows["dataset"]) >= 30
    for folder, decision in zip(FOLDERS, ("keep", "drop", "review"), strict=True):
        assert {row["decision"] for row in rows[folder]} <= {decision}
        assert all(bool(row["reasons"]) == (decision != "keep") for row in rows[folder])
        assert all(len(row["reasons"]) == len(row["details"]) for row in rows[folder])
    report = json.loads((run / "report.json").read_text())
    assert report
    assert (run / "report.html").stat().st_size > 10_000
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["rows"] == {folder: len(rows[folder]) for folder in FOLDERS}
    loaded = load_settings(run / "settings.yaml")
    assert loaded.shard_rows == 3
    assert loaded.retries == 1
    for language in ("en", "sw", "ja", "th"):
        kept = datasets.load_dataset(str(run / "dataset"), language, split="train", cache_dir=str(tmp_path))
        assert set(kept["language"]) == {language}
        assert kept.features.arrow_schema.names == SCHEMA.names


def test_a_run_that_is_done_is_left_alone(run: Path, problems: Path) -> None:
    files = [path for path in run.rglob("*") if path.is_file() and path.name != "settings.yaml"]
    before = {path: path.stat().st_mtime_ns for path in files}
    curate(settings(run, problems))
    assert before == {path: path.stat().st_mtime_ns for path in before}


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    shutil.copytree(run, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_changed_threshold_redoes_only_decide(copy: Path, problems: Path, tmp_path: Path) -> None:
    stages = ("sources", "translate", "back_translate", "check")
    before, decided = [times(copy, stage) for stage in stages], times(copy, "decide")
    strict = {"thresholds": {"default": {"back_translation": {"keep": 100, "drop": 99}}}}
    changed = curate(settings(copy, problems, **strict))
    assert [times(copy, stage) for stage in stages] == before
    assert times(copy, "decide") != decided
    fresh = curate(settings(tmp_path / "fresh", problems, **strict))
    assert contents(changed.folder) == contents(fresh.folder)


def test_a_changed_translator_redoes_translation(copy: Path, problems: Path) -> None:
    sources, translated = times(copy, "sources"), times(copy, "translate")
    curate(settings(copy, problems, translator={"max_length": 100}))
    assert times(copy, "sources") == sources
    assert times(copy, "translate") != translated


def test_processes_give_the_same_bytes(run: Path, problems: Path, tmp_path: Path) -> None:
    parallel = curate(settings(tmp_path / "parallel", problems, workers=2))
    ours, theirs = contents(run), contents(parallel.folder)
    # The report names the settings, and `workers` is one.
    assert {name: ours[name] for name in ours if name != "report.json"} == {
        name: theirs[name] for name in theirs if name != "report.json"
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_ten_times_gives_the_same_bytes(run: Path, problems: Path, tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump(settings(tmp_path / "killed", problems).model_dump(mode="json")))
    command = [sys.executable, "-m", "mcot", "curate", str(file)]
    rng, kills, longest = random.Random(20260), 0, 0.0
    # The moments reach over the whole run, also once it is done and only looks; the run is begun anew then.
    while kills < 10:
        began = time.monotonic()
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        delay = rng.uniform(1.0, max(20.0, longest))
        try:
            process.communicate(timeout=delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
        else:
            assert process.returncode == 0
            longest = min(delay, time.monotonic() - began)
            assert contents(tmp_path / "killed") == contents(run)
            shutil.rmtree(tmp_path / "killed")
    subprocess.run(command, check=True, capture_output=True)
    assert contents(tmp_path / "killed") == contents(run)
