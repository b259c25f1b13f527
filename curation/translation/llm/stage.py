"""The stages in which an LLM translates rows: from English, and back. They stand where NLLB's do.

A row is translated whole, and has nothing to do with others: its answers are kept in a file of the run as they come
and found again by what was asked. So shards only give the order in which rows are written, and the rows of the next
ones are under way while one is finished.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.checks.base import Check
from curation.translation.carried import CarriedTexts
from curation.translation.llm.judge import Judge, Outcome
from curation.translation.llm.prompts import make_prompt
from curation.translation.llm.rows import RowTranslator
from curation.translation.stage import with_counts
from mcot.core.chat_client import ChatClient, breaking_off
from mcot.core.chat_flow import ChatFlow
from mcot.core.chat_settings import LlmSettings
from mcot.core.languages import ENGLISH, Language, get_language
from mcot.core.rows import SCHEMA, cast, from_rows
from mcot.core.runs import read_shard, sign

__all__ = ["LlmBackTranslateStage", "LlmTranslateStage"]

_Work = Callable[[], Awaitable[Outcome]]
# How often the progress of a shard is told, in seconds.
_TELL_EVERY = 1.0


class _LlmStage:
    """What both directions share.

    Args:
        settings: the server, the model, the budget.
        store: the file of what was asked and answered; both directions may share it.
        inputs: the shards that the stage is run over, once they are there: what comes next is begun early.
        carried: what people accepted or corrected before anything was translated.
        where: the settings' key, to name in errors.
    """

    name: str
    notify: Callable[[str], None] | None = None

    def __init__(
        self, settings: LlmSettings, store: Path, *, inputs: Callable[[], Sequence[Path]],
        carried: CarriedTexts, where: str, judge: Judge | None,
    ) -> None:  # fmt: skip
        self._settings, self._inputs, self._carried, self._judge = settings, inputs, carried, judge
        self._client = ChatClient(settings, store, where=where)
        asked = judge if settings.repair else None
        self._rows = RowTranslator(self._client, asked, repair=settings.repair, purpose=self.name)

    def _sign(self, prompts: Mapping[str, str]) -> dict[str, str]:
        """By language, all that its translation depends on."""
        repair: str | bool = self._settings.repair
        if repair and self._judge is not None:
            repair = self._judge.signature
        return {code: sign("llm", 2, self._client.signature, prompt, repair) for code, prompt in prompts.items()}

    def open(self) -> None:
        """Open the store and the checks, and make ready to send."""
        if self._judge is not None:
            self._judge.open()
        self._carried.open()
        self._client.open()
        # A place at the server is another row's while an answer is read and judged.
        self._flow = ChatFlow(2 * self._settings.concurrency)
        self._begun: dict[int, list[Future[Outcome]]] = {}

    def close(self) -> None:
        """Break off what is under way, and close all."""
        self._flow.close(self._client.close)
        self._carried.close()

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """The shard's rows, translated. The next shards are begun as places get free."""
        self._client.notify = self.notify
        if shard not in self._begun:
            self._begin(table, shard)
        self._look_ahead(shard)
        with breaking_off(self._flow, self._client, self._begun):
            outcomes = self._gather(shard)
        return self._finish(table, outcomes)

    def _begin(self, table: pa.Table, shard: int) -> None:
        self._begun[shard] = [self._flow.submit(work) for work in self._work(table)]

    def _look_ahead(self, shard: int) -> None:
        inputs = self._inputs()
        enough = 4 * self._settings.concurrency
        ahead = 0
        for later in range(shard + 1, len(inputs)):
            if ahead >= enough:
                break
            if later not in self._begun:
                self._begin(read_shard(inputs[later]), later)
            ahead += len(self._begun[later])

    def _gather(self, shard: int) -> list[Outcome]:
        futures = self._begun[shard]
        rest = futures
        while rest:
            # Woken for every row, this thread would take turns with the one that sends requests.
            done, waiting = wait(futures, timeout=_TELL_EVERY, return_when=FIRST_EXCEPTION)
            if self.notify is not None:
                self.notify(f"shard {shard}: {len(done)} of {len(futures)} rows")
            for future in done:
                # Raises what stops the stage, whatever is still under way.
                future.result()
            rest = list(waiting)
        del self._begun[shard]
        return [future.result() for future in futures]

    def _work(self, table: pa.Table) -> list[_Work]:
        """What is to be asked for a table's rows, in order."""
        raise NotImplementedError

    def _finish(self, table: pa.Table, outcomes: Sequence[Outcome]) -> pa.Table:
        """The table that comes of the answers."""
        raise NotImplementedError


class LlmTranslateStage(_LlmStage):
    """English problems -> a row for each language. What people accepted or corrected is not translated.

    Args:
        languages: the targets' codes.
        include_english: whether the English row stays too. Rows that a source rejected always do.
        checks: of the run; those that can find fault with a row alone have it asked for once more.
    """

    name = "translate"

    def __init__(
        self, settings: LlmSettings, store: Path, *, languages: Sequence[str], include_english: bool,
        checks: Sequence[Check], inputs: Callable[[], Sequence[Path]], carried: CarriedTexts, where: str = "llm",
    ) -> None:  # fmt: skip
        super().__init__(settings, store, inputs=inputs, carried=carried, where=where, judge=Judge(checks))
        self._languages = [get_language(code) for code in languages]
        self._include_english = include_english
        signatures = self._sign({code.code: make_prompt(ENGLISH, code).signature for code in self._languages})
        self._names = {code: f"{settings.model} {signature[:8]}" for code, signature in signatures.items()}
        self.signature = sign("llm_translate", 1, signatures, include_english)

    def _taken(self, table: pa.Table) -> list[tuple[Language, list[tuple[dict[str, Any], Any]]]]:
        """By language, the usable problems, each with what people said of its translation."""
        usable = [problem for problem in table.to_pylist() if problem["decision"] is None]
        return [
            (language, list(zip(usable, self._carried.look_up(usable, language), strict=True)))
            for language in self._languages
        ]

    def _work(self, table: pa.Table) -> list[_Work]:
        return [
            partial(self._rows.translate, problem, language)
            for language, problems in self._taken(table)
            for problem, carried in problems
            if carried is None
        ]

    def _finish(self, table: pa.Table, outcomes: Sequence[Outcome]) -> pa.Table:
        rows = [row for row in table.to_pylist() if self._include_english or row["decision"] is not None]
        counts: dict[str, Counter[str]] = {}
        answers = iter(outcomes)
        for language, problems in self._taken(table):
            counts[language.code] = Counter()
            for problem, carried in problems:
                if carried is not None:
                    rows.append(carried.to_row(problem, language))
                    continue
                outcome = next(answers)
                _count(outcome, counts[language.code])
                rows.append(outcome.to_row(problem, language, self._names[language.code]))
        return with_counts(from_rows(rows), counts)


class LlmBackTranslateStage(_LlmStage):
    """Translations -> the same rows with their translations back into English.

    The model sees a row's translation alone. What a person wrote is not translated back: it is checked as where its
    verdict came after the translation.

    Args:
        languages: the codes of those that rows may be in.
    """

    name = "back_translate"

    def __init__(
        self, settings: LlmSettings, store: Path, *, languages: Sequence[str],
        inputs: Callable[[], Sequence[Path]], carried: CarriedTexts, where: str = "llm",
    ) -> None:  # fmt: skip
        super().__init__(settings, store, inputs=inputs, carried=carried, where=where, judge=None)
        prompts = {code: make_prompt(get_language(code), ENGLISH).signature for code in languages}
        self.signature = sign("llm_back_translate", 1, self._sign(prompts))

    def _places(self, table: pa.Table) -> list[int]:
        """The places of the rows that are to be translated back."""
        names = ("language", "decision", "question", "problem_id", "source_question", "source_rationale")
        rows = table.select(names).to_pylist()
        places = []
        for code in dict.fromkeys(row["language"] for row in rows):
            own = [place for place, row in enumerate(rows) if row["language"] == code]
            if code == ENGLISH.code:
                continue
            carried = self._carried.look_up([rows[place] for place in own], get_language(code))
            places += [
                place
                for place, text in zip(own, carried, strict=True)
                if rows[place]["decision"] is None and rows[place]["question"] and not (text and text.corrected)
            ]
        return places

    def _work(self, table: pa.Table) -> list[_Work]:
        rows = table.take(pa.array(self._places(table), pa.int64())).to_pylist()
        return [partial(self._rows.translate_back, row, get_language(row["language"])) for row in rows]

    def _finish(self, table: pa.Table, outcomes: Sequence[Outcome]) -> pa.Table:
        languages = table["language"].to_pylist()
        counts: dict[str, Counter[str]] = {}
        columns: dict[str, list[str | None]] = {
            "back_question": [None] * len(table),
            "back_rationale": [None] * len(table),
        }
        reasons, details = ([list(seen or []) for seen in table[name].to_pylist()] for name in ("reasons", "details"))
        for place, outcome in zip(self._places(table), outcomes, strict=True):
            _count(outcome, counts.setdefault(str(languages[place]), Counter()))
            text = outcome.text or {}
            columns["back_question"][place] = text.get("question")
            columns["back_rationale"][place] = text.get("solution")
            if outcome.text is None:
                # What could not be compared must not pass unseen.
                reasons[place].append("back_translation.missing")
                details[place].append(f"no back-translation: {outcome.fault}")
        changed: dict[str, list[Any]] = {**columns, "reasons": reasons, "details": details}
        for name, values in changed.items():
            field = SCHEMA.field(name)
            table = table.set_column(SCHEMA.get_field_index(name), field, pa.array(values, field.type))
        return with_counts(cast(table), counts)


def _count(outcome: Outcome, counts: Counter[str]) -> None:
    """Count a row, under the names that sentences have elsewhere where these say the same."""
    counts["sentences"] += 1
    counts["translated"] += 1
    counts["unfinished"] += outcome.text is None
    counts["repaired"] += outcome.repaired is True
    counts["not_repaired"] += outcome.repaired is False
