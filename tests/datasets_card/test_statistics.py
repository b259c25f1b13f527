"""The figures of a card, against those of the run's report, sacreBLEU and plain sums."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.checks.back_translation import BackTranslationCheck
from datasets_card.checks import CHECKS
from datasets_card.fields import COLUMNS, REVIEW
from datasets_card.figures import Measured, show_bytes, show_count, show_interval, show_percent
from datasets_card.limits import find_limits
from datasets_card.scores import CHRF_SIGNATURE, Published
from datasets_card.statistics import Statistics, gather_statistics
from mcot.core.errors import RunError
from mcot.core.files import read_json
from mcot.core.rows import SCHEMA, from_rows
from mcot.core.settings import DEFAULT_BANDS
from tests.datasets_card.card_runs import SETTINGS, make_row, make_run, stage, summary

ROWS = [
    *(make_row(number, code) for code in ("sw", "bn", "en") for number in range(1, 13)),
    make_row(13, "sw", decision="drop", reasons=["numbers.changed", "length.long"], details=["12 became 21", "long"]),
    make_row(14, "sw", decision="drop", reasons=["numbers.changed"], details=["12 became 21"]),
    make_row(15, "sw", decision="review", reasons=["language.mixed"], details=["half"]),
    make_row(16, "bn", review={"verdict": "fix", "reviewers": [], "round": 1}),
    make_row(17, "bn", review={"verdict": "accept", "reviewers": [], "round": 1}),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "study", ROWS, reviews=summary(), annotators=["amina", "juma"])


@pytest.fixture(scope="module")
def statistics(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Statistics:
    return gather_statistics(run, stage(run, tmp_path_factory.mktemp("staged") / "repository"))


def test_rows_are_those_of_the_report(run: Path, statistics: Statistics) -> None:
    lines = {line["code"]: line for line in read_json(run / "report.json")["languages"]}
    assert [one.code for one in statistics.every] == ["sw", "bn", "en"]
    for one in statistics.every:
        assert (one.keep, one.review, one.drop) == tuple(lines[one.code][name] for name in ("keep", "review", "drop"))
        assert one.rows == one.keep
    told = read_json(run / "report.json")["rows"]
    assert statistics.decided == {name: told[name] for name in ("keep", "review", "drop")}
    assert statistics.rows == told["keep"] + told["english"]


def test_reasons_count_every_row_once(statistics: Statistics) -> None:
    swahili, bengali = statistics.languages
    assert [(reason.name, reason.rows) for reason in swahili.reasons] == [("numbers.changed", 2), ("language.mixed", 1)]
    assert all(reason.meaning for reason in swahili.reasons)
    assert sum(reason.rows for reason in swahili.reasons) == swahili.review + swahili.drop
    assert (bengali.reasons, bengali.accepted, bengali.corrected) == ((), 1, 1)


def test_where_rows_come_from(statistics: Statistics) -> None:
    assert [(one.name, one.license, one.rows) for one in statistics.origins] == [("problems", "MIT", 38)]
    assert statistics.translators == ("facebook/nllb-200-distilled-600M@abc123 0011",)
    # The report has no score of a contamination check, so nothing was looked for.
    assert (statistics.benchmarks, statistics.unread) == ((), ("MGSM", "MSVAMP", "GSM8K test"))


def test_reviews_are_those_of_the_summary(statistics: Statistics) -> None:
    reviews = statistics.reviews
    assert {code: one.share.value for code, one in reviews.kept.items()} == {"sw": 0.95, "all": 0.95}
    assert {code: one.share.value for code, one in reviews.dropped.items()} == {"all": 0.25}
    assert {code: one.pairs.value for code, one in reviews.agreement.items()} == {"sw": 0.9, "all": 0.9}
    assert (reviews.annotators, reviews.simulated, reviews.judged, reviews.disputed) == (2, 0, {"sw": 1}, 0)
    assert statistics.languages[1].precision is None


def _scored(scores: list[float | None]) -> Published:
    published = Published()
    rows = [{"language": "sw", "scores": {"back_translation_question": score}} for score in scores]
    for batch in from_rows(rows).to_batches():
        published.add(batch)
    return published


def test_mean_and_interval_of_chrf() -> None:
    values = np.random.default_rng(1).uniform(20, 100, 500)
    measured = _scored([*values, None]).chrf("question")
    assert measured is not None
    assert measured.value == pytest.approx(values.mean(), abs=0.01)
    # The bootstrap of a mean comes to the normal interval of a mean (the percentiles of 1000 draws waver a little).
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (measured.low, measured.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.35)
    assert _scored([*values, None]).chrf("question") == measured


@pytest.mark.parametrize(("scores", "expected"), [([], None), ([None], None), ([100.0] * 3, Measured(100, 100, 100))])
def test_chrf_at_the_edges(scores: list[float | None], expected: Measured | None) -> None:
    assert _scored(scores).chrf("question") == expected


def test_signature_is_sacrebleus_and_the_checks() -> None:
    sacrebleu = pytest.importorskip("sacrebleu")
    named, _, version = CHRF_SIGNATURE.rpartition("|version:")
    metric = sacrebleu.CHRF(word_order=2)
    metric.corpus_score(["a"], [["a"]])
    theirs = str(metric.get_signature()).rpartition("|version:")[0]
    assert named == f"chrF2++|{theirs}"
    assert named == BackTranslationCheck().signature.rpartition("|version:")[0]
    assert version


def test_words_cover_the_schema_and_the_checks() -> None:
    assert list(COLUMNS) == SCHEMA.names
    assert list(REVIEW) == [field.name for field in SCHEMA.field("review").type]
    assert set(CHECKS) == set(DEFAULT_BANDS)


@pytest.mark.parametrize(
    ("settings", "reviews", "title", "part"),
    [
        ({}, None, "Precision unknown", "Nobody"),
        ({}, summary(), "Precision unknown in part", "Bengali"),
        ({}, summary(precision=0.8), "Low precision", "as drawn, before corrections: Swahili 16 of 20."),
        # The interval ends at 92%: it may well be nine rows in ten.
        ({}, summary(precision=0.88), None, "Low precision"),
        ({}, summary(), "Few judged rows", "Swahili 20"),
        ({}, summary(), "Weak agreement", "Swahili"),
        ({"translator": {"model": "demo"}}, None, "A demonstration", "a few templates"),
        ({"contamination": {}}, None, "Contamination not checked", "MGSM"),
        ({"back_translation": {"model": {"model": "other"}}}, None, None, "One model both ways"),
        ({"thresholds": {"default": {"numbers": {"keep": 1, "drop": 1}}}}, None, None, "Default thresholds"),
        ({}, summary(precision=0.95), None, "Low precision"),
    ],
)
def test_limits_come_from_the_run(
    tmp_path: Path, settings: dict[str, Any], reviews: dict[str, Any] | None, title: str | None, part: str
) -> None:
    run = make_run(tmp_path / "run", ROWS, settings=settings, reviews=reviews)
    limits = dict(find_limits(gather_statistics(run, stage(run, tmp_path / "staged"))))
    if title is None:
        assert part not in limits
    else:
        assert part in limits[title]


def test_simulated_annotators_are_called_so(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", ROWS, reviews=summary(), annotators=["simulated-sw-1", "simulated-sw-2"])
    statistics = gather_statistics(run, stage(run, tmp_path / "staged"))
    assert "Simulated annotators" in dict(find_limits(statistics))


def test_one_person_among_simulated_annotators_is_no_review_by_people(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", ROWS, reviews=summary(), annotators=["simulated-sw-1", "simulated-sw-2", "amina"])
    statistics = gather_statistics(run, stage(run, tmp_path / "staged"))
    assert statistics.reviews.judges == "2 simulated annotators and 1 person"
    assert "2 simulated annotators and 1 person" in dict(find_limits(statistics))["Simulated annotators"]


def test_only_the_published_languages_are_told_of(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", ROWS, reviews=summary(), annotators=["amina"])
    settings = SETTINGS.model_copy(update={"languages": ["bn"]})
    reviews = gather_statistics(run, stage(run, tmp_path / "staged", settings)).reviews
    assert (reviews.annotators, reviews.judged, reviews.kept, reviews.agreement) == (0, {}, {}, {})


def test_an_audit_of_a_set_that_names_neither_licence_nor_translator(tmp_path: Path) -> None:
    row = make_row(1, "sw") | {"license": None, "translator": None, "scores": None}
    run = make_run(tmp_path / "run", [row], settings={"languages": ["sw"]})
    statistics = gather_statistics(run, stage(run, tmp_path / "staged"))
    assert (statistics.translators, [one.rows for one in statistics.origins]) == ((), [1])
    assert statistics.languages[0].chrf == {}


def test_a_folder_without_report_is_refused(run: Path, tmp_path: Path) -> None:
    staged = stage(run, tmp_path / "staged")
    with pytest.raises(RunError, match=r"holds no report\.json; give the folder of a finished"):
        gather_statistics(tmp_path, staged)


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (show_percent(0.97345), "97.3%"),
        (show_percent(1.0), "100.0%"),
        (show_percent(0.9999), "99.9%"),
        (show_percent(0.0001), "0.1%"),
        (show_percent(0.0), "0.0%"),
        (show_percent(0.999, 0), "99%"),
        (show_count(6300000), "6,300,000"),
        (show_interval(Measured(97.31, 96.84, 97.9)), "97.3 (96.8–97.9)"),
        (show_interval(Measured(0.1, -0.2, 0.3), 2), "0.10 (-0.20 to 0.30)"),
        (show_bytes(999), "999\N{NO-BREAK SPACE}bytes"),
        (show_bytes(35_600), "36\N{NO-BREAK SPACE}kB"),
        (show_bytes(1_200_000), "1.2\N{NO-BREAK SPACE}MB"),
        (show_bytes(4_310_000_000), "4.3\N{NO-BREAK SPACE}GB"),
    ],
)
def test_numbers_as_a_card_says_them(got: str, expected: str) -> None:
    assert got == expected
