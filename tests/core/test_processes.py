"""Worker processes end when the one that made them does, however that ends."""

import subprocess
import sys
import time
from pathlib import Path

import psutil

SCRIPT = """
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from mcot.core.engines import LocalEngine
from mcot.core.runs import StageFolder


class Sleep:
    name = "sleep"
    signature = "1"
    notify = None

    def open(self):
        pass

    def close(self):
        pass

    def process(self, table, shard):
        (HERE / f"working-{shard}").touch()
        time.sleep(SECONDS[shard])
        return table


HERE = Path(__file__).parent
SECONDS = {0: 600, 1: 0, 2: 0}

if __name__ == "__main__":
    inputs = StageFolder(HERE / "in", "in")
    for index in SECONDS:
        inputs.write(index, pa.table({"a": [index]}))
    inputs.close(len(SECONDS))
    LocalEngine(workers=2).run(Sleep(), inputs.shards(), StageFolder(HERE / "out", "out"), parallel=True)
"""


def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    # One worker is at work, the other waits for some: the latter would wait for ever.
    with subprocess.Popen([sys.executable, script], stderr=subprocess.DEVNULL) as parent:
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("working-*"))) < 3:
            assert parent.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) >= 2
        parent.kill()
    _, alive = psutil.wait_procs(workers, timeout=10)
    for worker in alive:
        worker.kill()
    assert alive == []
