"""Does the translation repeat itself? A check for loops, see `curation.checks.loops`."""

import re
from collections.abc import Container
from functools import partial

import pyarrow as pa

from curation.checks.base import PARTS, Observation, Part, Scored, column_values, score_parts
from curation.checks.loop_suspects import may_loop
from curation.checks.loops import (
    SMALLEST_DISTANT,
    SMALLEST_END,
    SMALLEST_LOOP,
    SMALLEST_TWICE,
    find_loop,
)

__all__ = ["RepetitionCheck"]

_LETTER = re.compile(r"[^\W\d_]")


class RepetitionCheck:
    """Scores the share of a text that stands in no loop, 0 to 1; observes `repetition.loop`, the piece quoted.

    A text without letters has no score.
    """

    name = "repetition"

    def __init__(self) -> None:
        sizes = f"end:{SMALLEST_END}|twice:{SMALLEST_TWICE}|loop:{SMALLEST_LOOP}|distant:{SMALLEST_DISTANT}"
        self.signature = f"repetition|{sizes}|version:1"

    def open(self) -> None:
        """Nothing to load."""

    def score(self, table: pa.Table) -> Scored:
        """Score question and rationale of every row."""
        texts = [text for part in PARTS for text in column_values(table, part) if text]
        suspects = frozenset(text for text, may in zip(texts, may_loop(texts), strict=True) if may)
        return score_parts(
            table,
            lambda part: [part],
            partial(self._score, suspects),
            name=self.name,
            optional=lambda part: [f"source_{part}"],
        )

    def _score(
        self, suspects: Container[str], text: str, source: str | None, *, language: str, part: Part
    ) -> tuple[float | None, list[Observation]]:
        if not _LETTER.search(text):
            return None, []
        loop = find_loop(text, source) if text in suspects else None
        if loop is None:
            return 1.0, []
        times = f"{loop.times:.0f} times" if loop.times >= 2.5 else "twice"
        return 1.0 - loop.share, [Observation("repetition.loop", part, f'{times}: "{loop.piece}"')]
