"""`mcot review` and `mcot calibrate`: people's verdicts, from the queue to the thresholds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mcot.core.progress import say

if TYPE_CHECKING:
    import argilla

    from annotation.verdicts import Merged

__all__ = ["calibrate", "review"]

review = typer.Typer(
    name="review",
    help="Let people judge the uncertain rows, and a random share of the others, in Argilla or in files.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Run = Annotated[Path, typer.Argument(help="The folder that `mcot curate` or `mcot audit` wrote.")]
Settings = Annotated[
    Path | None,
    typer.Option(help="A YAML file: budget, budgets by language, annotators, adjudicators, overlap, audits, seed."),
]
ReviewRound = Annotated[
    int | None,
    typer.Option(
        "--round", min=1, max=2**31 - 1, help="The review round, over the settings' review_round; another draws anew."
    ),
]
ApiUrl = Annotated[
    str | None,
    typer.Option(help="Argilla's address; by default ARGILLA_API_URL, else the server of `mcot review serve`."),
]
Home = Annotated[
    Path | None,
    typer.Option(help="The local server's folder, whatever ARGILLA_API_URL says; by default below your data folder."),
]


@review.command()
def serve(
    home: Home = None,
    host: Annotated[str, typer.Option(help="The address to listen at; others than 127.0.0.1 let others in.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen at.")] = 6900,
    hub: Annotated[
        bool, typer.Option("--hub", help="Let it import from the Hugging Face Hub and export to it.")
    ] = False,
) -> None:
    """Run an Argilla server on this machine: no Docker, no Elasticsearch, no Redis, all data in one folder.

    The first start installs it into an environment of its own, which takes about a minute; later ones take seconds.
    Ctrl-C stops it; started again, everything is there. For a team's server see docker/docker-compose.yml.
    """
    from annotation.server.control import default_home, run_foreground

    run_foreground(home or default_home(), host, port, hub=hub)


@review.command()
def push(
    run: Run,
    settings: Settings = None,
    review_round: ReviewRound = None,
    api_url: ApiUrl = None,
    home: Home = None,
) -> None:
    """Draw the rows that people are to see, and put them into Argilla, each language before its annotators.

    The uncertain rows first, and among them, unmarked, random ones of the kept and of the dropped, from which the
    dataset's precision is estimated. Pushing again adds nothing twice; what annotators disagree on goes to the
    adjudicators. The key comes from ARGILLA_API_KEY, for the local server from its folder.
    """
    from annotation.argilla import push as push_rows
    from annotation.queue import extend_queue
    from mcot.review import is_audit, load_review_settings

    is_audit(run)
    loaded = load_review_settings(settings, review_round)
    drawn = extend_queue(run, loaded)
    for note in drawn.notes:
        say(note)
    with _connect(api_url, home) as client:
        pushed = push_rows(client, run, loaded, passwords=(home / "users") if home else None)
    say(f"{sum(pushed.added.values())} rows added, {pushed.there} were there; {pushed.disputed} for adjudicators")
    if pushed.accounts:
        say(f"accounts made for {', '.join(pushed.accounts)}: their passwords are in {pushed.passwords}")
    if pushed.unassigned:
        say(f"nobody is named for {', '.join(pushed.unassigned)}: name `annotators` in the settings and push again")


@review.command()
def status(
    run: Run,
    settings: Settings = None,
    api_url: ApiUrl = None,
    home: Home = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only what was pulled or imported; no server.")] = False,
) -> None:
    """Say how far the review is, how good the dataset is by what people said so far, and how far they agree."""
    from annotation.argilla import status as ask_status
    from annotation.labels import count_earlier
    from annotation.precision import EARLIER
    from mcot.core.reviews import ReviewFiles, read_decided
    from mcot.review import is_audit, load_review_settings, summarise

    is_audit(run)
    if not offline:
        with _connect(api_url, home) as client:
            statuses = ask_status(client, run, load_review_settings(settings))
        for one in statuses:
            open_ones, settled = one.disputed
            disputed = f"; {settled} of {open_ones} disputes settled" if open_ones else ""
            people = ", ".join(f"{name} {count}" for name, count in sorted(one.submitted.items()))
            answers = f"; answers: {people}" if people else ""
            done = f"{one.completed} of {one.rows} rows completed"
            say(f"{one.language}: {done}{disputed}{answers}; {' '.join(one.links)}")
    estimates, agreement = summarise(run)
    for estimate in estimates:
        say(str(estimate))
    for measure in agreement:
        if measure.question == "verdict":
            say(str(measure))
    files = ReviewFiles(run)
    # Where they are all that there is, the estimates are made of them, and say so.
    used = any(estimate.basis.endswith(EARLIER) for estimate in estimates)
    if not used and (earlier := count_earlier(files.read_queue(), files.read_verdicts(), read_decided(run))):
        were = "verdict was" if earlier == 1 else "verdicts were"
        say(f"{earlier:,} {were} given for rows as other thresholds had decided them: not counted")


@review.command()
def pull(
    run: Run,
    settings: Settings = None,
    api_url: ApiUrl = None,
    home: Home = None,
) -> None:
    """Take the verdicts of completed rows, and apply them: to the dataset, the report and the estimates.

    Accepted rows are kept, rejected ones dropped, corrected texts checked again. Pulling again changes nothing twice.
    """
    from annotation.argilla import pull as pull_verdicts
    from mcot.review import is_audit, load_review_settings

    is_audit(run)
    with _connect(api_url, home) as client:
        pulled = pull_verdicts(client, run, load_review_settings(settings))
    _apply(run, pulled.merged)


@review.command(name="export")
def export_files(
    run: Run,
    output: Annotated[Path, typer.Option(help="The folder to write the files into.")],
    settings: Settings = None,
    review_round: ReviewRound = None,
    format: Annotated[Literal["csv", "jsonl"], typer.Option(help="csv opens in spreadsheets.")] = "csv",
    annotator: Annotated[str | None, typer.Option(help="Only this one's files.")] = None,
    adjudication: Annotated[bool, typer.Option("--adjudication", help="The disputed rows, for adjudicators.")] = False,
) -> None:
    """The same queue as files to fill in, for those without Argilla: one for each language and annotator."""
    from annotation.files import check_annotator, export_queue
    from annotation.queue import extend_queue
    from mcot.review import is_audit, load_review_settings

    is_audit(run)
    loaded = load_review_settings(settings, review_round)
    # Before a round is drawn that nobody may have wanted.
    check_annotator(run, annotator, loaded, adjudication=adjudication)
    for note in extend_queue(run, loaded).notes:
        say(note)
    files = export_queue(run, output, loaded, format=format, annotator=annotator, adjudication=adjudication)
    for file in files:
        say(f"{file.path}: {file.rows} rows for {file.annotator or 'anybody'}")
    if not files:
        say("no row waits for a verdict")


@review.command(name="import")
def import_files(
    run: Run,
    files: Annotated[list[Path], typer.Argument(help="Files of `mcot review export`, filled in.")],
    settings: Settings = None,
    annotator: Annotated[str | None, typer.Option(help="Whose verdicts they are, where a file names nobody.")] = None,
    skip_bad_lines: Annotated[bool, typer.Option("--skip-bad-lines", help="Take the others of such a file.")] = False,
) -> None:
    """Take the verdicts of files that people filled in, and apply them as `mcot review pull` does."""
    from annotation.filled import import_verdicts
    from mcot.review import is_audit, load_review_settings

    is_audit(run)
    loaded = load_review_settings(settings)
    _apply(run, import_verdicts(run, files, loaded, annotator=annotator, skip_bad_lines=skip_bad_lines))


def calibrate(
    run: Run,
    output: Annotated[Path, typer.Option(help="The settings file to write.")] = Path("thresholds.yaml"),
    precision: Annotated[float, typer.Option(help="Wanted of the kept rows: the share that is good.")] = 0.97,
    confidence: Annotated[float, typer.Option(help="With which it is to be reached.")] = 0.95,
    base: Annotated[Path | None, typer.Option(help="Settings to take the rest from; by default the run's own.")] = None,
    curve: Annotated[Path | None, typer.Option(help="A picture of the curves, .png or .svg.")] = None,
) -> None:
    """Find, from people's verdicts, the thresholds that reach a precision of the kept rows at the least loss of rows.

    Says what changes for each language, how many more verdicts would tighten it, and refuses with a reason where there
    are too few. The file it writes is the run's settings with the thresholds found: `mcot curate` with it goes on with
    the run, and only decides anew.
    """
    from annotation.calibrate import calibrate as find
    from annotation.calibration_files import check_picture, draw_curve, write_settings
    from mcot.core.errors import RunError, SettingsError
    from mcot.review import read_bands, read_current
    from mcot.round_facts import note_calibration

    # Before the work, not after it.
    if base is not None and not base.is_file():
        raise SettingsError(f"settings file {base}: not found; give the file that the thresholds are to be added to")
    if curve is not None:
        check_picture(curve)
    found = find(run, read_bands(run), *read_current(run), wanted=precision, confidence=confidence)
    for line in [*map(str, found.languages), *found.refusals]:
        say(line)
    if curve is not None and found.groups:
        draw_curve(found, curve)
        say(f"the curves: {curve}")
    if not found.thresholds:
        note_calibration(run, found, None)
        raise RunError(found.explain())
    if base is None:
        write_settings(found, output, run / "settings.yaml", run=_moved(run))
    else:
        write_settings(found, output, base)
    note_calibration(run, found, output)
    say(f"thresholds of {', '.join(found.thresholds)}: {output}")


def _moved(run: Path) -> Path | None:
    """A run's folder, if its settings name another: that it was moved since is nothing to begin it anew for."""
    from mcot.core.settings import CurationSettings
    from mcot.core.settings_file import load_settings
    from mcot.review import is_audit

    if is_audit(run):
        return None
    settings = load_settings(run / "settings.yaml", CurationSettings)
    return None if settings.folder.resolve() == run.resolve() else run


@contextmanager
def _connect(api_url: str | None, home: Path | None) -> "Iterator[argilla.Argilla]":
    from annotation.connection import connect

    client = connect(api_url, home=home)
    try:
        yield client
    finally:
        client.http_client.close()


def _apply(run: Path, merged: "Merged") -> None:
    from mcot.review import apply_reviews

    for line in merged.refused:
        say(f"not taken: {line}")
    say(
        f"{merged.added} verdicts added, {merged.changed} changed, {merged.same} were there; "
        f"{merged.resolved} rows are judged, {merged.disputed} disputed, {merged.waiting} wait"
    )
    outcome = apply_reviews(run)
    rows = outcome.translations
    say(f"{run}: {rows['dataset']} translations kept, {rows['review']} to review, {rows['rejected']} rejected")
