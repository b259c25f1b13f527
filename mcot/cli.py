"""The command line: one command a stage. `mcot --help` lists them."""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcot.core.engines import EngineName, make_engine
from mcot.core.errors import MCoTError, UserError
from mcot.core.files import is_machine_error
from mcot.core.progress import say
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings
from mcot.evaluate_commands import evaluate
from mcot.publish_commands import publish
from mcot.review_commands import calibrate, review
from mcot.round_commands import rounds
from mcot.train_commands import train

if TYPE_CHECKING:
    from curation.finish import Outcome

__all__ = ["app", "main"]

# The exit code of an interrupted command, as shells and Typer have it: 128 and the number of SIGINT.
_INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT)
_TAKEN = "something else has that name, such as a folder or a link to nothing: move it away or give another name"
_ADVICE = {
    **dict.fromkeys(_FULL, "free space"),
    errno.EFBIG: "use a disk that takes larger files",
    errno.EROFS: "give a place on a disk that can be written",
    **dict.fromkeys((errno.EACCES, errno.EPERM), "give yourself permission or give another place"),
    errno.ENAMETOOLONG: "give a shorter name",
    **dict.fromkeys((errno.EEXIST, errno.EISDIR, errno.ELOOP), _TAKEN),
    errno.ENOTDIR: "a part of it is a file where a folder is needed: give another place",
    errno.ENOENT: "see that the folder above it is there and takes files, or give another place",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise the limit of open files (ulimit -n)"),
}

app = typer.Typer(
    name="mcot",
    help="Turn English math word problems into a multilingual dataset that can be trusted.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


app.add_typer(review)
app.command()(calibrate)
app.command()(train)
app.command()(evaluate)
app.command()(publish)
app.add_typer(rounds)


@app.command()
def demo(
    output: Annotated[
        Path | None, typer.Option(help="The run's folder; runs/demo by default, with --rounds runs/demo-rounds.")
    ] = None,
    problems: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="How many problems to draw; 150, with --rounds 160.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, max=3, help="Go round the whole loop so often.")] = None,
) -> None:
    """Show the whole job on embedded problems with the embedded model: no network, no GPU, about a minute.

    A hundred and fifty word problems are translated into ten languages and back, every row is checked and
    decided, and the run's folder then holds the dataset, the rejected rows with their reasons, and report.html
    to read. The folder must be new, empty, or of an earlier demo.

    With --rounds 2 it is the whole loop twice, in minutes: curate, simulated annotators fill in files, calibrate,
    train a tiny model, measure it on other problems, compare with the round before, publish into a folder. Each step
    is announced as the command that one would type. Stopped at any moment and started again, it goes on.
    """
    if rounds is not None:
        from mcot.demo_rounds import PROBLEMS, Plan, run_rounds

        run_rounds(output or Path("runs/demo-rounds"), rounds, Plan(problems=problems or PROBLEMS))
        return
    from mcot.demo import run_demo

    outcome = run_demo(output or Path("runs/demo"), problems or 150)
    _say_outcome(outcome)
    say(f"load a language: datasets.load_dataset({str(outcome.folder / 'dataset')!r}, 'sw')")


@app.command()
def curate(
    settings: Annotated[Path, typer.Argument(help="A YAML file; the README shows one.")],
    engine: Annotated[EngineName, typer.Option(help="Where stages run.")] = "local",
    limit: Annotated[int | None, typer.Option(min=1, help="Problems of each source, at most.")] = None,
) -> None:
    """Build a multilingual dataset from English problems.

    Reads the sources, translates, translates back, checks, decides, and writes dataset/, review/, rejected/,
    report.html and report.json into the run's folder. Stopped at any moment and started again, it goes on
    where it was; after a change of settings only what depends on them is done again.
    """
    loaded = load_settings(settings, CurationSettings)
    if limit is not None:
        loaded = loaded.model_copy(update={"limit": limit})
    _curate(loaded, engine)


@app.command()
def audit(
    input: Annotated[str, typer.Argument(help="A JSONL, JSON, CSV or Parquet file, or a Hub dataset as org/name.")],
    output: Annotated[Path, typer.Option(help="The folder to write into.")],
    settings: Annotated[Path | None, typer.Option(help="A YAML file; see below.")] = None,
) -> None:
    """Check translations that already exist, and decide which to keep, with reasons.

    INPUT has the columns language (ISO 639-1), source_question (English) and question (the translation) and, where
    there are any, id, source_rationale, rationale, answer, back_question and back_rationale. What applies is run;
    what does not is named, with the column that it would need. Downloads no model unless the settings name one.

    Writes decisions.parquet (id, decision, reasons, details, scores; in the input's order), the rows into dataset/,
    review/ and rejected/ as a run does, report.html and report.json. What people said of the rows in an earlier audit
    into the same folder stands. A bad row (null, too long, in an unknown language, unreadable) is a dropped row with
    its reason, and stops none of the others.

    Settings, all optional: thresholds (keep and drop by language, or `default`, and check), checks.language_model
    (a fastText model), quality_estimation (a COMET model) and judge (an LLM), with the keys that they have for
    `mcot curate`, contamination (benchmarks to look for: mgsm, msvamp, gsm8k, each with its file or folder, or null
    to read it from the Hub), workers (processes; all cores by default), and for a Hub dataset subset, split (train)
    and revision. What models scored is kept: stopped and started again, or run again with other thresholds, an audit
    asks for nothing twice, and a judge's budget counts what was spent before.
    """
    from curation.audit import audit as run
    from curation.audit_settings import load_audit_settings
    from mcot.review import refresh_reviews

    outcome = run(input, output, load_audit_settings(settings))
    refresh_reviews(outcome.folder)
    for why in dict.fromkeys(outcome.not_run.values()):
        say(f"not run: {', '.join(check for check in outcome.not_run if outcome.not_run[check] == why)}: {why}")
    rows = outcome.rows
    say(
        f"{outcome.folder}: {sum(rows.values())} rows: {rows['keep']} to keep, {rows['review']} to review, "
        f"{rows['drop']} to drop; open {outcome.folder / 'report.html'}"
    )


def _curate(settings: CurationSettings, engine: EngineName) -> None:
    from curation.pipeline import curate as run
    from mcot.review import refresh_reviews

    outcome = run(settings, make_engine(engine, workers=settings.workers, retries=settings.retries))
    # New thresholds keep other rows than those whose precision the report had told of.
    refresh_reviews(outcome.folder)
    _say_outcome(outcome)


def _say_outcome(outcome: "Outcome") -> None:
    """Say what a run came to. English rows, which nothing checks, are told apart from translations."""
    translated = outcome.translations
    english, refused = (outcome.rows[folder].get("en", 0) for folder in ("dataset", "rejected"))
    beside = f", beside {english} English original{'s' if english > 1 else ''}" if english else ""
    unusable = f"; problems that can't be used: {refused}" if refused else ""
    say(
        f"{outcome.folder}: {translated['dataset']} translations kept, {translated['review']} to review, "
        f"{translated['rejected']} rejected{beside}{unusable}; open {outcome.folder / 'report.html'}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exits 0 done, 2 the user's input is wrong, 130 interrupted, 1 anything else."""
    # Read when torch is loaded. Its threads otherwise wait for one another by spinning, and where another process
    # has one of the cores, a small model then takes thirty times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Typer makes an interrupt a code of its own, which it gives back here.
        if app(given or ["--help"], prog_name="mcot", standalone_mode=False) == _INTERRUPTED:
            raise KeyboardInterrupt
    except UserError as error:
        return _fail(str(error), 2)
    except typer.TyperException as error:
        return _fail(f"{error.format_message().rstrip('.')}; see mcot --help", 2)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("stopped; run the same command again to go on", _INTERRUPTED)
    except MCoTError as error:
        return _fail(str(error), 1)
    except OSError as error:
        if not _is_of_the_place(error):
            raise
        return _fail(_explain(error), 2)
    return 0


def _is_of_the_place(error: OSError) -> bool:
    """Whether an error is about a file or folder of the user's or about the machine, and no bug of this program."""
    if error.errno is None:
        return False
    named = _path_of(error)
    if named is None:
        return is_machine_error(error)
    program = Path(__file__).resolve().parents[1]
    return not any(
        Path(named).absolute().is_relative_to(program / part)
        for part in ("mcot", "curation", "annotation", "evaluation", "training", "datasets_card")
    )


def _path_of(error: OSError) -> str | None:
    """What an error names; of a renaming the new name, for the old one is temporary."""
    name = error.filename2 or error.filename
    return name if isinstance(name, str) else None


def _explain(error: OSError) -> str:
    # Of these alone it is certain that something was being written.
    verb = "write" if error.errno in {*_FULL, errno.EFBIG, errno.EROFS} else "use"
    advice = _ADVICE.get(error.errno or 0, "see that it can be read and written, or give another place")
    what = _path_of(error) or "a file"
    again = "run the same command again: what was finished is kept"
    return f"can't {verb} {what}: {error.strerror}; {advice}, then {again}"


def _fail(message: str, code: int) -> int:
    # One line, whatever a file name or a library's message holds.
    say("mcot: " + " ".join(message.split()))
    return code
