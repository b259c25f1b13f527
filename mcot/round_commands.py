"""`mcot round`: one round after another, and what became of them."""

from pathlib import Path
from typing import Annotated

import typer

from mcot.core.progress import say

__all__ = ["rounds"]

rounds = typer.Typer(
    name="round",
    help="Go round again: start a round, see what is next, finish it, and see what the rounds came to.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Run = Annotated[Path, typer.Argument(help="The folder that `mcot curate` or `mcot audit` wrote.")]


@rounds.command()
def start(
    run: Run,
    review: Annotated[
        Path | None, typer.Option(help="Settings of `mcot review` to go on from; by default the last round's.")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="Settings of `mcot train` to go on from; by default the last round's.")
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(min=1, help="Rows to review, of all languages together; by default what the settings come to."),
    ] = None,
) -> None:
    """Open the next round: RUN/rounds/NNN/ gets settings.yaml, review.yaml and train.yaml, ready to use.

    The review's budget goes to the languages that lost most problems in the last evaluation and whose kept rows are
    least surely good; half of it is shared evenly. What was calibrated in the last round is in settings.yaml.
    """
    from mcot.rounds import start_round

    started = start_round(run, review=review, train=train, budget=budget)
    say(f"round {started.number}: {started.folder} has settings.yaml, review.yaml and train.yaml")
    for line in started.plan.why:
        say(f"  review: {line}")
    _say_status(run)


@rounds.command()
def status(run: Run) -> None:
    """Say in plain words what is done in the open round, with figures, and the command to type next."""
    _say_status(run)


@rounds.command()
def finish(
    run: Run,
    without: Annotated[
        list[str] | None, typer.Option(help="Finish without curate, review, train or evaluate; with commas or again.")
    ] = None,
) -> None:
    """Compare with the round before, on the same problems, and write down what the round came to.

    Verdicts that were taken are applied first. Finishing again changes nothing.
    """
    from mcot.round_record import record_path
    from mcot.rounds import finish_round

    names = [name.strip() for given in without or [] for name in given.split(",") if name.strip()]
    finished = finish_round(run, without=names)
    record = finished.record
    was = "is finished" if finished.fresh else "was finished before"
    say(f"round {record['round']} {was}: {record_path(run, record['round'])}")
    comparison = record["comparison"]
    if comparison and comparison["refused"]:
        say(f"not compared with round {comparison['with']}: {comparison['refused']}")
    for name, one in (comparison or {}).get("benchmarks", {}).items():
        change = one["means"]["accuracy"]
        low, high = change["interval"]
        say(
            f"{name}: {change['second']:.1f}% solved, {change['difference']:+.1f} points since round "
            f"{comparison['with']} (95% interval {low:+.1f} to {high:+.1f})"
        )
    say(f"next: mcot round start {run}, or mcot round history {run}")


@rounds.command()
def history(run: Run) -> None:
    """Show accuracy, consistency, rows and precision over the rounds: a table, and RUN/rounds/history.{json,png}."""
    from mcot.round_history import print_history, write_history
    from mcot.round_record import open_round, rounds_folder

    found = write_history(run)
    print_history(found, title=f"Rounds of {run}")
    if (record := open_round(run)) is not None:
        say(f"round {record['round']} is open")
    say(f"the same: {rounds_folder(run) / 'history.json'}, and as a picture: {rounds_folder(run) / 'history.png'}")


def _say_status(run: Path) -> None:
    from mcot.rounds import round_status

    record, steps = round_status(run)
    if record is None or not steps:
        last = "no round was started" if record is None else f"round {record['round']} is finished"
        say(last)
        say(f"next: mcot round start {run}")
        return
    say(f"round {record['round']} of {run}:")
    for step in steps:
        say(f"  [{'x' if step.done else ' '}] {step.name}: {step.says}")
    waiting = [step for step in steps if not step.done]
    needed = next((step.command for step in waiting if step.needed), f"mcot round finish {run}")
    first = next((step for step in waiting if step.command is not None), None)
    say(f"next: {needed if first is None else first.command}")
    if first is not None and not first.needed and first.name != "curate again":
        say(f"  or, without {first.name}: {needed}")
