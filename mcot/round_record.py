"""A round's record, `RUN/rounds/NNN.json`: what was curated, reviewed, trained and measured in it.

While a round is open its record holds what commands noted of it: folders of a training and of an evaluation, a
published revision. What lies in the run's folder is read from there and not noted twice. A round that is finished is
told of by its record alone, whatever becomes of the run afterwards.
"""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from mcot.core.errors import RunError
from mcot.core.files import lock_folder, read_json, write_json

__all__ = [
    "FINISHED",
    "OPEN",
    "VERSION",
    "find_folder",
    "hold_rounds",
    "note",
    "open_round",
    "place",
    "read_rounds",
    "record_path",
    "round_folder",
    "rounds_folder",
    "write_round",
]

#: A record's `state`.
OPEN, FINISHED = "open", "finished"
#: Of what a record holds.
VERSION = 1
# For how many seconds a command waits for another's note.
_WAIT = 30.0


def rounds_folder(run: Path) -> Path:
    """Where a run's rounds lie."""
    return run / "rounds"


def record_path(run: Path, number: int) -> Path:
    """Where a round's record is, or will be."""
    return rounds_folder(run) / f"{number:03d}.json"


def round_folder(run: Path, number: int) -> Path:
    """Where a round's files lie: settings ready to use, and what was trained and measured with them."""
    return rounds_folder(run) / f"{number:03d}"


def read_rounds(run: Path) -> list[dict[str, Any]]:
    """The records of a run's rounds, the first one first; none where no round was ever started.

    Raises:
        RunError: a record is damaged or missing between others.
    """
    # From the thousandth on names are longer, and no longer in the order of their letters.
    paths = [path for path in rounds_folder(run).glob("*.json") if path.stem.isdecimal()]
    paths.sort(key=lambda path: int(path.stem))
    records = []
    for number, path in enumerate(paths, 1):
        record = read_json(path)
        if record.get("round") != int(path.stem) or record.get("state") not in (OPEN, FINISHED):
            raise RunError(f"{path}: is damaged; put back a copy of it, or move it away with those after it")
        if record["round"] != number:
            raise RunError(f"{path}: the record of round {number} before it is missing; put back a copy of it")
        records.append(record)
    return records


def open_round(run: Path) -> dict[str, Any] | None:
    """The record of the round that is not finished; None where there is none.

    Raises:
        RunError: a record is damaged.
    """
    records = read_rounds(run)
    return records[-1] if records and records[-1]["state"] == OPEN else None


def write_round(run: Path, record: dict[str, Any]) -> None:
    """Write a round's record, whole or not at all. The caller holds the rounds."""
    write_json(record_path(run, record["round"]), record)


def hold_rounds(run: Path) -> AbstractContextManager[None]:
    """Hold a run's rounds against other processes.

    Raises:
        RunError: another process holds them for too long.
    """
    return lock_folder(rounds_folder(run), "rounds folder", wait=_WAIT)


def note(run: Path, **facts: Any) -> None:
    """Add facts to the record of the open round; does nothing where no round is open.

    Args:
        run: the run's folder.
        facts: by key, as JSON has them; each replaces what was noted before under its key, None takes it away. A
            `Path` is written as `place` does it. Known are `trained` and `evaluation` (folders), `calibration` and
            `published` (mappings).

    Raises:
        RunError: the record is damaged.
    """
    if open_round(run) is None:
        return
    with hold_rounds(run):
        record = open_round(run)
        if record is None:
            return
        noted = {**record.get("noted", {}), **{key: _plain(value, run) for key, value in facts.items()}}
        noted = {key: value for key, value in noted.items() if value is not None}
        if noted != record.get("noted"):
            write_round(run, {**record, "noted": noted})


def find_folder(run: Path, noted: object) -> Path | None:
    """A noted folder as a path; None where none was noted."""
    return run / noted if isinstance(noted, str) else None


def place(path: Path, run: Path) -> str:
    """A path as a record has it: from the run's folder where it is inside, so that a run can be moved."""
    full, base = path.resolve(), run.resolve()
    return full.relative_to(base).as_posix() if full.is_relative_to(base) else str(full)


def _plain(value: Any, run: Path) -> Any:
    match value:
        case Path():
            return place(value, run)
        case dict():
            return {str(key): _plain(inner, run) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, run) for inner in value]
    return value
