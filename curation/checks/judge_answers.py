"""What a judge answered: the errors of a translation, and the score that they come to.

The categories and severities follow MQM (Lommel et al. 2014), the weights Freitag et al. 2021, "Experts, Errors, and
Context" (table 4): a non-translation 25, any other major error 5, a minor one of punctuation 0.1, any other minor one
1. A text's score is 1 - weights / 25, at least 0, so that a non-translation has 0, as five major errors have.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from curation.checks.base import Observation, Part
from mcot.core.chat_answers import without_thought
from mcot.core.chat_store import Reply

__all__ = [
    "GROUPS",
    "WEIGHTS",
    "JudgedError",
    "UnreadableError",
    "make_schema",
    "observe",
    "read_errors",
    "score_errors",
]

#: Categories by what they speak against.
GROUPS = {
    "meaning": ("mistranslation", "omission", "addition", "number", "untranslated", "non-translation"),
    "reasoning": ("step", "calculation", "reference"),
    "fluency": ("grammar", "spelling", "punctuation", "terminology", "unnatural"),
}
_GROUP_OF = {category: group for group, categories in GROUPS.items() for category in categories}
_SEVERITIES = ("major", "minor")
#: Freitag et al. 2021, table 4.
WEIGHTS = {"non-translation": 25.0, "major": 5.0, "minor": 1.0, "minor punctuation": 0.1}
_WORST = 25.0
# A row's parts by the keys of what is asked.
_PARTS: dict[str, Part] = {"question": "question", "solution": "rationale"}
# The questions to the whole, and whose major errors answer them with no.
_VERDICTS = {"meaning_kept": "meaning", "reasoning_kept": "reasoning", "fluent": "fluency"}

_LONGEST_TEXT, _LONGEST_EXPLANATION = 120, 160


class UnreadableError(Exception):
    """An answer is no judgement: why, for people and for the model."""


class JudgedError(NamedTuple):
    """An error that a judge marked.

    Attributes:
        part: in which text of the row.
        text: the words at fault, or those of the source that are left out.
    """

    part: Part
    category: str
    severity: str
    text: str
    explanation: str

    @property
    def group(self) -> str:
        """What it speaks against: meaning, reasoning or fluency."""
        return _GROUP_OF[self.category]

    @property
    def weight(self) -> float:
        """What it costs, of 25."""
        if self.category == "non-translation":
            return WEIGHTS["non-translation"]
        return WEIGHTS.get(f"{self.severity} {self.category}", WEIGHTS[self.severity])


def make_schema(parts: Collection[str]) -> dict[str, Any]:
    """The JSON schema of an answer on a row that has these parts ("question", "solution")."""
    error = {
        "part": {"type": "string", "enum": sorted(parts)},
        "category": {"type": "string", "enum": list(_GROUP_OF)},
        "severity": {"type": "string", "enum": list(_SEVERITIES)},
        "text": {"type": "string"},
        "explanation": {"type": "string"},
    }
    whole: dict[str, Any] = {"errors": {"type": "array", "items": _object(error)}}
    return {"title": "judgement", **_object(whole | {name: {"type": "boolean"} for name in _VERDICTS})}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def read_errors(reply: Reply, parts: Collection[str]) -> list[JudgedError]:
    """The errors that a judge marked in a row's parts.

    Raises:
        UnreadableError: the answer is no judgement, is cut off, or contradicts itself.
    """
    if reply.refusal or reply.finish == "content_filter":
        raise UnreadableError("it refuses to judge")
    if reply.finish == "length":
        raise UnreadableError("it was cut off at the limit of its tokens")
    content = _read_object(reply.text or "")
    found = content.get("errors")
    if not isinstance(found, list):
        raise UnreadableError('"errors" is no list')
    errors = [_read_error(error, parts) for error in found]
    for name, group in _VERDICTS.items():
        verdict = content.get(name)
        if not isinstance(verdict, bool):
            raise UnreadableError(f'"{name}" is neither true nor false')
        grave = [
            error for error in errors if error.group == group and (error.severity == "major" or group == "fluency")
        ]
        # Without such an error the score would say that all is well.
        if not verdict and not grave:
            kind = "error" if group == "fluency" else "major error"
            raise UnreadableError(f'"{name}" is false, but no {kind} of {group} is marked')
    return errors


def _read_object(text: str) -> dict[str, Any]:
    text = without_thought(text)
    try:
        # Models put fences and words around it, and break lines inside of strings.
        content = json.loads(text[text.find("{") : text.rfind("}") + 1], strict=False, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise UnreadableError("it holds no JSON object" if text.strip() else "it is empty")
    return content


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object of which nothing is said twice: the second would take back the first."""
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableError(f'"{_line(twice, _LONGEST_TEXT)}" is said twice')
    return content


def _read_error(error: object, parts: Collection[str]) -> JudgedError:
    if not isinstance(error, dict):
        raise UnreadableError("an error is no JSON object")
    for name, valid in (("part", sorted(parts)), ("category", list(_GROUP_OF)), ("severity", list(_SEVERITIES))):
        if error.get(name) not in valid:
            raise UnreadableError(f'an error\'s "{name}" is none of {", ".join(valid)}')
    texts = (
        _line(error.get(name), longest)
        for name, longest in (("text", _LONGEST_TEXT), ("explanation", _LONGEST_EXPLANATION))
    )
    return JudgedError(_PARTS[error["part"]], error["category"], error["severity"], *texts)


def _line(value: object, longest: int) -> str:
    """A text of a model, on one line, as a file can hold it; quotation marks end it where it is shown."""
    line = " ".join(str(value or "").split()).replace('"', "'").encode(errors="replace").decode()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def score_errors(errors: Sequence[JudgedError], part: Part) -> float:
    """The score of a part: 1 without errors, 0 where it is no translation."""
    return max(0.0, 1 - sum(error.weight for error in errors if error.part == part) / _WORST)


def observe(errors: Sequence[JudgedError]) -> list[Observation]:
    """The errors as observations, the gravest first."""
    ordered = sorted(errors, key=lambda error: -error.weight)
    return [
        Observation(
            f"judge.{error.group}",
            error.part,
            f"{error.severity} error, {error.category}{f' ({error.explanation})' if error.explanation else ''}"
            + (f': "{error.text}"' if error.text else ""),
        )
        for error in ordered
    ]
