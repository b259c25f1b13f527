"""Reviews of a planted set: rows whose truth is known, a queue of some of them, and annotators who err."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from mcot.core.files import write_table
from mcot.core.reviews import QUEUE_SCHEMA, RESOLVED_SCHEMA, VERDICT_SCHEMA, sign_source, sign_translation
from mcot.core.rows import SCHEMA, SCORES
from mcot.core.settings import DEFAULT_BANDS, Band

# Rows of each language, and how good its translations are: the mean of a normal quality; a row is good from 0.
LANGUAGES = {"de": (3000, 2.0), "es": (2500, 1.7), "th": (2000, 1.3), "sw": (1500, 1.0), "te": (1000, 0.8)}
ERROR = 0.05
FOLDERS = {"keep": "dataset", "review": "review", "drop": "rejected"}
# What the planted scores are drawn around.
OWN_BANDS: dict[str, Band] = {**DEFAULT_BANDS, "length": Band(keep=0.6, drop=0.3)}
BANDS: dict[str, dict[str, Band]] = dict.fromkeys(LANGUAGES, OWN_BANDS)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Planted:
    """A set whose truth is known, one element a row.

    Attributes:
        language: ISO 639-1.
        good: the truth.
        scores: by check.
        decision: by the default thresholds.
    """

    language: npt.NDArray[np.str_]
    good: npt.NDArray[np.bool_]
    scores: dict[str, Floats]
    decision: npt.NDArray[np.str_]

    def precision(self, rows: npt.NDArray[np.bool_]) -> float:
        """The share of good ones among some rows."""
        return float(self.good[rows].mean())


def plant(rng: np.random.Generator) -> Planted:
    """Draw a set: each score sees the quality through noise of its own; eight errors of ten in numbers are seen."""
    sizes = [size for size, _ in LANGUAGES.values()]
    language = np.repeat(list(LANGUAGES), sizes)
    quality = rng.normal(np.repeat([mean for _, mean in LANGUAGES.values()], sizes), 1.2)
    count = len(language)
    wrong_number = rng.random(count) < 0.04
    noise = rng.normal(size=(4, count))
    scores = {
        "back_translation": np.clip(68 + 8 * (quality - 1.5) + 8 * noise[0], 0, 100),
        "length": np.clip(np.exp(-np.abs(0.2 * noise[1] + 0.1 * np.minimum(quality, 0))), 0, 1),
        "language": np.clip(1.02 - 0.1 * np.exp(-quality + 0.5 * noise[2]), 0, 1),
        "repetition": np.where(quality + noise[3] < -2.0, 0.6, 1.0),
        "numbers": np.where(rng.random(count) < np.where(wrong_number, 0.8, 0.006), 0.7, 1.0),
    }
    kept = np.logical_and.reduce([values >= OWN_BANDS[check].keep for check, values in scores.items()])
    dropped = np.logical_or.reduce([values < OWN_BANDS[check].drop for check, values in scores.items()])
    decision = np.where(kept, "keep", np.where(dropped, "drop", "review"))
    return Planted(language, (quality > 0) & ~wrong_number, scores, decision)


def write_run(planted: Planted, folder: Path) -> None:
    """Write the set as a run leaves it."""
    for language in LANGUAGES:
        for decision, name in FOLDERS.items():
            rows = (planted.language == language) & (planted.decision == decision)
            if rows.any():
                write_table(folder / name / language / "train-00000.parquet", _table(planted, rows))


def _table(planted: Planted, rows: npt.NDArray[np.bool_]) -> pa.Table:
    places = np.flatnonzero(rows)
    fields = []
    for name in SCORES:
        values = planted.scores.get(name.removesuffix("_question"))
        fields.append(pa.nulls(len(places), pa.float64()) if values is None else pa.array(values[places]))
    known = {
        "id": pa.array([f"row-{place}" for place in places], pa.string()),
        "language": pa.array(planted.language[places].tolist(), pa.string()),
        "decision": pa.array(planted.decision[places].tolist(), pa.string()),
        "scores": pa.StructArray.from_arrays(fields, names=list(SCORES)),
    }
    columns = [known.get(field.name, pa.nulls(len(places), field.type)) for field in SCHEMA]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def draw(planted: Planted, rng: np.random.Generator, sizes: dict[str, int]) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Draw a queue: so many rows of each decision in each language. Also gives where they stand in the set."""
    lines: list[dict[str, Any]] = []
    drawn: list[int] = []
    for language in LANGUAGES:
        for stratum, size in sizes.items():
            eligible = np.flatnonzero((planted.language == language) & (planted.decision == stratum))
            chosen = rng.choice(eligible, min(size, len(eligible)), replace=False)
            drawn.extend(chosen.tolist())
            chances = {"stratum": stratum, "probability": len(chosen) / len(eligible)} if len(chosen) else {}
            lines += [{"language": language, "id": f"row-{place}", **chances} for place in chosen]
    mask = np.zeros(len(planted.language), np.bool_)
    mask[drawn] = True
    shown = {row["id"]: row for row in _table(planted, mask).to_pylist()}
    signatures = {"source_signature": sign_source("", None), "translation_signature": sign_translation("", None)}
    lines = [{**line, **signatures, "review_round": 0, "row": shown[line["id"]]} for line in lines]
    return pa.Table.from_pylist(lines, schema=QUEUE_SCHEMA), np.array(drawn)


def judge(
    queue: pa.Table,
    good: npt.NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    second: float = 1.0,
    settle: bool = True,
    error: float = ERROR,
) -> tuple[pa.Table, pa.Table]:
    """Have annotators judge a queue.

    Args:
        queue: its rows.
        good: the truth of each.
        rng: of their errors.
        second: the share of rows with a second annotator.
        settle: whether a third settles where two disagree.
        error: the share of rows on which each is wrong.

    Returns:
        The verdicts, and what is resolved.
    """
    keys = queue.select(["language", "id", "source_signature", "translation_signature", "review_round"]).to_pylist()
    verdicts: list[dict[str, Any]] = []
    resolved: list[dict[str, Any]] = []
    at = datetime(2025, 1, 1, tzinfo=UTC)
    for key, truth in zip(keys, good, strict=True):
        count = 2 if rng.random() < second else 1
        said = [_say(bool(truth), error, rng) for _ in range(count)]
        if len(set(said)) == 1:
            outcome: str | None = said[0]
        else:
            outcome = _say(bool(truth), error, rng) if settle else None
        lines = [(f"{key['language']}-{number}", verdict, False) for number, verdict in enumerate(said)]
        if len(set(said)) > 1 and outcome is not None:
            lines.append((f"{key['language']}-third", outcome, True))
        verdicts += [
            {**key, "annotator": who, "verdict": verdict, "adjudication": third, "submitted_at": at}
            for who, verdict, third in lines
        ]
        resolved.append({**key, "verdict": outcome})
    return pa.Table.from_pylist(verdicts, schema=VERDICT_SCHEMA), pa.Table.from_pylist(resolved, schema=RESOLVED_SCHEMA)


def _say(good: bool, error: float, rng: np.random.Generator) -> str:
    return "accept" if good != (rng.random() < error) else "reject"


def shuffle(planted: Planted, rng: np.random.Generator) -> Planted:
    """The same set with its truth dealt out anew, one share of good rows in all languages: no score tells anything."""
    return Planted(planted.language, rng.permutation(planted.good), planted.scores, planted.decision)
