"""Checks and decisions over chunks of a set, in several processes."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa

from curation.stages import make_check_stage, make_checks, make_decide_stage
from mcot.core.benchmarks import Benchmark
from mcot.core.errors import StageError, UserError
from mcot.core.files import is_machine_error, write_table
from mcot.core.processes import collect_seldom, collecting_seldom, end_with_parent
from mcot.core.rows import from_rows
from mcot.core.settings import CurationSettings

__all__ = ["Auditor"]


class Auditor:
    """Checks chunks, and decides them, in this process or in others.

    Args:
        settings: the models, the bands and how many processes.
        benchmarks: whose problems are looked for.
        decides: whether rows are decided as soon as they are checked. Where models are to score them before, `decide`
            does it.
    """

    def __init__(self, settings: CurationSettings, benchmarks: Sequence[Benchmark], *, decides: bool = True) -> None:
        self.settings = settings
        self.checks = make_checks(settings, benchmarks)
        self._check = make_check_stage(self.checks)
        self._decide = make_decide_stage(settings)
        self._stages = (self._check, self._decide) if decides else (self._check,)
        self._opened = False

    def run(self, places: Iterator[tuple[pa.Table, Path]], workers: int) -> Iterator[Path]:
        """Check chunks and write each to its place, which is given once it is there, in order."""
        if workers == 1:
            with collecting_seldom():
                for table, path in places:
                    self.work(table, path)
                    yield path
            return
        # Spawned, not forked: a fork after threads have started (Arrow's) can hang.
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_set_auditor, initargs=(self,)) as pool:
            running: deque[tuple[Path, Future[None]]] = deque()
            try:
                for table, path in places:
                    running.append((path, pool.submit(_work, table, path)))
                    if len(running) == 2 * workers:
                        yield _wait_for(*running.popleft())
                while running:
                    yield _wait_for(*running.popleft())
            except BrokenProcessPool:
                raise StageError(
                    "audit: a process was ended from outside, as the system does when memory runs out; "
                    f"set fewer `workers` than {workers}, then run the command again"
                ) from None
            finally:
                pool.shutdown(cancel_futures=True)

    def work(self, table: pa.Table, path: Path) -> None:
        """Check one chunk and write it."""
        if not self._opened:
            # Here and not when a process starts: a model that can't be loaded is the user's to know.
            self._check.open()
            self._opened = True
        write_table(path, self._process(table))

    def decide(self, table: pa.Table) -> pa.Table:
        """Decide rows that were checked, and that models scored."""
        return self._decide.process(table, 0)

    def _process(self, table: pa.Table) -> pa.Table:
        """Checks and decisions. A row on which a check fails is dropped as `row.failed`, and only that row."""
        try:
            checked = table
            for stage in self._stages:
                checked = stage.process(checked, 0)
            return checked
        except UserError:
            raise
        except Exception as error:
            if is_machine_error(error):
                raise
            if len(table) > 1:
                half = len(table) // 2
                return pa.concat_tables([self._process(table.slice(0, half)), self._process(table.slice(half))])
            row = {**table.to_pylist()[0], "decision": "drop", "reasons": ["row.failed"], "round": 0}
            failure = f"{type(error).__name__}: {error}"[:200]
            return from_rows([{**row, "details": [f"a check failed on this row: {failure}"]}])


_auditor: Auditor


def _set_auditor(auditor: Auditor) -> None:
    global _auditor  # noqa: PLW0603 a worker process has one auditor for its whole life
    _auditor = auditor
    end_with_parent()
    collect_seldom()


def _work(table: pa.Table, path: Path) -> None:
    _auditor.work(table, path)


def _wait_for(path: Path, future: Future[None]) -> Path:
    future.result()
    return path
