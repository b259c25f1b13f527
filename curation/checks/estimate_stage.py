"""The stage of the checks that need a model or a server: quality estimation, and the judge."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.checks.base import Scored
from curation.checks.llm_judge import JudgeCheck
from curation.checks.quality_estimation import QualityEstimationCheck
from curation.checks.stage import add_scored
from curation.decide import decide_row
from curation.translation.carried import CarriedTexts
from mcot.core.chat_store import read_spending
from mcot.core.languages import ENGLISH, get_language
from mcot.core.runs import read_shard, sign
from mcot.core.settings import Band, CurationSettings

__all__ = ["EstimateStage", "find_judge_spending", "make_estimate_stage"]

# Beside the stages: an answer that was paid for outlives changed settings, which make a stage's folder anew.
_STORE = Path("llm") / "judge.sqlite"


class EstimateStage:
    """Adds the scores of models to rows that were checked. It runs in one process, a shard after another.

    What a person wrote is not estimated: it is decided as where its verdict came after the stage.

    Args:
        estimation: by a COMET model; None for none.
        judge: an LLM; None for none.
        carried: what people accepted or corrected.
        inputs: the shards that the stage is run over, once they are there: the next ones' rows are judged early.
        bands: by language and check: rows that they drop are not judged. None to have all judged.
        concurrency: of the judge: twice as many rows are under way.

    Attributes:
        checks: the models that there are.
    """

    name = "estimate"
    notify: Callable[[str], None] | None = None

    def __init__(
        self, estimation: QualityEstimationCheck | None, judge: JudgeCheck | None, *, carried: CarriedTexts,
        inputs: Callable[[], Sequence[Path]], bands: Mapping[str, Mapping[str, Band]] | None, concurrency: int = 1,
    ) -> None:  # fmt: skip
        self._estimation, self._judge, self._carried, self._inputs = estimation, judge, carried, inputs
        self._bands, self._enough = bands, 2 * concurrency
        self.checks = [check for check in (estimation, judge) if check is not None]
        dropped = None
        if bands is not None and judge is not None:
            dropped = {code: {name: band.drop for name, band in by.items()} for code, by in bands.items()}
        self.signature = sign("estimate", 1, {check.name: check.signature for check in self.checks}, dropped)

    def open(self) -> None:
        """Load the model, and make ready to send."""
        self._carried.open()
        for check in self.checks:
            check.open()

    def close(self) -> None:
        """End the model's process, and break off what is under way."""
        for check in self.checks:
            check.close()
        self._carried.close()

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """Add the checks' scores, and what they observed, to the rows that are translations."""
        for check in self.checks:
            check.notify = self.notify
        places = self._find_translations(table)
        judged = self._find_judged(table, places)
        results: list[tuple[Sequence[int], Scored]] = []
        if self._judge is not None:
            # The server answers while the model computes.
            self._judge.begin(_take(table, judged))
            self._look_ahead(shard)
        if self._estimation is not None:
            results.append((places, self._estimation.score(_take(table, places))))
        if self._judge is not None:
            results.append((judged, self._judge.score(_take(table, judged))))
        return add_scored(table, results)

    def _find_translations(self, table: pa.Table) -> list[int]:
        """The places of the rows that a translator made, and that are not decided."""
        names = ("language", "decision", "problem_id", "source_question", "source_rationale")
        rows = table.select(names).to_pylist()
        places: list[int] = []
        for code in dict.fromkeys(row["language"] for row in rows):
            own = [place for place, row in enumerate(rows) if row["language"] == code and row["decision"] is None]
            if code != ENGLISH.code:
                carried = self._carried.look_up([rows[place] for place in own], get_language(code))
                places += [place for place, text in zip(own, carried, strict=True) if not (text and text.corrected)]
        return sorted(places)

    def _find_judged(self, table: pa.Table, places: Sequence[int]) -> list[int]:
        """Of these places those of the rows that other checks don't drop."""
        if self._bands is None or self._judge is None:
            return list(places)
        rows = table.select(("language", "scores")).to_pylist()
        return [
            place
            for place in places
            if decide_row(rows[place]["scores"] or {}, [], self._bands[rows[place]["language"]])[0] != "drop"
        ]

    def _look_ahead(self, shard: int) -> None:
        """Begin rows of the next shards, so that no place of the server stays empty at a shard's end."""
        inputs = self._inputs()
        under_way = 0
        for later in inputs[shard + 1 :]:
            if self._judge is None or under_way >= self._enough:
                break
            table = read_shard(later)
            judged = self._find_judged(table, self._find_translations(table))
            self._judge.begin(_take(table, judged))
            under_way += len(judged)


def _take(table: pa.Table, places: Sequence[int]) -> pa.Table:
    return table.take(pa.array(places, pa.int64()))


def make_estimate_stage(
    settings: CurationSettings, *, carried: CarriedTexts, inputs: Callable[[], Sequence[Path]]
) -> EstimateStage | None:
    """The stage of the settings' models; None where they want none.

    Raises:
        ModelError: there is no such model, or a key can't be sent.
    """
    wanted, asked = settings.quality_estimation, settings.judge
    if wanted is None and asked is None:
        return None
    all_bands = {code: settings.bands(code) for code in settings.languages}
    return EstimateStage(
        QualityEstimationCheck(wanted) if wanted is not None else None,
        JudgeCheck(asked, settings.folder / _STORE) if asked is not None else None,
        carried=carried,
        inputs=inputs,
        bands=all_bands if asked is not None and asked.rows == "undropped" else None,
        concurrency=asked.concurrency if asked is not None else 1,
    )


def find_judge_spending(settings: CurationSettings) -> dict[str, Any]:
    """What a run's judge was asked and what that cost, as `read_spending` gives it; empty for a run without one."""
    return read_spending(settings.folder / _STORE, settings.judge.prices) if settings.judge else {}
