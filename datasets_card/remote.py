"""What a repository of the Hub holds, and what is missing there of a staged folder."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from datasets_card.contents import Contents, File
from datasets_card.hub_errors import find_status
from datasets_card.publication import RECORD
from datasets_card.record import parse_record

__all__ = ["Plan", "Remote", "make_plan", "read_remote"]

_NOT_FOUND = 404
#: The record goes last: what it names is then there.
_LAST = ("croissant.json", "README.md", RECORD)


@dataclass(frozen=True, slots=True)
class Remote:
    """What a repository holds.

    Attributes:
        exists: whether there is one.
        private: whether only its owners see it.
        head: the commit that `main` is at.
        files: what the repository has, by path.
        tags: the commit of each tag.
        record: of the last publication; empty where there is none.
    """

    exists: bool
    private: bool = True
    head: str | None = None
    files: Mapping[str, RepoFile] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be sent, so that a repository is what a folder is.

    Attributes:
        new: files that it lacks, by path, with their bytes.
        changed: files that it has otherwise.
        unchanged: how many it has as they are.
        removed: files of an earlier publication that are not in this one.
    """

    new: Mapping[str, int]
    changed: Mapping[str, int]
    unchanged: int
    removed: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        """What is to be sent, the card last."""
        return sorted([*self.new, *self.changed], key=lambda path: (_LAST.index(path) if path in _LAST else -1, path))

    @property
    def bytes(self) -> int:
        """Of all that is to be sent."""
        return sum(self.new.values()) + sum(self.changed.values())

    @property
    def empty(self) -> bool:
        """Whether the repository is what the folder is."""
        return not (self.new or self.changed or self.removed)


def read_remote(api: HfApi, repo_id: str) -> Remote:
    """What a repository holds now. Whatever the Hub's library raises is passed on, but that there is none."""
    try:
        info = api.dataset_info(repo_id)
    except Exception as error:
        if find_status(error) == _NOT_FOUND:
            return Remote(exists=False)
        raise
    if info.sha is None:
        return Remote(exists=True, private=bool(info.private))
    tree = api.list_repo_tree(repo_id, repo_type="dataset", revision=info.sha, recursive=True)
    files = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
    refs = api.list_repo_refs(repo_id, repo_type="dataset")
    return Remote(
        exists=True,
        private=bool(info.private),
        head=info.sha,
        files=files,
        tags={tag.name: tag.target_commit for tag in refs.tags},
        record=_read_record(api, repo_id, info.sha) if RECORD in files else {},
    )


def _read_record(api: HfApi, repo_id: str, commit: str) -> dict[str, Any]:
    # Not into the cache of the Hub's library, which keeps what it is given for ever.
    with tempfile.TemporaryDirectory() as folder:
        path = api.hf_hub_download(repo_id, RECORD, repo_type="dataset", revision=commit, cache_dir=folder)
        return parse_record(Path(path).read_bytes())


def make_plan(contents: Contents, remote: Remote) -> Plan:
    """Compare what was staged with a repository by the contents of their files.

    Raises:
        RunError: a file that was staged is not there any more.
    """
    new: dict[str, int] = {}
    changed: dict[str, int] = {}
    for name, file in sorted(contents.files.items()):
        # What is gone here is no reason to remove it there.
        file.check()
        there = remote.files.get(name)
        if there is None:
            new[name] = file.size
        elif not _is_same(file, there):
            changed[name] = file.size
    # Only what an earlier publication put there: other files are somebody's.
    ours = {*remote.record.get("files", {}), *remote.record.get("card", [])}
    removed = sorted(ours & remote.files.keys() - contents.files.keys())
    return Plan(new, changed, len(contents.files) - len(new) - len(changed), tuple(removed))


def _is_same(file: File, there: RepoFile) -> bool:
    if file.size != there.size:
        return False
    if there.lfs is not None:
        return bool(there.lfs.sha256 == file.sha256)
    return bool(file.git_hash() == there.blob_id)
