"""The one measure of the rows that the thresholds keep now, whichever decisions people's rows were drawn from."""

from typing import Any

import pytest

from annotation.estimates import CORRECTED, UNCORRECTED, Estimate, estimate
from annotation.precision import EARLIER, estimate_standing
from mcot.core.reviews import RESOLVED_SCHEMA
from mcot.core.rows import UNSCORED_REASONS
from mcot.core.settings import CurationSettings
from tests.annotation.verdict_tables import queue_of, queued, said, table_of

SETTINGS = CurationSettings.model_validate(
    {"name": "p", "sources": [{"path": "p.jsonl", "format": "gsm8k", "license": "MIT"}], "languages": ["sw", "te"],
     "thresholds": {"default": {"back_translation": {"keep": 60.0, "drop": 10.0}}}}
)  # fmt: skip
BANDS = {code: SETTINGS.bands(code) for code in SETTINGS.languages}

Row = tuple[str, str, float, list[str]]


def standing(decided: str, *draws: tuple[str, list[Row]], reasons: tuple[str, ...] = ()) -> tuple[list[Estimate], Any]:
    """What rounds come to that drew rows from decisions: language, stratum, score, what each annotator said.

    The uncertain rows have the reasons.
    """
    queue, verdicts = [], []
    for number, (drawn_from, rows) in enumerate(draws, 1):
        for place, (language, stratum, score, given) in enumerate(rows):
            key: dict[str, Any] = {"language": language, "id": f"{number}-{place}", "review_round": number}
            accused = list(reasons) if stratum == "review" else []
            scores = {"back_translation_question": score}
            row = {"id": key["id"], "language": language, "scores": scores, "reasons": accused}
            drawn: dict[str, Any] = {"stratum": stratum, "decided": drawn_from, "probability": 0.5, "row": row}
            queue.append(queued(key["id"], **drawn, review_round=number) | {"language": language})
            verdicts += [said(f"a{who}", verdict, **key) for who, verdict in enumerate(given)]
    tables = queue_of(*queue), table_of(verdicts), RESOLVED_SCHEMA.empty_table()
    return estimate_standing(*tables, decided, BANDS), tables


def shown(found: list[Estimate]) -> dict[tuple[str, str], tuple[int, int, int, str]]:
    return {(one.language, one.stratum): (one.judged, one.accepted, one.population, one.basis) for one in found}


def test_rows_drawn_from_what_stands_say_it() -> None:
    rows: list[Row] = [
        ("sw", "keep", 70.0, ["accept"]),
        ("sw", "keep", 20.0, ["reject"]),
        ("sw", "drop", 5.0, ["accept"]),
    ]
    found, tables = standing("a", ("a", rows))
    assert found == estimate(*tables)
    assert shown(found)["sw", "keep"] == (2, 1, 4, UNCORRECTED)


def test_after_new_thresholds_judged_rows_are_sorted_by_these() -> None:
    rows: list[Row] = [
        ("sw", "keep", 70.0, ["accept"]), ("sw", "keep", 65.0, ["reject"]), ("sw", "keep", 20.0, ["reject"]),
        ("sw", "keep", 90.0, []), ("sw", "review", 61.0, ["accept"]), ("sw", "drop", 5.0, ["reject"]),
        ("te", "keep", 30.0, ["accept"]),
    ]  # fmt: skip
    found, _ = standing("b", ("a", rows))
    basis = f"{UNCORRECTED}, {EARLIER}"
    # Eight kept rows by three judged ones, two uncertain ones by one.
    assert shown(found) == {("sw", "keep"): (3, 2, 7, basis), ("all", "keep"): (3, 2, 7, basis)}
    assert found[1].without == ("te",)
    assert f"{EARLIER}; 3 judged" in str(found[0])


@pytest.mark.parametrize("reason", UNSCORED_REASONS)
def test_what_could_not_be_scored_is_not_among_the_kept(reason: str) -> None:
    rows: list[Row] = [("sw", "keep", 70.0, ["reject"]), ("sw", "review", 61.0, ["accept"])]
    found, _ = standing("b", ("a", rows), reasons=(reason,))
    assert shown(found)["sw", "keep"][:3] == (1, 0, 2)
    # What another check had said of it stands in no threshold's way.
    found, _ = standing("b", ("a", rows), reasons=("back_translation.low",))
    assert shown(found)["sw", "keep"][:3] == (2, 1, 4)


def test_the_last_judged_draw_is_taken() -> None:
    first: list[Row] = [("sw", "keep", 70.0, ["reject"])] * 3
    second: list[Row] = [("sw", "keep", 70.0, ["accept"])]
    found, _ = standing("d", ("a", first), ("b", second), ("c", [("sw", "keep", 70.0, [])]))
    assert shown(found)["all", "keep"][:2] == (1, 1)
    # As soon as somebody judged a row of what stands, that alone says it.
    found, _ = standing("b", ("a", first), ("b", second))
    assert shown(found)["all", "keep"] == (1, 1, 2, UNCORRECTED)


def test_the_basis_says_that_it_is_corrected_and_the_other_share_is_beside_it() -> None:
    rows: list[Row] = [("sw", "keep", 70.0, ["accept", "accept"])] * 30 + [
        ("sw", "keep", 70.0, ["accept", "reject"])
    ] * 3
    rows += [("sw", "keep", 70.0, ["reject"])] * 2
    [one, _] = standing("b", ("a", rows))[0]
    assert one.basis == f"{CORRECTED}, {EARLIER}"
    assert one.judged_good is not None
    assert one.good is not None
    assert one.judged_good.value == pytest.approx(30 / 32)
    assert one.good.value > one.judged_good.value


@pytest.mark.parametrize("rows", [[], [("sw", "keep", 70.0, [])], [("sw", "keep", 20.0, ["accept"])]])
def test_nothing_is_said_without_verdicts_on_what_is_kept(rows: list[Row]) -> None:
    assert standing("b", ("a", rows))[0] == []
