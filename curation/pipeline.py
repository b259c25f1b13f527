"""The main job: sources -> translate -> back_translate -> check -> decide -> dataset and report."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.checks.answer import AnswerCheck
from curation.checks.back_translation import BackTranslationCheck
from curation.checks.base import Check
from curation.checks.equations import EquationsCheck
from curation.checks.language import LanguageCheck
from curation.checks.length import LengthCheck
from curation.checks.mixed import MixedCheck
from curation.checks.numbers import NumbersCheck
from curation.checks.repetition import RepetitionCheck
from curation.checks.stage import CheckStage
from curation.checks.untranslated import UntranslatedCheck
from curation.contamination import ContaminationCheck
from curation.decide import DecideStage
from curation.outputs import FOLDERS, write_outputs
from curation.report import write_report
from curation.sources import read_problems, sources_signature
from curation.translation.base import Translator
from curation.translation.nllb import NllbTranslator
from curation.translation.stage import BackTranslateStage, TranslateStage, read_counts
from mcot.core.benchmarks import Benchmark
from mcot.core.engines import Engine, LocalEngine, Stage
from mcot.core.files import read_json, remove_folder, write_json
from mcot.core.progress import Progress
from mcot.core.rows import SCHEMA
from mcot.core.runs import StageFolder, open_run, sign
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import dump_settings

__all__ = ["Outcome", "curate"]


# Of the report and of what the outputs hold besides the rows; it is part of a run's signature.
_REPORT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to: its folder, and for `dataset`, `review` and `rejected` the rows by language."""

    folder: Path
    rows: dict[str, dict[str, int]]

    @property
    def translations(self) -> dict[str, int]:
        """The translated rows of each folder; the English problems, which nobody translated, are not counted."""
        return {name: sum(count for code, count in by.items() if code != "en") for name, by in self.rows.items()}


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
    forward: Translator = translator or NllbTranslator(settings.translator)
    backward: Translator | None = None
    if settings.back_translation.enabled:
        own = settings.back_translation.model
        backward = translator or (NllbTranslator(own) if own else forward)
    checks = make_checks(settings)
    data = sources_signature(settings.sources)
    identity = [[_place(source.path), source.name, source.subset, source.split] for source in settings.sources]
    with open_run(settings.folder, identity=identity, settings=dump_settings(settings)):
        return _run(settings, engine, forward, backward, checks, data)


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
) -> Outcome:
    folder, protect = settings.folder, settings.translator.protect
    translate = TranslateStage(
        forward,
        folder / "translate",
        protect=protect,
        languages=settings.languages,
        include_english=settings.include_english,
    )
    stages: list[tuple[Stage, bool]] = [(translate, False)]
    if backward is not None:
        stages.append((BackTranslateStage(backward, folder / "back_translate", protect=protect), False))
    else:
        remove_folder(folder / "back_translate")
    stages.append((CheckStage(checks), True))
    stages.append((DecideStage({c: settings.bands(c) for c in settings.languages}, round=settings.round), True))
    done = [_read_sources(settings, folder, data)]
    for stage, parallel in stages:
        stage_folder = StageFolder(folder / stage.name, sign(stage.name, stage.signature, done[-1].signature))
        if not stage_folder.done:
            (folder / "manifest.json").unlink(missing_ok=True)
            engine.run(stage, done[-1].shards(), stage_folder, parallel=parallel)
        done.append(stage_folder)
    return _finish(settings, checks, done)


def make_checks(settings: CurationSettings, benchmarks: Sequence[Benchmark] = ()) -> list[Check]:
    """The checks of a run, and of an audit: one list for both.

    Args:
        benchmarks: whose problems are looked for.
    """
    checks: list[Check] = [
        LanguageCheck(settings.checks.language_model),
        NumbersCheck(),
        LengthCheck(),
        UntranslatedCheck(),
        MixedCheck(settings.checks.language_model),
        RepetitionCheck(),
        EquationsCheck(),
        AnswerCheck(),
    ]
    if settings.back_translation.enabled:
        checks.append(BackTranslationCheck())
    if benchmarks:
        checks.append(ContaminationCheck(benchmarks))
    return checks


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


def _finish(settings: CurationSettings, checks: Sequence[Check], done: Sequence[StageFolder]) -> Outcome:
    """The dataset, the report and, last, the run's manifest."""
    folder = settings.folder
    facts = _facts(settings, checks, done)
    signature = sign("run", _REPORT_VERSION, facts)
    manifest_path = folder / "manifest.json"
    manifest = read_json(manifest_path)
    if manifest.get("signature") == signature and manifest.get("files") == _made(folder):
        return Outcome(folder, manifest["rows"])
    manifest_path.unlink(missing_ok=True)
    shards = done[-1].shards()
    with Progress("outputs", total=2, unit="steps") as progress:
        rows = write_outputs(folder, shards)
        progress.advance(note="report")
        write_report(folder, shards, facts)
        progress.advance()
    stages, files = facts["signatures"], _made(folder)
    write_json(manifest_path, {"signature": signature, "rows": rows, "stages": stages, "files": files})
    return Outcome(folder, rows)


def _made(folder: Path) -> dict[str, int]:
    """The files that a run leaves for others, with their sizes in bytes."""
    files = [path for name in FOLDERS for path in (folder / name).rglob("*") if path.is_file()]
    files += [path for path in (folder / "report.html", folder / "report.json") if path.is_file()]
    return {str(path.relative_to(folder)): path.stat().st_size for path in sorted(files)}


def _facts(settings: CurationSettings, checks: Sequence[Check], done: Sequence[StageFolder]) -> dict[str, Any]:
    """What the report says besides the rows."""
    counts = {stage.path.name: read_counts(stage.shards()) for stage in done if "translate" in stage.path.name}
    packages = ("mcot-math", "transformers", "torch", "pyarrow", "sentencex")
    # Where a run lies and how many processes made it are no facts about the data.
    told = settings.model_dump(mode="json", exclude={"output", "workers", "retries"})
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
        "schema": SCHEMA.names,
        "signatures": {stage.path.name: stage.signature for stage in done},
        "versions": {name: version(name) for name in packages},
    }
