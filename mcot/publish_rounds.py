"""Which round a publication is of, and where it is noted."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcot.core.errors import RunError
from mcot.core.files import read_json
from mcot.core.progress import say
from mcot.round_facts import curation_round
from mcot.round_record import OPEN, hold_rounds, read_rounds, round_folder, write_round

__all__ = ["RunState", "name_tag", "note_published", "read_run_state"]


@dataclass(frozen=True, slots=True)
class RunState:
    """Which of a run's states its rows are in, when they are read to be published.

    Attributes:
        round: that they were decided in; None where they were decided in none: no round was started yet, or none has
            got to them.
        signature: of the rows, as the run's manifest has it.
    """

    round: int | None
    signature: str


def read_run_state(run: Path) -> RunState:
    """Read of which round a run's rows are. They are not the open one's until they are decided in it.

    Raises:
        RunError: the folder is no run's, or a record is damaged.
    """
    records = read_rounds(run)
    signature = str(read_json(run / "manifest.json").get("signature"))
    number = curation_round(run)
    if number is None and records:
        # An audit's settings name no round: its rows are of the last one, unless another ended with just these.
        ended = [one["round"] for one in records if one["state"] != OPEN and _is_of(signature, one)]
        number = int(ended[-1] if ended else records[-1]["round"])
    return RunState(number or None, signature)


def name_tag(run: Path, state: RunState) -> str:
    """What a publication is tagged where nobody says otherwise: `round-N`, and `round-1` before any round.

    Args:
        run: the run's folder.
        state: of its rows.

    Raises:
        RunError: a round was started, but the rows are as they were before.
    """
    if state.round is None and read_rounds(run):
        raise RunError(
            f"run {run}: a round is open, and the rows were decided before it; decide them in it with `mcot curate "
            f"{round_folder(run, 1) / 'settings.yaml'}`, or name them with --tag"
        )
    return f"round-{state.round or 1}"


def note_published(run: Path, state: RunState, published: Mapping[str, Any]) -> None:
    """Note a publication in the record of the round that its rows were decided in; says so where it can't be.

    Args:
        run: the run's folder.
        state: of the rows that were published, which may be others by now.
        published: `repo_id`, `revision` and `tag`.

    Raises:
        RunError: a record is damaged, or another process holds the rounds for too long.
    """
    if not read_rounds(run):
        return
    with hold_rounds(run):
        record = next((one for one in read_rounds(run) if one["round"] == state.round), None)
        if record is not None and record["state"] == OPEN:
            write_round(run, {**record, "noted": {**record.get("noted", {}), "published": dict(published)}})
        elif record is not None and _is_of(state.signature, record):
            write_round(run, {**record, "published": dict(published)})
        else:
            say("noted in no round: these rows are neither those that a round ended with, nor of the open one")


def _is_of(signature: str, record: Mapping[str, Any]) -> bool:
    """Whether rows are those that a finished round ended with."""
    dataset = record.get("dataset")
    return isinstance(dataset, Mapping) and dataset.get("signature") == signature
