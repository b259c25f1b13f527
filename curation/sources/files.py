"""Records of local files, one after another: JSON Lines, JSON lists, CSV, Parquet.

A file is read as it is asked for, so one that is larger than memory can be read, and what stands before a broken
line has been given out when the line is found.
"""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from curation.sources.places import FieldError, Place, PlacedRecords
from mcot.core.errors import SourceError, choose

__all__ = ["SUFFIXES", "SelectColumns", "check_suffix", "read_records"]

# Takes a file's columns, gives those that are needed, raises FieldError where one is missing.
SelectColumns = Callable[[Sequence[str]], Sequence[str]]

_BLOCK = 1 << 20
# A cell or an item of a list beyond this is a quote or a brace that nobody closed.
_LONGEST = 16 << 20
_PARQUET_ROWS = 1024
_GAP = re.compile(r"[\s,]*")


def read_records(path: Path, shown: str, select: SelectColumns) -> PlacedRecords:
    """The records of a file.

    Args:
        path: the file.
        shown: how errors call it.
        select: is asked once, when the columns are known.

    Raises:
        SourceError: the file can't be read, is broken, or a column is missing.
    """
    try:
        yield from _READERS[path.suffix.lower()](path, shown, select)
    except FieldError as error:
        raise SourceError(f"source {shown}: {error}") from None
    except UnicodeDecodeError as error:
        raise SourceError(f"source {shown}: {_not_utf8(error)}") from None
    except (pa.ArrowException, OSError) as error:
        # Arrow's errors about broken files are OSErrors without a number.
        reason = getattr(error, "strerror", None) or f"the file is broken ({_one_line(error)})"
        raise SourceError(f"source {shown}: can't be read: {reason}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _not_utf8(error: UnicodeDecodeError) -> str:
    # UTF-16 begins with one of these, and is what some spreadsheets write as "Unicode".
    kind = "UTF-16" if error.start == 0 and error.object[:2] in (b"\xff\xfe", b"\xfe\xff") else error.reason
    return f"is not UTF-8 text ({kind}); save it as UTF-8"


def _lines(file: BinaryIO, shown: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers. Decoded one by one: the line of a wrong byte can be named."""
    for number, line in enumerate(file, 1):
        try:
            yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise SourceError(f"source {shown}, line {number}: {_not_utf8(error)}") from None


def _read_json_lines(path: Path, shown: str, select: SelectColumns) -> PlacedRecords:
    selected = False
    with path.open("rb") as file:
        for number, line in _lines(file, shown):
            if not line.strip():
                continue
            record = _parse_line(line, f"source {shown}, line {number}")
            if not selected:
                select(list(record))
                selected = True
            yield Place(path.name, "line", number), record


def _parse_line(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise SourceError(
            f"{where}: is not JSON: {error.msg} at column {error.colno}; mend or remove the line"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{where}: is not JSON: {_one_line(error)}; mend or remove the line") from None
    return _as_object(record, where)


def _as_object(record: Any, where: str) -> dict[str, Any]:
    if not isinstance(record, dict):
        kind = {list: "a list", str: "a string", type(None): "null"}.get(type(record), "a number or truth value")
        hint = " (a JSON list of problems is read from a file named .json)" if isinstance(record, list) else ""
        raise SourceError(f'{where}: got {kind}, expected an object such as {{"question": ...}}{hint}')
    return record


def _read_json(path: Path, shown: str, select: SelectColumns) -> PlacedRecords:
    """A JSON list, item by item, as MetaMathQA and MathInstruct are published; or JSON Lines by another name."""
    with path.open("rb") as file:
        start = file.read(_BLOCK).removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if start != b"[":
        yield from _read_json_lines(path, shown, select)
        return
    for number, (line, item) in enumerate(_items(path, shown), 1):
        record = _as_object(item, f"source {shown}, line {line} (item {number})")
        if number == 1:
            select(list(record))
        yield Place(path.name, "item", number), record


def _items(path: Path, shown: str) -> Iterator[tuple[int, Any]]:
    """The items of a JSON list, with the lines on which they begin."""
    decoder = json.JSONDecoder()
    with path.open(encoding="utf-8-sig") as file:
        buffer = file.read(_BLOCK)
        position, line = buffer.index("[") + 1, 1 + buffer.count("\n", 0, buffer.index("["))
        while True:
            gap = _GAP.match(buffer, position)
            begin = gap.end() if gap else position
            line += buffer.count("\n", position, begin)
            try:
                if buffer[begin : begin + 1] == "]":
                    return
                item, position = decoder.raw_decode(buffer, begin)
            except (ValueError, RecursionError) as error:
                block = file.read(_BLOCK)
                if not block or len(buffer) - begin > _LONGEST:
                    reason = error.msg if isinstance(error, json.JSONDecodeError) else _one_line(error)
                    line += buffer.count("\n", begin, error.pos) if isinstance(error, json.JSONDecodeError) else 0
                    raise SourceError(f"source {shown}, line {line}: is not JSON: {reason}; mend the file") from None
                buffer, position = buffer[begin:] + block, 0
            else:
                yield line, item
                line += buffer.count("\n", begin, position)


def _read_csv(path: Path, shown: str, select: SelectColumns) -> PlacedRecords:
    csv.field_size_limit(_LONGEST)
    current = 0

    def lines(file: BinaryIO) -> Iterator[str]:
        nonlocal current
        for current, line in _lines(file, shown):  # noqa: B007 the number is for errors
            yield line

    begin = 1
    with path.open("rb") as file:
        rows = csv.reader(lines(file), strict=True)
        try:
            header = next(rows, None)
            if header is None:
                return
            _check_header(header, shown)
            select(header)
            begin = current + 1
            for row in rows:
                if len(row) == len(header):
                    yield Place(path.name, "line", begin), dict(zip(header, row, strict=True))
                elif row:
                    raise SourceError(
                        f"source {shown}, line {begin}: got {len(row)} cells, the header has {len(header)}; "
                        "put quotes around cells that hold commas"
                    )
                begin = current + 1
        except csv.Error as error:
            raise SourceError(
                f"source {shown}, line {begin}: is not CSV: {_one_line(error)}; see that every quote is closed"
            ) from None


def _check_header(header: list[str], shown: str) -> None:
    for name in header:
        if header.count(name) > 1:
            raise SourceError(f"source {shown}, line 1: the column {name!r} is there twice; name each column once")


def _read_parquet(path: Path, _shown: str, select: SelectColumns) -> PlacedRecords:
    with pq.ParquetFile(path, buffer_size=_BLOCK) as file:
        columns = list(select(file.schema_arrow.names))
        number = 0
        for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=columns):
            for record in batch.to_pylist():
                number += 1
                yield Place(path.name, "row", number), record


_READERS: dict[str, Callable[[Path, str, SelectColumns], PlacedRecords]] = {
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".json": _read_json,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
SUFFIXES = tuple(_READERS)


def check_suffix(path: Path, shown: str) -> None:
    """Raise `SourceError` for a file that no reader takes."""
    if path.suffix.lower() not in _READERS:
        got = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise SourceError(f"source {shown}: has {got}; {choose(path.suffix.lower(), SUFFIXES)}")
