"""The rows of a set to audit. A bad one is a row too, dropped with its reason; it never stops the others."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curation.audit_records import Broken, Records, read_csv, read_json, read_parquet, shorten
from curation.sources.files import SUFFIXES, check_suffix
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
# Of a name that an error shows, and of a cell that is kept where it is too long.
_SHOWN = 60
_KEPT = 300
_MOST_DIGITS = 300
# Controls but line breaks and tabs, halves of surrogate pairs, and what stands for bytes that were lost.
_BAD_CHARACTER = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd]")


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
    readable = [record for record in first if not isinstance(record, Broken)]
    if not readable:
        why = f": {first[0].why}" if first and isinstance(first[0], Broken) else ""
        what = f"none of its first {len(first)} rows can be read (the first{why})" if first else "holds no rows"
        raise SourceError(f"input {source.path}: {what}; give a set of translations")
    columns = list(dict.fromkeys(column for record in readable for column in record))
    for column in NEEDED:
        if column not in columns:
            shown = ", ".join(name[:_SHOWN] for name in columns[:20])
            broken = next((f" ({record.why})" for record in first if isinstance(record, Broken)), "")
            raise SourceError(
                f"input {source.path}: has no column {column!r}, only {shown}{broken}; "
                f"valid: {', '.join(NEEDED)} (needed), {', '.join(field for field in FIELDS if field not in NEEDED)}; "
                "rename or add the column"
            )
    for number, record in enumerate(chain(first, records), 1):
        yield _row(record, f"row-{number:06d}")


def _row(record: Record | Broken, name: str) -> dict[str, Any]:
    """A row of the schema, with a decision if it is a bad one."""
    if isinstance(record, Broken):
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
        faults.append(("row.bad_type", f"{field}: got {_kind(value)} {shorten(value)}, expected text"))
        return None
    if len(value) > LONGEST:
        faults.append(("row.too_long", f"{field}: has {len(value):,} characters, {LONGEST:,} at most"))
        return clean(value[:_KEPT])
    if value.isprintable() and "\ufffd" not in value:
        # Most texts are of one line, and need no search.
        return value.strip()
    if bad := _BAD_CHARACTER.search(value):
        what = f"U+{ord(bad[0]):04X} at character {bad.start() + 1}"
        faults.append(("row.bad_characters", f"{field}: {what}; text was lost or is no text"))
    return clean(value)


def _identifier(value: Any, faults: list[tuple[str, str]]) -> str | None:
    if value is None or isinstance(value, str | int):
        return clean(str(value))[:_KEPT] if value is not None else None
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    faults.append(("row.bad_type", f"id: got {_kind(value)} {shorten(value)}, expected text or a number"))
    return None


def _language(value: Any, faults: list[tuple[str, str]]) -> str:
    code = value.strip().lower() if isinstance(value, str) else ""
    if code in LANGUAGES:
        return code
    valid = choose(code[:_SHOWN], LANGUAGES)
    faults.append(("row.bad_language", f"language: got {shorten(value) if value is not None else 'null'}; {valid}"))
    return UNKNOWN_LANGUAGE


def _answer(value: Any, faults: list[tuple[str, str]]) -> str | None:
    """The canonical form; None where there is no answer, or one that is not a number."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        faults.append(("row.bad_type", f"answer: got {_kind(value)} {shorten(value)}, expected text or a number"))
        return None
    if isinstance(value, int) and value.bit_length() > _MOST_DIGITS:
        return None
    return canonical(clean(str(value))[:_KEPT])


def _kind(value: Any) -> str:
    kinds = {bool: "the truth value", int: "the number", float: "the number", list: "the list", dict: "the object"}
    return kinds.get(type(value), type(value).__name__)


def _records(source: SourceSettings) -> Records:
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
        match path.suffix.lower():
            case ".csv":
                return read_csv(path)
            case ".parquet":
                file = pq.ParquetFile(path)
                return read_parquet(path, file, _needed_of(file.schema_arrow.names))
            case suffix:
                return read_json(path, lines=suffix != ".json")
    except (pa.ArrowException, OSError) as error:
        reason = getattr(error, "strerror", None) or f"the file is broken ({' '.join(str(error).split())[:200]})"
        raise SourceError(f"input {source.path}: can't be read: {reason}") from None


def _needed_of(columns: Sequence[str]) -> Sequence[str]:
    return [column for column in columns if column in FIELDS]
