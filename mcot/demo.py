"""The whole job on the embedded default, readable from top to bottom.

The problems are drawn by the generator, written as GSM8K writes its own, and curated by the same code as any
other source with any other model.
"""

import json
import random
from pathlib import Path

from curation.demo.generator import Problem, draw_problem, held_out_words, load_texts, problem_templates
from curation.finish import Outcome
from curation.pipeline import curate
from mcot.core.errors import RunError, SettingsError
from mcot.core.files import write_file
from mcot.core.settings import CurationSettings
from mcot.core.settings_file import load_settings, parse_settings

__all__ = ["demo_settings", "run_demo", "show_as_gsm8k", "write_problems"]

# In the run's folder: nothing beside it is touched. A name that a new run's folder may hold (`open_run`).
_PROBLEMS = ".problems.jsonl"


def write_problems(path: Path, count: int, *, seed: int = 2024) -> None:
    """Write problems that the embedded model was not trained on, as GSM8K's JSONL."""
    rng, templates = random.Random(seed), problem_templates()
    lines = []
    for index in range(count):
        template = templates[index % len(templates)]
        lines.append(show_as_gsm8k(draw_problem(rng, template, **held_out_words(template["id"]))))
    write_file(path, "\n".join(lines) + "\n")


def show_as_gsm8k(problem: Problem, question: str | None = None) -> str:
    """A problem as a line of GSM8K's JSONL, with its own question or another."""
    english = load_texts("en")
    solution = "\n".join([*english.solution(problem), f"#### {problem.answer}"])
    return json.dumps({"question": question or " ".join(english.question(problem)), "answer": solution})


def demo_settings(output: Path) -> CurationSettings:
    """Settings of the demo: what `mcot curate` would read from a file.

    Raises:
        SettingsError: `output` begins with the `~` of nobody.
    """
    source = {"path": str(output / _PROBLEMS), "format": "gsm8k", "name": "demo", "license": "Apache-2.0"}
    content = {
        "name": "demo",
        "output": output,
        "sources": [source],
        "translator": {"model": "demo"},
        # Its problems are drawn here, and no network is to be needed.
        "contamination": {},
        "shard_rows": 20,
    }
    return parse_settings(content, "--output", CurationSettings)


def run_demo(output: Path, count: int) -> Outcome:
    """Write the problems into the run's folder and curate them; run again, go on or do what has changed.

    Raises:
        RunError: the folder holds something else, which is left as it is.
    """
    settings = demo_settings(output)
    if not _may_hold_demo(settings):
        what = "holds something else than a run of the demo" if settings.folder.is_dir() else "is a file"
        raise RunError(
            f"run folder {settings.folder}: {what}; valid: a new or empty folder, or one of an earlier demo; "
            "give another --output"
        )
    write_problems(settings.folder / _PROBLEMS, count)
    return curate(settings)


def _may_hold_demo(settings: CurationSettings) -> bool:
    """Whether the run's folder is new, empty or the demo's. Only looks."""
    folder = settings.folder
    if not folder.exists() or (folder / _PROBLEMS).exists():
        return True
    if not folder.is_dir():
        return False
    if all(path.name.startswith(".") for path in folder.iterdir()):
        return True
    # A copy of the demo's run without its hidden files.
    try:
        return load_settings(folder / "settings.yaml", CurationSettings).sources == settings.sources
    except SettingsError:
        return False
