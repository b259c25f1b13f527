"""What an LLM is told: rules, a language's words for mathematics, two worked examples, then the problem."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined

from mcot.core.chat_client import Message
from mcot.core.languages import ENGLISH, Language
from mcot.core.runs import sign

__all__ = ["Prompt", "Text", "make_prompt"]

_FOLDER = Path(__file__).parent / "texts"
# By key of an answer: a question, or a question and a solution.
Text = dict[str, str]


class Prompt:
    """What is said from one language into another.

    Args:
        source, target: one of them is English.

    Attributes:
        signature: of every word of it.
    """

    def __init__(self, source: Language, target: Language) -> None:
        forward = source is ENGLISH
        language = target if forward else source
        english, texts = _read(ENGLISH.code), _read(language.code)
        environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 plain text, no HTML
        self._repair = environment.from_string(english["repair"])
        told = environment.from_string(english["translate" if forward else "back_translate"])
        sides = (english, texts) if forward else (texts, english)
        self._head: list[Message] = [{"role": "system", "content": told.render(language=language, texts=texts).strip()}]
        for given, wanted in zip(*(side["examples"] for side in sides), strict=True):
            self._head += [
                {"role": "user", "content": _write(given)},
                {"role": "assistant", "content": _write(wanted)},
            ]
        self.signature = sign("prompt", english["version"], texts["version"], self._head, english["repair"])

    def ask(self, text: Text) -> list[Message]:
        """The chat that asks for a translation."""
        return [*self._head, {"role": "user", "content": _write(text)}]

    def ask_again(self, text: Text, answer: str, faults: Sequence[str]) -> list[Message]:
        """The chat that asks for it once more.

        Args:
            text: what is to be translated.
            answer: the model's first.
            faults: what is wrong with it.
        """
        keys = " and ".join(f'"{key}"' for key in text)
        said = self._repair.render(faults=faults, keys=keys).strip()
        return [*self.ask(text), {"role": "assistant", "content": answer}, {"role": "user", "content": said}]

    @staticmethod
    def schema(text: Text) -> dict[str, Any]:
        """The JSON schema of an answer: the text's keys, all of them and no others."""
        return {
            "title": "translation",
            "type": "object",
            "properties": {key: {"type": "string"} for key in text},
            "required": list(text),
            "additionalProperties": False,
        }


@cache
def make_prompt(source: Language, target: Language) -> Prompt:
    """The prompt from one language into another, read once."""
    return Prompt(source, target)


def _read(code: str) -> dict[str, Any]:
    return dict(yaml.safe_load((_FOLDER / f"{code}.yaml").read_text("utf-8")))


def _write(text: Mapping[str, str]) -> str:
    return json.dumps(text, ensure_ascii=False)
