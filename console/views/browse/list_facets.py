"""The values of a list's fields with how often each occurs: a click filters by it. Asked for only when the filter is opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from console import browse, formats
from console.browse import BrowseQuery
from console.core.documents.collections import Collection
from console.core.errors import Malformed, SourceDown
from console.views import frame
from console.views.browse import list_filters

MOST = 4


@dataclass(frozen=True, slots=True)
class Facet:
    """A field with its values: label, number and the address of the list with that value alone. `cut`: of the first 10,000 records."""

    label: str
    values: Sequence[tuple[str, str, str]]
    cut: bool


def facets(collection: Collection, described: Mapping[str, Any], query: BrowseQuery) -> list[Facet]:
    """Return the values of at most four fields that have few of them: those of the list first. One statement for each."""
    fields = {field["name"]: field for field in described["fields"]}
    few = [
        name
        for name, field in fields.items()
        if (field["options"] or field["type"] == "boolean")
        and not field.get("computed")
        and field["type"] not in formats.LISTS
    ]
    few.sort(key=lambda name: name not in (query.fields or ()))
    found = []
    for name in few[:MOST]:
        try:
            counted = browse.value_counts(frame.actor(), collection.id, name, query)
        except (Malformed, SourceDown):
            continue  # the list says it already
        what, look = formats.kind(fields[name]), frame.look()
        values = [
            (
                "Empty" if value is None else formats.text(what, value, look),
                f"{count:,}",
                _address(name, value),
            )
            for value, count in counted.counts
        ]
        if values:
            found.append(Facet(fields[name]["label"], values, counted.cut))
    return found


def _address(name: str, value: Any) -> str:
    test = (
        {"field": name, "op": "is_null", "value": True}
        if value is None
        else {"field": name, "op": "eq", "value": value}
    )
    joined = list_filters.with_all(request.args.get("filter"), [test])
    return frame.present_address(after=None, before=None, start=None, count=None, facets=None, filter=joined)
