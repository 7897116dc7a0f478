"""What a collection and its parts were called by an earlier version of its document, over the table of today."""

from collections.abc import Mapping
from typing import Any

from console.core.documents.collections.assembling import Stored
from console.core.documents.collections.model import Segment, fields_of

OF_COLLECTION = ("label", "label_one")
OF_FIELD = ("label", "options")


def document_of_time(own: Stored, former: Mapping[str, Any]) -> dict[str, Any]:
    """The document of today with the names of a former one: what is shown, allowed and computed stays, so that it always fits the table."""
    present, then = own.document, former.get("fields") or {}
    columns = {column["name"] for column in own.structure["columns"]}
    now = present.get("fields") or {}
    fields = {
        name: _with(now.get(name) or {}, then.get(name) or {}, OF_FIELD)
        for name in [*now, *(each for each in then if each in columns)]
    }
    labels = {relation["name"]: relation.get("label") for relation in former.get("relations") or ()}
    relations = [
        _with(each, {"label": labels.get(each["name"])}, ("label",))
        for each in present.get("relations") or ()
    ]
    titled = fields_of(former.get("title") or "", template=True) <= columns | fields.keys()
    named = _with(present, former, (*OF_COLLECTION, *(("title",) if titled else ())))
    return {**named, "fields": fields, "relations": relations, "segments": []}


def segments(former: Mapping[str, Any]) -> tuple[Segment, ...]:
    """The segments of a former document by their labels alone, also those that are not offered: they filter nothing here."""
    return tuple(Segment(each["id"], each["label"], "") for each in former.get("segments") or ())


def _with(present: Mapping[str, Any], former: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The settings of today, these ones as they were: also not given."""
    kept = {name: value for name, value in present.items() if name not in names}
    return kept | {name: former[name] for name in names if former.get(name) is not None}
