"""JSON with exact numbers: databases keep more digits than a double-precision number."""

import json
import math
from decimal import Decimal
from typing import Any

from console.core.expressions.operands import Spelled


class Digits(str):
    """A number inside JSON with more digits than can be written back."""

    __slots__ = ()


def exact_json(text: str | bytes) -> Any:
    """JSON with exact numbers: those that double precision cannot represent become texts (`Digits`)."""
    return json.loads(text, parse_float=_exactly)


def numbers(value: Any) -> Any:
    """JSON from a request, its spelled numbers (`core.operands.Spelled`) in the form of `exact_json`."""
    return _numbers(value) if _holds(value, Spelled) else value


def _numbers(value: Any) -> Any:
    match value:
        case Spelled():
            return _exactly(value)
        case list():
            return [_numbers(item) for item in value]
        case dict():
            return {name: _numbers(item) for name, item in value.items()}
    return value


def rounded(value: Any) -> bool:
    """Whether JSON of `exact_json` has a number that could not be written back unchanged."""
    return _holds(value, Digits)


def _holds(value: Any, kind: type) -> bool:
    """Whether a value of this kind is anywhere in the JSON."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, kind):
            return True
        if isinstance(item, (list, dict)):
            left.extend(item.values() if isinstance(item, dict) else item)
    return False


def _exactly(digits: str) -> Any:
    number = float(digits)
    return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(digits) else Digits(digits)
