"""A list as a board: a column for each option of a field, with how many records it has, what they add up to, and its first cards.

Two statements tell the numbers of all columns and one for each column its cards. Where counting takes too long the numbers are those of the first
`CAP` records of the list, and the board says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from console import records
from console.auth import access
from console.browse import naming, segment_order
from console.browse.governors import Governor, governors
from console.browse.record_lists import (
    BrowseQuery,
    browsed_collection,
    named_records,
    note_on,
    question,
    read_columns,
    value_counts,
)
from console.core.actor import Actor
from console.core.contact_stages import stage_field
from console.core.documents.collections import Collection, Field
from console.core.errors import Malformed, NotFound, TooSlow
from console.core.filters import Filter, Group, Test
from console.core.plain_words import uncapitalised
from console.core.scopes import Scope
from console.formats import Named
from console.records import Record, grouped
from console.records.grouped import By, Listed

MOST_COLUMNS = 24
CARDS = 20
CARD_FIELDS = 3


@dataclass(frozen=True, slots=True)
class BoardColumn:
    """The records of one option; `value` None: those without one. `sums` are (currency or None, amount), the largest first."""

    value: str | None
    label: str
    tone: str | None
    count: int
    sums: Sequence[tuple[str | None, Any]]
    rows: Sequence[Record]
    more: bool


@dataclass(frozen=True, slots=True)
class Board:
    """A list as a board. `by` is the field of the columns, `choices` all fields that columns can be made of, `measured` the amount that is added up.

    `fixed` says why nobody moves cards here, empty where the reader may. `cut`: the counts are of the first `CAP` records only.
    """

    collection: Collection
    by: Field
    choices: Sequence[Field]
    columns: Sequence[BoardColumn]
    shown: Sequence[Field]
    measured: Field | None
    fixed: str
    cut: bool
    filter: Filter | None = None
    named: Mapping[Any, Named] = field(default_factory=dict)


def is_choice(item: Field) -> bool:
    """Whether a board can be made of the field: it has one of a few options."""
    return (
        item.computed is None
        and item.stored in ("text", "integer")
        and 1 < len(item.options or ()) <= MOST_COLUMNS
    )


def option_value(item: Field, option: str | None) -> str | int | None:
    """The option as its column stores it: codes can be whole numbers. Raises Malformed for what is none."""
    if option is None or item.stored != "integer":
        return option
    try:
        return int(option)
    except ValueError:
        raise Malformed(f"{option} is no value of {item.label}.") from None


def _option(stored: Any) -> str | None:
    return None if stored is None else str(stored)


def board_fields(collection: Collection, scope: Scope) -> list[Field]:
    """The fields that columns can be made of, the stage of contacts first, then the state that stands in a record's head."""
    fit = [item for item in collection.readable(scope) if collection.key and is_choice(item)]
    stage, badge = stage_field(collection), collection.summary.get("badge")
    return sorted(fit, key=lambda item: (stage is None or item.name != stage.name, item.name != badge))


def board(
    actor: Actor, collection_id: str, by: str | None, query: BrowseQuery, fields: Sequence[str]
) -> Board:
    """The list of the query as a board by the field `by`, or the first that fits; `fields` are those of its cards, in order.

    Raises NotFound, also where the list has no field for a board; Malformed, SourceDown.
    """
    collection, scope = browsed_collection(actor, collection_id)
    choices = board_fields(collection, scope)
    chosen = next((item for item in choices if by in (None, item.name)), None)
    if chosen is None:
        raise NotFound(
            f"There is no field in {collection.label} with a few options that a board could be made of."
        )
    query = segment_order.of_query(collection, scope, query)
    where, segment, sought = question(actor, collection, scope, query)
    listed = Listed(collection.id, scope, where, segment, sought)
    counts, cut = _counts(actor, chosen, query, listed)
    measured = _measured(collection, scope)
    sums = _sums(chosen, measured, listed)
    readable = {item.name: item for item in collection.readable(scope)}
    shown = [
        readable[name]
        for name in fields
        if name in readable and name != chosen.name and (name,) != collection.title_fields
    ]
    shown = [item for item in shown if item.type not in ("file", "binary", "other", "json")][:CARD_FIELDS]
    options = [(item.value, item.label, item.tone) for item in chosen.options or ()]
    known = {value for value, *_ in options}
    strays = [(value, str(value), None) for value in counts if value is not None and value not in known]
    empty = (
        [(None, f"No {uncapitalised(chosen.label)}", None)]
        if counts.get(None) or (chosen.may_be_empty and not chosen.required)
        else []
    )
    names = read_columns(collection, tuple(shown)) + ([measured.name] if measured is not None else [])
    names = list(dict.fromkeys([*names, chosen.name]))
    columns = []
    for value, label, tone in [*options, *strays, *empty][: MOST_COLUMNS + 1]:
        rows, more = _cards(chosen, value, listed, query, names) if cut or counts.get(value) else ((), False)
        columns.append(BoardColumn(value, label, tone, counts.get(value, 0), sums.get(value, ()), rows, more))
    cards = [row for column in columns for row in column.rows]
    named = named_records(actor, tuple(shown), cards)
    columns = [
        replace(column, rows=naming.called(actor, collection, column.rows, named)) for column in columns
    ]
    _note(actor, collection, chosen, query, len(cards))
    fixed = _fixed(actor, collection, chosen)
    return Board(collection, chosen, choices, columns, shown, measured, fixed, cut, where, named)


def _cards(
    by: Field, value: str | None, listed: Listed, query: BrowseQuery, names: Sequence[str]
) -> tuple[Sequence[Record], bool]:
    """(the first cards of a column, whether there are more); one statement."""
    own = Test(by.name, "is_null", True) if value is None else Test(by.name, "eq", option_value(by, value))
    where = own if listed.where is None else Group("and", (listed.where, own))
    page = records.page(
        listed.collection,
        listed.scope,
        where=where,
        segment=listed.segment,
        q=listed.sought,
        sort=query.sort,
        limit=CARDS,
        fields=names,
    )
    return page.rows, page.next is not None


def _counts(
    actor: Actor, by: Field, query: BrowseQuery, listed: Listed
) -> tuple[dict[str | None, int], bool]:
    """(value → how many records, whether only the first `CAP` were counted)."""
    try:
        groups = grouped.grouped(
            listed.collection, listed.scope, measure="count", by=[By(by.name)], where=[listed]
        )
        return {_option(each.keys[0]): int(each.value) for each in groups}, False
    except TooSlow:
        counted = value_counts(actor, listed.collection, by.name, query)
        return {_option(value): count for value, count in counted.counts}, True


def _measured(collection: Collection, scope: Scope) -> Field | None:
    """The first amount among the columns of the list whose currency the reader may see."""
    readable = {item.name: item for item in collection.readable(scope)}
    listed = [readable[name] for name in collection.columns if name in readable]
    amounts = (item for item in listed if item.widget == "money" and item.currency not in scope.hidden)
    return next((item for item in amounts if item.computed is None and item.stored in grouped.ADDED), None)


def _sums(
    by: Field, measured: Field | None, listed: Listed
) -> dict[str | None, list[tuple[str | None, Any]]]:
    if measured is None:
        return {}
    found: dict[str | None, list[tuple[str | None, Any]]] = {}
    try:
        groups = grouped.grouped(
            listed.collection,
            listed.scope,
            measure="sum",
            field=measured.name,
            by=[By(by.name)],
            where=[listed],
        )
    except TooSlow:
        return {}
    for each in groups:
        if each.value is not None and Decimal(str(each.value)):
            found.setdefault(_option(each.keys[0]), []).append((each.currency, each.value))
    return found


def _fixed(actor: Actor, collection: Collection, by: Field) -> str:
    """Why the reader moves no cards; empty where they may."""
    scope = access.scope_for(actor, collection.id, "update")
    if scope.nothing:
        return f"You may look at {collection.spoken}, but not change them."
    governor: Governor | None = governors(actor, [by]).get(by.name)
    if governor is not None:
        return f"{by.label} is changed by {governor.words} alone."
    return f"{by.label} cannot be changed here." if by.readonly or by.name in scope.fixed else ""


def _note(actor: Actor, collection: Collection, by: Field, query: BrowseQuery, count: int) -> None:
    sealed = {name: value for name, value in (("filter", query.filter), ("q", query.q)) if value}
    open_ = {"count": count, "sort": query.sort or "", "more": True, "fields": [by.name]} | (
        {"segment": query.segment} if query.segment else {}
    )
    note_on(actor, "record_listed", collection, open=open_, sealed=sealed)
