"""How many solutions with one planted error are kept, and how many untouched ones.

Usage: python benchmarks/solution_errors.py [--data FOLDER] [--problems N] [--seed N], from the repository root;
FOLDER holds gsm8k/train.jsonl.

Self-pairs: the "translation" is GSM8K's own rationale, read as English by every check, with one error planted.
So only what the checks know of mathematics is measured, not how well they read a language. The checks of length
and language, which have no expectation for English, are left out: they could only reject more. Errors are planted
in the written equation and in its calculator mark alike, as a translator who misreads a number makes them, and
all is measured twice: with the marks, and with the marks taken out of both texts.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks._record import record
from curation.checks.answer import AnswerCheck
from curation.checks.base import Check
from curation.checks.equations import EquationsCheck
from curation.checks.numbers import NumbersCheck
from curation.checks.repetition import RepetitionCheck
from curation.decide import decide_row
from mcot.core.rows import from_rows
from mcot.core.settings import DEFAULT_BANDS

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?|\.\d+"
_OPERAND = rf"(?<![\d.,]){_NUMBER}(?![\d,]*\d|%)"
# A written equation with its mark: "48/2 = $<<48/2=24>>24".
_STEP = re.compile(
    rf"(?P<left>[^=\n<>]*?)(?P<equals>\s*=\s*\$?)<<(?P<mark>[^<>=]+)=(?P<value>[^<>=]+)>>(?P<result>{_NUMBER})"
)
_OPERATION = re.compile(rf"(?P<one>{_NUMBER})(?P<gap>\s*)(?P<sign>[-+*/x])(?P<after>\s*\$?)(?P<other>{_NUMBER})")
_MARK = re.compile(r"<<[^<>\n]*>>")
_SIGNS = {"+": "-", "-": "+", "*": "+", "x": "+", "/": "*"}

Plant = Callable[[str, random.Random], str | None]


def _changed(number: str, rng: random.Random) -> str:
    """Another number of as many digits: one digit is another one."""
    places = [place for place, character in enumerate(number) if character.isdigit()]
    place = rng.choice(places)
    digits = set("123456789") - {number[place]}
    return number[:place] + rng.choice(sorted(digits)) + number[place + 1 :]


def _in_step(text: str, rng: random.Random, change: Callable[[re.Match[str]], str | None]) -> str | None:
    """The text with one of its steps' equations changed."""
    steps = list(_STEP.finditer(text))
    rng.shuffle(steps)
    for step in steps:
        if (changed := change(step)) is not None and changed != step[0]:
            return text[: step.start()] + changed + text[step.end() :]
    return None


def _in_operation(step: re.Match[str], change: Callable[[re.Match[str]], str]) -> str | None:
    """A step with its last operation changed, in the written equation and in the mark."""
    written, marked = list(_OPERATION.finditer(step["left"])), list(_OPERATION.finditer(step["mark"]))
    if not written or not marked:
        return None
    left, mark = written[-1], marked[-1]
    new_left = step["left"][: left.start()] + change(left) + step["left"][left.end() :]
    new_mark = step["mark"][: mark.start()] + change(mark) + step["mark"][mark.end() :]
    return f"{new_left}{step['equals']}<<{new_mark}={step['value']}>>{step['result']}"


def change_operand(text: str, rng: random.Random) -> str | None:
    """48/2 = 24 becomes 43/2 = 24."""
    seed = rng.random()

    def change(step: re.Match[str]) -> str | None:
        def operand(match: re.Match[str]) -> str:
            return _changed(match["one"], random.Random(seed)) + match[0][len(match["one"]) :]

        return _in_operation(step, operand)

    return _in_step(text, rng, change)


def change_operator(text: str, rng: random.Random) -> str | None:
    """48/2 = 24 becomes 48*2 = 24."""

    def operator(match: re.Match[str]) -> str:
        return f"{match['one']}{match['gap']}{_SIGNS[match['sign']]}{match['after']}{match['other']}"

    return _in_step(text, rng, lambda step: _in_operation(step, operator))


def change_result(text: str, rng: random.Random) -> str | None:
    """48/2 = 24 becomes 48/2 = 29."""

    def change(step: re.Match[str]) -> str:
        result = _changed(step["result"], rng)
        return f"{step['left']}{step['equals']}<<{step['mark']}={result.replace(',', '')}>>{result}"

    return _in_step(text, rng, change)


def swap_operands(text: str, rng: random.Random) -> str | None:
    """48/2 = 24 becomes 2/48 = 24."""

    def operation(match: re.Match[str]) -> str:
        return f"{match['other']}{match['gap']}{match['sign']}{match['after']}{match['one']}"

    return _in_step(text, rng, lambda step: _in_operation(step, operation))


def swap_results(text: str, rng: random.Random) -> str | None:
    """Two steps have each other's result."""
    steps = list(_STEP.finditer(text))
    pairs = [(a, b) for a in steps for b in steps if a.start() < b.start() and a["value"] != b["value"]]
    if not pairs:
        return None
    one, other = rng.choice(pairs)
    parts = [text[: one.start("value")], f"{other['value']}>>{other['result']}", text[one.end() : other.start("value")]]
    return "".join([*parts, f"{one['value']}>>{one['result']}", text[other.end() :]])


def _steps(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def drop_step(text: str, rng: random.Random) -> str | None:
    """One line is left out; never the final answer's."""
    lines = _steps(text)
    if len(lines) < 3:
        return None
    del lines[rng.randrange(len(lines) - 1)]
    return "\n".join(lines)


def swap_steps(text: str, rng: random.Random) -> str | None:
    """Two lines change places."""
    lines = _steps(text)
    if len(lines) < 3:
        return None
    one, other = rng.sample(range(len(lines) - 1), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def repeat_step(text: str, rng: random.Random) -> str | None:
    """One line stands twice."""
    lines = _steps(text)
    place = rng.randrange(len(lines) - 1) if len(lines) > 1 else 0
    return "\n".join([*lines[:place], lines[place], *lines[place:]])


PLANTS: dict[str, Plant] = {
    "untouched": lambda text, _: text,
    "operand changed": change_operand,
    "operator changed": change_operator,
    "result changed": change_result,
    "operands swapped": swap_operands,
    "results swapped": swap_results,
    "step dropped": drop_step,
    "steps swapped": swap_steps,
    "step repeated": repeat_step,
}


def kept(pairs: list[tuple[str, str, str]], checks: list[Check]) -> list[bool]:
    """Whether each pair of source, translation and gold answer is kept under the default thresholds."""
    rows = [
        {"id": str(number), "language": "en", "source_rationale": source, "rationale": text, "answer": answer}
        for number, (source, text, answer) in enumerate(pairs)
    ]
    table = from_rows(rows)
    scored = [check.score(table) for check in checks]
    fields = {name: values for one in scored for name, values in one.scores.items()}
    return [
        decide_row({name: values[row] for name, values in fields.items()}, [], DEFAULT_BANDS)[0] == "keep"
        for row in range(len(rows))
    ]


def main(data: Path, problems: int, seed: int) -> None:
    """Plant, decide and record."""
    path = data / "gsm8k" / "train.jsonl"
    if not path.is_file():
        sys.exit(f"--data: got {data}, which has no gsm8k/train.jsonl; give the folder of GSM8K")
    lines = path.read_text("utf-8").splitlines()
    rationales = [json.loads(line)["answer"] for line in random.Random(seed).sample(lines, min(problems, len(lines)))]
    checks: list[Check] = [NumbersCheck(), EquationsCheck(), AnswerCheck(), RepetitionCheck()]
    figures: dict[str, dict[str, dict[str, float]]] = {"marks": {}, "no_marks": {}}
    for name, plant in PLANTS.items():
        rng = random.Random(f"{seed} {name}")
        pairs = []
        for text in rationales:
            planted = plant(text, rng)
            if planted is not None and (name == "untouched" or planted != text):
                pairs.append((text, planted, text.rpartition("####")[2].strip()))
        bare = [(_MARK.sub("", text), _MARK.sub("", planted), answer) for text, planted, answer in pairs]
        for style, texts in (("marks", pairs), ("no_marks", bare)):
            decisions = kept(texts, checks)
            share = round(100 * sum(decisions) / max(1, len(decisions)), 2)
            figures[style][name] = {"pairs": len(decisions), "kept_percent": share}
    record(
        "solution_errors", {"data": "gsm8k train", "seed": seed, "checks": [c.name for c in checks], "kept": figures}
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="by default ../shared/data")
    parser.add_argument("--problems", type=int, default=1000, help="GSM8K problems drawn (default 1000)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    main(arguments.data, arguments.problems, arguments.seed)
