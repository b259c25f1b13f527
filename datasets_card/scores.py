"""What the published rows themselves say: back-translation scores with intervals, translators, sources, verdicts.

Rows are read in batches, and what is held does not grow with them: scores are counted to a hundredth of a point.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from datasets_card.figures import Measured
from mcot.core.progress import Progress
from mcot.core.runs import sign

__all__ = ["CHRF_SIGNATURE", "PARTS", "Published", "read_published"]

#: Of the scores, as sacreBLEU writes it. They are the project's own counts, which its tests hold equal to what this
#: version of sacreBLEU gives for single texts.
CHRF_SIGNATURE = "chrF2++|nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0"

PARTS = ("question", "rationale")

_COLUMNS = ["translator", "source", "license", "review.verdict"]
_SCORES = {part: f"back_translation_{part}" for part in PARTS}
_BATCH = 65_536
# chrF++ goes from 0 to 100.
_STEPS, _PER_POINT = 10_001, 100
_RESAMPLES = 1000
_CHUNK = 100

Counts = npt.NDArray[np.int64]


def _no_scores() -> dict[str, Counts]:
    return {part: np.zeros(_STEPS, np.int64) for part in PARTS}


@dataclass(slots=True)
class Published:
    """Counts over published rows.

    Attributes:
        rows: how many they are.
        translators: rows by translator; none for what nobody translated.
        sources: rows by source and its licence.
        verdicts: rows by what people said of them.
    """

    rows: int = 0
    translators: Counter[str] = field(default_factory=Counter)
    sources: Counter[tuple[str, str]] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    _scores: dict[str, Counts] = field(default_factory=_no_scores)

    def add(self, batch: pa.RecordBatch) -> None:
        """Count rows: of `_COLUMNS` and the scores of the back-translation."""
        self.rows += batch.num_rows
        self.translators.update(_count(batch["translator"]))
        self.verdicts.update(_count(pc.struct_field(batch["review"], "verdict")))
        named = pa.table({name: batch[name] for name in ("source", "license")}).group_by(["source", "license"])
        for line in named.aggregate([([], "count_all")]).to_pylist():
            self.sources[line["source"] or "", line["license"] or ""] += line["count_all"]
        for part, name in _SCORES.items():
            values = pc.struct_field(batch["scores"], name).drop_null().to_numpy(zero_copy_only=False)
            values = values[np.isfinite(values)]
            steps = np.clip(np.rint(values * _PER_POINT), 0, _STEPS - 1).astype(np.int64)
            self._scores[part] += np.bincount(steps, minlength=_STEPS)

    def chrf(self, part: str) -> Measured | None:
        """The mean chrF++ of the rows' questions or rationales; None where nothing was translated back.

        The interval is the bootstrap's (Efron 1979; 1000 resamples of the rows, percentiles). A resample of rows is a
        multinomial draw from the counts of their scores, so that a million rows take no longer than a thousand.
        """
        places = np.flatnonzero(self._scores[part])
        if not len(places):
            return None
        counts, values = self._scores[part][places], places / _PER_POINT
        total = int(counts.sum())
        # Seeded by the counts: the same rows give the same card.
        generator = np.random.default_rng(int(sign("chrf", counts.tolist(), places.tolist()), 16))
        draws = [
            generator.multinomial(total, counts / total, size=min(_CHUNK, _RESAMPLES - start)) @ values / total
            for start in range(0, _RESAMPLES, _CHUNK)
        ]
        low, high = np.percentile(np.concatenate(draws), [2.5, 97.5])
        return Measured(float(counts @ values) / total, float(low), float(high))


def _count(texts: "pa.Array[Any]") -> dict[str, int]:
    counted = pc.value_counts(texts)
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    return {str(text): count or 0 for text, count in pairs if text}


def read_published(files: Sequence[Path], progress: Progress) -> Published:
    """Count the rows of Parquet files of the schema; `progress` is told of each."""
    published = Published()
    columns = [*_COLUMNS, *(f"scores.{name}" for name in _SCORES.values())]
    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(_BATCH, columns=columns):
            published.add(batch)
            progress.advance(batch.num_rows)
    return published
