"""Quality estimation up to COMET's process: which texts it is sent, and what becomes of its scores."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from curation.checks import quality_estimation
from curation.checks.model_stages import EstimateStage
from curation.checks.quality_estimation import QualityEstimationCheck
from curation.quality_estimation import worker
from curation.quality_estimation.estimator import Estimator
from curation.quality_estimation.model import CHECKPOINT
from curation.translation.carried import CarriedTexts
from mcot.core.engines import LocalEngine
from mcot.core.errors import ModelError, StageError
from mcot.core.quality_settings import QualityEstimationSettings
from mcot.core.reviews import ReviewFiles
from mcot.core.rows import from_rows
from mcot.core.runs import StageFolder, read_shard
from tests.curation.planted_comet import PlantedProcess, make_model, write_files
from tests.curation.test_carried import review
from tests.curation.test_llm_judge import row
from tests.curation.test_verdicts import resolve

Pair = tuple[str, str]


class Known:
    """An estimator of known scores; None of all other pairs, as of those that are too long for a model."""

    signature = "1"

    def __init__(self, scores: dict[Pair, float]) -> None:
        self.scores = scores
        self.asked: list[Pair] = []

    def estimate(self, pairs: Sequence[Pair], notify: Callable[[int, int], None] | None = None) -> list[float | None]:
        self.asked += pairs
        return [self.scores.get(pair) for pair in pairs]


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("a", "b", 0.5),
        ("a <<1+1=2>>b", "c <<1+1=2>>d", 0.25),
        ("over", "over", 1.0),
        ("under", "under", 0.0),
        ("digits", "digits", 0.1235),
        ("long", "text", None),
        ("long", None, None),
        (None, "text", None),
        ("", "b", None),
        ("a", "", None),
        ("a\n\na b", "b\n \nc d\n", (1 * 0.5 + 3 * 0.25) / 4),
        ("a\na\na b", "b\nb\nc d", (2 * 0.5 + 3 * 0.25) / 5),
        ("a\nover", "b\nover", 1.0),
        ("a\nlong", "b\ntext", None),
        ("a\na b", "b c d", None),
        ("a\na\na", "b\nb", None),
    ],
)
def test_score_of_a_text(
    source: str | None, text: str | None, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known(
        {
            ("a", "b"): 0.5,
            ("a b", "c d"): 0.25,
            ("over", "over"): 1.7,
            ("under", "under"): -0.2,
            ("digits",) * 2: 0.123456,
        }
    )
    monkeypatch.setattr(quality_estimation, "Estimator", lambda _: known)
    check = QualityEstimationCheck(QualityEstimationSettings())
    given = {"source_question": "a", "question": "b", "source_rationale": source, "rationale": text}
    scored = check.score(from_rows([{"language": "sw", **given}]))
    assert scored.scores["quality_estimation_question"] == [0.5]
    assert scored.scores["quality_estimation_rationale"] == [expected and pytest.approx(expected, abs=1e-4)]
    assert scored.observations == [[]]
    # No pair costs twice.
    assert len(known.asked) == len(set(known.asked))


def test_scores_find_their_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [("q1", "t1"), ("q2", "t2"), ("q1", "t1"), ("q3", None), ("q1", "t2")]
    known = Known({("q1", "t1"): 0.1, ("q2", "t2"): 0.2, ("q1", "t2"): 0.3})
    monkeypatch.setattr(quality_estimation, "Estimator", lambda _: known)
    rows = [{"language": "sw", "source_rationale": source, "rationale": text} for source, text in pairs]
    scored = QualityEstimationCheck(QualityEstimationSettings()).score(from_rows(rows))
    assert scored.scores["quality_estimation_rationale"] == [0.1, 0.2, 0.1, None, 0.3]
    assert scored.scores["quality_estimation_question"] == [None] * 5
    assert known.asked == [("q1", "t1"), ("q2", "t2"), ("q1", "t2")]


class Model:
    """The parts of a COMET model that a worker uses: a score is the number that is the translation."""

    def __init__(self) -> None:
        self.encoder = SimpleNamespace(tokenizer=lambda text, **_: {"input_ids": text.split()})
        self.batches: list[list[str]] = []

    def prepare_sample(self, samples: list[dict[str, str]], stage: str) -> dict[str, Any]:
        self.batches.append([sample["mt"] for sample in samples])
        return {"scores": torch.tensor([float(sample["mt"].split()[0]) for sample in samples])}

    def predict_step(self, batch: dict[str, Any]) -> SimpleNamespace:
        return SimpleNamespace(**batch)


def scorer(model: Model) -> worker.Scorer:
    """A worker's scorer of a model that no checkpoint holds."""
    made = object.__new__(worker.Scorer)
    made.device, made._model, made._together, made._longest, made._batch_tokens = "cpu", model, True, 6, 8
    return made


def test_batches_are_alike_in_length_and_scores_in_order() -> None:
    model = Model()
    pairs = [("a b c", "1 x x"), ("a", "2"), ("a b c d", "3 x x"), ("a b", "4 x"), ("a", "5"), ("a", "6"), ("a", "7")]
    done: list[int] = []
    assert scorer(model).score(pairs, done.append) == [1.0, 2.0, None, 4.0, 5.0, 6.0, 7.0]
    assert model.batches == [["2", "5", "6", "7"], ["4 x"], ["1 x x"]]
    assert done == [4, 5, 6]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_score_that_is_no_number_is_none(number: str) -> None:
    with pytest.raises(worker.UnusableError, match=f"the score of a text is {number}; valid: a model that gives num"):
        scorer(Model()).score([("a", "1"), ("a", number)], lambda _: None)


@pytest.fixture
def process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlantedProcess:
    return PlantedProcess(tmp_path / "process", monkeypatch)


class Run:
    """A run's folder with two checked shards, and the stage over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = QualityEstimationSettings(model=str(make_model(folder / "model")))
        self.checked = StageFolder(folder / "check", "1")
        for place, rows in enumerate([[row(1), row(2)], [row(3)]]):
            self.checked.write(place, from_rows(rows))
        self.checked.close(2)

    def estimate(self, *, retries: int = 1) -> list[float | None]:
        """The questions' scores, as an engine has them made."""
        (self.folder / "translate").mkdir(exist_ok=True)
        carried = CarriedTexts(self.folder / "translate")
        carried.freeze(ReviewFiles(self.folder))
        stage = EstimateStage(QualityEstimationCheck(self.settings), carried=carried)
        folder = StageFolder(self.folder / stage.name, stage.signature)
        LocalEngine(retries=retries).run(stage, self.checked.shards(), folder)
        rows = [one for shard in folder.shards() for one in read_shard(shard).to_pylist()]
        return [one["scores"]["quality_estimation_question"] for one in rows]


def test_what_the_process_is_told(process: PlantedProcess, tmp_path: Path) -> None:
    assert Run(tmp_path).estimate() == [0.01, 0.02, 0.03]
    first, second, third = process.told
    model = tmp_path / "model"
    assert first == {
        "checkpoint": str(model / CHECKPOINT), "hparams": str(model / "hparams.yaml"), "offline": "1",
        "encoder": str(tmp_path / "model-encoder"), "device": "auto", "batch_tokens": None, "trust": False,
    }  # fmt: skip
    assert second["pairs"][0] == ["Has Ana 1 apples?", "Ana ana tufaha 1?"]
    assert len(second["pairs"]) == 4
    assert third["pairs"] == [["Has Ana 3 apples?", "Ana ana tufaha 3?"], ["She has 3.", "Ana 3."]]


@pytest.mark.parametrize("orders", [["kill"], ["none", "kill"], ["none", "fail"]])
def test_a_process_that_died_is_begun_anew(orders: list[str], process: PlantedProcess, tmp_path: Path) -> None:
    process.order(*orders)
    assert Run(tmp_path).estimate() == [0.01, 0.02, 0.03]
    assert sum("checkpoint" in told for told in process.told) == 2


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("kill", r"ended by SIGKILL, perhaps for want of memory; set a smaller batch_tokens; run the same command"),
        ("fail", r"COMET's process ended \(KeyError: 'src'\)"),
    ],
)
def test_why_a_process_died_again_is_told(order: str, expected: str, process: PlantedProcess, tmp_path: Path) -> None:
    process.order("none", order, order)
    run = Run(tmp_path)
    with pytest.raises(StageError, match=expected) as caught:
        run.estimate()
    assert len(str(caught.value).splitlines()) == 1
    # The first shard is kept.
    assert run.estimate() == [0.01, 0.02, 0.03]
    assert process.pairs.count(["Has Ana 1 apples?", "Ana ana tufaha 1?"]) == 1


def test_a_model_that_cannot_be_used_is_not_tried_again(process: PlantedProcess, tmp_path: Path) -> None:
    process.order("error")
    with pytest.raises(ModelError, match=r"quality_estimation\.model '.*model': the score of a text is nan"):
        Run(tmp_path).estimate()
    assert sum("checkpoint" in told for told in process.told) == 1


def test_what_a_person_wrote_is_not_estimated(process: PlantedProcess, tmp_path: Path) -> None:
    run = Run(tmp_path)
    (tmp_path / "review").mkdir()
    verdicts = [resolve(row(1), "fix", question="Ana ana tufaha moja?"), resolve(row(2), "accept")]
    review(tmp_path, verdicts, [row(1), row(2)])
    assert run.estimate() == [None, 0.02, 0.03]
    assert len(process.pairs) == 4


def test_what_the_signature_depends_on(process: PlantedProcess, tmp_path: Path) -> None:
    model = make_model(tmp_path / "model")
    settings = QualityEstimationSettings(model=str(model))
    encoder = tmp_path / "model-encoder"
    signatures = [Estimator(settings).signature]
    for folder, file, text in (
        (encoder, "tokenizer.json", '{"version": 2}'),
        (encoder, "config.json", '{"layers": 2}'),
        (encoder, "sentencepiece.bpe.model", "pieces"),
        (model, CHECKPOINT, "other weights"),
    ):
        write_files(folder, {file: text})
        signatures.append(Estimator(settings).signature)
    assert len(set(signatures)) == len(signatures)
    write_files(encoder, {"README.md": "says something else", "model.safetensors": "weights of no use"})
    assert Estimator(settings).signature == signatures[-1]
