"""What finishes a run or an audit: nothing where nothing changed, everything where an earlier version wrote it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.audit import audit
from curation.audit_outputs import finish_audit_again
from curation.audit_settings import AuditSettings
from curation.finish import Outcome, finish, finish_again
from curation.stages import make_decide_stage
from mcot.core.engines import LocalEngine
from mcot.core.files import write_file, write_table
from mcot.core.reviews import read_decided
from mcot.core.rows import SCHEMA, from_rows
from mcot.core.runs import StageFolder, sign
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import dump_settings
from tests.core.test_rows import older

ROWS = [
    {"id": "p1-sw", "language": "sw", "source_question": "Has Ana 12?", "question": "Ana ana 12?", "reasons": [],
     "details": [], "scores": {"length_question": score}}
    for score in (0.9, 0.5)
]  # fmt: skip


def make_run(folder: Path) -> tuple[Callable[[], Outcome], str]:
    """A finished run of two rows: what finishes it again, and how an earlier version signed its outputs."""
    settings = CurationSettings.model_validate(
        {"name": "trial", "output": folder, "sources": [{"path": "p.jsonl", "license": "MIT"}], "languages": ["sw"]}
    )
    stage = make_decide_stage(settings)
    decided = StageFolder(folder / "decide", stage.signature)
    decided.write(0, stage.process(from_rows(ROWS), 0))
    decided.close(1)
    write_file(folder / "settings.yaml", dump_settings(settings))
    facts = {"name": "trial", "signatures": {"decide": stage.signature}}
    finish(settings, decided, facts, LocalEngine())
    return lambda: finish_again(folder), sign("run", 2, {**facts, "reviews": {}}, stage.signature)


def make_audit(folder: Path) -> tuple[Callable[[], Outcome], str]:
    """The same of an audit."""
    path = folder.with_suffix(".jsonl")
    path.write_text("".join(json.dumps(row | {"scores": None}) + "\n" for row in ROWS))
    audit(str(path), folder, AuditSettings(workers=1))
    return lambda: finish_audit_again(folder), sign("audit", 1, read_decided(folder), [], {})


def outputs(folder: Path) -> Sequence[Path]:
    return sorted(path for name in ("dataset", "review", "rejected") for path in (folder / name).rglob("*.parquet"))


@pytest.mark.parametrize("make", [make_run, make_audit])
def test_outputs_of_an_earlier_version_are_written_anew(
    make: Callable[[Path], tuple[Callable[[], Outcome], str]], tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    again, signature = make(folder)
    for path in [*outputs(folder), *(folder / "decide").glob("*.parquet")]:
        write_table(path, older(pq.read_table(path)))
    manifest = json.loads((folder / "manifest.json").read_text())
    sizes = {name: (folder / name).stat().st_size for name in manifest["files"]}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"signature": signature, "files": sizes}))
    assert again().rows == manifest["rows"]
    assert outputs(folder)
    assert all(pq.read_schema(path).equals(SCHEMA) for path in outputs(folder))
    before = {path: path.stat().st_mtime_ns for path in outputs(folder)}
    assert again().rows == manifest["rows"]
    assert {path: path.stat().st_mtime_ns for path in outputs(folder)} == before
