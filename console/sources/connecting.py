"""Connecting a database of many tables in the background: asked for on a page, done by a worker that tells how far it is, stopped at any time.

What was asked for is kept sealed until the source is there or the request is dismissed. All is written in one transaction at the end, so a worker that
dies leaves nothing half done: another one begins again.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import accounts, queue
from console.core.actor import Actor
from console.db import tables
from console.db.engine import alone, fetch, hot_engine, transaction
from console.db.ids import new_id
from console.errors import Conflict, ConsoleError
from console.records import catalogue, source_zones
from console.records.connection_terms import Terms
from console.sources import keeping

AT_ONCE = 200
"""So many tables are looked at while somebody waits; of more there is a page that tells how far it is."""
LATER_S = 2.0
TOLD_EVERY_S = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Connecting:
    """A database that is being connected: `done` of `total` tables are looked at (None: a worker has yet to begin); `why` it did not come about."""

    id: str
    name: str
    person: str
    done: int | None
    total: int
    why: str


class _Stopped(Exception):
    """Whoever asked does not want it any more."""


def ask(
    name: str, url: str, total: int, *, terms: Terms, chosen: Sequence[str] | None, may: Mapping[str, Sequence[str]], by: Actor
) -> Connecting:
    """Have a database of `total` tables connected. Arguments and errors are those of `add`, which raises the others in the background."""
    keeping.require_manager(by)
    keeping.require_free_name(name)
    source_zones.require(terms.zone)
    kept, ident = tables.source_connecting, new_id("con")
    row = {"id": ident, "name": name, "person": by.id, "total": total, "url_sealed": catalogue.seal(ident, url)}
    row["request"] = {"terms": terms.to_json(), "chosen": chosen, "may": may}
    with transaction() as connection:
        connection.execute(sa.delete(kept).where(kept.c.name == name, kept.c.why != ""))
        if connection.execute(sa.select(kept.c.id).where(kept.c.name == name)).first():
            raise Conflict(f"A data source {name} is being connected already.", details=[{"field": "name", "reason": "taken"}])
        connection.execute(sa.insert(kept).values(**row))
        queue.enqueue(connection, queue.CONNECT, ident, dedupe_key=ident)
    return Connecting(ident, name, by.id, None, total, "")


def all_under_way(by: Actor) -> list[Connecting]:
    """What is being connected, and what did not come about and is not dismissed yet, by name. Raises NotAllowed."""
    keeping.require_manager(by)
    with hot_engine().connect() as connection:
        return [_from_row(row) for row in connection.execute(sa.select(tables.source_connecting).order_by(tables.source_connecting.c.name))]


def find(connecting_id: str, *, by: Actor) -> Connecting | None:
    """What is being connected; None once it is connected or dismissed. Raises NotAllowed."""
    return next((one for one in all_under_way(by) if one.id == connecting_id), None)


def stop(connecting_id: str, *, by: Actor) -> bool:
    """Connect it no more, and forget what was asked for; whether that was in time. Raises NotAllowed."""
    keeping.require_manager(by)
    return bool(fetch("delete from console.source_connecting where id = %s returning 1", (connecting_id,)))


def again(connecting_id: str, *, by: Actor) -> None:
    """Try again what did not come about. Raises NotAllowed."""
    keeping.require_manager(by)
    kept = tables.source_connecting
    with transaction() as connection:
        failed = sa.update(kept).where(kept.c.id == connecting_id, kept.c.why != "")
        if connection.execute(failed.values(why="", done=None)).rowcount:
            queue.enqueue(connection, queue.CONNECT, connecting_id, dedupe_key=connecting_id)


# ------------------------------------------------------------------------------------------------------- in the background


def advance(connecting_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """A worker's way in: connects it with the rights of who asked. Raises PutBack where the process ends before it is done."""
    kept = tables.source_connecting
    with hot_engine().connect() as connection:
        row = connection.execute(sa.select(kept).where(kept.c.id == connecting_id, kept.c.why == "")).first()
    if row is None:
        return
    with alone(connecting_id) as mine:
        if not mine:
            raise queue.PutBack(LATER_S)
        try:
            url = catalogue.Source(row.name, "", bytes(row.url_sealed), catalogue.sealed_at(connecting_id)).url
            request = row.request
            by = accounts.actor_of_person(row.person, "sys:engine")
            keeping.add(
                row.name, url, terms=Terms.of(request["terms"]), chosen=request["chosen"], may=request["may"], by=by,
                told=_teller(connecting_id, stopping), within=lambda connection: _end(connection, connecting_id),
            )  # fmt: skip
        except _Stopped:
            return
        except ConsoleError as error:
            _fail(connecting_id, error.words)
        except queue.PutBack:
            raise
        except Exception:  # noqa: BLE001 (whatever it was, whoever waits is told)
            _log.exception("alarm: connecting %s broke off", connecting_id)
            _fail(connecting_id, "It broke off by a fault of ours, which was written down.")


def _teller(connecting_id: str, stopping: Callable[[], bool]) -> Callable[[int], None]:
    """A function that notes how many tables are looked at. It raises PutBack, _Stopped."""
    noted: float | None = None

    def told(done: int) -> None:
        nonlocal noted
        if stopping():
            raise queue.PutBack(LATER_S)
        if noted is None or time.monotonic() - noted >= TOLD_EVERY_S:
            noted = time.monotonic()
            if not fetch("update console.source_connecting set done = %s where id = %s returning 1", (done, connecting_id)):
                raise _Stopped

    return told


def _end(connection: Connection, connecting_id: str) -> None:
    """In the transaction that connects it: it is under way no more. Raises _Stopped where somebody stopped it meanwhile."""
    kept = tables.source_connecting
    if not connection.execute(sa.delete(kept).where(kept.c.id == connecting_id)).rowcount:
        raise _Stopped


def _fail(connecting_id: str, why: str) -> None:
    fetch("update console.source_connecting set why = %s where id = %s returning 1", (why, connecting_id))


def _from_row(row: Any) -> Connecting:
    return Connecting(row.id, row.name, row.person, row.done, row.total, row.why)
