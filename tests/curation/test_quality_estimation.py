"""Quality estimation, held against COMET itself: tiny models of random weights, made and asked by its own code."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from curation.checks.quality_estimation import QualityEstimationCheck
from curation.pipeline import curate
from curation.quality_estimation import worker
from curation.quality_estimation.estimator import COMET, Estimator, default_folder
from mcot.core.errors import ModelError, StageError
from mcot.core.quality_settings import QualityEstimationSettings
from mcot.core.rows import from_rows
from mcot.core.settings import Band, CurationSettings, SourceSettings

# Each fits into the tiny models' 64 positions.
PAIRS = [
    ("12 apples.", "Tufaha 12."),
    ("How many?", "Wie viele?"),
    ("3 pens cost 6.", "3 plumas: 6."),
    ("6 * 7 = 42", "6 * 7 = 42"),
    ("60 km per hour.", "ชั่วโมงละ 60 กม."),
]
LONG = ("Anna has 12 apples and eats 5 of them. " * 6, "Anna ana tufaha 12 na anakula 5. " * 6)


@pytest.fixture(scope="session")
def comet() -> Path:
    """Where COMET's environment is. It is not made unasked: that takes a minute and 650 MB."""
    asked = os.environ.get("MCOT_COMET_ENVIRONMENT")
    folder = Path(asked or default_folder())
    try:
        python = COMET.ensure(folder) if asked else COMET.find(folder)
    except StageError as error:
        pytest.skip(str(error))
    if python is None:
        pytest.skip("COMET's environment is not made; MCOT_COMET_ENVIRONMENT=FOLDER has it made there, in a minute")
    return folder


@pytest.fixture(scope="session")
def models(comet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, and what COMET says of `PAIRS`."""
    folder = tmp_path_factory.mktemp("comet")
    (folder / "pairs.json").write_text(json.dumps(PAIRS), "utf-8")
    maker = Path(__file__).with_name("comet_models.py")
    # Lightning asks the machine where it is; a cluster's variables of the caller are none of its business.
    made = subprocess.run(
        [str(COMET.find(comet)), "-I", str(maker), str(folder)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return folder


@contextmanager
def opened(model: Path, comet: Path, **options: Any) -> Iterator[Estimator]:
    """An estimator with its process."""
    estimator = Estimator(QualityEstimationSettings(model=str(model), environment=comet, device="cpu", **options))
    try:
        estimator.open()
        yield estimator
    finally:
        estimator.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unified", "separate", "patched", "spans"])
def test_scores_are_those_of_comet(name: str, models: Path, comet: Path) -> None:
    expected = json.loads((models / "expected.json").read_text("utf-8"))[name]
    told: list[tuple[int, int]] = []
    # Small batches: the scores are the same, in the same order.
    with opened(models / name, comet, batch_tokens=64) as estimator:
        scores = estimator.estimate([*PAIRS, LONG], lambda done, total: told.append((done, total)))
        assert estimator.estimate([]) == []
    assert scores[:-1] == pytest.approx(expected, abs=1e-4)
    assert len({round(score, 4) for score in expected}) > 1
    assert scores[-1] is None
    assert told[-1] == (len(PAIRS), len(PAIRS) + 1)
    assert len(told) > 1


@pytest.mark.slow
def test_rows_are_scored_and_long_ones_line_by_line(models: Path, comet: Path) -> None:
    (first, of_first), (second, of_second) = PAIRS[0], PAIRS[3]
    texts = [
        # question, rationale: source and translation
        ((first, of_first), ("She has <<6*7=42>>42.", "Ana <<6*7=42>>42.")),
        ((second, of_second), (None, None)),
        (("How many?", ""), LONG),
        (("How many?", "Ngapi?"), ("\n".join([first, *[second] * 12]), "\n\n".join([of_first, *[of_second] * 12]))),
    ]
    rows = [
        {"language": "sw", "source_question": q[0], "question": q[1], "source_rationale": r[0], "rationale": r[1]}
        for q, r in texts
    ]
    check = QualityEstimationCheck(
        QualityEstimationSettings(model=str(models / "spans"), environment=comet, device="cpu")
    )
    check.open()
    try:
        scored = check.score(from_rows(rows))
        plain = check.score(from_rows([{**rows[0], "source_rationale": "She has 42.", "rationale": "Ana 42."}]))
    finally:
        check.close()
    expected = json.loads((models / "expected.json").read_text("utf-8"))["spans"]
    questions, rationales = scored.scores["quality_estimation_question"], scored.scores["quality_estimation_rationale"]
    assert questions[:3] == [round(expected[0], 4), round(expected[3], 4), None]
    assert rationales[:3] == [plain.scores["quality_estimation_rationale"][0], None, None]
    weights = (len(first), 12 * len(second))
    mean = (expected[0] * weights[0] + expected[3] * weights[1]) / sum(weights)
    assert rationales[3] == pytest.approx(mean, abs=1e-3)
    assert scored.observations == [[], [], [], []]


@pytest.mark.slow
def test_scores_are_between_0_and_1(models: Path, comet: Path) -> None:
    expected = json.loads((models / "expected.json").read_text("utf-8"))["separate"]
    # An untrained regression says anything.
    assert not any(0 <= score <= 1 for score in expected)
    check = QualityEstimationCheck(QualityEstimationSettings(model=str(models / "separate"), environment=comet))
    check.open()
    try:
        rows = [{"language": "de", "source_question": source, "question": text} for source, text in PAIRS]
        scored = check.score(from_rows(rows)).scores["quality_estimation_question"]
    finally:
        check.close()
    assert scored == [float(score > 0) for score in expected]


class Evil:
    """What makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.slow
def test_a_checkpoint_that_is_more_than_weights_needs_trust(models: Path, comet: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "checkpoints").mkdir(parents=True)
    (model / "hparams.yaml").write_text((models / "unified" / "hparams.yaml").read_text("utf-8"), "utf-8")
    content = torch.load(models / "unified" / "checkpoints" / "model.ckpt", weights_only=True)
    torch.save({**content, "more": Evil(tmp_path / "made")}, model / "checkpoints" / "model.ckpt")
    with (
        pytest.raises(ModelError, match=r"holds more than weights \(.*mkdir\).*trust_checkpoint: true") as caught,
        opened(model, comet),
    ):
        pass
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "made").exists()
    with opened(model, comet, trust_checkpoint=True) as estimator:
        assert estimator.estimate(PAIRS[:1]) != [None]
    assert (tmp_path / "made").exists()


@pytest.mark.slow
def test_a_run_with_estimates(models: Path, comet: Path, tmp_path: Path) -> None:
    problems = tmp_path / "problems.jsonl"
    problems.write_text(json.dumps({"question": "Ana has 12 apples?", "rationale": "12", "answer": "12"}) + "\n")
    settings = CurationSettings(
        name="estimated", output=tmp_path / "run", languages=["sw"], contamination={},
        sources=[SourceSettings(path=str(problems), license="MIT")],
        quality_estimation=QualityEstimationSettings(model=str(models / "spans"), environment=comet),
        thresholds={"sw": {"quality_estimation": Band(keep=1.0, drop=0.0)}},
    )  # fmt: skip
    curate(settings)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    scores = {score["field"]: score["languages"]["sw"] for score in report["scores"]}
    assert 0 < scores["quality_estimation_question"]["mean"] < 1
    assert "quality_estimation.low" in {reason["reason"] for reason in report["reasons"]}
    assert "COMET model" in (tmp_path / "run" / "report.html").read_text()


# What becomes of the worker's model with each of the settings on its input.
TRIES = """
import json, sys
sys.path.insert(0, sys.argv[1])
import worker
for line in sys.stdin:
    try:
        worker.Scorer(**json.loads(line))
    except worker.UnusableError as error:
        print("error", error)
    else:
        print("loaded")
"""


@pytest.mark.slow
def test_faults_are_one_line(models: Path, comet: Path, tmp_path: Path) -> None:
    own = models / "unified"
    content = torch.load(own / "checkpoints" / "model.ckpt", weights_only=True)
    hparams = (own / "hparams.yaml").read_text("utf-8")
    weights = {name: value for name, value in content["state_dict"].items() if name != "estimator.ff.0.bias"}
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_text((models / "encoder" / "config.json").read_text("utf-8"), "utf-8")
    references = (models / "references" / "hparams.yaml").read_text("utf-8")
    with_references = torch.load(models / "references" / "checkpoints" / "model.ckpt", weights_only=True)
    faults: list[tuple[Any, str, str]] = [
        (b"no checkpoint" * 99, hparams, "is no checkpoint"),
        (b"", hparams, "is no checkpoint"),
        ({"state_dict": 1}, hparams, "has no state_dict"),
        ({**content, "state_dict": weights}, hparams, "lacks 1 weights (estimator.ff.0.bias"),
        (content, hparams.replace("unified_metric", "unheard_of"), "is 'unheard_of'; valid: referenceless_regression_"),
        (content, "[]", "class_identifier is None; valid: "),
        (content, hparams, f"no model can be made of its encoder {bare} and its hyperparameters ("),
        (with_references, references, "compares with references; valid: one that does without"),
    ]
    asked = []
    for place, (checkpoint, text, expected) in enumerate(faults):
        paths = {"checkpoint": tmp_path / f"{place}.ckpt", "hparams": tmp_path / f"{place}.yaml"}
        paths["hparams"].write_text(text, "utf-8")
        if isinstance(checkpoint, bytes):
            paths["checkpoint"].write_bytes(checkpoint)
        else:
            torch.save(checkpoint, paths["checkpoint"])
        paths["encoder"] = bare if str(bare) in expected else models / "encoder"
        told = {name: str(path) for name, path in paths.items()}
        asked.append(json.dumps({**told, "device": "cpu", "batch_tokens": None, "trust": False}))
    command = [str(COMET.find(comet)), "-I", "-c", TRIES, str(Path(worker.__file__).parent)]
    said = subprocess.run(command, input="\n".join(asked), capture_output=True, text=True, check=True).stdout
    # COMET's own logging has lines of its own.
    lines = [line for line in said.splitlines() if line.startswith(("error", "loaded"))]
    assert len(lines) == len(faults)
    for line, (_, _, expected) in zip(lines, faults, strict=True):
        assert line.startswith("error")
        assert expected in line


@pytest.mark.slow
def test_an_encoder_that_moved_is_the_one_of_hparams(models: Path, comet: Path, tmp_path: Path) -> None:
    """A checkpoint names the folder where its encoder was when it was trained."""
    shutil.copytree(models / "unified", tmp_path / "model")
    content = torch.load(models / "unified" / "checkpoints" / "model.ckpt", weights_only=True)
    parameters = {**content["hyper_parameters"], "pretrained_model": "no/such"}
    torch.save({**content, "hyper_parameters": parameters}, tmp_path / "model" / "checkpoints" / "model.ckpt")
    expected = json.loads((models / "expected.json").read_text("utf-8"))["unified"]
    with opened(tmp_path / "model", comet) as estimator:
        assert estimator.estimate(PAIRS) == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_damaged_weights_give_no_score(models: Path, comet: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "unified", tmp_path / "model")
    content = torch.load(models / "unified" / "checkpoints" / "model.ckpt", weights_only=True)
    content["state_dict"]["estimator.ff.0.bias"][:] = float("nan")
    torch.save(content, tmp_path / "model" / "checkpoints" / "model.ckpt")
    with (
        opened(tmp_path / "model", comet) as estimator,
        pytest.raises(ModelError, match=r"'.*model': the score of a text is nan; valid: a model that gives numbers"),
    ):
        estimator.estimate(PAIRS)


@pytest.mark.slow
def test_a_process_that_is_killed_is_named(models: Path, comet: Path) -> None:
    with opened(models / "unified", comet) as estimator:
        process = estimator._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        with pytest.raises(StageError, match="ended by SIGKILL, perhaps for want of memory") as caught:
            estimator.estimate(PAIRS)
        assert len(str(caught.value).splitlines()) == 1
        # An engine tries again without opening its stage.
        assert len(estimator.estimate(PAIRS)) == len(PAIRS)
