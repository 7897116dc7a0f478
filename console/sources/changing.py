"""Changing a connected data source: its address, limits and tables; pausing, resuming and removing it."""

from collections.abc import Collection as Several
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log, records, workflows
from console.auth import access
from console.auth.access import policy_store
from console.core.actor import SYSTEM, Actor
from console.core.errors import Conflict, Invalid
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.records import catalogue, connect, portable_address, source_zones
from console.records.connection_terms import Terms
from console.runs.commands import cleared_notices
from console.sources import addresses, source_store, testing
from console.sources.source_store import CHAIN
from console.steps.effects import action_cache

BOUNDS = {"pool": (1, 20), "overflow": (0, 20), "connect_s": (1, 30), "statement_s": (1, 120)}
"""Lowest and highest value of each limit."""


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is lost with a source: its collections, workflows and actions on them, rights that name them; and runs still in progress."""

    collections: tuple[str, ...]
    workflows: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]
    rights: int
    runs: tuple[str, ...]
    live: int


def change(
    name: str,
    *,
    url: str | None = None,
    terms: Terms | None = None,
    schemas: Several[str] | None = None,
    chosen: Several[str] | None = None,
    all_tables: bool = False,
    by: Actor = SYSTEM,
) -> list[str]:
    """Change what is given; returns what changed: `url`, `limits`, `read_only`, `tables`, `zone`. New limits apply within a second in every process.

    `schemas` and `chosen` select tables as in `add`, `all_tables` selects all again; then `difference` shows the effect, `take` applies it.
    Raises Invalid with a detail per field, also if nothing answers at the new address, NotFound, NotAllowed, SourceDown.
    """
    source_store.require_manager(by)
    source = source_store.source_of(name)
    if terms is not None:
        bounded(terms)
    address = source.url if url is None else addresses.read(url).render_as_string(hide_password=False)
    if address != source.url:
        portable_address.require_place(connect.address(address), typed=by.kind != "system")
    server = _answering(source, address) if url is not None else None
    picks = (
        (None, None)
        if all_tables
        else (
            schemas if schemas is not None else source.schemas,
            chosen if chosen is not None else source.chosen,
        )
    )
    before = source_store.stored_settings(source.terms, source.schemas, source.chosen)
    after = source_store.stored_settings(terms or source.terms, *picks)
    fields = _fields(before, after) + (["url"] if address != source.url else [])
    if not fields:
        return []
    if "tables" in fields:
        source_store.require_existing(source_store.look(name, address, after), schemas, chosen)
    values: dict[str, Any] = {"settings": after, **({"server": server, "down_since": None} if server else {})}
    if "url" in fields:
        values["url_sealed"] = catalogue.seal(name, address)
    old_place, new_place = (testing.place_of(connect.address(place)) for place in (source.url, address))
    with transaction() as connection:
        connection.execute(
            sa.update(tables.data_source).where(tables.data_source.c.name == name).values(**values)
        )
        source_store.touch_configuration(connection)
        _note(connection, by, name, fields, {"place": old_place, **before}, {"place": new_place, **after})
    source_store.forget()
    return fields


def readdress(name: str, url: str) -> None:
    """Store the present address of the same database after the data folder was moved. No event, because the source itself did not change."""
    with transaction() as connection:
        sealed = catalogue.seal(name, addresses.read(url).render_as_string(hide_password=False))
        connection.execute(
            sa.update(tables.data_source).where(tables.data_source.c.name == name).values(url_sealed=sealed)
        )
        source_store.touch_configuration(connection)
    source_store.forget()


def bounded(terms: Terms) -> None:
    """Raises Invalid with a detail per limit outside its bounds."""
    wrong = [
        {"field": field, "reason": f"This is a number from {least} to {most}."}
        for field, (least, most) in BOUNDS.items()
        if not least <= getattr(terms, field) <= most
    ]
    if wrong:
        raise Invalid("These limits cannot be.", details=wrong)
    source_zones.require(terms.zone)


def pause(name: str, *, by: Actor = SYSTEM) -> None:
    """Block the source for everybody until it is resumed; lists say so, and runs keep submitted values. Raises Conflict if it is paused."""
    _switch(name, paused=True, by=by)


def resume(name: str, *, by: Actor = SYSTEM) -> None:
    """Allow the source to be used again. Raises Conflict if it is not paused."""
    _switch(name, paused=False, by=by)


def consequences(name: str, *, by: Actor = SYSTEM) -> Consequences:
    """What `remove` would end, as far as `by` may see it. Raises NotFound, NotAllowed."""
    source_store.require_manager(by)
    source_store.source_of(name)
    hidden = frozenset(access.hidden_from(by))
    own = [collection for collection in _collections(name) if f"collection:{collection}" not in hidden]
    statement = f"select r.id from {access.runs(by).sql()} where r.ended_at is null and r.collection = any(%s) order by r.id"  # noqa: S608 (a text of ours)
    live = fetch(statement, (own,))
    return Consequences(
        tuple(own),
        tuple(
            (known.slug, known.title)
            for known in workflows.all_known()
            if known.collection in own and f"workflow:{known.slug}" not in hidden
        ),
        tuple(action.title for action in action_cache.every().values() if action.collection in own),
        len(_rights(own)),
        tuple(row[0] for row in live[:10]),
        len(live),
    )


def remove(name: str, *, force: bool = False, by: Actor = SYSTEM) -> Consequences:
    """Disconnect the source, and delete its collections, their documents and the rights on them; its database and the log stay as they are.

    Raises Conflict `in_use` while runs on its records are in progress, unless `force` is given; NotFound, NotAllowed.
    """
    found = consequences(name, by=by)
    if found.live and not force:
        raise Conflict(
            f"{found.live} live {'run works' if found.live == 1 else 'runs work'} on records of {name}. End them first, or remove it by force.",
            code="in_use",
            details=[("runs", run) for run in found.runs],
        )
    source = source_store.source_of(name)
    with transaction() as connection:
        cleared_notices.notify_cleared(connection, by, "source_removed", name)
        policy_store.write(connection, removed=_rights(_collections(name)))
        connection.execute(sa.delete(tables.collection).where(tables.collection.c.source == name))
        connection.execute(sa.delete(tables.data_source).where(tables.data_source.c.name == name))
        source_store.touch_configuration(connection)
        open_ = {
            "source": name,
            "name": name,
            "dialect": source.dialect,
            "collections": len(found.collections),
            "runs": found.live,
        }
        before = {
            "place": testing.place_of(connect.address(source.url)),
            "collections": list(found.collections),
        }
        log.note(
            by,
            "source_removed",
            open=open_,
            sealed={"before": before},
            source=name,
            chain=CHAIN,
            connection=connection,
        )
    connect.dispose(name)
    source_store.forget()
    return found


def _collections(name: str) -> list[str]:
    return [collection.id for collection in records.collections() if collection.source == name]


def _rights(collections: Several[str]) -> list[access.Row]:
    """Policy rows about these collections and their fields."""
    named = {f"collection:{collection}" for collection in collections}
    return [
        row
        for row in access.all_rows()
        if row.obj in named
        or (row.obj.startswith("field:") and row.obj[6:].partition("/")[0] in set(collections))
    ]


def _answering(source: catalogue.Source, url: str) -> str:
    """The database at the new address. Raises Invalid if none answers, or if it is another kind of database."""
    if connect.address(url).get_backend_name() != source.dialect:
        raise Invalid(
            "Another kind of database is another data source: connect it under a name of its own.", at="url"
        )
    tested = testing.attempt(url)
    if tested.trouble is not None:
        raise Invalid(tested.trouble.words, code=tested.trouble.code, at="url")
    return tested.server


def _fields(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    words = {"schemas": "tables", "tables": "tables", "read_only": "read_only", "zone": "zone"}
    return sorted(
        {words.get(key, "limits") for key in {*before, *after} if before.get(key) != after.get(key)}
    )


def _switch(name: str, *, paused: bool, by: Actor) -> None:
    source_store.require_manager(by)
    source_store.source_of(name)
    table = tables.data_source
    with transaction() as connection:
        now = connection.execute(
            sa.select(table.c.paused_at).where(table.c.name == name).with_for_update()
        ).scalar_one()
        if (now is not None) is paused:
            raise Conflict(
                f"The data source {name} is paused already."
                if paused
                else f"The data source {name} is not paused."
            )
        if paused:
            cleared_notices.notify_cleared(connection, by, "source_paused", name)
        connection.execute(
            sa.update(table).where(table.c.name == name).values(paused_at=sa.func.now() if paused else None)
        )
        source_store.touch_configuration(connection)
        _note(connection, by, name, ["paused"], {"paused": not paused}, {"paused": paused})
    connect.dispose(name)
    source_store.forget()


def _note(
    connection: Connection,
    by: Actor,
    name: str,
    fields: list[str],
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    open_ = {"source": name, "name": name, "fields": fields}
    log.note(
        by,
        "source_changed",
        open=open_,
        sealed={"before": before, "after": after},
        source=name,
        chain=CHAIN,
        connection=connection,
    )
