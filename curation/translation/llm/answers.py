r"""The translation in what an LLM answered: a JSON object, or what can be read as one."""

import json
import re
from collections.abc import Mapping

from curation.translation.llm.prompts import Text
from mcot.core.chat_store import Reply

__all__ = ["find_fault", "read_answer"]

# What models that think aloud say first.
_THOUGHT = re.compile(r"\A\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FENCE = re.compile(r"\A\s*```\w*\n(.*?)\n?```\s*\Z", re.DOTALL)
# "\frac" in JSON is a form feed and "rac". What follows decides: few words begin with these.
_ESCAPES = {"\b": "b", "\f": "f", "\t": "t", "\n": "n", "\r": "r"}
_COMMAND = re.compile(r"\\([bfnrt][A-Za-z]+)")
# No JSON escape begins so, and models write LaTeX so.
_STRAY = re.compile(r'(?<!\\)((?:\\\\)*)\\(?!["\\/bfnrt]|u[\da-fA-F]{4})')
_LONGEST_QUOTE = 80


def read_answer(reply: Reply, source: Text) -> Text | None:
    r"""The translation, by the keys of its source; None where there is none to be read.

    Code fences and words around the object are passed over, and LaTeX whose backslashes JSON took for its own
    (``\frac``, ``\times``) is restored.
    """
    text = _THOUGHT.sub("", reply.text or "").strip()
    if fenced := _FENCE.match(text):
        text = fenced[1]
    for candidate in (text, text[text.find("{") : text.rfind("}") + 1]):
        for written in (candidate, _STRAY.sub(r"\1\\\\", candidate)):
            try:
                # Models break lines inside of strings.
                content = json.loads(written, strict=False)
            except (ValueError, RecursionError):
                continue
            if found := _take(content, source):
                return found
    return None


def _take(content: object, source: Text) -> Text | None:
    if not isinstance(content, Mapping):
        return None
    found = {key: content.get(key) for key in source}
    if not all(isinstance(value, str) and value.strip() for value in found.values()):
        return None
    return {key: _restore_latex(str(value), source[key]).strip() for key, value in found.items()}


def _restore_latex(text: str, source: str) -> str:
    for command in set(_COMMAND.findall(source)):
        lost = {letter: control for control, letter in _ESCAPES.items()}[command[0]]
        text = re.sub(f"{lost}{command[1:]}(?![A-Za-z])", f"\\\\{command}", text)
    # No text has surrogates, and none can be written into a file.
    return text.encode(errors="replace").decode()


def find_fault(reply: Reply) -> str:
    """Why a reply has no translation that can be read, for people and for the model."""
    said = " ".join((reply.refusal or reply.text or "").split())
    quote = f': "{said if len(said) <= _LONGEST_QUOTE else said[: _LONGEST_QUOTE - 1].rstrip() + chr(0x2026)}"'
    shown = quote if said else ""
    if reply.refusal or reply.finish == "content_filter":
        return f"refused{shown}"
    if reply.finish == "length":
        return "cut off: it reached the limit of its tokens"
    return f"no JSON object with the texts{shown}" if said else "an empty answer"
