"""Reading a chain: its events in order, with the values that still can be opened."""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from console.core.errors import ConsoleError
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, read_rows
from console.log.body import CLIENT_IP, unflatten

ERASED = "erased"
AT_ONCE = 500
"""So many rows of values come with one statement."""
NEVER = 2**31 - 1
"""No chain has an event of that number."""
EXPIRED = "expired"  # also in the place of the subject: what is left of a row of values past their time limit


class Stored(NamedTuple):
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
    sealed: Mapping[str, Any] = {}
    missing: Mapping[str, str] = {}

    @property
    def open(self) -> Mapping[str, Any]:
        """The open part of the body."""
        open_data: Mapping[str, Any] = self.body["data"]["open"]
        return open_data

    @property
    def values(self) -> dict[str, Any]:
        """The opened values, nested as they were handed in; without the client's address."""
        return (
            unflatten({name: value for name, value in self.sealed.items() if name != CLIENT_IP})
            if self.sealed
            else {}
        )


def events_of(chain: str, after: int = 0, limit: int | None = None, *, opened: bool = True) -> list[Stored]:
    """Events of a chain in order, numbers after `after`; one statement. `opened` False leaves the values closed."""
    event, place, value = tables.event, tables.activity, tables.event_value
    archived = sa.func.console.archived_events(postgresql.array([event.c.id])).table_valued("pos")
    place_of = sa.func.coalesce(place.c.pos, sa.select(archived.c.pos).scalar_subquery()).label("pos")
    statement = (
        sa.select(
            event.c.run_seq, event.c.body, event.c.leaf, place_of, value.c.sub, value.c.nonce, value.c.ct
        )
        .select_from(
            event.outerjoin(place, (place.c.event == event.c.id) & (place.c.run == event.c.run)).outerjoin(
                value, value.c.event == event.c.id
            )
        )
        .where(event.c.run == chain, event.c.run_seq > after)
        .order_by(event.c.run_seq)
    )
    if limit is not None:
        statement = statement.limit(limit)
    rows = read_rows(statement)
    subjects.load({row.sub for row in rows if row.sub} if opened else ())
    return [stored(row, opened=opened) for row in rows]


def beginnings(chains: Collection[str]) -> dict[str, Stored]:
    """Chain → its first event with its values, its place unknown; one statement."""
    if not chains:
        return {}
    statement = """select e.run, e.run_seq, e.body, e.leaf, v.sub, v.nonce, v.ct from console.event e
        left join console.event_value v on v.event = e.id where e.run = any(%s) and e.run_seq = 1"""
    rows = fetch(statement, (sorted(chains),), binary=True)
    subjects.load({row[4] for row in rows if row[4]})
    begun = {}
    for run, n, data, leaf, *value in rows:
        body = parsed(data)
        begun[run] = _event(Row(n, data, leaf), body, *_opened(body, *value))
    return begun


class Row(NamedTuple):
    """An event as the table holds it: its number in the chain, the bytes of its body, their hash."""

    n: int
    body: bytes
    leaf: bytes


def rows(chain: str, after: int = 0, *, upto: int = NEVER) -> list[Row]:
    """The events of a chain in order, numbers after `after` up to and including `upto`, unread: ten thousand of them are 7 MB.

    Put in order here: the server would sort bodies of several MB on disk.
    """
    found_rows = fetch(
        "select run_seq, body, leaf from console.event where run = %s and run_seq > %s and run_seq <= %s",
        (chain, after, upto),
        binary=True,
    )
    return [Row(*row) for row in sorted(found_rows, key=itemgetter(0))]


class Damaged(ConsoleError):
    """An event that cannot be read: somebody wrote in the log from outside."""

    status = 503
    default_code = "log_damaged"


UNREADABLE = "The activity log was changed from outside: an event here cannot be read. `console verify` names its place."


def parsed(body: bytes) -> dict[str, Any]:
    """The body of an event. Raises Damaged for what the console never wrote."""
    try:
        told: dict[str, Any] = orjson.loads(body)
        datetime.fromisoformat(told["at"])
        if {"id", "type", "run", "actor"} <= told.keys() and isinstance(told["data"]["sealed"], dict):
            return told
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    raise Damaged(UNREADABLE)


def closed(row: Row) -> Stored:
    """The event of this row, values closed and place unknown."""
    return _event(row, parsed(row.body), {}, {})


def _event(
    row: Row, body: Mapping[str, Any], sealed: Mapping[str, Any], missing: Mapping[str, str]
) -> Stored:
    return Stored(
        row.n,
        body["id"],
        None,
        body["type"],
        datetime.fromisoformat(body["at"]),
        body,
        row.leaf,
        sealed,
        missing,
    )


def history(chain: str) -> list[Stored]:
    """Every event of a chain in order, values closed and places unknown; for long chains. Those that are needed come by `open_values`."""
    return [closed(row) for row in rows(chain)]


def passing(chain: str, given: Sequence[Row], unopened: Collection[str] = ()) -> Iterator[Stored]:
    """The events of these rows in order with their values, those of the kinds in `unopened` without; places unknown.

    One is held at a time: to take fresh memory for ten thousand of them takes longer than to read them.
    """
    without = [b'"sealed":{}', *(f'"type":"{kind}"'.encode() for kind in unopened)]
    for start in range(0, len(given), AT_ONCE):
        some = given[start : start + AT_ONCE]
        values = _values(chain, [row.n for row in some if not any(mark in row.body for mark in without)])
        for row in some:
            body = parsed(row.body)
            if not body["data"]["sealed"] or body["type"] in unopened:
                yield _event(row, body, {}, {})
                continue
            value = (
                values.get(row.n) or _values(chain, [row.n])[row.n]
            )  # the bytes had such a mark in another place
            yield _event(row, body, *_opened(body, *value))


def _values(chain: str, numbers: Sequence[int]) -> dict[int, tuple[str | None, bytes | None, bytes | None]]:
    """(subject, nonce, ciphertext) of the values of these events, by number; one statement."""
    if not numbers:
        return {}
    statement = """select e.run_seq, v.sub, v.nonce, v.ct from console.event e left join console.event_value v on v.event = e.id
        where e.run = %s and e.run_seq = any(%s)"""
    return {
        number: (subject, nonce, sealed)
        for number, subject, nonce, sealed in fetch(statement, (chain, numbers), binary=True)
    }


def recent(chain: str, kind: str, after: int) -> list[Stored]:
    """Events of this kind in a chain with numbers after `after`, in order, values closed and places unknown."""
    statement = "select run_seq, body, leaf from console.event where run = %s and run_seq > %s and position(%s::bytea in body) > 0 order by run_seq"
    events = []
    for number, data, leaf in fetch(statement, (chain, after, f'"type":"{kind}"'.encode()), binary=True):
        event = closed(Row(number, data, leaf))
        if event.type == kind:
            events.append(event)
    return events


def newest_by_people(
    chains: Sequence[str], always: Sequence[str], unless_system: Sequence[str], latest: int
) -> dict[str, Stored]:
    """Chain → its newest event of these kinds, opened; those of `unless_system` count only where no engine did them. One statement, of so many of the latest events each."""
    if not chains:
        return {}
    statement = """select e.run, e.run_seq, e.body, e.leaf, null::bigint, v.sub, v.nonce, v.ct from unnest(%s::text[]) as wanted(run) cross join lateral (
            select id, run, run_seq, body, leaf from (
                select * from console.event where run = wanted.run order by run_seq desc limit %s
            ) latest where (
                exists (select from unnest(%s::bytea[]) as kind(mark) where position(mark in body) > 0)
                or (position(%s::bytea in body) = 0 and exists (select from unnest(%s::bytea[]) as kind(mark) where position(mark in body) > 0)))
            order by run_seq desc limit 1
        ) e left join console.event_value v on v.event = e.id"""
    marks = [[f'"type":"{kind}"'.encode() for kind in kinds] for kinds in (always, unless_system)]
    rows = fetch(statement, (list(chains), latest, marks[0], b'"kind":"system"', marks[1]), binary=True)
    newest = {}
    for run, number, data, leaf, place, subject, nonce, ciphertext in rows:
        body = parsed(bytes(data))
        sealed, missing = _opened(body, subject, nonce, ciphertext)
        newest[run] = Stored(
            number,
            body["id"],
            place,
            body["type"],
            datetime.fromisoformat(body["at"]),
            body,
            bytes(leaf),
            sealed,
            missing,
        )
    return newest


def open_values(chain: str, events: Sequence[Stored]) -> dict[int, Stored]:
    """These events of `history` with their values and their places in the whole log, by number; one statement."""
    wanted = {event.n: event for event in events}
    statement = """select e.run_seq, coalesce(a.pos, (select pos from console.archived_events(array[e.id]))), v.sub, v.nonce, v.ct from console.event e left join console.activity a on a.event = e.id and a.run = e.run
        left join console.event_value v on v.event = e.id where e.run = %s and e.run_seq = any(%s)"""
    opened = {}
    for number, place, subject, nonce, ciphertext in fetch(statement, (chain, list(wanted)), binary=True):
        event = wanted[number]
        sealed, missing = _opened(event.body, subject, nonce, ciphertext)
        opened[number] = event._replace(pos=place, sealed=sealed, missing=missing)
    return opened


def stored(row: Any, *, opened: bool = True) -> Stored:
    """A row of (run_seq, body, leaf, pos, sub, nonce, ct) as a `Stored`."""
    body = parsed(bytes(row.body))
    sealed, missing = _opened(body, row.sub, row.nonce, row.ct) if opened else ({}, {})
    return Stored(
        row.run_seq,
        body["id"],
        row.pos,
        body["type"],
        datetime.fromisoformat(body["at"]),
        body,
        bytes(row.leaf),
        sealed,
        missing,
    )


def _opened(
    body: Mapping[str, Any], subject: str | None, nonce: bytes | None, ciphertext: bytes | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """(values by name, why others are missing) of an event with this body."""
    names = body["data"]["sealed"]
    if not names:
        return {}, {}
    values: Mapping[str, Any] = {}
    if subject is not None and nonce is not None and ciphertext:
        with contextlib.suppress(subjects.Unreadable):
            values = unsealed(body["id"], subject, nonce, ciphertext)
    why = reason(subject)
    return {name: values[name][1] for name in names if name in values}, {
        name: why for name in names if name not in values
    }


def unsealed(event_id: str, subject: str, nonce: bytes, ciphertext: bytes) -> dict[str, list[Any]]:
    """Name → [salt in hexadecimal, value] of the values of an event; those of a person who was erased are left out. Raises Unreadable."""
    found = subjects.unseal(subject, event_id, nonce, ciphertext)
    for name in [name for name, kept in found.items() if isinstance(kept, dict)]:
        kept = found.pop(name)
        with contextlib.suppress(subjects.Unreadable):
            found[name] = subjects.unseal(
                kept["subject"], f"{event_id}|{name}", bytes.fromhex(kept["nonce"]), bytes.fromhex(kept["ct"])
            )
    return dict(found)


def reason(subject: str | None) -> str:
    """Why the values of an event cannot be opened, by the subject of its row of values (None: there is none)."""
    return EXPIRED if subject == EXPIRED else ERASED
