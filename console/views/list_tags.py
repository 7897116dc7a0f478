"""Tags in a list: beside the titles of contacts, and as a field to filter by."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from markupsafe import Markup, escape

from console.contacts import tags
from console.core.documents.collections import Collection
from console.core.filters import tag_field
from console.views import frame, list_filters

SHOWN = 3


def with_tags(described: Mapping[str, Any], collection: Collection) -> dict[str, Any]:
    """Return the described collection with the field of tags among those to filter by, `filtered`. Its choices are read when it is the one chosen."""
    if not collection.key:
        return {**described, "filtered": described["fields"]}
    name = tag_field(collection)
    chosen = request.args.get("add_field") == name
    options = [{"value": tag, "label": tag} for tag in tags.offered(frame.actor(), collection.id)] if chosen else None
    tag = {"name": name, "label": "Tag", "type": "text", "options": options or None, "nullable": True}
    return {**described, "filtered": [*described["fields"], tag]}


def marks(collection: Collection, keys: Sequence[str | None]) -> Mapping[str, Markup]:
    """Return key → HTML of the tags of contacts, the first three and how many more; nothing for other collections, which saves a statement."""
    if collection.contact is None:
        return {}
    found = tags.names_of(collection, [key for key in keys if key is not None])
    return {key: _marks(names) for key, names in found.items()}


def address(collection: Collection, tag: str) -> str:
    """Return the address of the list of the records with a tag."""
    condition = {"field": tag_field(collection), "op": "eq", "value": tag}
    return frame.collection_url(collection.id, segment="", filter=list_filters.with_more(None, condition))


def _marks(names: Sequence[str]) -> Markup:
    more = f'<span class="tag-mark" title="{escape(", ".join(names[SHOWN:]))}">+{len(names) - SHOWN}</span>' if len(names) > SHOWN else ""
    shown = "".join(f'<span class="tag-mark">{escape(name)}</span>' for name in names[:SHOWN])
    return Markup(f' <span class="tag-marks"><span class="vh">Tags: </span>{shown}{more}</span>')  # noqa: S704 (every part is escaped)
