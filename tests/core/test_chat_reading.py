"""What servers say that only nearly speak the protocol."""

import json
from pathlib import Path
from typing import Any

import pytest

from mcot.core.chat_reading import Trouble, read_error, read_reply
from mcot.core.chat_store import ChatStore, Reply

MESSAGES = [{"role": "user", "content": "ask"}]


def body(content: Any, usage: Any = None) -> str:
    """A response's body."""
    return json.dumps({"choices": [{"message": {"content": content}, "finish_reason": "stop"}], "usage": usage})


@pytest.mark.parametrize(
    ("content", "usage", "expected"),
    [
        # Half a character, which no file can hold.
        ("ab\ud83d", {}, Reply("ab\ufffd", "stop", None, 3, 5)),
        ("\ud83d\ude00", {}, Reply("\U0001f600", "stop", None, 3, 4)),
        ("a", {"prompt_tokens": 10**23, "completion_tokens": True}, Reply("a", "stop", None, 3, 1)),
        ("a", {"prompt_tokens": -1, "completion_tokens": "2"}, Reply("a", "stop", None, 3, 1)),
        ("a", [1], Reply("a", "stop", None, 3, 1)),
        # Parts.
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], {}, Reply("ab", "stop", None, 3, 2)),
        ([{"type": "thinking", "thinking": [{"text": "hm"}]}, {"type": "text", "text": "b"}], {},
         Reply("b", "stop", None, 3, 1)),
        ([], {}, Reply(None, "stop", None, 3, 0)),
    ],
)  # fmt: skip
def test_replies_that_can_be_kept(tmp_path: Path, content: Any, usage: Any, expected: Reply) -> None:
    reply = read_reply(body(content, usage), MESSAGES, "a")
    assert reply == expected
    store = ChatStore(tmp_path / "s.sqlite")
    store.end(store.begin("k", "p", "sw", 3), reply)
    assert store.find("k") == expected
    store.close()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("<html>", (3, 0)),
        (json.dumps({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 5}}), (9, 5)),
        (body(3, {"prompt_tokens": 9}), (9, 0)),
    ],
)
def test_unreadable_replies_may_be_paid(text: str, tokens: tuple[int, int]) -> None:
    trouble = read_reply(text, MESSAGES, "")
    assert isinstance(trouble, Trouble)
    assert (trouble.scope, trouble.prompt_tokens, trouble.completion_tokens) == ("passing", *tokens)


@pytest.mark.parametrize(
    ("error", "scope", "advice"),
    [
        # vLLM, llama.cpp, OpenAI: a text that is too long.
        ({"message": "This model's maximum context length is 9", "type": "BadRequestError", "code": 400}, "request",
         "a smaller max_tokens"),
        ({"message": "too large", "type": "exceed_context_size_error", "code": 400}, "request", "settings"),
        ({"message": "long", "type": "invalid_request_error", "code": "context_length_exceeded"}, "request", ""),
        ({"message": "bad", "type": "invalid_prompt", "code": "400"}, "request", ""),
        ({"message": "`temperature` does not support 0", "code": "unsupported_value"}, "unknown", "temperature: null"),
        ({"message": "max_tokens is not supported; use max_completion_tokens", "code": "unsupported_parameter"},
         "unknown", "limit_key: max_completion_tokens"),
        ({"message": "no", "type": "insufficient_quota", "code": 400}, "settings", "credit"),
        ({"message": "half \ud83d"}, "unknown", "mend the settings"),
    ],
)  # fmt: skip
def test_errors(error: dict[str, Any], scope: str, advice: str) -> None:
    trouble = read_error(400, {}, json.dumps({"error": error}).encode(), "", "LLM_KEY")
    assert trouble.scope == scope
    assert advice in trouble.advice
    assert trouble.said.encode()
