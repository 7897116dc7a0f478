"""Connecting a database of many tables in the background: asked for on a page, done by a worker that tells how far it is, stopped at any time.

What was asked for is kept sealed until the source is there or the request is dismissed. All is written in one transaction at the end, so a worker that
dies leaves nothing half done: another one begins again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.actor import Actor
from console.core.errors import Conflict
from console.infra import jobs
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import FAILED, RUNNING, WAITING, Stopped, Stopping, Work
from console.records import catalogue, source_zones
from console.records.connection_terms import Terms
from console.sources import source_store

AT_ONCE = 200
"""So many tables are looked at while somebody waits; of more there is a page that tells how far it is."""
table = tables.source_connecting


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting(Work):
    """A database that is being connected: `done` of `total` tables are looked at, and `why` it did not come about; it waits for a worker to begin."""

    name: str
    url_sealed: bytes
    request: Mapping[str, Any]


class _Connections(background.Kind[Connecting]):
    job, table, tries_again = jobs.CONNECT, table, False

    def open_rows(self) -> sa.ColumnElement[bool]:
        return table.c.why == ""

    def read(self, row: sa.Row[Any]) -> Connecting:
        status = FAILED if row.why else WAITING if row.done is None else RUNNING
        return Connecting.from_row(row, status=status, done=row.done or 0)

    def perform(self, work: Connecting, actor: Actor, stopping: Stopping) -> None:
        source_store.add(
            work.name,
            catalogue.Source(work.name, "", bytes(work.url_sealed), catalogue.sealed_at(work.id)).url,
            terms=Terms.of(work.request["terms"]),
            chosen=work.request["chosen"],
            may=work.request["may"],
            by=actor,
            told=self.progress(work.id, stopping),
            within=lambda connection: _end(connection, work.id),
        )


CONNECTIONS = _Connections()
advance = CONNECTIONS.advance


def ask(
    name: str,
    url: str,
    total: int,
    *,
    terms: Terms,
    chosen: Sequence[str] | None,
    may: Mapping[str, Sequence[str]],
    by: Actor,
) -> str:
    """Have a database of `total` tables connected; the id. Arguments and errors are those of `add`, which raises the others in the background."""
    source_store.require_manager(by)
    source_store.require_free_name(name)
    source_zones.require(terms.zone)
    ident = new_id("con")
    request = {"terms": terms.to_json(), "chosen": chosen, "may": may}
    with transaction() as connection:
        connection.execute(sa.delete(table).where(table.c.name == name, table.c.why != ""))
        if connection.execute(sa.select(table.c.id).where(table.c.name == name)).first():
            raise Conflict(f"A data source {name} is being connected already.", at=("name", "taken"))
        CONNECTIONS.add(
            connection,
            id=ident,
            name=name,
            person=by.id,
            total=total,
            url_sealed=catalogue.seal(ident, url),
            request=request,
        )
    return ident


def all_under_way(by: Actor) -> list[Connecting]:
    """What is being connected, and what did not come about and is not dismissed yet, by name. Raises NotAllowed."""
    source_store.require_manager(by)
    return sorted(CONNECTIONS.select(), key=lambda one: one.name)


def find(connecting_id: str, *, by: Actor) -> Connecting | None:
    """What is being connected; None once it is connected or dismissed. Raises NotAllowed."""
    source_store.require_manager(by)
    return CONNECTIONS.find(connecting_id)


def stop(connecting_id: str, *, by: Actor) -> bool:
    """Connect it no more, and forget what was asked for; whether that was in time. Raises NotAllowed."""
    source_store.require_manager(by)
    return bool(fetch("delete from console.source_connecting where id = %s returning 1", (connecting_id,)))


def retry(connecting_id: str, *, by: Actor) -> None:
    """Try again what did not come about. Raises NotAllowed."""
    source_store.require_manager(by)
    with transaction() as connection:
        failed = sa.update(table).where(table.c.id == connecting_id, table.c.why != "")
        if connection.execute(failed.values(why="", done=None)).rowcount:
            CONNECTIONS.enqueue(connection, connecting_id)


def _end(connection: Connection, connecting_id: str) -> None:
    """In the transaction that connects it: it is under way no more. Raises Stopped where somebody stopped it meanwhile."""
    if not connection.execute(sa.delete(table).where(table.c.id == connecting_id)).rowcount:
        raise Stopped
