"""Text that can't break a card: what comes from data or settings is shown as it is, and never read as markup.

A card is Markdown with HTML in it, which the Hub reads with extensions of its own: tables, mathematics between dollar
signs, addresses that become links. A character reference (`&#124;`) is a letter to all of them, so that every
character which may mean something is written as one.
"""

import re

from markupsafe import Markup

__all__ = ["as_code", "as_lines", "as_preformatted", "as_text", "shorten"]

# CommonMark 0.31, GFM's tables, strikethrough, mentions and autolinks, the dollar signs of KaTeX, and emoji's names.
_SPECIAL = re.compile(r"""[&<>"\\`*\[\]|~$@^]|(?<![^\W_])_|_(?![^\W_])|:(?=[/\w+-])""")
# What makes a list, a heading or a rule where it begins a line, and what makes an address without a scheme.
_FIRST = re.compile(r"^( *)([-+](?=[-+\s]|$)|[=#]|\d(?=\d{0,8}[.)](?:\s|$)))")
_WWW = re.compile(r"(?<=www)\.", re.IGNORECASE)
# Those that no text of a card should hold: control characters, and marks that turn the direction of what follows.
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
_SPACES = re.compile(r"\s+")
_LINE_END = re.compile("\r\n|[\n\r\u2028\u2029]")


def as_text(value: object) -> Markup:
    """A value on one line of a card, as itself but for runs of spaces."""
    return _refer(_SPACES.sub(" ", _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value))))


def as_lines(value: object) -> Markup:
    """A text of several lines as HTML, which no empty line of it can end."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", _LINE_END.sub("\n", str(value)))
    lines = [_refer(" ".join(line.split())) for line in text.split("\n") if line.strip()]
    return Markup("<br>").join(lines)


def as_code(value: object) -> Markup:
    """A name or a value in the type of code, also within a table."""
    return Markup("<code>") + as_text(value) + Markup("</code>")


def as_preformatted(value: object) -> Markup:
    """A text of several lines, spaces and all, for HTML's `<pre>`."""
    text = _LINE_END.sub("\n", str(value))
    return Markup("\n").join(_refer(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", line)) for line in text.split("\n"))


def shorten(text: str, most: int) -> str:
    """A text of at most so many characters, the last one a sign that it was longer."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _refer(text: str) -> Markup:
    text = _FIRST.sub(
        lambda match: match[1] + _reference(match[2]), _SPECIAL.sub(lambda match: _reference(match[0]), text)
    )
    return Markup(_WWW.sub(_reference("."), text))  # noqa: S704 - nothing that means anything is left


def _reference(character: str) -> str:
    return f"&#{ord(character)};"
