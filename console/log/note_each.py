"""Many events of one kind at once, each about a record of its own: for what is done to a thousand records by one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.actor import Actor
from console.db import tables
from console.db.ids import uuid7_text
from console.log.append import frame_of, now, write
from console.log.body import Fact, Link, link


@dataclass(frozen=True, slots=True)
class Noted:
    """What is open of one of the events, and the record that it is about; None without one."""

    open: Mapping[str, Any]
    collection: str | None = None
    record: str | None = None


def note_each(
    actor: Actor, kind: str, notes: Sequence[Noted], *, chain: str, team: str | None, label: str | None, connection: Connection
) -> None:
    """Write the events in their order at the end of `chain`, with the transaction of `connection`, as the last thing done there.

    For chains on which one process writes at a time. Raises Moved where another one did.
    """
    if not notes:
        return
    end = connection.execute(sa.select(tables.chain.c.seq, tables.chain.c.head).where(tables.chain.c.id == chain)).first()
    seq, head = (int(end.seq), bytes(end.head)) if end else (0, b"")
    frame, at = frame_of(actor, team, label=label), now()
    links: list[Link] = []
    for number, noted in enumerate(notes, seq + 1):
        target = {"source": None, "coll": noted.collection, "key": noted.record} if noted.collection else None
        links.append(link(Fact(uuid7_text(), kind, at, noted.open), chain, number, head, replace(frame, target=target)))
        head = links[-1].leaf
    write(chain, seq, links, connection=connection)
