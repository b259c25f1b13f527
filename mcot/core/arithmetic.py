"""Arithmetic expressions as exact values: ``3 * (4 + 5)`` is ``Fraction(27)``."""

import ast
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache

__all__ = ["evaluate", "is_true"]

_BINARY: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
# An exponent beyond this is no word problem's, and its value could fill the memory.
_LARGEST_EXPONENT = 64


@lru_cache(maxsize=4096)
def _parse(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"no arithmetic expression: {expression!r}") from error


def evaluate(expression: str, variables: Mapping[str, Fraction | int] | None = None) -> Fraction:
    """The exact value of an expression of numbers, variables, ``+ - * / % **`` and parentheses.

    Raises:
        ValueError: it is none, or names an unknown variable.
        ZeroDivisionError: it divides by zero.
    """
    return _value(_parse(expression), variables or {})


def is_true(condition: str, variables: Mapping[str, Fraction | int]) -> bool:
    """Whether a comparison such as ``a - b > 2`` holds. Raises as `evaluate` does."""
    node = _parse(condition)
    if not isinstance(node, ast.Compare):
        raise ValueError(f"no comparison: {condition!r}")
    values = [_value(part, variables) for part in (node.left, *node.comparators)]
    return all(
        _COMPARISONS[type(compare)](left, right)
        for compare, left, right in zip(node.ops, values, values[1:], strict=False)
    )


def _value(node: ast.expr, variables: Mapping[str, Fraction | int]) -> Fraction:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int(value)):
            return Fraction(value)
        case ast.Constant(value=float(value)):
            # repr keeps the decimal digits that were written: 0.1 is 1/10, not 0.1000000000000000055.
            return Fraction(repr(value))
        case ast.Name(id=name) if name in variables:
            return Fraction(variables[name])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, variables)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, variables)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _value(left, variables), _value(right, variables)
            if exponent.denominator == 1 and abs(exponent) <= _LARGEST_EXPONENT:
                return base ** int(exponent)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, variables), _value(right, variables))
        case _:
            pass
    raise ValueError(f"no arithmetic: {ast.unparse(node)!r}")
