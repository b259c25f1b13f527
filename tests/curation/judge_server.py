"""An OpenAI-compatible server that judges translations, and misbehaves as it is told."""

import asyncio
import json
import time
from typing import Any

from tests.curation.llm_server import LlmServer

GOOD: dict[str, Any] = {"errors": [], "meaning_kept": True, "reasoning_kept": True, "fluent": True}


def error(**changes: str) -> dict[str, str]:
    """An error of a judgement."""
    given = {"part": "question", "category": "grammar", "severity": "minor", "text": "ana", "explanation": "why"}
    return {**given, **changes}


def judgement(*errors: dict[str, str], **changes: Any) -> str:
    """A judge's answer, as it should be."""
    return json.dumps({**GOOD, "errors": list(errors), **changes}, ensure_ascii=False)


class JudgeServer(LlmServer):
    """Answers each request with what `plan` has for its translated question, else without an error.

    Attributes:
        answers: by question, the answers to its requests, one after another; the last stays. A number is a status.
    """

    def __init__(self, *, latency: float = 0.0) -> None:
        self.answers: dict[str, list[str | int | None]] = {}
        super().__init__(latency=latency, problems=1)

    async def _answer(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        messages = body["messages"]
        given = json.loads(messages[1]["content"])
        question = given["translation"].get("question", "")
        told = self.answers.get(question, [judgement()])
        answer = told.pop(0) if len(told) > 1 else told[0]
        self.asked.append({"given": given, "body": body, "repair": len(messages) > 2, "at": time.monotonic()})
        await asyncio.sleep(self.latency)
        status = answer if isinstance(answer, int) else 200
        content: dict[str, Any] = {"error": {"message": "planted"}}
        if status == 200:
            choice = {"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}
            usage = {"prompt_tokens": 700, "completion_tokens": 50, "total_tokens": 750}
            content = {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}
        text = json.dumps(content).encode()
        head = f"HTTP/1.1 {status} Planted\r\nContent-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
        writer.write(head.encode() + text)
        await writer.drain()
        return True
