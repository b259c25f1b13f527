"""From decided rows to what a run leaves: people's verdicts, the dataset, the report and, last, the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation.outputs import list_files, write_outputs
from curation.report import write_report
from curation.stages import make_check_stage, make_checks, make_decide_stage
from curation.verdicts import VerdictStage
from mcot.core.engines import Engine, LocalEngine
from mcot.core.errors import RunError
from mcot.core.files import lock_folder, read_json, remove_folder, write_json
from mcot.core.progress import Progress
from mcot.core.reviews import ReviewFiles
from mcot.core.rows import SCHEMA
from mcot.core.runs import StageFolder, sign
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings

__all__ = ["WAIT", "Outcome", "finish", "finish_again"]

#: For how many seconds verdicts that came wait for others that are being applied.
WAIT = 30.0

# Of the report and of what the outputs hold besides the rows; it is part of a run's signature, as the rows' columns
# are: rows that an earlier version decided stand, and are written anew with the scores that it did not know.
_REPORT_VERSION = 2
# What the report says besides the rows, for those who finish a run again without its sources and models.
_FACTS = ".facts.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: its folder, and for `dataset`, `review` and `rejected` the rows by language."""

    folder: Path
    rows: dict[str, dict[str, int]]

    @property
    def translations(self) -> dict[str, int]:
        """The translated rows of each folder; the English problems, which nobody translated, are not counted."""
        return {name: sum(count for code, count in by.items() if code != "en") for name, by in self.rows.items()}


def finish(settings: CurationSettings, decided: StageFolder, facts: Mapping[str, Any], engine: Engine) -> Outcome:
    """Apply the verdicts and write the outputs, the report and the manifest, unless they stand.

    Args:
        settings: the run's.
        decided: the stage of the decisions, done.
        facts: what the report says besides the rows.
        engine: where verdicts are applied.
    """
    folder = settings.folder
    if read_json(folder / _FACTS) != facts:
        write_json(folder / _FACTS, facts)
    last = _apply_verdicts(settings, decided, engine)
    told = {**facts, "reviews": read_json(ReviewFiles(folder).summary)}
    # Of two writings of a mapping, JSON's: what was read back from a file gives the same signature.
    signature = sign("run", _REPORT_VERSION, list(map(str, SCHEMA)), told, last.signature)
    manifest_path = folder / "manifest.json"
    manifest = read_json(manifest_path)
    if manifest.get("signature") == signature and manifest.get("files") == list_files(folder):
        return Outcome(folder, manifest["rows"])
    manifest_path.unlink(missing_ok=True)
    shards = last.shards()
    with Progress("outputs", total=2, unit="steps") as progress:
        rows = write_outputs(folder, shards)
        progress.advance(note="report")
        write_report(folder, shards, told)
        progress.advance()
    stages, files = {**facts["signatures"], last.path.name: last.signature}, list_files(folder)
    write_json(manifest_path, {"signature": signature, "rows": rows, "stages": stages, "files": files})
    return Outcome(folder, rows)


def finish_again(folder: Path) -> Outcome:
    """Finish a run whose stages are done with the verdicts that came since. Needs neither its sources nor its models.

    Raises:
        RunError: the folder is no run, its stages are not done, or another process writes into it.
        SettingsError: the run's settings are damaged.
    """
    facts = read_json(folder / _FACTS)
    decided = folder / "decide"
    signature = facts.get("signatures", {}).get(decided.name)
    if not isinstance(signature, str) or read_json(decided / "stage.json").get("signature") != signature:
        raise RunError(f"run {folder}: is not finished; run `mcot curate` with its settings again")
    # Wherever the run was moved since.
    settings = load_settings(folder / "settings.yaml", CurationSettings).model_copy(update={"output": folder})
    with lock_folder(folder, "run", wait=WAIT):
        stage = StageFolder(decided, signature)
        if not stage.done:
            raise RunError(f"run {folder}: lacks shards of {decided}; run `mcot curate` with its settings again")
        return finish(settings, stage, facts, LocalEngine(workers=settings.workers, retries=settings.retries))


def _apply_verdicts(settings: CurationSettings, decided: StageFolder, engine: Engine) -> StageFolder:
    """The stage of the verdicts, or the decided one where there are none."""
    folder = settings.folder
    resolved = ReviewFiles.to_write(folder).read_resolved()
    if not len(resolved):
        remove_folder(folder / VerdictStage.name)
        return decided
    # Corrected texts are not looked for in benchmarks again: what a row was found to hold it still holds.
    check, decide = make_check_stage(make_checks(settings)), make_decide_stage(settings)
    stage = VerdictStage(resolved, check, decide, carry=True)
    applied = StageFolder(folder / stage.name, sign(stage.name, stage.signature, decided.signature))
    if not applied.done:
        (folder / "manifest.json").unlink(missing_ok=True)
        engine.run(stage, decided.shards(), applied, parallel=True)
    return applied
