"""The API: the service functions of the pages as JSON, for programs with a key. One module for each family of calls."""

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from console.core.expressions.operands import Spelled
from console.errors import Malformed

MOST = 100
DEEPEST = 100


def body() -> dict[str, Any]:
    """Return the JSON object in the request. Decimals become `Spelled` texts, because the API represents decimals as text.

    Raises `Malformed` if it is not a JSON object in UTF-8, repeats a key or is nested too deeply; 415 if its content type is not JSON.
    """
    if not request.is_json or request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Send JSON in UTF-8, with the header Content-Type: application/json.")
    raw = request.get_data()
    try:
        sent = json.loads(raw.decode(), parse_float=Spelled, parse_constant=_no_number, object_pairs_hook=_once)
        if b"\\u" in raw:
            json.dumps(sent, ensure_ascii=False).encode()  # half a surrogate pair is not valid text, and nothing can store it
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON, or not in UTF-8.") from None
    if not isinstance(sent, dict):
        raise Malformed("The body is not a JSON object.")
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _depth(sent) > DEEPEST:
        raise Malformed(f"The body is nested more than {DEEPEST} levels deep.")
    return sent


def spelled(name: str) -> dict[str, Any]:
    """Return an object from `body` with its decimals marked as `Spelled`, for JSON fields."""
    sent = json.loads(request.get_data(), parse_float=Spelled).get(name)
    return sent if isinstance(sent, dict) else {}


def listing(rows: Sequence[Any], following: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a page of a list as all lists of the API do: `{"data", "next"}`, where `next` is the cursor for `?after=`."""
    return {"data": list(rows), "next": following, **more}


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object and reject repeated keys, because parsers disagree about which one counts."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(name for at, (name, _) in enumerate(pairs) if name in {before for before, _ in pairs[:at]})
        raise Malformed(f"The body names {twice} twice.", details=[{"field": twice, "reason": "Named twice."}])
    return made


def _depth(sent: Any) -> int:
    """Return how deeply objects and lists are nested."""
    deepest, level = 0, [sent]
    while level:
        deepest += 1
        level = [
            inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, dict | list)
        ]
    return deepest
