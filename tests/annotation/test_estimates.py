"""Shares of good rows with their intervals, from audits."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import binomtest

from annotation.estimates import Estimate, estimate
from annotation.intervals import (
    Interval,
    clopper_pearson,
    correct,
    error_of_disagreement,
    interval_of_error,
    resolved_error,
    weigh,
)
from annotation.labels import count_earlier, current_draws, read_labels
from benchmarks import planted_reviews
from mcot.core.reviews import QUEUE_SCHEMA, RESOLVED_SCHEMA, VERDICT_SCHEMA

SIGNED = {"source_signature": "s", "translation_signature": "t"}


def tables(
    *drawn: tuple[str, str, float, list[str]],
    review_round: int = 1,
    settled: dict[str, str] | None = None,
    decided: str | None = "a",
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Queue, verdicts and resolved of rows: language, stratum, probability, what annotators said.

    Ids are the positions; the round is part of them, so that rounds can be put together.
    """
    queue, verdicts = [], []
    for number, (language, stratum, probability, said) in enumerate(drawn):
        key = {"language": language, "id": f"{review_round}-{number}", "review_round": review_round, **SIGNED}
        queue.append({**key, "stratum": stratum, "probability": probability, "decided": decided})
        verdicts += [
            {**key, "annotator": f"a{who}", "verdict": verdict, "question": "Swali" if verdict == "fix" else None}
            for who, verdict in enumerate(said)
        ]
    resolved = [{"id": id, "verdict": verdict, "language": "sw", **SIGNED} for id, verdict in (settled or {}).items()]
    return (
        pa.Table.from_pylist(queue, schema=QUEUE_SCHEMA),
        pa.Table.from_pylist(verdicts, schema=VERDICT_SCHEMA),
        pa.Table.from_pylist(resolved, schema=RESOLVED_SCHEMA),
    )


def of(found: list[Estimate], language: str, stratum: str = "keep") -> Estimate:
    (one,) = [one for one in found if (one.language, one.stratum) == (language, stratum)]
    return one


@pytest.mark.parametrize(("good", "total"), [(0, 5), (5, 5), (57, 60), (1, 1), (970, 1000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_clopper_pearson_is_scipys(good: int, total: int, confidence: float) -> None:
    interval = binomtest(good, total).proportion_ci(confidence, method="exact")
    assert clopper_pearson(good / total, total, confidence) == pytest.approx((interval.low, interval.high))


def test_nothing_is_known_of_no_rows() -> None:
    assert clopper_pearson(0.5, 0, 0.95) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("values", "weights", "share", "effective"),
    [
        ([1, 1, 0, 1], [5, 5, 5, 5], 0.75, 4),
        ([1, 1, 1], [1, 1, 1], 1.0, 3),
        # Kish: 10² / (9² + 1²).
        ([1, 1], [9, 1], 1.0, 100 / 82),
        # One row in a hundred speaks for nine: a binomial's 0.09 · 0.91 by the variance.
        ([1] + [0] * 91, [9] + [1] * 91, 0.09, 0.0819 / 0.00678132),
    ],
)
def test_weights(values: list[float], weights: list[float], share: float, effective: float) -> None:
    assert weigh(np.array(values, float), np.array(weights, float)) == pytest.approx((share, effective))


@pytest.mark.parametrize(
    ("annotators", "wrong"),
    [
        (1, 0.05),
        # A tie goes to a third with the same error, so two are as good as three.
        (2, 3 * 0.05**2 * 0.95 + 0.05**3),
        (3, 3 * 0.05**2 * 0.95 + 0.05**3),
        (5, 10 * 0.05**3 * 0.95**2 + 5 * 0.05**4 * 0.95 + 0.05**5),
    ],
)
def test_the_error_of_what_is_resolved(annotators: int, wrong: float) -> None:
    assert resolved_error(0.05, annotators) == pytest.approx(wrong)


def test_an_error_is_read_off_disagreements() -> None:
    assert error_of_disagreement(2 * 0.05 * 0.95) == pytest.approx(0.05)
    assert error_of_disagreement(0.7) == 0.5


def test_the_correction_turns_the_bias_round() -> None:
    # 92% good, judged with 5% error.
    value, interval = correct(0.05 + 0.92 * 0.9, Interval(0.82, 0.92), 0.05, Interval(0.05, 0.05))
    assert value == pytest.approx(0.92)
    assert interval == pytest.approx(((0.82 - 0.05) / 0.9, (0.92 - 0.05) / 0.9))
    assert correct(0.9, Interval(0.8, 1.0), 0.3, Interval(0.1, 0.5))[1] == (0.0, 1.0)


@pytest.mark.parametrize(
    ("good", "error", "rows", "overlap", "annotators"),
    [(0.95, 0.05, 40, 50, 2), (0.97, 0.1, 400, 100, 1), (0.1, 0.05, 60, 80, 1), (0.9, 0.2, 200, 60, 1)],
)
def test_the_corrected_interval_holds_the_truth(
    good: float, error: float, rows: int, overlap: int, annotators: int
) -> None:
    rng = np.random.default_rng(4)
    wrong = resolved_error(error, annotators)
    held = 0
    for judged, disagreeing in zip(
        rng.binomial(rows, good + wrong - 2 * good * wrong, 400),
        rng.binomial(overlap, 2 * error * (1 - error), 400),
        strict=True,
    ):
        errors = interval_of_error([1.0] * disagreeing + [0.0] * (overlap - disagreeing), 0.95)
        low, high = correct(
            judged / rows,
            clopper_pearson(judged / rows, rows, 0.95),
            resolved_error(error_of_disagreement(disagreeing / overlap), annotators),
            Interval(*(resolved_error(end, annotators) for end in errors)),
        )[1]
        held += low <= good <= high
    assert held >= 0.93 * 400


def test_shares_populations_and_counts() -> None:
    kept = [("sw", "keep", 0.1, ["accept"])] * 8 + [("sw", "keep", 0.1, ["fix"]), ("sw", "keep", 0.1, ["reject"])]
    rest = [("sw", "drop", 0.5, ["accept"]), ("sw", "drop", 0.5, ["reject"]), ("sw", "review", 1.0, ["accept"])]
    found = estimate(*tables(*kept, *rest))
    assert [(one.language, one.stratum) for one in found] == [("sw", "keep"), ("all", "keep"), ("sw", "drop"),
                                                              ("all", "drop")]  # fmt: skip
    keep = of(found, "sw")
    assert (keep.population, keep.queued, keep.judged, keep.accepted, keep.to_fix, keep.rejected) == (
        100, 10, 10, 8, 1, 1,
    )  # fmt: skip
    interval = binomtest(8, 10).proportion_ci(0.95, method="exact")
    assert keep.good is not None
    assert (keep.good.value, keep.good.low, keep.good.high) == pytest.approx((0.8, interval.low, interval.high))
    assert keep.basis == "as annotators judge"
    assert str(keep) == "sw: 80.0% (44.4 to 97.5) of 100 kept rows are good, as annotators judge; 10 judged"
    assert of(found, "sw", "drop").population == 4


def test_all_languages_are_weighted_by_their_rows() -> None:
    drawn = [("sw", "keep", 0.01, ["accept"])] * 10 + [("te", "keep", 0.1, ["reject"])] * 10
    everything = of(estimate(*tables(*drawn, ("th", "keep", 0.1, []))), "all")
    assert everything.good is not None
    assert everything.good.value == pytest.approx(1000 / 1100)
    assert (everything.population, everything.without) == (1100, ("th",))
    # Ten rows of the larger language say less than twenty of both would.
    assert everything.good.low < binomtest(18, 20).proportion_ci(0.95, method="exact").low


def test_without_verdicts_there_is_no_estimate() -> None:
    found = of(estimate(*tables(("sw", "keep", 0.1, []))), "sw")
    assert (found.good, found.basis, str(found)) == (
        None, "no verdicts", "sw: none of 1 queued kept rows is judged yet",
    )  # fmt: skip
    assert estimate(*tables()) == []


@pytest.mark.parametrize(
    ("said", "settled", "good"),
    [
        (["accept"], {}, True),
        (["accept", "reject"], {}, None),
        (["accept", "reject"], {"1-0": "accept"}, True),
        (["accept", "accept", "reject"], {}, True),
        # They disagree on what to do, not on whether it is good.
        (["fix", "reject"], {}, False),
        (["accept", "accept"], {"1-0": "reject"}, False),
    ],
)
def test_whether_a_row_is_good(said: list[str], settled: dict[str, str], good: bool | None) -> None:
    labels = read_labels(*tables(("sw", "keep", 0.1, said), settled=settled))
    assert [row.good for row in labels.rows] == [good]


def test_an_open_row_widens_the_interval_both_ways() -> None:
    drawn = [("sw", "keep", 0.1, ["accept"])] * 18 + [("sw", "keep", 0.1, ["reject"])]
    found = of(estimate(*tables(*drawn, ("sw", "keep", 0.1, ["accept", "reject"]))), "sw")
    assert found.good is not None
    assert found.unsettled == 1
    assert found.good.low == pytest.approx(binomtest(18, 20).proportion_ci(0.95, method="exact").low)
    assert found.good.high == pytest.approx(binomtest(19, 20).proportion_ci(0.95, method="exact").high)


def test_a_verdict_on_other_texts_does_not_count() -> None:
    queue, verdicts, resolved = tables(("sw", "keep", 0.1, ["accept"]))
    place = verdicts.column_names.index("translation_signature")
    changed = verdicts.set_column(place, "translation_signature", pa.array(["another"]))
    assert of(estimate(queue, changed, resolved), "sw").judged == 0


def test_later_rounds_join_the_sample() -> None:
    first = tables(*[("sw", "keep", 0.1, ["accept"])] * 10)
    second = tables(*[("sw", "keep", 10 / 90, ["reject"])] * 10, review_round=2)
    both = [pa.concat_tables(pair) for pair in zip(first, second, strict=True)]
    found = of(estimate(*both), "sw")
    assert (found.population, found.judged, found.accepted) == (100, 20, 10)


def test_draws_from_other_decisions_are_no_part_of_the_sample() -> None:
    first = tables(*[("sw", "keep", 0.1, ["accept"])] * 10, decided="a")
    again = tables(*[("sw", "keep", 0.1, ["accept"])] * 5, review_round=2, decided="a")
    second = tables(*[("sw", "keep", 0.5, ["reject"])] * 4, review_round=3, decided="b")
    unknown = tables(("sw", "keep", 0.5, ["accept"]), review_round=4, decided=None)
    queue, verdicts, resolved = (
        pa.concat_tables(parts) for parts in zip(first, again, second, unknown, strict=True)
    )  # fmt: skip
    judged = {
        decided: [
            (one.population, one.judged, one.accepted)
            for one in estimate(current_draws(queue, decided), verdicts, resolved)
            if one.language == "sw"
        ]
        for decided in ("a", "b", "c")
    }
    assert judged == {"a": [(100, 15, 15)], "b": [(8, 4, 0)], "c": []}
    assert [count_earlier(queue, verdicts, decided) for decided in ("a", "b", "c")] == [5, 16, 20]


def test_a_correction_that_was_shown_again_is_no_part_of_the_sample() -> None:
    queue, verdicts, resolved = tables(("sw", "review", 1.0, ["fix"]), ("sw", "review", 1.0, ["accept"]))
    rows = queue.to_pylist()
    rows[1]["row"] = {"review": {"verdict": "fix"}}
    labels = read_labels(pa.Table.from_pylist(rows, schema=QUEUE_SCHEMA), verdicts, resolved)
    assert [row.verdict for row in labels.rows] == ["fix"]
    assert labels.cells["sw", "review"].population == 1


def test_the_error_is_the_languages_own_where_there_is_overlap_enough() -> None:
    agreeing = [("sw", "keep", 0.1, ["accept", "accept"])] * 40
    differing = [("te", "keep", 0.1, ["accept", "reject"])] * 2 + [("te", "keep", 0.1, ["accept", "accept"])] * 8
    found = estimate(*tables(*agreeing, *differing, *[("th", "keep", 0.1, ["accept"])] * 10))
    errors = {one.language: one.error for one in found}
    assert {language: error.of for language, error in errors.items() if error is not None} == {
        "sw": "sw", "te": "all", "th": "all", "all": "all",
    }  # fmt: skip
    assert errors["sw"] is not None
    assert errors["sw"].share.value == 0
    assert errors["te"] is not None
    assert errors["te"].share.value == pytest.approx(error_of_disagreement(2 / 50))
    assert of(found, "th").basis == "corrected for annotators' error"


def test_intervals_hold_the_truth_of_planted_sets() -> None:
    """Twenty seeds; the benchmark has 200. Below 93% in the long run, 20 of these 200 intervals would fail."""
    held = tried = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        planted = planted_reviews.plant(rng)
        queue, drawn = planted_reviews.draw(planted, rng, {"keep": 40, "drop": 12, "review": 8})
        verdicts, resolved = planted_reviews.judge(queue, planted.good[drawn], rng)
        for one in estimate(queue, verdicts, resolved):
            of_language = (planted.language == one.language) | (one.language == "all")
            truth = planted.precision((planted.decision == one.stratum) & of_language)
            tried += 1
            held += one.good is not None and one.good.low <= truth <= one.good.high
    assert tried == 20 * 12
    assert held >= 0.95 * tried
