"""An evaluation as HTML pages that need nothing but themselves.

The pages have no script. What can be chosen in them is done with form controls, `<details>` and CSS, so their
Content-Security-Policy forbids everything but their own style and pictures.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from jinja2 import Environment

from evaluation.heatmap import find_pair
from mcot.core.characters import clean
from mcot.core.languages import ENGLISH
from mcot.core.pages import make_environment

__all__ = ["render_report", "render_study"]

TEMPLATES = Path(__file__).parent / "templates"

# Problems that a page shows, and characters of a text. Eleven languages of a thousand are 10 MB.
_MOST = 1000
_LONGEST = 6000

_COLUMNS = (
    "language", "problem", "variant", "question", "gold", "response", "ended", "prediction", "correct",
    "response_language",
)  # fmt: skip


def render_report(samples: pa.Table, metrics: Mapping[str, Any], *, title: str, facts: Mapping[str, Any]) -> str:
    """The page of one model on one benchmark.

    Args:
        samples: scored, of `evaluation.samples.SCHEMA`.
        metrics: of these samples, as `metrics.json` holds them.
        title: of the page.
        facts: what the figures depend on, shown as it is.
    """
    codes = list(metrics["accuracy"])
    problems = _group(samples, codes)
    wrong = [problem for problem in problems if problem["wrong"]]
    shown = wrong[:_MOST]
    accuracy = metrics["accuracy"]
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            title=title,
            metrics=metrics,
            codes=codes,
            accuracy=accuracy,
            mean=metrics["means"]["accuracy"],
            best=max(codes, key=lambda code: accuracy[code]),
            worst=min(codes, key=lambda code: accuracy[code]),
            intervals=accuracy_intervals(metrics),
            unread=Counter(code for one in problems for code, sample in one["samples"].items() if sample["unread"]),
            matrix=_matrix(codes, metrics),
            count=len(problems),
            right=len(problems) - len(wrong),
            wrong_count=len(wrong),
            every=sum(problem["every"] for problem in wrong),
            problems=shown,
            shown_every=sum(problem["every"] for problem in shown),
            wrong_in=Counter(code for problem in shown for code in problem["wrong"]),
            nothing=_empty_choices(shown, codes),
            facts=facts,
        )
    )


def render_study(study: Mapping[str, Any], pictures: Mapping[str, str]) -> str:
    """The page of several models: a table a benchmark, and their heat maps.

    Args:
        study: as `study.json` holds it.
        pictures: by `model/benchmark`, the heat map as a `data:` address.
    """
    return _environment().get_template("study.html.jinja").render(study=study, pictures=pictures)


def accuracy_intervals(metrics: Mapping[str, Any]) -> dict[str, Sequence[float]]:
    """The interval of each language's accuracy, and of the `mean`: from, to in percent; empty where there are none."""
    intervals = metrics["intervals"]
    means = {"mean": intervals["means"]["accuracy"]} if "means" in intervals else {}
    return {**intervals.get("accuracy", {}), **means}


def _group(samples: pa.Table, codes: Sequence[str]) -> list[dict[str, Any]]:
    """The problems in the samples' order, each with its samples by language."""
    groups: dict[tuple[str, int], dict[str, dict[str, Any]]] = {}
    for sample in samples.select(list(_COLUMNS)).to_pylist():
        groups.setdefault((sample["problem"], sample["variant"]), {})[sample["language"]] = sample
    return [_describe(*key, {code: own[code] for code in codes}) for key, own in groups.items()]


def _describe(problem: str, variant: int, samples: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    wrong = [code for code, sample in samples.items() if not sample["correct"]]
    # As values: a half is one answer, however it is written.
    said = Counter(Fraction(read) for code in wrong if (read := samples[code]["prediction"]) is not None)
    for code, sample in samples.items():
        read, answered = sample["prediction"], sample["response_language"]
        sample |= {
            "unread": read is None,
            "shared": code in wrong and read is not None and said[Fraction(read)] > 1,
            "strayed": answered if answered and answered != code else None,
            "question": _clip(sample["question"]),
            "response": _clip(sample["response"]),
        }
    return {
        "title": f"Problem {problem}, variant {variant}" if variant else f"Problem {problem}",
        "gold": next(iter(samples.values()))["gold"],
        "wrong": wrong,
        "every": len(wrong) == len(samples),
        "samples": samples,
        # To be read side by side: what most readers can read comes first.
        "cards": dict(sorted(samples.items(), key=lambda pair: pair[0] != ENGLISH.code)),
    }


def _empty_choices(problems: Sequence[Mapping[str, Any]], codes: Sequence[str]) -> list[tuple[str, str]]:
    """What can be chosen in the page and leaves no problem: wrong in every or in some languages, and in which one."""
    there = {("every" if one["every"] else "some", code) for one in problems for code in ("any", *one["wrong"])}
    there |= {("any", code) for _, code in there}
    return [(show, code) for show in ("any", "every", "some") for code in ("any", *codes) if (show, code) not in there]


def _clip(text: str | None) -> str:
    text = clean(text or "")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + " […]"


def _matrix(codes: Sequence[str], metrics: Mapping[str, Any]) -> list[list[tuple[str, float | None]]]:
    """The consistency of every pair as the heat map has it, with the kind of each cell."""
    correct, incorrect = metrics["correct_consistency"], metrics["incorrect_consistency"]

    def cell(row: int, column: int) -> tuple[str, float | None]:
        a, b = codes[row], codes[column]
        if row == column:
            return "accuracy", metrics["accuracy"][a]
        return ("correct", find_pair(correct, a, b)) if row < column else ("incorrect", find_pair(incorrect, a, b))

    return [[cell(row, column) for column in range(len(codes))] for row in range(len(codes))]


@cache
def _environment() -> Environment:
    environment = make_environment(TEMPLATES)
    environment.filters |= {
        "number": lambda value: "–" if value is None else f"{value:,}",
        "percent": lambda value: "–" if value is None else f"{value:.1f}%",
    }
    return environment
