"""A list as a board: a column for each option of a field, cards that are moved by dragging, by keyboard and by their menu. The address says everything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from markupsafe import Markup

from console import browse, formats
from console.browse import BrowseQuery, list_views
from console.browse.boards import Board, BoardColumn, board, option_value
from console.core.documents.collections import Field
from console.core.errors import Conflict, Invalid, Malformed, NotAllowed, SourceDown
from console.core.plain_words import uncapitalised
from console.formats import Amount, Kind, Look
from console.records import Record
from console.views import errors, frame, identity, states
from console.views.browse import board_links, list_filters, list_tags, lists

blueprint = Blueprint("boards", __name__)
NONE = ""
"""What stands for no value in the forms of a board."""


@dataclass(frozen=True, slots=True)
class Card:
    """A record on the board: `lines` are (label, value) of its fields, `tags` HTML."""

    key: str
    title: str
    href: str
    lines: list[tuple[str, Any]]
    tags: Markup


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it is drawn. `value` is that of the forms, `href` the list of its records; `total` is what they add up to, in words."""

    value: str
    label: str
    tone: str
    count: str
    total: str
    href: str
    cards: list[Card]
    more: int


@blueprint.get("/board/c/<collection>")
def show(collection: str) -> Response:
    """Show the list of the address as a board by the field `by`; an invalid filter is said, and the board is shown without it."""
    return _show(collection)


@blueprint.post("/board/c/<collection>")
def move(collection: str) -> Response:
    """Move a card: the record `key` gets the value `to`, if it still has `old`. Checked as a change on the record's own page."""
    form = request.form
    key, by = form.get("key", ""), form.get("by", "")
    wanted, old = (form.get(name, "") or None for name in ("to", "old"))
    try:
        field = browse.browsed_collection(frame.actor(), collection)[0].by_name.get(by)
        new, former = (option_value(field, each) if field is not None else each for each in (wanted, old))
        browse.change(frame.actor(), collection, key, {by: new}, {by: former})
    except Conflict as error:
        return _show(collection, wrong=f"{error.message} The card stands where it is now.", status=409)
    except (Invalid, NotAllowed, Malformed) as error:
        reasons = [str(detail["reason"]) for detail in error.details if detail.get("reason")]
        status = 403 if isinstance(error, NotAllowed) else 422
        return _show(collection, wrong=" ".join(dict.fromkeys(reasons)) or error.message, status=status)
    except SourceDown as error:
        return _show(collection, wrong=errors.error_message(error), status=409)
    if not frame.wants_fragment():
        return frame.redirect_to(
            identity.local(form.get("back", "")) or f"/board{frame.collection_url(collection)}"
        )
    return _show(collection, moved=key)


def _show(collection: str, *, wrong: str = "", moved: str = "", status: int = 200) -> Response:
    who = frame.actor()
    described = browse.describe(who, collection)
    shown_collection = browse.browsed_collection(who, collection)[0]
    described = list_tags.with_tags(described, shown_collection)
    kept = list_views.view_of(who, collection)
    query = lists.parse_query(described, kept.columns or shown_collection.columns, kept.size)
    try:
        found = board(who, collection, request.args.get("by") or None, query, query.fields or ())
    except Malformed as error:
        wrong, status = error.message, 400
        plain = BrowseQuery(fields=query.fields)
        found = board(who, collection, None, plain, query.fields or ())
    context = board_context(found, described) | {
        "wrong": wrong,
        "moved": moved,
        "said": _announced(found, moved),
    }
    return frame.page("lists/board.html", context, blocks={"*": "board"}, status=status)


def board_context(found: Board, described: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything that the page of a board draws."""
    listed, look = found.collection, frame.naming(found.named)
    kinds = {item["name"]: formats.kind(item, listed.key) for item in described["filtered"]}
    tags = list_tags.marks(listed, [row.key for column in found.columns for row in column.rows])
    columns = [_column(found, each, kinds, look, tags) for each in found.columns]
    known = {segment["id"]: segment["label"] for segment in described["segments"]}
    return {
        "collection": listed,
        "by": found.by,
        "choices": [
            (item.label, frame.present_address(by=item.name), item.name == found.by.name)
            for item in found.choices
        ],
        "columns": columns,
        "fixed": found.fixed,
        "cut": found.cut,
        "measured": found.measured,
        "segments": [("All", frame.present_address(segment=""), request.args.get("segment") not in known)]
        + [
            (label, frame.present_address(segment=name), request.args.get("segment") == name)
            for name, label in known.items()
        ],
        "segment_label": known.get(request.args.get("segment", ""), ""),
        "chips": list_filters.chips(found.filter, kinds, look),
        "q": request.args.get("q", ""),
        "kept": [(name, value) for name, value in request.args.items(multi=True) if name != "q"],
        "here": frame.present_address(),
        "list_href": frame.collection_url(listed.id, **({"segment": ""} | board_links.list_parameters())),
        "can_move": not found.fixed,
    }


def _column(
    found: Board, column: BoardColumn, kinds: Mapping[str, Kind], look: Look, tags: Mapping[str, Markup]
) -> Column:
    condition: dict[str, Any] = {
        "field": found.by.name,
        "op": "eq",
        "value": option_value(found.by, column.value),
    }
    if column.value is None:
        condition = {"field": found.by.name, "op": "is_null", "value": True}
    kept = board_links.list_parameters() | {
        "segment": request.args.get("segment", ""),
        "filter": list_filters.with_all(request.args.get("filter"), [condition]),
    }
    tone = (
        column.tone if column.tone is not None else states.tone_of(kinds[found.by.name], column.value or "")
    )
    count = f"{column.count:,}" if not found.cut or column.count else "many" if column.rows else "0"
    return Column(
        column.value or NONE,
        column.label,
        "" if tone == "neutral" else tone,
        count,
        _total(found.measured, column, look),
        frame.collection_url(found.collection.id, **kept),
        [_card(found, row, kinds, look, tags) for row in column.rows],
        max(column.count - len(column.rows), 0) if column.more else 0,
    )


def _total(measured: Field | None, column: BoardColumn, look: Look) -> str:
    if measured is None or not column.sums:
        return ""
    what, code = formats.kind(measured), measured.currency
    amounts = [formats.text(what, _amount(value, currency or code), look) for currency, value in column.sums]
    return " + ".join(amounts[:3]) + (f" and {len(amounts) - 3} more currencies" if len(amounts) > 3 else "")


def _amount(value: Any, currency: str | None) -> Any:
    return Amount(str(value), currency) if currency else str(value)


def _card(
    found: Board, row: Record, kinds: Mapping[str, Kind], look: Look, tags: Mapping[str, Markup]
) -> Card:
    values = formats.with_currencies(row.values, found.collection.currencies)
    shown = [
        *found.shown,
        *([found.measured] if found.measured is not None and found.measured not in found.shown else []),
    ]
    lines = [
        (item.label, formats.html(kinds[item.name], values.get(item.name), look))
        for item in shown
        if item.name in kinds and values.get(item.name) not in (None, "")
    ]
    key = row.key or ""
    return Card(key, row.title, frame.record_url(found.collection.id, key), lines, tags.get(key, Markup()))


def _announced(found: Board, moved: str) -> str:
    """Return what is announced: where the moved card is now, else what the board shows."""
    for column in found.columns:
        for row in column.rows:
            if moved and row.key == moved:
                return f"{row.title} is in {column.label} now, {column.count:,} there"
    return "The card was moved" if moved else f"{found.collection.label} by {uncapitalised(found.by.label)}"
