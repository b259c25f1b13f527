"""A run's report as one HTML page that needs nothing but itself.

The page has no script. What can be chosen in it (a language, an opened sample) is done with form controls,
`<details>` and CSS, so its Content-Security-Policy forbids everything but its own style.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template
from markupsafe import Markup, escape

from curation.report.certainty import find_part
from curation.report.gather import BINS
from curation.report.words import describe_check
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.pages import make_environment
from mcot.core.reasons import explain
from mcot.core.rows import DECISIONS

__all__ = ["render"]

TEMPLATES = Path(__file__).parent.parent / "templates"

# A histogram in units of its own picture: 20 bins, a gap, then the bin of exactly the maximum.
_BIN, _GAP, _HEIGHT = 10, 6, 64
_FULL = BINS * _BIN
_WIDTH = _FULL + _GAP + _BIN + 2
# How far apart two labels of the axis are at least.
_LABEL = 22

_FIELDS = {"ended": "Sentences ended", "spans": "Protected parts", "question": "Question", "rationale": "Rationale"}

_PARTS = {"question": "Question", "rationale": "Solution"}

# From which certainty on a finding is called what.
_CERTAINTIES = ((0.9, "very likely an error"), (0.7, "likely an error"), (0.45, "perhaps an error"), (0.0, "a doubt"))
# Reasons of rows that hold no translation that could be checked, or none that could be read.
_UNREAD = ("row.broken",)
_BACKQUOTED = re.compile(r"`([^`]+)`")


def render(report: Mapping[str, Any]) -> str:
    """The page of a report as `gather` gives it, or as `report.json` holds it."""
    codes = [language["code"] for language in report["languages"]]
    return _template().render(
        report=report,
        decisions=DECISIONS,
        scored=[code for code in codes if any(code in score["languages"] for score in report["scores"])],
        bad_rows=sum(entry["rows"] for entry in report["reasons"] if entry["reason"] in _UNREAD),
        known=[code for code in codes if code in LANGUAGES and code != ENGLISH.code],
        audited=report["kind"] == "audit",
        checks=_checks_run(report),
        cards=_cards(report),
        shares=_reason_shares(report),
    )


@cache
def _template() -> Template:
    environment = make_environment(TEMPLATES)
    environment.filters |= {
        "number": _number,
        "percent": _percent,
        "mark": _mark,
        "certainty": _certainty_word,
        "meaning": lambda reason: explain(reason).sentence,
        "code": _code,
        "plain": _plain_detail,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
        "check_title": lambda reason: describe_check(reason.partition(".")[0])[0],
    }
    environment.tests["startswith"] = str.startswith
    return environment.get_template("report.html.jinja")


def _number(value: float | None, digits: int = 0) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _code(text: str) -> Markup:
    """A text with what stands between backquotes as code."""
    pieces = _BACKQUOTED.split(text)
    coded = [
        Markup("<code>{}</code>").format(piece) if place % 2 else escape(piece) for place, piece in enumerate(pieces)
    ]
    return Markup("").join(coded)


def _percent(count: float, total: float) -> str:
    """A share for people: never 100% or 0% of what isn't all or none."""
    if not total:
        return "–"
    share = 100 * count / total
    if 0 < share < 0.1:
        return "<0.1%"
    if 99.9 < share < 100:
        return ">99.9%"
    return f"{share:.0f}%" if share in (0, 100) else f"{share:.1f}%"


def _cards(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The histograms, one card a check with a picture for each of its scores."""
    cards: dict[str, dict[str, Any]] = {}
    for score in report["scores"]:
        title, meaning = describe_check(score["check"])
        card = cards.setdefault(score["check"], {"title": title, "meaning": meaning, "pictures": []})
        codes = list(score["languages"])
        bands = {code: report["bands"].get(code, {}).get(score["check"]) for code in codes}
        views = {code: _view(score["languages"][code], score["maximum"], bands[code]) for code in codes}
        # The sum of all languages can show thresholds only where they are the same for all.
        common = bands[codes[0]] if all(band == bands[codes[0]] for band in bands.values()) else None
        views[""] = _view(_sum(score["languages"].values()), score["maximum"], common)
        card["pictures"].append(
            {
                "title": _FIELDS.get(score["part"], score["part"]),
                "width": _WIDTH,
                "height": _HEIGHT,
                "full": _FULL,
                "maximum": score["maximum"],
                "views": views,
            }
        )
    return list(cards.values())


def _sum(languages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    scores = list(languages)
    count = sum(score["count"] for score in scores)
    mean = sum(score["mean"] * score["count"] for score in scores) / count
    histogram = [sum(values) for values in zip(*(score["histogram"] for score in scores), strict=True)]
    return {"count": count, "mean": mean, "histogram": histogram}


def _view(score: Mapping[str, Any], maximum: float, band: Mapping[str, float] | None) -> dict[str, Any]:
    """One language's bars, threshold lines and figures."""
    top = max(score["histogram"]) or 1
    bars = []
    for index, count in enumerate(score["histogram"]):
        if count:
            # Rare scores are what a curator looks for: on a linear scale they would have no height.
            height = max(1.5, (_HEIGHT - 4) * (count / top) ** 0.5)
            left = index * _BIN + (_GAP if index == BINS else 0) + 1
            bars.append(f"M{left} {_HEIGHT}v-{height:.1f}h{_BIN - 2}v{height:.1f}z")
    lines = {} if band is None else {name: _position(band[name] / maximum) for name in ("drop", "keep")}
    exact = score["histogram"][BINS]
    mean = score["mean"]
    return {
        "bars": "".join(bars),
        "lines": lines,
        "band": band,
        "count": score["count"],
        "mean": f"{mean:.1f}" if maximum > 1 else f"{mean:.3f}",
        "exact": _percent(exact, score["count"]) if exact else "",
        "ticks": _ticks(maximum, band, lines),
    }


def _ticks(
    maximum: float, band: Mapping[str, float] | None, lines: Mapping[str, float]
) -> list[tuple[float, str, str]]:
    """Position, label and SVG anchor of the axis' labels: the ends, and the thresholds that have room."""
    taken = [0.0, float(_WIDTH)]
    ticks = [(0.0, "0", "start"), (float(_WIDTH), f"{maximum:g}", "end")]
    inner = [(lines[name], band[name]) for name in ("keep", "drop")] if band else [(_FULL / 2, maximum / 2)]
    for position, value in inner:
        if all(abs(position - other) >= _LABEL for other in taken):
            taken.append(position)
            ticks.append((position, f"{value:g}", "middle"))
    return sorted(ticks)


def _position(share: float) -> float:
    """Where a threshold is drawn: one at the maximum stands in the gap before the last bin."""
    return round(_FULL + _GAP / 2 if share >= 1 else max(0.0, share) * _FULL, 1)


def _reason_shares(report: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """How deep a cell of the table of reasons is tinted, 0 to 1: the share of the language's rows."""
    rows = {language["code"]: language["rows"] for language in report["languages"]}
    return {
        (entry["reason"], code): min(1.0, count / rows[code])
        for entry in report["reasons"]
        for code, count in entry["languages"].items()
        if rows.get(code)
    }


def _mark(text: str, marks: Iterable[Mapping[str, Any]]) -> Markup:
    """A text with its marks: faults set off, numbers that both sides have underlined, values beside both."""
    pieces: list[Markup] = []
    end = 0
    for mark in marks:
        inside = escape(text[mark["start"] : mark["end"]])
        value = Markup(' data-value="{}"').format(mark["value"]) if mark["value"] else Markup("")
        tag = "mark" if mark["kind"] == "fault" else "u"
        pieces += [escape(text[end : mark["start"]]), Markup("<{0}{1}>{2}</{0}>").format(tag, value, inside)]
        end = mark["end"]
    return Markup("").join([*pieces, escape(text[end:])])


def _plain_detail(detail: str) -> str:
    """A detail in words: what a check writes short."""
    part, rest = find_part(detail)
    lost, arrow, new = rest.partition(" -> ")
    rest = f"{lost} in the source, {new} in the translation" if arrow else rest
    return f"{_PARTS[part]}: {rest}" if part else rest


def _certainty_word(value: float) -> str:
    """How certain a finding is, for people."""
    return next(word for least, word in _CERTAINTIES if value >= least)


def _checks_run(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The checks that scored rows, with how many texts; then those that did not, with why."""
    texts: dict[str, dict[str, int]] = {}
    for score in report["scores"]:
        count = sum(language["count"] for language in score["languages"].values())
        texts.setdefault(score["check"], {})[_FIELDS.get(score["part"], score["part"])] = count
    run = [
        {"title": describe_check(name)[0], "meaning": describe_check(name)[1], "texts": by, "why": ""}
        for name, by in texts.items()
    ]
    skipped: dict[tuple[str, str], list[str]] = {}
    for name, why in (report.get("not_run") or {}).items():
        check, _, part = name.partition(" of ")
        skipped.setdefault((why, part), []).append(describe_check(check)[0])
    not_run = []
    for (why, part), (first, *others) in skipped.items():
        title = ", ".join([first, *(other.lower() for other in others)]) + (f" of {part}" if part else "")
        not_run.append({"title": title, "meaning": "", "texts": {}, "why": why})
    return run + not_run
