"""Several models on several benchmarks: each one's report, and the paper's table of models and languages."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.console import Console

from evaluation.backends import make_backend
from evaluation.feedback import make_feedback
from evaluation.generate import Answers, generate
from evaluation.metrics import measure
from evaluation.page import accuracy_intervals, render_study
from evaluation.problems import ProblemSet, read_problems
from evaluation.prompts import make_prompt
from evaluation.report import print_metrics, write_report
from evaluation.score import score_samples
from evaluation.settings import EvaluationSettings, ModelSettings
from mcot.core.facts import plain_facts
from mcot.core.files import write_file, write_json
from mcot.core.progress import say
from mcot.core.runs import open_run, sign
from mcot.core.settings_file import dump_settings

__all__ = ["Result", "make_study", "run_study", "show_markdown"]


class Result(NamedTuple):
    """One model on one benchmark.

    Attributes:
        model: its name.
        benchmark: the benchmark's name.
        metrics: as `metrics.json` holds them.
    """

    model: str
    benchmark: str
    metrics: Mapping[str, Any]

    @property
    def folder(self) -> str:
        """Where its report is, in the study's folder."""
        return f"{self.model}/{self.benchmark}"


def run_study(settings: EvaluationSettings, console: Console | None = None) -> list[Result]:
    """Have every model answer every problem, score the answers, and write what there is to be read.

    The folder then has `<model>/<benchmark>/` with `metrics.json`, `samples.parquet`, `feedback.json`, `heatmap.png`,
    `heatmap.svg` and `report.html`; `generations/<model>.jsonl`; and `study.json`, `study.md` and `study.html`. Stopped
    at any moment and started again, it goes on, and comes to the same bytes.

    Args:
        settings: which models, which benchmarks, where to.
        console: where the tables are printed; standard output by default.

    Raises:
        UserError: a setting, a model, a benchmark or the folder is not what it should be.
        StageError: a server could not be reached.
    """
    sets = [
        read_problems(
            name, path, revision=settings.revisions.get(name), languages=settings.languages, limit=settings.limit
        )
        for name, path in settings.benchmarks.items()
    ]
    _check_prompts(settings, sets)
    # Before the first model is asked: a mistake in the last one should not be found hours later.
    backends = [make_backend(model) for model in settings.models]
    with open_run(settings.folder, identity=["evaluation"], settings=dump_settings(settings)):
        results: list[Result] = []
        for model, backend in zip(settings.models, backends, strict=True):
            file = settings.folder / "generations" / f"{model.title}.jsonl"
            answers = generate(model, sets, file, seed=settings.seed, backend=backend)
            if not answers.generated:
                say(f"{model.title}: every answer is there from before")
            results += _report(settings, model, sets, answers)
        for result in results:
            print_metrics(result.metrics, title=f"{result.model} on {_title(sets, result)}", console=console)
        _write_study(settings, sets, results)
    return results


def _check_prompts(settings: EvaluationSettings, sets: Sequence[ProblemSet]) -> None:
    """See that every model can be asked in every language before the first one is loaded."""
    for model in settings.models:
        for language in dict.fromkeys(code for one in sets for code in one.problems):
            make_prompt("", language, model.prompt)


def _report(
    settings: EvaluationSettings, model: ModelSettings, sets: Sequence[ProblemSet], answers: Answers
) -> Iterator[Result]:
    """Score a model's answers and write its reports."""
    for one, samples in zip(sets, answers.samples, strict=True):
        scored = score_samples(samples, settings.scorer)
        measured = measure(scored, resamples=settings.resamples, seed=settings.seed)
        facts = {
            "benchmark": {"name": one.name, "revision": one.revision, "signature": one.signature},
            "model": {"name": model.title, "model": plain_facts(model.model), "revision": answers.revision},
            **plain_facts(model.model_dump(mode="json", include={"backend", "prompt", "sampling"})),
        }
        # As sacreBLEU does it: one line that says what the figures depend on.
        prompt = sign(model.prompt.style, model.prompt.text, model.prompt.cue, samples["prompt"].to_pylist())
        signature = "|".join(
            [
                f"benchmark:{one.name}@{one.revision or one.signature}",
                f"model:{model.title}@{answers.revision or model.backend}",
                f"prompt:{model.prompt.style}.{model.prompt.cue}.{prompt[:8]}",
                f"decoding:{_decoding(model, settings.seed)}",
                measured.signature,
            ]
        )
        metrics = {**measured.to_json(), "signature": signature, **facts}
        result = Result(model.title, one.name, metrics)
        title = f"{model.title} on {one.title}"
        feedback = make_feedback(scored, resamples=settings.resamples, seed=settings.seed)
        write_json(settings.folder / result.folder / "feedback.json", feedback)
        write_report(settings.folder / result.folder, scored, metrics, title=title, facts=facts)
        yield result


def _decoding(model: ModelSettings, seed: int) -> str:
    sampling = model.sampling
    drawn = f"t{sampling.temperature:g}.p{sampling.top_p:g}.seed{seed}" if sampling.temperature else "greedy"
    if sampling.temperature is None:
        drawn = "server"
    return f"{drawn}.{sampling.max_new_tokens}"


def _title(sets: Sequence[ProblemSet], result: Result) -> str:
    return next(one.title for one in sets if one.name == result.benchmark)


def make_study(settings: EvaluationSettings, sets: Sequence[ProblemSet], results: Sequence[Result]) -> dict[str, Any]:
    """The study as `study.json` holds it.

    `name`, `scorer`, `models` (their names), `settings` (without paths), and `benchmarks`: each one's `name`,
    `title`, `problems` (how many), `languages`, and `rows`: a model's `model`, `folder`, `signature`, its mean
    `correct_consistency` and `incorrect_consistency`, and `cells`: by language and for the `mean`, `value` and
    `interval` in percent, and whether it is the `best` of its column.
    """
    benchmarks = []
    for one in sets:
        own = [result for result in results if result.benchmark == one.name]
        columns = [*own[0].metrics["accuracy"], "mean"]
        best = {column: max(_value(result, column) for result in own) for column in columns}
        rows = [
            {
                "model": result.model,
                "folder": result.folder,
                "signature": result.metrics["signature"],
                "cells": {
                    column: {
                        "value": _value(result, column),
                        "interval": accuracy_intervals(result.metrics).get(column),
                        "best": _value(result, column) == best[column],
                    }
                    for column in columns
                },
                **{key: result.metrics["means"].get(key) for key in ("correct_consistency", "incorrect_consistency")},
            }
            for result in own
        ]
        problems = own[0].metrics["problems"]
        entry = {"name": one.name, "title": one.title, "problems": problems, "languages": columns[:-1], "rows": rows}
        benchmarks.append(entry)
    return {
        "name": settings.name,
        "scorer": settings.scorer,
        "models": [model.title for model in settings.models],
        "benchmarks": benchmarks,
        "settings": plain_facts(settings.model_dump(mode="json", exclude={"output"})),
    }


def _value(result: Result, column: str) -> float:
    return float(result.metrics["means"]["accuracy"] if column == "mean" else result.metrics["accuracy"][column])


def show_markdown(study: Mapping[str, Any]) -> str:
    """The study's tables as Markdown: models by languages, accuracy in percent with its interval."""
    parts = [f"# {study['name']}", f"Scored by `{study['scorer']}`; 95% intervals by bootstrap over problems."]
    for benchmark in study["benchmarks"]:
        columns = [*benchmark["languages"], "mean"]
        lines = [
            f"| model | {' | '.join(columns)} | both right | same wrong |",
            f"| --- |{' ---: |' * (len(columns) + 2)}",
        ]
        for row in benchmark["rows"]:
            cells = [_markdown_cell(row["cells"][column]) for column in columns]
            cells += [
                "–" if row[key] is None else f"{row[key]:.1f}"
                for key in ("correct_consistency", "incorrect_consistency")
            ]
            lines.append(f"| {row['model']} | {' | '.join(cells)} |")
        parts += [f"## {benchmark['title']}, {benchmark['problems']} problems", "\n".join(lines)]
        parts.append("\n".join(f"- {row['model']}: `{row['signature']}`" for row in benchmark["rows"]))
    return "\n\n".join(parts) + "\n"


def _markdown_cell(cell: Mapping[str, Any]) -> str:
    interval = "" if cell["interval"] is None else f" ({cell['interval'][0]:.1f}–{cell['interval'][1]:.1f})"
    value = f"{cell['value']:.1f}"
    return (f"**{value}**" if cell["best"] else value) + interval


def _write_study(settings: EvaluationSettings, sets: Sequence[ProblemSet], results: Sequence[Result]) -> None:
    study = make_study(settings, sets, results)
    pictures = {
        result.folder: "data:image/png;base64,"
        + base64.b64encode((settings.folder / result.folder / "heatmap.png").read_bytes()).decode()
        for result in results
    }
    write_file(settings.folder / "study.html", render_study(study, pictures))
    write_file(settings.folder / "study.md", show_markdown(study))
    write_json(settings.folder / "study.json", study)
