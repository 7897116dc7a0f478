"""A link, a tab or a bookmark of a list that asks for what is there no more: what that is, and the same list by the rest.

Nothing is listed until the reader says so: the rest alone would be more, or less, than was asked for.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from console import formats, log
from console.core import filters, plain_words
from console.core.documents.collections import Collection
from console.core.filters import Test, Today
from console.core.scopes import Scope
from console.errors import Malformed
from console.formats import Kind, Look
from console.views import frame, list_filters
from console.views.list_counts import list_address

GONE = "The list asks for what is not there any more, or not for you to see"
UNFIT = "The list asks what its fields cannot answer: one of them may be of another type than when it was saved"


@dataclass(frozen=True, slots=True)
class Remainder:
    """What of the address cannot be applied, in words, and the address and name of the list without it."""

    words: str
    href: str
    button: str


def remainder(collection: Collection, described: Mapping[str, Any], scope: Scope) -> Remainder | None:
    """Return the list of the address without what cannot be applied; None where that is nothing by itself."""
    look, kinds = frame.look(), {field["name"]: formats.kind(field, collection.key) for field in described["filtered"]}
    try:
        asked = filters.loaded(request.args.get("filter", ""))
    except Malformed:
        asked = None
    today = Today.of(log.now(), frame.actor().zone)
    rest, dropped = filters.readable_part(asked, collection, scope.hidden, today) if asked is not None else (None, [])
    gone = [_words(condition, kinds, look) for condition in dropped]
    segment = request.args.get("segment")
    if unknown := bool(segment) and all(each["id"] != segment for each in described["segments"]):
        gone.append(f"the segment {segment}")
    if not gone:
        return None
    text = None if rest is None else json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
    changes = {"filter": text} | ({"segment": None} if unknown else {})
    try:
        kept = "" if rest is None else list_filters.condition_words(filters.read(rest, collection, scope.hidden, today), kinds, look)
    except Malformed:  # it is too much altogether, with or without what is gone
        return None
    there = not unknown and all(isinstance(condition, Mapping) and condition.get("field") in kinds for condition in dropped)
    return Remainder(
        f"{UNFIT if there else GONE}: {'; '.join(dict.fromkeys(gone))}.",
        list_address(**changes),
        f"List by the rest: {kept}" if kept else f"List without it: {collection.label}",
    )


def _words(condition: Any, kinds: Mapping[str, Kind], look: Look) -> str:
    """Return a condition in words, as far as it has a form; a field that is gone by the name that it had."""
    if not isinstance(condition, Mapping) or not isinstance(condition.get("field"), str):
        return "a condition that cannot be read"
    name, op, value = str(condition["field"]), condition.get("op"), condition.get("value")
    sent = value if isinstance(value, Mapping) and len(value) == 1 else {}
    days = sent.get("days") if type(sent.get("days")) is int else None
    known = {**kinds, name: kinds.get(name) or Kind(name, plain_words.humanised(name), "text" if days is None else "date")}
    whole = "own" if sent.get("whole") else ""
    value = sent["whole"] if whole else "" if days is not None else value
    plain = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str | int | bool | None)]
    if op not in filters.OPS or len(plain) != (len(value) if isinstance(value, list) else 1):
        return known[name].label
    return list_filters.condition_words(Test(name, str(op), value, days, whole=whole), known, look)
