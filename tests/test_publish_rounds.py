"""Which round a publication is of, what it is tagged, and where it is noted."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mcot.core.errors import RunError
from mcot.publish_rounds import RunState, name_tag, note_published, read_run_state
from mcot.round_record import FINISHED, OPEN, open_round, read_rounds, write_round
from tests.datasets_card.conftest import finished_run, run

__all__ = ["finished_run", "run"]

PUBLISHED = {"repo_id": "org/set", "revision": "abc", "tag": "round-1"}


def signature_of(run: Path) -> str:
    return str(json.loads((run / "manifest.json").read_text())["signature"])


def decide_in(run: Path, number: int) -> None:
    content = yaml.safe_load((run / "settings.yaml").read_text())
    (run / "settings.yaml").write_text(yaml.safe_dump(content | {"round": number}))


def write(run: Path, number: int, state: str, **content: Any) -> None:
    write_round(run, {"format": 1, "round": number, "state": state, **content})


def finish(run: Path, number: int, signature: str) -> None:
    write(run, number, FINISHED, dataset={"signature": signature}, published=None)


@pytest.mark.parametrize(
    ("decided", "finished", "opened", "expected"),
    [
        (0, [], [], "round-1"),
        (1, [], [1], "round-1"),
        (1, [1], [], "round-1"),
        # A round is open, and its rows are those of the one before.
        (1, [1], [2], "round-1"),
        (2, [1], [2], "round-2"),
        (0, [], [1], "decide them in it with `mcot curate"),
    ],
)
def test_the_tag_is_of_the_round_that_the_rows_were_decided_in(
    run: Path, decided: int, finished: list[int], opened: list[int], expected: str
) -> None:
    decide_in(run, decided)
    for number in finished:
        finish(run, number, "other")
    for number in opened:
        write(run, number, OPEN, noted={})
    state = read_run_state(run)
    assert state == RunState(decided or None, signature_of(run))
    if expected.startswith("round-"):
        assert name_tag(run, state) == expected
    else:
        with pytest.raises(RunError, match=expected):
            name_tag(run, state)


def test_an_audit_is_of_the_round_that_ended_with_its_rows(run: Path) -> None:
    (run / "decisions.parquet").write_bytes(b"")
    assert read_run_state(run).round is None
    write(run, 1, OPEN, noted={})
    assert read_run_state(run).round == 1
    finish(run, 1, signature_of(run))
    write(run, 2, OPEN, noted={})
    assert read_run_state(run).round == 1
    finish(run, 1, "other")
    assert read_run_state(run).round == 2


def test_it_is_noted_in_the_round_of_the_rows(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = RunState(1, signature_of(run))
    note_published(run, RunState(None, state.signature), PUBLISHED)
    assert not (run / "rounds").exists()
    write(run, 1, OPEN, noted={"trained": "here"})
    note_published(run, state, PUBLISHED)
    record = open_round(run)
    assert record is not None
    assert record["noted"] == {"trained": "here", "published": PUBLISHED}
    # Published after it was finished, and while the next one is open.
    finish(run, 1, state.signature)
    note_published(run, state, PUBLISHED)
    assert read_rounds(run)[0]["published"] == PUBLISHED
    write(run, 2, OPEN, noted={})
    note_published(run, state, {**PUBLISHED, "tag": "again"})
    first, second = read_rounds(run)
    assert (first["published"]["tag"], second["noted"]) == ("again", {})
    assert capfd.readouterr().err == ""
    # Rows that the round did not end with.
    note_published(run, RunState(1, "other"), PUBLISHED)
    assert "noted in no round" in capfd.readouterr().err
    assert read_rounds(run) == [first, second]
