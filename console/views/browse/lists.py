"""A collection's records as a list. Segment, search, filters, columns, order and place are in the address."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from flask import Blueprint, Response, flash, make_response, request

from console import browse, formats
from console.browse import BrowseQuery, ListPage, list_views, unindexed_search
from console.browse.list_views import ListView
from console.browse.saved_segments import SavedSegment
from console.core import filters
from console.core.documents.collections import Collection, Field
from console.core.errors import Malformed, TooSlow
from console.records import MOST_SORTED, titled_orders
from console.views import frame, identity
from console.views.browse import (
    collection_shelf,
    list_facets,
    list_filters,
    list_preview,
    list_rows,
    list_starts,
    list_tags,
    saved_segments,
)
from console.views.browse.list_context import around_records
from console.views.browse.list_counts import count_context, list_address, tabs

blueprint = Blueprint("lists", __name__, url_prefix="/c")

PAGE_SIZE = 40
WIDTH = "w."
"""Prefix of the fields with the widths of columns."""
KEY_SORTED = {"integer": "by number"}
"""Said, or else "by code", of a sorted reference whose records are not sorted by the titles that stand there."""
TITLES_SLOW = "Sorting by these names took too long, so the list is sorted by the numbers behind them. Filter it to fewer records to sort them by name."
_COUNTS = {"1": "exact", "about": "capped"}


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading: the address that sorts by it, and the present sorting ("ascending", "descending" or empty).

    `then` is the sorting by it after the present columns; `place` is its place among several, 0 where the list is sorted by one. `told` says what
    it is sorted by, where that is not what the column shows.
    """

    label: str
    href: str | None
    sorted: str | None
    right: bool
    name: str = ""
    then: str | None = None
    place: int = 0
    told: str = ""


@blueprint.get("")
def collections() -> Response:
    """Show the collections that the reader may browse."""
    return collection_shelf.page()


@blueprint.get("/<collection>")
def show(collection: str) -> Response:
    """Show one page of a list. A filter that cannot be applied is reported in its sheet, and nothing is listed.

    The bare address leads to the segment that the reader starts with. `preview` is the key of the record beside the list.
    """
    return _show(collection)


@blueprint.post("/<collection>")
def save_segment(collection: str) -> Response:
    """Save the filter of the address as a tab, change such a tab, or remove it."""
    browse.browsed_collection(frame.actor(), collection)
    return saved_segments.send(collection, lambda typed: _show(collection, typed))


def _show(collection: str, saving: Mapping[str, Any] | None = None) -> Response:
    """Return the list; `saving` is what was typed into the sheet that saves its filter, and refused."""
    who = frame.actor()
    listed, scope = browse.browsed_collection(who, collection)
    described = list_tags.with_tags(browse.described(who, listed, scope), listed)
    kept, known = list_views.view_and_segments(who, listed, scope)
    if not request.args and (opens := saved_segments.opening(listed, kept, known)) is not None:
        return frame.redirect_to(opens)
    if (
        "add_field" in request.args
        and "pick" not in request.args
        and (to := list_filters.with_condition(described, frame.look())) is not None
    ):
        return frame.redirect_to(to)
    usual = kept.columns or listed.columns
    query = parse_query(described, usual, kept.size)
    if frame.wants_fragment() and (part := _part(listed, described, query, kept, known)) is not None:
        return part
    wrong, slow, no_start, around = (
        "",
        "",
        "",
        cache(lambda: around_records(who, listed, described, kept, known)),
    )
    try:
        query, no_start = list_starts.from_value(listed, described, scope, query)
        page = browse.noted_page(who, listed, scope, query)
    except TooSlow as error:
        if (plain := titled_orders.by_keys(query.sort or "")) != (query.sort or ""):
            flash(TITLES_SLOW)
            return frame.redirect_to(list_address(sort=plain))
        if not (query.q or query.filter):
            raise
        slow, page = error.message, browse.nothing_found(who, collection, query)
    except Malformed as error:
        wrong = error.message
        try:  # an order or a place that is not there: the same records from the first one
            page = browse.noted_page(
                who, listed, scope, replace(query, sort=None, after=None, before=None, start=None)
            )
        except Malformed:
            wrong += " Nothing is listed."
            page = browse.nothing_found(who, collection, BrowseQuery(limit=kept.size, fields=usual))
    partly = page.reach in ("beginnings", "exact")
    first = not (page.rows or query.after or query.before or query.start or wrong or saving)
    if partly and first and unindexed_search.can_look_inside(who, listed, scope, query):
        return make_response(
            "", 303, {"Location": list_address(inside="1")}
        )  # indexes that find nothing do not say that there is nothing
    shown = list_page_context(page, described, wrong, known, saving, around()) | (
        {} if wrong or slow else count_context(collection, query, page)
    )
    shown |= {"slow": slow, "advice": browse.search_advice(who, collection) if slow or partly else []}
    shown |= {"begun": unindexed_search.begun_fields(listed, scope) if page.reach == "beginnings" else []}
    shown |= list_starts.places(listed, scope, page, no_start)
    shown |= list_preview.previewed(listed.id, request.args.get("preview"))
    status = 422 if saving else 400 if wrong else 200
    return frame.page("lists/list.html", shown, blocks={"list": "list"}, status=status)


def listed_words(collection: Collection, described: Mapping[str, Any]) -> str:
    """Return in words which records are in the list of the address; empty for all of them."""
    args = request.values
    segment = next((each["label"] for each in described["segments"] if each["id"] == args.get("segment")), "")
    filter_, kinds, look = _read_filter(collection, described, args.get("filter"))
    where = list_filters.condition_words(filter_, kinds, look) if filter_ is not None else ""
    parts = [f"In {segment}" if segment else "", where, f"found by “{args['q']}”" if args.get("q") else ""]
    return "; ".join(part for part in parts if part)


def _read_filter(
    collection: Collection, described: Mapping[str, Any], text: str | None
) -> tuple[filters.Filter | None, Mapping[str, formats.Kind], formats.Look]:
    """Return the filter of the address, None where there is none that can be read, with what words for it take: the fields, and the records by name."""
    kinds = {
        field["name"]: formats.kind(field, collection.key)
        for field in described.get("filtered", described["fields"])
    }
    given: filters.Filter | None = None
    if (text or "").lstrip().startswith("{"):
        with suppress(Malformed):
            given = browse.filter_of(frame.actor(), collection.id, text or "")[1]
    led = [(kinds[each.field].references, each.value) for each in filters.tests(given) if each.field in kinds]
    keys = {
        (to, str(value))
        for to, held in led
        if to
        for value in (held if isinstance(held, list) else [held])
        if value is not None
    }
    return given, kinds, frame.naming(browse.names_of(frame.actor(), keys)) if keys else frame.look()


def _search_help(collection: Collection, described: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    choosable = [
        (field["name"], field["label"])
        for field in described["fields"]
        if field["type"] not in list_filters.UNFILTERED
    ]
    return list_preview.search_help(choosable, collection)


def _part(
    collection: Collection,
    described: Mapping[str, Any],
    query: BrowseQuery,
    kept: ListView,
    known: list[SavedSegment],
) -> Response | None:
    """Return the part of the page that htmx asks for alone; None for the list itself."""
    match frame.htmx.target:
        case "count":
            return frame.page(
                "lists/list.html", count_context(collection.id, query), blocks={"count": "count"}
            )
        case "tabs":
            segments = tabs(collection, described, kept, known, counted=True)
            return frame.page("lists/list.html", {"segments": segments}, blocks={"tabs": "tabs"})
        case "condition":
            return frame.page(
                "lists/list.html",
                list_filters.sheet_content(described, query.fields or ()),
                blocks={"condition": "condition"},
            )
        case "filter-sheet":
            shown = list_filters.sheet_content(described, query.fields or ()) | {
                "collection": collection,
                "chips": query.filter,
                "clear_href": list_address(filter=None, q=None),
                "facets_href": frame.present_address(),
            }
            return frame.page("lists/list.html", shown, blocks={"filter-sheet": "filter_sheet"})
        case "view-sheet":
            return frame.page(
                "lists/list.html",
                _view(collection, described, query.fields or ()),
                blocks={"view-sheet": "view_sheet"},
            )
        case "saving-sheet":
            readable = {field["name"] for field in described["fields"]}
            shown = saved_segments.sheet(
                collection, known, [name for name in query.fields or () if name in readable], None
            )
            return frame.page("lists/saving.html", {"saving": shown}, blocks={"saving-sheet": "saving_sheet"})
        case "syntax":
            return frame.page(
                "lists/list.html",
                {"syntax": _search_help(collection, described)},
                blocks={"syntax": "syntax"},
            )
        case "facets":
            return frame.page(
                "lists/list.html",
                {"facets": list_facets.facets(collection, described, query)},
                blocks={"facets": "facets"},
            )
        case "preview":
            return frame.page(
                "lists/list.html",
                list_preview.previewed(collection.id, request.args.get("preview"))
                | {"collection": collection},
                blocks={"preview": "preview"},
            )
    return None


@blueprint.post("/<collection>/view")
def keep_view(collection: str) -> Response:
    """Keep how the reader sees this list: `columns` in order, `rows`, and the segment that it opens with."""
    who, form = frame.actor(), request.form
    back = identity.local(form.get("back", "")) or frame.collection_url(collection, segment="")
    if "reset" in form:
        list_views.forget(who, collection)
        return frame.redirect_to(back)
    segment, size = form.get("segment", "role"), form.get("size", "")
    kept = list_views.view_of(who, collection)
    if "only_widths" in form:  # a column was drawn wider or narrower by its edge
        widths = {
            name.removeprefix(WIDTH): int(pixels[:4])
            for name, pixels in form.items()
            if name.startswith(WIDTH) and pixels.isdigit()
        }
        list_views.keep(who, collection, replace(kept, widths=dict(kept.widths) | widths))
        return make_response("", 204)
    roomy, opens = form.get("rows") == "roomy", None if segment == "role" else segment
    list_views.keep(
        who,
        collection,
        ListView(
            tuple(form.getlist("columns")),
            roomy,
            opens,
            int(size) if size.isdigit() else kept.size,
            kept.widths,
        ),
    )
    return frame.redirect_to(back)


def parse_query(described: Mapping[str, Any], usual: tuple[str, ...], size: int = PAGE_SIZE) -> BrowseQuery:
    """Return the query in the address; unknown columns are left out, and without any the default ones are shown."""
    args = request.args
    known = {field["name"] for field in described["fields"]}
    chosen = tuple(name for name in args.getlist("columns") if name in known)
    return BrowseQuery(
        segment=args.get("segment") or None,
        filter=args.get("filter") or None,
        q=args.get("q") or None,
        sort=args.get("sort") or None,
        limit=size,
        after=args.get("after") or None,
        before=args.get("before") or None,
        count=_COUNTS.get(args.get("count", "")),
        fields=chosen or usual,
        labels=True,
        extended=args.get("extended") == "1",
        inside=args.get("inside") == "1",
    )


def list_page_context(
    page: ListPage,
    described: Mapping[str, Any],
    wrong: str,
    known: list[SavedSegment],
    saving: Mapping[str, Any] | None,
    around: Mapping[str, Any],
) -> dict[str, Any]:
    """Return everything that the page of a list draws; `around` is what stands around its records."""
    collection, args, look = page.collection, request.args, frame.naming(page.named)
    kinds, listed = around["kinds"], [item.name for item in page.columns]
    shown = columns_beside_title(collection, page.columns)
    return (
        dict(around)
        | {
            "saving": saved_segments.sheet(collection, known, listed, saving)
            if saving or "saving" in args
            else None,
            "mend": saved_segments.mend(known) if wrong else "",
            "syntax": _search_help(collection, described) if "syntax" in args else None,
            "chips": list_filters.chips(page.filter, kinds, look),
            "joining": list_filters.joining(page.filter),
            **(
                list_filters.sheet_content(described, listed, afresh=bool(wrong))
                if wrong or "pick" in args
                else {"asking": None}
            ),
            "widths": [
                around["kept_widths"].get(name)
                for name in (
                    *([list_views.TITLE] * list_rows.titled(collection)),
                    *(item.name for item in shown),
                )
            ]
            if around["kept_widths"]
            else [],
            "reach": page.reach,
            "searched": [field.label for field in page.searched],
            "head": heads(collection, shown, page),
            "rows": list_rows.rows(page, shown, kinds, look, choose=around["choose"]),
            "next": frame.present_address(after=page.next, before=None, start=None) if page.next else None,
            "previous": frame.present_address(before=page.previous, after=None, start=None)
            if page.previous
            else None,
            "shown_words": shown_words(page),
            "said": ", ".join(
                filter(None, [collection.label, around["segment_label"], f"{len(page.rows)} shown"])
            ),
            "wrong": wrong,
        }
        | (_view(collection, described, listed) if "view" in args else {"columns": None})
    )


def _view(collection: Collection, described: Mapping[str, Any], shown: Sequence[str]) -> dict[str, Any]:
    """Return the content of the sheet in which the reader chooses how to see this list. It is a sixth of the page, so it is fetched when it is opened."""
    labels = {
        field["name"]: field["label"]
        for field in described["fields"]
        if field["type"] not in list_filters.UNDRAWN
    }
    named = [name for name in shown if name in labels] + [name for name in labels if name not in shown]
    kept = list_views.view_of(frame.actor(), collection.id)
    return {
        "collection": collection,
        "columns": [{"name": name, "label": labels[name], "shown": name in shown} for name in named],
        "kept_view": kept,
        "sizes": list_views.SIZES,
        "all_segments": [
            *((each["id"], each["label"]) for each in described["segments"]),
            *(
                (saved.id, saved.label)
                for saved in browse.saved_segments.saved_segments(frame.actor(), collection.id)
            ),
        ],
        "back": frame.present_address(columns=None, after=None, before=None, start=None, view=None),
    }


def columns_beside_title(collection: Collection, columns: Sequence[Field]) -> list[Field]:
    """Return the columns beside the title; a field that is the whole title is not repeated."""
    return [item for item in columns if (item.name,) != collection.title_fields]


def heads(collection: Collection, shown: Sequence[Field], page: ListPage) -> list[Head]:
    """Return the table headings: a click sorts ascending, another descending. The title sorts by its field, a reference by the title of its record where
    that can be done.
    """
    address = list_address(sort=None)
    by, sort = f"{address}{'&' if '?' in address else '?'}", page.sort
    named = collection.by_name[collection.title_fields[0]] if len(collection.title_fields) == 1 else None
    first = (
        _head(named, collection.label_one, sort, by)
        if named
        else Head(collection.label_one, None, None, right=False)
    )
    first = replace(first, name=list_views.TITLE, right=False)
    others = [_head(item, item.label, sort, by, titled=item.name in page.by_title) for item in shown]
    others += [Head(item.label, None, None, right=False) for item in page.masked]
    return [first, *others] if list_rows.titled(collection) or not others else others


def _head(item: Field, label: str, sort: str, by: str, *, titled: bool = False) -> Head:
    orders = sort.split(",") if sort else []
    name = item.name + titled_orders.END * titled
    place = next(
        (at for at, order in enumerate(orders) if order.removeprefix("-") in (item.name, name)), None
    )
    way = None if place is None else "descending" if orders[place].startswith("-") else "ascending"
    by_key = place is not None and bool(item.references) and orders[place].removeprefix("-") == item.name
    to = f"-{name}" if way == "ascending" and not (titled and by_key) else name
    then = ",".join(
        [*orders, name]
        if place is None
        else [to if at == place else order for at, order in enumerate(orders)]
    )
    right = item.type in formats.NUMBERS and not item.options
    if not item.sortable:
        return Head(label, None, None, right, item.name)
    also = then if orders and then.count(",") < MOST_SORTED else None
    return Head(
        label,
        by + frame.parameter("sort", to),
        way,
        right,
        item.name,
        also,
        0 if place is None or len(orders) < 2 else place + 1,
        KEY_SORTED.get(item.stored, "by code") if by_key else "",
    )


def shown_words(page: ListPage) -> str:
    """Return which records the page shows. Row numbers are known on the first page only, because lists are paged by key."""
    many = len(page.rows)
    if page.previous:
        return f"{many} shown"
    return f"1–{many}" if page.next else f"{many} {'record' if many == 1 else 'records'}"
