"""A calculator for models: decimal arithmetic on what they write, and nothing else that Python could do."""

from __future__ import annotations

import ast
import operator
import re
import unicodedata
from collections.abc import Callable
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext

from ragsvc.errors import InvalidInput

MAX_CHARS = 200
MAX_POWER = 100
"""Largest exponent, either sign."""
_CONTEXT = Context(prec=34, Emax=60, Emin=-60, traps=[InvalidOperation, DivisionByZero, Overflow])
_LARGEST = Decimal("1e30")
"""Below that a whole number is exact."""
_DECIMALS = 10
"""Most that are shown."""

_SIGNS = str.maketrans({"×": "*", "÷": "/", "−": "-", "–": "-", "·": "*", "＾": "^"})
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_PERCENT = re.compile(r"(\d+(?:\.\d*)?)\s*%(?!\s*[\d(.])")

_OPERATIONS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_SIGNED: dict[type[ast.unaryop], Callable[[Decimal], Decimal]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def calculate(expression: str) -> str:
    """Return the value of an arithmetic expression, in decimal digits.

    It knows ``+ - * / // % **`` (also × ÷ ^), brackets, percent after a number, thousands separators, ``abs``, ``min``,
    ``max`` and ``round``. Exact where decimal digits are: 0.1 + 0.2 is 0.3.

    Raises:
        InvalidInput: it is no such expression, too long, or its value is too large or not a number.
    """
    text = unicodedata.normalize("NFKC", expression).translate(_SIGNS).strip().rstrip("=").strip()
    if not 1 <= len(text) <= MAX_CHARS:
        raise InvalidInput(f"an expression of 1 to {MAX_CHARS} characters was expected; found {len(text)}")
    text = _PERCENT.sub(r"(\1/100)", _THOUSANDS.sub("", text)).replace("^", "**")
    try:
        tree = ast.parse(text, mode="eval")
        with localcontext(_CONTEXT):
            value = _value(tree.body)
            if not abs(value) < _LARGEST:
                raise ValueError("the value is too large, or infinite")
            shown = value if value == value.to_integral_value() else round(value, _DECIMALS)
    except (SyntaxError, ValueError, ArithmeticError, TypeError, MemoryError, RecursionError):
        raise InvalidInput(f"{expression[:MAX_CHARS]!r} is no arithmetic with a result") from None
    return f"{shown.normalize():f}"


def _value(node: ast.expr) -> Decimal:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Decimal(repr(number))
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _SIGNED:
            return _SIGNED[type(sign)](_value(operand))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            power = _value(right)
            if abs(power) > MAX_POWER:
                raise ValueError("the power is too large")
            return _value(left) ** power
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _OPERATIONS:
            return _OPERATIONS[type(operation)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id="round"), args=[number], keywords=[]):
            return Decimal(round(_value(number)))
        case ast.Call(func=ast.Name(id="round"), args=[number, ast.Constant(value=int() as digits)], keywords=[]):
            return round(_value(number), min(max(digits, 0), _DECIMALS))
        case ast.Call(func=ast.Name(id="abs"), args=[number], keywords=[]):
            return abs(_value(number))
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=[_, *_] as numbers, keywords=[]):
            return (min if name == "min" else max)(map(_value, numbers))
    raise ValueError("not arithmetic")
