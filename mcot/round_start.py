"""What a round begins with: its settings for curation, review and training, ready to use, and the review's budget."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from annotation.settings import ReviewSettings
from curation.audit_settings import AuditSettings
from mcot.core.errors import RunError
from mcot.core.files import write_file
from mcot.core.languages import TARGETS
from mcot.core.reviews import ReviewFiles
from mcot.core.settings import DEMO_MODEL, CurationSettings
from mcot.core.settings_file import load_settings, parse_settings
from mcot.review import is_audit
from mcot.round_plan import Plan, Standing, plan_budgets
from mcot.round_record import round_folder
from training.settings import TrainingSettings

__all__ = ["make_plan", "pick_benchmarks", "read_review_settings", "read_train_settings", "write_settings"]

# Where no settings for training are given: what the model that a run is translated by says of its size.
_PRESETS = {True: "demo-cpu", False: "lora-7b"}
_DEFAULT_BENCHMARK = "mgsm"


class _Content(BaseModel):
    """A settings file's own keys, without any defaults."""

    model_config = ConfigDict(extra="allow")


def read_review_settings(run: Path, path: Path | None, number: int) -> ReviewSettings:
    """The review settings that a round goes on from: a file's, else those of the round before, else the defaults.

    Raises:
        SettingsError: the file is wrong.
    """
    before = round_folder(run, number - 1) / "review.yaml"
    base = path or (before if before.is_file() else None)
    return ReviewSettings() if base is None else load_settings(base, ReviewSettings)


def read_train_settings(run: Path, path: Path | None, number: int) -> dict[str, Any]:
    """The keys of a round's `train.yaml`: those of a file, else of the round before, else a preset's.

    Raises:
        SettingsError: no training can have these.
    """
    before = round_folder(run, number - 1) / "train.yaml"
    base = path or (before if before.is_file() else None)
    if base is not None:
        content, where = load_settings(base, _Content).model_dump(), f"settings file {base}"
    else:
        own = not is_audit(run) and load_settings(run / "settings.yaml", CurationSettings).translator.model
        content, where = {"preset": _PRESETS[own == DEMO_MODEL]}, "train.yaml"
    # The model and what is measured of it stay with the round; the next one's are beside them.
    content |= {"run": str(run), "output": str(round_folder(run, number) / "training")}
    parse_settings(content, where, TrainingSettings)
    return content


def make_plan(
    run: Path,
    review: ReviewSettings,
    rows: Mapping[str, Mapping[str, int]],
    records: Sequence[Mapping[str, Any]],
    total: int | None,
) -> Plan:
    """Where the review's budget goes, by what the rounds before came to.

    Args:
        run: the run's folder.
        review: the settings, with the languages and the budgets of each.
        rows: of the run, by folder and language.
        records: of the rounds before.
        total: rows of all languages together; as many as the settings ask for by default.

    Raises:
        RunError: the run has no rows that people could review.
    """
    counts: Counter[str] = Counter()
    for by in rows.values():
        counts.update(by)
    codes = [one.code for one in TARGETS if counts[one.code] and one.code in (review.languages or counts)]
    if not codes:
        raise RunError(f"run folder {run}: has no translations to review; give a run with rows in `languages`")
    shown = Counter(ReviewFiles(run).read_queue()["language"].to_pylist())
    lost, problems = _last_lost(records)
    precision = _last_precision(records)
    return plan_budgets(
        {
            code: Standing(
                review.budget_of(code),
                max(counts[code] - shown[code], 0),
                lost.get(code),
                problems,
                precision.get(code, {}).get("low"),
            )
            for code in codes
        },
        total,
    )


def _last_lost(records: Sequence[Mapping[str, Any]]) -> tuple[dict[str, int], int]:
    """What each language lost in the last evaluation, of how many problems; over all of its benchmarks."""
    for record in reversed(records):
        benchmarks = [one for one in (record.get("evaluation") or {}).get("benchmarks", {}).values() if one["lost"]]
        if benchmarks:
            lost: Counter[str] = Counter()
            for one in benchmarks:
                lost.update(one["lost"])
            return dict(lost), sum(one["problems"] for one in benchmarks)
    return {}, 0


def _last_precision(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found = (record["review"]["precision"] for record in reversed(records) if record.get("review", {}).get("precision"))
    return next(found, {})


def pick_benchmarks(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What to measure the round's model on: the same as in the round before, so that the two can be compared."""
    for record in reversed(records):
        if record.get("evaluation"):
            return list(record["evaluation"]["benchmarks"])
    return [_DEFAULT_BENCHMARK]


def write_settings(
    run: Path,
    number: int,
    review: ReviewSettings,
    plan: Plan,
    train: Mapping[str, Any],
    calibration: Mapping[str, Any],
) -> None:
    """Write a round's `settings.yaml`, `review.yaml` and `train.yaml`.

    Args:
        run: the run's folder.
        number: the round's.
        review: the settings to go on from.
        plan: the review's budgets.
        train: the keys of `train.yaml`.
        calibration: of the round before, whose thresholds no curation has taken yet; empty where there are none.
    """
    folder = round_folder(run, number)
    content = load_settings(run / "settings.yaml", _Content).model_dump()
    thresholds = dict(content.get("thresholds", {}))
    for code, bands in calibration.get("thresholds", {}).items():
        thresholds[code] = {**thresholds.get(code, {}), **bands}
    content["thresholds"] = thresholds
    if is_audit(run):
        parse_settings(content, f"settings file {run / 'settings.yaml'}", AuditSettings)
    else:
        content["round"] = number
        settings = parse_settings(content, f"settings file {run / 'settings.yaml'}", CurationSettings)
        # A run that was moved since is none to begin anew.
        if settings.folder.resolve() != run.resolve():
            content["output"] = str(run)
    asked = {**review.model_dump(mode="json"), "review_round": number, "budgets": plan.budgets}
    _write(folder / "settings.yaml", f"Round {number}: the run's settings, decided in this round.", content)
    _write(folder / "review.yaml", f"Round {number}: {plan.why[0]}.", asked)
    _write(folder / "train.yaml", f"Round {number}: the model and its evaluation stay in the round's folder.", train)


def _write(path: Path, title: str, content: Mapping[str, Any]) -> None:
    text = yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False)
    write_file(path, f"# {title}\n{text}")
