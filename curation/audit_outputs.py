"""What an audit leaves: its rows with people's verdicts applied, the decisions in the input's order, the report.

The rows as the checks decided them stay in `decide/`, as in a run; all else is made from them when a verdict comes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.audit_settings import AuditSettings
from curation.finish import WAIT, Outcome
from curation.outputs import Outputs, list_files, open_outputs
from curation.report import gather, render
from curation.stages import make_check_stage, make_checks, make_decide_stage
from curation.verdicts import VerdictStage
from mcot.core.errors import RunError
from mcot.core.files import lock_folder, read_json, write_file, write_json
from mcot.core.progress import Progress
from mcot.core.reviews import ReviewFiles
from mcot.core.rows import SCHEMA, SCORES
from mcot.core.runs import read_shard, sign
from mcot.core.settings import CheckName
from mcot.core.settings_file import load_settings

__all__ = ["COLUMNS", "DECISIONS_FILE", "FACTS", "SETTINGS", "Audited", "finish_audit_again", "write_audit"]

DECISIONS_FILE = "decisions.parquet"
COLUMNS = ("id", "decision", "reasons", "details", "scores")
#: What was set, every default spelled out.
SETTINGS = "settings.yaml"
#: What the report says besides the rows.
FACTS = ".facts.json"

# What a check needs before it can run, for people whose set lacks it.
_PAIR = "`source_rationale` and `rationale`"
_NEEDS = {
    "translation": "only the translator knows how it ended: `mcot curate` asks it",
    "back_translation": "no row has `back_question` or `back_rationale`",
    "equations": f"no row has {_PAIR} with equations",
    "answer": "no row has `rationale` and an `answer` that is a number",
    "duplicates": "it looks at whole datasets, not at rows",
    "contamination": "the settings don't ask for it: name benchmarks under `contamination`",
    "quality_estimation": "no row that is left undecided has texts that the model takes",
    "judge": "other checks drop every row, or no judgement could be read",
}
_UNASKED = "the settings don't ask for it: each has a key of its name"


class Audited:
    """What an audit counted.

    Args:
        counts: rows by decision, and scores by field.
        rows: for each folder the rows by language.
        settings: what was asked for.

    Attributes:
        decisions: rows by decision.
        not_run: the checks, or their parts, that scored no row, and why.
        rows: for each folder the rows by language.
    """

    def __init__(self, counts: Mapping[str, int], rows: dict[str, dict[str, int]], settings: AuditSettings) -> None:
        self.decisions = {decision: counts.get(decision, 0) for decision in ("keep", "review", "drop")}
        self.not_run = _not_run(counts, settings)
        self.rows = rows


def write_audit(
    folder: Path, tables: Iterable[pa.Table], facts: Mapping[str, Any], settings: AuditSettings, progress: Progress
) -> Audited:
    """Write everything but the decided rows themselves, from these, as they come. The caller holds the folder.

    Args:
        folder: the audit's.
        tables: decided rows, in the input's order.
        facts: what the report says besides the rows.
        settings: how verdicts that change a text are checked.
        progress: told of the rows.
    """
    files = ReviewFiles.to_write(folder)
    stage = _make_verdict_stage(files.read_resolved(), settings)
    counts: Counter[str] = Counter()
    told = {**facts, "reviews": read_json(files.summary)}
    try:
        with open_outputs(folder) as outputs:
            judged = (stage.process(table, number) if stage else table for number, table in enumerate(tables))
            # The report counts a table while others are still being decided.
            report = gather(_write_rows(folder, judged, counts, outputs, progress), told)
    finally:
        if stage:
            stage.close()
    audited = Audited(counts, outputs.counts, settings)
    report["settings"]["checks not run"] = report["not_run"] = audited.not_run
    write_file(folder / "report.html", render(report))
    write_json(folder / "report.json", report)
    return audited


def finish_audit_again(folder: Path) -> Outcome:
    """Apply the verdicts that came since to an audit's rows, and write everything that tells of them anew.

    Does nothing where nothing came.

    Raises:
        RunError: the folder is no audit's, or another process writes into it.
    """
    with lock_folder(folder, "audit", wait=WAIT):
        decided = read_json(folder / "decide" / "stage.json")
        if not decided or not (folder / FACTS).exists():
            raise RunError(f"audit {folder}: is not finished; run `mcot audit` with this output again")
        manifest = read_json(folder / "manifest.json")
        signature = sign_audit(folder)
        if manifest.get("signature") == signature and manifest.get("files") == list_files(folder, DECISIONS_FILE):
            return Outcome(folder, manifest["rows"])
        (folder / "manifest.json").unlink(missing_ok=True)
        settings = load_settings(folder / SETTINGS, AuditSettings)
        tables = (read_shard(shard_path(folder, number)) for number in range(decided["shards"]))
        with Progress("verdicts", total=None, unit="rows") as progress:
            audited = write_audit(folder, tables, read_json(folder / FACTS), settings, progress)
        finish_manifest(folder, audited)
        return Outcome(folder, audited.rows)


def finish_manifest(folder: Path, audited: Audited) -> None:
    """Write the manifest, last."""
    made = list_files(folder, DECISIONS_FILE)
    write_json(folder / "manifest.json", {"signature": sign_audit(folder), "rows": audited.rows, "files": made})


def shard_path(folder: Path, number: int) -> Path:
    """Where a chunk of decided rows lies."""
    return folder / "decide" / f"shard-{number:05d}.parquet"


def sign_audit(folder: Path) -> str:
    """Of all that the outputs are made from, and of their columns: the decided rows and what people said."""
    files = ReviewFiles(folder)
    decided = read_json(folder / "decide" / "stage.json").get("signature")
    return sign(
        "audit", 2, list(map(str, SCHEMA)), decided, files.read_resolved().to_pylist(), read_json(files.summary)
    )


def _make_verdict_stage(resolved: pa.Table, settings: AuditSettings) -> VerdictStage | None:
    """The stage that applies verdicts, opened; none where there are none."""
    if not len(resolved):
        return None
    curation = settings.for_curation("audit")
    stage = VerdictStage(resolved, make_check_stage(make_checks(curation)), make_decide_stage(curation), carry=False)
    stage.open()
    return stage


def _write_rows(
    folder: Path, tables: Iterable[pa.Table], counts: Counter[str], outputs: Outputs, progress: Progress
) -> Iterator[pa.Table]:
    """Write `decisions.parquet` and the outputs, count rows by decision and by score; gives the tables on."""
    part = folder / f".{DECISIONS_FILE}.part"
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS])
    try:
        with pq.ParquetWriter(part, schema, compression="zstd") as file:
            for table in tables:
                file.write_table(table.select(list(COLUMNS)).replace_schema_metadata(None))
                counts.update(map(str, table["decision"].to_pylist()))
                for field in SCORES:
                    counts[field] += len(table) - pc.struct_field(table["scores"], field).null_count
                outputs.add(table)
                progress.advance(len(table))
                yield table
        part.replace(folder / DECISIONS_FILE)
    finally:
        part.unlink(missing_ok=True)


def _not_run(counts: Mapping[str, int], settings: AuditSettings) -> dict[str, str]:
    """Which checks, or which of their parts, scored no row of the set, and why."""
    models = {"quality_estimation": settings.quality_estimation, "judge": settings.judge}
    unasked = dict.fromkeys((name for name, asked in models.items() if asked is None), _UNASKED)
    needs = _NEEDS | unasked
    result = {}
    for check in get_args(CheckName):
        fields = [field for field in SCORES if field.startswith(f"{check}_")]
        empty = [field for field in fields if not counts.get(field)]
        if len(empty) == len(fields):
            result[check] = needs.get(check, "no row has what it needs")
        elif empty:
            result[f"{check} of {empty[0].rpartition('_')[2]}s"] = f"no row has {_PAIR}"
    return result
