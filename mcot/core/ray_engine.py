"""Run a stage's shards on a Ray cluster: an extra, `mcot-math[ray]`.

Shards that need no others go through Ray Data, each worker reading and writing files that all machines see. A stage
whose shards follow one another (`mcot.core.engines.Shared`: translation, whose memory makes a sentence's translation
that of its first occurrence) goes through them in order on the driver, and its jobs go to actors that hold the model.
So a run's bytes are those of the local engine, and a worker that is killed costs what it had in hand.
"""

import logging
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from mcot.core.engines import LocalEngine, Shared, Stage, attempt
from mcot.core.errors import RunError, StageError, UserError
from mcot.core.processes import collect_seldom
from mcot.core.ray_cluster import count_cpus, join_cluster
from mcot.core.ray_pool import RETRIES, lend
from mcot.core.runs import StageFolder

__all__ = ["RayEngine"]

# A task of Ray Data costs its driver some 25 ms, a third of what a small shard costs a worker: shards go several to a
# task, where there are enough for all workers to have many.
_SHARDS_OF_A_TASK = 8
_TASKS_OF_A_WORKER = 32
# With more Ray would plan tens of thousands at once.
_MOST_TASKS = 2_000


class RayEngine(LocalEngine):
    """Shards over the workers of a Ray cluster: that of `RAY_ADDRESS`, or one that is made here and ended with us.

    Args:
        workers: processes for the stages without a model, and for models on CPUs. Models on GPUs get all there are.
        retries: how often a failed shard is tried again. What a dying worker had in hand is always tried again.
    """

    def __init__(self, *, workers: int = 1, retries: int = 1) -> None:
        super().__init__(workers=workers, retries=retries)
        self._kept: ExitStack | None = None

    def __enter__(self) -> Self:
        """Stay in the cluster from the first stage that needs it."""
        self._kept = ExitStack()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it."""
        if self._kept is not None:
            self._kept.close()
        self._kept = None

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
        # Of a stage whose shards follow one another nothing can be done elsewhere, unless it lends its jobs.
        shared = stage if isinstance(stage, Shared) and not parallel else None
        stage.notify = None if parallel else note
        needed = bool(shards) and (parallel or shared is not None)
        if needed and self._kept is not None:
            self._kept.enter_context(join_cluster())
        with join_cluster() if needed else nullcontext():
            if parallel and shards:
                yield from _through_data(stage, inputs, folder, shards, min(self._workers, len(shards)), self._retries)
                return
            with lend(shared, self._workers) if shared and shards else nullcontext():
                yield from self._in_line(stage, inputs, folder, shards)


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
                collect_seldom()
                self._opened = True
            return outcome | {"failure": attempt(self._stage, Path(path), self._folder, shard, self._retries)}
        except UserError as error:
            return outcome | {"failure": str(error), "error": "UserError"}
        except OSError as error:
            what = f"{error.filename or self._folder.shard(shard)}: {error.strerror or error}"
            return outcome | {"failure": what, "error": "OSError"}
        except Exception:  # noqa: BLE001 sent as what it is, not as Ray would show it
            return outcome | {"failure": traceback.format_exc()}


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
    import ray.data

    _quieten()
    # Elsewhere the working folder is another one.
    rows = [{"shard": index, "path": str(inputs[index].absolute())} for index in shards]
    size = min(workers, count_cpus())
    together = max(1, min(_SHARDS_OF_A_TASK, len(rows) // (_TASKS_OF_A_WORKER * size)))
    tasks = min(-(-len(rows) // together), _MOST_TASKS)
    with warnings.catch_warnings():
        # Ray has no other way yet to say how often an actor's task is tried again; by itself it goes on for ever.
        warnings.simplefilter("ignore", ray.util.annotations.RayDeprecationWarning)
        dataset = ray.data.from_items(rows, override_num_blocks=tasks).map_batches(
            _ShardWorker,
            fn_constructor_args=(stage, folder.absolute(), retries),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=size),
            num_cpus=1,
            ray_remote_args_fn=lambda: {"max_task_retries": RETRIES},
        )
    try:
        for row in dataset.iter_rows():
            _raise_users(row)
            yield row["shard"], row["failure"]
    except ray.exceptions.RayError as error:
        raise StageError(
            f"stage {stage.name}: a worker process died again and again, perhaps for want of memory, or Ray could not "
            f"go on ({type(error).__name__}); set fewer `workers`; what was finished is kept: run the command again to "
            "go on"
        ) from error


def _quieten() -> None:
    """Leave Ray Data's own progress to its log file: what a user sees is the run's."""
    import ray

    ray.data.DataContext.get_current().enable_progress_bars = False
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.ERROR)


def _raise_users(outcome: dict[str, Any]) -> None:
    """Raise here what a worker could only tell of."""
    if outcome["error"] == "OSError":
        raise RunError(
            f"a worker can't use {outcome['failure']}; see that every machine has the run's folder, with space, and "
            "may write there"
        )
    if outcome["error"] is not None:
        raise UserError(outcome["failure"])
