"""Boxes for references: they show the name of the record and send its key beside it, and find records by name as somebody types."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from console import browse, records
from console.browse import find_records
from console.views import formats, frame
from console.views.formats import Kind, Look

blueprint = Blueprint("picks", __name__)

PICKED = "r."
"""Prefix of the hidden input with the name that a box shows and the key that it stands for."""
OFFERED = 10
TOO_MANY = "There are too many records to look through all of them for this. Type the whole number, or how the name begins."


def look_for(
    fields: Iterable[Mapping[str, Any]], values: Mapping[str, Any] | None, look: Look | None = None
) -> Look:
    """Return the look with the names of the records that the fields of a form hold, as far as the reader may know them."""
    listed = list(fields)
    leading = [(what.name, what.references) for what in map(formats.kind, listed)]
    held = {str(field["name"]): field.get("value") for field in listed} | dict(values or {})
    look = look or frame.look()
    wanted = browse.references(leading, [held]) - look.records.keys()
    return frame.naming(browse.names_of(frame.actor(), wanted), look) if wanted else look


def name_of(what: Kind, value: Any, look: Look) -> str:
    """Return the name of the record that a box refers to; empty where the reader may not know it, and the key stands there."""
    known = look.records.get((what.references or "", str(value))) if value not in (None, "") else None
    return "" if known is None or known.absent or not known.title.strip() else " ".join(known.title.split())


def box_data(what: Kind, value: Any, look: Look) -> str:
    """Return what the box sends beside its text, as JSON."""
    name = name_of(what, value, look)
    return json.dumps([name, str(value)], ensure_ascii=False) if name else ""


def box_values(form: MultiDict[str, str], name: str, texts: list[str]) -> list[str]:
    """Return what a box means by its texts: the key, while the text is still the name that the key belongs to."""
    try:
        sent_key = json.loads(form.get(PICKED + name, "null"))
    except (ValueError, RecursionError):
        return texts
    if not (
        isinstance(sent_key, list)
        and all(isinstance(part, str) for part in sent_key)
        and texts
        and [texts[0].strip()] == sent_key[:1]
    ):
        return texts
    return sent_key[1:2]


@blueprint.post("/pick")
def offer() -> Response:
    """Show records of a collection that somebody may see and whose names, numbers or addresses fit what was typed."""
    collection, text = request.form.get("collection", ""), request.form.get("q", "")
    browse.browsed_collection(frame.actor(), collection)
    answer = find_records.find_called(frame.actor(), text, collection)
    look = frame.look()
    rows = [
        {
            "key": records.value_of_key(str(hit.record.key)),
            "title": " ".join(hit.record.title.split()),
            "beside": ", ".join(
                words
                for item in hit.details
                if (words := formats.text(formats.kind(item), hit.record.values.get(item.name), look))
                != hit.record.key
            ),
        }
        for group in answer.groups
        for hit in group.hits[:OFFERED]
    ]
    return frame.page(
        "runner/offered.html",
        {"rows": rows, "trouble": next(iter(answer.down.values()), TOO_MANY if answer.cut else "")},
        blocks={"*": "offered"},
    )
