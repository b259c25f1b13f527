"""Run a stage's shards on a Ray cluster: an extra, `mcot-math[ray]`.

Shards that need no others go through Ray Data, each worker reading and writing files that all machines see. A stage
whose shards follow one another (`mcot.core.engines.Shared`: translation, whose memory makes a sentence's translation
that of its first occurrence) goes through them in order on the driver, and its jobs go to actors that hold the model.
So a run's bytes are those of the local engine, and a worker that is killed costs what it had in hand.
"""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pyarrow as pa

from mcot.core.engines import LocalEngine, Shared, Stage, attempt
from mcot.core.errors import RunError, StageError, UserError
from mcot.core.ray_cluster import count_cpus, join_cluster
from mcot.core.ray_pool import RETRIES, lend
from mcot.core.runs import StageFolder

__all__ = ["RayEngine"]

# With as many blocks as shards Ray would plan tens of thousands of tasks at once.
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
        # Of a stage whose shards follow one another nothing can be done elsewhere, unless it lends its jobs.
        shared = stage if isinstance(stage, Shared) and not parallel else None
        stage.notify = None if parallel else note
        with join_cluster() if shards and (parallel or shared) else nullcontext():
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

    # Elsewhere the working folder is another one.
    rows = [{"shard": index, "path": str(inputs[index].absolute())} for index in shards]
    ray.data.DataContext.get_current().enable_progress_bars = False
    size = min(workers, count_cpus())
    dataset = ray.data.from_items(rows, override_num_blocks=min(len(rows), _MOST_BLOCKS)).map_batches(
        _ShardWorker,
        fn_constructor_args=(stage, folder.absolute(), retries),
        batch_size=1,
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


def _raise_users(outcome: dict[str, Any]) -> None:
    """Raise here what a worker could only tell of."""
    if outcome["error"] == "OSError":
        raise RunError(
            f"a worker can't use {outcome['failure']}; see that every machine has the run's folder, with space, and "
            "may write there"
        )
    if outcome["error"] is not None:
        raise UserError(outcome["failure"])
