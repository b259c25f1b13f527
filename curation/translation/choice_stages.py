"""The stages that choose between translators, row by row, and keep what was not chosen."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.translation.carried import Carried, CarriedTexts
from curation.translation.choice import Choice, choose, decide, gate
from mcot.core.languages import ENGLISH, Language
from mcot.core.rows import SCORES, cast, from_rows, row_id
from mcot.core.runs import read_shard, sign
from mcot.core.settings import Band

__all__ = ["CandidatesStage", "ChooseStage", "PassedTexts", "find_failed", "read_choices"]

_TAKEN = b"mcot.taken"
Bands = Mapping[str, Mapping[str, Band]]
Failed = frozenset[tuple[str, str]]


class ChooseStage:
    """The rows of several translators -> of each row the translation that is best.

    Args:
        names: of the translators, in their order.
        others: the checked shards of all but the first, whose shards the stage is run over.
        bands: by language and check.
    """

    name = "choose"
    notify: Callable[[str], None] | None = None

    def __init__(self, names: Sequence[str], others: Sequence[Sequence[Path]], bands: Bands) -> None:
        self._names, self._others, self._bands = names, others, bands
        self.signature = sign("choose", 2, list(names), _plain(bands))

    def open(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to let go of."""

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """The rows that are taken, undecided, and beside them which translator's they are."""
        candidates = _read_candidates(table, self._others, shard)
        taken: list[int | None] = []
        counts: dict[str, Counter[str]] = {}
        rows = []
        for own in zip(*candidates, strict=True):
            choice = self._choose(own)
            taken.append(None if choice is None else choice.place)
            rows.append(own[0 if choice is None else choice.place])
            if choice is not None:
                counts.setdefault(rows[-1]["language"], Counter())[f"{self._names[choice.place]} {choice.by}"] += 1
        told = {"taken": taken, "counts": counts}
        return from_rows(rows).replace_schema_metadata({_TAKEN: json.dumps(told).encode()})

    def _choose(self, rows: Sequence[Mapping[str, Any]]) -> Choice | None:
        """None where there is nothing to choose: an English row, or one that was rejected before."""
        first = rows[0]
        if first["language"] == ENGLISH.code or first["decision"] is not None:
            return None
        there = [place for place, row in enumerate(rows) if row["decision"] is None]
        if len(there) == 1:
            return Choice(there[0], "checks")
        choice = choose([rows[place] for place in there], self._bands[first["language"]])
        return Choice(there[choice.place], choice.by)


class CandidatesStage:
    """The rows that were taken -> the others, each decided as it would be. In the order of the translators.

    Args:
        candidates: the checked shards of each translator, in their order.
        bands: by language and check.
    """

    name = "candidates"
    notify: Callable[[str], None] | None = None

    def __init__(self, candidates: Sequence[Sequence[Path]], taken: Sequence[Path], bands: Bands) -> None:
        self._candidates, self._taken, self._bands = candidates, taken, bands
        self.signature = sign("candidates", 2)

    def open(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to let go of."""

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """What was not taken."""
        taken = _read_metadata(self._taken[shard])["taken"]
        rows = []
        for place, shards in enumerate(self._candidates):
            for row, chosen in zip(read_shard(shards[shard]).to_pylist(), taken, strict=True):
                if chosen not in (None, place) and row["decision"] is None:
                    rows.append({**row, **decide(row, self._bands[row["language"]])})
        return cast(from_rows(rows))


class PassedTexts(CarriedTexts):
    """What a translator need not translate besides what people judged: rows that the one before it did well.

    Args:
        folder: of the stage that translates.
        find: gives the others, by problem and language.
    """

    def __init__(self, folder: Path, find: Callable[[], Failed]) -> None:
        super().__init__(folder)
        self._find = find
        self._failed: Failed | None = None

    def open(self) -> None:
        """Open what people said, and find out which rows failed: once, as the one before is done by then."""
        super().open()
        if self._failed is None:
            self._failed = self._find()

    def look_up(self, problems: Sequence[Mapping[str, Any]], language: Language) -> list[Carried | None]:
        """For each problem what stands in a translation's place; None where it is to be translated."""
        found = super().look_up(problems, language)
        failed = self._failed or frozenset()
        return [
            carried if (problem["problem_id"], language.code) in failed else _PASSED
            for problem, carried in zip(problems, found, strict=True)
        ]


class _Passed(Carried):
    """In the place of a row that is not translated once more: decided, so that nobody works on it."""

    def to_row(self, problem: Mapping[str, Any], language: Language) -> dict[str, Any]:
        row = {**problem, "id": row_id(str(problem["problem_id"]), language.code), "language": language.code}
        return row | {"question": None, "rationale": None, "decision": "keep", "scores": dict.fromkeys(SCORES)}


_PASSED = _Passed(None, None, corrected=True, translator=None, ended=None, spans=None, observations=())


def find_failed(shards: Iterable[Path], bands: Bands) -> Failed:
    """The rows of checked shards that would not be kept, by problem and language."""
    failed = set()
    for shard in shards:
        table = read_shard(shard).select(["problem_id", "language", "decision", "scores", "reasons", "details"])
        for row in table.to_pylist():
            own = row["language"] != ENGLISH.code and row["decision"] is None
            if own and gate(row, bands[row["language"]]) != "keep":
                failed.add((row["problem_id"], row["language"]))
    return frozenset(failed)


def _read_candidates(table: pa.Table, others: Sequence[Sequence[Path]], shard: int) -> list[list[dict[str, Any]]]:
    """The rows of each translator's shard: the same ones in the same order."""
    tables = [table, *(read_shard(shards[shard]) for shards in others)]
    ids = [own["id"].to_pylist() for own in tables]
    if any(own != ids[0] for own in ids):
        raise ValueError(f"shard {shard}: the translators' rows differ: {[len(own) for own in ids]} rows")
    return [own.to_pylist() for own in tables]


def _plain(bands: Bands) -> dict[str, Any]:
    return {code: {name: band.model_dump() for name, band in by.items()} for code, by in bands.items()}


def _read_metadata(shard: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    metadata = pq.read_schema(shard).metadata or {}
    told: dict[str, Any] = json.loads(metadata[_TAKEN])
    return told


def read_choices(shards: Iterable[Path]) -> dict[str, dict[str, dict[str, int]]]:
    """By language and translator, how many rows it won, by what decided (`curation.translation.choice.BY`)."""
    totals: dict[str, Counter[str]] = {}
    for shard in shards:
        for code, counts in _read_metadata(shard)["counts"].items():
            totals.setdefault(code, Counter()).update(counts)
    choices: dict[str, dict[str, dict[str, int]]] = {}
    for code, counts in totals.items():
        for key, count in sorted(counts.items()):
            name, by = key.rsplit(" ", 1)
            choices.setdefault(code, {}).setdefault(name, {})[by] = count
    return choices
