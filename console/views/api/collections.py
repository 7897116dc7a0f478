"""Collections and their records as JSON."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from console import browse
from console.browse import BrowseQuery
from console.errors import Malformed
from console.views.api import body, limit_of, listing

blueprint = Blueprint("api_collections", __name__, url_prefix="/api/v1")


@blueprint.get("/collections")
def collections() -> ResponseReturnValue:
    """Every collection that the caller may browse."""
    return jsonify(listing([collection.head() for collection in browse.collections(g.actor)]))


@blueprint.get("/collections/<collection>")
def collection(collection: str) -> ResponseReturnValue:
    """One collection: its fields, relations, segments and actions."""
    return jsonify(browse.describe(g.actor, collection))


@blueprint.get("/collections/<collection>/records")
def records(collection: str) -> ResponseReturnValue:
    """A page of records in the caller's scope; with `?count=1` how many there are."""
    args = request.args
    query = BrowseQuery(
        segment=args.get("segment") or None,
        filter=args.get("filter") or None,
        q=args.get("q") or None,
        sort=args.get("sort") or None,
        limit=limit_of(args),
        after=args.get("after") or None,
        count="exact" if _counted(args) else None,
    )
    found = browse.page(g.actor, collection, query)
    more = {} if found.total is None else {"total": found.total}
    return jsonify(listing([row.to_json() for row in found.rows], found.next, **more))


@blueprint.get("/collections/<collection>/records/<key>")
def record(collection: str, key: str) -> ResponseReturnValue:
    """One record with the fields that the caller may read."""
    return jsonify(browse.record(g.actor, collection, key).record.to_json())


@blueprint.patch("/collections/<collection>/records/<key>")
def change(collection: str, key: str) -> ResponseReturnValue:
    """Set fields of a record, if what was expected of it is still so."""
    sent = body()
    strange = sorted(set(sent) - {"values", "expected"})
    if strange:
        raise _wrong(strange[0], "A change has values and expected, nothing else.")
    changed = browse.change(g.actor, collection, key, _object(sent, "values"), _object(sent, "expected"))
    return jsonify(changed.to_json())


def _counted(args: Mapping[str, str]) -> bool:
    told = args.get("count", "0")
    if told not in {"0", "1"}:
        raise _wrong("count", "count takes 0 or 1.")
    return told == "1"


def _object(sent: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A JSON object of the body; `expected` may be missing."""
    value = sent.get(name, {} if name == "expected" else None)
    if not isinstance(value, dict):
        raise _wrong(name, f"{name} is an object of field names and values.")
    return value


def _wrong(field: str, reason: str) -> Malformed:
    return Malformed(reason, details=[{"field": field, "reason": reason}])
