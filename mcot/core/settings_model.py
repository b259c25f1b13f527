"""What every settings model is made of: no unknown keys, nothing that can't be written, paths whose `~` is a home."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from mcot.core.errors import choose

__all__ = ["FilePath", "Language", "PathOrName", "SettingsModel", "check_each_once", "check_languages", "expand_home"]

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


class SettingsModel(BaseModel):
    """A part of a settings file. An unknown key is an error, and what was read does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _writable(cls, value: Any) -> Any:
        """YAML's escapes can make texts that no file name has and no file can hold."""
        text = str(value) if isinstance(value, str | Path) else ""
        if found := _UNWRITABLE.search(text):
            raise ValueError(f"holds the character {found[0]!r}, which no file name can have; remove it")
        return value


def expand_home(text: str) -> str:
    """A path whose leading `~` is the home folder; any other text as it is."""
    if not text.startswith("~"):
        return text
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        raise ValueError(f"there is no home folder {Path(text).parts[0]!r} here; give the path in full") from None


def check_languages(codes: Iterable[str], valid: set[str]) -> None:
    """Raise `ValueError` naming the valid codes if one is none of them."""
    for code in codes:
        if code not in valid:
            raise ValueError(f"got language {code!r}; {choose(code, sorted(valid))}")


def check_each_once(codes: Sequence[str], valid: set[str]) -> None:
    """Raise `ValueError` if a code is none of the valid ones, or is there twice."""
    check_languages(codes, valid)
    if len(set(codes)) < len(codes):
        raise ValueError(f"got {codes}, a language twice; name each once")


# Expanded before it is a Path: `./~x` is a name, and a Path forgets the `./`.
FilePath = Annotated[Path, BeforeValidator(lambda v: expand_home(str(v)) if isinstance(v, str | Path) else v)]
PathOrName = Annotated[str, AfterValidator(expand_home)]
Language = Annotated[str, Field(description="ISO 639-1")]
