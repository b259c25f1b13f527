"""The loop: what is learned in one round of reviewing, training and measuring is carried into the next.

In a round N of a run that `mcot curate` finished (N = 1 and on):

    mcot round start RUN                              RUN/rounds/00N/ with settings.yaml, review.yaml and train.yaml
    mcot curate RUN/rounds/00N/settings.yaml          decides the rows in this round; what people judged is applied
    mcot review push RUN --settings .../review.yaml   people's verdicts, then `pull`; or `export` and `import`
    mcot calibrate RUN --output .../thresholds.yaml   thresholds from the verdicts, where there are enough
    mcot curate RUN/rounds/00N/thresholds.yaml        decides anew
    mcot train RUN/rounds/00N/train.yaml --evaluate mgsm
    mcot publish RUN --repo-id ORG/NAME               if it is to be
    mcot round finish RUN                             compares with the round before, writes the round's record

`mcot round status RUN` says at any time which of these is next. A round is open from the moment its record is there
and finished once that holds what it came to; both are written whole, so a kill leaves a round as it was or done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mcot.core.errors import RunError, SettingsError, choose
from mcot.core.files import write_json
from mcot.review import apply_reviews
from mcot.round_facts import read_dataset
from mcot.round_models import compare_evaluations
from mcot.round_plan import Plan
from mcot.round_record import (
    FINISHED,
    OPEN,
    VERSION,
    hold_rounds,
    open_round,
    place,
    read_rounds,
    round_folder,
    write_round,
)
from mcot.round_start import make_plan, pick_benchmarks, read_review_settings, read_train_settings, write_settings
from mcot.round_status import NEEDED, State, Step, list_steps, read_state

__all__ = ["Finished", "Started", "finish_round", "round_status", "start_round"]


@dataclass(frozen=True, slots=True)
class Started:
    """A round that was started.

    Attributes:
        number: from 1.
        folder: with its settings.
        plan: of the review's budget.
    """

    number: int
    folder: Path
    plan: Plan


@dataclass(frozen=True, slots=True)
class Finished:
    """A round that is finished.

    Attributes:
        record: as its file has it.
        fresh: whether it was finished now, and not found so.
    """

    record: dict[str, Any]
    fresh: bool


def start_round(
    run: Path, *, review: Path | None = None, train: Path | None = None, budget: int | None = None
) -> Started:
    """Open a run's next round. Killed at any moment, doing it again completes it.

    Args:
        run: the folder of a finished run or audit.
        review: settings of `mcot review` to go on from; by default those of the round before.
        train: settings of `mcot train`, the same.
        budget: rows that people are to judge, of all languages together; as many as the settings ask for by default.

    Raises:
        RunError: the run is not finished, or a round is open.
        SettingsError: one of the settings is wrong.
    """
    rows = read_dataset(run)["rows"]
    with hold_rounds(run):
        records = read_rounds(run)
        if records and records[-1]["state"] == OPEN:
            number = records[-1]["round"]
            raise RunError(
                f"run folder {run}: round {number} is open; see what it lacks with `mcot round status {run}`, "
                f"end it with `mcot round finish {run}`, then start another"
            )
        number = len(records) + 1
        settings = read_review_settings(run, review, number)
        training = read_train_settings(run, train, number)
        plan = make_plan(run, settings, rows, records, budget)
        write_settings(run, number, settings, plan, training, _left_over(records))
        told = {"budgets": plan.budgets, "why": list(plan.why)}
        # Last: without it nothing was started.
        record = {"format": VERSION, "round": number, "state": OPEN, "plan": told}
        write_round(run, {**record, "benchmarks": pick_benchmarks(records), "noted": {}})
    return Started(number, round_folder(run, number), plan)


def _left_over(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What the last round calibrated and no curation took up; what it took up the run's own settings have."""
    if not records:
        return {}
    found: Mapping[str, Any] = records[-1].get("calibration") or {}
    return {} if found.get("adopted") else found


def round_status(run: Path) -> tuple[dict[str, Any] | None, list[Step]]:
    """The record of the last round, None before the first, and the steps of the open one.

    Raises:
        RunError: the folder is no run's, or a file of it is damaged.
    """
    records = read_rounds(run)
    if not records:
        read_dataset(run)
        return None, []
    record = records[-1]
    return record, list_steps(read_state(run, record)) if record["state"] == OPEN else []


def finish_round(run: Path, *, without: Sequence[str] = ()) -> Finished:
    """Finish the open round: apply what was judged, compare with the round before, and write the record.

    Finishing again changes nothing. Killed at any moment the round is open as before, or finished.

    Args:
        run: the run's folder.
        without: steps that it is to be finished without, of `NEEDED`.

    Raises:
        RunError: no round was started, or a step of it is not done.
        SettingsError: `without` names something else.
    """
    for name in without:
        if name not in NEEDED:
            raise SettingsError(f"--without: got {name!r}; {choose(name, NEEDED)}")
    records = read_rounds(run)
    if not records:
        raise RunError(f"run folder {run}: no round was started; start one with `mcot round start {run}`")
    record = records[-1]
    if record["state"] == FINISHED:
        return Finished(record, fresh=False)
    # Verdicts may have been taken by a command that was killed before it applied them.
    apply_reviews(run)
    state = read_state(run, record)
    _check_steps(state, without)
    comparison = _compare(state, records[:-1])
    content = _make_record(state, comparison, without)
    with hold_rounds(run):
        if open_round(run) != record:
            raise RunError(f"run folder {run}: another process noted something of round {record['round']} just now; "
                           "run the same command again")  # fmt: skip
        write_round(run, content)
    return Finished(content, fresh=True)


def _check_steps(state: State, without: Sequence[str]) -> None:
    steps = list_steps(state)
    missing = [step for step in steps if step.needed and not step.done and step.name not in without]
    # New thresholds that nothing was decided by would be written down as this round's.
    missing += [step for step in steps if step.name == "curate again" and not step.done and "curate" not in without]
    if isinstance(state.dataset, str):
        raise RunError(state.dataset)
    if missing:
        lacking = ["curate" if step.name == "curate again" else step.name for step in missing]
        # With what was given already: typed as it is said, the command does it.
        names = ",".join(dict.fromkeys([*without, *lacking]))
        told = "; ".join(f"{step.name}: {step.says}" for step in missing)
        raise RunError(
            f"round {state.record['round']} is not done ({told}); next: `{missing[0].command}`, or finish it as it is "
            f"with --without {names}"
        )


def _compare(state: State, earlier: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The paired comparison with the last round that was evaluated; None where there is no such round."""
    folder, evaluation = state.evaluation
    before = next((record for record in reversed(earlier) if record.get("evaluation")), None)
    if evaluation is None or before is None:
        return None
    whole, short, refused = compare_evaluations(state.run / before["evaluation"]["folder"], folder)
    if whole:
        write_json(round_folder(state.run, state.record["round"]) / "comparison.json", whole)
    return {"with": before["round"], "benchmarks": short, "refused": refused}


def _make_record(state: State, comparison: dict[str, Any] | None, without: Sequence[str]) -> dict[str, Any]:
    folders = {"trained": state.training, "evaluation": state.evaluation}
    found = {
        name: None if content is None else {"folder": place(folder, state.run), **content}
        for name, (folder, content) in folders.items()
    }
    calibration = {**state.calibration, "adopted": state.adopted} if state.calibration else None
    return {
        **{key: value for key, value in state.record.items() if key != "noted"},
        "state": FINISHED,
        "version": version("mcot-math"),
        "without": sorted(set(without)),
        "dataset": state.dataset,
        "review": state.review,
        "calibration": calibration,
        **found,
        "comparison": comparison,
        "published": state.record["noted"].get("published"),
    }
