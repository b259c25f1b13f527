"""Generation by an OpenAI-compatible server: one's own (vLLM, llama.cpp, Ollama, SGLang) or a provider's."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import httpx

from evaluation.cache import Generation
from evaluation.prompts import Prompt
from evaluation.settings import ModelSettings
from mcot.core.chat_reading import Trouble, read_error, read_reply
from mcot.core.errors import ModelError, StageError
from mcot.core.progress import say
from mcot.core.runs import sign
from mcot.core.servers import back_off, plain, read_key

__all__ = ["ServerBackend"]

# Answers come one by one and are kept one by one: this only bounds how many wait at a time.
_BATCH = 4096
# So many prompts that are refused while none is answered are no fault of theirs.
_SUSPICIOUS = 10


class ServerBackend:
    """A model behind an OpenAI-compatible server; the key is read from the environment.

    Raises:
        ModelError: the key can't be sent.
    """

    apart = True
    # A server doesn't say which version of a model it has.
    revision: str | None = None
    batch_size = _BATCH

    def __init__(self, settings: ModelSettings) -> None:
        if settings.server is None:
            raise ModelError(f"model {settings.model!r}: backend server needs server: {{url: ...}}")
        self._settings, self._server = settings, settings.server
        self._key = read_key(settings.server.key_variable)
        self.signature = sign("server", 1, self._server.url.rstrip("/"), settings.model)

    def open(self) -> None:
        """Make ready to connect; whether it can be reached shows at the first prompt."""
        self._loop = asyncio.new_event_loop()
        self._refused: list[str] = []
        self._answered = False
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._client = httpx.AsyncClient(
            headers=headers, timeout=httpx.Timeout(self._server.timeout, connect=30.0),
            limits=httpx.Limits(max_connections=self._server.connections),
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()

    def generate(
        self, prompts: Sequence[Prompt], seeds: Sequence[int], notify: Callable[[str], None] | None = None
    ) -> Iterator[tuple[int, Generation]]:
        """Answer prompts, some at a time; what is passing is tried again.

        Raises:
            ModelError: the server refuses the request: a wrong key, no such model. One that it refuses for its own
                sake (too long, filtered) has an empty answer, and is told of at the end.
                Where ten or more are refused so and not one is answered, that is the settings' fault as well.
            StageError: it could not be reached, was busy, or gave no answer that can be read, at every try.
        """
        places = asyncio.Semaphore(self._server.connections)

        async def answer(place: int) -> tuple[int, Generation | Trouble]:
            async with places:
                return place, await self._answer(prompts[place], seeds[place], notify)

        refused: dict[int, str] = {}
        pending = {self._loop.create_task(answer(place)) for place in range(len(prompts))}
        try:
            while pending:
                done, pending = self._loop.run_until_complete(
                    asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                )
                # What came before the first failure is kept.
                good = [task for task in done if task.exception() is None]
                for place, outcome in sorted((task.result() for task in good), key=lambda pair: pair[0]):
                    if isinstance(outcome, Trouble):
                        refused[place] = outcome.said
                    else:
                        yield place, outcome
                for task in done - set(good):
                    task.result()
                # Not kept before another one is answered: it may be the settings' fault after all.
                if refused and (self._answered or not pending):
                    self._see_that_others_are_answered(list(refused.values()))
                    self._refused.extend(refused.values())
                    yield from ((place, Generation("", None)) for place in refused)
                    refused.clear()
        finally:
            for task in pending:
                task.cancel()
            if pending:
                self._loop.run_until_complete(asyncio.wait(pending))
            self._say_refused()

    def _see_that_others_are_answered(self, refused: Sequence[str]) -> None:
        if not self._answered and len(refused) >= _SUSPICIOUS:
            raise ModelError(
                f"server {self._server.url}: refused all of the {len(refused)} prompts that it was asked (first: "
                f"{refused[0]}); lower sampling.max_new_tokens, show fewer few-shot problems (prompt.shots), or "
                "have the server read longer texts"
            )

    def _say_refused(self) -> None:
        if self._refused:
            say(
                f"{self._server.url}: prompts that the server refused, and that count as wrong: {len(self._refused)} "
                f"(the first one: {self._refused[0]})"
            )
        self._refused.clear()

    async def _answer(self, prompt: Prompt, seed: int, notify: Callable[[str], None] | None) -> Generation | Trouble:
        """Ask until there is an answer, or the trouble where the prompt is refused for its own sake."""
        attempt = 1
        while True:
            outcome = await self._ask(prompt, seed)
            if isinstance(outcome, Generation):
                self._answered = True
                return outcome
            if outcome.scope == "request":
                return outcome
            if outcome.scope != "passing":
                raise ModelError(
                    f"server {self._server.url}: refused a request to model {self._settings.model!r} "
                    f"({outcome.said}); {outcome.advice}"
                )
            if attempt == self._server.tries:
                raise StageError(
                    f"server {self._server.url}: {attempt} tries, the last one: {outcome.said}; {outcome.advice}, then "
                    "run the same command again: every answer so far is kept"
                )
            wait = max(back_off(attempt), outcome.retry_after or 0.0)
            if notify:
                notify(f"{self._server.url}: {outcome.said}; trying again in {wait:.0f} s")
            await asyncio.sleep(wait)
            attempt += 1

    async def _ask(self, prompt: Prompt, seed: int) -> Generation | Trouble:
        """Ask once."""
        there = "see that it runs and can be reached"
        try:
            # Of an answer that comes in drops, the client's own limit would be for each drop.
            async with asyncio.timeout(self._server.timeout):
                response = await self._client.post(self._address(prompt), json=self._body(prompt, seed))
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
            said = f"no answer in {self._server.timeout:g} s"
            return Trouble("timeout", said, "passing", f"{there}, or set a longer server.timeout")
        except httpx.RequestError as error:
            said = plain(f"{type(error).__name__} {error}", self._key)
            return Trouble("no connection", said, "passing", there)
        if response.status_code == 200:
            return self._read_completion(response) if prompt.text is not None else self._read_chat(response, prompt)
        key, variable = self._key, self._server.key_variable
        trouble = read_error(response.status_code, response.headers, response.content, key, variable)
        return replace(trouble, advice=there) if trouble.scope == "passing" else trouble

    def _address(self, prompt: Prompt) -> str:
        return f"{self._server.url.rstrip('/')}/{'completions' if prompt.text is not None else 'chat/completions'}"

    def _body(self, prompt: Prompt, seed: int) -> dict[str, Any]:
        sampling = self._settings.sampling
        body: dict[str, Any] = {
            "model": self._settings.model,
            self._server.limit_key: sampling.max_new_tokens,
        }
        if sampling.temperature is not None:
            body["temperature"] = sampling.temperature
        if sampling.temperature:
            body |= {"top_p": sampling.top_p, "seed": seed}
        if self._settings.stop:
            body["stop"] = list(self._settings.stop)
        return body | ({"prompt": prompt.text} if prompt.text is not None else {"messages": prompt.chat})

    def _read_chat(self, response: httpx.Response, prompt: Prompt) -> Generation | Trouble:
        reply = read_reply(response.text, prompt.chat, self._key)
        if isinstance(reply, Trouble):
            return replace(reply, advice="see the url")
        return _made(reply.text or "", reply.finish)

    def _read_completion(self, response: httpx.Response) -> Generation | Trouble:
        try:
            choice = response.json()["choices"][0]
            text, reason = choice["text"], choice.get("finish_reason")
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            text = reason = 0
        if not isinstance(text, str | None):
            said = f"no answer of an OpenAI-compatible server: {plain(response.text, self._key)}"
            # A proxy cuts answers off, or has a page of its own while the server behind it is away.
            return Trouble("unreadable", said, "passing", "see the url")
        # Half a character is none, and no file can hold it.
        return _made((text or "").encode(errors="replace").decode(), reason)


def _made(text: str, reason: object) -> Generation:
    return Generation(text, {"stop": True, "length": False}.get(str(reason)))
