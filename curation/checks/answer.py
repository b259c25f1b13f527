"""Is the final answer of the translated solution the gold one?"""

from fractions import Fraction

import pyarrow as pa

from curation.checks.base import Observation, Scored, column_values
from mcot.core.answers import canonical, final_answer, find_statement
from mcot.core.numbers import read_numbers
from mcot.core.runs import sign

__all__ = ["AnswerCheck", "compare_answer"]


class AnswerCheck:
    """Scores 1 if a translated rationale states the gold answer and 0 if it states another number.

    A rationale that states none has no score, unless the last number in it is the answer: then 1. Rows without a
    gold answer, or with one that is no number, have no score either. Observes `answer.differs`.
    """

    name = "answer"
    signature = sign("answer", 1)

    def open(self) -> None:
        """Nothing to load."""

    def score(self, table: pa.Table) -> Scored:
        """Score the rationale of every row."""
        columns = [column_values(table, name) for name in ("rationale", "answer", "language")]
        scored = Scored({"answer_rationale": []}, [])
        for rationale, gold, language in zip(*columns, strict=True):
            value: float | None = None
            observations: list[Observation] = []
            if rationale and gold:
                value, observations = compare_answer(rationale, gold, language)
            scored.scores["answer_rationale"].append(value)
            scored.observations.append(observations)
        return scored


def compare_answer(rationale: str, gold: str, language: str) -> tuple[float | None, list[Observation]]:
    """The score of a rationale, None where nothing can be compared, and what was observed."""
    expected = _value(canonical(gold, "en"))
    if expected is None:
        return None, []
    stated = final_answer(rationale, language)
    found = _value(stated)
    if found is None:
        statement = find_statement(rationale, language)
        # A time or "3 von 4" is stated, but is no one number.
        last = None if statement is not None else _value(final_answer(rationale, language, lenient=True))
        return (1.0 if last == expected else None), []
    if found == expected or expected in _readings(rationale, language):
        return 1.0, []
    return 0.0, [Observation("answer.differs", "rationale", f"{stated}, gold is {gold}")]


def _value(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


def _readings(rationale: str, language: str) -> set[Fraction]:
    """The values that the number stated may have: 2.500 is read in two ways, and 3万 has a scale."""
    statement = find_statement(rationale, language)
    numbers = read_numbers(statement.text, language) if statement else []
    if len(numbers) != 1:
        return set()
    return {numbers[0].value, *numbers[0].alternatives}
