"""JSON as a database keeps it, whose numbers may have more digits than a number of double precision."""

import json
import math
from decimal import Decimal
from typing import Any

from console.core.expressions.operands import Spelled


class Digits(str):
    """A number inside JSON with more digits than could be written back."""

    __slots__ = ()


def exact_json(text: str | bytes) -> Any:
    """JSON whose numbers keep their digits: those that no number of double precision is are shown as the text that they are (`Digits`)."""
    return json.loads(text, parse_float=_exactly)


def numbers(value: Any) -> Any:
    """JSON that somebody sent, with the numbers that it spells (`core.operands.Spelled`) as those of `exact_json`."""
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
    """Whether JSON of `exact_json` holds a number that would not be written back as it was."""
    return _holds(value, Digits)


def _holds(value: Any, kind: type) -> bool:
    """Whether something of this kind is anywhere in the JSON, however deep it is."""
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
