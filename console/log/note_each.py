"""Many events of one kind at once, each about a record of its own: for what is done to a thousand records by one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.actor import Actor
from console.infra import subjects
from console.infra.clock import now
from console.infra.db import request_writes, tables
from console.infra.db.ids import uuid7_text
from console.log.append import Moved, frame_of, write
from console.log.body import Fact, Link, link
from console.log.transition_statement import sealed_values

_WRITE_EACH = """
select min(told.last) from (
    select console.transition(%s, e.seq, e.previous, array[e.leaf], array[e.body], e.subject, e.kid, array[e.nonce], array[e.ct], null, null, null, null, null, null) as last
    from unnest(%s::integer[], %s::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[], %s::bytea[], %s::bytea[])
        with ordinality as e (seq, previous, leaf, body, subject, kid, nonce, ct, n) order by e.n
) told
"""


@dataclass(frozen=True, slots=True)
class Noted:
    """What is open of one of the events, and the record that it is about; None without one. `sealed` are values, under the key of their `subject`."""

    open: Mapping[str, Any]
    collection: str | None = None
    record: str | None = None
    source: str | None = None
    sealed: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None


def note_each(
    actor: Actor,
    kind: str,
    notes: Sequence[Noted],
    *,
    chain: str,
    team: str | None,
    label: str | None,
    connection: Connection,
) -> None:
    """Write the events in their order at the end of `chain`, with the transaction of `connection`, as the last thing done there.

    For chains on which one process writes at a time. Raises Moved where another one did.
    """
    if not notes:
        return
    end = connection.execute(
        sa.select(tables.chain.c.seq, tables.chain.c.head).where(tables.chain.c.id == chain)
    ).first()
    seq, head = (int(end.seq), bytes(end.head)) if end else (0, b"")
    frame, at = frame_of(actor, team, label=label), now()
    links: list[Link] = []
    for number, noted in enumerate(notes, seq + 1):
        target = (
            {"source": noted.source, "coll": noted.collection, "key": noted.record}
            if noted.collection
            else None
        )
        fact = Fact(uuid7_text(), kind, at, noted.open, noted.sealed)
        links.append(link(fact, chain, number, head, replace(frame, target=target)))
        head = links[-1].leaf
    own = subjects.of_person(actor.id) if frame.address else None
    whose = [noted.subject or own for noted in notes]
    if len(set(whose)) == 1:
        write(chain, seq, links, subject=whose[0], connection=connection)
    else:
        _write_each(chain, seq, links, whose, connection)


def _write_each(
    chain: str, seq: int, links: Sequence[Link], whose: Sequence[str | None], connection: Connection
) -> None:
    """Write the links where the values of each event are sealed under a key of their own."""
    sealed = [sealed_values(subject, [each]) for each, subject in zip(links, whose, strict=True)]
    columns = (
        list(range(seq, seq + len(links))),
        [each.previous for each in links],
        [each.leaf for each in links],
        [each.body for each in links],
        list(whose),
        [kid for kid, _, _ in sealed],
        [nonces[0] for _, nonces, _ in sealed],
        [ciphertexts[0] for _, _, ciphertexts in sealed],
    )
    if not connection.exec_driver_sql(_WRITE_EACH, (chain, *columns)).scalar():
        raise Moved(chain)
    request_writes.written(chain, {each.type for each in links}, connection)
