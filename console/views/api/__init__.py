"""The console in JSON: the same service functions as the pages, for programs with a key. One file per family of calls."""

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
    """The JSON object that was sent. Numbers with a fraction come as the text that they are (`Spelled`): decimals are text everywhere here.

    Raises `Malformed` for what is no JSON object in UTF-8, names a key twice, or is nested too deep; 415 for what does not say that it is JSON.
    """
    if not request.is_json or request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Send JSON in UTF-8, with the header Content-Type: application/json.")
    raw = request.get_data()
    try:
        sent = json.loads(raw.decode(), parse_float=Spelled, parse_constant=_no_number, object_pairs_hook=_once)
        if b"\\u" in raw:
            json.dumps(sent, ensure_ascii=False).encode()  # half a surrogate pair is no text, and nothing can store it
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON, or not in UTF-8.") from None
    if not isinstance(sent, dict):
        raise Malformed("The body is not a JSON object.")
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _depth(sent) > DEEPEST:
        raise Malformed(f"The body is nested more than {DEEPEST} levels deep.")
    return sent


def spelled(name: str) -> dict[str, Any]:
    """An object inside a body that `body` has read already, whose numbers with a fraction are known as such (`Spelled`): what JSON fields hold."""
    sent = json.loads(request.get_data(), parse_float=Spelled).get(name)
    return sent if isinstance(sent, dict) else {}


def listing(rows: Sequence[Any], following: str | None = None, **more: Any) -> dict[str, Any]:
    """A page of a list as every list of the API answers: `{"data", "next"}`, `next` the cursor for `?after=`."""
    return {"data": list(rows), "next": following, **more}


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are each named once: of two, readers take now the first and now the last."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(name for at, (name, _) in enumerate(pairs) if name in {before for before, _ in pairs[:at]})
        raise Malformed(f"The body names {twice} twice.", details=[{"field": twice, "reason": "Named twice."}])
    return made


def _depth(sent: Any) -> int:
    """How many objects and lists stand one in another."""
    deepest, level = 0, [sent]
    while level:
        deepest += 1
        level = [
            inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, dict | list)
        ]
    return deepest
