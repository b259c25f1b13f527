"""Does the translation keep meaning and reasoning, and does it read well? An LLM's judgement by a fixed rubric.

The rubric has errors marked and weighted (`curation.checks.judge_answers`), which agrees with people better than being
asked for a score (Kocmi and Federmann 2023, "GEMBA-MQM"). How well it agrees in a language is for people's verdicts to
calibrate. A judgement that can't be read is none: the row goes to review with the reason `judge.unreadable`.
"""

import json
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import yaml

from curation.checks.base import PARTS, Observation, Scored
from curation.checks.judge_answers import (
    WEIGHTS,
    JudgedError,
    UnreadableError,
    make_schema,
    observe,
    read_errors,
    score_errors,
)
from mcot.core.chat_client import ChatClient, Message, NoAnswerError, breaking_off
from mcot.core.chat_flow import ChatFlow
from mcot.core.chat_store import Reply
from mcot.core.languages import get_language
from mcot.core.quality_settings import JudgeSettings
from mcot.core.runs import sign

__all__ = ["JudgeCheck", "Judgement"]

_PROMPT = Path(__file__).with_name("judge.yaml")
_COLUMNS = ("language", "question", "rationale", "source_question", "source_rationale")
# Characters of an answer that the model is shown again; a runaway one has no end.
_LONGEST_SHOWN = 4000
# How often progress is told, in rows.
_TELL_EVERY = 20


@cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = yaml.safe_load(_PROMPT.read_text("utf-8"))
    return texts


class Judgement(NamedTuple):
    """What came of asking for a row.

    Attributes:
        errors: None where there is no judgement.
        fault: why there is none.
    """

    errors: list[JudgedError] | None
    fault: str = ""


_Key = tuple[str | None, ...]


class JudgeCheck:
    """Scores question and rationale of each row, 0 to 1, by what an LLM marks as errors.

    Args:
        settings: the server, the model, the budget.
        store: the file of what was asked and answered.

    Attributes:
        notify: told how far it is.

    Raises:
        ModelError: the key can't be sent.
    """

    name = "judge"
    notify: Callable[[str], None] | None = None

    def __init__(self, settings: JudgeSettings, store: Path) -> None:
        self._settings = settings
        self._client = ChatClient(settings, store, where="judge")
        self.signature = sign(self.name, 1, self._client.signature, _texts(), WEIGHTS)

    def open(self) -> None:
        """Open the store, and make ready to send."""
        self._client.open()
        self._flow = ChatFlow(self._settings.concurrency)
        self._begun: dict[_Key, Future[Judgement]] = {}

    def close(self) -> None:
        """Break off what is under way, and close the store."""
        self._flow.close(self._client.close)

    def begin(self, table: pa.Table) -> int:
        """Have rows judged that `score` will be asked for. Gives how many are under way."""
        for row in table.select(_COLUMNS).to_pylist():
            key = tuple(row.values())
            if key not in self._begun and row["source_question"] and row["question"]:
                self._begun[key] = self._flow.submit(partial(self._judge, row))
        return len(self._begun)

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row.

        Raises:
            BudgetSpentError: nothing may be asked any more; what is under way is kept.
            MCoTError: no request can be answered, as `ChatClient.ask` says.
        """
        self._client.notify = self.notify
        self.begin(table)
        rows = table.select(_COLUMNS).to_pylist()
        with breaking_off(self._flow, self._client, self._begun):
            judgements = [self._wait(tuple(row.values()), place, len(rows)) for place, row in enumerate(rows)]
        for row in rows:
            self._begun.pop(tuple(row.values()), None)
        return _collect(rows, judgements)

    def _wait(self, key: _Key, place: int, total: int) -> Judgement | None:
        if self.notify is not None and place % _TELL_EVERY == 0:
            self.notify(f"judge: {place} of {total} rows")
        future = self._begun.get(key)
        return None if future is None else future.result()

    async def _judge(self, row: Mapping[str, str | None]) -> Judgement:
        """Ask for a row's judgement, and once more where that can't be read."""
        columns = {"question": "question", "solution": "rationale"}
        pairs = {name: (row[f"source_{column}"], row[column]) for name, column in columns.items()}
        texts = {name: pair for name, pair in pairs.items() if all(pair)}
        messages = _ask(texts, str(row["language"]))
        try:
            reply = await self._send(messages, texts, row)
        except NoAnswerError as error:
            return Judgement(None, str(error))
        try:
            return Judgement(read_errors(reply, texts))
        except UnreadableError as error:
            fault = str(error)
        shown = (reply.text or reply.refusal or "")[:_LONGEST_SHOWN]
        again = [
            *messages,
            {"role": "assistant", "content": shown},
            {"role": "user", "content": _texts()["again"].format(fault=fault)},
        ]
        try:
            return Judgement(read_errors(await self._send(again, texts, row), texts))
        except (NoAnswerError, UnreadableError) as error:
            return Judgement(None, f"{error}; asked twice")

    async def _send(self, messages: list[Message], texts: Mapping[str, object], row: Mapping[str, str | None]) -> Reply:
        return await self._client.ask(
            messages, schema=make_schema(texts), purpose=self.name, language=str(row["language"])
        )


def _ask(texts: Mapping[str, tuple[str | None, str | None]], code: str) -> list[Message]:
    language = get_language(code)
    given = {
        "english": {name: source for name, (source, _) in texts.items()},
        "translation": {name: text for name, (_, text) in texts.items()},
    }
    return [
        {"role": "system", "content": _texts()["system"].format(language=language.name)},
        {"role": "user", "content": json.dumps(given, ensure_ascii=False)},
    ]


def _collect(rows: list[dict[str, Any]], judgements: list[Judgement | None]) -> Scored:
    scored = Scored({f"{JudgeCheck.name}_{part}": [] for part in PARTS}, [])
    for row, judgement in zip(rows, judgements, strict=True):
        errors = None if judgement is None else judgement.errors
        for part in PARTS:
            judged = errors is not None and row[part] and row[f"source_{part}"]
            scored.scores[f"{JudgeCheck.name}_{part}"].append(score_errors(errors or [], part) if judged else None)
        if judgement is not None and errors is None:
            scored.observations.append(
                [Observation("judge.unreadable", "question", f"no judgement: {judgement.fault}")]
            )
        else:
            scored.observations.append(observe(errors or []))
    return scored
