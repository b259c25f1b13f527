"""A translation memory: every sentence of a run is translated once, over all shards and restarts."""

import errno
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from curation.translation.base import Hypothesis
from mcot.core.languages import Language

__all__ = ["TranslationMemory"]

# SQLite takes at least 999 parameters in a statement.
_CHUNK = 900


@contextmanager
def _machine_errors() -> Iterator[None]:
    """SQLite's own errors for a full or unwritable disk as the `OSError` that any other file would raise."""
    try:
        yield
    except sqlite3.OperationalError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
            raise OSError(errno.ENOSPC, "No space left on device") from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            raise OSError(errno.EACCES, "Permission denied") from error
        raise


class TranslationMemory:
    """Sentences and their hypotheses, on disk, so that it costs no memory and outlives a kill.

    A shard sees only what the shards before it left: what it looks up, and so which sentences it translates
    in which batches, is the same after a restart as in an undisturbed run.

    Args:
        path: an SQLite file, made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        with _machine_errors():
            # Languages may be translated at once, each in a thread of its own.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._lock = Lock()
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS hypothesis (source TEXT, target TEXT, sentence TEXT, text TEXT,"
                " ended INTEGER, shard INTEGER, PRIMARY KEY (source, target, sentence)) WITHOUT ROWID"
            )

    def look_up(
        self, sentences: Sequence[str], source: Language, target: Language, *, before: int
    ) -> dict[str, Hypothesis]:
        """What shards before `before` have of these sentences."""
        found: dict[str, Hypothesis] = {}
        for start in range(0, len(sentences), _CHUNK):
            chunk = sentences[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            with self._lock:
                rows = self._connection.execute(
                    "SELECT sentence, text, ended FROM hypothesis"  # noqa: S608 only question marks are put in
                    f" WHERE source = ? AND target = ? AND shard < ? AND sentence IN ({marks})",
                    (source.code, target.code, before, *chunk),
                ).fetchall()
            found.update({sentence: Hypothesis(text, bool(ended)) for sentence, text, ended in rows})
        return found

    def store(self, hypotheses: Mapping[str, Hypothesis], source: Language, target: Language, *, shard: int) -> None:
        """Keep a shard's hypotheses, all or none of them. Raises `OSError` for a full or unwritable disk."""
        with _machine_errors(), self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT INTO hypothesis VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
                " SET text = excluded.text, ended = excluded.ended, shard = excluded.shard"
                " WHERE excluded.shard <= shard",
                ((source.code, target.code, sentence, h.text, h.ended, shard) for sentence, h in hypotheses.items()),
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
