"""The main job: sources -> translate -> back_translate -> check -> decide -> dataset and report."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.checks.base import Check
from curation.duplicates_stage import DuplicatesStage
from curation.finish import Outcome, finish
from curation.sources import read_problems, sources_signature
from curation.stages import find_benchmarks, make_check_stage, make_checks, make_decide_stage
from curation.translation import make_translator
from curation.translation.base import Translator
from curation.translation.carried import CarriedTexts
from curation.translation.stage import BackTranslateStage, TranslateStage, read_counts
from mcot.core.engines import Engine, LocalEngine, Stage
from mcot.core.files import remove_folder
from mcot.core.progress import Progress
from mcot.core.reviews import ReviewFiles
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
    forward: Translator = translator or make_translator(settings.translator)
    backward: Translator | None = None
    if settings.back_translation.enabled:
        own = settings.back_translation.model
        backward = translator or (make_translator(own) if own else forward)
    benchmarks, unread = find_benchmarks(settings)
    checks = make_checks(settings, benchmarks)
    data = sources_signature(settings.sources)
    identity = [[_place(source.path), source.name, source.subset, source.split] for source in settings.sources]
    with open_run(settings.folder, identity=identity, settings=dump_settings(settings)):
        return _run(settings, engine, forward, backward, checks, data, unread)


def _place(path: str) -> str:
    """A file's path from the root, however it was spelled; a Hub dataset's id as it is."""
    return str(Path(path).resolve()) if Path(path).exists() else path


def _run(
    settings: CurationSettings,
    engine: Engine,
    forward: Translator,
    backward: Translator | None,
    checks: list[Check],
    data: str,
    unread: list[str],
) -> Outcome:
    folder, protect = settings.folder, settings.translator.protect
    carried = CarriedTexts(folder / TranslateStage.name)
    translate = TranslateStage(
        forward,
        folder / "translate",
        protect=protect,
        languages=settings.languages,
        include_english=settings.include_english,
        carried=carried,
    )
    stages: list[tuple[Stage, bool]] = [(translate, False)]
    if backward is not None:
        back_translate = BackTranslateStage(backward, folder / "back_translate", protect=protect, carried=carried)
        stages.append((back_translate, False))
    else:
        remove_folder(folder / "back_translate")
    stages.append((make_check_stage(checks), True))
    done: list[StageFolder] = []

    def last_shards() -> list[Path]:
        return done[-1].shards()

    if settings.duplicates.enabled:
        # It looks at the whole dataset when it is opened, so in one process.
        stages.append((DuplicatesStage(last_shards, by=settings.duplicates.by), False))
    else:
        remove_folder(folder / DuplicatesStage.name)
    stages.append((make_decide_stage(settings), True))
    done.append(_read_sources(settings, folder, data))
    before = done[-1].signature
    for stage, parallel in stages:
        stage_folder = StageFolder(folder / stage.name, sign(stage.name, stage.signature, before))
        before = stage_folder.signature
        if stage is translate:
            carried.freeze(ReviewFiles.to_write(folder))
            # What was taken tells two outputs of one signature apart for the stages after it.
            before = carried.sign(before)
        if not stage_folder.done:
            (folder / "manifest.json").unlink(missing_ok=True)
            engine.run(stage, done[-1].shards(), stage_folder, parallel=parallel)
        done.append(stage_folder)
    return finish(settings, done[-1], _facts(settings, checks, done, unread), engine)


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
    settings: CurationSettings, checks: Sequence[Check], done: Sequence[StageFolder], unread: Sequence[str]
) -> dict[str, Any]:
    """What the report says besides the rows."""
    counts = {stage.path.name: read_counts(stage.shards()) for stage in done if "translate" in stage.path.name}
    backends = {model.backend for model in (settings.translator, settings.back_translation.model) if model}
    packages = ["mcot-math", "transformers", "torch", "pyarrow", "sentencex", *(backends - {"transformers"})]
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
        "translation": counts.get("translate", {}),
        "back_translation": counts.get("back_translate", {}),
        "checks": {check.name: check.signature for check in checks},
        "not_run": {f"contamination by {title}": "it could not be read" for title in unread},
        "schema": SCHEMA.names,
        "signatures": {stage.path.name: stage.signature for stage in done},
        "versions": {name: version(name) for name in packages},
    }
