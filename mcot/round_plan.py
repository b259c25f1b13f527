"""Where a round's review budget goes: to the languages that the model is weakest in and whose rows are least certain.

Of the rows that people are to judge, language l of L gets

    FLOOR / L  +  (1 - FLOOR) * (lost(l) + doubt(l)) / 2

where `lost(l)` is l's part of the problems that a language failed in the last evaluation though more than half of the
others solve them (`evaluation.feedback`: so what is too hard in every language draws no review), and `doubt(l)` is
l's part of the languages' doubts: 1 less the lower end of the 95% interval of the share of good rows among those kept.
The lower end, not the estimate: a language with few verdicts may be a bad one. A language of which one of the two is
not known counts in it as the others do on the average; where it is known of none, the other decides alone. FLOOR is a
half: every language keeps half of an even share, as without some audits in each round there is no estimate for it.

No language gets more rows than it has left to show, and none less than one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FLOOR", "Plan", "Standing", "plan_budgets"]

#: Of the budget, the part that is shared evenly.
FLOOR = 0.5
_FORMULA = "half of the rows evenly, half by the problems lost and by how many kept rows may be bad"
_EVENLY = "nothing was evaluated or judged yet: as many rows of each language as the review settings say"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a language.

    Attributes:
        wanted: rows that the review settings ask for.
        left: rows that nobody was shown yet.
        lost: problems that it fails and most languages solve; None where it was not evaluated.
        problems: of these, how many there were.
        precision_low: the lower end of the share of good rows among the kept ones, 0 to 1; None without verdicts.
    """

    wanted: int
    left: int
    lost: int | None = None
    problems: int = 0
    precision_low: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How many rows of each language people are to judge, and why.

    Attributes:
        budgets: rows by language.
        why: a line each, for people.
    """

    budgets: dict[str, int]
    why: tuple[str, ...]


def plan_budgets(standings: Mapping[str, Standing], total: int | None = None) -> Plan:
    """Share a review round's rows among the languages.

    Args:
        standings: by language.
        total: rows in all; as many as the review settings ask for by default.

    Returns:
        The budgets, which add up to the total unless there are fewer rows left, or fewer than one for each language.
    """
    lost = {code: None if one.lost is None else one.lost / max(one.problems, 1) for code, one in standings.items()}
    doubt = {code: None if (low := one.precision_low) is None else 1 - low for code, one in standings.items()}
    known = [part for part in (_parts(lost), _parts(doubt)) if part is not None]
    left = {code: max(one.left, 1) for code, one in standings.items()}
    few = _explain_least(total, len(standings))
    if not known:
        even = {code: float(one.wanted) for code, one in standings.items()}
        budgets = _share(sum(one.wanted for one in standings.values()) if total is None else total, even, left)
        return Plan(budgets, (_EVENLY, *few))
    weights = {
        code: FLOOR / len(standings) + (1 - FLOOR) * sum(part[code] for part in known) / len(known)
        for code in standings
    }
    budgets = _share(sum(one.wanted for one in standings.values()) if total is None else total, weights, left)
    order = sorted(budgets, key=lambda code: (-budgets[code], code))
    return Plan(budgets, (_FORMULA, *few, *(_explain(code, budgets[code], standings[code]) for code in order)))


def _parts(values: Mapping[str, float | None]) -> dict[str, float] | None:
    """Each language's part of a sum, one that is not known having the mean; None where nothing is known."""
    known = [value for value in values.values() if value is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    filled = {code: mean if value is None else value for code, value in values.items()}
    whole = sum(filled.values())
    return {code: value / whole if whole else 1 / len(filled) for code, value in filled.items()}


def _share(total: int, weights: Mapping[str, float], most: Mapping[str, int]) -> dict[str, int]:
    """Whole rows in proportion to weights, by the largest remainders, at least one and at most `most` of each."""
    total = min(max(total, len(weights)), sum(most.values()))
    fixed: dict[str, int] = {}
    while True:
        free = {code: weight for code, weight in weights.items() if code not in fixed}
        whole, rest = sum(free.values()), total - sum(fixed.values())
        exact = {code: rest * weight / whole for code, weight in free.items()}
        # What is too much for one is the others', so those with too much come first.
        over = {code: most[code] for code, rows in exact.items() if rows > most[code]}
        under = {code: 1 for code, rows in exact.items() if rows < 1}
        if not over and not under:
            break
        fixed |= over or under
        if len(fixed) == len(weights):
            return {code: fixed[code] for code in weights}
    rows = {code: int(value) for code, value in exact.items()}
    for code in sorted(exact, key=lambda code: round(rows[code] - exact[code], 9))[: rest - sum(rows.values())]:
        rows[code] += 1
    return {code: (fixed | rows)[code] for code in weights}


def _explain_least(total: int | None, languages: int) -> tuple[str, ...]:
    """That it is more than was asked for, where it is: the settings take no budget of nothing."""
    if total is None or total >= languages:
        return ()
    return (f"at least one row of each language: {languages} in all, where {total} {_were(total)} asked for",)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _explain(code: str, rows: int, standing: Standing) -> str:
    known = []
    if standing.lost is not None:
        known.append(f"lost {standing.lost} of {standing.problems} problems that most languages solve")
    if standing.precision_low is not None:
        known.append(f"at least {100 * standing.precision_low:.1f}% of its kept rows are good")
    if rows == max(standing.left, 1):
        known.append("no more are left to show")
    return f"{code}: {rows} row{'' if rows == 1 else 's'}: {'; '.join(known) or 'nothing is known of it yet'}"
