"""Ask a model behind an OpenAI-compatible server, again where trouble may pass, and keep what it answers.

Whose fault is it that a request has no answer: its own, the server's, or the settings'? What a server says tells
little of that: no credit, a wrong parameter and a text that is too long are all a status 400, and a text that a server
falls over looks like a server that is gone. So one rule holds: **a request is given up only when the server is known
to answer others now.** That is so when another one that was sent after this one failed is answered; where there is
none, a small request is sent to see (a probe, on the books and in the budget; those that fail at once share one).

- It is answered: the request alone is at fault, and is left without an answer. A limit of requests (429) says
  nothing of the one that met it: that one is tried anew first.
- It is refused: so is everything, and it is for the settings to mend (`ModelError`).
- It has no answer either: the server is gone or busy (`StageError`).

Where a server itself says that it is the request's fault, to have been answered anything before is enough. And where
no request but probes was ever answered, the first ten that are given up stop the run: then the settings don't suit the
requests.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from mcot.core.chat_budget import BudgetSpentError
from mcot.core.chat_flow import ChatFlow
from mcot.core.chat_reading import Trouble
from mcot.core.chat_sending import Message, Request, Sender
from mcot.core.chat_settings import ChatSettings
from mcot.core.chat_store import Reply
from mcot.core.errors import MCoTError, ModelError, StageError
from mcot.core.runs import sign
from mcot.core.servers import back_off, read_key

__all__ = ["ChatClient", "Message", "NoAnswerError", "breaking_off"]

# So many that are given up while no other has an answer are no fault of theirs.
_SUSPICIOUS = 10
_TOO_MANY = "status 429"
_PROBE = [
    {"role": "system", "content": "You answer in JSON."},
    {"role": "user", "content": 'Answer with this JSON object: {"answer": "yes"}'},
]
_PROBE_SCHEMA = {
    "title": "probe",
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}


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
        notify: told what is waited for.

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
        self._sender = Sender(self._settings, self._key, self._path, where=self._where)
        self._places = asyncio.Semaphore(self._settings.concurrency)
        # One request asked by two at once is sent once.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._pause = 0.0
        # Whether a request that is no probe has an answer, and how many were given up before one had.
        self._useful, self._given_up = False, 0
        self._probing = asyncio.Lock()
        # The last probe that had no answer: when that was seen, and why.
        self._failed_probe: tuple[float, Trouble] | None = None

    def check_budget(self) -> None:
        """Raises `BudgetSpentError` where nothing may be asked any more, with what was spent until now."""
        self._sender.check_budget()

    async def close(self) -> None:
        """Close the connections and the store."""
        await self._sender.close()

    async def ask(
        self, messages: Sequence[Message], *, schema: Mapping[str, Any], purpose: str, language: str
    ) -> Reply:
        """The answer to a chat: the one that is kept, or the server's, which is kept before it is given back.

        Args:
            messages: of `role` and `content`.
            schema: JSON schema of the answer, with a `title`; servers that know none are asked without.
            purpose, language: to count by.

        Raises:
            NoAnswerError: this request has none, while others do: it was refused, or met with trouble at every try.
            BudgetSpentError: nothing may be asked any more.
            ModelError: the server refuses every request: a wrong key, no such model, no credit.
            StageError: the server answers nobody: it could not be reached, or was busy.
        """
        key = sign(self.signature, list(messages), schema)
        async with self._locks.setdefault(key, asyncio.Lock()):
            reply = self._sender.store.find(key)
            if reply is None:
                reply = await self._ask(Request(key, messages, schema, purpose, language))
            self._useful = True
            return reply

    async def _ask(self, request: Request) -> Reply:
        spared = False
        while True:
            began = time.monotonic()
            outcome, tries = await self._try(request, self._settings.tries)
            if isinstance(outcome, Reply):
                return outcome
            await self._see_that_others_are_answered(request, outcome, tries, began)
            if outcome.kind != _TOO_MANY or spared:
                raise self._give_up(outcome, tries)
            spared = True

    async def _try(self, request: Request, most: int) -> tuple[Reply | Trouble, int]:
        """Send a request until it is answered or refused, or has failed so many times. Gives how often it was sent."""
        sent = failed = 0
        answers = self._sender.answers
        while True:
            async with self._places:
                while (rest := self._pause - time.monotonic()) > 0 and not self._sender.spent.is_set():
                    await self._rest(rest)
                outcome = await self._sender.send(request)
            sent += 1
            if isinstance(outcome, Reply) or outcome.scope != "passing":
                return outcome, sent
            # While others are let in, a limit only makes this one wait for its turn.
            let_in = outcome.kind == _TOO_MANY and self._sender.answers > answers
            failed, answers = 0 if let_in else failed + 1, self._sender.answers
            if failed >= most:
                return outcome, sent
            await self._wait(outcome, sent)

    async def _wait(self, trouble: Trouble, attempt: int) -> None:
        wait = back_off(attempt)
        if trouble.retry_after is not None:
            # A server that says when to come back says it to all.
            self._pause = max(self._pause, time.monotonic() + trouble.retry_after)
            wait = max(wait, trouble.retry_after)
        elif trouble.kind == _TOO_MANY:
            # Nobody is let in at this moment.
            self._pause = max(self._pause, time.monotonic() + back_off(1))
        if self.notify is not None:
            self.notify(f"{self._settings.url}: {trouble.said}; trying again in {wait:.0f} s")
        await self._rest(wait)

    async def _rest(self, seconds: float) -> None:
        """Sleep, unless a budget is spent: then there is nothing to wait for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._sender.spent.wait()

    async def _see_that_others_are_answered(self, request: Request, trouble: Trouble, tries: int, began: float) -> None:
        """Return if the server answers other requests than this one. Else raise what stops the run.

        Args:
            request: that has no answer.
            trouble: its last.
            tries: how often it was sent.
            began: when it was sent first.
        """
        if trouble.scope == "settings":
            raise self._refused(trouble)
        seen = time.monotonic()
        enough = 0.0 if trouble.scope == "request" else seen
        async with self._probing:
            if self._sender.heard > enough:
                return
            if self._failed_probe is None or self._failed_probe[0] < seen:
                # Where nobody was answered in all these tries, more of them tell nothing new.
                silent = trouble.scope == "passing" and trouble.kind != _TOO_MANY and self._sender.heard < began
                key = sign(self.signature, _PROBE, _PROBE_SCHEMA)
                probe = Request(key, _PROBE, _PROBE_SCHEMA, request.purpose, request.language, probe=True)
                outcome, _ = await self._try(probe, 1 if silent else self._settings.tries)
                if isinstance(outcome, Reply) or self._sender.heard > enough:
                    return
                self._failed_probe = time.monotonic(), outcome
            failed = self._failed_probe[1]
        if failed.scope != "passing":
            raise self._refused(failed)
        if trouble.scope == "passing":
            met = f"{tries} tries, the last one: {trouble.said}"
        else:
            met = f"refused a request ({trouble.said}), and a small one to see what it answers met: {failed.said}"
        raise StageError(
            f"server {self._settings.url}: {met}; see that it runs and can be reached, then run the same command "
            "again: every answer so far is kept"
        )

    def _refused(self, trouble: Trouble) -> ModelError:
        return ModelError(f"server {self._settings.url}: refused the request ({trouble.said}); {trouble.advice}")

    def _give_up(self, trouble: Trouble, tries: int) -> MCoTError:
        how = f"no answer in {tries} tries, the last one" if trouble.scope == "passing" else "refused by the server"
        why = f"{how}: {trouble.said}"
        self._given_up += not self._useful
        if self._given_up < _SUSPICIOUS or self._useful:
            return NoAnswerError(why)
        return ModelError(
            f"server {self._settings.url}: answers a small request, and none of the first {_SUSPICIOUS} that matter "
            f"({why}); {trouble.advice}"
        )


@contextmanager
def breaking_off(flow: ChatFlow, client: ChatClient, begun: MutableMapping[Any, Any]) -> Iterator[None]:
    """What waits for answers inside, where it ends early: begins no more, and forgets what was begun.

    A spent budget waits for what is under way, as that is paid for, and is told of as it is by then.
    """
    try:
        yield
    except BudgetSpentError:
        flow.drain()
        begun.clear()
        client.check_budget()
        raise
    except BaseException:
        flow.drop()
        begun.clear()
        raise
