"""Generation by an OpenAI-compatible server: one's own (vLLM, llama.cpp, Ollama, SGLang) or a provider's."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from evaluation.cache import Generation
from evaluation.prompts import Prompt
from evaluation.settings import ModelSettings
from mcot.core.errors import ModelError, StageError
from mcot.core.runs import sign
from mcot.core.servers import PASSING, back_off, plain, read_key, read_retry_after

__all__ = ["ServerBackend"]

# Answers come one by one and are kept one by one: this only bounds how many wait at a time.
_BATCH = 4096


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
            ModelError: the server refuses the request: a wrong key, no such model.
            StageError: it could not be reached, or was busy, at every try.
        """
        places = asyncio.Semaphore(self._server.connections)

        async def answer(place: int) -> tuple[int, Generation]:
            async with places:
                return place, await self._answer(prompts[place], seeds[place], notify)

        pending = {self._loop.create_task(answer(place)) for place in range(len(prompts))}
        try:
            while pending:
                done, pending = self._loop.run_until_complete(
                    asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                )
                # What came before the first failure is kept.
                good = [task for task in done if task.exception() is None]
                yield from sorted((task.result() for task in good), key=lambda pair: pair[0])
                for task in done - set(good):
                    task.result()
        finally:
            for task in pending:
                task.cancel()
            if pending:
                self._loop.run_until_complete(asyncio.wait(pending))

    async def _answer(self, prompt: Prompt, seed: int, notify: Callable[[str], None] | None) -> Generation:
        """Ask until there is an answer."""
        for attempt in range(1, self._server.tries + 1):
            wait = back_off(attempt)
            try:
                response = await self._client.post(self._address(prompt), json=self._body(prompt, seed))
            except httpx.TransportError as error:
                trouble = f"{type(error).__name__} {error}".strip()
            else:
                if response.status_code not in PASSING:
                    return self._read(response)
                trouble = f"status {response.status_code}"
                wait = max(wait, read_retry_after(response.headers.get("Retry-After")) or 0.0)
            if attempt < self._server.tries:
                if notify:
                    notify(f"{self._server.url}: {self._plain(trouble)}; trying again in {wait:.0f} s")
                await asyncio.sleep(wait)
        raise StageError(
            f"server {self._server.url}: {self._server.tries} tries, the last one: {self._plain(trouble)}; see that it "
            "runs and can be reached, then run the same command again: every answer so far is kept"
        )

    def _address(self, prompt: Prompt) -> str:
        return f"{self._server.url.rstrip('/')}/{'completions' if prompt.text is not None else 'chat/completions'}"

    def _body(self, prompt: Prompt, seed: int) -> dict[str, Any]:
        sampling = self._settings.sampling
        body: dict[str, Any] = {
            "model": self._settings.model,
            self._server.limit_key: sampling.max_new_tokens,
            "temperature": sampling.temperature,
        }
        if sampling.temperature:
            body |= {"top_p": sampling.top_p, "seed": seed}
        if self._settings.stop:
            body["stop"] = list(self._settings.stop)
        return body | ({"prompt": prompt.text} if prompt.text is not None else {"messages": prompt.chat})

    def _read(self, response: httpx.Response) -> Generation:
        where, said = f"server {self._server.url}", self._plain(_message(response))
        match response.status_code:
            case 401 | 403:
                how = "is not the right one" if self._key else "is not set"
                raise ModelError(
                    f"{where}: refused the request ({response.status_code}: {said}); the key in the environment "
                    f"variable {self._server.key_variable} {how}"
                )
            case 404:
                raise ModelError(
                    f"{where}: has no model {self._settings.model!r}, or nothing at this address (404: {said}); valid: "
                    "the name that the server gives the model, and a url that ends with the version, such as /v1"
                )
            case code if code != 200:
                raise ModelError(f"{where}: refused the request ({code}: {said}); mend the model's settings")
        try:
            choice = response.json()["choices"][0]
            text = choice["text"] if self._settings.prompt.style == "completion" else choice["message"]["content"]
            reason = choice.get("finish_reason")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            text = reason = 0
        if not isinstance(text, str | None):
            raise ModelError(f"{where}: its answer is none of an OpenAI-compatible server ({said}); see the url")
        return Generation(text or "", {"stop": True, "length": False}.get(str(reason)))

    def _plain(self, text: str) -> str:
        """What a server says, on one line; a server may repeat the key that it was sent."""
        return plain(text, self._key)


def _message(response: httpx.Response) -> str:
    """What a server says of an error: OpenAI's shape, or the body's first characters."""
    try:
        content = response.json()
        error = content.get("error", content) if isinstance(content, dict) else content
        return str(error.get("message", error) if isinstance(error, dict) else error)
    except ValueError:
        return response.text
