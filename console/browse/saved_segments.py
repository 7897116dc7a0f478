"""Filters of a list that a person saves as a tab of it, for themselves, for a team or for a role. They count at once, without publishing.

A saved segment is a query of the list, and opens as an address with that query: it shows nobody a record that they could not find themselves.
Who may not read a field that it names does not see its tab.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.browse.record_lists import BrowseQuery, browsed_collection, may_shape, question
from console.core.actor import Actor
from console.core.documents.collections import Collection as CollectionModel
from console.core.errors import Invalid, Malformed, NotFound
from console.core.scopes import Scope
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id

LONGEST_LABEL = 60
SHORTEST = 4
"""Letters of the longest word of a search that can name somebody."""
UNNAMED = "Saved list"
"""What a tab is called whose name was that of an erased person."""
MOST_OWN = 30
"""Most saved segments of one person on one list."""
WORK = "/work"
"""In place of a collection: the list of work."""
KEPT = ("segment", "filter", "q", "sort", "columns")
"""What of a list's address is saved."""

_SEGMENTS = "select id, label, query, audience, made_by from console.saved_segment where collection = %s and audience = any(%s::text[])"


@dataclass(frozen=True, slots=True)
class SavedSegment:
    """A tab of a list. `query` has some of `KEPT`; `audience` is `user:<id>`, `team:<id>` or `role:<id>`.

    `mine`: the reader made it; `removable`: they may take it away.
    """

    id: str
    label: str
    query: Mapping[str, Any]
    audience: str
    mine: bool
    removable: bool

    @property
    def browse_query(self) -> BrowseQuery:
        """What it finds, as a query of a list."""
        return BrowseQuery(
            segment=self.query.get("segment"), filter=self.query.get("filter"), q=self.query.get("q")
        )


def audiences(actor: Actor) -> list[str]:
    """Whom the actor may save a segment for: themselves, their teams, their roles."""
    return [
        f"user:{actor.id}",
        *(f"team:{team}" for team in actor.teams),
        *(f"role:{role}" for role in actor.role_names),
    ]


def saved_segments(actor: Actor, collection_id: str) -> list[SavedSegment]:
    """The saved segments that the actor has as tabs, their own first, then by name; one statement. Raises NotFound."""
    collection, scope = browsed_collection(actor, collection_id)
    return readable(actor, collection, scope, fetch(_SEGMENTS, (collection_id, audiences(actor))))


def readable(
    actor: Actor, collection: CollectionModel, scope: Scope, rows: Sequence[tuple[Any, ...]]
) -> list[SavedSegment]:
    """The segments of these rows that may be told to the actor, their own first, then by name."""
    shapes = may_shape(actor, collection.id) if rows else False
    found = []
    for segment_id, label, query, audience, made_by in rows:
        mine = made_by == actor.id
        try:
            kept = json.loads(subjects.unwrap(query, sealed_at(segment_id)))
        except subjects.Unreadable:  # kept under another master key
            continue
        saved = SavedSegment(segment_id, label, kept, audience, mine, mine or shapes)
        try:
            question(actor, collection, scope, saved.browse_query)
        except Malformed:  # it names a field or segment that is gone, or hidden from this reader
            if not mine:
                continue
        found.append(saved)
    return sorted(found, key=lambda saved: (not saved.mine, saved.label.casefold(), saved.id))


def save(
    actor: Actor,
    collection_id: str,
    label: str,
    audience: str,
    query: Mapping[str, Any],
    segment_id: str | None = None,
) -> str:
    """Save the query as a tab, or change the actor's own tab of this id; its id.

    Raises Invalid naming `label`, `audience` or `query`, NotFound for a collection that the actor may not browse or a tab that is not theirs.
    """
    collection, scope = browsed_collection(actor, collection_id)
    kept = {name: value for name in KEPT if (value := query.get(name))}
    label = _checked_label(actor, label, audience)
    shared = not audience.startswith("user:")
    if not kept.get("filter") and not kept.get("q"):
        raise Invalid("Filter the list first: without a filter the tab would be the list itself.", at="query")
    if shared and (kept.get("q") or not str(kept["filter"]).startswith("{")):
        raise Invalid(
            "What you search for stays yours: take the search away and share the filters, or save it for you alone.",
            at="query",
        )
    question(
        actor,
        collection,
        scope,
        SavedSegment("", label, kept, audience, mine=True, removable=True).browse_query,
    )
    about = {"source": collection.source, "collection": collection_id}
    return _store(actor, collection_id, label, audience, kept, segment_id, about)


def _store(
    actor: Actor,
    place: str,
    label: str,
    audience: str,
    kept: Mapping[str, Any],
    segment_id: str | None,
    about: Mapping[str, Any],
) -> str:
    shared = not audience.startswith("user:")
    table, made_id = tables.saved_segment, segment_id or new_id("sgm")
    with transaction() as connection:
        own = sa.select(table.c.id, table.c.audience).where(
            table.c.collection == place, table.c.made_by == actor.id
        )
        known = {row.id: row.audience for row in connection.execute(own)}
        if segment_id is not None and segment_id not in known:
            raise NotFound(hidden=True)
        if segment_id is None and len(known) >= MOST_OWN:
            raise Invalid(f"You have saved {MOST_OWN} segments of this list: remove one first.", at="label")
        values = {
            "label": label,
            "audience": audience,
            "query": subjects.wrap(json.dumps(kept).encode(), sealed_at(made_id)),
        }
        if segment_id is None:
            connection.execute(
                sa.insert(table).values(id=made_id, collection=place, made_by=actor.id, **values)
            )
        else:
            connection.execute(
                sa.update(table).where(table.c.id == segment_id).values(**values, changed_at=sa.func.now())
            )
        if shared or not known.get(made_id, "user:").startswith("user:"):
            log.note(
                actor,
                "segment_shared",
                open={"segment": made_id, "audience": audience},
                sealed={"label": label, "query": dict(kept)},
                connection=connection,
                **about,
            )
    return made_id


def _checked_label(actor: Actor, label: str, audience: str) -> str:
    """The name without doubled spaces. Raises Invalid naming `label` or `audience`."""
    label = " ".join(label.split())
    if not label or len(label) > LONGEST_LABEL or not label.isprintable():
        raise Invalid(
            f"A segment has a name of 1 to {LONGEST_LABEL} characters: it is the text of its tab.", at="label"
        )
    if audience not in audiences(actor):
        raise Invalid("Choose yourself, a team of yours or a role of yours.", at="audience")
    return label


def work_views(actor: Actor) -> list[SavedSegment]:
    """The saved filters of the list of work that the actor has as tabs, their own first, then by name; one statement."""
    found = []
    for segment_id, label, query, audience, made_by in fetch(_SEGMENTS, (WORK, audiences(actor))):
        with suppress(subjects.Unreadable):  # kept under another master key
            kept = json.loads(subjects.unwrap(query, sealed_at(segment_id)))
            mine = made_by == actor.id
            found.append(SavedSegment(segment_id, label, kept, audience, mine, mine))
    return sorted(found, key=lambda saved: (not saved.mine, saved.label.casefold(), saved.id))


def save_work_view(actor: Actor, label: str, audience: str, query: Mapping[str, str]) -> str:
    """Save filters of the list of work as a tab; its id. Raises Invalid naming `label` or `audience`."""
    return _store(actor, WORK, _checked_label(actor, label, audience), audience, query, None, {})


def remove_work_view(actor: Actor, view_id: str) -> None:
    """Take away a tab of the list of work that the actor made. Raises NotFound for any other."""
    found = next((view for view in work_views(actor) if view.id == view_id and view.removable), None)
    if found is None:
        raise NotFound(hidden=True)
    _remove(actor, WORK, found, {})


def remove(actor: Actor, collection_id: str, segment_id: str) -> None:
    """Take a tab away: one's own, or as who shapes the collection one that is shared with oneself. Raises NotFound for any other."""
    collection, _ = browsed_collection(actor, collection_id)
    found = next(
        (
            saved
            for saved in saved_segments(actor, collection_id)
            if saved.id == segment_id and saved.removable
        ),
        None,
    )
    if found is None:
        raise NotFound(hidden=True)
    _remove(actor, collection_id, found, {"source": collection.source, "collection": collection_id})


def _remove(actor: Actor, place: str, found: SavedSegment, about: Mapping[str, Any]) -> None:
    table = tables.saved_segment
    with transaction() as connection:
        gone = connection.execute(
            sa.delete(table).where(table.c.id == found.id, table.c.collection == place)
        ).rowcount
        if gone and not found.audience.startswith("user:"):
            opened = {"segment": found.id, "audience": found.audience}
            log.note(actor, "segment_removed", open=opened, connection=connection, **about)


def forget(connection: Connection, texts: Collection[str], collection: CollectionModel) -> None:
    """For erasing the person whom these texts name: delete the tabs of any list that search for them, rename those that are only called after them."""
    table = tables.saved_segment
    gone, renamed = _naming(connection, texts, collection)
    connection.execute(sa.delete(table).where(table.c.id.in_(gone)))
    connection.execute(sa.update(table).where(table.c.id.in_(renamed)).values(label=UNNAMED))


def forget_own(connection: Connection, person: str) -> None:
    """Delete the tabs that this person saved for themselves alone."""
    connection.execute(
        sa.delete(tables.saved_segment).where(tables.saved_segment.c.audience == f"user:{person}")
    )


def _naming(
    connection: Connection, texts: Collection[str], collection: CollectionModel
) -> tuple[list[str], list[str]]:
    """The ids of saved segments of any list that search for somebody by these texts (name, e-mail, number), and of others whose name has one of them.

    A search does where all its words stand in one of the texts, or where it is one of them; a condition where it compares a field that names records
    with such a text.
    """
    known = [text.casefold() for text in texts if len(text) >= SHORTEST]
    whole = frozenset(_plain(text) for text in texts)
    worded = frozenset(
        text for text in whole if not text.isdigit()
    )  # on any other list a number is of something else
    identifying_fields = frozenset(identifying(collection))
    searching, called = [], []
    for row in connection.execute(sa.select(tables.saved_segment)):
        named = whole if row.collection == collection.id else worded
        if any(
            _within(text, known) or _plain(text) in named
            for text in _texts_of_search(row, collection.id, identifying_fields)
        ):
            searching.append(row.id)
        elif _called_after(row.label, texts):
            called.append(row.id)
    return searching, called


def _texts_of_search(row: sa.Row[Any], collection: str, fields: frozenset[str]) -> list[str]:
    """The texts that a saved segment searches for or compares with; none if it is kept under another master key."""
    try:
        kept = json.loads(subjects.unwrap(row.query, sealed_at(row.id)))
        conditions = (
            json.loads(kept["filter"])
            if str(kept.get("filter", "")).startswith("{")
            else kept.get("filter") or ""
        )
    except (subjects.Unreadable, ValueError):
        return []
    compared = (
        [conditions]
        if isinstance(conditions, str)
        else _compared(conditions, fields if row.collection == collection else None)
    )
    return [text for text in (str(kept.get("q") or ""), *compared) if text]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _called_after(label: str, texts: Collection[str]) -> bool:
    """Whether the label has two words of one of the texts, or the only word that one has. The parts of a double name are words."""
    there = _parts(label)
    named = (_parts(text) for text in texts if len(text) >= SHORTEST)
    return any(len(there & parts) >= min(2, len(parts)) for parts in named if parts)


def _parts(text: str) -> frozenset[str]:
    return frozenset(part for word in _words(text) for part in word.split("-") if len(part) > 2)


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[^\w@.+-]+", text.casefold()) if word]


def identifying(collection: CollectionModel) -> list[str]:
    """Fields whose values say which person it is: those of the title, addresses and numbers to call, the key, and texts that searches look at."""
    contact = [item.name for item in collection.stored_fields if item.type in ("email", "phone")]
    return list(dict.fromkeys([*collection.title_fields, *contact, *collection.search, *collection.key]))


def _compared(condition: Any, fields: frozenset[str] | None) -> list[str]:
    """The texts and numbers that conditions compare these fields with; None: the texts of any field."""
    if isinstance(condition, list):
        return [text for part in condition for text in _compared(part, fields)]
    if not isinstance(condition, Mapping):
        return []
    own = condition.get("value") if fields is None or condition.get("field") in fields else None
    values = own if isinstance(own, list) else [own]
    kinds = str if fields is None else (str, int)  # a number of any other list is an amount as well as a key
    return [str(value) for value in values if isinstance(value, kinds)] + [
        text
        for name in ("and", "or", "not")
        if name in condition
        for text in _compared(condition[name], fields)
    ]


def _within(search: str, known: Collection[str]) -> bool:
    """Whether all words of what is asked for stand in one of the texts."""
    words = _words(search)
    return (
        bool(words)
        and max(map(len, words)) >= SHORTEST
        and any(all(word in text for word in words) for text in known)
    )


def sealed_at(segment_id: str) -> str:
    """The context that a sealed query is bound to."""
    return f"saved_segment.query|{segment_id}"
