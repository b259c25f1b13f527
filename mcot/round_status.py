"""How far a round is, step by step, and the command that is to be typed next: derived from the files each time."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.estimates import CORRECTED
from annotation.labels import ALL
from datasets_card.figures import show_percent
from mcot.core.benchmarks import BENCHMARKS
from mcot.core.errors import RunError
from mcot.core.reviews import read_decided
from mcot.review import is_audit
from mcot.round_facts import curation_round, read_dataset, read_review, sign_verdicts
from mcot.round_models import find_evaluation, find_training, read_evaluation, read_training
from mcot.round_record import round_folder

__all__ = ["NEEDED", "State", "Step", "list_steps", "read_state", "show_accuracy", "show_precision", "show_share"]

#: Steps that a round has before it is finished, unless it is finished without them.
NEEDED = ("curate", "review", "train", "evaluate")


@dataclass(frozen=True, slots=True)
class State:
    """What a round has come to.

    Attributes:
        run: its folder.
        record: the open round's.
        dataset: as `read_dataset` gives it, or why there is none.
        curated: the round that the rows were decided in; None for an audit.
        review: as `read_review` gives it.
        training: the folder, and as `read_training` gives it.
        evaluation: the folder, and as `read_evaluation` gives it.
    """

    run: Path
    record: Mapping[str, Any]
    dataset: dict[str, Any] | str
    curated: int | None
    review: dict[str, Any]
    training: tuple[Path, dict[str, Any] | None]
    evaluation: tuple[Path, dict[str, Any] | None]

    @property
    def calibration(self) -> dict[str, Any]:
        """What `mcot calibrate` noted; empty where it did not run in this round."""
        return dict(self.record.get("noted", {}).get("calibration", {}))

    @property
    def adopted(self) -> bool:
        """Whether the rows are decided by the thresholds that were calibrated, if there are any."""
        if isinstance(self.dataset, str):
            return False
        stand = self.dataset["thresholds"]
        found = self.calibration.get("thresholds", {})
        return all(stand.get(code, {}).get(name) == band for code, by in found.items() for name, band in by.items())


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a round.

    Attributes:
        name: one word.
        done: whether nothing is left to do of it.
        says: what there is of it, in words and figures.
        command: what to type next; None where it is done.
    """

    name: str
    done: bool
    says: str
    command: str | None = None

    @property
    def needed(self) -> bool:
        """Whether a round is not finished without it, unless that is asked for."""
        return self.name in NEEDED


def read_state(run: Path, record: Mapping[str, Any]) -> State:
    """Read what a round has come to.

    Args:
        run: the run's folder.
        record: the open round's.

    Raises:
        RunError: the folder is no run's, or a file of it is damaged.
    """
    read_decided(run)
    try:
        dataset: dict[str, Any] | str = read_dataset(run)
    except RunError as error:
        dataset = str(error)
    signature = "" if isinstance(dataset, str) else str(dataset["signature"])
    training, evaluation = find_training(run, record), find_evaluation(run, record)
    return State(
        run, record, dataset, curation_round(run), read_review(run, record["round"]),
        (training, read_training(run, training, signature)),
        (evaluation, read_evaluation(evaluation, training)),
    )  # fmt: skip


def list_steps(state: State) -> list[Step]:
    """The steps of a round in their order."""
    steps = [_curate(state), _review(state), _calibrate(state), _adopt(state), _train(state), _evaluate(state)]
    return [step for step in [*steps, _publish(state)] if step is not None]


def _command(*parts: object) -> str:
    return " ".join(shlex.quote(str(part)) for part in parts)


def _files(state: State) -> Path:
    return round_folder(state.run, state.record["round"])


def _decide(state: State, settings: Path) -> str:
    """The command that decides the rows anew. Of an audit only its user knows the input."""
    if is_audit(state.run):
        return f"mcot audit INPUT {_command('--output', state.run, '--settings', settings)}"
    return _command("mcot", "curate", settings)


def _curate(state: State) -> Step:
    number = state.record["round"]
    if isinstance(state.dataset, str):
        return Step("curate", False, "it was cut off, or is at it still", _decide(state, state.run / "settings.yaml"))
    totals = {
        name: sum(rows for code, rows in by.items() if code != "en") for name, by in state.dataset["rows"].items()
    }
    counts = f"{totals['dataset']:,} translations kept, {totals['review']:,} to review, {totals['rejected']:,} rejected"
    if state.curated is not None and state.curated != number:
        command = _decide(state, _files(state) / "settings.yaml")
        return Step("curate", False, f"{counts}, by the settings of round {state.curated}", command)
    return Step("curate", True, counts)


def _review(state: State) -> Step:
    review, settings = state.review, _files(state) / "review.yaml"
    drawn, settled, disputed, waiting = (
        sum(review[name].values()) for name in ("drawn", "settled", "disputed", "waiting")
    )
    options = ("--settings", settings)
    if not drawn:
        return Step("review", False, "no rows are drawn yet", _command("mcot", "review", "push", state.run, *options))
    says = f"{settled:,} of {drawn:,} rows are judged"
    if disputed:
        says += f", {disputed:,} in dispute"
    precision = review["precision"].get(ALL)
    if precision is not None:
        says += f"; good: {show_precision(precision)}"
    agreement = review["agreement"].get(ALL, {}).get("pairwise")
    if agreement is not None:
        says += f"; {100 * agreement:.1f}% of annotators' pairs agree"
    if waiting:
        return Step("review", False, says, _command("mcot", "review", "pull", state.run, *options))
    if disputed:
        return Step("review", False, f"{says}: adjudicators are to settle them",
                    _command("mcot", "review", "push", state.run, *options))  # fmt: skip
    return Step("review", True, says)


def _calibrate(state: State) -> Step:
    found = state.calibration
    output = _files(state) / "thresholds.yaml"
    command = _command("mcot", "calibrate", state.run, "--output", output)
    if not found:
        return Step("calibrate", False, "the thresholds were not held against this round's verdicts", command)
    if found.get("verdicts") != sign_verdicts(state.run) and not found.get("thresholds"):
        return Step("calibrate", False, "verdicts came since no threshold could be certified", command)
    if found.get("thresholds"):
        return Step("calibrate", True, f"thresholds for {', '.join(found['thresholds'])}, at {found['wanted']:g}")
    return Step("calibrate", True, "no threshold could be certified: the old ones stand")


def _adopt(state: State) -> Step | None:
    if not state.calibration.get("thresholds") or isinstance(state.dataset, str):
        return None
    if state.adopted:
        return Step("curate again", True, "the rows are decided by the new thresholds")
    file = state.run / str(state.calibration.get("file"))
    return Step("curate again", False, "the rows are decided by the old thresholds", _decide(state, file))


def _train(state: State) -> Step:
    folder, trained = state.training
    command = _train_command(state)
    if trained is None:
        return Step("train", False, "no model is trained yet, or its training was cut off", command)
    if not trained["of_this_dataset"]:
        return Step("train", False, f"{folder} learned the dataset as it was before", command)
    return Step("train", True, f"{folder}{_loss(trained)}")


def _train_command(state: State) -> str:
    known = [name for name in state.record["benchmarks"] if name in BENCHMARKS]
    asked = [part for name in known for part in ("--evaluate", name)]
    return _command("mcot", "train", _files(state) / "train.yaml", *asked)


def _loss(trained: Mapping[str, Any]) -> str:
    loss = trained["metrics"].get("held_out_loss")
    return "" if loss is None else f": loss {loss:.3f} on held-out problems"


def _evaluate(state: State) -> Step:
    folder, evaluation = state.evaluation
    # A training that is done is left alone.
    command, own = _train_command(state), [name for name in state.record["benchmarks"] if name not in BENCHMARKS]
    says = "nothing is measured yet"
    if own:
        command = "mcot evaluate SETTINGS"
        says += f"; the round before was on {', '.join(own)}: set `output: {_files(state) / 'evaluation'}`"
    if evaluation is None:
        return Step("evaluate", False, says, command)
    if evaluation["of_this_model"] is False:
        return Step("evaluate", False, f"{folder} is of another model than {state.training[0]}", command)
    figures = "; ".join(f"{name}: {show_accuracy(one)}" for name, one in evaluation["benchmarks"].items())
    return Step("evaluate", True, figures)


def _publish(state: State) -> Step:
    published = state.record.get("noted", {}).get("published")
    if published:
        told = " ".join(str(published[key]) for key in ("repo_id", "tag", "revision") if published.get(key))
        return Step("publish", True, told or "published")
    command = f"{_command('mcot', 'publish', state.run)} --repo-id ORG/NAME"
    return Step("publish", False, "not in this round", command)


def show_precision(precision: Mapping[str, Any]) -> str:
    """How many of the rows kept now are good, with the interval and what the figure rests on, as the card says it."""
    share, judged, before = show_share(precision), precision["judged"], precision.get("as_judged")
    # Records of versions before this one have no other share.
    raw = f" ({show_percent(before['value'])} as judged)" if before and CORRECTED in precision["basis"] else ""
    return f"{share} of the kept rows, {precision['basis']}{raw}, {judged:,} judged"


def show_share(share: Mapping[str, float]) -> str:
    """A share of 0 to 1 as percent, with its interval."""
    value, low, high = (show_percent(share[name]) for name in ("value", "low", "high"))
    return f"{value} ({low[:-1]} to {high[:-1]})"


def show_accuracy(measured: Mapping[str, Any]) -> str:
    """Mean accuracy and consistency of a benchmark, in words."""
    interval = measured["mean_intervals"].get("accuracy")
    ends = "" if interval is None else f" ({interval[0]:.1f} to {interval[1]:.1f})"
    words = f"{measured['means']['accuracy']:.1f}%{ends} solved"
    if "correct_consistency" in measured["means"]:
        words += f", {measured['means']['correct_consistency']:.1f}% in both of two languages"
    return words
