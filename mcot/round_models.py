"""The model of a round and what it can do: what a training's folder and an evaluation's tell."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.compare import compare_folders
from mcot.core.checkpoints import find_checkpoint
from mcot.core.errors import ModelError, RunError, SourceError
from mcot.core.files import read_json
from mcot.round_record import find_folder, round_folder
from training.source import open_source

__all__ = ["compare_evaluations", "find_evaluation", "find_training", "read_evaluation", "read_training"]

_MEANS = ("accuracy", "correct_consistency", "incorrect_consistency")


def find_training(run: Path, record: Mapping[str, Any]) -> Path:
    """Where a round's model is, or will be: what a command noted, else where the round's own settings put it."""
    noted = find_folder(run, record.get("noted", {}).get("trained"))
    return noted or round_folder(run, record["round"]) / "training"


def find_evaluation(run: Path, record: Mapping[str, Any]) -> Path:
    """Where a round's evaluation is, or will be: what a command noted, else beside the model or in its folder."""
    own = round_folder(run, record["round"]) / "evaluation"
    noted = find_folder(run, record.get("noted", {}).get("evaluation"))
    places = [noted, own, find_training(run, record) / "evaluation"]
    return next((place for place in places if place is not None and any(_metrics(place))), own)


def read_training(run: Path, folder: Path, dataset: str) -> dict[str, Any] | None:
    """What was trained; None where no training is finished.

    Args:
        run: the run's folder.
        folder: of the training.
        dataset: the signature of the run as it is now.

    Returns:
        `signature`, the `dataset` that it learned, `metrics`, and whether it is the dataset's as it is `now`.
    """
    mark = read_json(folder / "training.json")
    if not isinstance(mark.get("signature"), str) or not mark.get("files"):
        return None
    learned = mark.get("dataset", {})
    metrics = {name: value for name, value in mark.get("metrics", {}).items() if name != "seconds"}
    now = learned.get("run_signature") == dataset or _is_same_dataset(run, mark)
    return {"signature": mark["signature"], "dataset": learned, "metrics": metrics, "of_this_dataset": now}


def _is_same_dataset(run: Path, mark: Mapping[str, Any]) -> bool:
    """Whether the rows are those that were learned, though something else of the run has changed."""
    try:
        source = open_source(run, mark.get("settings", {}).get("languages"))
    except (RunError, SourceError):
        return False
    return bool(source.signature == mark.get("dataset", {}).get("signature"))


def read_evaluation(folder: Path, training: Path) -> dict[str, Any] | None:
    """What a model can do; None where nothing was evaluated.

    Args:
        folder: of the evaluation, with one model's `metrics.json` for each benchmark.
        training: whose model it may be of.

    Returns:
        `benchmarks`: by name, `accuracy` with its intervals, `means` and their intervals, in percent, and how many
        problems each language `lost`; and whether it is of the model as it is `of_this_model` (None if not known).

    Raises:
        RunError: the folder holds several models' evaluations.
    """
    found = list(_metrics(folder))
    if not found:
        return None
    models = {str(metrics.get("model", {}).get("name")) for _, metrics in found}
    if len(models) > 1:
        named = ", ".join(sorted(models))
        raise RunError(f"evaluation {folder}: is of {len(models)} models; give the folder of one of them: {named}")
    benchmarks = {_name(metrics): _describe(path, metrics) for path, metrics in found}
    revisions = {metrics.get("model", {}).get("revision") for _, metrics in found}
    return {"benchmarks": benchmarks, "of_this_model": _is_this_model(training, revisions)}


def _metrics(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The metrics of a folder: of one benchmark, or of each below it."""
    paths = [folder / "metrics.json"] if (folder / "metrics.json").exists() else []
    for path in paths or sorted(folder.glob("*/metrics.json")) or sorted(folder.glob("*/*/metrics.json")):
        metrics = read_json(path)
        if isinstance(metrics.get("accuracy"), dict):
            yield path, metrics


def _name(metrics: Mapping[str, Any]) -> str:
    return str(metrics.get("benchmark", {}).get("name") or "predictions")


def _describe(path: Path, metrics: Mapping[str, Any]) -> dict[str, Any]:
    intervals = metrics.get("intervals", {})
    lost = read_json(path.with_name("feedback.json")).get("languages", {})
    return {
        "scorer": metrics.get("scorer"),
        "problems": metrics["problems"],
        "accuracy": metrics["accuracy"],
        "accuracy_intervals": intervals.get("accuracy", {}),
        "means": {name: metrics["means"][name] for name in _MEANS if metrics["means"].get(name) is not None},
        "mean_intervals": {name: ends for name, ends in intervals.get("means", {}).items() if name in _MEANS},
        "lost": {code: len(one["lost"]) for code, one in lost.items()},
        "signature": metrics.get("signature"),
    }


def _is_this_model(training: Path, revisions: set[Any]) -> bool | None:
    """Whether a training's model is the one of these revisions; None where that can't be told."""
    folders = [folder for name in ("merged", "model") if (folder := training / name).is_dir()]
    if None in revisions or not folders:
        return None
    try:
        # An adapter alone is no model: what was asked is then another's folder.
        found = find_checkpoint(str(folders[0]), revision=None, where="model", advice="give a model")
    except ModelError:
        return None
    return {found.revision} == revisions


def compare_evaluations(before: Path, after: Path) -> tuple[dict[str, Any], dict[str, Any], str | None]:
    """Compare two evaluations on the same problems, paired.

    Returns:
        The comparison as `comparison.json` has it, the same without the problems that flipped, and why there is none.
    """
    try:
        found = {name: one.to_json() for name, one in compare_folders(before, after).items()}
    except SourceError as error:
        return {}, {}, str(error)
    short = {name: {key: value for key, value in one.items() if key != "flips"} for name, one in found.items()}
    return found, short, None
