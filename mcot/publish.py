"""A run's dataset, with its card, into a folder or to the Hub."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import constants, get_token

from datasets_card.card import make_card
from datasets_card.contents import take_contents
from datasets_card.gates import Rows, check_finished, check_run
from datasets_card.licenses import combine
from datasets_card.publication import RECORD, Staged
from datasets_card.record import choose_previous, make_record, parse_record, write_record
from datasets_card.remote import make_plan
from datasets_card.settings import PublishSettings
from datasets_card.staging import stage_data
from datasets_card.upload import Hub
from mcot.core.errors import MCoTError, RunError, SettingsError
from mcot.core.files import lock_folder, remove_folder, replace_folders, write_file
from mcot.core.hub import hub_is_reachable
from mcot.core.progress import say
from mcot.publish_preview import check_tag, check_visibility, list_preview
from mcot.publish_rounds import RunState, name_tag, note_published, read_run_state

__all__ = ["Published", "publish", "publish_to_folder"]

# For how many seconds a command that writes into the run is waited for.
_WAIT = 30.0
# In the run's folder: what holds the run against a second publication, and what a repository is put together in.
_PLACE, _STAGING = ".publish", "repository"
# What a folder of an earlier dry run may hold.
_OURS = {"data", "images", "README.md", "croissant.json", RECORD}


@dataclass(frozen=True, slots=True)
class Published:
    """What came of a publication.

    Attributes:
        address: the repository's page.
        commit: that it is at.
        tag: of this state.
        files: how many the repository lacked, or had otherwise.
        bytes: of these together.
        private: whether only its owners see it.
        tagged: whether the tag was made now.
    """

    address: str
    commit: str
    tag: str
    files: int
    bytes: int
    private: bool
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
        UserError: the run is not fit to be published, another process publishes it, or the folder holds something
            else.
    """
    check_finished(run)
    _check_folder(folder, run)
    with _hold(run):
        found: Mapping[str, Any] = _ask_record(settings.repo_id) if ask_hub else {}
        folder = folder.absolute()
        with replace_folders([folder]) as (new,):
            try:
                staged = _stage(run, new, settings, found or _read_record(folder)).staged
            except BaseException:
                # Beside a folder of the user's nothing of a mistake is left.
                shutil.rmtree(new, ignore_errors=True)
                raise
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
        UserError: the run is not fit to be published, another process publishes it, there is no token, or the Hub
            refuses.
        StageError: the Hub can't be reached, or answers with errors again and again.
    """
    check_finished(run)
    hub = Hub(settings.repo_id, _find_token())
    with _hold(run), _staging_folder(run) as folder:
        remote = hub.read()
        check_visibility(remote, settings)
        made = _stage(run, folder, settings, remote.record)
        contents = take_contents(made.staged)
        plan = make_plan(contents, remote)
        tag = str(made.settings.tag)
        check_tag(remote, plan, settings.repo_id, tag, move_tag=move_tag)
        anything = not (plan.empty and remote.exists and remote.tags.get(tag) == remote.head)
        if anything and not confirm(list_preview(hub.address, remote, plan, made.staged, made.rows, made.settings)):
            return None
        if anything:
            counts = made.rows.languages.values()
            message = f"Publish {tag}: {sum(counts)} rows in {len(counts)} languages"
            sent = hub.upload(contents, private=settings.private, tag=tag, move_tag=move_tag, message=message)
            done = Published(hub.address, sent.commit, tag, sent.files, sent.bytes, sent.private, sent.tagged)
        else:
            done = Published(hub.address, str(remote.head), tag, 0, 0, remote.private, tagged=False)
    note_published(run, made.state, {"repo_id": settings.repo_id, "revision": done.commit, "tag": tag})
    return done


@dataclass(frozen=True, slots=True)
class _Made:
    """A repository, put together: of which rows, of which round, with the licence and the tag worked out."""

    staged: Staged
    rows: Rows
    settings: PublishSettings
    state: RunState


def _stage(run: Path, folder: Path, settings: PublishSettings, found: Mapping[str, Any]) -> _Made:
    """Put the repository together in an empty folder."""
    # Nobody puts other rows in the place of these between their check and the end of their reading.
    with lock_folder(run, "run folder", wait=_WAIT):
        rows = check_run(run, settings)
        license = _combine(rows, settings)
        state = read_run_state(run)
        settings = settings.model_copy(update={"license": license, "tag": settings.tag or name_tag(run, state)})
        previous = choose_previous(found, str(settings.tag))
        staged = stage_data(run, folder, rows, settings)
        card = make_card(run, staged, settings, previous=previous)
        record = make_record(run, staged, settings, state.round or 1)
    for path, content in card.items():
        write_file(folder / path, content)
    write_record(staged, record, card, previous)
    for line in rows.beside.left_out:
        say(f"left out of config {line}")
    for config, wanted in (("rejected", settings.rejected), ("verdicts", settings.verdicts)):
        if wanted and staged.config(config) is None:
            say(f"no config {config!r}: there is nothing to put in it")
    return _Made(staged, rows, settings, state)


def _combine(rows: Rows, settings: PublishSettings) -> str:
    """The licence of all that is published."""
    try:
        return combine(rows.licenses, settings.license)
    except SettingsError as error:
        if not rows.only_beside:
            raise
        combine({name: one for name, one in rows.licenses.items() if name not in rows.only_beside}, settings.license)
        raise SettingsError(f"{error}; or publish without `rejected` and `verdicts`, whose rows these are") from None


@contextmanager
def _hold(run: Path) -> Iterator[None]:
    """Hold a finished run against a second publication, to the end of this one."""
    with ExitStack() as stack:
        try:
            # The lock outlasts what is put together beside it: one that is removed holds nobody off.
            stack.enter_context(lock_folder(run / _PLACE, "run folder"))
        except RunError:
            raise RunError(
                f"run folder {run}: another process is publishing it; wait for it or stop it, then run the same "
                "command again"
            ) from None
        yield


@contextmanager
def _staging_folder(run: Path) -> Iterator[Path]:
    """An empty folder in the run's, which goes away at the end. The caller holds the run."""
    folder = run / _PLACE / _STAGING
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


def _read_record(folder: Path) -> Mapping[str, Any]:
    path = folder / RECORD
    return parse_record(path.read_bytes()) if path.is_file() else {}


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


def _check_folder(folder: Path, run: Path) -> None:
    """That nothing of somebody's is in a folder that is to be replaced, and that it is none of the run's."""
    if folder.resolve().is_relative_to(run.resolve()):
        raise SettingsError(f"--dry-run: {folder} is in the run's folder, which holds its rows; give one outside of it")
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"--dry-run: {folder} is a file; give a new folder")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and (RECORD not in names or names - _OURS):
        stray = min(names - _OURS or names)
        raise SettingsError(f"--dry-run: {folder} holds {stray!r}; give a new folder, or one of an earlier --dry-run")
