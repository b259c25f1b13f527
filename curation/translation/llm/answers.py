r"""The translation in what an LLM answered: a JSON object, or what can be read as one."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice

from curation.translation.llm.prompts import Text
from mcot.core.chat_answers import without_thought
from mcot.core.chat_store import Reply

__all__ = ["find_fault", "read_answer"]

# "\frac" in JSON is a form feed and "rac". What follows decides: few words begin with these.
_ESCAPES = {"\b": "b", "\f": "f", "\t": "t", "\n": "n", "\r": "r"}
_COMMAND = re.compile(r"\\([bfnrt][A-Za-z]+)")
# No JSON escape begins so, and models write LaTeX so.
_STRAY = re.compile(r'(?<!\\)((?:\\\\)*)\\(?!["\\/bfnrt]|u[\da-fA-F]{4})')
_LONGEST_QUOTE = 80
# LaTeX is full of braces, and has none of these.
_OBJECT = re.compile(r'\{\s*"')
# Each is read from its brace on: a text of nothing else would take long.
_MOST_OBJECTS = 200


def read_answer(reply: Reply, source: Text) -> Text | None:
    r"""The translation, by the keys of its source; None where there is none to be read.

    Code fences and words around the object are passed over, and LaTeX whose backslashes JSON took for its own
    (``\frac``, ``\times``) is restored. Of several objects it is the last: before it a model may repeat the source.
    """
    text = without_thought(reply.text or "")
    for written in (text, _STRAY.sub(r"\1\\\\", text)):
        found = [taken for content in _objects(written) if (taken := _take(content, source))]
        if found:
            return found[-1]
    return None


def _objects(text: str) -> Iterator[object]:
    """The JSON objects of a text, those inside of others too."""
    # Models break lines inside of strings.
    decoder = json.JSONDecoder(strict=False)
    for begin in islice(_OBJECT.finditer(text), _MOST_OBJECTS):
        with suppress(ValueError, RecursionError):
            yield decoder.raw_decode(text, begin.start())[0]


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
