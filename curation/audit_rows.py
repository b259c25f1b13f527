"""The rows of a set to audit. A bad one is a row too, dropped with its reason; it never stops the others."""

import csv
import json
import math
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from curation.sources.files import SUFFIXES, check_suffix, read_records
from curation.sources.hub import looks_like_hub_id, read_hub
from curation.sources.places import Record, clean
from mcot.core.answers import canonical
from mcot.core.errors import SourceError, choose
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.settings import SourceSettings

__all__ = ["FIELDS", "LONGEST", "NEEDED", "READ_COLUMNS", "UNKNOWN_LANGUAGE", "read_rows"]

NEEDED = ("language", "source_question", "question")
_TEXTS = ("source_question", "question", "source_rationale", "rationale", "back_question", "back_rationale")
FIELDS = (*NEEDED, "id", "source_rationale", "rationale", "answer", "back_question", "back_rationale")
# Of the row schema, what a row that is read may have.
READ_COLUMNS = ("id", "language", *_TEXTS, "answer", "decision", "reasons", "details")
# Characters of a text. The longest solution of GSM8K has 1,100, of MATH 6,000; beyond this it is no word problem,
# but a file that was pasted into a cell.
LONGEST = 20_000
# BCP 47's code for "undetermined": the language of a row whose own is none of the eleven.
UNKNOWN_LANGUAGE = "und"

# Columns are known when so many records have been seen: in JSON, a record may leave out what is null.
_PEEK = 1000
# Of a cell that is shown in a detail, or kept of one that is too long.
_SHOWN = 60
_KEPT = 300
_PARQUET_ROWS = 1024
# Of a CSV cell: beyond this, a quote was not closed.
_LONGEST_CELL = 16 << 20
_MOST_DIGITS = 300
# Controls but line breaks and tabs, halves of surrogate pairs, and what stands for bytes that were lost.
_BAD_CHARACTER = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd]")


class _Broken(NamedTuple):
    """A row that can't be read, and why."""

    why: str


_Records = Iterator[Record | _Broken]


def read_rows(source: SourceSettings) -> Iterator[dict[str, Any]]:
    """The rows of a set, one after another, as the row schema has them.

    A bad row has the decision "drop" and a reason: `row.broken` (not readable), `row.bad_type`, `row.bad_language`,
    `row.bad_characters`, `row.too_long`, `row.empty_question`, `row.empty_source_question`, `row.empty_rationale`.
    A row without an id is called after its place: `row-000001`.

    Raises:
        SourceError: there is no such set, it can't be read at all, has no rows, or lacks a needed column.
    """
    records = _records(source)
    first = list(islice(records, _PEEK))
    readable = [record for record in first if not isinstance(record, _Broken)]
    if not readable:
        why = f": {first[0].why}" if first and isinstance(first[0], _Broken) else ""
        what = f"none of its first {len(first)} rows can be read (the first{why})" if first else "holds no rows"
        raise SourceError(f"input {source.path}: {what}; give a set of translations")
    columns = list(dict.fromkeys(column for record in readable for column in record))
    for column in NEEDED:
        if column not in columns:
            shown = ", ".join(name[:_SHOWN] for name in columns[:20])
            raise SourceError(
                f"input {source.path}: has no column {column!r}, only {shown}; valid: {', '.join(NEEDED)} (needed), "
                f"{', '.join(field for field in FIELDS if field not in NEEDED)}; rename or add the column"
            )
    for number, record in enumerate(chain(first, records), 1):
        yield _row(record, f"row-{number:06d}")


def _row(record: Record | _Broken, name: str) -> dict[str, Any]:
    """A row of the schema, with a decision if it is a bad one."""
    if isinstance(record, _Broken):
        return _dropped({"id": name, "language": UNKNOWN_LANGUAGE}, [("row.broken", record.why)])
    faults: list[tuple[str, str]] = []
    row: dict[str, Any] = {field: _text(record, field, faults) for field in _TEXTS}
    row["id"] = _identifier(record.get("id"), faults) or name
    row["language"] = _language(record.get("language"), faults)
    row["answer"] = _answer(record.get("answer"), faults)
    wrong = {detail.partition(":")[0] for _, detail in faults}
    for field in ("source_question", "question"):
        if not row[field] and field not in wrong:
            kind = "null" if record.get(field) is None else "empty"
            faults.append((f"row.empty_{field}", f"{field}: is {kind}"))
    if row["source_rationale"] and not row["rationale"] and "rationale" in record and "rationale" not in wrong:
        faults.append(("row.empty_rationale", "rationale: is empty, but source_rationale is not"))
    if row["language"] == ENGLISH.code and row["question"] != row["source_question"] and not faults:
        faults.append(("row.bad_language", "language: got 'en', the source's own; a translation is in another"))
    for field in ("source_rationale", "rationale"):
        row[field] = row[field] or None
    return _dropped(row, faults) if faults else row


def _dropped(row: dict[str, Any], faults: Sequence[tuple[str, str]]) -> dict[str, Any]:
    reasons, details = zip(*faults, strict=True)
    return {**row, "decision": "drop", "reasons": list(reasons), "details": list(details)}


def _text(record: Record, field: str, faults: list[tuple[str, str]]) -> str | None:
    value = record.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        faults.append(("row.bad_type", f"{field}: got {_kind(value)} {_shorten(value)}, expected text"))
        return None
    if len(value) > LONGEST:
        faults.append(("row.too_long", f"{field}: has {len(value):,} characters, {LONGEST:,} at most"))
        return clean(value[:_KEPT])
    if bad := _BAD_CHARACTER.search(value):
        what = f"U+{ord(bad[0]):04X} at character {bad.start() + 1}"
        faults.append(("row.bad_characters", f"{field}: {what}; text was lost or is no text"))
    return clean(value)


def _identifier(value: Any, faults: list[tuple[str, str]]) -> str | None:
    if value is None or isinstance(value, str | int):
        return clean(str(value))[:_KEPT] if value is not None else None
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    faults.append(("row.bad_type", f"id: got {_kind(value)} {_shorten(value)}, expected text or a number"))
    return None


def _language(value: Any, faults: list[tuple[str, str]]) -> str:
    code = value.strip().lower() if isinstance(value, str) else ""
    if code in LANGUAGES:
        return code
    valid = choose(code[:_SHOWN], LANGUAGES)
    faults.append(("row.bad_language", f"language: got {_shorten(value) if value is not None else 'null'}; {valid}"))
    return UNKNOWN_LANGUAGE


def _answer(value: Any, faults: list[tuple[str, str]]) -> str | None:
    """The canonical form; None where there is no answer, or one that is not a number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        faults.append(("row.bad_type", f"answer: got {_kind(value)} {_shorten(value)}, expected text or a number"))
        return None
    if isinstance(value, int) and value.bit_length() > _MOST_DIGITS:
        return None
    return canonical(clean(str(value))[:_KEPT])


def _kind(value: Any) -> str:
    kinds = {bool: "the truth value", int: "the number", float: "the number", list: "the list", dict: "the object"}
    return kinds.get(type(value), type(value).__name__)


def _shorten(value: Any) -> str:
    """A value as a detail shows it."""
    if isinstance(value, int) and value.bit_length() > _MOST_DIGITS:
        return "of many digits"
    text = clean(repr(value[:_KEPT] if isinstance(value, str | list) else value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _records(source: SourceSettings) -> _Records:
    """The records of a file or of a dataset of the Hub, broken ones in their places."""
    path = Path(source.path).expanduser()
    if not path.exists():
        if looks_like_hub_id(source.path) and path.suffix.lower() not in SUFFIXES:
            return (record for _, record in read_hub(source, _needed_of))
        raise SourceError(f"input {source.path}: no such file; give {', '.join(SUFFIXES)} or a Hub dataset as org/name")
    if path.is_dir():
        raise SourceError(f"input {source.path}: is a folder; give one file ({', '.join(SUFFIXES)})")
    check_suffix(path, source.path)
    try:
        if path.suffix.lower() in (".jsonl", ".ndjson"):
            return _read_json_lines(path)
        if path.suffix.lower() == ".csv":
            return _read_csv(path)
        if path.suffix.lower() == ".parquet":
            return _read_parquet(path, pq.ParquetFile(path))
    except (pa.ArrowException, OSError) as error:
        reason = getattr(error, "strerror", None) or f"the file is broken ({' '.join(str(error).split())[:200]})"
        raise SourceError(f"input {source.path}: can't be read: {reason}") from None
    return (record for _, record in read_records(path, source.path, _needed_of))


def _needed_of(columns: Sequence[str]) -> Sequence[str]:
    return [column for column in columns if column in FIELDS]


def _read_json_lines(path: Path) -> _Records:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            record: Any
            try:
                record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                record = _Broken(f"line {number} is not UTF-8 text ({error.reason})")
            except json.JSONDecodeError as error:
                record = _Broken(f"line {number} is not JSON: {error.msg} at column {error.colno}")
            except (ValueError, RecursionError) as error:
                record = _Broken(f"line {number} is not JSON: {' '.join(str(error).split())[:100]}")
            if not isinstance(record, dict | _Broken):
                record = _Broken(f"line {number}: got {_shorten(record)}, expected an object of columns")
            yield record


def _read_csv(path: Path) -> _Records:
    """Records; after a broken one, reading goes on with the line behind the one on which it began."""
    csv.field_size_limit(_LONGEST_CELL)
    with path.open("rb") as file:
        source = enumerate(file, 1)
        again: deque[tuple[int, bytes]] = deque()
        taken: list[tuple[int, bytes]] = []

        def lines() -> Iterator[str]:
            while line := again.popleft() if again else next(source, None):
                taken.append(line)
                number, content = line
                # A wrong byte becomes U+FFFD, which is then found as a bad character.
                yield content.decode("utf-8-sig" if number == 1 else "utf-8", "replace")

        header: list[str] | None = None
        rows = csv.reader(lines(), strict=True)
        while True:
            taken.clear()
            why = ""
            try:
                row = next(rows, None)
            except csv.Error as error:
                row, why = [], f"is not CSV: {error}"
            if row is None:
                return
            if header is None:
                header = row
            elif why or (row and len(row) != len(header)):
                why = why or f"got {len(row)} cells, the header has {len(header)}"
                yield _Broken(f"line {taken[0][0]}: {why}")
                again.extendleft(reversed(taken[1:]))
                rows = csv.reader(lines(), strict=True)
            elif row:
                yield dict(zip(header, row, strict=True))


def _read_parquet(path: Path, file: pq.ParquetFile) -> _Records:
    columns = _needed_of(file.schema_arrow.names)
    with file:
        try:
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=list(columns)):
                yield from _rows_of(batch)
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise SourceError(f"input {path.name}: the file is broken ({reason}); make it again") from None


def _rows_of(batch: pa.RecordBatch) -> Iterator[Mapping[str, Any] | _Broken]:
    try:
        yield from batch.to_pylist()
        return
    except UnicodeDecodeError:
        pass
    # Arrow takes any bytes for a string: look for the cells that are none, one by one.
    for index in range(len(batch)):
        try:
            yield batch.slice(index, 1).to_pylist()[0]
        except UnicodeDecodeError as error:
            yield _Broken(f"a cell is not UTF-8 text ({error.reason})")
