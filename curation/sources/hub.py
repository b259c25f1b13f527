"""Records of a dataset of the Hugging Face Hub, streamed."""

import re
from collections.abc import Iterator
from itertools import chain

from curation.sources.files import SelectColumns
from curation.sources.places import FieldError, Place, PlacedRecords, Record
from mcot.core.errors import SourceError
from mcot.core.files import is_machine_error
from mcot.core.settings import SourceSettings

__all__ = ["looks_like_hub_id", "read_hub", "resolve_commit"]

# https://huggingface.co/docs/huggingface_hub: a namespace and a name, each of these characters.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
# Seconds to wait for the Hub's answer about a commit.
_TIMEOUT = 20.0
# By id and revision, the commit that the Hub named last: what was signed is what is read, whatever is pushed between.
_commits: dict[tuple[str, str | None], str] = {}


def looks_like_hub_id(path: str) -> bool:
    """Whether a path could be a Hub dataset's `org/name`."""
    return _HUB_ID.fullmatch(path) is not None


def read_hub(settings: SourceSettings, select: SelectColumns) -> PlacedRecords:
    """The records of a Hub dataset, in its own order, downloaded as they are asked for.

    They are those of the commit that `resolve_commit` gave last for these settings, or gives now.

    Raises:
        SourceError: the Hub can't be reached, has no such dataset, configuration or split, or a column is missing.
    """
    records = iter(_stream(settings))
    # The streamed dataset may not know its columns before it has read a record.
    first = next(records, None)
    if first is None:
        return
    try:
        columns = set(select(list(first)))
    except FieldError as error:
        raise SourceError(f"source {settings.path}: {error}") from None
    for number, record in enumerate(chain([first], records), 1):
        needed = {column: value for column, value in record.items() if column in columns}
        yield Place(settings.path, "row", number), needed


def _stream(settings: SourceSettings) -> Iterator[Record]:
    from datasets import load_dataset

    commit = _commits.get((settings.path, settings.revision)) or resolve_commit(settings)
    try:
        yield from load_dataset(settings.path, settings.subset, split=settings.split, revision=commit, streaming=True)
    except ValueError as error:
        # An unknown configuration or split: the message names the valid ones.
        raise SourceError(
            f"source {settings.path}: the Hub's dataset can't be read: {_one_line(error)}; "
            "set `subset`, `split` or `revision`"
        ) from None
    except Exception as error:  # noqa: BLE001 see _unreachable
        raise _unreachable(settings.path, error) from None


def resolve_commit(settings: SourceSettings) -> str:
    """The commit that a Hub dataset's revision is at now.

    A revision that is a whole commit is taken as it is, without asking the Hub.

    Raises:
        SourceError: the Hub doesn't say. To guess instead would make a finished run look like one of other data.
    """
    if settings.revision and _COMMIT.fullmatch(settings.revision):
        return settings.revision
    from huggingface_hub import HfApi

    try:
        info = HfApi().dataset_info(settings.path, revision=settings.revision, timeout=_TIMEOUT)
    except Exception as error:  # noqa: BLE001 see _unreachable
        raise _unreachable(settings.path, error) from None
    commit = info.sha or settings.revision or "main"
    _commits[settings.path, settings.revision] = commit
    return commit


def _unreachable(path: str, error: Exception) -> Exception:
    """What to raise for an error of the Hub's libraries.

    Whatever it is: the HTTP library below them, and with it the errors, changes from version to version.
    """
    if is_machine_error(error):
        return error
    return SourceError(
        f"source {path}: no such file here, and as a dataset of the Hub it could not be reached or does not exist "
        f"({_one_line(error)}); check the name, set HF_TOKEN for a private one, or give a local file"
    )


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
