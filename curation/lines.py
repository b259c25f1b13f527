"""From problems to checked translations: the stages that the rows of each translator pass, and the choice of the best.

With one translator they are stages of the run. With several each has a folder in `translators/`, the rows that are
taken are in `choose/`, and those that are not in `candidates/`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from curation.checks.base import Check
from curation.checks.model_stages import MODEL_STAGES, EstimateStage, JudgeStage, find_judge_spending, make_model_stages
from curation.stages import make_check_stage
from curation.translation.base import Translator
from curation.translation.carried import CarriedTexts
from curation.translation.choice_stages import CandidatesStage, ChooseStage, PassedTexts, find_failed, read_choices
from curation.translation.making import find_spending, make_translating_stages
from curation.translation.stage import read_counts
from mcot.core.engines import Engine, Stage
from mcot.core.files import read_json, remove_folder
from mcot.core.reviews import ReviewFiles
from mcot.core.runs import StageFolder, sign
from mcot.core.settings import LLM, Band, CurationSettings

__all__ = ["Line", "describe_lines", "make_lines", "run_lines", "run_stage"]

_STAGES = ("translate", "back_translate", "check", *MODEL_STAGES)
_TRANSLATORS = "translators"


@dataclass(slots=True)
class Line:
    """The stages that a translator's rows pass.

    Attributes:
        name: of the translator.
        folder: of its stages.
        carried: what people said of its rows.
        stages: in their order, each with whether it may run in several processes.
        done: the folders of the stages that are done; that of the problems is the first.
    """

    name: str
    folder: Path
    carried: CarriedTexts
    stages: list[tuple[Stage, bool]] = field(default_factory=list)
    done: list[StageFolder] = field(default_factory=list)

    @property
    def models(self) -> list[Check]:
        """The checks that are models."""
        return [stage.check for stage, _ in self.stages if isinstance(stage, EstimateStage | JudgeStage)]

    def last_shards(self) -> list[Path]:
        """The shards of the stage before the one that runs."""
        return self.done[-1].shards()


def make_lines(settings: CurationSettings, checks: Sequence[Check], translator: Translator | None) -> list[Line]:
    """A line for each translator of the settings.

    Args:
        settings: of the run.
        checks: of the run.
        translator: instead of the settings' own, in both directions.

    Raises:
        UserError: there is no such model or device, a package is not installed, or a key can't be sent.
    """
    names = settings.translators
    several = len(names) > 1
    made: dict[str, Translator] = {}
    lines: list[Line] = []
    for name in names:
        folder = settings.folder / _TRANSLATORS / name if several else settings.folder
        carried = CarriedTexts(folder / "translate")
        if lines and settings.use_translators == "failed":
            carried = PassedTexts(folder / "translate", partial(_find_failed, lines[-1], _bands(settings)))
        line = Line(name, folder, carried)
        # All are translated back by the same, or the scores could not be compared.
        back = settings.back_translation.model_copy(update={"by": settings.back_translator})
        own = settings.model_copy(update={"translators": [name], "back_translation": back})
        stages = make_translating_stages(
            own,
            translator=translator,
            checks=checks,
            carried=carried,
            inputs=line.last_shards,
            folder=folder,
            made=made,
        )
        line.stages = [(stage, False) for stage in stages if stage is not None]
        line.stages.append((make_check_stage(checks), True))
        line.stages += [
            (stage, False) for stage in make_model_stages(settings, carried=carried, inputs=line.last_shards)
        ]
        lines.append(line)
    return lines


def _bands(settings: CurationSettings) -> dict[str, dict[str, Band]]:
    return {code: settings.bands(code) for code in settings.languages}


def _find_failed(line: Line, bands: Mapping[str, Mapping[str, Band]]) -> frozenset[tuple[str, str]]:
    return find_failed(line.done[-1].shards(), bands)


def run_stage(
    stage: Stage,
    folder: StageFolder,
    inputs: Sequence[Path],
    engine: Engine,
    *,
    run: Path,
    parallel: bool = False,
) -> StageFolder:
    """Run a stage unless it is done. What the run has left for others is its result no longer, then.

    Args:
        stage: what to do.
        folder: the stage's.
        inputs: the shards.
        engine: where to do it.
        run: the run's folder.
        parallel: whether the stage may run in several processes at once.
    """
    if not folder.done:
        (run / "manifest.json").unlink(missing_ok=True)
        engine.run(stage, inputs, folder, parallel=parallel)
    return folder


def run_lines(settings: CurationSettings, lines: Sequence[Line], sources: StageFolder, engine: Engine) -> StageFolder:
    """Run the lines' stages that are not done, and choose between them. Gives the checked rows.

    Raises:
        UserError: a model can't be used, or a budget is spent.
        StageError: some shards failed; everything else is kept.
    """
    run = settings.folder
    several = len(lines) > 1
    for line in lines:
        _take_over(line, run / _TRANSLATORS / line.name if line.folder == run else run, sources.signature)
    for name in _STAGES if several else (_TRANSLATORS, ChooseStage.name, CandidatesStage.name):
        remove_folder(run / name)
    for folder in sorted((run / _TRANSLATORS).glob("[!.]*")):
        if folder.name not in settings.translators:
            remove_folder(folder)
    bands = _bands(settings)
    before = sources.signature
    for place, line in enumerate(lines):
        if place and settings.use_translators == "failed":
            thresholds = {code: {name: band.keep for name, band in by.items()} for code, by in bands.items()}
            before = sign(sources.signature, lines[place - 1].done[-1].signature, thresholds)
        _run_line(line, before, sources, engine, run)
    if not several:
        return lines[0].done[-1]
    names, shards = [line.name for line in lines], [line.last_shards() for line in lines]
    choose = ChooseStage(names, shards[1:], bands)
    signature = sign(choose.signature, [line.done[-1].signature for line in lines])
    chosen = run_stage(choose, StageFolder(run / choose.name, signature), shards[0], engine, run=run)
    rest = CandidatesStage(shards, chosen.shards(), bands)
    run_stage(rest, StageFolder(run / rest.name, sign(rest.signature, signature)), chosen.shards(), engine, run=run)
    return chosen


def _take_over(line: Line, other: Path, before: str) -> None:
    """Move what a translator has done to where its line now is: it was the run's only one and is no longer, or is now.

    Args:
        other: where its stages are then.
        before: the signature of the problems.
    """
    first = line.stages[0][0]
    signature = sign(first.name, first.signature, before)
    there = read_json(other / first.name / "stage.json").get("signature")
    if there != signature or (line.folder / first.name).exists():
        return
    line.folder.mkdir(parents=True, exist_ok=True)
    # The first stage last: until it is there a kill costs nothing.
    for name in reversed(_STAGES):
        if (other / name).is_dir():
            remove_folder(line.folder / name)
            (other / name).rename(line.folder / name)


def _run_line(line: Line, before: str, sources: StageFolder, engine: Engine, run: Path) -> None:
    wanted = {stage.name for stage, _ in line.stages}
    for name in _STAGES:
        if name not in wanted:
            remove_folder(line.folder / name)
    line.done[:] = [sources]
    for stage, parallel in line.stages:
        folder = StageFolder(line.folder / stage.name, sign(stage.name, stage.signature, before))
        before = folder.signature
        if stage is line.stages[0][0]:
            line.carried.freeze(ReviewFiles.to_write(run))
            # What was taken tells two outputs of one signature apart for the stages after it.
            before = line.carried.sign(before)
        run_stage(stage, folder, line.last_shards(), engine, run=run, parallel=parallel)
        line.done.append(folder)


def describe_lines(settings: CurationSettings, lines: Sequence[Line], chosen: StageFolder) -> dict[str, Any]:
    """What the report says of the translators besides their rows: counts of sentences, spending, what each one won."""
    counts: dict[str, dict[str, Counter[str]]] = {"translate": {}, "back_translate": {}}
    for line in lines:
        for folder in line.done:
            for code, by in read_counts(folder.shards()).items() if folder.path.name in counts else ():
                counts[folder.path.name].setdefault(code, Counter()).update(by)
    told = {name: {code: dict(by) for code, by in of.items()} for name, of in counts.items()}
    return {
        "translation": told["translate"],
        "back_translation": told["back_translate"],
        "spending": find_spending(settings) | find_judge_spending(settings),
        **({"choice": _describe_choice(settings, lines, chosen)} if len(lines) > 1 else {}),
    }


def _describe_choice(settings: CurationSettings, lines: Sequence[Line], chosen: StageFolder) -> dict[str, Any]:
    """By language and translator: rows that it translated, rows that it won, by what, and what it cost."""
    choices = read_choices(chosen.shards())
    spending = find_spending(settings)
    languages: dict[str, dict[str, Any]] = {}
    for code in settings.languages:
        for line in lines:
            won = choices.get(code, {}).get(line.name, {})
            entry: dict[str, Any] = {"won": sum(won.values()), "by": won}
            spent = spending.get("translate" if line.name == LLM else f"translate {line.name}", {})
            if settings.find_llm(line.name) is not None and code in spent:
                entry |= {name: spent[code][name] for name in ("cost", "currency") if name in spent[code]}
                entry["tokens"] = spent[code]["prompt_tokens"] + spent[code]["completion_tokens"]
            languages.setdefault(code, {})[line.name] = entry
    return {"use": settings.use_translators, "order": [line.name for line in lines], "languages": languages}
