"""Sources -> rows: ids, duplicates, rejections, shards, signatures."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation.sources.files import SUFFIXES, SelectColumns, check_suffix, read_records
from curation.sources.formats import Problem, make_format
from curation.sources.hub import looks_like_hub_id, read_hub, resolve_commit
from curation.sources.places import FieldError, Place, PlacedRecords, clean
from mcot.core.errors import SourceError
from mcot.core.files import sign_files
from mcot.core.rows import from_rows, source_row
from mcot.core.runs import sign
from mcot.core.settings import SourceSettings

__all__ = ["SeenIds", "read_problems", "read_source", "sources_signature"]

# Of what is read from the same data; part of every signature.
_VERSION = 1
# Of a folder's files, how many an error names.
_NAMED_FILES = 8


class SeenIds:
    """Which ids there were, in about 20 bytes each whatever their length.

    Only 64 bits of an id's hash are remembered: among a million ids, two different ones are taken for the same
    with a probability of 3e-8. A table of machine integers with linear probing; a set takes four times the memory.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 << 12))
        self._count = 0

    def add(self, identifier: str) -> bool:
        """Remember an id. Gives False if it was there already."""
        digest = hashlib.blake2b(identifier.encode(), digest_size=8).digest()
        # Zero marks an empty slot.
        if not self._put(int.from_bytes(digest, "big") or 1):
            return False
        self._count += 1
        if 3 * self._count > 2 * len(self._slots):
            old, self._slots = self._slots, array("Q", bytes(16 * len(self._slots)))
            for key in old:
                if key:
                    self._put(key)
        return True

    def _put(self, key: int) -> bool:
        slots, mask = self._slots, len(self._slots) - 1
        index = key & mask
        while slots[index]:
            if slots[index] == key:
                return False
            index = (index + 1) & mask
        slots[index] = key
        return True


def read_problems(
    sources: Sequence[SourceSettings], *, limit: int | None, rows: int, counts: list[dict[str, Any]]
) -> Iterator[pa.Table]:
    """The problems of a run's sources as tables of the row schema.

    Args:
        sources: read one after another; their local files are looked for before the first is read.
        limit: problems of each source, at most.
        rows: of each table; the last may have fewer.
        counts: gets an entry for each source when it has been read: `name`, `problems` (rows given out),
            `rejected` (how many of them, by reason) and `skipped` (records that the format leaves out).

    Raises:
        SourceError: see `read_source`.
    """
    for source in sources:
        _find_files(source)
    seen = SeenIds()
    waiting: list[dict[str, Any]] = []
    for source in sources:
        for row in _read_source(source, limit, seen, counts):
            waiting.append(row)
            if len(waiting) == rows:
                yield from_rows(waiting)
                waiting = []
    if waiting:
        yield from_rows(waiting)


def read_source(settings: SourceSettings, *, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """The problems of one source as English rows.

    A problem without a question or a findable answer, and one whose id was there before, is given out too:
    decided "drop", with the reason `source.empty_question`, `source.no_answer` or `source.duplicate_id`.

    Args:
        settings: the source.
        limit: problems to read, at most.

    Raises:
        SourceError: the source is missing, broken or empty, or lacks a column; what stood before was given out.
    """
    return _read_source(settings, limit, SeenIds(), [])


def _read_source(
    settings: SourceSettings, limit: int | None, seen: SeenIds, counts: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    form, name = make_format(settings), _name(settings)
    license = settings.license or form.license
    rejected: Counter[str] = Counter()
    problems = skipped = 0
    for place, record in _records(settings, form.select):
        try:
            problem = form.read(record)
        except FieldError as error:
            raise SourceError(f"source {_where(place, settings)}: {error}") from None
        if problem is None:
            skipped += 1
            continue
        problems += 1
        problem_id = _problem_id(name, problem)
        row = source_row(
            problem_id=problem_id,
            source=name,
            license=license,
            question=problem.question,
            rationale=problem.rationale,
            answer=problem.answer,
        )
        fault = _fault(problem)
        if fault is None and not seen.add(problem_id):
            what = "id" if problem.id else "question and solution"
            fault = "source.duplicate_id", f"an earlier problem has the same {what}"
        if fault is not None:
            reason, detail = fault
            rejected[reason] += 1
            row.update(decision="drop", reasons=[reason], details=[f"{place}: {detail}"])
        yield row
        if problems == limit:
            break
    if not problems:
        what = f"all {skipped} records are programs of thought, which are left out" if skipped else "holds no problems"
        raise SourceError(f"source {settings.path}: {what}; give a source that has at least one problem")
    by_reason = dict(sorted(rejected.items()))
    counts.append({"name": name, "problems": problems, "rejected": by_reason, "skipped": skipped})


def _fault(problem: Problem) -> tuple[str, str] | None:
    """Why a problem can't be used: reason and detail."""
    if not problem.question:
        return "source.empty_question", "the question is empty"
    if problem.answer is None:
        stated = " ".join((problem.stated or "").split())
        shown = stated if len(stated) <= 60 else stated[:59] + "…"
        return "source.no_answer", f"the answer is not one number: {shown}" if shown else "no answer is stated"
    return None


def _problem_id(name: str, problem: Problem) -> str:
    """The source's own id, or one of the texts: the same wherever the problem stands in its source."""
    if problem.id:
        return problem.id if problem.id.startswith(f"{name}-") else f"{name}-{problem.id}"
    texts = f"{problem.question}\x1f{problem.rationale or ''}"
    return f"{name}-{hashlib.sha256(texts.encode()).hexdigest()[:16]}"


def _name(settings: SourceSettings) -> str:
    """The given name, or the path's last part."""
    if settings.name:
        return clean(settings.name)
    path = Path(settings.path)
    return (path.stem if path.suffix.lower() in SUFFIXES else path.name) or path.resolve().name


def _records(settings: SourceSettings, select: SelectColumns) -> PlacedRecords:
    files = _find_files(settings)
    if files is None:
        return read_hub(settings, select)
    return _records_of(files, settings, select)


def _records_of(files: list[Path], settings: SourceSettings, select: SelectColumns) -> PlacedRecords:
    for file in files:
        yield from read_records(file, _shown(file, settings), select)


def _shown(file: Path, settings: SourceSettings) -> str:
    """A file as errors call it: as the settings do."""
    return settings.path if file == _local(settings) else str(file)


def _where(place: Place, settings: SourceSettings) -> str:
    """A record's place as errors call it."""
    folder = settings.path if _local(settings).is_dir() else str(Path(settings.path).parent)
    name = settings.path if place.name == settings.path else str(Path(folder) / place.name)
    return str(place._replace(name=name))


def _local(settings: SourceSettings) -> Path:
    return Path(settings.path)


def _find_files(settings: SourceSettings) -> list[Path] | None:
    """The local files of a source; None for a dataset of the Hub."""
    try:
        return _look_for_files(settings)
    except OSError as error:
        # A name that is too long, a folder that may not be looked into.
        raise SourceError(
            f"source {settings.path}: can't be read: {error.strerror}; give a file or a folder that can be read"
        ) from None


def _look_for_files(settings: SourceSettings) -> list[Path] | None:
    path = _local(settings)
    if path.is_dir():
        return _files_in(path, settings)
    if path.exists():
        check_suffix(path, settings.path)
        return [path]
    if looks_like_hub_id(settings.path) and path.suffix.lower() not in SUFFIXES:
        return None
    raise SourceError(f"source {settings.path}: no such file; {_near(path)}")


def _files_in(folder: Path, settings: SourceSettings) -> list[Path]:
    found = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    files = [file for file in found if file.suffix.lower() in SUFFIXES]
    # Beside data files, JSON is a dataset's description.
    files = [file for file in files if file.suffix.lower() != ".json"] or files
    if not files:
        raise SourceError(
            f"source {settings.path}: the folder has no files of problems; valid: {', '.join(SUFFIXES)}; "
            "give a file, or a folder of such files"
        )
    return files


def _near(path: Path) -> str:
    """What a missing file may have been meant to be."""
    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r} either; give a file, a folder, or a Hub dataset as org/name"
    names = sorted(file.name for file in path.parent.iterdir() if file.suffix.lower() in SUFFIXES or file.is_dir())
    close = get_close_matches(path.name, names, n=1, cutoff=0.6)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    listed = ", ".join(names[:_NAMED_FILES]) + (", …" if len(names) > _NAMED_FILES else "")
    return (
        f"its folder has: {listed or 'no files of problems'}{hint}; give a file, a folder, or a Hub dataset as org/name"
    )


def sources_signature(sources: Sequence[SourceSettings]) -> str:
    """A signature of what would be read: the files' contents or the Hub's commits, and how they are read.

    Raises:
        SourceError: a file is missing or unreadable, or the Hub can't be asked for its commit.
    """
    return sign(_VERSION, [_source_signature(source) for source in sources])


def _source_signature(settings: SourceSettings) -> list[Any]:
    reading = settings.model_dump(mode="json", exclude={"path", "revision", "name"})
    files = _find_files(settings)
    if files is None:
        return [_name(settings), reading, settings.path, resolve_commit(settings)]
    try:
        return [_name(settings), reading, sign_files(files, whole=True)]
    except OSError as error:
        raise SourceError(f"source {settings.path}: can't be read: {error.strerror}") from None
