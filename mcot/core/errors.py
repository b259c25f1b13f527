"""One tree of exceptions.

MCoTError
├── UserError              the user's input is wrong: one line, exit 2
│   ├── SettingsError      the settings file or an option
│   ├── SourceError        the data
│   ├── ModelError         a model folder or checkpoint
│   ├── RunError           the run folder
│   └── MissingExtraError  an optional dependency is not installed
└── StageError             a stage's batches failed after their retries: exit 1
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "MCoTError",
    "MissingExtraError",
    "ModelError",
    "RunError",
    "SettingsError",
    "SourceError",
    "StageError",
    "UserError",
    "choose",
]


class MCoTError(Exception):
    """Anything that this project raises on purpose."""


class UserError(MCoTError):
    """The user's input is wrong. The message is one line: what was got, what is valid, what to do."""


class SettingsError(UserError):
    """The settings file or an option is wrong."""


class SourceError(UserError):
    """The data is wrong."""


class ModelError(UserError):
    """A model folder or checkpoint is not what it should be."""


class RunError(UserError):
    """The run folder can't be used."""


class MissingExtraError(UserError):
    """An optional dependency is not installed.

    Args:
        package: what can't be imported.
        extra: of `mcot-math`, which brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        # An exception is unpickled from its arguments: worker processes send theirs pickled.
        super().__init__(package, extra)
        self.package, self.extra = package, extra

    def __str__(self) -> str:
        return f"this needs the package {self.package!r}: pip install 'mcot-math[{self.extra}]'"


class StageError(MCoTError):
    """Batches of a stage failed after their retries; the rest of the stage is kept."""


def choose(got: str, valid: Iterable[str]) -> str:
    """``valid: a, b, c (did you mean b?)``, the end of most messages of a `UserError`."""
    names = list(valid)
    close = get_close_matches(got, names, n=1, cutoff=0.6)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"valid: {', '.join(names)}{hint}"
