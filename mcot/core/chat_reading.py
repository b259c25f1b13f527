"""What a server's response is: an answer, trouble that may pass, or a refusal that no second try mends."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mcot.core.chat_store import Reply
from mcot.core.servers import PASSING, blot_out, plain, read_retry_after

__all__ = ["Trouble", "count_bytes", "read_error", "read_reply"]

# Errors of one request: another one may well be answered. The last code is llama.cpp's.
_OF_THE_REQUEST = {
    "content_filter", "content_policy_violation", "context_length_exceeded", "invalid_prompt",
    "exceed_context_size_error",
}  # fmt: skip
# vLLM's and others' words, whose codes only say that a request is bad.
_TOO_LONG = re.compile(r"context (length|size|window)", re.IGNORECASE)
_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}
# What a server says of a parameter, and what to do about it. The longer name first: it holds the other.
_ADVICE = (
    (re.compile(r"max_completion_tokens"), "set limit_key: max_completion_tokens, or another max_tokens"),
    (re.compile(r"max_tokens|max tokens"), "set another max_tokens, or limit_key: max_completion_tokens"),
    (_TOO_LONG, "set a smaller max_tokens, or ask a model that reads longer texts"),
    (re.compile(r"temperature"), "set temperature: null"),
)
_SURROGATE = re.compile("[\ud800-\udfff]")
# Above it a count is no count of a request's tokens.
_MOST_TOKENS = 10**9


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a request has no answer.

    Attributes:
        kind: short, to count by: `status 429`, `timeout`.
        said: for people, on one line, without the key.
        scope: `passing`: the same request may be answered later; `request`: this one won't be, another may;
            `settings`: none will be; `unknown`: one of these two.
        advice: what to do where it is the settings' fault.
        retry_after: seconds that the server asks to wait.
        prompt_tokens, completion_tokens: what it may have cost all the same.
    """

    kind: str
    said: str
    scope: Literal["passing", "request", "settings", "unknown"] = "unknown"
    advice: str = "mend the settings"
    retry_after: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


def read_reply(content: str, messages: Sequence[Mapping[str, str]], key: str) -> Reply | Trouble:
    """The answer in the body of a response of status 200.

    Args:
        content: the body.
        messages: what was asked, to count its tokens where the server doesn't.
        key: it is blotted out: some servers repeat what they are sent.
    """
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    prompt, completion = _read_usage(body)
    # A token has at least a byte: so a budget holds with a server that counts nothing.
    prompt = count_bytes(messages) if prompt is None else prompt
    try:
        choice = body["choices"][0]
        text, refusal, finish = (
            _read_text(choice["message"].get("content")), choice["message"].get("refusal"), choice.get("finish_reason")
        )  # fmt: skip
    except (ValueError, LookupError, TypeError, AttributeError):
        said = f"no answer of an OpenAI-compatible server: {_shown(content, key)}"
        return Trouble("unreadable", said, "passing", prompt_tokens=prompt, completion_tokens=completion or 0)
    text, refusal, finish = (_clean(key, part) if isinstance(part, str) else None for part in (text, refusal, finish))
    if completion is None:
        completion = len((text or refusal or "").encode())
    return Reply(text, finish, refusal, prompt, completion)


def count_bytes(messages: Sequence[Mapping[str, str]]) -> int:
    """The most tokens that messages can have."""
    return sum(len(message["content"].encode(errors="replace")) for message in messages)


def _read_usage(body: Any) -> tuple[int | None, int | None]:
    """A response's tokens of prompt and answer, None where they are not counted, or not believed."""
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return None, None
    prompt, completion = (usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
    return _read_count(prompt), _read_count(completion)


def _read_count(count: Any) -> int | None:
    return count if type(count) is int and 0 <= count <= _MOST_TOKENS else None


def _read_text(content: Any) -> str | None:
    """A message's text; of parts, those that are texts. Raises `ValueError` for anything else."""
    if isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        return "".join(texts) or None
    if not isinstance(content, str | None):
        raise ValueError("neither text nor parts")
    return content


def read_error(status: int, headers: Mapping[str, str], content: bytes, key: str, key_variable: str) -> Trouble:
    """What a response of another status says.

    Args:
        status: HTTP's.
        headers: of the response.
        content: the body.
        key: it is blotted out.
        key_variable: the environment variable that holds the key, to name in the advice.
    """
    message, code = _message(content, key)
    kind, said = f"status {status}", plain(f"status {status}: {message}", key)
    if status == 402 or code in _NO_CREDIT:
        return Trouble(kind, said, "settings", "the account has no credit left: add some, or ask another server")
    if status in PASSING:
        return Trouble(kind, said, "passing", retry_after=read_retry_after(headers.get("retry-after")))
    advice = next((advice for found, advice in _ADVICE if found.search(message)), "mend the settings")
    if code in _OF_THE_REQUEST or _TOO_LONG.search(message):
        return Trouble(kind, said, "request", advice)
    if status in (401, 403):
        how = "is not the right one" if key else "is not set"
        advice = f"the key in the environment variable {key_variable} {how}"
        return Trouble(kind, said, "settings" if status == 401 else "unknown", advice)
    if status == 404:
        advice = "valid: the name that the server gives the model, and a url that ends with the version, such as /v1"
        return Trouble(kind, said, "settings", advice)
    return Trouble(kind, said, advice=advice)


def _message(content: bytes, key: str) -> tuple[str, str | None]:
    """What a server says of an error, and its code: OpenAI's shape, or the body's first characters."""
    text = _clean(key, content.decode(errors="replace"))
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return _clean(key, str(error)), None
    # vLLM's code is the status, beside a type that says more.
    codes = [code for code in (error.get("code"), error.get("type")) if isinstance(code, str) and not code.isdigit()]
    message = _clean(key, str(error.get("message") or error.get("detail") or error))
    return message, codes[0] if codes else None


def _clean(key: str, text: str) -> str:
    """A text without the key, and without halves of characters, which no file can hold."""
    return _SURROGATE.sub("\ufffd", blot_out(text, key))


def _shown(content: str, key: str) -> str:
    return plain(_clean(key, content), key) or "nothing"
