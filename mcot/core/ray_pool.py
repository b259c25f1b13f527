"""Ray actors that hold a model and do a stage's jobs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from mcot.core.engines import Shared, Worker
from mcot.core.ray_cluster import count_cpus, count_gpu_workers

__all__ = ["RETRIES", "lend"]

#: How often what a dying worker had in hand is tried again. What kills every worker has failed.
RETRIES = 5


@contextmanager
def lend(stage: Shared, workers: int) -> Iterator[None]:
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

        count = count_gpu_workers(gpus) if gpus else min(workers, count_cpus())
        options: dict[str, Any] = {"max_restarts": -1, "max_task_retries": RETRIES}
        options |= {"num_gpus": gpus, "num_cpus": 0} if gpus else {"num_cpus": 1}
        self._actors: list[Any] = [ray.remote(_Actor).options(**options).remote(worker) for _ in range(count)]
        # Two jobs in hand for each keep it busy while results travel.
        self._free: SimpleQueue[Any] = SimpleQueue()
        for actor in 2 * self._actors:
            self._free.put(actor)
        self._threads = ThreadPoolExecutor(2 * count)

    def __enter__(self) -> "_Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _end(self) -> None:
        import ray

        self._threads.shutdown(wait=False, cancel_futures=True)
        # What is in hand then fails at once, and is not waited for.
        for actor in self._actors:
            ray.kill(actor)

    def call(self, jobs: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        """The results of jobs, in order. Stopped in the middle, none of what is left is done."""
        try:
            yield from self._threads.map(self._work, jobs)
        except (KeyboardInterrupt, SystemExit):
            self._end()
            raise

    def _work(self, job: tuple[Any, ...]) -> Any:
        import ray

        actor = self._free.get()
        try:
            return ray.get(actor.work.remote(job))
        except ray.exceptions.RayTaskError as error:
            if error.cause is None:
                raise
            raise error.cause from error
        finally:
            self._free.put(actor)
