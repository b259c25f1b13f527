"""The Ray cluster that a run uses, and how many workers there is room for."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mcot.core.errors import RunError, StageError
from mcot.core.progress import say

__all__ = ["count_cpus", "count_gpu_workers", "join_cluster"]


@contextmanager
def join_cluster() -> Iterator[None]:
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
            # Not `None`: that would join whatever somebody has started on this machine.
            ray.init(address="local", include_dashboard=False, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        if not address:
            raise StageError(f"Ray can't be started on this machine: {_first_line(error)}") from error
        raise RunError(
            f"RAY_ADDRESS {address!r}: no Ray cluster can be reached there ({_first_line(error)}); valid: the address "
            "of a running one, such as 10.0.0.1:6379, with RAY_AUTH_MODE=token where it asks for one, or no "
            "RAY_ADDRESS for a cluster of this machine"
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


def count_cpus() -> int:
    """How many workers of a core each the cluster has room for. More would be waited for, for ever."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def count_gpu_workers(gpus: float) -> int:
    """How many workers that take so much of a GPU there is room for: no worker is spread over GPUs.

    Raises:
        RunError: for none.
    """
    import ray

    # What rounding leaves of a share counts as the share.
    on_machines = [int(node["Resources"].get("GPU", 0) + 0.011) for node in ray.nodes() if node["Alive"]]
    count = sum(on_machines) * int(1 / gpus + 1e-9)
    if not count:
        raise RunError(
            f"translator.device: Ray's cluster has no GPU, and a worker takes {gpus:g}; add some, or set "
            "translator.device: cpu"
        )
    return count
