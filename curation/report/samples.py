"""Which rows of a run a report shows: few, spread over the languages, the same on every run."""

from bisect import insort
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any

import pyarrow as pa

from curation.checks.base import PARTS
from curation.report.marks import CLIPPED, find_marks
from mcot.core.languages import ENGLISH, TARGETS

__all__ = ["SAMPLES", "Sampler", "describe", "digest", "language_order", "row_of"]

# Rows shown for each reason, and of the kept ones.
SAMPLES = 10
# Characters of a text shown at most; the longest GSM8K solution has about 1,100.
_LONGEST = 3000


def digest(row_id: str) -> bytes:
    """A row's place in the draw: as good as random, and the same on every run."""
    return sha256(row_id.encode()).digest()


class Sampler:
    """The rows of the smallest digests, a few of each language, out of any number of rows.

    Args:
        reason: what they are shown for; None for kept ones.

    """

    def __init__(self, reason: str | None = None) -> None:
        self._reason = reason
        self._drawn: dict[str, list[tuple[bytes, dict[str, Any]]]] = {}

    def offer(self, place: bytes, language: str, row: Callable[[], dict[str, Any]]) -> None:
        """Consider a row. `row` is called only if the row is drawn so far."""
        drawn = self._drawn.setdefault(language, [])
        if len(drawn) < SAMPLES or place < drawn[-1][0]:
            insort(drawn, (place, row()), key=lambda pair: pair[0])
            del drawn[SAMPLES:]

    def draw(self) -> list[dict[str, Any]]:
        """At most `SAMPLES` rows: the first of every language, then the second of every language, and so on."""
        queues = [self._drawn[code] for code in sorted(self._drawn, key=language_order)]
        turns = [queue[turn][1] for turn in range(SAMPLES) for queue in queues if turn < len(queue)]
        return turns[:SAMPLES]


def language_order(code: str) -> tuple[int, str]:
    """Sort key: the targets in the project's order, then other languages, then English, which is the source."""
    codes = [language.code for language in TARGETS]
    return (codes.index(code) if code in codes else len(codes) + (code == ENGLISH.code)), code


def row_of(table: pa.Table, index: int) -> dict[str, Any]:
    """One row of a table."""
    return dict(table.slice(index, 1).to_pylist()[0])


def describe(row: Mapping[str, Any], reason: str | None) -> dict[str, Any]:
    """What a report shows of a row.

    Args:
        row: a row of the schema.
        reason: the one that it is shown for; None for a kept row.

    Returns:
        `id`, `language`, `decision`, `answer`, `details` (of the reason), `other_reasons`, `scores`; for each part
        `source`, `translation` and `back`; and `marks` as `find_marks` gives them.
    """
    pairs = list(zip(row["reasons"] or [], row["details"] or [], strict=True))
    scores = row["scores"] or {}
    sample: dict[str, Any] = {
        "id": row["id"],
        "language": row["language"],
        "decision": row["decision"],
        "answer": row["answer"],
        "details": [detail for name, detail in pairs if name == reason],
        "other_reasons": sorted({name for name, _ in pairs if name != reason}),
        "scores": {name: round(value, 4) for name, value in scores.items() if value is not None},
        **{
            part: {
                "source": _clip(row[f"source_{part}"]),
                "translation": _clip(row[part]),
                "back": _clip(row[f"back_{part}"]),
            }
            for part in PARTS
        },
    }
    return {**sample, "marks": find_marks(sample, reason)}


def _clip(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else text[:_LONGEST] + CLIPPED
