"""What only the console knows of the records of a list: tags, beside the titles of contacts and as a field to filter by, and which import brought them."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from markupsafe import Markup, escape

from console.browse import tags
from console.core.documents.collections import Collection
from console.core.filters import IMPORTED, tag_field
from console.messaging.imports import import_batches
from console.views import frame
from console.views.browse import list_filters

SHOWN = 3
IMPORT_LABELS = dict(zip(IMPORTED, ("Import that added it", "Import that changed it"), strict=True))


def with_tags(described: Mapping[str, Any], collection: Collection) -> dict[str, Any]:
    """Return the described collection with the field of tags among those to filter by, `filtered`. Its choices are read when it is the one chosen."""
    if not collection.key:
        return {**described, "filtered": described["fields"]}
    name = tag_field(collection)
    chosen = request.args.get("add_field") == name
    options = (
        [{"value": tag, "label": tag} for tag in tags.offered(frame.actor(), collection.id)]
        if chosen
        else None
    )
    tag = {"name": name, "label": "Tag", "type": "text", "options": options or None, "nullable": True}
    return {**described, "filtered": [*described["fields"], tag, *_of_imports(collection)]}


def _of_imports(collection: Collection) -> list[dict[str, Any]]:
    """Return the fields by which the address narrows the list to what an import added or changed; none elsewhere."""
    names = [
        name
        for name in IMPORTED
        if f'"{name}"' in request.args.get("filter", "") and collection.field(name) is None
    ]
    known = import_batches.recent(frame.actor(), collection.id) if names else []
    options = [
        {"value": each.id, "label": each.question.file.name or "a file"} for each in known if not each.preview
    ]
    return [
        {
            "name": name,
            "label": IMPORT_LABELS[name],
            "type": "text",
            "options": options or None,
            "nullable": False,
        }
        for name in names
    ]


def imported_address(collection: Collection, import_id: str, name: str) -> str:
    """Return the address of the list of the records that an import added or changed (one of `IMPORTED`)."""
    return frame.collection_url(
        collection.id,
        segment="",
        filter=list_filters.with_all(None, [{"field": name, "op": "eq", "value": import_id}]),
    )


def marks(collection: Collection, keys: Sequence[str | None]) -> Mapping[str, Markup]:
    """Return key → HTML of the tags of contacts, the first three and how many more; nothing for other collections, which saves a statement."""
    if collection.contact is None:
        return {}
    found = tags.names_of(collection, [key for key in keys if key is not None])
    return {key: _marks(names) for key, names in found.items()}


def address(collection: Collection, tag: str) -> str:
    """Return the address of the list of the records with a tag."""
    condition = {"field": tag_field(collection), "op": "eq", "value": tag}
    return frame.collection_url(collection.id, segment="", filter=list_filters.with_all(None, [condition]))


def _marks(names: Sequence[str]) -> Markup:
    more = (
        f'<span class="tag-mark" title="{escape(", ".join(names[SHOWN:]))}">+{len(names) - SHOWN}</span>'
        if len(names) > SHOWN
        else ""
    )
    shown = "".join(f'<span class="tag-mark">{escape(name)}</span>' for name in names[:SHOWN])
    return Markup(f' <span class="tag-marks"><span class="vh">Tags: </span>{shown}{more}</span>')  # noqa: S704 (every part is escaped)
