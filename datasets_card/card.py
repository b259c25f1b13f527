"""The dataset's card, its pictures and its Croissant metadata: all generated from the run, nothing written by hand."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment
from markupsafe import Markup

from datasets_card.changes import find_changes
from datasets_card.checks import list_thresholds
from datasets_card.citations import find_citations
from datasets_card.croissant import make_croissant
from datasets_card.escaping import as_code, as_lines, as_preformatted, as_text, shorten
from datasets_card.examples import pick_examples
from datasets_card.fields import COLUMNS
from datasets_card.figures import show_bytes, show_count, show_interval, show_percent
from datasets_card.limits import Limit, find_limits, is_demo, join
from datasets_card.metadata import config_name, make_metadata, show_name
from datasets_card.pictures import draw_precision, draw_rows
from datasets_card.publication import ALL, Config, Staged
from datasets_card.scores import CHRF_SIGNATURE
from datasets_card.settings import PublishSettings
from datasets_card.statistics import Statistics, gather_statistics
from mcot.core.languages import LANGUAGES
from mcot.core.pages import make_environment

__all__ = ["make_card"]

_ROWS, _PRECISION = "images/rows.png", "images/precision.png"
# Characters of an example's text at most: the longest solution of GSM8K has about 1,100.
_SHOWN = 1_500
_NUMBER = re.compile(r"\d+$")


def make_card(
    run: Path, staged: Staged, settings: PublishSettings, *, previous: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """What stands beside a repository's data.

    Args:
        run: the folder of a finished run.
        staged: the data, as they will be published.
        settings: with the licence and the tag that the repository gets; a licence that is None is not named.
        previous: the record (`mcot.json`) of the state published before this one.

    Returns:
        Files by their path relative to the repository: `README.md`, `croissant.json`, `images/*.png`. The same run
        and settings give the same bytes.

    Raises:
        RunError: the run has no report, or a file of its review is damaged or older than the decisions that stand.
    """
    statistics = gather_statistics(run, staged)
    tag = settings.tag or "round-1"
    pictures = _draw(statistics)
    citations = find_citations(statistics.settings.get("sources") or [], statistics.translators)
    limits = find_limits(statistics)
    content = {
        "metadata": _dump(make_metadata(statistics, staged, settings)),
        "name": show_name(settings),
        "repo_id": settings.repo_id,
        "license": settings.license,
        "tag": tag,
        "staged": staged,
        "configs": sorted(staged.configs, key=_config_order),
        "all": ALL,
        "statistics": statistics,
        "reviews": statistics.reviews,
        "judged": [one.name for one in statistics.languages if one.precision],
        "report": statistics.report,
        "settings": statistics.settings,
        "is_demo": is_demo(statistics),
        "pictures": set(pictures),
        "thresholds": list_thresholds(statistics.report, [one.code for one in statistics.languages]),
        "columns": COLUMNS,
        "chrf_signature": CHRF_SIGNATURE,
        "examples": pick_examples(staged),
        "limits": limits,
        "changes": find_changes(previous, statistics, staged, settings.license),
        "citations": citations,
        "settings_text": _dump(statistics.settings),
    }
    card = _environment().get_template("card.md.jinja").render(content)
    facts = _facts(statistics, settings, tag, limits, citations, _finished(run))
    croissant = make_croissant(staged, facts, repo_id=settings.repo_id, tag=tag)
    return {
        "README.md": card.encode("utf-8"),
        "croissant.json": (json.dumps(croissant, ensure_ascii=False, indent=1) + "\n").encode("utf-8"),
        **pictures,
    }


def _config_order(config: Config) -> tuple[int, int]:
    """`all`, the languages in the project's order, and what stands beside them."""
    codes = list(LANGUAGES)[1:] + list(LANGUAGES)[:1]
    return (0, 0) if config.name == ALL else (1, codes.index(config.name)) if config.name in codes else (2, 0)


def _draw(statistics: Statistics) -> dict[str, bytes]:
    pictures = {}
    if statistics.languages:
        pictures[_ROWS] = draw_rows(statistics.languages)
    if known := [one for one in statistics.languages if one.precision]:
        pictures[_PRECISION] = draw_precision(known)
    return pictures


@cache
def _environment() -> Environment:
    environment = make_environment(Path(__file__).parent / "templates")
    # Whatever a template prints is escaped for Markdown as well as for HTML, unless a filter has done it.
    environment.finalize = lambda value: value if hasattr(value, "__html__") else as_text(value)
    environment.keep_trailing_newline = True
    environment.filters |= {
        "bytes": _plain(show_bytes),
        "code": as_code,
        "config": config_name,
        "count": _plain(show_count),
        "interval": _plain(show_interval),
        "join_names": join,
        "lines": lambda text: as_lines(shorten(text, _SHOWN)),
        "preformatted": as_preformatted,
        "percent": _plain(show_percent),
    }
    return environment


def _plain(show: Callable[..., str]) -> Callable[..., Markup]:
    """A way to write numbers, in which nothing is to be escaped."""
    return lambda *values: Markup(show(*values))  # noqa: S704


def _dump(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False, width=120)


def _finished(run: Path) -> str:
    """The day on which the run was finished: a card that is made again says the same."""
    return datetime.fromtimestamp((run / "report.json").stat().st_mtime, UTC).date().isoformat()


def _facts(
    statistics: Statistics,
    settings: PublishSettings,
    tag: str,
    limits: Sequence[Limit],
    citations: Mapping[str, str],
    finished: str,
) -> dict[str, Any]:
    """What Croissant says of the dataset as a whole."""
    names = [one.name for one in statistics.languages]
    number = _NUMBER.search(tag)
    reviews = statistics.reviews
    facts = {
        "name": show_name(settings),
        "description": f"Math word problems with solutions in steps, translated from English into {join(names)}, "
        "with every score, back-translation and decision of every row.",
        "license": settings.license,
        "creator": {"@type": "sc:Organization", "name": settings.repo_id.partition("/")[0]},
        "version": f"{number[0] if number else 1}.0.0",
        "datePublished": finished,
        "inLanguage": [one.code for one in statistics.every],
        "keywords": ["mathematics", "word problems", "chain of thought", "multilingual", "machine translation"],
        "citeAs": "\n\n".join(citations.values()),
        "rai:dataLimitations": [f"{limit.title}: {limit.text}" for limit in limits],
        "rai:machineAnnotationTools": list(statistics.translators),
        "rai:dataUseCases": ["Supervised fine-tuning of models that solve math word problems step by step"],
        "rai:personalSensitiveInformation": ["Annotators appear under pseudonyms"] if reviews.annotators else None,
    }
    return {key: value for key, value in facts.items() if value}
