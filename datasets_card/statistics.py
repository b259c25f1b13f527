"""Everything that a card says in figures, read from the run and from the rows that are published."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from datasets_card.figures import Measured
from datasets_card.publication import Config, Staged
from datasets_card.reviews import Precision, Reviews, read_reviews
from datasets_card.scores import PARTS, Published, read_published
from mcot.core.benchmarks import BENCHMARKS, Benchmark
from mcot.core.errors import RunError
from mcot.core.files import read_json
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.progress import Progress

__all__ = ["LanguageFigures", "Origin", "Reason", "Statistics", "gather_statistics"]


# Annotators may be people or programs, which the report does not tell apart.
_MEANINGS = {"review.rejected": "Annotators rejected it."}

_Key = TypeVar("_Key", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Reason:
    """Why rows were not kept.

    Attributes:
        name: as rows have it, such as `numbers.changed`.
        meaning: in a sentence.
        rows: whose strongest reason it is, so that every row counts once.
    """

    name: str
    meaning: str
    rows: int


@dataclass(frozen=True, slots=True)
class LanguageFigures:
    """A language of the dataset.

    Attributes:
        code: ISO 639-1.
        name: in English.
        rows: that are published.
        keep: rows that the run kept; so are the next two.
        review: left for people to decide.
        drop: dropped.
        reasons: of the rows that were not kept, the most frequent first.
        chrf: mean chrF++ of the published rows, 0 to 100, of `question` and `rationale`; without what was not scored.
        precision: of the kept rows, by people's verdicts; None where there are none.
        accepted: published rows that people accepted.
        corrected: published rows that people corrected.
    """

    code: str
    name: str
    rows: int
    keep: int
    review: int
    drop: int
    reasons: tuple[Reason, ...]
    chrf: Mapping[str, Measured]
    precision: Precision | None
    accepted: int
    corrected: int

    @property
    def translated(self) -> int:
        """How many translations there were to decide on."""
        return self.keep + self.review + self.drop


@dataclass(frozen=True, slots=True)
class Origin:
    """Where English problems came from: a source as rows name it, its licence, and its rows in the dataset."""

    name: str
    license: str
    rows: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """A run and what is published of it.

    Attributes:
        report: the run's `report.json`.
        languages: of translations, in the project's order.
        english: the English originals; None where they are not published.
        origins: sources, the one of most rows first.
        translators: as rows name them, the one of most rows first.
        reviews: what people said.
        benchmarks: whose problems were looked for, by title.
        unread: benchmarks that should have been looked for and could not be read, by title.
    """

    report: Mapping[str, Any]
    languages: tuple[LanguageFigures, ...]
    english: LanguageFigures | None
    origins: tuple[Origin, ...]
    translators: tuple[str, ...]
    reviews: Reviews
    benchmarks: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def every(self) -> tuple[LanguageFigures, ...]:
        """The translations' languages, then English."""
        return (*self.languages, *([self.english] if self.english else []))

    @property
    def rows(self) -> int:
        """Published rows, the English ones too."""
        return sum(language.rows for language in self.every)

    @property
    def decided(self) -> dict[str, int]:
        """Translations of the published languages by decision."""
        return {name: sum(getattr(one, name) for one in self.languages) for name in ("keep", "review", "drop")}

    @property
    def settings(self) -> Mapping[str, Any]:
        """The run's, without the paths of the machine that it was made on."""
        settings: Mapping[str, Any] = self.report.get("settings") or {}
        return settings


def gather_statistics(run: Path, staged: Staged) -> Statistics:
    """Read all that a card says in figures.

    Args:
        run: the folder of a finished `mcot curate`.
        staged: what is published of it.

    Raises:
        RunError: the run has no report, or a file of its review is damaged or older than the decisions that stand.
    """
    report = read_json(run / "report.json")
    if not report.get("languages"):
        raise RunError(f"run folder {run}: holds no report.json; give the folder of a finished `mcot curate`")
    origins: Counter[tuple[str, str]] = Counter()
    translators: Counter[str] = Counter()
    figures = {}
    configs = [config for config in staged.configs if config.name in LANGUAGES]
    reviews = read_reviews(run, {config.name for config in configs})
    total = sum(rows for config in configs for rows in config.rows.values())
    with Progress("card", total=total, unit="rows") as progress:
        for config in configs:
            published = read_published([staged.folder / path for path in _files(config)], progress)
            origins.update(published.sources)
            translators.update(published.translators)
            figures[config.name] = _figures(config.name, published, report, reviews)
    benchmarks, unread = _benchmarks(report)
    return Statistics(
        report=report,
        languages=tuple(figures[code] for code in LANGUAGES if code in figures and code != ENGLISH.code),
        english=figures.get(ENGLISH.code),
        origins=tuple(Origin(name, license, rows) for (name, license), rows in _ranked(origins)),
        translators=tuple(name for name, _ in _ranked(translators)),
        reviews=reviews,
        benchmarks=benchmarks,
        unread=unread,
    )


def _figures(code: str, published: Published, report: Mapping[str, Any], reviews: Reviews) -> LanguageFigures:
    lines: dict[str, Mapping[str, Any]] = {line["code"]: line for line in report["languages"]}
    line = lines.get(code, {})
    return LanguageFigures(
        code=code,
        name=LANGUAGES[code].name,
        rows=published.rows,
        **{decision: int(line.get(decision, 0)) for decision in ("keep", "review", "drop")},
        reasons=_reasons(report, code),
        chrf={part: measured for part in PARTS if (measured := published.chrf(part)) is not None},
        precision=reviews.kept.get(code),
        accepted=published.verdicts["accept"],
        corrected=published.verdicts["fix"],
    )


def _ranked(counts: Counter[_Key]) -> list[tuple[_Key, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _files(config: Config) -> list[str]:
    return [path for split in sorted(config.splits) for path in config.splits[split]]


def _reasons(report: Mapping[str, Any], code: str) -> tuple[Reason, ...]:
    """The strongest reasons of a language's rows that were not kept, as the report ranks them."""
    found = [
        Reason(group["reason"], _MEANINGS.get(group["reason"], group["meaning"]), int(language["rows"]))
        for group in report.get("findings") or []
        for language in group["languages"]
        if language["code"] == code
    ]
    return tuple(sorted(found, key=lambda reason: (-reason.rows, reason.name)))


def _benchmarks(report: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The titles of the benchmarks that were looked for, and of those that could not be read."""
    asked = (report.get("settings") or {}).get("contamination")
    titles = [Benchmark(name).title for name in (BENCHMARKS if asked is None else asked)]
    not_run = {re.sub("^contamination by ", "", name) for name in report.get("not_run") or {}}
    ran = any(score["check"] == "contamination" for score in report.get("scores") or [])
    unread = tuple(title for title in titles if title in not_run or not ran)
    return tuple(title for title in titles if title not in unread), unread
