"""The main job: sources -> translate -> back_translate -> check -> decide -> dataset and report."""

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.checks.base import Check
from curation.duplicates_stage import DuplicatesStage
from curation.finish import Outcome, finish
from curation.lines import Line, describe_lines, make_lines, run_lines, run_stage
from curation.sources import read_problems, sources_signature
from curation.stages import find_benchmarks, make_checks, make_decide_stage
from curation.translation.base import Translator
from curation.translation.making import find_llms
from mcot.core.engines import Engine, LocalEngine, Stage
from mcot.core.files import remove_folder
from mcot.core.progress import Progress
from mcot.core.rows import SCHEMA
from mcot.core.runs import StageFolder, open_run, sign
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import dump_settings

__all__ = ["Outcome", "curate"]

# Settings that say nothing of the data.
_OF_THE_MACHINE: dict[str, Any] = {
    "output": True, "workers": True, "retries": True,
    "translator": {"gpu_share"}, "back_translation": {"model": {"gpu_share"}},
}  # fmt: skip


def curate(
    settings: CurationSettings,
    engine: Engine | None = None,
    *,
    translator: Translator | None = None,
) -> Outcome:
    """Run every stage that is not done yet.

    Args:
        settings: what to do.
        engine: where to do it; on this machine by default.
        translator: instead of the settings' own, in both directions.

    Raises:
        UserError: the settings, the sources, the model or the run's folder are wrong.
        StageError: some shards failed; everything else is kept.
    """
    engine = engine or LocalEngine(workers=settings.workers, retries=settings.retries)
    benchmarks, unread = find_benchmarks(settings)
    checks = make_checks(settings, benchmarks)
    lines = make_lines(settings, checks, translator)
    data = sources_signature(settings.sources)
    identity = [[_place(source.path), source.name, source.subset, source.split] for source in settings.sources]
    with open_run(settings.folder, identity=identity, settings=dump_settings(settings)), engine:
        return _run(settings, engine, lines, checks, data, unread)


def _place(path: str) -> str:
    """A file's path from the root, however it was spelled; a Hub dataset's id as it is."""
    return str(Path(path).resolve()) if Path(path).exists() else path


def _run(
    settings: CurationSettings,
    engine: Engine,
    lines: list[Line],
    checks: list[Check],
    data: str,
    unread: list[str],
) -> Outcome:
    folder = settings.folder
    done = [_read_sources(settings, folder, data)]
    done.append(run_lines(settings, lines, done[0], engine))
    stages: list[tuple[Stage, bool]] = []
    if settings.duplicates.enabled:
        # It looks at the whole dataset when it is opened, so in one process.
        stages.append((DuplicatesStage(partial(_last_shards, done), by=settings.duplicates.by), False))
    else:
        remove_folder(folder / DuplicatesStage.name)
    stages.append((make_decide_stage(settings), True))
    for stage, parallel in stages:
        stage_folder = StageFolder(folder / stage.name, sign(stage.name, stage.signature, done[-1].signature))
        done.append(run_stage(stage, stage_folder, done[-1].shards(), engine, run=folder, parallel=parallel))
    return finish(settings, done[-1], _facts(settings, checks, lines, done, unread), engine)


def _last_shards(done: Sequence[StageFolder]) -> list[Path]:
    return done[-1].shards()


def _read_sources(settings: CurationSettings, run: Path, data: str) -> StageFolder:
    """The problems as shards; read again from the start after a kill, which costs seconds."""
    signature = sign("sources", 1, data, settings.limit, settings.shard_rows)
    folder = StageFolder(run / "sources", signature)
    if not folder.done:
        (run / "manifest.json").unlink(missing_ok=True)
        counts: list[dict[str, Any]] = []
        shards = 0
        with Progress("sources", total=None, unit="problems") as progress:
            tables = read_problems(settings.sources, limit=settings.limit, rows=settings.shard_rows, counts=counts)
            for table in tables:
                if not folder.has(shards):
                    folder.write(shards, table)
                shards += 1
                progress.advance(len(table))
        folder.close(shards, sources=counts)
    return folder


def _facts(
    settings: CurationSettings,
    checks: Sequence[Check],
    lines: Sequence[Line],
    done: Sequence[StageFolder],
    unread: Sequence[str],
) -> dict[str, Any]:
    """What the report says besides the rows."""
    backends = {model.backend for model in (settings.translator, settings.back_translation.model) if model}
    packages = ["mcot-math", "transformers", "torch", "pyarrow", "sentencex", *(backends - {"transformers"})]
    packages += ["openai"] if find_llms(settings) or settings.judge else []
    made = lines[0].done[:-1] if len(lines) == 1 else done[:1]
    # Where a run lies and how many processes made it are no facts about the data.
    told = settings.model_dump(mode="json", exclude=_OF_THE_MACHINE)
    return {
        "name": settings.name,
        "settings": told,
        "bands": {
            code: {check: band.model_dump() for check, band in settings.bands(code).items()}
            for code in settings.languages
        },
        "sources": done[0].manifest().get("sources", []),
        **describe_lines(settings, lines, done[1]),
        "checks": {check.name: check.signature for check in (*checks, *lines[0].models)},
        "not_run": {f"contamination by {title}": "it could not be read" for title in unread},
        "schema": SCHEMA.names,
        "signatures": {stage.path.name: stage.signature for stage in (*made, *done[1:])},
        "versions": {name: version(name) for name in packages},
    }
