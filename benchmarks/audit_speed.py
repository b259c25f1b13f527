"""Speed and memory of `mcot audit`: ``python -m benchmarks.audit_speed [--mgsm FOLDER] [--peer PYTHON]``.

Question pairs in ten languages, half of them MGSM's with other numbers (where FOLDER/test_{language}.json is given),
the rest the demo's problems; all different, all checks on. Each size in a process of its own; peaks are what the
system counts (`ru_maxrss`), of the command itself and of the largest of its processes. With PYTHON of an environment
with opusfilter_peer/requirements.txt, OpusFilter decides pairs beside it: both on one process and on the same pairs.
OpusFilter's filters are timed alone, on pairs in memory, once their models are loaded; ours are timed so too ("checks
alone", with the decisions), and both as whole commands too, from files to files.
"""

import argparse
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from benchmarks._record import record
from curation.audit import audit
from curation.audit_settings import AuditSettings
from curation.demo.generator import draw_problem, load_texts
from curation.stages import make_check_stage, make_checks, make_decide_stage
from mcot.core.languages import TARGETS
from mcot.core.processes import collecting_seldom
from mcot.core.rows import from_rows
from mcot.core.settings import CurationSettings

# Rows of a table, as an audit has them.
_CHUNK = 2000
_NUMBER = re.compile(r"\d+")
_PEER = Path(__file__).parent / "opusfilter_peer" / "run.py"


def renumber(source: str, text: str, rng: random.Random) -> tuple[str, str]:
    """Both texts with every number exchanged for another of as many digits, the same in both."""
    new: dict[int, str] = {}

    def exchange(match: re.Match[str]) -> str:
        digits = match[0]
        if len(digits) > 6 or int(digits) < 2:
            return digits
        drawn = new.setdefault(int(digits), str(rng.randrange(max(2, 10 ** (len(digits) - 1)), 10 ** len(digits))))
        zero = ord(digits[0]) - unicodedata.digit(digits[0])
        return "".join(chr(zero + int(digit)) for digit in drawn.zfill(len(digits)))

    return _NUMBER.sub(exchange, source), _NUMBER.sub(exchange, text)


def draw_pairs(mgsm: Path | None) -> Iterator[dict[str, str]]:
    """Pairs without end, language by language in turn."""
    rng = random.Random(7)
    english = load_texts("en")
    human: dict[str, list[str]] = {}
    if mgsm:
        for code in ("en", *(language.code for language in TARGETS)):
            content = json.loads((mgsm / f"test_{code}.json").read_text("utf-8"))
            human[code] = [row["question"] for row in content]
    while True:
        problem = draw_problem(rng)
        number = rng.randrange(len(human["en"])) if human else 0
        for language in TARGETS:
            if human:
                source, text = renumber(human["en"][number], human[language.code][number], rng)
                yield {"language": language.code, "source_question": source, "question": text}
            sentences = load_texts(language.code).question(problem)
            text = language.sentence_separator.join(sentences)
            yield {"language": language.code, "source_question": " ".join(english.question(problem)), "question": text}


def _cpu_seconds() -> float:
    """Of this process and of those that it has waited for: on a busy machine they tell more than the clock does."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(count: int, workers: int, mgsm: Path | None) -> dict[str, float]:
    """Audit so many pairs in this process."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "pairs.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for _, pair in zip(range(count), draw_pairs(mgsm), strict=False):
                file.write(json.dumps(pair, ensure_ascii=False) + "\n")
        began, busy = time.monotonic(), _cpu_seconds()
        rows = audit(str(path), Path(name) / "out", AuditSettings(workers=workers)).rows
        seconds = time.monotonic() - began
        own, largest = (
            resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        return {"rows": count, "seconds": round(seconds, 1), "cpu_seconds": round(_cpu_seconds() - busy, 1),
                "rows_a_second": round(count / seconds),
                "kept_percent": round(100 * rows["keep"] / count, 2), "peak_rss_mib": round(own),
                "peak_rss_of_a_process_mib": round(largest)}  # fmt: skip


def decide_alone(pairs: list[dict[str, str]]) -> float:
    """Seconds that the checks and the decisions take of pairs in memory, models loaded."""
    settings = CurationSettings.model_validate({"name": "speed", "sources": [{"path": "pairs.jsonl"}]})
    check, decide = make_check_stage(make_checks(settings)), make_decide_stage(settings)
    check.open()
    rows = [{**pair, "id": str(number), "problem_id": str(number)} for number, pair in enumerate(pairs)]
    # A language's words are read with its first row.
    decide.process(check.process(from_rows(rows[:20]), 0), 0)
    tables = [from_rows(rows[start : start + _CHUNK]) for start in range(20, len(rows), _CHUNK)]
    with collecting_seldom():
        began = time.monotonic()
        for table in tables:
            decide.process(check.process(table, 0), 0)
        return time.monotonic() - began


def compare(python: Path, count: int, mgsm: Path | None) -> dict[str, float | dict[str, float]]:
    """Rows a second of both on the same pairs, one process each."""
    with tempfile.TemporaryDirectory() as name:
        path, output = Path(name) / "pairs.jsonl", Path(name) / "peer.json"
        with path.open("w", encoding="utf-8") as file:
            for _, pair in zip(range(count), draw_pairs(mgsm), strict=False):
                file.write(json.dumps(pair, ensure_ascii=False) + "\n")
        began = time.monotonic()
        audit(str(path), Path(name) / "out", AuditSettings(workers=1))
        ours = count / (time.monotonic() - began)
        alone = count / decide_alone([json.loads(line) for line in path.read_text("utf-8").splitlines()])
        subprocess.run([str(python), str(_PEER), str(path), str(output), "--command"], check=True)
        peers = json.loads(output.read_text("utf-8"))
    filters, commands = (
        {f"opusfilter, {name}{step}": count / peer[key] for name, peer in peers.items() for step, key in steps}
        for steps in (
            (("", "seconds"), (", all filters on", "seconds_of_all")),
            ((", all filters on, the command", "seconds_of_command"),),
        )
    )
    return {
        "rows": count,
        "rows_a_second": {
            "mcot, checks alone": round(alone),
            "mcot, the command": round(ours),
            **{name: round(value) for name, value in (filters | commands).items()},
        },
        "times, checks alone": {name: round(alone / value, 1) for name, value in filters.items()},
        "times, the command": {name: round(ours / value, 1) for name, value in (filters | commands).items()},
    }


def main() -> None:
    """Measure each size in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 200_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--mgsm", type=Path)
    parser.add_argument("--peer", type=Path, help="the Python of OpusFilter's environment; without it, no comparison")
    parser.add_argument("--peer-rows", type=int, default=30_000)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.workers, options.mgsm)))
        return
    figures = []
    for size in options.sizes:
        command = [
            sys.executable,
            "-m",
            "benchmarks.audit_speed",
            "--one",
            str(size),
            "--workers",
            str(options.workers),
        ]
        command += ["--mgsm", str(options.mgsm)] if options.mgsm else []
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        figures.append(json.loads(output))
        print(figures[-1], flush=True)
    result: dict[str, object] = {"workers": options.workers, "runs": figures}
    if options.peer:
        result["beside opusfilter, one process each"] = compare(options.peer, options.peer_rows, options.mgsm)
        print(result)
    record("audit_speed", result, packages=("pyarrow",))


if __name__ == "__main__":
    main()
