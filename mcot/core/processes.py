"""Processes that work for this one."""

import os
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait

__all__ = ["end_with_parent"]


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
