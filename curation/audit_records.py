"""The records of a set to audit, one after another. One that can't be read is given out as broken, in its place.

The readers of `curation.sources` stop at a broken record: a run must not go on with half of a source. An audit says
of each row what is wrong with it, so its readers of text formats go on behind the broken one.
"""

import codecs
import csv
import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from curation.sources.places import Record, clean
from mcot.core.errors import SourceError

__all__ = ["Broken", "Records", "read_csv", "read_json", "read_parquet", "shorten"]

# Of a value that is shown in a detail.
_SHOWN = 60
_READ = 300
_PARQUET_ROWS = 1024
# Of a CSV cell or an item of a list: beyond this, a quote or a brace was not closed.
_LONGEST = 16 << 20
_BLOCK = 1 << 20
_MOST_DIGITS = 300
# Of what JSON writes in one piece, strings and numbers aside: "false", "-Infinity", "\\ud83d\\ude00".
_LONGEST_TOKEN = 16
_GAP = re.compile(r"[\s,]*")
# Where the item behind a broken one begins: objects of a list follow one another, in one line or a line each.
_NEXT_ITEM = re.compile(r'(?:\}\s*,|,\s*\n|\n)\s*(?=\{\s*")')


class Broken(NamedTuple):
    """A record that can't be read, and why."""

    why: str


Records = Iterator[Record | Broken]


def shorten(value: Any) -> str:
    """A value as a detail shows it."""
    if isinstance(value, int) and value.bit_length() > _MOST_DIGITS:
        return "of many digits"
    text = clean(repr(value[:_READ] if isinstance(value, str | list) else value))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


class _Repeated(dict[str, Any]):
    """An object that has a key twice, of which JSON doesn't say which one counts."""

    key: str


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    repeated = _Repeated(result)
    keys = [key for key, _ in pairs]
    repeated.key = next(key for key in keys if keys.count(key) > 1)
    return repeated


def _record(value: Any, where: str) -> Record | Broken:
    if isinstance(value, _Repeated):
        return Broken(f"{where}: has the key {shorten(value.key)} twice, once expected")
    if isinstance(value, dict):
        return value
    kinds: dict[type, str] = {str: "the text ", bool: "the truth value ", int: "a number, ", float: "a number, "}
    shown = "null" if value is None else kinds.get(type(value), "") + shorten(value)
    return Broken(f"{where}: got {shown}, expected an object of columns")


def read_json(path: Path, *, lines: bool) -> Records:
    """The objects of a JSON list, or one a line.

    Args:
        path: the file, in UTF-8.
        lines: whether it is JSON Lines; a file that doesn't begin with a bracket is in any case.
    """
    with path.open("rb") as file:
        start = file.read(_BLOCK).removeprefix(codecs.BOM_UTF8).lstrip()[:1]
    if lines or start != b"[":
        yield from _read_json_lines(path)
        return
    for number, (line, item) in enumerate(_items(path), 1):
        where = f"line {line} (item {number})"
        yield Broken(f"{where} {item.why}") if isinstance(item, Broken) else _record(item, where)


def _read_json_lines(path: Path) -> Records:
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                yield _record(decoder.decode(text), f"line {number}")
            except UnicodeDecodeError as error:
                yield Broken(f"line {number} is not UTF-8 text ({error.reason})")
            except json.JSONDecodeError as error:
                yield Broken(f"line {number} is not JSON: {_reason(error)} at column {error.colno}")
            except (ValueError, RecursionError) as error:
                yield Broken(f"line {number} is not JSON: {_reason(error)}")


def _reason(error: Exception) -> str:
    """Why the decoder gave up, without a place: it counts from the beginning of what it was given."""
    if isinstance(error, json.JSONDecodeError):
        return error.msg.removesuffix(" starting at")
    return " ".join(str(error).split())[:100]


def _items(path: Path) -> Iterator[tuple[int, Any]]:
    """The items of a JSON list, with the lines on which they begin; one that is no JSON is a `Broken`."""
    decoder = json.JSONDecoder(object_pairs_hook=_object)
    # A wrong byte becomes U+FFFD, which is then found as a bad character.
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        buffer = file.read(_BLOCK)
        position, line = buffer.index("[") + 1, 1 + buffer.count("\n", 0, buffer.index("["))
        while True:
            gap = _GAP.match(buffer, position)
            begin = gap.end() if gap else position
            line += buffer.count("\n", position, begin)
            if buffer[begin : begin + 1] == "]":
                return
            error: Exception | None = None
            item, end = None, len(buffer)
            try:
                item, end = decoder.raw_decode(buffer, begin)
            except (ValueError, RecursionError) as caught:
                error = caught
            if (end == len(buffer) if error is None else _may_go_on(error, buffer, begin)) and (
                block := file.read(_BLOCK)
            ):
                buffer, position = buffer[begin:] + block, 0
                continue
            if begin == len(buffer):
                yield line, Broken("is not JSON: the list has no end; the file may be cut off")
                return
            if error is not None:
                item = Broken(f"is not JSON: {_reason(error)}")
                buffer, end = _skip_broken(buffer, begin, error, file)
            yield line, item
            if error is not None and end == len(buffer):
                return
            line += buffer.count("\n", begin, end)
            position = end


def _may_go_on(error: Exception, buffer: str, begin: int) -> bool:
    """Whether an item may be right and only not read to its end."""
    if not isinstance(error, json.JSONDecodeError) or len(buffer) - begin > _LONGEST:
        return False
    return error.msg.startswith("Unterminated string") or error.pos > len(buffer) - _LONGEST_TOKEN


def _skip_broken(buffer: str, begin: int, error: Exception, file: TextIO) -> tuple[str, int]:
    """The buffer, read on until the item behind a broken one begins, and where that is; its end if there is none."""
    place = max(begin + 1, error.pos) if isinstance(error, json.JSONDecodeError) else begin + 1
    # What ends the broken item may stand before the place at which the decoder gave up.
    start = max(begin + 1, len(buffer[:place].rstrip(" \t\r\n,")) - 1)
    while not (found := _NEXT_ITEM.search(buffer, start)):
        start = max(start, len(buffer) - _LONGEST_TOKEN)
        block = file.read(_BLOCK)
        if not block:
            return buffer, len(buffer)
        buffer += block
    return buffer, found.end()


def read_csv(path: Path) -> Records:
    """The rows of a CSV file with a header; after a broken one goes on with the line behind its first.

    Raises:
        SourceError: the header names a column twice.
    """
    csv.field_size_limit(_LONGEST)
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
                _check_header(header, path)
            elif why or (row and len(row) != len(header)):
                why = why or f"got {len(row)} cells, the header has {len(header)}"
                yield Broken(f"line {taken[0][0]}: {why}")
                again.extendleft(reversed(taken[1:]))
                rows = csv.reader(lines(), strict=True)
            elif row:
                yield dict(zip(header, row, strict=True))


def _check_header(header: Sequence[str], path: Path) -> None:
    for name in header:
        if name and header.count(name) > 1:
            raise SourceError(
                f"input {path.name}, line 1: the column {name[:_SHOWN]!r} is there twice; name each column once"
            )


def read_parquet(path: Path, file: pq.ParquetFile, columns: Sequence[str]) -> Records:
    """The rows of a Parquet file, of its columns those named.

    Raises:
        SourceError: a part of the file is damaged.
    """
    with file:
        try:
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=list(columns)):
                yield from _rows_of(batch)
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise SourceError(f"input {path.name}: the file is broken ({reason}); make it again") from None


def _rows_of(batch: pa.RecordBatch) -> Records:
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
            yield Broken(f"a cell is not UTF-8 text ({error.reason})")
