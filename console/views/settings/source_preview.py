"""The first records of a table before its database is connected, drawn as their list would be."""

from dataclasses import replace
from typing import Any

from markupsafe import Markup

from console import sources
from console.core.documents.collections import Field
from console.core.errors import Invalid, SourceDown
from console.views import formats, frame, states


def context(url: str, place: str, zone: str) -> dict[str, Any]:
    """Return `preview`, its columns and rows of finished cells; nothing where the table cannot be read now."""
    try:
        found = sources.previewed(url, "new", place, by=frame.actor(), zone=zone)
    except (SourceDown, Invalid):
        return {"preview": None}
    if found is None:
        return {"preview": None}
    look = replace(frame.look(), records={key: formats.Named(title) for key, title in found.titles.items()})
    writers = [(item.name, _writer(item, found.collection.key, look)) for item in found.columns]
    rows = []
    for record in found.rows:
        values = formats.with_currencies(record.values, found.collection.currencies)
        rows.append((record.title, Markup("".join(write(values.get(name)) for name, write in writers))))  # noqa: S704 (cells escape their values)
    return {"preview": found, "columns": [formats.kind(item) for item in found.columns], "rows": rows}


def _writer(item: Field, key: tuple[str, ...], look: formats.Look) -> Any:
    what = formats.kind(item, key)
    return states.cell(what, look) if item.widget == "badge" else formats.cell(what, look)
