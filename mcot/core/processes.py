"""Processes that work for this one."""

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from multiprocessing.connection import wait

__all__ = ["collect_seldom", "collecting_seldom", "end_with_parent"]

# New objects between two looks for cycles. Rows hold none, and looking every 700 took 7% of an audit's time, 15% where
# a library as large as Ray is loaded.
_THRESHOLD = 100_000


def collect_seldom() -> None:
    """Look for cycles of garbage seldom, and only among what is made from now on: for a process that only works."""
    gc.freeze()
    gc.set_threshold(_THRESHOLD)


@contextmanager
def collecting_seldom() -> Iterator[None]:
    """Look for cycles of garbage seldom for a while: for work in a process that does other things too."""
    before = gc.get_threshold()
    gc.set_threshold(_THRESHOLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def end_with_parent() -> None:
    """Have this process end when the one that made it does, however that ends.

    A killed process can't end its workers. They would wait for work for ever, each with its models in memory, as they
    hold the other end of the queue that they wait on themselves.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        # Nobody is left to take what it has.
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()
