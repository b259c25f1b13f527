"""Exact arithmetic."""

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcot.core.arithmetic import evaluate, is_true


@pytest.mark.parametrize(
    ("expression", "value"),
    [("3 + 4 * 2", "11"), ("(3 + 4) * 2", "14"), ("7 / 2", "7/2"), ("0.1 + 0.2", "3/10"), ("-3 + +5", "2"),
     ("2 ** 10", "1024"), ("7 % 4", "3"), ("a * 25 / 100", "15"), ("1.50", "3/2")],
)  # fmt: skip
def test_evaluate(expression: str, value: str) -> None:
    assert evaluate(expression, {"a": 60}) == Fraction(value)


REFUSED = ["", "a", "3 +", "__import__('os')", "[1]", "'a'", "True", "2 ** 1000", "f(2)", "1 < 2"]


@pytest.mark.parametrize("expression", REFUSED)
def test_evaluate_refuses(expression: str) -> None:
    with pytest.raises(ValueError, match="arithmetic"):
        evaluate(expression)


def test_division_by_zero() -> None:
    with pytest.raises(ZeroDivisionError):
        evaluate("1 / 0")


@given(st.text(max_size=40))
def test_unknown_text_raises_nothing_else(text: str) -> None:
    with contextlib.suppress(ValueError, ZeroDivisionError):
        evaluate(text)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [("a - b > 2", True), ("a == b", False), ("b < a < 10", True), ("(a + b) % 3 == 0", True)],
)
def test_is_true(condition: str, expected: bool) -> None:
    assert is_true(condition, {"a": 8, "b": 1}) is expected
