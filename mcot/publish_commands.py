"""`mcot publish`: the dataset to the Hugging Face Hub, or into a folder as it would be there."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcot.core.errors import SettingsError
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.progress import say
from mcot.core.settings_file import load_settings, parse_settings

if TYPE_CHECKING:
    from datasets_card.settings import PublishSettings

__all__ = ["publish"]


def publish(
    run: Annotated[Path, typer.Argument(help="The folder that `mcot curate` or `mcot audit` wrote.")],
    repo_id: Annotated[str | None, typer.Option(help="The repository, as ORG/NAME; over the settings'.")] = None,
    settings: Annotated[Path | None, typer.Option(help="A YAML file; see below.")] = None,
    dry_run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Upload nothing: write what would be uploaded into this folder.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Upload without asking.")] = False,
    public: Annotated[bool, typer.Option("--public", help="Let everybody see the repository.")] = False,
    rejected: Annotated[bool, typer.Option("--rejected", help="The rejected rows too, as config `rejected`.")] = False,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="What reviewers said, under pseudonyms, as config `verdicts`.")
    ] = False,
    comments: Annotated[
        bool, typer.Option("--comments", help="With --verdicts, reviewers' comments too; read them before.")
    ] = False,
    tag: Annotated[str | None, typer.Option(help="The name of this state; round-N by default.")] = None,
    move_tag: Annotated[bool, typer.Option("--move-tag", help="Move the tag if it is at another state.")] = False,
    without_contamination_check: Annotated[
        bool, typer.Option("--without-contamination-check", help="Rows that were not looked for in benchmarks too.")
    ] = False,
) -> None:
    """Publish a run's dataset, with its card, on the Hugging Face Hub.

    A config a language and `all`, in Parquet, with a tag a round, into a private repository unless told otherwise.
    What the repository has already is not sent again; stopped at any moment and started again, it goes on where it
    was. Before anything is sent, it is checked that the run is finished, that its rows have their schema, none is of
    a benchmark, and that the sources' licences go together; then it says what it would do, and asks.

    The token comes from HF_TOKEN or from `hf auth login`.

    Settings, all optional where --repo-id is given: repo_id, private (true), title, languages, rejected, verdicts,
    comments, license (worked out from the sources' by default), source_licenses (by the sources' names), tag,
    shard_rows, without_contamination_check.
    """
    flags = {"rejected": rejected, "verdicts": verdicts, "comments": comments}
    flags["without_contamination_check"] = without_contamination_check
    given: dict[str, Any] = {name: True for name, value in flags.items() if value}
    given |= {name: value for name, value in (("repo_id", repo_id), ("tag", tag)) if value is not None}
    if public:
        given["private"] = False
    loaded = _load(settings, given)
    if dry_run is not None:
        _write(run, loaded, dry_run)
        return
    if not yes and not sys.stdin.isatty():
        raise SettingsError("nobody can be asked here whether to upload; give --yes, or look first with --dry-run DIR")
    from mcot.publish import publish as upload
    from mcot.publish_preview import STAYS_PRIVATE

    done = upload(run, loaded, lambda lines: _confirm(lines, yes=yes), move_tag=move_tag)
    if done is None:
        say("nothing was uploaded")
        return
    if not done.files and not done.tagged:
        say(f"{done.address}: has all of it already, as {done.tag}; nothing was sent")
    else:
        say(f"{done.address}: {done.files} files are new or changed, {done.bytes:,} bytes; tag {done.tag}")
    if done.private and not loaded.private:
        say(STAYS_PRIVATE)


def _load(path: Path | None, given: dict[str, Any]) -> "PublishSettings":
    from datasets_card.settings import PublishFile, PublishSettings

    content = {} if path is None else load_settings(path, PublishFile).model_dump(exclude_none=True)
    if "repo_id" not in content and "repo_id" not in given:
        raise SettingsError("no repository is named; give --repo-id ORG/NAME")
    # The file's own values were found right.
    return parse_settings({**content, **given}, "options", PublishSettings)


def _write(run: Path, settings: "PublishSettings", folder: Path) -> None:
    from mcot.publish import publish_to_folder

    staged = publish_to_folder(run, settings, folder, ask_hub=True)
    say(f"{folder}: {len(staged.configs)} configs in {len(staged.files)} data files; nothing was uploaded")
    names = [config.name for config in staged.configs if config.name in LANGUAGES]
    # The originals are in it too, and are no language that anybody looks for here.
    name = min(names, key=lambda code: code == ENGLISH.code)
    say(f"load a language: datasets.load_dataset({str(folder)!r}, {name!r})")


def _confirm(lines: Sequence[str], *, yes: bool) -> bool:
    for line in lines:
        say(line)
    return yes or typer.confirm("Upload this?", err=True)
