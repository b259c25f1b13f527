"""Ask a model behind an OpenAI-compatible server, again where trouble may pass, and keep what it answers."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard
from weakref import WeakValueDictionary

from mcot.core.chat_budget import Budget
from mcot.core.chat_reading import Trouble, read_error, read_reply
from mcot.core.chat_settings import ChatSettings
from mcot.core.chat_store import ChatStore, Reply
from mcot.core.errors import MCoTError, ModelError, StageError
from mcot.core.runs import sign
from mcot.core.servers import back_off, plain, read_key

__all__ = ["ChatClient", "Message", "NoAnswerError"]

Message = Mapping[str, str]

# So many requests in a row that nothing answered, each after all its tries, are no fault of theirs.
_OUTAGE = 10


class NoAnswerError(MCoTError):
    """A request has no answer, and others do: it is left without one."""


class ChatClient:
    """A model behind an OpenAI-compatible server, and the answers that it gave before.

    Args:
        settings: the server, the model, the budget.
        store: the file of what was asked and answered.
        where: the settings' key, to name in errors.

    Attributes:
        signature: of all that an answer depends on besides the messages.

    Raises:
        ModelError: the key can't be sent.
    """

    def __init__(self, settings: ChatSettings, store: Path, *, where: str) -> None:
        self._settings, self._path, self._where = settings, store, where
        self._key = read_key(settings.key_variable)
        self.signature = sign(
            "chat", 1, settings.url.rstrip("/"), settings.model, settings.temperature, settings.max_tokens,
            settings.extra, settings.structured,
        )  # fmt: skip
        self.notify: Callable[[str], None] | None = None

    def open(self) -> None:
        """Open the store and make ready to connect; whether the server can be reached shows at the first request."""
        from openai import AsyncOpenAI

        self._store = ChatStore(self._path)
        self._budget = Budget(self._settings, self._where, self._store.spent(self._settings.prices))
        self._openai = AsyncOpenAI(
            # Servers of one's own ask for none, and the client wants one.
            api_key=self._key or "none",
            base_url=self._settings.url,
            max_retries=0,
            timeout=self._settings.timeout,
        )
        self._places = asyncio.Semaphore(self._settings.concurrency)
        # One request asked by two at once is sent once.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._structured = self._settings.structured != "none"
        self._answered, self._unanswered = False, 0
        self._pause = 0.0

    def check_budget(self) -> None:
        """Raises `BudgetSpentError` where nothing may be asked any more, with what was spent until now."""
        self._budget.check()

    async def close(self) -> None:
        """Close the connections and the store."""
        await self._openai.close()
        self._store.close()

    async def ask(
        self, messages: Sequence[Message], *, schema: Mapping[str, Any], purpose: str, language: str
    ) -> Reply:
        """The answer to a chat: the one that is kept, or the server's, which is kept before it is given back.

        Args:
            messages: of `role` and `content`.
            schema: JSON schema of the answer, with a `title`; servers that know none are asked without.
            purpose, language: to count by.

        Raises:
            NoAnswerError: this request has none: it was refused, or met with trouble at every try.
            BudgetSpentError: nothing may be asked any more.
            ModelError: the server refuses every request: a wrong key, no such model, no credit.
            StageError: the server could not be reached, or was busy, at every try of this request and of others.
        """
        key = sign(self.signature, list(messages), schema)
        async with self._locks.setdefault(key, asyncio.Lock()):
            if (found := self._store.find(key)) is not None:
                return found
            return await self._ask(key, messages, schema, (purpose, language))

    async def _ask(
        self, key: str, messages: Sequence[Message], schema: Mapping[str, Any], counted: tuple[str, str]
    ) -> Reply:
        attempt = 1
        while True:
            async with self._places:
                while (rest := self._pause - time.monotonic()) > 0:
                    await asyncio.sleep(rest)
                structured = self._structured
                outcome = await self._send(messages, schema if structured else None)
                if structured and self._may_be_the_schema(outcome):
                    self._store.add(key, *counted, None, outcome.kind)
                    outcome = await self._send(messages, None)
                    # What was refused with a schema and is answered without tells of the server.
                    self._structured = self._structured and not isinstance(outcome, Reply)
            if isinstance(outcome, Reply):
                self._budget.pay(outcome)
                self._store.add(key, *counted, outcome)
                self._answered, self._unanswered = True, 0
                return outcome
            self._store.add(key, *counted, None, outcome.kind)
            if outcome.scope != "passing":
                raise self._refuse(outcome)
            if attempt == self._settings.tries:
                raise self._give_up(outcome)
            await self._wait(outcome, attempt)
            attempt += 1

    def _may_be_the_schema(self, outcome: Reply | Trouble) -> TypeGuard[Trouble]:
        return isinstance(outcome, Trouble) and outcome.scope == "unknown" and self._settings.structured == "auto"

    async def _send(self, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> Reply | Trouble:
        """Send a request once. Raises `BudgetSpentError` instead where nothing may be sent."""
        self._budget.take()
        from openai import APIConnectionError, APIStatusError

        body: dict[str, Any] = {
            **self._settings.extra,
            "model": self._settings.model,
            "messages": list(messages),
            self._settings.limit_key: self._settings.max_tokens,
        }
        if self._settings.temperature is not None:
            body["temperature"] = self._settings.temperature
        if schema is not None:
            named = {"name": schema["title"], "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        try:
            # Of an answer that comes in drops, the client's own limit would be for each drop.
            async with asyncio.timeout(self._settings.timeout):
                # As text: a server that is nearly compatible is read as far as its answer can be. And what the
                # client's typed method does to a prompt's messages takes longer than all the rest of a request.
                content = await self._openai.post("/chat/completions", cast_to=str, body=body)
        except APIStatusError as error:
            got = error.response
            return read_error(got.status_code, got.headers, got.content, self._key, self._settings.key_variable)
        except (APIConnectionError, TimeoutError) as error:
            if isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError):
                return Trouble("timeout", f"no answer in {self._settings.timeout:g} s", "passing")
            said = plain(f"{error} {error.__cause__ or ''}", self._key)
            return Trouble("no connection", said, "passing")
        return read_reply(content, messages, self._key)

    async def _wait(self, trouble: Trouble, attempt: int) -> None:
        wait = back_off(attempt)
        if trouble.retry_after is not None:
            # A server that says when to come back says it to all.
            self._pause = max(self._pause, time.monotonic() + trouble.retry_after)
            wait = max(wait, trouble.retry_after)
        if self.notify is not None:
            self.notify(f"{self._settings.url}: {trouble.said}; trying again in {wait:.0f} s")
        await asyncio.sleep(wait)

    def _refuse(self, trouble: Trouble) -> MCoTError:
        if trouble.scope == "request" or (trouble.scope == "unknown" and self._answered):
            return NoAnswerError(f"refused by the server: {trouble.said}")
        return ModelError(f"server {self._settings.url}: refused the request ({trouble.said}); {trouble.advice}")

    def _give_up(self, trouble: Trouble) -> MCoTError:
        self._unanswered += 1
        tries = f"{self._settings.tries} tries, the last one: {trouble.said}"
        if self._answered and self._unanswered < _OUTAGE:
            return NoAnswerError(f"no answer in {tries}")
        return StageError(
            f"server {self._settings.url}: {tries}; see that it runs and can be reached, then run the same command "
            "again: every answer so far is kept"
        )
