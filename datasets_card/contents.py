"""What a staged folder holds, looked at once: whatever becomes of it afterwards, nothing else is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.utils.sha import git_hash

from datasets_card.publication import Staged
from datasets_card.staging import hash_file
from mcot.core.errors import RunError

__all__ = ["Contents", "File", "take_contents"]


@dataclass(frozen=True, slots=True)
class File:
    """A file of a staged folder.

    Attributes:
        path: where it lies.
        size: in bytes.
        sha256: of its bytes, in hexadecimal.
    """

    path: Path
    size: int
    sha256: str

    def check(self) -> None:
        """Check that it is there still, as long as it was.

        Raises:
            RunError: something else took it away, or wrote into it.
        """
        if not self.path.is_file() or self.path.stat().st_size != self.size:
            raise RunError(
                f"{self.path}: was there when it was made and is no longer, or is another; leave the folder alone, and "
                "run the same command again"
            )

    def git_hash(self) -> str:
        """What git names a file of these bytes."""
        return str(git_hash(self.path.read_bytes()))


@dataclass(frozen=True, slots=True)
class Contents:
    """All files of a staged folder, by their paths relative to the repository."""

    files: Mapping[str, File]


def take_contents(staged: Staged) -> Contents:
    """Look at a staged folder.

    Raises:
        RunError: a data file that was staged is not there.
    """
    paths = sorted(path for path in staged.folder.rglob("*") if path.is_file())
    found = {path.relative_to(staged.folder).as_posix(): path for path in paths}
    if lost := sorted(staged.files.keys() - found.keys()):
        raise RunError(f"{staged.folder / lost[0]}: is no longer there; run the same command again")
    return Contents(
        {
            name: File(path, path.stat().st_size, staged.files.get(name) or hash_file(path))
            for name, path in found.items()
        }
    )
