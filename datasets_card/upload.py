"""A staged folder to the Hub: what it has is not sent again, and what was cut off goes on.

huggingface_hub tries again by itself what sends files (six times, and as late as the Hub asks for), but not what makes
a repository, a commit or a tag, nor questions about a repository. That is done here: after a fault the repository is
looked at again, so a commit whose answer was lost is not made twice.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

from datasets_card.contents import Contents
from datasets_card.hub_errors import explain, find_fault, find_status
from datasets_card.remote import Plan, Remote, make_plan, read_remote
from mcot.core.errors import SettingsError, UserError
from mcot.core.progress import Progress, say

__all__ = ["Hub", "Uploaded"]

Result = TypeVar("Result")

# Tries without any headway, and the longest wait between two, in seconds.
_TRIES = 5
_LONGEST_WAIT = 300.0
# Files that are sent before they are told of as done, and their bytes, as far as one file is not more.
_CHUNK_FILES, _CHUNK_BYTES = 32, 256 << 20
# "Prefer committing around 50-100 files per commit", https://huggingface.co/docs/hub/storage-limits
_COMMIT_FILES = 100

# What a header can hold, without blanks.
_TOKEN = re.compile(r"[!-~]+")
_CONFLICT = 409


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What came of an upload.

    Attributes:
        commit: that the repository is at.
        files: how many it lacked, or had otherwise. Their bytes went out unless its storage had them, as after an
            upload that was cut off before its commit.
        bytes: of these together.
        private: whether only its owners see the repository.
        tagged: whether the tag was made now.
    """

    commit: str
    files: int
    bytes: int
    private: bool
    tagged: bool


class Hub:
    """A dataset repository of the Hub.

    Args:
        repo_id: the repository, as ORG/NAME.
        token: who writes to it.

    Raises:
        SettingsError: the token is none that the Hub can have given.
    """

    def __init__(self, repo_id: str, token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise SettingsError(
                "the token for the Hub holds a letter or a sign that no token has (valid: ASCII letters, digits and "
                "signs without blanks); copy it again into HF_TOKEN, or run `hf auth login`"
            )
        self.repo_id, self._token = repo_id, token
        self._api = HfApi(token=token)
        self.endpoint: str = self._api.endpoint

    @property
    def address(self) -> str:
        """The repository's page."""
        return f"{self.endpoint}/datasets/{self.repo_id}"

    def read(self) -> Remote:
        """What the repository holds now.

        Raises:
            UserError: the token is wrong, or may not see it.
            StageError: the Hub can't be reached, or answers with errors again and again.
        """
        return self._again(lambda: read_remote(self._api, self.repo_id))

    def upload(self, contents: Contents, *, private: bool, tag: str, move_tag: bool, message: str) -> Uploaded:
        """Make the repository what was staged, then tag it.

        Args:
            contents: what was staged.
            private: whether only its owners see the repository, where it is made now.
            tag: of the state; one that is at another state is an error, unless it may be moved.
            move_tag: whether it may.
            message: of the commit.

        Raises:
            UserError: the Hub refuses it, or something was staged that is there no longer.
            StageError: the connection was lost, or the Hub answers with errors again and again.
        """
        sending = _Sending(self._api, self.repo_id, contents, message)
        with sending.progress:
            self._again(lambda: sending.send(private=private), lambda: len(sending.done))
            tagged = self._again(lambda: self._tag(tag, move=move_tag))
            remote = self.read()
        missing = sending.missing
        return Uploaded(str(remote.head), len(missing), sum(missing.values()), remote.private, tagged)

    def _tag(self, tag: str, *, move: bool) -> bool:
        remote = read_remote(self._api, self.repo_id)
        at = remote.tags.get(tag)
        if at == remote.head:
            return False
        if at is not None:
            if not move:
                raise UserError(f"tag {tag!r} of {self.repo_id} is at another state; give another --tag, or --move-tag")
            self._api.delete_tag(self.repo_id, tag=tag, repo_type="dataset")
        self._api.create_tag(self.repo_id, tag=tag, revision=remote.head, repo_type="dataset")
        return True

    def _again(self, work: Callable[[], Result], headway: Callable[[], int] = lambda: 0) -> Result:
        """Do work that can be done twice, again after a fault that may pass."""
        tries, before = 0, headway()
        while True:
            try:
                with _quiet_library():
                    return work()
            except Exception as error:
                fault = find_fault(error)
                if fault is None:
                    raise
                tries, before = (1 if headway() > before else tries + 1), headway()
                wait = fault.wait if fault.wait is not None else 2.0 ** (tries - 1)
                if not fault.transient or tries >= _TRIES or wait > _LONGEST_WAIT:
                    # What the library raised may tell of the request, and with it of the token.
                    raise explain(fault, self.repo_id, self.endpoint, self._token) from None
                what = f"answers {fault.status}" if fault.status else "can't be reached"
                say(f"{self.endpoint} {what}; trying again in {wait:.0f} s")
                time.sleep(wait)


class _Sending:
    """An upload, begun again after each fault until all is there.

    Attributes:
        done: files that the Hub's storage has, though maybe no commit yet.
        missing: the bytes of each file that the repository lacked, or had otherwise, by path.
        progress: to be shown.
    """

    def __init__(self, api: HfApi, repo_id: str, contents: Contents, message: str) -> None:
        self._api, self._repo_id, self._contents, self._message = api, repo_id, contents, message
        self.done: set[str] = set()
        self.missing: dict[str, int] = {}
        self.progress = Progress("upload", total=None, unit="files")

    def send(self, *, private: bool) -> None:
        """Send what is missing, if anything is."""
        remote = read_remote(self._api, self._repo_id)
        if not remote.exists:
            remote = self._create(private=private)
        plan = make_plan(self._contents, remote)
        self.missing |= {**plan.new, **plan.changed}
        additions = [CommitOperationAdd(path, str(self._contents.files[path].path)) for path in plan.paths]
        for chunk in _chunks(additions):
            self._api.preupload_lfs_files(self._repo_id, chunk, repo_type="dataset", free_memory=False)
            for addition in chunk:
                if addition.path_in_repo not in self.done:
                    self.done.add(addition.path_in_repo)
                    self.progress.advance(note=addition.path_in_repo)
        self._commit(additions, plan, remote.head)

    def _create(self, *, private: bool) -> Remote:
        # Not with `exist_ok`: the library then reads of the answer what a server may leave out.
        try:
            self._api.create_repo(self._repo_id, repo_type="dataset", private=private)
        except Exception as error:
            remote = read_remote(self._api, self._repo_id) if find_status(error) == _CONFLICT else Remote(exists=False)
            if not remote.exists:
                raise
            return remote
        return read_remote(self._api, self._repo_id)

    def _commit(self, additions: Sequence[CommitOperationAdd], plan: Plan, head: str | None) -> None:
        pieces = [additions[start : start + _COMMIT_FILES] for start in range(0, len(additions), _COMMIT_FILES)]
        if not pieces and plan.removed:
            pieces = [[]]
        for number, piece in enumerate(pieces, 1):
            last = number == len(pieces)
            part = f" ({number} of {len(pieces)})" if len(pieces) > 1 else ""
            # With the card, and not before it: until then the old one finds its files.
            removed = [CommitOperationDelete(path, is_folder=False) for path in plan.removed] if last else []
            made = self._api.create_commit(
                self._repo_id,
                [*piece, *removed],
                commit_message=self._message + part,
                repo_type="dataset",
                # Whoever else writes to the repository now is not written over.
                parent_commit=head,
            )
            head = made.oid


def _chunks(additions: Sequence[CommitOperationAdd]) -> Iterator[list[CommitOperationAdd]]:
    chunk: list[CommitOperationAdd] = []
    size = 0
    for addition in additions:
        if chunk and (len(chunk) == _CHUNK_FILES or size + addition.upload_info.size > _CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(addition)
        size += addition.upload_info.size
    if chunk:
        yield chunk


@contextmanager
def _quiet_library() -> Iterator[None]:
    """Without the library's bars, which break this program's, and its warnings, which name signed addresses."""
    handlers = logging.getLogger("huggingface_hub").handlers
    bars = not are_progress_bars_disabled()
    for handler in handlers:
        handler.addFilter(_names_no_address)
    if bars:
        disable_progress_bars()
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_names_no_address)
        if bars:
            enable_progress_bars()


def _names_no_address(record: logging.LogRecord) -> bool:
    """Whether a line of the library's log, such as how long it waits, names no address."""
    return "://" not in record.getMessage()
