"""An OpenAI-compatible server that translates the demo's problems, and misbehaves as it is told.

In a test it runs in a thread (`LlmServer`). As a program it runs in a process of its own, so that it takes no time from
the client: `python -m tests.curation.llm_server LATENCY`, which prints its address and ends when its input does.
"""

import asyncio
import json
import re
import sys
import threading
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from typing import Any

from curation.demo.generator import draw_problems, load_texts
from mcot.core.languages import ENGLISH, LANGUAGES, TARGETS

_TARGET = re.compile(r"into (?P<name>\w+) \(|problem in (?P<back>\w+) \(")
_BY_NAME = {language.name: language.code for language in TARGETS}

Text = dict[str, str]


@cache
def parallel(count: int) -> list[dict[str, Text]]:
    """The demo's first problems, by language, as an LLM is given them."""
    return [
        {
            code: {
                "question": language.sentence_separator.join(load_texts(code).question(problem)),
                "solution": "\n".join(
                    [*load_texts(code).solution(problem), language.answer_phrase.format(answer=problem.answer)]
                ),
            }
            for code, language in LANGUAGES.items()
        }
        for problem in draw_problems(11, count)
    ]


@cache
def _book(count: int) -> dict[tuple[str, str], dict[str, Text]]:
    return {(code, texts[code]["question"]): texts for texts in parallel(count) for code in LANGUAGES}


class LlmServer:
    """A real HTTP server on this machine.

    Args:
        latency: seconds before an answer.
        problems: how many of the demo's it knows.
        schema: whether it knows JSON schemas; where not it refuses them.

    Attributes:
        plan: by English question and language (`sw`, or `sw-en` for the way back), what is done to its requests, one
            after another.
        always: the same, for every request that `plan` has nothing for.
        asked: every request: its target language, English question, whether it is a repair, and what was done.
        probe: what is done to requests that only ask whether it answers; by default what was done to the last other
            one, until one was answered.
        probes: their bodies.
        busiest: the most requests at a time.
    """

    def __init__(self, *, latency: float = 0.0, problems: int = 60, schema: bool = True) -> None:
        self.latency, self.schema = latency, schema
        self.plan: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self.always: dict[tuple[str, str], str] = {}
        self.asked: list[dict[str, Any]] = []
        self.probe = ""
        self.probes: list[dict[str, Any]] = []
        self.authorization: set[str] = set()
        self.in_flight = self.busiest = 0
        self._book = _book(problems)
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait(30)

    def close(self) -> None:
        """Stop, whatever is under way."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._handle, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        self._ready.set()
        self._loop.run_forever()

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
                self.authorization.add(headers.get("authorization", ""))
                body = json.loads(await reader.readexactly(int(headers["content-length"])))
                self.in_flight += 1
                self.busiest = max(self.busiest, self.in_flight)
                try:
                    answer = self._answer_probe if _is_probe(body) else self._answer
                    if not await answer(body, writer):
                        break
                finally:
                    self.in_flight -= 1
        writer.close()

    async def _answer(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        """Answer a request. Returns whether the connection stays."""
        given, code, forward, repair = _read(body)
        texts = self._book[code if not forward else ENGLISH.code, given["question"]]
        english = texts["en"]["question"]
        key = (english, code if forward else f"{code}-en")
        does = self.plan[key].pop(0) if self.plan[key] else self.always.get(key, "good")
        if "response_format" in body and not self.schema:
            does = "schema"
        asked = {"question": english, "language": key[1], "repair": repair, "does": does, "body": body}
        self.asked.append({**asked, "at": time.monotonic()})
        return await self._write(does, _behave(does, given, texts, code if forward else ENGLISH.code), writer)

    async def _answer_probe(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        """Answer a request that only asks whether there is an answer."""
        self.probes.append(body)
        done = [one.get("does", "good") for one in self.asked]
        answers = any(does.partition(" ")[0] not in (*_STATUSES, "hang", "cut", "html") for does in done)
        does = self.probe or ("good" if answers else done[-1])
        if "response_format" in body and not self.schema:
            does = "schema"
        texts = {code: {"answer": "yes"} for code in LANGUAGES}
        return await self._write(does, _behave(does, texts["en"], texts, "en"), writer)

    async def _write(self, does: str, response: tuple[int, list[str], Any], writer: asyncio.StreamWriter) -> bool:
        await asyncio.sleep(30.0 if does == "hang" else self.latency)
        status, extra, content = response
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        length = len(text) + (100 if does == "cut" else 0)
        lines = [f"HTTP/1.1 {status} Planted", "Content-Type: application/json", f"Content-Length: {length}", *extra]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + text)
        await writer.drain()
        return does != "cut"


def _is_probe(body: dict[str, Any]) -> bool:
    return "Answer with this JSON object" in str(body["messages"][-1]["content"])


def _read(body: dict[str, Any]) -> tuple[Text, str, bool, bool]:
    """What is to be translated; the language and whether into it; whether it is asked for once more."""
    messages = body["messages"]
    named = _TARGET.search(messages[0]["content"])
    assert named is not None
    forward = named["name"] is not None
    asks = [message["content"] for message in messages if message["role"] == "user"]
    repair = len(asks) == 4
    return json.loads(asks[2]), _BY_NAME[named["name"] or named["back"]], forward, repair


def _completion(text: str | None, finish: str = "stop", refusal: str | None = None) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": refusal}
    usage = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion", "model": "planted", "choices": [choice], "usage": usage}


_STATUSES: dict[str, tuple[int, dict[str, Any]]] = {
    "429": (429, {"message": "slow down"}),
    "429-date": (429, {"message": "slow down"}),
    "500": (500, {"message": "overloaded"}),
    "schema": (400, {"message": "response_format: json_schema is not supported"}),
    "400": (400, {"message": "the prompt was flagged", "code": "content_filter"}),
    # vLLM's words: its code is the status.
    "context": (
        400,
        {"message": "This model's maximum context length is 4096 tokens", "type": "BadRequestError", "code": 400},
    ),
    # Anthropic's, and those of a server that says as little.
    "credit": (400, {"message": "Your credit balance is too low", "type": "invalid_request_error"}),
    "bad": (400, {"message": "bad request", "type": "invalid_request_error"}),
    "generate": (400, {"message": "Failed to generate JSON", "code": "json_validate_failed"}),
    "401": (401, {"message": "Incorrect API key provided: "}),
    "quota": (429, {"message": "no credit", "code": "insufficient_quota"}),
}
_EXPLANATION = "This problem asks how many there are. First we need to add the numbers, as the story says. "
_SORRY = "I'm sorry, but I can't help with that."


def _refuse(does: str, argument: str) -> tuple[int, list[str], Any]:
    status, error = _STATUSES[does]
    if status == 401:
        error = {"message": error["message"] + argument}
    if does == "429-date":
        argument = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    return status, [f"Retry-After: {argument or 0}"] if status == 429 else [], {"error": error}


def _behave(does: str, given: Text, texts: dict[str, Text], code: str) -> tuple[int, list[str], Any]:
    """Status, headers and body of a behaviour.

    Args:
        does: its name, and after a space what it needs besides.
        given: what is to be translated.
        texts: the same in every language.
        code: of the language that is asked for.
    """
    does, _, argument = does.partition(" ")
    if does in _STATUSES:
        return _refuse(does, argument)
    if does == "html":
        return 200, [], b"<html>a page of a proxy</html>"
    wanted = {key: texts[code][key] for key in given}
    if "question" not in given:
        return 200, [], _completion(json.dumps(wanted))
    good = json.dumps(wanted, ensure_ascii=False)
    changed = re.sub(r"\d+", lambda number: str(int(number[0]) + 1), wanted["question"], count=1)
    other = {key: texts["fr" if code == "de" else "de"][key] for key in given}
    answers: dict[str, tuple[str | None, str, str | None]] = {
        "broken": (good[: len(good) // 2], "stop", None),
        "length": (good[: len(good) // 2], "length", None),
        "fenced": (f"Here is the translation:\n```json\n{good}\n```", "stop", None),
        "thinks": (f"<think>{{Let me see.}}</think>\n{good}", "stop", None),
        "refusal": (None, "stop", _SORRY),
        "refuses": (_SORRY, "stop", None),
        "english": (json.dumps(given), "stop", None),
        "echo": (json.dumps({**wanted, "question": f"{wanted['question']} {argument}"}), "stop", None),
        "wrong-language": (json.dumps(other), "stop", None),
        "explains": (json.dumps({**wanted, "question": _EXPLANATION * 2}), "stop", None),
        "numbers": (json.dumps({**wanted, "question": changed}), "stop", None),
    }
    return 200, [], _completion(*answers.get(does, (good, "stop", None)))


def main() -> None:
    """Serve until the input ends."""
    server = LlmServer(latency=float(sys.argv[1]), problems=int(sys.argv[2]))
    print(server.url, flush=True)
    sys.stdin.read()
    print(json.dumps({"requests": len(server.asked), "busiest": server.busiest}), flush=True)
    server.close()


if __name__ == "__main__":
    main()
