"""The same stages on a real Ray cluster of this machine: the same files, whatever is killed."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest
import yaml

from mcot.core.engines import LocalEngine, make_engine
from mcot.core.errors import RunError, StageError, UserError
from mcot.core.ray_cluster import count_gpu_workers
from mcot.core.runs import StageFolder
from mcot.demo import write_problems

pytest.importorskip("ray")
# Ray warns of what it does itself, and leaves files to be closed by the interpreter.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
SHARDS = 12


class Double:
    """Doubles a column; fails where it is told to."""

    name = "double"
    signature = "1"
    notify: Callable[[str], None] | None = None

    def __init__(self, *, bad: int | None = None, wrong: bool = False) -> None:
        self._bad, self._wrong = bad, wrong

    def open(self) -> None:
        if self._wrong and os.environ.get("MCOT_TEST_DRIVER") != str(os.getpid()):
            raise UserError("no such model")

    def close(self) -> None:
        pass

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        if shard == self._bad:
            raise ValueError("this shard is bad")
        return pa.table({"a": [2 * (value or 0) for value in table["a"].to_pylist()]})


class Squares:
    """What `Sums` has done elsewhere."""

    def open(self) -> None:
        pass

    def work(self, values: list[int]) -> list[int]:
        time.sleep(0.05)
        return [value**2 for value in values]


class Sums:
    """A running sum of squares: a shard needs those before it, the squares need nothing."""

    name = "sums"
    signature = "1"
    gpus = 0.0
    notify: Callable[[str], None] | None = None
    call: Callable[[Sequence[tuple[Any, ...]]], Iterator[Any]] | None = None

    def __init__(self) -> None:
        self.worker = Squares()
        self.total = 0

    def open(self) -> None:
        self.total = 0
        if self.call is None:
            self.worker.open()

    def close(self) -> None:
        pass

    def process(self, table: pa.Table, shard: int) -> pa.Table:
        jobs = [([int(value or 0)],) for value in table["a"].to_pylist()]
        squares = self.call(jobs) if self.call else (self.worker.work(*job) for job in jobs)
        self.total += sum(value for (value,) in squares)
        return pa.table({"a": [self.total]})


def make_inputs(folder: Path, shards: int = SHARDS) -> list[Path]:
    inputs = StageFolder(folder, "in")
    for index in range(shards):
        inputs.write(index, pa.table({"a": [index, index + 10]}))
    inputs.close(shards)
    return inputs.shards()


def contents(folder: StageFolder) -> list[bytes]:
    return [path.read_bytes() for path in folder.shards()]


@pytest.mark.parametrize(("stage", "parallel"), [(Double, True), (Sums, False)])
def test_as_the_local_engine_has_it(tmp_path: Path, stage: type[Double] | type[Sums], parallel: bool) -> None:
    inputs = make_inputs(tmp_path / "in")
    local, ray = StageFolder(tmp_path / "local", "out"), StageFolder(tmp_path / "ray", "out")
    LocalEngine().run(stage(), inputs, local, parallel=parallel)
    make_engine("ray", workers=2, retries=0).run(stage(), inputs, ray, parallel=parallel)
    assert contents(ray) == contents(local)
    assert (ray.path / "manifest.json").read_bytes() == (local.path / "manifest.json").read_bytes()


def test_what_fails_is_said_as_the_local_engine_says_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = make_inputs(tmp_path / "in", 3)
    engine = make_engine("ray", workers=2, retries=1)
    folder = StageFolder(tmp_path / "bad", "out")
    with pytest.raises(StageError, match=r"1 of 3 shards failed after 2 tries, shard 1 first \(ValueError: this shard"):
        engine.run(Double(bad=1), inputs, folder, parallel=True)
    assert [folder.has(index) for index in range(3)] == [True, False, True]
    monkeypatch.setenv("MCOT_TEST_DRIVER", str(os.getpid()))
    with pytest.raises(UserError, match="no such model"):
        engine.run(Double(wrong=True), inputs, StageFolder(tmp_path / "wrong", "out"), parallel=True)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(RunError, match=r"RAY_ADDRESS '127.0.0.1:1': no Ray cluster can be reached there"):
        engine.run(Double(), inputs, StageFolder(tmp_path / "nowhere", "out"), parallel=True)


def curate_settings(folder: Path, problems: int, languages: Sequence[str]) -> Path:
    """A settings file of a run of the demo's problems by the embedded model."""
    write_problems(folder / "problems.jsonl", problems)
    source = {"path": str(folder / "problems.jsonl"), "format": "gsm8k", "license": "MIT"}
    content = {"name": "run", "sources": [source], "languages": list(languages), "shard_rows": 4, "workers": 2}
    content |= {"contamination": {}, "translator": {"batch_tokens": 256}}
    (folder / "settings.yaml").write_text(yaml.safe_dump(content))
    return folder / "settings.yaml"


def run_files(folder: Path) -> dict[str, bytes]:
    """A run's files, but for those that hold its own place, and the memory, whose pages lie as they came."""
    apart = ("settings.yaml", "memory.sqlite", "carried.sqlite", ".lock")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(apart)
    }


def command(settings: Path, engine: str, output: str) -> list[str]:
    content = yaml.safe_load(settings.read_text())
    own = settings.with_name(f"{output}.yaml")
    own.write_text(yaml.safe_dump({**content, "output": str(settings.parent / output)}))
    return [sys.executable, "-m", "mcot", "curate", str(own), "--engine", engine]


@pytest.mark.timeout(600)
def test_workers_and_driver_are_killed_ten_times(tmp_path: Path) -> None:
    """A whole run on Ray: whatever dies, its files are those of an undisturbed run of the local engine."""
    settings = curate_settings(tmp_path, 16, ("sw", "de"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command(settings, "local", "local"), check=True, env=environment, capture_output=True)
    rng = random.Random(5)
    victims = ["worker", "driver", "worker", "worker", "driver", "worker", "worker", "worker", "driver", "worker"]
    log = tmp_path / "log.txt"
    while True:
        with log.open("ab") as file:
            driver = subprocess.Popen(
                command(settings, "ray", "ray"), env=environment, stderr=file, stdout=file, start_new_session=True
            )
        while victims and driver.poll() is None:
            time.sleep(rng.uniform(0.5, 4))
            victims = _kill(driver, victims)
        if driver.wait() == 0:
            break
        assert driver.returncode == -signal.SIGKILL, log.read_text()[-2000:]
    assert victims == [], "the run was over before ten were killed"
    assert run_files(tmp_path / "ray") == run_files(tmp_path / "local")


def _kill(driver: "subprocess.Popen[bytes]", victims: list[str]) -> list[str]:
    """Kill the next victim, if it is there; gives those that are left."""
    if victims[0] == "driver":
        # Ray's own processes end with the driver; those that hold a core are not waited for.
        driver.kill()
        driver.wait()
        return victims[1:]
    try:
        processes = psutil.Process(driver.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return victims
    for process in processes:
        try:
            if process.name().startswith(("ray::_Actor", "ray::MapWorker")):
                process.kill()
                return victims[1:]
        except psutil.NoSuchProcess:
            continue
    return victims


class Deadly(Squares):
    """Kills every process that it works in."""

    def work(self, values: list[int]) -> list[int]:
        os._exit(1)


def test_what_kills_every_worker_fails(tmp_path: Path) -> None:
    stage = Sums()
    stage.worker = Deadly()
    inputs = make_inputs(tmp_path / "in", 2)
    with pytest.raises(StageError, match=r"1 of 2 shards failed after 1 tries, shard 0 first \(.*Actor"):
        make_engine("ray", workers=1, retries=0).run(stage, inputs, StageFolder(tmp_path / "out", "out"))


def test_more_workers_than_cores_are_not_waited_for(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path / "in", 3)
    folder = StageFolder(tmp_path / "out", "out")
    make_engine("ray", workers=500, retries=0).run(Sums(), inputs, folder)
    assert folder.done


def test_a_run_has_one_cluster(tmp_path: Path) -> None:
    import ray

    inputs = make_inputs(tmp_path / "in", 2)
    clusters = []
    with make_engine("ray", workers=1, retries=0) as engine:
        assert not ray.is_initialized()
        for number, parallel in enumerate((True, False)):
            engine.run(Double() if parallel else Sums(), inputs, StageFolder(tmp_path / f"{number}", "out"),
                       parallel=parallel)  # fmt: skip
            clusters.append(ray.get_runtime_context().gcs_address)
    assert clusters[0] == clusters[1]
    assert not ray.is_initialized()


@pytest.mark.parametrize(
    ("gpus", "share", "workers"),
    [([8, 8], 1.0, 16), ([8, 8], 0.5, 32), ([4], 0.6, 4), ([8], 0.4, 16), ([7.99, 8], 0.99, 16), ([2], 0.33, 6)],
)
def test_workers_of_a_cluster_with_gpus(
    monkeypatch: pytest.MonkeyPatch, gpus: list[float], share: float, workers: int
) -> None:
    nodes = [{"Alive": True, "Resources": {"GPU": count}} for count in gpus]
    monkeypatch.setattr("ray.nodes", lambda: [*nodes, {"Alive": False, "Resources": {"GPU": 8}}])
    assert count_gpu_workers(share) == workers


def test_no_gpu_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.nodes", lambda: [{"Alive": True, "Resources": {"CPU": 8}}])
    with pytest.raises(RunError, match="Ray's cluster has no GPU"):
        count_gpu_workers(1.0)
