"""A problem to its translation: asked for, read, judged, and asked for once more where something is wrong."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from curation.translation.llm.answers import find_fault, read_answer
from curation.translation.llm.judge import COLUMNS, Judge, Outcome
from curation.translation.llm.prompts import Prompt, Text, make_prompt
from mcot.core.chat_client import ChatClient, Message, NoAnswerError
from mcot.core.chat_store import Reply
from mcot.core.languages import ENGLISH, Language

__all__ = ["RowTranslator"]

# Characters of a first answer that the model is shown again; a runaway one has no end.
_LONGEST_SHOWN = 8000
# Worse than any row that has a translation.
_NONE = (3, 0)


class RowTranslator:
    """Translates whole rows.

    Args:
        client: asks the model.
        judge: says what is wrong with a translation from English; None for nobody.
        repair: whether to ask once more where something is wrong, or where an answer has no translation.
        purpose: of the requests, to count by.
    """

    def __init__(self, client: ChatClient, judge: Judge | None, *, repair: bool, purpose: str) -> None:
        self._client, self._judge, self._repair, self._purpose = client, judge, repair, purpose
        self._turn = asyncio.Lock()

    async def translate(self, problem: Mapping[str, Any], language: Language) -> Outcome:
        """A problem's translation from English.

        Raises:
            MCoTError: no request can be answered, as `ChatClient.ask` says.
        """
        return await self._translate(_text(problem), make_prompt(ENGLISH, language), language, problem)

    async def translate_back(self, row: Mapping[str, Any], language: Language) -> Outcome:
        """A row's texts in English again; what the checks compare, they don't judge."""
        return await self._translate(_text(row), make_prompt(language, ENGLISH), language, None)

    async def _translate(
        self, text: Text, prompt: Prompt, language: Language, problem: Mapping[str, Any] | None
    ) -> Outcome:
        try:
            first = await self._ask(prompt.ask(text), text, language)
        except NoAnswerError as error:
            return Outcome(None, str(error))
        outcome, rank, faults = await self._read(first, text, language, problem)
        if not self._repair or not faults:
            return outcome
        shown = (first.text or first.refusal or "(nothing)")[:_LONGEST_SHOWN]
        try:
            reply = await self._ask(prompt.ask_again(text, shown, faults), text, language)
        except NoAnswerError:
            return replace(outcome, repaired=False)
        second, second_rank, _ = await self._read(reply, text, language, problem)
        if second_rank < rank:
            return replace(second, repaired=True)
        if outcome.text is None:
            return replace(second, fault=f"{second.fault}; asked twice", repaired=False)
        return replace(outcome, repaired=False)

    async def _ask(self, messages: list[Message], text: Text, language: Language) -> Reply:
        return await self._client.ask(
            messages, schema=Prompt.schema(text), purpose=self._purpose, language=language.code
        )

    async def _read(
        self, reply: Reply, text: Text, language: Language, problem: Mapping[str, Any] | None
    ) -> tuple[Outcome, tuple[int, int], list[str]]:
        """What a reply holds, how bad that is, and what is wrong with it."""
        found = read_answer(reply, text)
        if found is None:
            fault = find_fault(reply)
            return Outcome(None, fault), _NONE, [fault]
        outcome = Outcome(found)
        if self._judge is None or problem is None:
            return outcome, (0, 0), []
        # Judging takes as long as all that a request needs here. One at a time, requests are sent in between; many
        # one after another would keep the server waiting.
        async with self._turn:
            judged = self._judge.judge(outcome.to_row(problem, language, ""), language)
            await asyncio.sleep(0)
        return outcome, *judged


def _text(row: Mapping[str, Any]) -> Text:
    return {key: row[column] for key, column in COLUMNS.items() if row[column]}
