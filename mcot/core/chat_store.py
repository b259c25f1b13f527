"""Every request that is sent to a server, and every answer, kept as they come: what was paid for is asked once."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mcot.core.chat_settings import PriceSettings
from mcot.core.errors import RunError

__all__ = ["ChatStore", "Reply", "Spent", "cost", "read_spending"]


class Reply(NamedTuple):
    """What a model answered.

    Attributes:
        text: None where it refused, or said nothing.
        finish: why it ended: `stop`, `length` where it was cut off, `content_filter`, or what the server says.
        refusal: its words, where the server tells a refusal apart.
        prompt_tokens, completion_tokens: as the server counts them.
    """

    text: str | None
    finish: str | None = None
    refusal: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Spent(NamedTuple):
    """What was spent: requests that were sent, tokens, and money by the prices."""

    requests: int = 0
    tokens: int = 0
    money: float = 0.0


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    """A full or unwritable disk as the `OSError` that any file would raise, a damaged file as the user's to mend."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "")
        if name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR"):
            raise OSError(errno.ENOSPC, "No space left on device", str(path)) from error
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            raise OSError(errno.EACCES, "Permission denied", str(path)) from error
        raise RunError(
            f"{path}: can't be used ({error}); move it away, then run the command again: its answers are asked anew"
        ) from error


class ChatStore:
    """Requests and answers on disk. For one thread at a time.

    A request is there once `begin` returns, its answer once `end` does, and they stay there if the process is killed at
    once; a machine that loses its power may lose the last seconds.

    Args:
        path: an SQLite file, made with its folder where it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _errors_named(path):
            # Opened by one thread, then used by the one that sends requests.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            # A sync for each answer would hold up hundreds of requests a second.
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS request (number INTEGER PRIMARY KEY, key TEXT, purpose TEXT, language TEXT,"
                " trouble TEXT, text TEXT, finish TEXT, refusal TEXT, prompt_tokens INTEGER, completion_tokens INTEGER)"
            )
            self._connection.execute("CREATE INDEX IF NOT EXISTS by_key ON request (key) WHERE trouble IS NULL")

    def find(self, key: str) -> Reply | None:
        """The first answer to a request, None where there is none."""
        with _errors_named(self.path):
            row = self._connection.execute(
                "SELECT text, finish, refusal, prompt_tokens, completion_tokens FROM request"
                " WHERE key = ? AND trouble IS NULL ORDER BY number LIMIT 1",
                (key,),
            ).fetchone()
        return None if row is None else Reply(*row)

    def begin(self, key: str, purpose: str, language: str, prompt_tokens: int) -> int:
        """Put a request on the books before it is sent. Gives its number there, for `end`.

        Until that is called it is one that was broken off: so it is counted however this process ends.

        Args:
            key: of the request: what is asked, of whom, and how.
            purpose, language: for the report.
            prompt_tokens: the most that it may cost without an answer.
        """
        with _errors_named(self.path):
            cursor = self._connection.execute(
                "INSERT INTO request (key, purpose, language, trouble, prompt_tokens, completion_tokens)"
                " VALUES (?, ?, ?, 'broken off', ?, 0)",
                (key, purpose, language, prompt_tokens),
            )
        return int(cursor.lastrowid or 0)

    def end(self, number: int, reply: Reply, trouble: str | None = None) -> None:
        """Keep an answer, or what became of a request that has none.

        Args:
            number: as `begin` gave it.
            reply: the answer; without a text what was spent in vain.
            trouble: why there is none, such as `status 429`.
        """
        with _errors_named(self.path):
            self._connection.execute(
                "UPDATE request SET trouble = ?, text = ?, finish = ?, refusal = ?, prompt_tokens = ?,"
                " completion_tokens = ? WHERE number = ?",
                (trouble, *reply, number),
            )

    def spent(self, prices: PriceSettings | None) -> Spent:
        """What was spent until now."""
        with _errors_named(self.path):
            requests, prompt, completion = self._connection.execute(
                "SELECT count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0) FROM request"
            ).fetchone()
        return Spent(requests, prompt + completion, cost(prices, prompt, completion))

    def count(self) -> list[tuple[str, str, str | None, int, int, int]]:
        """Requests, tokens of prompts and of answers, by purpose, language and trouble."""
        with _errors_named(self.path):
            return self._connection.execute(
                "SELECT purpose, language, trouble, count(*), sum(prompt_tokens), sum(completion_tokens)"
                " FROM request GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            ).fetchall()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def cost(prices: PriceSettings | None, prompt_tokens: int, completion_tokens: int) -> float:
    """What tokens cost, 0 where there are no prices."""
    if prices is None:
        return 0.0
    return (prompt_tokens * prices.input + completion_tokens * prices.output) / 1e6


def read_spending(path: Path, prices: PriceSettings | None) -> dict[str, Any]:
    """What a store's requests came to, for a report; empty where nothing was asked.

    Args:
        path: the store's file.
        prices: those of the settings; all tokens are counted at them.

    Returns:
        By purpose and language: `requests` sent, `answers`, `troubles` (requests without an answer, by what became
        of them), `prompt_tokens`, `completion_tokens`, and, where there are prices, `cost` and `currency`.
    """
    if not path.exists():
        return {}
    store = ChatStore(path)
    try:
        rows = store.count()
    finally:
        store.close()
    told: dict[str, Any] = {}
    for purpose, language, trouble, count, prompt, completion in rows:
        nothing = {"requests": 0, "answers": 0, "troubles": {}, "prompt_tokens": 0, "completion_tokens": 0}
        entry = told.setdefault(purpose, {}).setdefault(language, nothing)
        entry["requests"] += count
        entry["prompt_tokens"] += prompt
        entry["completion_tokens"] += completion
        if trouble is None:
            entry["answers"] += count
        else:
            entry["troubles"][trouble] = count
        if prices is not None:
            entry["cost"] = round(cost(prices, entry["prompt_tokens"], entry["completion_tokens"]), 6)
            entry["currency"] = prices.currency
    return told
