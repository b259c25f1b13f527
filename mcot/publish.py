"""A run's dataset, with its card, into a folder or to the Hub."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import constants, get_token

from datasets_card.card import make_card
from datasets_card.gates import Rows, check_run
from datasets_card.licenses import combine
from datasets_card.publication import RECORD, Staged
from datasets_card.record import choose_previous, make_record, write_record
from datasets_card.remote import Plan, Remote, make_plan
from datasets_card.settings import PublishSettings
from datasets_card.staging import stage_data
from datasets_card.upload import Hub
from mcot.core.errors import MCoTError, SettingsError, UserError
from mcot.core.files import lock_folder, read_json, remove_folder, replace_folders, write_file
from mcot.core.hub import hub_is_reachable
from mcot.core.languages import LANGUAGES
from mcot.core.progress import say
from mcot.round_record import note, read_rounds

__all__ = ["Published", "publish", "publish_to_folder"]

# For how many seconds a command that writes into the run is waited for.
_WAIT = 30.0
# What a repository is put together in, in the run's folder.
_STAGING = ".publish"
# What a folder of an earlier dry run may hold.
_OURS = {"data", "images", "README.md", "croissant.json", RECORD}


@dataclass(frozen=True, slots=True)
class Published:
    """What came of a publication.

    Attributes:
        address: the repository's page.
        commit: that it is at.
        tag: of this state.
        files: how many were sent; none where the repository had them all.
        bytes: of these together.
        tagged: whether the tag was made now.
    """

    address: str
    commit: str
    tag: str
    files: int
    bytes: int
    tagged: bool


def publish_to_folder(run: Path, settings: PublishSettings, folder: Path, *, ask_hub: bool = False) -> Staged:
    """Write exactly what would be uploaded into a folder; `datasets.load_dataset(folder, "sw")` loads it.

    What the folder held of an earlier publication is what the new one is compared with, unless the Hub is asked.

    Args:
        run: the folder of a finished run.
        settings: of the publication.
        folder: a new one, an empty one, or one of an earlier call, which is replaced.
        ask_hub: whether to compare with what the repository holds, if it can be reached.

    Raises:
        UserError: the run is not fit to be published, or the folder holds something else.
    """
    _check_folder(folder)
    rows, settings = _check(run, settings)
    found: Mapping[str, Any] = (_ask_record(settings.repo_id) if ask_hub else {}) or read_json(folder / RECORD)
    folder = folder.absolute()
    with replace_folders([folder]) as (new,):
        staged = _stage(run, new, rows, settings, found)
    return Staged(folder, staged.configs, staged.files)


def publish(
    run: Path, settings: PublishSettings, confirm: Callable[[Sequence[str]], bool], *, move_tag: bool = False
) -> Published | None:
    """Upload a run's dataset to the Hub. Stopped at any moment and called again, it goes on where it was.

    Args:
        run: the folder of a finished run.
        settings: of the publication.
        confirm: is shown what would be done, line by line, and says whether it is to be.
        move_tag: whether a tag that is at another state is moved.

    Returns:
        What came of it; None where it was not confirmed.

    Raises:
        UserError: the run is not fit to be published, there is no token, or the Hub refuses.
        StageError: the Hub can't be reached, or answers with errors again and again.
    """
    rows, settings = _check(run, settings)
    hub = Hub(settings.repo_id, _find_token())
    remote = hub.read()
    _check_visibility(remote, settings)
    with _staging_folder(run) as folder:
        staged = _stage(run, folder, rows, settings, remote.record)
        plan = make_plan(staged, remote)
        tag = str(settings.tag)
        _check_tag(remote, plan, settings.repo_id, tag, move_tag=move_tag)
        anything = not (plan.empty and remote.exists and remote.tags.get(tag) == remote.head)
        if anything and not confirm(_preview(hub, remote, plan, staged, rows, settings)):
            return None
        if anything:
            message = f"Publish {tag}: {sum(rows.languages.values())} rows in {len(rows.languages)} languages"
            made = hub.upload(staged, private=settings.private, tag=tag, move_tag=move_tag, message=message)
            done = Published(hub.address, made.commit, tag, made.files, made.bytes, made.tagged)
        else:
            done = Published(hub.address, str(remote.head), tag, 0, 0, tagged=False)
    note(run, published={"repo_id": settings.repo_id, "revision": done.commit, "tag": tag})
    return done


def _check(run: Path, settings: PublishSettings) -> tuple[Rows, PublishSettings]:
    """The rows to publish, and the settings with the licence and the tag worked out."""
    rows = check_run(run, settings)
    license = combine(rows.licenses, settings.license)
    return rows, settings.model_copy(update={"license": license, "tag": settings.tag or f"round-{_round(run)}"})


def _round(run: Path) -> int:
    records = read_rounds(run)
    return int(records[-1]["round"]) if records else 1


def _stage(run: Path, folder: Path, rows: Rows, settings: PublishSettings, found: Mapping[str, Any]) -> Staged:
    """Put the repository together in an empty folder."""
    previous = choose_previous(found, str(settings.tag))
    # Nobody puts other rows in the place of these while they are read.
    with lock_folder(run, "run folder", wait=_WAIT):
        staged = stage_data(run, folder, rows, settings)
        card = make_card(run, staged, settings, previous=previous)
        record = make_record(run, staged, settings, _round(run))
    for path, content in card.items():
        write_file(folder / path, content)
    write_record(staged, record, card, previous)
    for config, wanted in (("rejected", settings.rejected), ("verdicts", settings.verdicts)):
        if wanted and staged.config(config) is None:
            say(f"no config {config!r}: the run has none")
    return staged


@contextmanager
def _staging_folder(run: Path) -> Iterator[Path]:
    """An empty folder in the run's, which goes away at the end."""
    folder = run / _STAGING
    remove_folder(folder)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _find_token() -> str:
    token = get_token()
    if not token:
        raise SettingsError(
            "there is no token for the Hub; set HF_TOKEN to one that may write (see "
            f"{constants.ENDPOINT}/settings/tokens), or run `hf auth login`"
        )
    return token


def _ask_record(repo_id: str) -> Mapping[str, Any]:
    """The record of what a repository holds; an empty one if the Hub can't be asked."""
    token = get_token()
    if not token or not hub_is_reachable():
        return {}
    try:
        return Hub(repo_id, token).read().record
    except MCoTError as error:
        say(f"not compared with what was published before: {error}")
        return {}


def _check_folder(folder: Path) -> None:
    """That nothing of somebody's is in a folder that is to be replaced."""
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"--dry-run: {folder} is a file; give a new folder")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and (RECORD not in names or names - _OURS):
        stray = min(names - _OURS or names)
        raise SettingsError(f"--dry-run: {folder} holds {stray!r}; give a new folder, or one of an earlier --dry-run")


def _check_visibility(remote: Remote, settings: PublishSettings) -> None:
    if remote.exists and not remote.private and settings.private:
        raise UserError(
            f"{settings.repo_id} is public, so everybody would see what is uploaded; give --public if they may, or "
            "another --repo-id"
        )


def _check_tag(remote: Remote, plan: Plan, repo_id: str, tag: str, *, move_tag: bool) -> None:
    at = remote.tags.get(tag)
    if at is not None and not move_tag and not (plan.empty and at == remote.head):
        raise UserError(
            f"tag {tag!r} of {repo_id} is at what was published before, which is not the same; give this state a name "
            "of its own with --tag, or --move-tag"
        )


def _preview(hub: Hub, remote: Remote, plan: Plan, staged: Staged, rows: Rows, settings: PublishSettings) -> list[str]:
    """What would be done, line by line."""
    private = remote.private if remote.exists else settings.private
    kind = f"{'private' if private else 'public'}, {'there already' if remote.exists else 'new'}"
    counts = ", ".join(f"{config.name} {sum(config.rows.values()):,}" for config in staged.configs)
    sources = ", ".join(f"{source}: {license}" for source, license in rows.licenses.items())
    changes = f"{len(plan.new)} new, {len(plan.changed)} changed, {plan.unchanged} unchanged"
    lines = [
        f"repository: {hub.address} ({kind})",
        f"rows by config: {counts}",
        f"files: {changes}, {len(plan.removed)} removed; {_show_bytes(plan.bytes)} to send",
        f"tag: {settings.tag}",
        f"licence: {settings.license} ({sources})",
    ]
    if remote.exists and not settings.private and remote.private:
        lines.append("it stays private; make it public on its page")
    if remote.files.keys() & plan.changed.keys() and not remote.record:
        lines.append(f"not made by this program, and replaced: {', '.join(plan.changed)}")
    if rows.unchecked:
        lines.append(f"not looked for in the benchmarks: {rows.unchecked:,} rows")
    lacking = [code for code in LANGUAGES if code not in rows.languages]
    if lacking and settings.languages is not None:
        lines.append(f"left out: {', '.join(lacking)}")
    return lines


def _show_bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
