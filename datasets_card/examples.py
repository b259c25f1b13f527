"""Rows that a card shows: one problem in three languages, drawn at random and not for its beauty."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from datasets_card.publication import Staged
from mcot.core.languages import ENGLISH, LANGUAGES

__all__ = ["Example", "pick_examples"]

#: Languages that examples are in.
LANGUAGE_COUNT = 3
# Rows of each language that are looked at: those of its first file's beginning.
_LOOKED_AT = 5_000
# Characters of an English problem and its solution that a card shows whole; of GSM8K's nine in ten have fewer. Where
# all are longer, the shortest is shown.
_WHOLE = 900
_COLUMNS = ("problem_id", "source_question", "source_rationale", "answer", "question", "rationale")

_Row = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Example:
    """A problem with its translations.

    Attributes:
        problem: its id.
        answer: the gold one.
        question, rationale: in English.
        translations: question and rationale by language.
    """

    problem: str
    answer: str
    question: str
    rationale: str
    translations: Mapping[str, tuple[str, str]]


def pick_examples(staged: Staged) -> list[Example]:
    """One problem in three languages; where no three have one in common, a problem each.

    The same rows give the same examples.
    """
    codes = _spread([config.name for config in staged.configs if config.name in LANGUAGES])
    rows = {code: _read(staged, code) for code in codes}
    common = set.intersection(*(set(of) for of in rows.values())) if rows else set()
    if common:
        problem = _draw({one: rows[codes[0]][one] for one in common})
        return [_example(problem, {code: rows[code][problem] for code in codes})]
    return [_example(problem, {code: of[problem]}) for code, of in rows.items() if of for problem in [_draw(of)]]


def _spread(codes: Sequence[str]) -> list[str]:
    """Three of the languages, of different scripts as far as there are such, in the project's order."""
    targets = [code for code in LANGUAGES if code in codes and code != ENGLISH.code]
    firsts = {LANGUAGES[code].script: code for code in reversed(targets)}
    chosen = [code for code in targets if code in firsts.values()]
    # Of all ten these are Swahili, Bengali and Japanese.
    if len(chosen) > LANGUAGE_COUNT:
        chosen = [*chosen[:2], chosen[len(chosen) // 2 + 1]]
    others = [code for code in targets if code not in chosen]
    return sorted([*chosen, *others][:LANGUAGE_COUNT], key=targets.index)


def _read(staged: Staged, code: str) -> dict[str, _Row]:
    """The first rows of a language, by problem."""
    config = staged.config(code)
    paths = [path for split in config.splits.values() for path in split] if config else []
    if not paths:
        return {}
    batches = pq.ParquetFile(staged.folder / Path(paths[0])).iter_batches(_LOOKED_AT, columns=list(_COLUMNS))
    batch: pa.RecordBatch | None = next(batches, None)
    return {row["problem_id"]: row for row in batch.to_pylist()} if batch is not None else {}


def _draw(rows: Mapping[str, _Row]) -> str:
    def order(problem: str) -> tuple[int, bytes]:
        size = sum(len(rows[problem][name] or "") for name in ("source_question", "source_rationale"))
        digest = hashlib.sha256(f"example\0{problem}".encode("utf-8", "surrogatepass")).digest()
        return (size if size > _WHOLE else 0), digest

    return min(rows, key=order)


def _example(problem: str, rows: Mapping[str, _Row]) -> Example:
    first = next(iter(rows.values()))
    return Example(
        problem=problem,
        answer=first["answer"] or "",
        question=first["source_question"] or "",
        rationale=first["source_rationale"] or "",
        translations={code: (row["question"] or "", row["rationale"] or "") for code, row in rows.items()},
    )
