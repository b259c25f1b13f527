"""What a server's response is: an answer, trouble that may pass, or a refusal that no second try mends."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mcot.core.chat_store import Reply
from mcot.core.servers import PASSING, plain, read_retry_after

__all__ = ["Trouble", "read_error", "read_reply"]

# Errors of one request: another one may well be answered.
_OF_THE_REQUEST = {"content_filter", "content_policy_violation", "context_length_exceeded", "invalid_prompt"}
_NO_CREDIT = {"insufficient_quota", "billing_hard_limit_reached"}


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
    """

    kind: str
    said: str
    scope: Literal["passing", "request", "settings", "unknown"] = "unknown"
    advice: str = "mend the settings"
    retry_after: float | None = None


def read_reply(content: str, messages: Sequence[Mapping[str, str]], key: str) -> Reply | Trouble:
    """The answer in the body of a response of status 200.

    Args:
        content: the body.
        messages: what was asked, to count its tokens where the server doesn't.
        key: it is blotted out: some servers repeat what they are sent.
    """
    try:
        body = json.loads(content)
        choice = body["choices"][0]
        text, refusal = choice["message"].get("content"), choice["message"].get("refusal")
        finish, usage = choice.get("finish_reason"), body.get("usage") or {}
        tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        text = 0
    if not isinstance(text, str | None):
        return Trouble("unreadable", f"no answer of an OpenAI-compatible server: {_shown(content, key)}", "passing")
    text, refusal = (_without(key, value) if isinstance(value, str) else None for value in (text, refusal))
    counts = [count if isinstance(count, int) and count >= 0 else None for count in tokens]
    # A token has at least a byte: so a budget holds with a server that counts nothing.
    asked = sum(len(message["content"].encode(errors="replace")) for message in messages)
    answered = len((text or refusal or "").encode(errors="replace"))
    prompt, completion = (
        bytes_ if count is None else count for count, bytes_ in zip(counts, (asked, answered), strict=True)
    )
    return Reply(text, finish if isinstance(finish, str) else None, refusal, prompt, completion)


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
    if code in _OF_THE_REQUEST:
        return Trouble(kind, said, "request")
    if status in (401, 403):
        how = "is not the right one" if key else "is not set"
        advice = f"the key in the environment variable {key_variable} {how}"
        return Trouble(kind, said, "settings" if status == 401 else "unknown", advice)
    if status == 404:
        advice = "valid: the name that the server gives the model, and a url that ends with the version, such as /v1"
        return Trouble(kind, said, "settings", advice)
    return Trouble(kind, said)


def _message(content: bytes, key: str) -> tuple[str, str | None]:
    """What a server says of an error, and its code: OpenAI's shape, or the body's first characters."""
    text = _without(key, content.decode(errors="replace"))
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return str(error), None
    code = error.get("code") or error.get("type")
    return str(error.get("message") or error.get("detail") or error), code if isinstance(code, str) else None


def _without(key: str, text: str) -> str:
    return text.replace(key, "[key]") if key else text


def _shown(content: str, key: str) -> str:
    return plain(content, key) or "nothing"
