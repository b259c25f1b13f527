"""Where COMET's model and its encoder are, with and without the Hub."""

from pathlib import Path

import pytest
from huggingface_hub.errors import GatedRepoError, RemoteEntryNotFoundError

from curation.quality_estimation import model as comet_model
from curation.quality_estimation.model import CHECKPOINT, download, find_model
from mcot.core.errors import ModelError
from mcot.core.quality_settings import QualityEstimationSettings
from tests.curation.planted_comet import COMMIT, ENCODER, HPARAMS, PlantedCache, make_model, write_files


@pytest.mark.parametrize(
    ("model", "revision", "expected"),
    [
        ("no-such-folder", None, "no such folder; valid: a reference-free COMET model of the Hub, or a folder with"),
        ("lacking", None, "the folder has no checkpoints/model.ckpt"),
        ("lacking", "main", "a folder has no revision; leave out revision 'main'"),
        ("Unbabel/none", None, "is no folder here, and its hparams.yaml could not be had from the Hub"),
    ],
)
def test_models_that_are_not_there(
    model: str, revision: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "hparams.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=expected) as caught:
        find_model(QualityEstimationSettings(model=model, revision=revision))
    assert len(str(caught.value).splitlines()) == 1


def test_a_model_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = PlantedCache(tmp_path / "hub", monkeypatch)
    settings = QualityEstimationSettings(model="some/model")
    hparams = {"hparams.yaml": HPARAMS.format("some/encoder")}
    unreachable = r"the Hub can't be reached, and it was not downloaded before"
    model = r"quality_estimation\.model 'some/model'"

    def expect(message: str) -> None:
        with pytest.raises(ModelError, match=message) as caught:
            find_model(settings)
        assert len(str(caught.value).splitlines()) == 1

    expect(rf"{model}: is no folder here, and its hparams\.yaml could not be had from the Hub \({unreachable}\)")
    snapshot = cache.add("some/model", hparams)
    expect(rf"{model}: its encoder 'some/encoder': is no folder here and could not be had from the Hub \({unreachable}")
    encoder = cache.add("some/encoder", {"README.md": "an encoder"})
    expect(rf"{model}: its encoder 'some/encoder': has no config\.json \({unreachable}\)")
    cache.add("some/encoder", {"config.json": "{}"})
    expect(rf"{model}: its encoder 'some/encoder': has no tokenizer \({unreachable}\)")
    cache.add("some/encoder", ENCODER)
    found = find_model(settings)
    assert (found.revision, found.on_hub, found.name) == (COMMIT, True, "some/model")
    assert found.encoder == encoder
    # What is there of a model is no reason to say that it is none.
    with pytest.raises(ModelError, match=rf"{model}: its checkpoints/model\.ckpt could not be had.*{unreachable}"):
        download("some/model", CHECKPOINT, found.revision)
    write_files(snapshot, {CHECKPOINT: "weights"})
    assert download("some/model", CHECKPOINT, found.revision) == snapshot / CHECKPOINT


class LostError(Exception):
    """What an HTTP library may raise of its own."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RemoteEntryNotFoundError, r"has no hparams\.yaml, so it is no COMET model"),
        (
            GatedRepoError,
            r"is gated; accept its terms at https://huggingface\.co/some/mod",
        ),
        (LostError, r"its hparams\.yaml could not be had from the Hub \(no route\); valid: "),
    ],
)
def test_what_the_hub_may_say(error: type[Exception], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        # Without the response that its class asks for, which is of one HTTP library or another.
        raise error.__new__(error, "no route")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fail)
    monkeypatch.setattr(comet_model, "hub_is_reachable", lambda: True)
    with pytest.raises(ModelError, match=rf"^quality_estimation\.model 'some/model': .*{expected}") as caught:
        find_model(QualityEstimationSettings(model="some/model"))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("hparams", "expected"),
    [
        ("a: [", r"its hparams\.yaml is no YAML \(while parsing"),
        ("[]", r"its hparams\.yaml names no encoder \(pretrained_model\); valid: "),
        ("class_identifier: unified_metric", r"names no encoder \(pretrained_model\)"),
        ("pretrained_model: 7", r"names no encoder \(pretrained_model\)"),
        (HPARAMS.format("no/such"), r"its encoder 'no/such': is no folder here and could not be had from the Hub"),
        (HPARAMS.format("x") + "encoder_model: MiniLM", r"its encoder_model is MiniLM, which can't be used"),
    ],
)
def test_faults_of_hparams(hparams: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    PlantedCache(tmp_path / "hub", monkeypatch)
    model = write_files(make_model(tmp_path / "model"), {"hparams.yaml": hparams})
    with pytest.raises(ModelError, match=expected) as caught:
        find_model(QualityEstimationSettings(model=str(model)))
    assert len(str(caught.value).splitlines()) == 1
