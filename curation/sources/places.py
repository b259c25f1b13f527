"""Where a record stands in its source, and the text in it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

__all__ = ["FieldError", "Place", "PlacedRecord", "PlacedRecords", "Record", "clean"]

Record = Mapping[str, Any]

# Line breaks of other systems, C0 and C1 controls, halves of surrogate pairs: Arrow takes no surrogate, and no
# tokenizer makes anything of the others.
_UNCLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_REMOVED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class FieldError(ValueError):
    """A record's column is missing or holds something else; whoever knows the place makes it a `SourceError`."""


class Place(NamedTuple):
    """A record's place, counted from one: "train.jsonl, line 7".

    Attributes:
        name: the file's name without its folder, or the Hub dataset's id.
        unit: line, row or item.
    """

    name: str
    unit: str
    number: int

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.name}, {self.unit} {self.number}"


PlacedRecord = tuple[Place, Record]
PlacedRecords = Iterator[PlacedRecord]


def clean(text: str) -> str:
    """A text without control characters and lone surrogates; line breaks are newlines, outer space is cut."""
    if _UNCLEAN.search(text):
        text = _SURROGATE.sub("\ufffd", _REMOVED.sub("", _LINE_BREAK.sub("\n", text)))
    return text.strip()
