"""JSON as a database keeps it, whose numbers may have more digits than a number of double precision."""

import json
import math
from decimal import Decimal
from typing import Any

from console.core.operands import Spelled


class Digits(str):
    """A number inside JSON with more digits than could be written back."""

    __slots__ = ()


def exact_json(text: str | bytes) -> Any:
    """JSON whose numbers keep their digits: those that no number of double precision is are shown as the text that they are (`Digits`)."""
    return json.loads(text, parse_float=_exactly)


def numbers(value: Any) -> Any:
    """JSON that somebody sent, with the numbers that it spells (`core.operands.Spelled`) as those of `exact_json`."""
    match value:
        case Spelled():
            return _exactly(value)
        case list():
            return [numbers(item) for item in value]
        case dict():
            return {name: numbers(item) for name, item in value.items()}
    return value


def rounded(value: Any) -> bool:
    """Whether JSON of `exact_json` holds a number that would not be written back as it was."""
    match value:
        case Digits():
            return True
        case list():
            return any(map(rounded, value))
        case dict():
            return any(map(rounded, value.values()))
    return False


def _exactly(digits: str) -> Any:
    number = float(digits)
    return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(digits) else Digits(digits)
