"""Annotators' names, replaced wherever they could be published."""

import random
import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mcot.core.files import read_json, write_json

__all__ = ["Pseudonyms"]

# In the run's folder and never published: who has which number is written nowhere else.
_FILE = ".pseudonyms.json"
_ARGILLA = "argilla"


class Pseudonyms:
    """Who is `reviewer-1` and so on in what is published of a run: the same in every publication of it.

    Numbers are drawn by lot and follow from nothing about a person, neither the name nor the order of the verdicts.

    Args:
        run: the run's folder, which keeps who has which number.
        names: everybody who has to have one.
    """

    def __init__(self, run: Path, names: Iterable[str]) -> None:
        path = run / _FILE
        known = {str(name): int(number) for name, number in read_json(path).get("reviewers", {}).items()}
        new = sorted(set(names) - known.keys())
        if new:
            random.SystemRandom().shuffle(new)
            known |= {name: number for number, name in enumerate(new, max(known.values(), default=0) + 1)}
            write_json(path, {"reviewers": known})
        self._by_name: Mapping[str, str] = {name: f"reviewer-{number}" for name, number in known.items()}
        self._by_form = {_fold(form): hidden for name, hidden in self._by_name.items() for form in _forms(name)}
        self._pattern = _pattern_of(self._by_name)

    def of(self, name: str) -> str:
        """The pseudonym of an annotator.

        Raises:
            KeyError: nobody of that name was given.
        """
        return self._by_name[name]

    def hide_in(self, text: str | None) -> str | None:
        """A text, in Unicode's NFC, in which no annotator is named; a login's part before its `@` is a name too."""
        if text is None:
            return None
        text = unicodedata.normalize("NFC", text)
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._by_form.get(_fold(found.group()), "reviewer"), text)

    def rows(self, table: pa.Table) -> pa.Table:
        """Rows of the schema whose reviewers are named by their pseudonyms."""
        place = table.schema.get_field_index("review")
        column = table.column(place)
        if column.null_count == len(column):
            return table
        reviews = column.to_pylist()
        for review in reviews:
            if review is not None and review["reviewers"] is not None:
                review["reviewers"] = sorted(map(self.of, review["reviewers"]))
        return table.set_column(place, table.schema.field(place), pa.array(reviews, type=column.type))

    def verdicts(self, table: pa.Table, *, comments: bool) -> pa.Table:
        """Verdicts under pseudonyms, without the time of day and the names of the files that they came in.

        Args:
            table: the verdicts.
            comments: whether with what annotators wrote in their own words, in which they may name others, or
                themselves in a way that is not known here.
        """
        changed: dict[str, Any] = {
            "annotator": [self.of(str(name)) for name in table["annotator"].to_pylist()],
            "comment": [self.hide_in(comment) if comments else None for comment in table["comment"].to_pylist()],
            # A file is often named after who filled it in.
            "origin": [_ARGILLA if origin == _ARGILLA else "file" for origin in table["origin"].to_pylist()],
            # When a person works is theirs.
            "submitted_at": pc.floor_temporal(table["submitted_at"], unit="day"),
        }
        for name, values in changed.items():
            place = table.schema.get_field_index(name)
            field = table.schema.field(place)
            column = values.cast(field.type) if isinstance(values, pa.ChunkedArray) else pa.array(values, field.type)
            table = table.set_column(place, field, column)
        return table


def _forms(name: str) -> set[str]:
    """How a person may be called by a login: all of it, or the part before its `@`."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    return {form for form in (name, name.partition("@")[0]) if form}


def _fold(form: str) -> str:
    """The same for each way to write a form of a name: in whatever case, with whatever blanks."""
    return "".join(form.casefold().split())


def _pattern_of(names: Iterable[str]) -> re.Pattern[str] | None:
    forms = sorted({form for name in names for form in _forms(name)}, key=len, reverse=True)
    if not forms:
        return None
    return re.compile("|".join(map(_pattern_of_form, forms)), re.IGNORECASE)


def _pattern_of_form(form: str) -> str:
    # Between the parts of a name blanks of any kind, as many as there are, or none.
    pattern = r"\s*".join(map(re.escape, form.split()))
    # Scripts without spaces have no edges of words to look for, so that a name in Latin letters may stand right beside
    # theirs; and nobody's name ends at a `_`.
    return rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])" if form.isascii() else pattern
