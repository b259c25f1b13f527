"""Translations that people accepted or corrected, which stand in a translator's place when rows are translated anew.

Which ones is frozen beside the stage's shards before the first of them is written: a run that was killed goes on with
the same ones, whatever was said in between, and what is said later has nothing translated again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mcot.core.errors import RunError
from mcot.core.files import write_file
from mcot.core.languages import Language
from mcot.core.progress import say
from mcot.core.reviews import ReviewFiles, sign_source, sign_translation
from mcot.core.rows import SCORES, row_id
from mcot.core.runs import sign

__all__ = ["Carried", "CarriedTexts"]

# SQLite takes at least 999 parameters in a statement.
_CHUNK = 900
_COLUMNS = (
    "language", "id", "source_signature", "question", "rationale", "corrected", "translator", "ended", "spans",
    "observations",
)  # fmt: skip
# What the translator observed of its own work; checks observe the rest again.
_OF_THE_TRANSLATOR = "translation."

# By language, id and the signature of the English texts: a verdict stands while these do.
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Carried:
    """A translation that a person judged.

    Attributes:
        corrected: whether a person wrote it, and not a translator.
        translator: what made it, or made what was corrected; None where no row in the queue tells.
        ended, spans: the translator's own scores; None of what was corrected.
        observations: the translator's own, reasons with their details.
    """

    question: str | None
    rationale: str | None
    corrected: bool
    translator: str | None
    ended: float | None
    spans: float | None
    observations: Sequence[tuple[str, str]]

    def to_row(self, problem: Mapping[str, Any], language: Language) -> dict[str, Any]:
        """The problem's row in the language."""
        return {
            **problem,
            "id": row_id(str(problem["problem_id"]), language.code),
            "language": language.code,
            "question": self.question,
            "rationale": self.rationale,
            "translator": self.translator,
            "scores": dict.fromkeys(SCORES) | {"translation_ended": self.ended, "translation_spans": self.spans},
            "reasons": [reason for reason, _ in self.observations],
            "details": [detail for _, detail in self.observations],
        }


class CarriedTexts:
    """What is taken in a run's translation, on disk, so that it costs no memory.

    Args:
        folder: of the stage that translates.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / "carried.sqlite"
        self._connection: sqlite3.Connection | None = None

    def freeze(self, files: ReviewFiles) -> None:
        """Take what people have said until now, if nothing was translated yet; else what was taken stands.

        Of several verdicts on a row the one of the last review round counts.

        Raises:
            RunError: the verdicts or the queue are damaged.
        """
        # Names with a dot in front are of files that were not finished.
        if any(path.name != "stage.json" and not path.name.startswith(".") for path in self._folder.iterdir()):
            return
        resolved = files.read_resolved()
        latest = _find_latest(resolved)
        if latest:
            write_file(self._path, _make_database(_collect(resolved, latest, files.read_queue())))
            say(f"translate: of what people accepted or corrected, {len(latest)} rows are taken if their source stands")

    def sign(self, signature: str) -> str:
        """The signature of a stage's output, given the stage's own: the same where nothing is taken."""
        if not self._path.exists():
            return signature
        with self._damage_named(), closing(self._connect()) as connection:
            (own,) = connection.execute("SELECT signature FROM frozen").fetchone()
        return sign(signature, own)

    def open(self) -> None:
        """Open the file, if anything was taken."""
        if self._path.exists():
            self._connection = self._connect()

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def look_up(self, problems: Sequence[Mapping[str, Any]], language: Language) -> list[Carried | None]:
        """For each problem what is taken of its translation; None where it is to be translated.

        Args:
            problems: rows, with `problem_id`, `source_question` and `source_rationale`.
            language: of the translation.

        Raises:
            RunError: the file is damaged.
        """
        if self._connection is None:
            return [None] * len(problems)
        ids = [row_id(str(problem["problem_id"]), language.code) for problem in problems]
        found: dict[tuple[str, str], Carried] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            columns = ", ".join(_COLUMNS[1:])
            # Only our own names and question marks are put in.
            query = f"SELECT {columns} FROM carried WHERE language = ? AND id IN ({marks})"  # noqa: S608
            with self._damage_named():
                for own_id, source, *fields in self._connection.execute(query, (language.code, *chunk)):
                    found[own_id, source] = _from_fields(*fields)
        sources = (sign_source(problem["source_question"], problem["source_rationale"]) for problem in problems)
        return [found.get(key) for key in zip(ids, sources, strict=True)]

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, TypeError, ValueError) as error:
            raise RunError(
                f"{self._path}: is damaged ({error}); remove the folder {self._path.parent}, then run the command again"
            ) from error


def _from_fields(
    question: str | None, rationale: str | None, corrected: int, translator: str | None, ended: float | None,
    spans: float | None, observations: str,
) -> Carried:  # fmt: skip
    pairs = [(reason, detail) for reason, detail in json.loads(observations)]
    return Carried(question, rationale, bool(corrected), translator, ended, spans, pairs)


def _find_latest(resolved: pa.Table) -> dict[_Key, int]:
    """The place of each row's last verdict, where it is one that a translation can be taken from."""
    names = ("language", "id", "source_signature", "review_round", "verdict")
    latest: dict[_Key, tuple[int, int]] = {}
    verdicts: list[str | None] = resolved["verdict"].to_pylist()
    columns = (resolved[name].to_pylist() for name in names)
    for place, (language, own_id, source, review_round, verdict) in enumerate(zip(*columns, strict=True)):
        key = (language, own_id, source)
        # Of one round, as where verdicts are applied, the later line.
        if verdict is not None and (key not in latest or review_round >= latest[key][0]):
            latest[key] = (review_round, place)
    return {key: place for key, (_, place) in latest.items() if verdicts[place] in ("accept", "fix")}


def _collect(resolved: pa.Table, latest: Mapping[_Key, int], queue: pa.Table) -> Iterator[tuple[Any, ...]]:
    """What is taken as `_COLUMNS`, by key."""
    fixes = resolved.filter(pc.equal(resolved["verdict"], pa.scalar("fix")))
    names = ("language", "id", "source_signature", "question", "rationale")
    # A correction that was accepted in a later round is a person's text still.
    written = {
        (*key, sign_translation(question, rationale))
        for *key, question, rationale in zip(*(fixes[name].to_pylist() for name in names), strict=True)
    }
    shown = _find_shown(queue)
    keys = sorted(latest)
    for start in range(0, len(keys), _CHUNK):
        chunk = keys[start : start + _CHUNK]
        rows = resolved.take(pa.array([latest[key] for key in chunk], pa.int64())).to_pylist()
        for key, row in zip(chunk, rows, strict=True):
            texts = (row["question"], row["rationale"])
            corrected = (*key, sign_translation(*texts)) in written
            translator, *own = shown.get((key[0], key[1], row["translation_signature"]), (None, None, None, "[]"))
            yield (*key, *texts, int(corrected), translator, *((None, None, "[]") if corrected else own))


def _find_shown(queue: pa.Table) -> dict[_Key, tuple[str | None, float | None, float | None, str]]:
    """By language, id and signature of the translation: translator, its scores and observations, as first shown."""
    fields = (
        ["translator"],
        ["scores", "translation_ended"],
        ["scores", "translation_spans"],
        ["reasons"],
        ["details"],
    )
    columns = [queue[name].to_pylist() for name in ("language", "id", "translation_signature", "review_round")]
    columns += [pc.struct_field(queue["row"], field).to_pylist() for field in fields]
    shown: dict[_Key, tuple[str | None, float | None, float | None, str]] = {}
    # Later a row may have had the text of a person's verdict under another translator's name.
    for language, own_id, signature, _, translator, ended, spans, reasons, details in sorted(
        zip(*columns, strict=True), key=lambda row: row[3]
    ):
        observations = [
            pair for pair in zip(reasons or [], details or [], strict=True) if pair[0].startswith(_OF_THE_TRANSLATOR)
        ]
        shown.setdefault((language, own_id, signature), (translator, ended, spans, json.dumps(observations)))
    return shown


def _make_database(rows: Iterator[tuple[Any, ...]]) -> bytes:
    """An SQLite file of the rows, with a signature of them all."""
    digest = hashlib.sha256()

    def signed() -> Iterator[tuple[Any, ...]]:
        for row in rows:
            digest.update(json.dumps(row).encode() + b"\n")
            yield row

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        columns, marks = ", ".join(_COLUMNS), ",".join("?" * len(_COLUMNS))
        connection.execute(f"CREATE TABLE carried ({columns}, PRIMARY KEY (language, id, source_signature))")
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO carried VALUES ({marks})", signed())  # noqa: S608 only question marks
        connection.execute("CREATE TABLE frozen (signature)")
        connection.execute("INSERT INTO frozen VALUES (?)", (digest.hexdigest()[:16],))
        connection.execute("COMMIT")
        return connection.serialize()
