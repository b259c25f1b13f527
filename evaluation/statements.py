r"""Where a response states its answer: in a ``\boxed{}``, behind ``####``, or as its language announces it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from evaluation.markers import Marker, find_markers
from mcot.core.answers import closing_brace, has_digit

__all__ = ["Stated", "find_statements", "own_part", "sentences"]

# What a chat template or a tokenizer puts behind an answer.
_END_TOKEN = re.compile(
    r"<\|(?:im_(?:end|start)|endoftext|eot_id|end|end_of_text|eom_id|start_header_id|user)\|>|\[/?INST\]|</s>|<eos>|<end_of_turn>"
)
_THOUGHT_END = "</think>"
# The heading of a next problem or turn, which a model that doesn't know where to end makes up, in the eleven languages.
_NEXT_PROBLEM = re.compile(
    r"\n[\s#*]*(?:user|human|utilisateur|usuario|nutzer|benutzer|пользователь|用户|ユーザー|mtumiaji|ব্যবহারকারী|వినియోగదారు|ผู้ใช้"
    r"|(?:next |new )?question|problem|q|instruction|swali|প্রশ্ন|ప్రశ్న|คำถาม|โจทย์|問題|質問|问题|题目"
    r"|вопрос|задача|pregunta|problema|problème|frage|aufgabe)\s*\d{0,3}\s*\**\s*[:：]",
    re.IGNORECASE,
)
_MARK = re.compile(r"####|\\f?boxed\s*\{")
# A sentence ends at these where no digit follows; in Bengali and Telugu texts the danda is written in several ways.
_SENTENCE_END = re.compile(r"[.!?](?=[\s*\"'»”)\]}$]|$)|[。！？।॥৷]|\n")
# Of the announcements, so many of the last ones: a model that is stuck announces thousands.
_LOOKED_AT = 50
# A label counts where its line holds no more than this behind it: a number, its unit, a sign.
_SHORT_LINE = 40


class Stated(NamedTuple):
    """A statement of an answer.

    Attributes:
        kind: `box`, `hashes`, `verb`, `label` or `noun`.
        text: what is stated, one sentence or the box's content.
        language: of the announcement, None where box or hashes have none.
    """

    kind: str
    text: str
    language: str | None


def own_part(response: str) -> str:
    """A response without the thoughts before it, and without what a model made up behind its end."""
    text = response.rpartition(_THOUGHT_END)[2]
    if end := _END_TOKEN.search(text):
        text = text[: end.start()]
    for heading in _NEXT_PROBLEM.finditer(text):
        if any(character.isdigit() for character in text[: heading.start()]):
            return text[: heading.start()]
    return text


def find_statements(text: str, language: str) -> Iterator[Stated]:
    """The statements of an answer in a text, the last one first.

    Args:
        text: what `own_part` gives.
        language: ISO 639-1, that the text is in.
    """
    marks: list[Marker | re.Match[str]] = [*find_markers(text, language), *_MARK.finditer(text)]
    for mark in sorted(marks, key=_start, reverse=True)[:_LOOKED_AT]:
        if isinstance(mark, Marker):
            if mark.kind != "label" or _label_counts(text, mark):
                yield Stated(mark.kind, _stated_after(text, mark.end), mark.language)
        elif mark[0] == "####":
            if not _is_heading(text, mark.end()):
                yield Stated("hashes", text[mark.end() :].lstrip().partition("\n")[0], None)
        else:
            yield Stated("box", text[mark.end() : closing_brace(text, mark.end())], None)


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with a letter or a digit.

    An abbreviation's point ends one too, a decimal point doesn't.
    """
    return [part for part in _SENTENCE_END.split(text) if any(map(str.isalnum, part))]


def _start(mark: Marker | re.Match[str]) -> int:
    return mark.start if isinstance(mark, Marker) else mark.start()


def _stated_after(text: str, start: int) -> str:
    """The first sentence behind an announcement that has something to say, to the end of its line."""
    rest = text[start:].lstrip(" \t:：_\"'`")
    line, _, others = rest.partition("\n")
    if not line.strip(" \t.*:：$>[\\("):
        # A list's dash begins the next line, and no negative number.
        line = re.sub(r"^(?:[-*•]\s+)", "", others.lstrip().partition("\n")[0])
    parts = sentences(line)
    return next((part for part in parts if has_digit(part)), parts[0] if parts else "")


def _label_counts(text: str, label: Marker) -> bool:
    """Whether a label states an answer, and doesn't head a solution.

    It does where its line is short, or where no number comes behind what it states.
    """
    stated = _stated_after(text, label.end)
    place = text.find(stated, label.end) if stated else label.end
    after = text[place + len(stated) :]
    line = text[place:].partition("\n")[0]
    return len(line) <= _SHORT_LINE or not has_digit(after)


def _is_heading(text: str, start: int) -> bool:
    """Whether what begins a line behind #### is a word, and further numbers come below it: "#### Step 2"."""
    line, _, below = text[start:].lstrip().partition("\n")
    return line[:1].isalpha() and has_digit(below)
