"""The stages of the checks that need a model or a server: quality estimation, then the judge.

They are two, as an estimate costs minutes of a GPU: what changes the judge alone, as a threshold that says which rows
are worth asking for, leaves the estimates as they are.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.checks.llm_judge import JudgeCheck
from curation.checks.quality_estimation import QualityEstimationCheck
from curation.checks.stage import add_scored
from curation.decide import decide_row
from curation.duplicates_stage import DuplicatesStage
from curation.translation.carried import CarriedTexts
from mcot.core.chat_store import read_spending
from mcot.core.languages import ENGLISH, get_language
from mcot.core.runs import read_shard, sign
from mcot.core.settings import Band, CurationSettings

__all__ = ["MODEL_STAGES", "EstimateStage", "JudgeStage", "find_judge_spending", "make_model_stages"]

# Beside the stages: an answer that was paid for outlives changed settings, which make a stage's folder anew.
_STORE = Path("llm") / "judge.sqlite"
# Checks whose scores are not there yet when a row is judged.
_LATER = (JudgeCheck.name, DuplicatesStage.name)


class EstimateStage:
    """Adds a COMET model's scores to rows that were checked. It runs in one process, a shard after another.

    What a person wrote is not estimated: it is decided as where its verdict came after the stage.

    Args:
        check: the model.
        carried: what people accepted or corrected.
    """

    name = "estimate"
    notify: Callable[[str], None] | None = None

    def __init__(self, check: QualityEstimationCheck, *, carried: CarriedTexts) -> None:
        self.check, self._carried = check, carried
        self.signature = sign("estimate", 2, check.signature)

    def open(self) -> None:
        """Load the model."""
        self._carried.open()
        self.check.open()

    def close(self) -> None:
        """End the model's process."""
        self.check.close()
        self._carried.close()

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Add the scores of the rows that are translations."""
        self.check.notify = self.notify
        places = _find_translations(table, self._carried)
        return add_scored(table, [(places, self.check.score(_take(table, places)))])


class JudgeStage:
    """Adds an LLM's scores, and what it marked, to rows that were checked. It runs in one process, shard after shard.

    What a person wrote is not judged, as it is not estimated.

    Args:
        check: the LLM.
        carried: what people accepted or corrected.
        inputs: the shards that the stage is run over, once they are there: the next ones' rows are judged early.
        bands: by language and check: rows that they drop are not judged. None to have all judged.
        concurrency: of the judge: twice as many rows are under way.
    """

    name = "judge"
    notify: Callable[[str], None] | None = None

    def __init__(
        self, check: JudgeCheck, *, carried: CarriedTexts, inputs: Callable[[], Sequence[Path]],
        bands: Mapping[str, Mapping[str, Band]] | None, concurrency: int = 1,
    ) -> None:  # fmt: skip
        self.check, self._carried, self._inputs = check, carried, inputs
        self._bands, self._enough = bands, 2 * concurrency
        dropped = None
        if bands is not None:
            # Of a band only what it drops says who is asked for, and only of what is scored by now.
            dropped = {
                code: {name: band.drop for name, band in by.items() if name not in _LATER} for code, by in bands.items()
            }
        self.signature = sign("judge", 1, check.signature, dropped)

    def open(self) -> None:
        """Make ready to send."""
        self._carried.open()
        self.check.open()

    def close(self) -> None:
        """Break off what is under way."""
        self.check.close()
        self._carried.close()

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Add the scores and the observations of the rows that are translations, and worth a request."""
        self.check.notify = self.notify
        places = self._find_judged(table)
        judged = _take(table, places)
        self.check.begin(judged)
        self._look_ahead(shard)
        return add_scored(table, [(places, self.check.score(judged))])

    def _find_judged(self, table: pa.Table) -> list[int]:
        """The places of the translations that the checks before this one don't drop."""
        places = _find_translations(table, self._carried)
        if self._bands is None:
            return places
        rows = table.select(("language", "scores")).to_pylist()
        return [
            place
            for place in places
            if decide_row(rows[place]["scores"] or {}, [], self._bands[rows[place]["language"]])[0] != "drop"
        ]

    def _look_ahead(self, shard: int) -> None:
        """Begin rows of the next shards, so that no place of the server stays empty at a shard's end."""
        under_way = 0
        for later in self._inputs()[shard + 1 :]:
            if under_way >= self._enough:
                break
            table = read_shard(later)
            judged = self._find_judged(table)
            self.check.begin(_take(table, judged))
            under_way += len(judged)


def _find_translations(table: pa.Table, carried: CarriedTexts) -> list[int]:
    """The places of the rows that a translator made, and that are not decided."""
    names = ("language", "decision", "problem_id", "source_question", "source_rationale")
    rows = table.select(names).to_pylist()
    # Of what is decided not even the language need be known.
    undecided = [place for place, row in enumerate(rows) if row["decision"] is None]
    places: list[int] = []
    for code in dict.fromkeys(rows[place]["language"] for place in undecided):
        if code != ENGLISH.code:
            own = [place for place in undecided if rows[place]["language"] == code]
            texts = carried.look_up([rows[place] for place in own], get_language(code))
            places += [place for place, text in zip(own, texts, strict=True) if not (text and text.corrected)]
    return sorted(places)


def _take(table: pa.Table, places: Sequence[int]) -> pa.Table:
    return table.take(pa.array(places, pa.int64()))


#: The folders of the stages, in their order.
MODEL_STAGES = (EstimateStage.name, JudgeStage.name)


def make_model_stages(
    settings: CurationSettings, *, carried: CarriedTexts, inputs: Callable[[], Sequence[Path]]
) -> list[EstimateStage | JudgeStage]:
    """The stages of the models that the settings want, in their order.

    Args:
        settings: of the run.
        carried: what people accepted or corrected.
        inputs: gives the shards of the stage before the one that runs.

    Raises:
        ModelError: there is no such model, or a key can't be sent.
        StageError: COMET runs on no such Python.
    """
    estimated, judged = settings.quality_estimation, settings.judge
    stages: list[EstimateStage | JudgeStage] = []
    if estimated is not None:
        stages.append(EstimateStage(QualityEstimationCheck(estimated), carried=carried))
    if judged is not None:
        check = JudgeCheck(judged, settings.folder / _STORE)
        bands = {code: settings.bands(code) for code in settings.languages} if judged.rows == "undropped" else None
        stages.append(JudgeStage(check, carried=carried, inputs=inputs, bands=bands, concurrency=judged.concurrency))
    return stages


def find_judge_spending(settings: CurationSettings) -> dict[str, Any]:
    """What a run's judge was asked and what that cost, as `read_spending` gives it; empty for a run without one."""
    return read_spending(settings.folder / _STORE, settings.judge.prices) if settings.judge else {}
