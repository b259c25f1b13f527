"""What a published repository holds: its configs, their Parquet files by split, and a record of all of it.

The record, `mcot.json`, is what the next publication compares itself with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ALL", "RECORD", "REJECTED", "VERDICTS", "Config", "Staged"]

#: The config of every language's rows, which a repository is loaded with unless another is named.
ALL = "all"
REJECTED = "rejected"
VERDICTS = "verdicts"

#: The record of a publication, relative to the repository.
RECORD = "mcot.json"


@dataclass(frozen=True, slots=True)
class Config:
    """A config of the repository.

    Attributes:
        name: a language's code, `all`, `rejected` or `verdicts`.
        splits: the files of each split, relative to the repository.
        rows: how many each split has.
        bytes: of its files together.
    """

    name: str
    splits: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, int]
    bytes: int


@dataclass(frozen=True, slots=True)
class Staged:
    """A folder that is laid out exactly as the repository will be.

    Attributes:
        folder: where the files lie.
        configs: a config a language, `all`, and those asked for beside them; `all` has no files of its own.
        files: the SHA-256, in hexadecimal, of every data file by its path relative to the repository.
    """

    folder: Path
    configs: tuple[Config, ...]
    files: Mapping[str, str]

    def config(self, name: str) -> Config | None:
        """The config of that name; None where there is none."""
        return next((config for config in self.configs if config.name == name), None)
