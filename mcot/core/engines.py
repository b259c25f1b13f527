"""Run a stage over a dataset's shards.

A stage is a function of a table and gives one back. The engine decides where and in what order shards are
processed; it reads and writes nothing but through a run's `StageFolder`, so that a run's files are the
same whatever engine made them.
"""

import copy
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, Protocol, Self, runtime_checkable

import pyarrow as pa

from mcot.core.errors import MissingExtraError, StageError, UserError
from mcot.core.files import is_machine_error
from mcot.core.processes import collect_seldom, collecting_seldom, end_with_parent
from mcot.core.progress import Progress
from mcot.core.runs import StageFolder, read_shard

__all__ = ["Engine", "EngineName", "LocalEngine", "Shared", "Stage", "Worker", "attempt", "make_engine"]

EngineName = Literal["local", "ray"]


class Stage(Protocol):
    """A step of a run from table to table.

    Attributes:
        name: the folder's name.
        signature: everything that the output depends on besides the input: settings, model revisions, version.
        notify: set by an engine that shows what a stage says of its progress within a shard.
    """

    name: str
    signature: str
    notify: Callable[[str], None] | None

    def open(self) -> None:
        """Load what is expensive (a model), once for each process that runs the stage."""

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        """The output of a shard. Depends on nothing but the shard and the ones before it."""

    def close(self) -> None:
        """Let go of what `open` took."""


class Worker(Protocol):
    """What does a stage's heavy work, wherever it is: a job's result depends on the job alone."""

    def open(self) -> None:
        """Load what is expensive, once for each process."""

    def work(self, *job: Any) -> Any:
        """The result of a job."""


@runtime_checkable
class Shared(Stage, Protocol):
    """A stage whose shards need the ones before them, but whose heavy work is done in jobs that need nothing.

    Attributes:
        worker: what does the work. Sent to other processes before it is opened.
        call: set by an engine with workers elsewhere, before `open`: does jobs there, and gives their results in
            order. It may be called by several threads at once.
        gpus: how many GPUs, or what part of one, a worker takes; 0 for a CPU.
    """

    worker: Worker
    call: Callable[[Sequence[tuple[Any, ...]]], Iterator[Any]] | None
    gpus: float


class Engine(Protocol):
    """Runs stages. As a context it keeps what it starts for one stage (a cluster) for those after it."""

    def __enter__(self) -> Self:
        """Keep what is started from now on."""

    def __exit__(self, *_: object) -> None:
        """End what was started."""

    def run(self, stage: Stage, inputs: Sequence[Path], folder: StageFolder, *, parallel: bool = False) -> None:
        """Process every shard that the folder lacks, then close the folder.

        Args:
            stage: what to do.
            inputs: the shards, in order.
            folder: where the outputs go, under the same numbers.
            parallel: whether the stage may run in several processes at once.

        Raises:
            StageError: shards failed after their retries. The others are written, and kept.
        """


def make_engine(name: EngineName, *, workers: int, retries: int) -> Engine:
    """The engine of a name.

    Raises:
        MissingExtraError: its library is not installed.
    """
    if name == "ray":
        if find_spec("ray") is None:
            raise MissingExtraError("ray", "ray")
        from mcot.core.ray_engine import RayEngine

        return RayEngine(workers=workers, retries=retries)
    return LocalEngine(workers=workers, retries=retries)


class LocalEngine:
    """Shards one after another, or over several processes for stages without a model.

    Args:
        workers: processes for the stages that allow it.
        retries: how often a failed shard is tried again.
    """

    def __init__(self, *, workers: int = 1, retries: int = 1) -> None:
        self._workers, self._retries = workers, retries

    def __enter__(self) -> Self:
        """Nothing outlives a stage here."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to end."""

    def run(self, stage: Stage, inputs: Sequence[Path], folder: StageFolder, *, parallel: bool = False) -> None:
        """See `Engine.run`."""
        missing = [index for index in range(len(inputs)) if not folder.has(index)]
        failures: dict[int, str] = {}
        ordered = not parallel
        if ordered and missing:
            # Later shards depend on earlier ones (the translation memory): what stands behind a gap lacked one.
            folder.discard_from(missing[0])
            missing = list(range(missing[0], len(inputs)))
        with Progress(stage.name, total=len(inputs), done=len(inputs) - len(missing), unit="shards") as progress:
            for index, failure in self._results(stage, inputs, folder, missing, parallel=parallel, note=progress.note):
                if failure is not None:
                    failures[index] = failure
                    progress.say(f"{stage.name}: shard {index} failed: {failure.strip().splitlines()[-1]}")
                    if ordered:
                        break
                progress.advance()
        stage.notify = None
        if failures:
            log = folder.record_failures(failures)
            first = min(failures)
            raise StageError(
                f"stage {stage.name}: {len(failures)} of {len(inputs)} shards failed after {self._retries + 1} tries, "
                f"shard {first} first ({failures[first].strip().splitlines()[-1]}); see {log}; what was finished is "
                "kept: run the command again to go on"
            )
        folder.close(len(inputs))

    def _results(
        self,
        stage: Stage,
        inputs: Sequence[Path],
        folder: StageFolder,
        shards: list[int],
        *,
        parallel: bool,
        note: Callable[[str], None],
    ) -> Iterator[tuple[int, str | None]]:
        """Write shards, as they come; gives each with None, or with the traceback of its last failure."""
        if parallel and self._workers > 1 and len(shards) > 1:
            stage.notify = None
            return self._in_processes(stage, inputs, folder, shards)
        stage.notify = note
        return self._in_line(stage, inputs, folder, shards)

    def _in_line(
        self, stage: Stage, inputs: Sequence[Path], folder: StageFolder, shards: list[int]
    ) -> Iterator[tuple[int, str | None]]:
        if not shards:
            return
        with collecting_seldom():
            stage.open()
            try:
                for index in shards:
                    yield index, attempt(stage, inputs[index], folder, index, self._retries)
            finally:
                stage.close()

    def _in_processes(
        self, stage: Stage, inputs: Sequence[Path], folder: StageFolder, shards: list[int]
    ) -> Iterator[tuple[int, str | None]]:
        # Opened here first: a wrong model is the user's mistake, which a worker could only die of.
        copy.deepcopy(stage).open()
        # Spawned, not forked: a fork after threads have started (Arrow, torch) can hang.
        workers = min(self._workers, len(shards))
        with ProcessPoolExecutor(
            workers, get_context("spawn"), initializer=_open_worker, initargs=(stage, folder)
        ) as pool:
            queue = iter(shards)
            running: dict[Future[str | None], int] = {}
            while True:
                # Two shards in hand for each worker keep it busy without holding the whole run in memory.
                for index in queue:
                    running[pool.submit(_work, inputs[index], index, self._retries)] = index
                    if len(running) >= 2 * workers:
                        break
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    index = running.pop(future)
                    try:
                        yield index, future.result()
                    except BrokenProcessPool as error:
                        raise StageError(
                            f"stage {stage.name}: a worker process died, perhaps for want of memory; set fewer "
                            "`workers`; what was finished is kept: run the command again to go on"
                        ) from error


_stage: Stage
_folder: StageFolder


def _open_worker(stage: Stage, folder: StageFolder) -> None:
    # A worker process has one stage for its whole life.
    global _stage, _folder
    _stage, _folder = stage, folder
    end_with_parent()
    stage.open()
    collect_seldom()


def _work(path: Path, index: int, retries: int) -> str | None:
    return attempt(_stage, path, _folder, index, retries)


def attempt(stage: Stage, path: Path, folder: StageFolder, index: int, retries: int) -> str | None:
    """Process a shard and write what comes of it, where the process runs: a table is sent nowhere.

    Returns:
        None, or the traceback of the last failure.

    Raises:
        UserError: the stage's model or settings are wrong; no retry would help.
        OSError: of the machine: a full disk, no permission.
    """
    failure = ""
    for _ in range(retries + 1):
        try:
            output = stage.process(read_shard(path), index)
        except UserError:
            raise
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        # Not only Exception: a panic in a library written in Rust derives from BaseException.
        except BaseException as error:
            if is_machine_error(error):
                raise
            failure = traceback.format_exc()
        else:
            folder.write(index, output)
            return None
    return failure
