"""The command line: one command a stage. `mcot --help` lists them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mcot.core.engines import EngineName, make_engine
from mcot.core.errors import MCoTError, UserError
from mcot.core.progress import say
from mcot.core.runs import is_machine_error
from mcot.core.settings import CurationSettings, load_settings

__all__ = ["app", "main"]

app = typer.Typer(
    name="mcot",
    help="Turn English math word problems into a multilingual dataset that can be trusted.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _application() -> None:
    """Make `mcot` a group of commands even while it has few."""


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="The run's folder.")] = Path("runs/demo"),
    problems: Annotated[int, typer.Option(min=1, help="How many of the embedded problems.")] = 150,
) -> None:
    """Show the whole job on embedded problems with the embedded model: no network, no GPU, about a minute.

    A hundred and fifty word problems are translated into ten languages and back, every row is checked and decided, and the
    run's folder then holds the dataset, the rejected rows with their reasons, and report.html to read.
    """
    from mcot.demo import run_demo

    run_demo(output, problems)


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
    loaded = load_settings(settings)
    if limit is not None:
        loaded = loaded.model_copy(update={"limit": limit})
    _curate(loaded, engine)


def _curate(settings: CurationSettings, engine: EngineName) -> None:
    from curation.pipeline import curate as run

    outcome = run(settings, make_engine(engine, workers=settings.workers, retries=settings.retries))
    rows = outcome.rows
    say(
        f"{outcome.folder}: {rows['dataset']} rows kept, {rows['review']} to review, {rows['rejected']} rejected; "
        f"open {outcome.folder / 'report.html'}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Exits 0 done, 2 the user's input is wrong, 1 anything else."""
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(given or ["--help"], prog_name="mcot", standalone_mode=False)
    except UserError as error:
        return _fail(str(error), 2)
    except typer.TyperException as error:
        return _fail(f"{error.format_message().rstrip('.')}; see mcot --help", 2)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("stopped; run the same command again to go on", 130)
    except MCoTError as error:
        return _fail(str(error), 1)
    except OSError as error:
        if not is_machine_error(error):
            raise
        where = f" {error.filename}" if error.filename else ""
        return _fail(f"can't write{where}: {error.strerror}; what was finished is kept: free space or give the folder "
                     "write permission, then run the same command again", 2)  # fmt: skip
    return 0


def _fail(message: str, code: int) -> int:
    # One line, whatever a file name or a library's message holds.
    say("mcot: " + " ".join(message.split()))
    return code
