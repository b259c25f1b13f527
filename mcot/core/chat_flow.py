"""Work that waits for a server, many pieces at a time, while the rest of a program goes on."""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from typing import Any, TypeVar

__all__ = ["ChatFlow"]

_T = TypeVar("_T")
_Piece = tuple[Future[Any], Callable[[], Awaitable[Any]]]


class ChatFlow:
    """Does pieces of work in the order in which they come, so many at a time, in an event loop in a thread of its own.

    A place that one piece leaves is taken by the next at once, whatever that belongs to.

    Args:
        concurrency: pieces at a time.
    """

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="chat", daemon=True)
        self._thread.start()
        # The first two are touched in the loop's thread alone; `_open` in both, each time in one step.
        self._queue: deque[_Piece] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._open: set[Future[Any]] = set()

    def submit(self, work: Callable[[], Awaitable[_T]]) -> Future[_T]:
        """Have a piece of work done. Its result, or its error, is the future's."""
        future: Future[_T] = Future()
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        self._loop.call_soon_threadsafe(self._put, (future, work))
        return future

    def drop(self) -> None:
        """Begin nothing that has not begun."""
        for future in list(self._open):
            future.cancel()

    def drain(self) -> None:
        """Drop what has not begun, and wait for the rest."""
        self.drop()
        wait([future for future in list(self._open) if not future.done()])

    def close(self, last: Callable[[], Coroutine[Any, Any, None]] | None = None) -> None:
        """Drop what has not begun, break off the rest, and end the loop.

        Args:
            last: what is done in the loop before it ends.
        """
        self.drop()
        asyncio.run_coroutine_threadsafe(self._end(last), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _put(self, piece: _Piece) -> None:
        self._queue.append(piece)
        self._fill()

    def _fill(self) -> None:
        while self._queue and len(self._running) < self._concurrency:
            future, work = self._queue.popleft()
            if future.set_running_or_notify_cancel():
                task = self._loop.create_task(_do(future, work))
                self._running.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._fill()

    async def _end(self, last: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        self._queue.clear()
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if last is not None:
            await last()
        await self._loop.shutdown_asyncgens()


async def _do(future: Future[_T], work: Callable[[], Awaitable[_T]]) -> None:
    try:
        result = await work()
    except asyncio.CancelledError:
        future.set_exception(CancelledError())
    # Whatever it is, it is for whoever waits for the result to handle.
    except BaseException as error:  # noqa: BLE001
        future.set_exception(error)
    else:
        future.set_result(result)
