"""Send single requests to an OpenAI-compatible server: within the budget, and on the books before they leave."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcot.core.chat_budget import Budget
from mcot.core.chat_reading import Trouble, count_bytes, read_error, read_reply
from mcot.core.chat_settings import ChatSettings
from mcot.core.chat_store import ChatStore, Reply
from mcot.core.servers import plain

__all__ = ["Message", "Request", "Sender"]

Message = Mapping[str, str]

# The client's names for what failed before anything was sent: it costs nothing.
_NOT_SENT = ("ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        key: what its answer is kept by.
        messages: of `role` and `content`.
        schema: of the answer, with a `title`.
        purpose, language: to count by.
        probe: whether it only asks if the server answers: what comes is no answer to anything.
    """

    key: str
    messages: Sequence[Message]
    schema: Mapping[str, Any]
    purpose: str
    language: str
    probe: bool = False


class Sender:
    """Sends requests, once each.

    Args:
        settings: the server, the model, the budget.
        key: the server's; "" for none.
        store: the file of what was asked and answered.
        where: the settings' key, to name in errors.

    Attributes:
        store: the open file.
        answers: how many there were.
        heard: when the latest of the answered requests was sent, in seconds of `time.monotonic`; 0 where none was.
        spent: set once a budget is: nobody needs to wait any longer.
    """

    def __init__(self, settings: ChatSettings, key: str, store: Path, *, where: str) -> None:
        from openai import AsyncOpenAI

        self._settings, self._key = settings, key
        self.store = ChatStore(store)
        self._budget = Budget(settings, where, self.store.spent(settings.prices))
        self._openai = AsyncOpenAI(
            # Servers of one's own ask for none, and the client wants one.
            api_key=key or "none",
            base_url=settings.url,
            max_retries=0,
            timeout=settings.timeout,
        )
        self._structured, self._knows_schemas = settings.structured != "none", False
        self.answers, self.heard = 0, 0.0
        self.spent = asyncio.Event()

    def check_budget(self) -> None:
        """Raises `BudgetSpentError` where nothing may be asked any more, with what was spent until now."""
        self._budget.check()

    async def close(self) -> None:
        """Close the connections and the store."""
        await self._openai.close()
        self.store.close()

    async def send(self, request: Request) -> Reply | Trouble:
        """Send a request, and keep what comes of it; without a schema where one may be why it is refused.

        Raises:
            BudgetSpentError: nothing may be sent any more.
        """
        structured = self._structured
        outcome = await self._send(request, request.schema if structured else None)
        if isinstance(outcome, Reply):
            self._knows_schemas |= structured
        elif structured and outcome.scope == "unknown" and self._settings.structured == "auto":
            outcome = await self._send(request, None)
            # What was refused with a schema and is answered without tells of the server, if none was ever answered
            # with one; else of this request.
            if isinstance(outcome, Reply) and not self._knows_schemas:
                self._structured = False
        return outcome

    async def _send(self, request: Request, schema: Mapping[str, Any] | None) -> Reply | Trouble:
        self._budget.take()
        # On the books first, at the most that it may cost: a kill, or an interruption, leaves it there.
        number = self.store.begin(request.key, request.purpose, request.language, count_bytes(request.messages))
        sent = time.monotonic()
        self._see_the_budget()
        outcome = await self._post(request, schema)
        self._budget.pay(outcome.prompt_tokens, outcome.completion_tokens)
        self._see_the_budget()
        if isinstance(outcome, Reply):
            self.answers, self.heard, self._budget.trouble = self.answers + 1, max(self.heard, sent), ""
            self.store.end(number, outcome, "probe" if request.probe else None)
        else:
            self._budget.trouble = outcome.said
            tokens = Reply(None, prompt_tokens=outcome.prompt_tokens, completion_tokens=outcome.completion_tokens)
            self.store.end(number, tokens, outcome.kind)
        return outcome

    def _see_the_budget(self) -> None:
        if self._budget.is_spent:
            self.spent.set()

    async def _post(self, request: Request, schema: Mapping[str, Any] | None) -> Reply | Trouble:
        from openai import APIConnectionError, APIStatusError, APITimeoutError

        settings = self._settings
        body = _make_body(settings, request.messages, schema)
        try:
            # Of an answer that comes in drops, the client's own limit would be for each drop.
            async with asyncio.timeout(settings.timeout):
                # As text: a server that is nearly compatible is read as far as its answer can be. And what the
                # client's typed method does to a prompt's messages takes longer than all the rest of a request.
                content = await self._openai.post("/chat/completions", cast_to=str, body=body)
        except APIStatusError as error:
            got = error.response
            return read_error(got.status_code, got.headers, got.content, self._key, settings.key_variable)
        except (APIConnectionError, TimeoutError) as error:
            unsent = type(error.__cause__).__name__ in _NOT_SENT
            tokens = 0 if unsent else count_bytes(request.messages)
            if isinstance(error, TimeoutError | APITimeoutError):
                said = f"no answer in {settings.timeout:g} s"
                return Trouble("timeout", said, "passing", "set a longer timeout", prompt_tokens=tokens)
            said = plain(f"{error} {error.__cause__ or ''}", self._key)
            return Trouble("no connection", said, "passing", prompt_tokens=tokens)
        return read_reply(content, request.messages, self._key)


def _make_body(settings: ChatSettings, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> dict[str, Any]:
    body: dict[str, Any] = {
        **settings.extra,
        "model": settings.model,
        "messages": list(messages),
        settings.limit_key: settings.max_tokens,
    }
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if schema is not None:
        named = {"name": schema["title"], "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    return body
