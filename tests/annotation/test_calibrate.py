"""Thresholds from verdicts on sets whose truth is known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest

from annotation.calibrate import Calibration, calibrate
from annotation.calibration_files import draw_curve, write_settings
from annotation.calibration_path import CURRENT, make_path, split_risk
from annotation.calibration_scores import STEPS, ScoreCounts, count_scores, levels
from annotation.calibration_search import Target
from benchmarks import planted_reviews
from mcot.core.errors import RunError, SettingsError
from mcot.core.reviews import QUEUE_SCHEMA, RESOLVED_SCHEMA, VERDICT_SCHEMA
from mcot.core.settings import Band, CurationSettings
from mcot.core.settings_file import load_settings

EMPTY = (QUEUE_SCHEMA.empty_table(), VERDICT_SCHEMA.empty_table(), RESOLVED_SCHEMA.empty_table())


def review(run: Path, seed: int, **sizes: int) -> tuple[Any, Any]:
    """A planted set, written as a run, and its queue, verdicts and resolved."""
    rng = np.random.default_rng(seed)
    planted = planted_reviews.plant(rng)
    planted_reviews.write_run(planted, run)
    queue, drawn = planted_reviews.draw(planted, rng, sizes)
    return planted, (queue, *planted_reviews.judge(queue, planted.good[drawn], rng))


@pytest.fixture
def calibration(tmp_path: Path) -> Calibration:
    """Of a set of which a tenth was shown."""
    _, judged = review(tmp_path / "run", 1, keep=150, drop=30, review=20)
    return calibrate(tmp_path / "run", planted_reviews.BANDS, *judged, wanted=0.95)


@pytest.mark.parametrize(
    ("wanted", "confidence", "fewest"), [(0.95, 0.95, 59), (0.97, 0.95, 99), (0.9, 0.95, 29), (0.5, 0.5, 1)]
)
def test_the_fewest_verdicts(wanted: float, confidence: float, fewest: int) -> None:
    assert Target(wanted, confidence).fewest == fewest


def test_the_risk_is_split_and_kept() -> None:
    assert split_risk(["back_translation"], 0.05) == {"back_translation": 0.05}
    assert split_risk(["length", "mixed"], 0.05) == {"length": 0.025, "mixed": 0.025}
    parts = split_risk(["length", "back_translation", "mixed"], 0.05)
    assert parts == pytest.approx({"length": 0.0125, "back_translation": 0.025, "mixed": 0.0125})
    # What grades the meaning has half of it together, whichever of the three there are.
    assert split_risk(["back_translation", "judge"], 0.05) == {"back_translation": 0.025, "judge": 0.025}
    parts = split_risk(["back_translation", "length", "quality_estimation", "judge", "mixed"], 0.06)
    assert parts == pytest.approx(
        {"back_translation": 0.01, "length": 0.015, "quality_estimation": 0.01, "judge": 0.01, "mixed": 0.015}
    )


def test_a_path_keeps_what_it_says(tmp_path: Path) -> None:
    planted = planted_reviews.plant(np.random.default_rng(3))
    planted_reviews.write_run(planted, tmp_path)
    counts = count_scores(tmp_path, planted_reviews.BANDS, ["back_translation", "repetition"])
    for language, count in counts.items():
        of = planted.language == language
        scores = {check: values[of] for check, values in planted.scores.items()}
        assert (count.total, count.kept) == (of.sum(), (planted.decision[of] == "keep").sum())
        for check in ("back_translation", "repetition"):
            path = make_path(count, check, planted_reviews.OWN_BANDS[check])
            first = levels(scores, planted_reviews.OWN_BANDS, check, path.keeps)
            assert path.kept == tuple(int((first <= place).sum()) for place in range(len(path.keeps)))
            assert list(path.keeps) == sorted(path.keeps, reverse=True)
            assert path.keeps[CURRENT] == planted_reviews.OWN_BANDS[check].keep
            assert path.kept[0] >= 0.7 * count.kept
        # Few rows have less than the highest score: the threshold would cost too much or nothing.
        assert path.keeps[0] == 0.8


def test_a_path_without_rows_stays_where_it_is() -> None:
    nothing = np.zeros(STEPS + 2, np.int64)
    path = make_path(
        ScoreCounts(above={"length": nothing}, below={"length": nothing}), "length", Band(keep=0.6, drop=0.3)
    )
    assert set(path.kept) == {0}
    assert path.keeps[: CURRENT + 1] == (0.6,) * (CURRENT + 1)


def test_what_can_not_be_read_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no translated rows in dataset, review, rejected; give the folder"):
        calibrate(tmp_path, {}, *EMPTY)
    (tmp_path / "dataset" / "sw").mkdir(parents=True)
    (tmp_path / "dataset" / "sw" / "a.parquet").write_bytes(b"no Parquet")
    with pytest.raises(RunError, match=r"a\.parquet: is damaged or of another version"):
        calibrate(tmp_path, {}, *EMPTY)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"wanted": 1.0}, "wanted precision: got 1.0; valid: above 0 and below 1"),
        ({"confidence": 0.0}, "confidence: got 0.0"),
        ({"most_lost": 1.5}, "most lost: got 1.5"),
        ({"checks": ["numbers"]}, "checks: got 'numbers', whose threshold can't be moved; valid: back_translation"),
        ({"checks": []}, "checks: got none; valid: back_translation"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        calibrate(tmp_path, {}, *EMPTY, **options)


def test_too_few_verdicts_are_refused_with_how_many_more(tmp_path: Path) -> None:
    _, judged = review(tmp_path, 1, keep=8, drop=2, review=2)
    found = calibrate(tmp_path, planted_reviews.BANDS, *judged, wanted=0.95)
    assert found.groups == []
    assert found.refusals[2] == (
        "sw: 8 verdicts of kept rows; at least 59 are needed for 0.95 at 95% confidence; queue 51 more"
    )
    assert len(found.refusals) == 5
    line = (
        r"calibration: no threshold is certified for 0\.95 at 95% confidence; more verdicts of kept rows are needed: "
        r"51 for de; 51 for es; 51 for sw; and some for 2 others; have more judged"
    )
    with pytest.raises(RunError, match=line):
        write_settings(found, tmp_path / "settings.yaml", tmp_path / "base.yaml")
    with pytest.raises(RunError, match=line):
        draw_curve(found, tmp_path / "curve.png")


def test_where_little_is_wanted_few_verdicts_do(tmp_path: Path) -> None:
    _, judged = review(tmp_path, 1, keep=8, drop=2, review=2)
    found = calibrate(tmp_path, planted_reviews.BANDS, *judged, wanted=0.6)
    assert Target(0.6, 0.95).fewest == 6
    assert found.refusals == []
    assert [len(group.languages) for group in found.groups] == [5]


def test_what_no_threshold_reaches_is_refused(tmp_path: Path) -> None:
    _, judged = review(tmp_path, 1, keep=60, drop=2, review=2)
    found = calibrate(tmp_path, planted_reviews.BANDS, *judged, wanted=0.985)
    (group,) = found.groups
    assert group.after is None
    assert found.thresholds == {}
    assert found.refusals[0].startswith("de, es, sw, te, th: 300 verdicts of kept rows, 9")
    assert "for 0.985 at 95% confidence" in found.explain()
    assert ("nor would more verdicts do it" in found.explain()) == (not found.lacking)
    assert all(change.kept_after == change.kept_before for change in found.languages)


def test_languages_with_many_verdicts_are_calibrated_alone(tmp_path: Path) -> None:
    _, judged = review(tmp_path, 1, keep=100, drop=2, review=2)
    found = calibrate(tmp_path, planted_reviews.BANDS, *judged, wanted=0.9)
    assert [group.languages for group in found.groups] == [("de",), ("es",), ("sw",), ("te",), ("th",)]
    bands = {"sw": planted_reviews.BANDS["sw"]}
    assert [change.language for change in calibrate(tmp_path, bands, *judged, wanted=0.9).languages] == ["sw"]


def test_a_calibration_says_what_it_does(calibration: Calibration) -> None:
    (group,) = calibration.groups
    assert group.languages == ("de", "es", "sw", "te", "th")
    assert group.after is not None
    assert group.after.bound >= 0.95
    assert group.more_verdicts == 3 * group.before.judged
    assert sum(change.kept_after for change in calibration.languages) == group.after.kept
    assert sum(change.kept_before for change in calibration.languages) == group.before.kept
    assert group.after.kept == max(p.kept for points in group.curves.values() for p in points if p.certified)
    for points in group.curves.values():
        # None after the first that fails.
        certified = [point.certified for point in points]
        assert certified == sorted(certified, reverse=True)


def test_lower_thresholds_are_tried_only_where_all_queued_uncertain_rows_are_judged(tmp_path: Path) -> None:
    _, (queue, verdicts, resolved) = review(tmp_path, 1, keep=60, drop=2, review=12)
    found = calibrate(tmp_path, planted_reviews.BANDS, queue, verdicts, resolved, wanted=0.7)
    assert all(len(points) > CURRENT + 1 for group in found.groups for points in group.curves.values())
    assert sum(change.kept_after > change.kept_before for change in found.languages) >= 4
    last = queue["id"].to_pylist()[-1]
    fewer = verdicts.filter(np.array([id != last for id in verdicts["id"].to_pylist()]))
    found = calibrate(tmp_path, planted_reviews.BANDS, queue, fewer, resolved, wanted=0.7)
    lengths = {group.languages: {len(points) for points in group.curves.values()} for group in found.groups}
    assert lengths["te",] == {CURRENT + 1}
    assert lengths["sw",] != {CURRENT + 1}


def test_settings_are_written_over_others(calibration: Calibration, tmp_path: Path) -> None:
    base, path = tmp_path / "base.yaml", tmp_path / "settings.yaml"
    base.write_text(
        "name: mine\nsources: [{path: problems.jsonl}]\n"
        "thresholds: {default: {length: {keep: 0.5, drop: 0.2}}, sw: {length: {keep: 0.4, drop: 0.2}}}\n", "utf-8"
    )  # fmt: skip
    write_settings(calibration, path, base)
    settings = load_settings(path, CurationSettings)
    ((check, band),) = calibration.thresholds["sw"].items()
    assert settings.name == "mine"
    assert settings.bands("sw")[check] == band
    assert settings.bands("sw")["length"] == (band if check == "length" else Band(keep=0.4, drop=0.2))
    assert settings.bands("fr")["length"] == Band(keep=0.5, drop=0.2)
    text = path.read_text("utf-8")
    assert text.startswith("# Thresholds from verdicts: 0.95 of the kept rows are good, at 95% confidence,\n")
    assert settings.output is None
    write_settings(calibration, path, base, run=tmp_path / "moved")
    assert load_settings(path, CurationSettings).output == tmp_path / "moved"
    with pytest.raises(SettingsError, match=r"settings file .*none\.yaml: not found"):
        write_settings(calibration, path, tmp_path / "none.yaml")


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_curve_is_a_picture(calibration: Calibration, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"curve{suffix}"
    draw_curve(calibration, path)
    first = path.read_bytes()
    draw_curve(calibration, path)
    assert path.read_bytes() == first
    if suffix == ".png":
        assert matplotlib.image.imread(path).shape[:2] == (690, 960)
    else:
        assert b"<svg" in first
    refused = replace(calibration, groups=[replace(calibration.groups[0], after=None)])
    draw_curve(refused, path)
    with pytest.raises(SettingsError, match=r"got the suffix '.gif'; valid: .png, .svg"):
        draw_curve(calibration, tmp_path / "curve.gif")


def test_what_is_certified_holds_on_planted_sets(tmp_path: Path) -> None:
    """Twenty seeds of 300 rows shown; the benchmark has 200, more shown, and a worst case."""
    certified = met = 0
    for seed in range(20):
        run = tmp_path / str(seed)
        planted, judged = review(run, seed, keep=40, drop=12, review=8)
        found = calibrate(run, planted_reviews.BANDS, *judged, wanted=0.9)
        kept = np.zeros(len(planted.good), np.bool_)
        for language, bands in found.thresholds.items():
            of = planted.language == language
            scores = {check: values[of] for check, values in planted.scores.items()}
            ((check, band),) = bands.items()
            kept[of] = levels(scores, planted_reviews.OWN_BANDS, check, [band.keep]) == 0
        if found.thresholds:
            certified += 1
            met += planted.precision(kept) >= 0.9
    assert certified >= 15
    assert met >= certified - 1
