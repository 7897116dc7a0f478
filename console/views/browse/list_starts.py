"""Where a list goes besides its next page: to its first and last one, and to a value of the field that it is sorted by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import request

from console import formats
from console.browse import BrowseQuery, ListPage, list_places
from console.core.documents.collections import Collection
from console.core.errors import Malformed
from console.core.scopes import Scope
from console.views import frame
from console.views.browse import list_filters
from console.views.browse.list_counts import list_address

TYPED = "start"
"""The parameter of the address that holds what was typed."""


@dataclass(frozen=True, slots=True)
class StartBox:
    """The box in which a value of the sorted field is typed. `form`: `day`, `number` or `text`; `typed` is what the address holds, `shown` that in words."""

    label: str
    form: str
    typed: str
    shown: str
    wrong: str


def from_value(
    collection: Collection, described: Mapping[str, Any], scope: Scope, query: BrowseQuery
) -> tuple[BrowseQuery, str]:
    """Return the query with the start that the address names, if it names one, and what is wrong with it. Raises Malformed for an unknown order."""
    typed = request.args.get(TYPED, "").strip()
    by = list_places.starting_field(collection, scope, query) if typed else None
    if by is None:
        return query, ""
    field, descending = by
    source = next((each for each in described["fields"] if each["name"] == field.name), field.to_json())
    start = list_filters.condition_of(source, "lte" if descending else "gte", [typed], frame.look())
    try:
        list_places.check(collection, scope, query, start)
    except Malformed as error:
        return query, error.message
    return replace(query, start=start), ""


def places(collection: Collection, scope: Scope, page: ListPage, wrong: str) -> dict[str, Any]:
    """Return the addresses of the first and the last page, and the box; nothing where one page holds all records. `wrong`: with what was typed there."""
    typed = request.args.get(TYPED, "").strip()
    if not (page.next or page.previous or typed):
        return {"goes": False}
    by = list_places.starting_field(collection, scope, page.query)
    kind = formats.kind(by[0], collection.key) if by is not None else None
    box = None
    if kind is not None and not formats.is_counted(kind):
        form = (
            "day" if kind.type in list_filters.DATES else "number" if kind.type in formats.NUMBERS else "text"
        )
        shown = (
            formats.text(formats.Kind(kind.name, kind.label, "date"), typed, frame.look())
            if form == "day" and typed
            else typed
        )
        box = StartBox(kind.label, form, typed, shown, wrong)
    return {
        "goes": True,
        "first": list_address() if page.previous or typed else None,
        "last": frame.present_address(after=None, before=list_places.LAST, start=None)
        if page.next and list_places.has_last_page(collection)
        else None,
        "start_box": box,
        "kept_start": list_filters.kept_parameters("after", "before", "count", "preview", TYPED)
        if box
        else [],
    }
