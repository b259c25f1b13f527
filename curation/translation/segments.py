"""Split a text into what a sentence model translates and what stays, and put it together again.

NLLB translates sentences: of a longer input it drops some. Lines are kept, sentences are split by
`sentencex`, and a segment without words (an equation, a rule, a blank line) is never shown to the model,
which invents text for it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import sentencex
from babel import Locale

from curation.translation.spans import has_words
from mcot.core.languages import Language

__all__ = ["Segment", "assemble", "split"]

# Code and displayed formulas over several lines: none of their lines is prose.
_BLOCK = re.compile(r"(```.*?```|\$\$.*?\$\$|\\\[.*?\\\]|\\begin\{(\w+\*?)\}.*?\\end\{\2\})", re.DOTALL)
_LIST_MARK = re.compile(r"\s*(?:[-*•]|\d+[.)]|\(\d+\))\s+")
_WIDE_SPACES = re.compile(r"[^\S\n\x00-\x7f]")
# Thai ends a sentence with a wide space (two spaces), see `Language.sentence_separator`.
_WIDE_SPACE = re.compile(r"(?<=\S)(?= {2,}\S)")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a text; the pieces of a text, joined, are the text.

    Attributes:
        text: without white space at its ends, unless it is nothing but white space or is kept.
        translate: whether it is a sentence.
        gap: whether it is the space between two sentences of a line.
        answer: the number of an answer statement ("The answer is 72."), which every language has a set
            phrase for and which no model needs to translate.
    """

    text: str
    translate: bool = False
    gap: bool = False
    answer: str | None = None


def split(text: str, language: Language) -> list[Segment]:
    """Split a text in a language into segments."""
    segments: list[Segment] = []
    last = 0
    for block in _BLOCK.finditer(text):
        if "\n" in block[0]:
            segments += _lines(text[last : block.start()], language)
            segments.append(Segment(block[0]))
            last = block.end()
    return segments + list(_lines(text[last:], language))


def _lines(text: str, language: Language) -> Iterator[Segment]:
    for line in re.split(r"(\n+)", text):
        if not line.strip():
            if line:
                yield Segment(line)
            continue
        mark = _LIST_MARK.match(line)
        start = mark.end() if mark and has_words(line[mark.end() :]) else len(line) - len(line.lstrip())
        if start:
            yield Segment(line[:start])
        stripped = line[start:].rstrip()
        yield from _sentences(stripped, language)
        if tail := line[start + len(stripped) :]:
            yield Segment(tail)


def _sentences(line: str, language: Language) -> Iterator[Segment]:
    pieces = [
        piece
        for part in (_WIDE_SPACE.split(line) if language.code == "th" else [line])
        for piece in _segment(part, language)
    ]
    for index, piece in enumerate(pieces):
        core = piece.strip()
        before = piece[: len(piece) - len(piece.lstrip())]
        after = piece[len(piece.rstrip()) :] if core else ""
        if before:
            yield Segment(before, gap=index > 0)
        if core:
            answer = _answer(core, language)
            yield Segment(core, translate=answer is None and has_words(core), answer=answer)
        if after:
            yield Segment(after, gap=index + 1 < len(pieces))
        if core and not after and index + 1 < len(pieces) and pieces[index + 1][:1].strip():
            # Japanese and Chinese have no space between sentences; the language of the translation may.
            yield Segment("", gap=True)


def _segment(text: str, language: Language) -> Iterator[str]:
    """The sentences of a line, with the white space after them."""
    # sentencex panics where a single letter and a full stop stand beside a space of more than one byte.
    plain = _WIDE_SPACES.sub(" ", text)
    start = 0
    for sentence in sentencex.segment(language.code, plain):
        yield text[start : start + len(sentence)]
        start += len(sentence)
    if start < len(text):
        yield text[start:]


@cache
def _answer_pattern(language: Language) -> re.Pattern[str]:
    before, after = language.answer_phrase.split("{answer}")
    space = r"\s*"
    return re.compile(
        space.join(map(re.escape, before.split())) + r"\s*:?\s*([-−$€£]{0,2}\d[\d.,/]*%?)\s*"
        + space.join(map(re.escape, after.split())) + r"?[.।。]?",
    )  # fmt: skip


def _answer(sentence: str, language: Language) -> str | None:
    match = _answer_pattern(language).fullmatch(sentence)
    if match is None:
        return None
    # Native digits become ASCII ones, which people read in every language; a decimal comma becomes a point.
    answer = re.sub(r"\d", lambda digit: str(int(digit[0])), match[1].rstrip(".,"))
    if _number_symbols(language.code)["decimal"] == ",":
        answer = answer.replace(".", "").replace(",", ".")
    return answer


def assemble(segments: list[Segment], target: Language, translation: Callable[[str], str]) -> str:
    """Put a text together in another language.

    Args:
        translation: gives the translation of a segment that `translate` says to translate.
    """
    parts = []
    for segment in segments:
        if segment.answer is not None:
            parts.append(target.answer_phrase.format(answer=_localise(segment.answer, target)))
        elif segment.translate:
            parts.append(translation(segment.text))
        else:
            parts.append(_gap(parts, target) if segment.gap else segment.text)
    return "".join(parts)


def _gap(parts: list[str], target: Language) -> str:
    # Without a space "2 + 2 = 4. 3 + 3 = 6." would say 4.3.
    if not target.sentence_separator and parts and parts[-1][-1:].isascii():
        return " "
    return target.sentence_separator


def _localise(answer: str, target: Language) -> str:
    """A number with ASCII digits and a decimal point, as the language writes it.

    Where a comma marks decimals a point groups digits, and "1.125" would be a thousand and more.
    """
    symbols = _number_symbols(target.code)
    if symbols["decimal"] == "." or not re.fullmatch(r"\D*\d[\d,]*(?:\.\d+)?\D*", answer):
        return answer
    return answer.replace(",", "").replace(".", symbols["decimal"])


@cache
def _number_symbols(code: str) -> dict[str, str]:
    locale = Locale.parse(code)
    return {name: str(locale.number_symbols["latn"][name]) for name in ("decimal", "group")}
