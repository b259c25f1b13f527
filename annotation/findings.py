"""What the checks found, in plain words for who reads the language, and where in the texts it stands.

A row has its reasons ("numbers.changed") and beside each a detail ("question: 12 -> 13"). Reasons that are unknown
here are told by their names, details of unknown form are shown as they are and mark nothing.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Literal, NamedTuple

from mcot.core.reasons import explain

__all__ = ["Fault", "describe_findings", "find_faults", "mark_text"]

Part = Literal["question", "rationale"]
_PARTS: dict[str, str] = {"question": "Question", "rationale": "Solution"}

# The score of a check that saw nothing in particular says nothing to an annotator.
_SCORE = re.compile(r"-?[\d.e+-]+, kept from -?[\d.e+-]+")


class Fault(NamedTuple):
    """A piece of text at fault.

    Attributes:
        part: in which text it stands.
        side: in the English one or in its translation.
        text: the piece.
    """

    part: Part
    side: Literal["source", "translation"]
    text: str


# Forms of details, and on which sides their groups stand.
_FORMS: tuple[tuple[re.Pattern[str], tuple[tuple[Literal["source", "translation"], ...], ...]], ...] = (
    (re.compile(r"(.+) (?:->|became) (.+)", re.DOTALL), (("source",), ("translation",))),
    (re.compile(r"(.+) is missing", re.DOTALL), (("source",),)),
    (re.compile(r"(.+) is not in the source", re.DOTALL), (("translation",),)),
    (re.compile(r"(.+) counts nothing", re.DOTALL), (("translation",),)),
    (re.compile(r"(.+) does not hold", re.DOTALL), (("translation",),)),
    (re.compile(r"(.+) and (.+) changed places", re.DOTALL), (("source", "translation"), ("source", "translation"))),
    (re.compile(r"the source's own: (.+)", re.DOTALL), (("source",),)),
    (re.compile(r"(.+), gold is .+", re.DOTALL), (("translation",),)),
    (re.compile(r"'(.+)' did not survive", re.DOTALL), (("source",),)),
    (re.compile(r"[^\"]*\"…?(.+?)…?\"", re.DOTALL), (("source", "translation"),)),
)


def describe_findings(reasons: Sequence[str] | None, details: Sequence[str] | None) -> list[str]:
    """One line on each finding, in the order of the reasons; the same line only once."""
    lines: dict[str, None] = {}
    for reason, detail in _pairs(reasons, details):
        part, rest = _split(detail)
        words = explain(reason).phrase or reason
        where = f"{_PARTS[part]}: " if part else ""
        what = "" if not rest or _SCORE.fullmatch(rest) else f": {rest.replace('->', '→')}"
        line = f"{where}{words}{what}"
        lines[line[0].upper() + line[1:]] = None
    return list(lines)


def find_faults(reasons: Sequence[str] | None, details: Sequence[str] | None) -> list[Fault]:
    """The pieces of text that the findings are about, as far as their details name them."""
    faults = []
    for _, detail in _pairs(reasons, details):
        part, rest = _split(detail)
        if part is None:
            continue
        for form, sides in _FORMS:
            if match := form.fullmatch(rest):
                for text, where in zip(match.groups(), sides, strict=True):
                    faults += [Fault(part, side, text.strip()) for side in where if text.strip()]
                break
    return faults


def mark_text(text: str, pieces: Sequence[str], *, before: str, after: str) -> str:
    """The text escaped for HTML, with every place of the pieces between two marks.

    Args:
        text: any.
        pieces: of it; those that don't stand in it mark nothing. A number is not found inside a longer one.
        before, after: HTML.
    """
    spans = [span for piece in pieces for span in _places(piece, text)]
    marked, done = [], 0
    # Of those that begin together the longest.
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < done:
            continue
        marked += [escape(text[done:start]), before, escape(text[start:end]), after]
        done = end
    return "".join([*marked, escape(text[done:])])


def _places(piece: str, text: str) -> Iterator[tuple[int, int]]:
    words = piece.split()
    if not words:
        return
    pattern = r"\s+".join(map(re.escape, words))
    # 12 is neither in 120 nor in 12.5 nor in 3.12, and "an" is not in "many".
    first, last = words[0][0], words[-1][-1]
    before = (
        r"(?<!\d)(?<!\d[.,])" if first.isdigit() else r"(?<![A-Za-z])" if first.isascii() and first.isalpha() else ""
    )
    after = r"(?![.,]?\d)" if last.isdigit() else r"(?![A-Za-z])" if last.isascii() and last.isalpha() else ""
    yield from (match.span() for match in re.finditer(before + pattern + after, text))


def _pairs(reasons: Sequence[str] | None, details: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    given = list(details or [])
    for index, reason in enumerate(reasons or []):
        yield reason, given[index] if index < len(given) else ""


def _split(detail: str) -> tuple[Part | None, str]:
    """Which text a detail is about, and what it says."""
    name, colon, rest = detail.partition(": ")
    if colon and name == "question":
        return "question", rest
    if colon and name == "rationale":
        return "rationale", rest
    return None, detail
