"""The whole job on the embedded default, readable from top to bottom.

The problems are drawn by the generator, written as GSM8K writes its own, and curated by the same code as any
other source with any other model.
"""

import json
import random
from pathlib import Path

from curation.demo.generator import draw_problem, held_out_words, load_texts, problem_templates
from curation.pipeline import curate
from mcot.core.progress import say
from mcot.core.runs import write_file
from mcot.core.settings import CurationSettings

__all__ = ["demo_settings", "run_demo", "write_problems"]


def write_problems(path: Path, count: int, *, seed: int = 2024) -> None:
    """Write problems that the embedded model was not trained on, as GSM8K's JSONL."""
    rng, english, templates = random.Random(seed), load_texts("en"), problem_templates()
    lines = []
    for index in range(count):
        template = templates[index % len(templates)]
        problem = draw_problem(rng, template, **held_out_words(template["id"]))
        solution = "\n".join([*english.solution(problem), f"#### {problem.answer}"])
        lines.append(json.dumps({"question": " ".join(english.question(problem)), "answer": solution}))
    write_file(path, "\n".join(lines) + "\n")


def demo_settings(output: Path, problems: Path) -> CurationSettings:
    """Settings of the demo: what `mcot curate` would read from a file."""
    return CurationSettings.model_validate(
        {
            "name": "demo",
            "output": output,
            "sources": [{"path": str(problems), "format": "gsm8k", "name": "demo", "license": "Apache-2.0"}],
            "translator": {"model": "demo"},
            "shard_rows": 20,
        }
    )


def run_demo(output: Path, count: int) -> None:
    """Write the problems, curate them, and say where to look."""
    problems = output.with_name(f"{output.name}-problems.jsonl")
    write_problems(problems, count)
    outcome = curate(demo_settings(output, problems))
    rows = outcome.rows
    say(f"\n{count} problems, {sum(rows.values())} rows: {rows['dataset']} kept, {rows['review']} to review, "
        f"{rows['rejected']} rejected.")  # fmt: skip
    say(f"Read the report:   {outcome.folder / 'report.html'}")
    say(f"Load the dataset:  datasets.load_dataset({str(outcome.folder / 'dataset')!r}, 'sw')")
