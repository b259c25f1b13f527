"""The content of a run's report, counted from its decided rows, one shard at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.report.findings import Findings
from curation.report.samples import Sampler, describe, digest, language_order, row_of
from mcot.core.facts import plain_facts
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.rows import DECISIONS, SCORES
from mcot.core.runs import read_shard

__all__ = ["BINS", "gather"]

# Equal bins of a histogram. One more follows for scores of exactly the maximum: "all numbers correspond" is
# another thing than "nearly all", and the default bands treat it so.
BINS = 20
# Scores that aren't shares: chrF++ goes from 0 to 100.
_MAXIMA = {"back_translation": 100.0}


def gather(shards: Iterable[Path | pa.Table], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Count a run.

    Args:
        shards: decided rows, or Parquet files of them.
        facts: what the rows don't say, each part optional: `name`; `kind`, `curate` or `audit`; `settings`; `bands`,
            by language and check, of `keep` and `drop`; `sources`, a list of `name`, `problems` (read) and
            `rejected` (problems by reason); `translation` and `back_translation`, by language, of `segments`,
            `translated`, `saved`, `unfinished` and `unprotected` (sentences); `signatures`; `versions`.

    Returns:
        The content of `report.json`: JSON values only, the same for the same rows and facts, without times
        and without the paths of this machine.

    Raises:
        ValueError: a row is not decided.
    """
    known = plain_facts(facts)
    tally = _Tally()
    findings = Findings(known.get("bands") or {})
    for shard in shards:
        table = read_shard(shard) if isinstance(shard, Path) else shard
        tally.add(table)
        findings.add(table)
    settings = {key: value for key, value in (known.get("settings") or {}).items() if key != "output"}
    codes = sorted({*tally.rows, *(settings.get("languages") or [])}, key=language_order)
    sources = [
        {"name": source.get("name"), "problems": source.get("problems"), "rejected": source.get("rejected") or {}}
        for source in known.get("sources") or []
    ]
    problems = tally.problems(sources)
    targets = [code for code in codes if code != ENGLISH.code]
    return {
        "name": str(known.get("name") or "run"),
        "kind": known.get("kind") or _kind(known),
        "problems": problems,
        "rows": tally.totals(targets),
        "funnel": tally.funnel(problems, targets),
        "languages": [tally.language(code, known) for code in codes],
        "scores": [score for field in SCORES if (score := tally.score(field, codes)) is not None],
        "bands": known.get("bands") or {},
        "findings": findings.list(),
        "reasons": tally.reasons(),
        "kept_samples": [describe(row, None) for row in tally.kept.draw()],
        "reviews": known.get("reviews") or {},
        "not_run": known.get("not_run") or {},
        "sources": sources,
        "translation": known.get("translation") or {},
        "back_translation": known.get("back_translation") or {},
        "spending": known.get("spending") or {},
        "choice": known.get("choice") or {},
        "settings": settings,
        "signatures": known.get("signatures") or {},
        "versions": known.get("versions") or {},
    }


class _Tally:
    """The counts of the rows so far. Its size depends on languages and reasons, not on rows."""

    def __init__(self) -> None:
        self.rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.translated: Counter[str] = Counter()
        self.reason_rows: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.reason_samples: defaultdict[str, Sampler] = defaultdict(Sampler)
        self.kept = Sampler()
        self.histograms: dict[tuple[str, str], Any] = {}
        self.sums: defaultdict[tuple[str, str], float] = defaultdict(float)

    def add(self, table: pa.Table) -> None:
        """Count a shard."""
        names = ("id", "language", "decision", "reasons")
        columns = [table[name].to_pylist() for name in names]
        for index, (row_id, language, decision, reasons) in enumerate(zip(*columns, strict=True)):
            if decision not in DECISIONS:
                raise ValueError(f"row {row_id!r} has the decision {decision!r}; a report needs decided rows")
            self.rows[language][decision] += 1
            place = digest(row_id)
            for reason in sorted(set(reasons or [])):
                self.reason_rows[reason][language] += 1
                self.reason_samples[reason].offer(place, language, partial(row_of, table, index))
            if decision == "keep" and language != ENGLISH.code:
                self.kept.offer(place, language, partial(row_of, table, index))
        self._add_scores(table)

    def _add_scores(self, table: pa.Table) -> None:
        languages = np.array(table["language"].to_pylist(), dtype=object)
        for language in sorted(set(languages)):
            part = table.filter(pa.array(languages == language))
            self.translated[language] += len(part) - part["question"].null_count
            for field in SCORES:
                column = pc.struct_field(part["scores"], field)
                values = column.drop_null().to_numpy()
                values = values[np.isfinite(values)]
                if len(values):
                    maximum = _maximum(field)
                    # The tiny addition puts 0.35, whose 20ths are 6.999..., into the bin that it begins.
                    bins = np.clip(values / maximum * BINS + 1e-9, 0, BINS).astype(np.int64)
                    bins[(bins == BINS) & (values < maximum)] = BINS - 1
                    counts = np.bincount(bins, minlength=BINS + 1)
                    self.histograms[field, language] = self.histograms.get((field, language), 0) + counts
                    self.sums[field, language] += float(values.sum())

    def problems(self, sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """How many English problems were read, could be used, or were rejected, by reason."""
        if sources:
            read = sum(source["problems"] or 0 for source in sources)
            rejected: Counter[str] = Counter()
            for source in sources:
                rejected.update(source["rejected"])
            return {"read": read, "usable": max(0, read - rejected.total()), "rejected": dict(sorted(rejected.items()))}
        # An English row that is dropped was rejected by its source; any other problem has one row a language.
        usable = [sum(by.values()) - (by["drop"] if code == ENGLISH.code else 0) for code, by in self.rows.items()]
        return {"read": None, "usable": max(usable, default=0), "rejected": {}}

    def totals(self, targets: list[str]) -> dict[str, Any]:
        """Rows by decision. English originals are counted apart: nothing was translated in them."""
        decisions = {decision: sum(self.rows[code][decision] for code in targets) for decision in DECISIONS}
        english = self.rows[ENGLISH.code]["keep"]
        return {"translations": sum(decisions.values()), **decisions, "english": english}

    def funnel(self, problems: Mapping[str, Any], targets: list[str]) -> list[dict[str, Any]]:
        """The steps from problems read to translations kept; `possible` is what the whole would be."""
        first = problems["usable"] if problems["read"] is None else problems["read"]
        possible = first * len(targets)
        translated = sum(self.translated[code] for code in targets)
        kept = sum(self.rows[code]["keep"] for code in targets)
        steps = [
            {"step": "usable", "unit": "problems", "count": problems["usable"], "possible": first},
            {"step": "translated", "unit": "translations", "count": translated, "possible": possible},
            {"step": "kept", "unit": "translations", "count": kept, "possible": possible},
        ]
        if problems["read"] is not None:
            steps.insert(0, {"step": "read", "unit": "problems", "count": first, "possible": first})
        return steps

    def language(self, code: str, facts: Mapping[str, Any]) -> dict[str, Any]:
        """A line of the table of languages."""
        known = LANGUAGES.get(code)
        reasons = {reason: by[code] for reason, by in self.reason_rows.items() if by[code]}
        top = min(reasons, key=lambda reason: (-reasons[reason], reason), default=None)
        fields = [field for field in SCORES if field.startswith("back_translation_")]
        count = sum(int(self.histograms[field, code].sum()) for field in fields if (field, code) in self.histograms)
        return {
            "code": code,
            "name": known.name if known else code,
            "native_name": known.native_name if known else code,
            "rows": self.rows[code].total(),
            **{decision: self.rows[code][decision] for decision in DECISIONS},
            "back_translation": round(sum(self.sums[field, code] for field in fields) / count, 2) if count else None,
            "reason": {"name": top, "rows": reasons[top]} if top else None,
            "translation": (facts.get("translation") or {}).get(code),
        }

    def score(self, field: str, codes: list[str]) -> dict[str, Any] | None:
        """A score's histogram for each language: `BINS` equal bins, then exactly the maximum."""
        by_language = {}
        for code in codes:
            if (counts := self.histograms.get((field, code))) is not None:
                mean = round(self.sums[field, code] / int(counts.sum()), 4)
                by_language[code] = {"count": int(counts.sum()), "mean": mean, "histogram": counts.tolist()}
        if not by_language:
            return None
        check, part = _check_and_part(field)
        return {"field": field, "check": check, "part": part, "maximum": _maximum(field), "languages": by_language}

    def reasons(self) -> list[dict[str, Any]]:
        """Every reason, the most frequent first, with its rows by language and its samples."""
        order = sorted(self.reason_rows, key=lambda reason: (-self.reason_rows[reason].total(), reason))
        return [
            {
                "reason": reason,
                "rows": self.reason_rows[reason].total(),
                "languages": {code: by[code] for code in sorted(by, key=language_order)},
                "samples": [describe(row, reason) for row in self.reason_samples[reason].draw()],
            }
            for reason in order
            for by in (self.reason_rows[reason],)
        ]


def _kind(facts: Mapping[str, Any]) -> str:
    """What made the rows: a run of `mcot curate` names its sources, an audit of a set has none of its own."""
    settings = facts.get("settings") or {}
    return "audit" if settings and "sources" not in settings and "sources" not in facts else "curate"


def _check_and_part(field: str) -> tuple[str, str]:
    check, _, part = field.rpartition("_")
    return check, part


def _maximum(field: str) -> float:
    return _MAXIMA.get(_check_and_part(field)[0], 1.0)
