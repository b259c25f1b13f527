"""Runs of an LLM's stages over the demo's problems, as a pipeline makes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.checks.base import Check
from curation.stages import make_check_stage, make_checks, make_decide_stage
from curation.translation.carried import CarriedTexts
from curation.translation.llm.stage import LlmBackTranslateStage, LlmTranslateStage
from mcot.core.chat_settings import LlmSettings
from mcot.core.engines import LocalEngine, Stage
from mcot.core.reviews import ReviewFiles
from mcot.core.rows import from_rows, source_row
from mcot.core.runs import StageFolder, read_shard, sign
from mcot.core.settings import CurationSettings, SourceSettings
from tests.curation.llm_server import parallel

CURATION = CurationSettings(name="llm", sources=[SourceSettings(path="problems.jsonl")])


def english(place: int) -> str:
    """The English question of one of the demo's problems."""
    return parallel(60)[place]["en"]["question"]


def problems(places: Sequence[int], count: int = 60) -> pa.Table:
    """English rows of the demo's problems."""
    rows = []
    for place in places:
        text = parallel(count)[place]["en"]
        answer = text["solution"].split()[-1].rstrip(".")
        rows.append(
            source_row(
                problem_id=f"p{place}", source="demo", license="MIT", question=text["question"],
                rationale=text["solution"], answer=answer,
            )
        )  # fmt: skip
    return from_rows(rows)


def settings(url: str, **changes: Any) -> LlmSettings:
    """Settings that wait no longer than a test may."""
    given = {"url": url, "model": "planted", "timeout": 0.5, "tries": 3, "concurrency": 4}
    return LlmSettings.model_validate({**given, **changes})


class Run:
    """A run's folder with English problems in shards.

    Args:
        shards: the problems of each, by their places.
    """

    def __init__(self, folder: Path, shards: Sequence[Sequence[int]], *, count: int = 60) -> None:
        self.folder = folder
        sources = StageFolder(folder / "sources", sign("sources"))
        if not sources.done:
            for number, places in enumerate(shards):
                sources.write(number, problems(places, count))
            sources.close(len(shards))
        self.done = [sources]
        self.store = folder / "llm" / "translator.sqlite"
        self.carried = CarriedTexts(folder / "translate")
        self.checks: list[Check] = make_checks(CURATION)

    def last_shards(self) -> list[Path]:
        """The shards of the stage before the one that runs."""
        return self.done[-1].shards()

    def translate_stage(self, chat: LlmSettings, languages: Sequence[str]) -> LlmTranslateStage:
        """The stage that translates."""
        return LlmTranslateStage(
            chat, self.store, languages=languages, include_english=False, checks=self.checks,
            inputs=self.last_shards, carried=self.carried,
        )  # fmt: skip

    def run(self, stage: Stage) -> list[dict[str, Any]]:
        """Run a stage over the last one's shards, and give the rows that come of it."""
        folder = StageFolder(self.folder / stage.name, sign(stage.signature, self.done[-1].signature))
        if stage.name == "translate":
            self.carried.freeze(ReviewFiles(self.folder))
        LocalEngine(retries=0).run(stage, self.done[-1].shards(), folder)
        self.done.append(folder)
        return [row for shard in folder.shards() for row in read_shard(shard).to_pylist()]

    def translate(self, chat: LlmSettings, languages: Sequence[str] = ("sw",)) -> list[dict[str, Any]]:
        """Translate."""
        return self.run(self.translate_stage(chat, languages))

    def translate_back(self, chat: LlmSettings, languages: Sequence[str] = ("sw",)) -> list[dict[str, Any]]:
        """Translate back."""
        return self.run(
            LlmBackTranslateStage(chat, self.store, languages=languages, inputs=self.last_shards, carried=self.carried)
        )

    def decide(self) -> list[dict[str, Any]]:
        """Check and decide what is translated."""
        self.run(make_check_stage(self.checks))
        return self.run(make_decide_stage(CURATION))
