"""The scores of a run's rows, and what thresholds would keep of them: as curation decides."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotation.calibrate import calibrate
from annotation.calibration_path import make_path
from annotation.calibration_scores import count_scores, levels, read_scores, to_scores
from benchmarks import planted_reviews
from curation.decide import decide_row
from curation.outputs import open_outputs
from mcot.core.files import write_table
from mcot.core.rows import UNSCORED_REASONS, from_rows
from mcot.core.settings import DEFAULT_BANDS, Band
from tests.core.test_rows import older

REASONS = (*UNSCORED_REASONS, "numbers.changed", "length.short", "judge.meaning")


def test_scores_decide_as_curation_does() -> None:
    """Curation is another stage, so its rule is written twice; here they meet."""
    rng = np.random.default_rng(2)
    fields = ("back_translation_question", "length_question", "length_rationale", "numbers_question",
              "translation_ended", "translation_spans")  # fmt: skip
    top = {"back_translation_question": 100.0}
    rows = [
        {name: None if rng.random() < 0.2 else round(rng.random(), 2) * top.get(name, 1.0) for name in fields}
        for _ in range(300)
    ]
    bands = DEFAULT_BANDS | {check: Band(keep=0.3, drop=0.1) for check in ("numbers", "length", "translation")}
    # A reason of a low score is one already, by the score; one of a score that could not be given is beside it.
    seen = [[(REASONS[int(rng.integers(len(REASONS)))], "question: seen")] if rng.random() < 0.3 else [] for _ in rows]
    expected = [decide_row(row, found, bands)[0] == "keep" for row, found in zip(rows, seen, strict=True)]
    assert 30 < sum(expected) < 270
    assert expected != [decide_row(row, [], bands)[0] == "keep" for row in rows]
    scores = to_scores(rows, [[reason for reason, _ in found] for found in seen])
    for check in ("back_translation", "translation", "repetition", "judge"):
        assert (levels(scores, bands, check, [bands[check].keep]) == 0).tolist() == expected


@pytest.mark.parametrize("reason", UNSCORED_REASONS)
def test_what_could_not_be_scored_is_not_kept_by_any_threshold(reason: str, tmp_path: Path) -> None:
    shapes = {"keep": [], "review": [reason], "drop": ["language.wrong", reason]}
    scored = {"keep": (0.9, 1.0), "review": (0.9, None), "drop": (0.1, None)}
    lines: list[dict[str, Any]] = [
        {"id": f"{decision}{number}", "language": "sw", "decision": decision, "reasons": reasons,
         "scores": dict(zip(("language_question", "judge_question"), scored[decision], strict=True))}
        for decision, reasons in shapes.items() for number in range(5)
    ]  # fmt: skip
    bands = {"sw": {check: band.model_copy(update={"drop": 0.2}) for check, band in DEFAULT_BANDS.items()}}
    for line in lines:
        assert (
            decide_row(line["scores"], [(reason, "") for reason in line["reasons"]], bands["sw"])[0]
            == (line["decision"])
        )
    with open_outputs(tmp_path) as outputs:
        outputs.add(from_rows(lines))
    (count,) = count_scores(tmp_path, bands, ["judge", "language"]).values()
    assert (count.total, count.kept, count.dropped) == (15, outputs.counts["dataset"]["sw"], 5)
    # Neither the strictest nor the laxest threshold decides any of them otherwise.
    for check in ("judge", "language"):
        assert (count.above[check].sum(), count.below[check].sum()) == (5, 0)
        assert set(make_path(count, check, bands["sw"][check]).kept) == {5}
    scores = to_scores([line["scores"] for line in lines], [line["reasons"] for line in lines])
    assert levels(scores, bands["sw"], "judge", [0.9, 0.0]).tolist() == [0] * 5 + [2] * 10


def test_rows_of_an_earlier_version_have_no_score_of_what_it_did_not_know(tmp_path: Path) -> None:
    row = {"id": "a", "language": "sw", "decision": "keep", "scores": {"length_question": 0.9}}
    write_table(tmp_path / "dataset" / "sw" / "a.parquet", older(from_rows([row])))
    ((_, scores),) = read_scores(tmp_path, label="reading")
    assert scores["length"].tolist() == [0.9]
    assert np.isnan(scores["judge"]).all()
    assert count_scores(tmp_path, {"sw": DEFAULT_BANDS}, ["judge"])["sw"].kept == 1


def test_english_rows_and_rows_without_scores_are_no_part_of_it(tmp_path: Path) -> None:
    scored = {"language": "sw", "scores": {"length_question": 0.9, "length_rationale": 0.4}}
    write_table(tmp_path / "dataset" / "sw" / "a.parquet", from_rows([scored, {"language": "sw"}]))
    write_table(tmp_path / "dataset" / "en" / "a.parquet", from_rows([scored | {"language": "en"}]))
    ((language, scores),) = read_scores(tmp_path, label="reading")
    assert language == "sw"
    assert scores["length"].tolist() == [0.4]
    assert np.isnan(scores["mixed"]).all()


@pytest.mark.parametrize(("check", "spread"), [("quality_estimation", 100), ("judge", 200)])
def test_scores_of_models_are_calibrated_as_any_other(check: str, spread: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    planted = planted_reviews.plant(rng)
    # What the back-translation told, a model tells: around the check's own threshold.
    scores = {name: values for name, values in planted.scores.items() if name != "back_translation"}
    told = planted_reviews.OWN_BANDS[check].keep + (planted.scores["back_translation"] - 55) / spread
    scores[check] = np.clip(told, 0, 1)
    kept = np.logical_and.reduce([values >= planted_reviews.OWN_BANDS[name].keep for name, values in scores.items()])
    dropped = np.logical_or.reduce([values < planted_reviews.OWN_BANDS[name].drop for name, values in scores.items()])
    decision = np.where(kept, "keep", np.where(dropped, "drop", "review"))
    planted = replace(planted, scores=scores, decision=decision)
    planted_reviews.write_run(planted, tmp_path)
    queue, drawn = planted_reviews.draw(planted, rng, {"keep": 150, "drop": 30, "review": 20})
    judged = planted_reviews.judge(queue, planted.good[drawn], rng, error=0.0)
    found = calibrate(tmp_path, planted_reviews.BANDS, queue, *judged, wanted=0.96, checks=[check])
    assert {name for bands in found.thresholds.values() for name in bands} == {check}
    standing = np.zeros(len(kept), np.bool_)
    for change in found.languages:
        of = planted.language == change.language
        bands = planted_reviews.OWN_BANDS | found.thresholds[change.language]
        own = {name: values[of] for name, values in scores.items()}
        standing[of] = np.logical_and.reduce([values >= bands[name].keep for name, values in own.items()])
        assert change.kept_after == standing[of].sum()
    assert planted.precision(standing) >= 0.96 > planted.precision(kept)
