"""`mcot train`: the curated set into a model, and what the model can do."""

import os
from pathlib import Path
from typing import Annotated

import typer

from mcot.core.benchmarks import BENCHMARKS, make_benchmark
from mcot.core.errors import SettingsError, choose
from mcot.core.progress import say

__all__ = ["train"]


def train(
    settings: Annotated[Path, typer.Argument(help="A YAML file: a preset, the run, and what is to differ.")],
    evaluate: Annotated[
        list[str] | None,
        typer.Option(help="Measure the result on mgsm, msvamp or gsm8k (the Hub's), or mgsm=FOLDER; may be repeated."),
    ] = None,
) -> None:
    """Fine-tune a causal language model on a run's dataset.

    `preset: demo-cpu | lora-7b | full-7b | full-7b-fsdp`, `run:` (the folder of `mcot curate`) and any key over the
    preset's. Stopped at any moment and started again it goes on from the last checkpoint; done, it is left alone.

    With --evaluate the trained model answers the benchmark's problems, and the folder gets evaluation/ as
    `mcot evaluate` writes it.
    """
    from mcot.core.settings_file import load_settings
    from mcot.round_record import note
    from training.settings import TrainingSettings
    from training.sft import train as run

    benchmarks = dict(map(_benchmark, evaluate or []))
    loaded = load_settings(settings, TrainingSettings)
    if benchmarks:
        from mcot.train import plan_evaluation

        # Before hours of training, not after them.
        plan_evaluation(loaded, benchmarks, model="not trained yet")
        for name, place in benchmarks.items():
            make_benchmark(name, place)
    trained = run(loaded)
    if int(os.environ.get("RANK", "0")) == 0:
        note(loaded.run, trained=trained.folder)
    say(f"{trained.folder}: {'trained' if trained.fresh else 'was trained before'}; the model is in {trained.model}")
    if benchmarks and int(os.environ.get("RANK", "0")) == 0:
        from mcot.train import evaluate_trained

        results = evaluate_trained(loaded, trained, benchmarks)
        note(loaded.run, evaluation=trained.folder / "evaluation")
        say(f"{trained.folder / 'evaluation'}: {len(results)} reports; open study.html there")


def _benchmark(given: str) -> tuple[str, str | None]:
    """The name of a benchmark and where it is, of "mgsm" or "mgsm=FOLDER"."""
    name, _, place = given.partition("=")
    if name not in BENCHMARKS:
        raise SettingsError(f"--evaluate: got {given!r}; {choose(name, BENCHMARKS)}, or with its folder: {name}=FOLDER")
    return name, place or None
