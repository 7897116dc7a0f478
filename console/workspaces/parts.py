"""What each component shows: read for one person, or in a sentence why it cannot. One component that fails leaves the others alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from console import browse, formats, records
from console.browse import BrowseQuery, naming, segment_order
from console.core import record_links
from console.core.documents.collections import Collection
from console.core.documents.workspaces import (
    SELECTING,
    Action,
    Chart,
    CollectionList,
    Dropdown,
    Fields,
    Inbox,
    Link,
    Metric,
    Related,
    Section,
    Tabs,
    Text,
    WorkflowButtons,
)
from console.core.errors import ConsoleError, NotAllowed, NotFound, SourceChanged, SourceDown, TooSlow
from console.core.expressions import search_syntax
from console.core.plain_words import uncapitalised, with_article
from console.formats import Look
from console.records import grouped, order_of
from console.work import tickets
from console.workflows import inboxes
from console.workspaces import workspace_figures as figures
from console.workspaces.desk import Choose, Desk, Gone

MOST_CHOICES = 200
"""Values of a field that a dropdown offers, the most frequent."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A component as its reader has it. `state`: ready, choose (something has to be chosen), closed (not theirs to see), gone (it names what
    is not there any more), down (its source does not answer). `words` is the sentence where it is not ready; `data` is of the kind of component.
    `changed`: its table or columns are others now. `mendable`: who edits the workspace can do something about it.
    """

    component: Any
    state: str = "ready"
    words: str = ""
    data: Any = None
    title: str = ""
    changed: SourceChanged | None = None
    mendable: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """Records of a collection component. `total` is at most 10 001, which means more; None if it fits on the page."""

    collection: Collection
    columns: tuple[Any, ...]
    rows: list[records.Record]
    next: str | None
    previous: str | None
    total: int | None
    named: Any
    conditions: Any
    roots: Any


def read_part(desk: Desk, item: Any) -> Shown:
    """The component for this reader. Never raises for what a person can act on."""
    if (known := desk.read.get(item.id)) is not None:
        return cast(Shown, known)
    try:
        title = desk.render(item.title) if item.title else ""
    except (Choose, Gone, ConsoleError):
        title = ""
    try:
        return Shown(item, data=_read(desk, item), title=title)
    except (Choose, Gone, ConsoleError) as error:
        return failed(item, error, title)


def choose_first(desk: Desk) -> bool:
    """Choose the first record of the first list that chooses one, where nothing is chosen yet: a workspace does not open empty. Whether it did."""
    for item in _opened(desk, desk.document.components):
        if (
            not isinstance(item, SELECTING)
            or not item.select
            or desk.key_of(item.select) is not None
            or not desk.shows(item)
        ):
            continue
        shown = desk.read[item.id] = read_part(desk, item)
        if shown.state == "ready" and (key := _first_key(desk, item, shown.data)) is not None:
            desk.state = {**desk.state, item.select: key}
            return True
    return False


def _opened(desk: Desk, components: Sequence[Any]) -> Iterator[Any]:
    """The components that are drawn, in their order: of tabs those of the open one."""
    for item in components:
        yield item
        if isinstance(item, Tabs):
            here = desk.open_tab(item)
            yield from _opened(desk, next(tab.components for tab in item.tabs if tab.id == here))
        elif isinstance(item, Section):
            yield from _opened(desk, item.components)


def _first_key(desk: Desk, item: Any, data: Any) -> str | None:
    collection = desk.collection_of(str(item.select))
    if isinstance(item, CollectionList):
        return (
            next((row.key for row in data.rows if row.key is not None), None)
            if item.collection == collection
            else None
        )
    return next(
        (
            ticket.record
            for ticket in data[1].tickets
            if ticket.collection == collection and ticket.record is not None
        ),
        None,
    )


def failed(item: Any, error: Exception, title: str = "") -> Shown:
    """The component with the reason why it shows nothing, in a sentence."""
    match error:
        case Choose():
            return Shown(
                item, "choose", f"Choose {with_article(uncapitalised(error.label))} first.", title=title
            )
        case SourceChanged():
            return Shown(item, "down", error.message, title=title, changed=error)
        case TooSlow() | SourceDown():
            return Shown(item, "down", error.message, title=title)
        case NotAllowed():
            return Shown(item, "closed", error.message, title=title)
        case NotFound():
            return Shown(item, "closed", _closed(item), title=title)
        case ConsoleError():
            return Shown(item, "gone", error.message, title=title, mendable=True)
    return Shown(item, "gone", str(error), title=title, mendable=isinstance(error, Gone) and error.mendable)


def _closed(item: Any) -> str:
    """Why it shows nothing, in words that do not tell missing from invisible."""
    if isinstance(item, Inbox):
        return "This inbox is not there, or it is not yours to see."
    if isinstance(item, (CollectionList, Chart, Metric)):
        return "These records are not there, or you may not see them."
    return "This record is not there, or outside what you may see."


def _read(desk: Desk, item: Any) -> Any:
    match item:
        case Text():
            return desk.render(item.text, _in_markdown)
        case Link():
            return desk.render(item.text), desk.address(item.to)
        case CollectionList():
            return _listing(desk, item)
        case Fields():
            return desk.chosen(item.of)
        case Related():
            page = desk.chosen(item.of)
            if page.collection.relation(item.relation) is None:
                raise Gone(f"There is no relation {item.relation} in {page.collection.label} any more.")
            found = browse.related(
                desk.actor, page.collection.id, page.record.key or "", item.relation, item.limit
            )
            if item.columns is not None:
                readable = {
                    each.name: each
                    for each in found.collection.readable(browse.view_scope(desk.actor, found.collection))
                }
                columns = tuple(readable[name] for name in item.columns if name in readable)
                led = naming.references(
                    ((each.name, each.references) for each in columns), (row.values for row in found.rows)
                )
                found = replace(found, columns=columns, named=naming.names_of(desk.actor, led))
            return page, found
        case Action() | WorkflowButtons():
            return desk.chosen(item.of)
        case Inbox():
            inbox = inboxes.visible_inbox(desk.actor, item.inbox)
            return (
                inbox,
                tickets.to_do(desk.actor, item.inbox, limit=item.limit),
                tickets.count(desk.actor, [inbox])[inbox.id],
            )
        case Metric():
            return figures.metric(desk, item), desk.render(item.words) if item.words else ""
        case Chart():
            return figures.chart(desk, item)
        case Dropdown():
            return _choices(desk, item)
    return None


def _in_markdown(value: str) -> str:
    """A value that shows letter by letter in a Markdown text, with its lines: what somebody typed is no link and no heading."""
    return "\n".join(map(record_links.escaped, value.split("\n")))


def _listing(desk: Desk, item: CollectionList) -> Listing:
    collection, scope = browse.browsed_collection(desk.actor, item.collection)
    where, roots = desk.conditions(collection, scope, item)
    wanted = item.columns or collection.columns
    readable = {each.name: each for each in collection.readable(scope)}
    if missing := [name for name in item.columns or () if collection.field(name) is None]:
        raise Gone(f"There is no field {missing[0]} in {collection.label} any more.")
    columns = tuple(readable[name] for name in dict.fromkeys(wanted) if name in readable)
    text = desk.input(item.search) if item.search else None
    kept = partial(formats.sought_value, Look.of(desk.actor))
    sought = (
        search_syntax.read(str(text), collection, scope.hidden, lambda _: None, desk.actor.zone, kept=kept)
        if text
        else None
    )
    order_of(collection, scope, item.sort)
    sort = segment_order.of_query(collection, scope, BrowseQuery(segment=item.segment, sort=item.sort)).sort
    names = [each.name for each in columns]
    badge = collection.summary.get("badge")
    asked = dict.fromkeys(
        [
            *names,
            *(collection.currencies[name] for name in names if name in collection.currencies),
            *(name for name in (badge,) if name in readable),
            *naming.made_of(collection),
        ]
    )
    condition = grouped.Together(where, scope.attributes, roots) if where else None
    page = records.page(
        collection.id,
        scope,
        segment=condition,
        q=sought,
        sort=sort,
        limit=item.limit,
        fields=list(asked),
        roots=roots,
        after=desk.state.get(f"{item.id}_after") or None,
    )
    total = None
    if page.next or page.previous:
        total = records.count(collection.id, scope, None, sought, browse.CAP, segment=condition, roots=roots)
    leads = [(each.name, each.references) for each in columns]
    named = naming.names_of(desk.actor, naming.references(leads, (row.values for row in page.rows)))
    browse.note_on(
        desk.actor,
        "record_listed",
        collection,
        open={
            "count": len(page.rows),
            "sort": sort or "",
            "more": page.next is not None,
            "has_filter": bool(where or text),
        },
        sealed={"q": text} if text else {},
    )
    rows = naming.called(desk.actor, collection, page.rows, named)
    return Listing(collection, columns, rows, page.next, page.previous, total, named, where, roots)


def _choices(desk: Desk, item: Dropdown) -> list[tuple[str, str]]:
    """(value, label) of what can be chosen."""
    if item.options is not None:
        return [(each.value, each.label) for each in item.options]
    collection, scope = browse.browsed_collection(desk.actor, item.collection or "")
    field = collection.visible(item.field or "", scope.hidden)
    if field is None:
        raise Gone(f"There is no field {item.field} in {collection.label} any more.")
    if field.sensitive:
        raise Gone(f"{field.label} is masked, so its values are not offered.")
    if field.options is not None:
        return [(option.value, option.label) for option in field.options]
    found = records.value_counts(collection.id, scope, field.name, most=MOST_CHOICES)
    values = [value for value, _ in found.counts if isinstance(value, (str, int)) and value != ""]
    known = (
        browse.names_of(desk.actor, {(field.references, str(value)) for value in values})
        if field.references
        else {}
    )
    look = replace(Look.of(desk.actor), records=known)
    labelled = [
        (str(value), formats.text(formats.kind(field, collection.key), value, look)) for value in values
    ]
    return sorted(labelled, key=lambda each: each[1].casefold())
