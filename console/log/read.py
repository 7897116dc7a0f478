"""Reading a chain: its events in order, with the values that still can be opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import sqlalchemy as sa

from console import subjects
from console.db import tables
from console.db.engine import hot_engine
from console.log.body import unflatten

ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it stands in the log. `n` is its number in the chain, `pos` its place in the whole log (None: not yet placed).

    `sealed` holds the opened values by name (`values/email`); `missing` names those that can no longer be opened, with the reason.
    """

    n: int
    id: str
    pos: int | None
    type: str
    at: datetime
    body: Mapping[str, Any]
    leaf: bytes
    sealed: Mapping[str, Any] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def open(self) -> Mapping[str, Any]:
        """What is readable in the body."""
        found: Mapping[str, Any] = self.body["data"]["open"]
        return found

    @property
    def values(self) -> dict[str, Any]:
        """The opened values, nested as they were handed in."""
        return unflatten(self.sealed)


def events_of(chain: str, after: int = 0, limit: int | None = None, *, upto: int | None = None, opened: bool = True) -> list[Stored]:
    """Events of a chain in order, numbers after `after` up to and including `upto`; one statement. `opened` False leaves the values closed."""
    event, place, value = tables.event, tables.activity, tables.event_value
    found = (
        sa.select(event.c.run_seq, event.c.body, event.c.leaf, place.c.pos, value.c.sub, value.c.nonce, value.c.ct)
        .select_from(event.outerjoin(place, place.c.event == event.c.id).outerjoin(value, value.c.event == event.c.id))
        .where(event.c.run == chain, event.c.run_seq > after)
        .order_by(event.c.run_seq)
    )
    if upto is not None:
        found = found.where(event.c.run_seq <= upto)
    if limit is not None:
        found = found.limit(limit)
    with hot_engine().connect() as connection:
        rows = connection.execute(found).all()
    return [stored(row, opened=opened) for row in rows]


def stored(row: Any, *, opened: bool = True) -> Stored:
    """A row of (run_seq, body, leaf, pos, sub, nonce, ct) as a `Stored`."""
    body = orjson.loads(bytes(row.body))
    names: Sequence[str] = list(body["data"]["sealed"])
    sealed: dict[str, Any] = {}
    missing: dict[str, str] = {}
    if names and opened:
        try:
            values = subjects.unseal(row.sub, body["id"], row.nonce, row.ct) if row.sub else {}
        except subjects.Unreadable:
            values = {}
        for name in names:
            if name in values:
                sealed[name] = values[name][1]
            else:
                missing[name] = ERASED
    return Stored(
        row.run_seq, body["id"], row.pos, body["type"], datetime.fromisoformat(body["at"]), body, bytes(row.leaf), sealed, missing
    )
