"""Where the review budget goes: by what the last evaluation lost and by how many kept rows may be bad."""

from typing import Any

import pytest

from mcot.round_plan import Plan, Standing, plan_budgets


def plan(total: int | None = None, **languages: dict[str, Any]) -> Plan:
    given = {"wanted": 100, "left": 1000, "problems": 250}
    return plan_budgets({code: Standing(**(given | known)) for code, known in languages.items()}, total)


@pytest.mark.parametrize(
    ("languages", "total", "expected"),
    [
        # Nothing is known: as the settings have it, or in their proportions.
        ({"sw": {}, "de": {}}, None, {"sw": 100, "de": 100}),
        ({"sw": {"wanted": 200}, "de": {}}, None, {"sw": 200, "de": 100}),
        ({"sw": {"wanted": 200}, "de": {}}, 30, {"sw": 20, "de": 10}),
        # Half evenly (50 each), half by what was lost: 3 to 1.
        ({"sw": {"lost": 30}, "de": {"lost": 10}}, None, {"sw": 125, "de": 75}),
        # The same where all that is known is how many rows may be bad: 0.3 to 0.1.
        ({"sw": {"precision_low": 0.7}, "de": {"precision_low": 0.9}}, None, {"sw": 125, "de": 75}),
        # Both, against one another: (3/4 + 1/4) / 2 and the same.
        (
            {"sw": {"lost": 30, "precision_low": 0.9}, "de": {"lost": 10, "precision_low": 0.7}},
            None,
            {"sw": 100, "de": 100},
        ),
        # Nothing lost anywhere and nothing bad: evenly.
        ({"sw": {"lost": 0, "precision_low": 1.0}, "de": {"lost": 0, "precision_low": 1.0}}, 50, {"sw": 25, "de": 25}),
        # The part of one that was not evaluated is the mean of the others: 30, 10 and 20 of 60.
        ({"sw": {"lost": 30}, "de": {"lost": 10}, "te": {}}, None, {"sw": 125, "de": 75, "te": 100}),
        # As a share of the problems: 10 of 100 are as many as 25 of 250.
        ({"sw": {"lost": 10, "problems": 100}, "de": {"lost": 25}}, None, {"sw": 100, "de": 100}),
        # All lost in one: the others keep half of an even share.
        ({"sw": {"lost": 9}, "de": {"lost": 0}}, 100, {"sw": 75, "de": 25}),
        # What one has no rows for is the others'.
        ({"sw": {"lost": 30, "left": 80}, "de": {"lost": 10}}, None, {"sw": 80, "de": 120}),
        ({"sw": {"lost": 30, "left": 8}, "de": {"lost": 10, "left": 4}}, None, {"sw": 8, "de": 4}),
        # The settings take no budget of nothing.
        ({"sw": {"left": 0}, "de": {"left": 0}}, None, {"sw": 1, "de": 1}),
        ({"sw": {"lost": 30}, "de": {"lost": 0}, "te": {"lost": 0}}, 3, {"sw": 1, "de": 1, "te": 1}),
        # Whole rows, by the largest remainders.
        ({"sw": {"lost": 1}, "de": {"lost": 1}, "te": {"lost": 1}}, 100, {"sw": 34, "de": 33, "te": 33}),
    ],
)
def test_where_the_budget_goes(
    languages: dict[str, dict[str, Any]], total: int | None, expected: dict[str, int]
) -> None:
    assert plan(total, **languages).budgets == expected


def test_it_says_why() -> None:
    sw, te = {"lost": 31, "precision_low": 0.8423}, {"lost": 2, "left": 20}
    assert plan(sw=sw, te=te).why == (
        "half of the rows evenly, half by the problems lost and by how many kept rows may be bad",
        "sw: 180 rows: lost 31 of 250 problems that most languages solve; at least 84.2% of its kept rows are good",
        "te: 20 rows: lost 2 of 250 problems that most languages solve; no more are left to show",
    )
    least = "at least one row of each language: 2 in all, where 1 was asked for"
    assert plan(1, sw=sw, te=te).why[1] == least
    assert plan(1, sw={}, te={}).why[1:] == (least,)
    assert plan(2, sw=sw, te=te).why[1].startswith("sw: 1 row:")
    assert plan(sw={}, te={}).why == (
        "nothing was evaluated or judged yet: as many rows of each language as the review settings say",
    )
