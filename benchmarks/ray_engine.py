"""What the Ray engine costs and gives: ``python -m benchmarks.ray_engine [--mgsm FOLDER] [--rows N]``.

The check stage, all checks on, over shards of 500 question pairs in ten languages (those of `benchmarks.audit_speed`):
by the local engine and on a Ray cluster of this machine, with one worker and with two, in turn, several times; a run is
all that `Engine.run` does, the cluster's start and end included, and a process of its own. The files that come of it
must be the same. Figures are medians.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks._record import record
from benchmarks.audit_speed import draw_pairs
from curation.stages import make_check_stage, make_checks
from mcot.core.engines import make_engine
from mcot.core.rows import from_rows, row_id
from mcot.core.runs import StageFolder
from mcot.core.settings import CurationSettings

SHARD = 500
WAYS = (("local", 1), ("ray", 1), ("local", 2), ("ray", 2))


def write_inputs(folder: Path, count: int, mgsm: Path | None) -> None:
    """Write undecided rows, as a translation stage leaves them."""
    stage = StageFolder(folder, "pairs")
    rows: Iterator[dict[str, str]] = (
        {**pair, "id": row_id(f"p{number}", pair["language"]), "problem_id": f"p{number}"}
        for number, pair in enumerate(islice(draw_pairs(mgsm), count))
    )
    index = 0
    while shard := list(islice(rows, SHARD)):
        stage.write(index, from_rows(shard))
        index += 1
    stage.close(index)


def measure(folder: Path, engine: str, workers: int) -> float:
    """Seconds of one run of the stage."""
    source = {"path": "none.jsonl", "format": "gsm8k"}
    settings = CurationSettings.model_validate({"name": "ray", "sources": [source], "contamination": {}})
    stage = make_check_stage(make_checks(settings))
    inputs = StageFolder(folder / "in", "pairs")
    output = StageFolder(folder / f"{engine}-{workers}", f"{time.time()}")
    began = time.monotonic()
    make_engine("ray" if engine == "ray" else "local", workers=workers, retries=0).run(
        stage, inputs.shards(), output, parallel=True
    )
    return time.monotonic() - began


def main() -> None:
    """Measure every way in turn, and see that all wrote the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mgsm", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        folder, engine, workers = options.one
        print(measure(Path(folder), engine, int(workers)))
        return
    seconds: dict[tuple[str, int], list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder / "in", options.rows, options.mgsm)
        for _ in range(options.runs):
            for engine, workers in WAYS:
                command = [sys.executable, "-m", "benchmarks.ray_engine", "--one", name, engine, str(workers)]
                output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                seconds[engine, workers].append(float(output))
                print(engine, workers, round(float(output), 1), flush=True)
        contents = [
            [path.read_bytes() for path in sorted((folder / f"{engine}-{workers}").glob("shard-*.parquet"))]
            for engine, workers in WAYS
        ]
        same = all(content == contents[0] for content in contents)
    median = {way: statistics.median(times) for way, times in seconds.items()}
    figures = {
        "rows": options.rows,
        "seconds": {
            f"{engine}, {workers}": [round(t, 1) for t in seconds[engine, workers]] for engine, workers in WAYS
        },
        "two ray workers against one, times": round(median["ray", 1] / median["ray", 2], 2),
        "ray against local, percent more time": {
            workers: round(100 * (median["ray", workers] / median["local", workers] - 1), 1) for workers in (1, 2)
        },
        "same bytes": same,
    }
    record("ray_engine", json.loads(json.dumps(figures)), packages=("ray", "pyarrow"))


if __name__ == "__main__":
    main()
