"""The whole loop on the embedded default, again and again: curate, review, calibrate, train, measure, publish.

Every step is the command that one would type, run as it would be then; of people alone it has only simulated ones.
What comes of it tells how the loop works. It tells nothing of how good anything is elsewhere: the translator knows
only the sentences of such problems, and the model learns one or two steps of arithmetic with numbers up to twelve.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from mcot.core.errors import RunError, SettingsError
from mcot.core.files import lock_folder, read_json, write_file, write_json
from mcot.core.languages import TARGETS
from mcot.core.progress import say
from mcot.demo_annotators import ERRORS, Annotators, name_annotators
from mcot.demo_problems import draw_sets, read_truth, write_benchmark, write_sources
from mcot.demo_steps import Steps
from mcot.round_record import read_rounds, round_folder

__all__ = ["MOST_ROUNDS", "PROBLEMS", "Plan", "run_rounds"]

#: How many problems are translated by default.
PROBLEMS = 160
#: After these nobody has anything left to judge.
MOST_ROUNDS = 3
# Of the folder's content: another one is no demo to go on with.
_VERSION = 1
_MARK = "demo.json"
_STEPS_BEFORE, _STEPS_OF_A_ROUND = 1, 14


@dataclass(frozen=True, slots=True)
class Plan:
    """What the demo does in each round.

    Attributes:
        problems: English ones, to be translated and learned.
        measured: others, on which every round's model is measured, in every language.
        languages: to translate into, ISO 639-1.
        epochs: of training.
    """

    problems: int = PROBLEMS
    measured: int = 60
    languages: Sequence[str] = tuple(language.code for language in TARGETS)
    epochs: float = 6.0

    @property
    def budget(self) -> int:
        """Rows of each language that annotators see in a round: enough for `MOST_ROUNDS`, the last with fewer."""
        return max(1, 3 * self.problems // 8)


def run_rounds(output: Path, rounds: int, plan: Plan | None = None) -> None:
    """Go round so many times, or go on where it was stopped.

    Args:
        output: the demo's folder: new, empty, or of the same demo with as many rounds or fewer.
        rounds: at least 1, at most `MOST_ROUNDS`.
        plan: of each round.

    Raises:
        SettingsError: that many rounds can't be gone.
        RunError: the folder holds something else, or a demo of another plan.
        UserError: as the commands raise it.
    """
    # The command line has this module among its own.
    from mcot.cli import app

    if not 1 <= rounds <= MOST_ROUNDS:
        raise SettingsError(f"--rounds: got {rounds}; valid: 1 to {MOST_ROUNDS}, as then every row has been judged")
    plan, began = plan or Plan(), time.monotonic()
    _check_folder(output, plan)
    with lock_folder(output, "folder"):
        annotators = _prepare(output, plan)
        _say_what_it_is(plan)
        run, count = output / "run", _STEPS_BEFORE + rounds * _STEPS_OF_A_ROUND
        steps = Steps(
            output / "steps.json", total=count, run=lambda words: app(words, prog_name="mcot", standalone_mode=False)
        )
        steps.command("curate", output / "settings.yaml")
        for number in range(1, rounds + 1):
            _go_round(steps, output, run, number, annotators)
        say(f"\n$ mcot round history {run}")
        app(["round", "history", str(run)], prog_name="mcot", standalone_mode=False)
        _say_end(output, *annotators.count_good(run), time.monotonic() - began)


def _go_round(steps: Steps, output: Path, run: Path, number: int, annotators: Annotators) -> None:
    """One round, from what the last one left to the published set."""
    here = round_folder(run, number)
    review, given, disputed = here / "review.yaml", here / "annotators", here / "adjudicator"
    # Later rounds go on from the settings of the one before.
    given_first = ("--review", output / "review.yaml", "--train", output / "train.yaml") if number == 1 else ()
    steps.command("round", "start", run, *given_first, unless=lambda: len(read_rounds(run)) == number)
    steps.command("curate", here / "settings.yaml")
    # People: each language's two, then somebody else where they disagree.
    steps.command("review", "export", run, "--output", given, "--settings", review)
    steps.do(f"simulated annotators fill in the files of {given}", lambda: _fill_in(annotators, given))
    steps.command("review", "import", run, given / "*.csv", "--settings", review)
    steps.command("review", "export", run, "--output", disputed, "--settings", review, "--adjudication")
    steps.do(f"a simulated adjudicator fills in the file of {disputed}", lambda: _fill_in(annotators, disputed))
    steps.command("review", "import", run, disputed / "*.csv", "--settings", review)
    # Thresholds that their verdicts bear out, or those that stand where the verdicts are too few.
    found = here / "thresholds.yaml"
    steps.command("calibrate", run, "--precision", "0.9", "--output", found, may_refuse=True)
    steps.command("curate", here / "thresholds*.yaml")
    steps.command("train", here / "train.yaml")
    _write_evaluation(here, output / "held-out")
    steps.command("evaluate", here / "evaluation.yaml")
    steps.command("publish", run, "--settings", output / "publish.yaml", "--dry-run", output / "published", "--yes")
    steps.command("round", "finish", run)


def _fill_in(annotators: Annotators, folder: Path) -> None:
    rows = annotators.fill_in(folder) if folder.is_dir() else 0
    say(
        f"{rows:,} verdicts; each of them errs on {100 * annotators.errors:g}% of the rows" if rows else "nothing to do"
    )


def _check_folder(output: Path, plan: Plan) -> None:
    """See that the folder is new, empty or this demo's. Only looks."""
    mark, another = read_json(output / _MARK), "give another --output"
    if output.exists() and not output.is_dir():
        raise RunError(f"folder {output}: is a file; {another}")
    if not mark and output.is_dir() and any(not path.name.startswith(".") for path in output.iterdir()):
        raise RunError(f"folder {output}: is not empty and holds no demo of rounds (no {_MARK}); {another}")
    for key, value in _identity(output, plan).items():
        if mark and mark.get(key) != value:
            got = f"{key} {mark.get(key)} there, {value} now"
            raise RunError(f"folder {output}: holds a demo of rounds that was begun otherwise ({got}); go on as it was "
                           f"begun, or {another}")  # fmt: skip


def _identity(output: Path, plan: Plan) -> dict[str, Any]:
    told = {**asdict(plan), "languages": list(plan.languages)}
    # The settings files name the folder as it was given.
    return {"version": _VERSION, **told, "folder": str(output)}


def _prepare(output: Path, plan: Plan) -> Annotators:
    """Write what a person would have at hand: problems, settings, problems to measure on. Gives those who annotate."""
    learned, measured = draw_sets(plan.problems, plan.measured)
    write_json(output / _MARK, _identity(output, plan))
    sources = output / "problems.jsonl"
    write_sources(sources, learned)
    write_benchmark(output / "held-out", measured, ["en", *plan.languages])
    for name, content in _settings(output, plan).items():
        write_file(output / f"{name}.yaml", yaml.safe_dump(content, allow_unicode=True, sort_keys=False))
    return Annotators(read_truth(sources, learned))


def _settings(output: Path, plan: Plan) -> dict[str, dict[str, Any]]:
    """The settings files, by name."""
    source = {"path": str(output / "problems.jsonl"), "format": "gsm8k", "name": "demo", "license": "Apache-2.0"}
    return {
        "settings": {
            "name": "demo",
            "output": str(output / "run"),
            "sources": [source],
            "languages": list(plan.languages),
            "translator": {"model": "demo"},
            # Its problems are drawn here, and no network is to be needed.
            "contamination": {},
            "shard_rows": 20,
        },
        "review": {
            "budget": plan.budget,
            # At first nearly all rows are kept, rightly or not.
            "audits": {"keep": 0.4, "drop": 0.05},
            **name_annotators(plan.languages),
        },
        "train": {
            "preset": "demo-cpu",
            "run": str(output / "run"),
            # By epochs: more rows take more steps.
            "optimizer": {"steps": None, "epochs": plan.epochs, "learning_rate": 3e-3, "weight_decay": 0.1},
            "checkpoints": {"every": 100},
            "tracking": {"comet": "off"},
        },
        "publish": {
            "repo_id": "demo/mcot-math-demo",
            "title": "mCoT-MATH's demo",
            "without_contamination_check": True,
        },
    }


def _write_evaluation(here: Path, benchmark: Path) -> None:
    model = {"model": str(here / "training" / "model"), "name": f"round-{int(here.name)}", "batch_size": 64}
    content = {
        "name": "evaluation",
        "output": str(here / "evaluation"),
        # What it learned to write is no longer.
        "models": [{**model, "sampling": {"max_new_tokens": 80}}],
        "benchmarks": {"held-out": str(benchmark)},
    }
    write_file(here / "evaluation.yaml", yaml.safe_dump(content, allow_unicode=True, sort_keys=False))


def _say_what_it_is(plan: Plan) -> None:
    say(
        f"A rehearsal: {plan.problems} problems of three kinds with small numbers, some with a typing mistake; a "
        "translator that knows no other sentences; and simulated annotators, no people, who know the true texts and "
        f"err on {100 * ERRORS:g}% of the rows. It shows how the loop works, not how good anything is elsewhere."
    )


def _say_end(output: Path, good: int, kept: int, seconds: float) -> None:
    run = output / "run"
    say(
        f"\nBy the true texts, which only a demo has, {good:,} of the {kept:,} translations now kept are good "
        f"({100 * good / max(kept, 1):.1f}%)."
    )
    say(
        "One training a round, for the same epochs, so of more rows for more steps: with another seed its figures may "
        "be several points higher or lower, which the intervals, over problems, do not tell."
    )
    say(
        f"{seconds / 60:.1f} minutes just now. The report: {run / 'report.html'}; the rounds: {run / 'rounds'}; the "
        f"set as it would be published: {output / 'published'}"
    )
