"""Run a stage's shards on a Ray cluster: an extra, `mcot-math[ray]`.

Shards that need no others go through Ray Data, each worker reading and writing files that all machines see. A stage
whose shards follow one another (`mcot.core.engines.Shared`: translation, whose memory makes a sentence's translation
that of its first occurrence) goes through them in order on the driver, and its jobs go to actors that hold the model.
So a run's bytes are those of the local engine, and a worker that is killed costs what it had in hand.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pyarrow as pa

from mcot.core import errors
from mcot.core.engines import LocalEngine, Shared, Stage, Worker, attempt
from mcot.core.errors import RunError, StageError, UserError
from mcot.core.progress import say
from mcot.core.runs import StageFolder

__all__ = ["RayEngine"]

# Shards of a task: with as many blocks as shards Ray would plan tens of thousands of tasks at once.
_MOST_BLOCKS = 2_000


class RayEngine(LocalEngine):
    """Shards over the workers of a Ray cluster: that of `RAY_ADDRESS`, or one that is made here and ended with us.

    Args:
        workers: processes for the stages without a model, and for models on CPUs. Models on GPUs get all there are.
        retries: how often a failed shard is tried again. What a dying worker had in hand is always tried again.
    """

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
        if not shards:
            return
        with _cluster():
            if parallel:
                yield from _through_data(stage, inputs, folder, shards, min(self._workers, len(shards)), self._retries)
                return
            stage.notify = note
            # Of another stage whose shards follow one another nothing can be done elsewhere.
            with _lend(stage, self._workers) if isinstance(stage, Shared) else nullcontext():
                yield from self._in_line(stage, inputs, folder, shards)


@contextmanager
def _cluster() -> Iterator[None]:
    """Join the cluster of `RAY_ADDRESS`, or make one of this machine. One that was joined before stays joined."""
    # Read as Ray is imported: no reports of its use to anybody, and addresses of this machine alone.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    address = os.environ.get("RAY_ADDRESS")
    if not address:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    import ray

    if ray.is_initialized():
        yield
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address:
            _knock(address)
            ray.init(address=address, **quiet)
        else:
            ray.init(include_dashboard=False, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        raise RunError(
            f"RAY_ADDRESS {address!r}: no Ray cluster can be reached there ({_first_line(error)}); valid: the address "
            "of a running one, such as 10.0.0.1:6379, or none for one on this machine"
        ) from None
    resources = ray.cluster_resources()
    say(f"ray: {resources.get('CPU', 0):g} CPUs, {resources.get('GPU', 0):g} GPUs on {len(ray.nodes())} machines")
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raise `OSError` where nobody listens: Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].partition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), timeout=10).close()


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class _ShardWorker:
    """A process of Ray Data that holds a stage."""

    def __init__(self, stage: Stage, folder: StageFolder, retries: int) -> None:
        self._stage, self._folder, self._retries = stage, folder, retries
        self._opened = False

    def __call__(self, batch: pa.Table) -> pa.Table:
        outcomes = [self._process(**row) for row in batch.to_pylist()]
        return pa.Table.from_pylist(outcomes, schema=_OUTCOME)

    def _process(self, shard: int, path: str) -> dict[str, Any]:
        outcome = {"shard": shard, "failure": None, "error": None}
        # A task that is done again, as its worker died, has some of its shards.
        if self._folder.has(shard):
            return outcome
        try:
            if not self._opened:
                self._stage.open()
                self._opened = True
            return outcome | {"failure": attempt(self._stage, Path(path), self._folder, shard, self._retries)}
        except UserError as error:
            return outcome | {"failure": str(error), "error": type(error).__name__}
        except OSError as error:
            return outcome | {"failure": f"{error.errno} {error.strerror}: {error.filename}", "error": "OSError"}


_OUTCOME_FIELDS: list["pa.Field[Any]"] = [
    pa.field("shard", pa.int64()),
    pa.field("failure", pa.string()),
    pa.field("error", pa.string()),
]
_OUTCOME = pa.schema(_OUTCOME_FIELDS)


def _through_data(
    stage: Stage, inputs: Sequence[Path], folder: StageFolder, shards: list[int], workers: int, retries: int
) -> Iterator[tuple[int, str | None]]:
    import ray

    # Elsewhere the working folder is another one.
    rows = [{"shard": index, "path": str(inputs[index].absolute())} for index in shards]
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    stage.notify = None
    dataset = ray.data.from_items(rows, override_num_blocks=min(len(rows), _MOST_BLOCKS)).map_batches(
        _ShardWorker,
        fn_constructor_args=(stage, folder.absolute(), retries),
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=workers),
        num_cpus=1,
    )
    try:
        for row in dataset.iter_rows():
            _raise_users(row)
            yield row["shard"], row["failure"]
    except ray.exceptions.RayError as error:
        raise StageError(
            f"stage {stage.name}: Ray could not go on ({_first_line(error)}); what was finished is kept: run the "
            "command again to go on"
        ) from error


def _raise_users(outcome: dict[str, Any]) -> None:
    """Raise here what a worker could only tell of."""
    if outcome["error"] == "OSError":
        raise RunError(f"a worker could not write: {outcome['failure']}; see that every machine has the run's folder")
    if outcome["error"] is not None:
        raise getattr(errors, outcome["error"], UserError)(outcome["failure"])


@contextmanager
def _lend(stage: Shared, workers: int) -> Iterator[None]:
    """Have a stage's jobs done on the cluster."""
    with _Pool(stage.worker, workers, stage.gpus) as pool:
        stage.call = pool.call
        try:
            yield
        finally:
            stage.call = None


class _Actor:
    """A process that holds a stage's worker."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._opened = False

    def work(self, job: tuple[Any, ...]) -> Any:
        if not self._opened:
            self._worker.open()
            self._opened = True
        return self._worker.work(*job)


class _Pool:
    """Actors that do jobs. A job whose actor dies is given to it again once it is back.

    Args:
        worker: what they hold.
        workers: how many, where they need no GPU.
        gpus: what each takes of a GPU; as many are made as the cluster has room for.
    """

    def __init__(self, worker: Worker, workers: int, gpus: float) -> None:
        import ray

        there = ray.cluster_resources().get("GPU", 0)
        if gpus and there < gpus:
            raise RunError(
                f"Ray's cluster has {there:g} GPUs, and a worker takes {gpus:g}; valid: translator.device cpu"
            )
        count = int(there / gpus) if gpus else workers
        options = {"num_gpus": gpus, "num_cpus": 0 if gpus else 1, "max_restarts": -1, "max_task_retries": -1}
        # Held here for as long as an actor may begin anew.
        self._held = ray.put(worker)
        self._actors: list[Any] = [ray.remote(_Actor).options(**options).remote(self._held) for _ in range(count)]
        # Two jobs in hand for each keep it busy while results travel.
        self._free: SimpleQueue[Any] = SimpleQueue()
        for actor in 2 * self._actors:
            self._free.put(actor)
        self._threads = ThreadPoolExecutor(2 * count)

    def __enter__(self) -> "_Pool":
        return self

    def __exit__(self, *_: object) -> None:
        import ray

        self._threads.shutdown(cancel_futures=True)
        for actor in self._actors:
            ray.kill(actor)

    def call(self, jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """The results of jobs, in order."""
        return self._threads.map(self._work, jobs)

    def _work(self, job: tuple[Any, ...]) -> Any:
        import ray

        actor = self._free.get()
        try:
            return ray.get(actor.work.remote(job))
        except ray.exceptions.RayTaskError as error:
            raise error.cause or error from None
        finally:
            self._free.put(actor)
