"""What the Ray engine costs and gives: ``python -m benchmarks.ray_engine [--rows N]``.

The check stage, all checks on, as `mcot curate` has it after translation and back-translation: the demo's problems in
ten languages, questions, solutions and both translated back, in shards of 500 rows. By the local engine and on a Ray
cluster of this machine, with one worker and with two, in turn, several times, each run in a process of its own. The
files that come of it must be the same. Figures are medians: of all that a run takes, the cluster's start and end
included, and of the stage alone.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import count, islice
from pathlib import Path
from typing import Any

from benchmarks._record import record
from curation.demo.generator import draw_problem, load_texts
from curation.stages import make_check_stage, make_checks
from mcot.core.engines import EngineName, make_engine
from mcot.core.languages import LANGUAGES, TARGETS
from mcot.core.ray_cluster import join_cluster
from mcot.core.rows import from_rows, row_id
from mcot.core.runs import StageFolder
from mcot.core.settings import CurationSettings

SHARD = 500
WAYS: tuple[tuple[EngineName, int], ...] = (("local", 1), ("ray", 1), ("local", 2), ("ray", 2))


def draw_rows() -> Iterator[dict[str, str]]:
    """Undecided rows without end, as they come from back-translation: problem by problem, each in ten languages."""
    rng = random.Random(7)
    texts = {code: load_texts(code) for code in LANGUAGES}
    for number in count():
        problem = draw_problem(rng)
        question = {
            code: language.sentence_separator.join(texts[code].question(problem))
            for code, language in LANGUAGES.items()
        }
        rationale = {
            code: "\n".join([*texts[code].solution(problem), language.answer_phrase.format(answer=problem.answer)])
            for code, language in LANGUAGES.items()
        }
        for language in TARGETS:
            yield {
                "id": row_id(f"p{number}", language.code), "problem_id": f"p{number}", "language": language.code,
                "answer": str(problem.answer), "source_question": question["en"], "source_rationale": rationale["en"],
                "question": question[language.code], "rationale": rationale[language.code],
                "back_question": question["en"], "back_rationale": rationale["en"],
            }  # fmt: skip


def write_inputs(folder: Path, rows: int) -> None:
    """Write shards of drawn rows."""
    stage = StageFolder(folder, "rows")
    drawn = islice(draw_rows(), rows)
    index = 0
    while shard := list(islice(drawn, SHARD)):
        stage.write(index, from_rows(shard))
        index += 1
    stage.close(index)


def measure(folder: Path, engine: EngineName, workers: int) -> tuple[float, float]:
    """Seconds of one run of the stage: with the engine's start and end, and without."""
    source = {"path": "none.jsonl", "format": "gsm8k"}
    settings = CurationSettings.model_validate({"name": "ray", "sources": [source], "contamination": {}})
    stage = make_check_stage(make_checks(settings))
    inputs = StageFolder(folder / "in", "rows")
    output = StageFolder(folder / f"{engine}-{workers}", f"{time.time()}")
    began = time.monotonic()
    with join_cluster() if engine == "ray" else nullcontext():
        joined = time.monotonic()
        make_engine(engine, workers=workers, retries=0).run(stage, inputs.shards(), output, parallel=True)
        took = time.monotonic() - joined
    return time.monotonic() - began, took


def main() -> None:
    """Measure every way in turn, and see that all wrote the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        folder, engine, workers = options.one
        print(*measure(Path(folder), engine, int(workers)))
        return
    seconds: dict[tuple[str, int], list[tuple[float, ...]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder / "in", options.rows)
        for _ in range(options.runs):
            for engine, workers in WAYS:
                command = [sys.executable, "-m", "benchmarks.ray_engine", "--one", name, engine, str(workers)]
                output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                seconds[engine, workers].append(tuple(map(float, output.split())))
                print(engine, workers, output.strip(), flush=True)
        contents = [
            [path.read_bytes() for path in sorted((folder / f"{engine}-{workers}").glob("shard-*.parquet"))]
            for engine, workers in WAYS
        ]
        same = all(content == contents[0] for content in contents)
    figures: dict[str, Any] = {"rows": options.rows, "same bytes": same}
    for place, what in enumerate(("with the cluster's start and end", "the stage alone")):
        times = {way: [run[place] for run in runs] for way, runs in seconds.items()}
        median = {way: statistics.median(values) for way, values in times.items()}
        figures[what] = {
            "seconds": {
                f"{engine}, {workers}": [round(t, 1) for t in times[engine, workers]] for engine, workers in WAYS
            },
            "two ray workers against one, times": round(median["ray", 1] / median["ray", 2], 2),
            "two local processes against one, times": round(median["local", 1] / median["local", 2], 2),
            "ray against local, percent more time": {
                str(workers): round(100 * (median["ray", workers] / median["local", workers] - 1), 1)
                for workers in (1, 2)
            },
        }
    record("ray_engine", figures, packages=("ray", "pyarrow"))


if __name__ == "__main__":
    main()
