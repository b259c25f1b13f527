"""Memory of `mcot curate` as the data grows: ``python -m benchmarks.memory``.

Short problems into one language with a translator that only copies, so that everything but a model is
measured. Each size in a process of its own; the peak is what the system counts (`ru_maxrss`).
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks._record import record
from curation.demo.generator import draw_problem, load_texts
from curation.pipeline import curate
from curation.translation.base import Hypothesis, Notify
from mcot.core.languages import Language
from mcot.core.settings import CurationSettings


class Copy:
    """A trivial translator."""

    name = signature = "copy"

    def open(self) -> None:
        """Nothing to load."""

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language, notify: Notify | None = None
    ) -> list[Hypothesis]:
        """The sentences themselves."""
        return [Hypothesis(sentence, True) for sentence in sentences]


def write_problems(path: Path, count: int) -> None:
    """Write different short problems, as GSM8K does."""
    rng, english = random.Random(1), load_texts("en")
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            problem = draw_problem(rng)
            question = f"Problem {number}. {' '.join(english.question(problem))}"
            answer = "\n".join([*english.solution(problem), f"#### {problem.answer}"])
            file.write(json.dumps({"question": question, "answer": answer}) + "\n")


def measure(count: int) -> dict[str, float]:
    """Curate so many problems in this process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_problems(folder / "problems.jsonl", count)
        settings = CurationSettings.model_validate(
            {"name": "memory", "output": folder / "run", "languages": ["sw"], "include_english": False,
             "sources": [{"path": str(folder / "problems.jsonl"), "format": "gsm8k"}]}
        )  # fmt: skip
        began = time.monotonic()
        rows = curate(settings, translator=Copy()).translations
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"problems": count, "rows": sum(rows.values()), "peak_rss_mib": round(peak),
                "seconds": round(time.monotonic() - began, 1)}  # fmt: skip


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 200_000, 400_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    figures = []
    for size in options.sizes:
        command = [sys.executable, "-m", "benchmarks.memory", "--one", str(size)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        figures.append(json.loads(output))
        print(figures[-1], flush=True)
    record("memory", {"runs": figures}, packages=("pyarrow", "datasets"))


if __name__ == "__main__":
    main()
