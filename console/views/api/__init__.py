"""The console in JSON: the same service functions as the pages, for programs with a key. One file per family of calls."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from console.errors import Malformed

MOST = 100


def body() -> dict[str, Any]:
    """The JSON object that was sent. Numbers with a fraction come as text: decimals are text everywhere here.

    Raises `Malformed` for what is no JSON object, 415 for what does not say that it is JSON.
    """
    raw = request.get_data()
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON, with the header Content-Type: application/json.")
    try:
        sent = json.loads(raw, parse_float=str, parse_constant=_no_number)
        if b"\\u" in raw:
            json.dumps(sent, ensure_ascii=False).encode()  # half a surrogate pair is no text, and nothing can store it
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON, or not in UTF-8.") from None
    if not isinstance(sent, dict):
        raise Malformed("The body is not a JSON object.")
    return sent


def listing(rows: Sequence[Any], following: str | None = None, **more: Any) -> dict[str, Any]:
    """A page of a list as every list of the API answers: `{"data", "next"}`, `next` the cursor for `?after=`."""
    return {"data": list(rows), "next": following, **more}


def limit_of(args: Mapping[str, str], default: int = 50) -> int:
    """How many rows `?limit=` asks for, 1 to 100. Raises `Malformed` with a detail."""
    told = args.get("limit")
    if told is None:
        return default
    if not (told.isascii() and told.isdigit() and len(told) <= 3 and 1 <= int(told) <= MOST):
        raise Malformed(f"limit takes a whole number from 1 to {MOST}.", details=[{"field": "limit", "reason": f"takes 1 to {MOST}"}])
    return int(told)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)
