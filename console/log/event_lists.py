"""Lists of events over the whole log by their place (`pos`), never by the order in which they were written: newest first for
people, oldest first for exports.

A page is one statement, whatever its filter and however deep it lies: keys before the cursor in one index, bodies and
sealed values joined to the rows of the page only. The cursor is the place of the last row, signed, so that events which come
later never slip into an older page and a made-up cursor is refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from console.core.errors import Malformed
from console.infra import settings
from console.infra.db import replica, tables
from console.infra.db.engine import fetch, hot_engine, read_rows, read_value
from console.log.read import UNREADABLE, Damaged
from console.log.tree import WIDTH

TAG_BYTES = 8
SKEW = timedelta(hours=1)
"""How far the moment of an event may lie from those of its neighbours in the list: clocks of several machines, and what was under way for long."""
ON_RUNS = "run\\_%"
ARCHIVED_AT_ONCE = 20_000
LIST = sa.ARRAY(sa.BigInteger)


COLUMNS = {
    "user": "actor",
    "team": "team",
    "collection": "collection",
    "record": "record",
    "workflow": "workflow",
}
"""Filter by a text → the column that it is compared with."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What to look for; None (or no kind) means anything, an empty text means "without one".

    `user` is the person's id, also where a key spoke for them; `run` the run's id, `workflow` the workflow's; moments are aware.
    """

    user: str | None = None
    team: str | None = None
    collection: str | None = None
    record: str | None = None
    run: str | None = None
    workflow: str | None = None
    kinds: tuple[str, ...] = ()
    gt: datetime | None = None
    gte: datetime | None = None
    lt: datetime | None = None
    lte: datetime | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """What the reader may find at all; None means no limit.

    Events without a collection or a workflow are inside any limit of these, events without a team only where `teamless`.
    `without` are kinds left out. `labels` are those that the reader is cleared for: an event with another one is in no list.
    """

    teams: frozenset[str] | None = None
    teamless: bool = True
    collections: frozenset[str] | None = None
    workflows: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    labels: frozenset[str] | None = None


EVERYTHING = Within()


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the log has been put in order: the newest place and the moment of the event there; 0 and None when it is empty."""

    pos: int
    at: datetime | None


class Row(NamedTuple):
    """An event in the order of the log, as `console.log.stored` takes it. Without body where the event itself is gone."""

    pos: int
    team: str | None
    collection: str | None
    record: str | None
    run: str
    workflow: str | None
    run_seq: int
    body: bytes | None
    leaf: bytes
    sub: str | None
    nonce: bytes | None
    ct: bytes | None


class Block(NamedTuple):
    """Many events side by side: the place of the last, how many, their bodies with an end of line each, their places (8 bytes each)."""

    last: int
    events: int
    lines: bytes
    places: bytes


def rows(
    where: LogFilter,
    within: Within = EVERYTHING,
    *,
    limit: int,
    before: int | None = None,
    replica_will_do: bool = False,
) -> Sequence[Any]:
    """At most `limit` rows, newest place first, places below `before`; one statement. `replica_will_do`: what is some seconds old is enough.

    Each row has `pos, team, collection, record, run, workflow` of the list and `run_seq, body, leaf, sub, nonce, ct` of the event,
    as `console.log.stored` takes them.
    """
    place, event, value = tables.activity, tables.event, tables.event_value
    statement = sa.select(
        place.c.pos,
        place.c.event,
        place.c.team,
        place.c.collection,
        place.c.record,
        place.c.run,
        place.c.workflow,
    )
    statement = statement.where(*_conditions(where), *_limits(within))
    if before is not None:
        statement = statement.where(place.c.pos < before)
    page = statement.order_by(place.c.pos.desc()).limit(limit).subquery("page")
    whole = (
        sa.select(page, event.c.run_seq, event.c.body, event.c.leaf, value.c.sub, value.c.nonce, value.c.ct)
        .select_from(
            page.join(event, event.c.id == page.c.event).outerjoin(value, value.c.event == page.c.event)
        )
        .order_by(page.c.pos.desc())
    )
    return (replica.read_rows if replica_will_do else read_rows)(whole)


def places(where: LogFilter, within: Within, *, limit: int) -> Sequence[Any]:
    """At most `limit` places of the list, newest first, with `kind, team, collection, record, run, workflow`; one statement."""
    place = tables.activity.c
    columns = (place.kind, place.team, place.collection, place.record, place.run, place.workflow)
    found = sa.select(*columns).where(*_conditions(where), *_limits(within))
    return replica.read_rows(found.order_by(place.pos.desc()).limit(limit))


def forward(where: LogFilter, within: Within = EVERYTHING, *, after: int, upto: int, limit: int) -> list[Row]:
    """At most `limit` rows, oldest place first, places above `after` and not above `upto`; archived ones too. Empty at the end."""
    found: list[Row] = []
    for span in _spans(where, after, upto):
        found += _whole(_onward(where, within, *span, limit - len(found)))
        if len(found) == limit:
            break
    return found


def at(places: Sequence[int]) -> list[Row]:
    """The rows at these places, oldest first."""
    numbers = sa.literal(list(places), LIST)
    tiles = sa.literal(sorted({(place - 1) // WIDTH for place in places}), LIST)
    wanted = (
        sa.func.unnest(tiles).table_valued(sa.column("tile", sa.BigInteger), name="wanted").render_derived()
    )
    begin = wanted.c.tile * WIDTH
    archived = _archived(sa.func.console.archived_rows(begin + 1, begin + WIDTH))
    further = sa.select(*archived.c).select_from(wanted.join(archived, sa.true()))
    return _whole(
        sa.union_all(
            sa.select(tables.activity).where(tables.activity.c.pos == sa.any_(numbers)),
            further.where(archived.c.pos.in_(sa.select(sa.func.unnest(numbers)))),
        )
    )


def nearest(
    places: Sequence[tuple[str, int, str]],
    kinds: Sequence[str],
    within: Within = EVERYTHING,
    *,
    earlier: bool = False,
) -> list[Row]:
    """For each (run, number of an event, step): the next event of these kinds at this step of the run, or the last one before. Two statements, however many places."""
    after, order = ("<", "desc") if earlier else (">", "asc")
    statement = f"""select e.id from unnest(%s::text[], %s::int[], %s::bytea[]) as wanted(run, n, step) cross join lateral (
        select id from console.event where run = wanted.run and run_seq {after} wanted.n and position(wanted.step in body) > 0
            and exists (select from unnest(%s::bytea[]) as kind(mark) where position(mark in body) > 0)
        order by run_seq {order} limit 1) e"""  # noqa: S608 (texts of ours)
    marks = [f'"id":{json.dumps(step)}'.encode() for _, _, step in places]
    found = fetch(
        statement,
        (
            [run for run, _, _ in places],
            [n for _, n, _ in places],
            marks,
            [f'"type":"{kind}"'.encode() for kind in kinds],
        ),
    )
    events = [row[0] for row in found]
    archived = _archived(sa.func.console.archived_rows_of(sa.literal(events, LIST)))
    return _whole(
        sa.union_all(
            sa.select(tables.activity).where(tables.activity.c.event.in_(events), *_limits(within)),
            sa.select(*archived.c).where(*_limits(within, archived.c)),
        )
    )


def block(
    where: LogFilter, within: Within = EVERYTHING, *, after: int, upto: int, limit: int
) -> Block | None:
    """The lines that `forward` finds, joined by the server: for exports that need no check of single rows. None at the end."""
    for span in _spans(where, after, upto):
        if found := _block(_onward(where, within, *span, limit)):
            return found
    return None


def _block(chosen: sa.Select[*tuple[Any, ...]]) -> Block | None:
    page = chosen.subquery("page")
    event = _row_by_key(page, tables.event.c.id, tables.event.c.body)
    end, nothing = sa.literal(b"\n", sa.LargeBinary), sa.literal(b"", sa.LargeBinary)
    parts = (
        sa.func.coalesce(sa.func.string_agg(part, aggregate_order_by(nothing, page.c.pos)), nothing)
        for part in (event.c.body.op("||")(end), sa.func.int8send(page.c.pos))
    )
    joined = sa.select(sa.func.max(page.c.pos), sa.func.count(), *parts).select_from(
        page.outerjoin(event, sa.true())
    )
    ((last, events, lines, places),) = _bytes(joined)
    return Block(last, events, lines, places) if events else None


def _spans(where: LogFilter, after: int, upto: int) -> Iterator[tuple[int, int, bool]]:
    """The places above `after` up to `upto` in stretches (above, up to, whether some of it is archived): what is archived some at a time, as its rows are made anew."""
    while after < upto:
        found = fetch(
            "select min(index) * 256 from console.archived_place where index >= %s", (after // WIDTH,)
        )
        begin = upto if found[0][0] is None else min(found[0][0], upto)
        if begin > after:
            yield after, begin, False
            after = begin
        if after < upto:
            end = upto if where.run else min(after + ARCHIVED_AT_ONCE, upto)
            yield after, end, True
            after = end


def _archived(rows: sa.Function[Any]) -> sa.TableValuedAlias:
    """What a function of the database says of archived events, in the columns of the list."""
    return rows.table_valued(
        *(sa.column(each.name, each.type) for each in tables.activity.c), name="archived"
    )


def _onward(
    where: LogFilter, within: Within, after: int, upto: int, archived: bool, limit: int
) -> sa.Select[*tuple[Any, ...]]:
    """Rows of the list alone, so that whatever plan the server chooses, it never sorts bodies."""
    place, conditions = tables.activity, [*_conditions(where), *_limits(within)]
    if archived:
        events = sa.select(tables.event.c.id).where(tables.event.c.run == where.run)
        rows = (
            sa.func.console.archived_rows_of(sa.func.array(events.scalar_subquery(), type_=LIST))
            if where.run
            else sa.func.console.archived_rows(after + 1, upto)
        )
        further = _archived(rows)
        both = sa.union_all(
            sa.select(place).where(place.c.pos > after, place.c.pos <= upto, *conditions),
            sa.select(*further.c).where(
                further.c.pos > after,
                further.c.pos <= upto,
                *_conditions(where, further.c),
                *_limits(within, further.c),
            ),
        ).subquery("activity")
        return sa.select(both).order_by(both.c.pos).limit(limit)
    statement = (
        sa.select(place)
        .where(place.c.pos > after, place.c.pos <= upto, *conditions)
        .order_by(place.c.pos)
        .limit(limit)
    )
    if conditions:
        return statement
    first = place.alias(
        "first"
    )  # without a filter the page is a range: the server need not know how many rows there are
    return statement.where(
        place.c.pos < sa.select(sa.func.min(first.c.pos) + limit).where(first.c.pos > after).scalar_subquery()
    )


def _whole(chosen: sa.Select[*tuple[Any, ...]] | sa.CompoundSelect[*tuple[Any, ...]]) -> list[Row]:
    page, event, value = chosen.subquery("page"), tables.event.c, tables.event_value.c
    body, sealed = (
        _row_by_key(page, event.id, event.run_seq, event.body, event.leaf),
        _row_by_key(page, value.event, value.sub, value.nonce, value.ct),
    )
    parts = (
        sa.select(page.c.pos, page.c.team, page.c.collection, page.c.record, page.c.run, page.c.workflow)
        .add_columns(body.c.run_seq, body.c.body, body.c.leaf, sealed.c.sub, sealed.c.nonce, sealed.c.ct)
        .select_from(page.outerjoin(body, sa.true()).outerjoin(sealed, sa.true()))
        .order_by(page.c.pos)
    )
    return [Row._make(row) for row in _bytes(parts)]


def _row_by_key(
    page: sa.Subquery, key: sa.Column[Any], *columns: sa.Column[Any]
) -> sa.sql.selectable.LateralFromClause:
    """The row with this key for each event of the page, found by its index: the limit keeps the server from reading the whole table for it."""
    return sa.select(*columns).where(key == page.c.event).limit(1).lateral()


def left_out(within: Within, upto: int) -> bool:
    """Whether the first `upto` places hold an event that is outside these limits."""
    limits = _limits(within)
    if not limits:
        return False
    if fetch("select from console.archived_place where index < %s limit 1", (upto // WIDTH,)):
        return True  # perhaps: who exports then proves each event on its own
    outside = sa.select(tables.activity.c.pos).where(
        tables.activity.c.pos <= upto, sa.and_(*limits).is_not(sa.true())
    )
    return bool(read_value(sa.select(outside.exists())))


def later(kind: str, upto: int) -> bool:
    """Whether an event of this kind was committed that has a place above `upto`, or none yet."""
    pending = "select from console.log_pending p join console.event e on e.id = p.id where position(%s::bytea in e.body) > 0"
    newer = "select exists(select from console.activity where kind = %s and pos > %s)"
    return bool(fetch(f"{newer} or exists({pending})", (kind, upto, f'"type":"{kind}"'.encode()))[0][0])


def _bytes(statement: sa.Select[*tuple[Any, ...]]) -> list[Any]:
    """Rows of the statement with bytes as they are: the driver's usual form doubles them. Raises Damaged where an archived event cannot be read."""
    compiled = statement.compile(hot_engine(), compile_kwargs={"render_postcompile": True})
    try:
        return fetch(str(compiled), compiled.params, binary=True)
    except psycopg.DataError as error:
        raise Damaged(UNREADABLE) from error


def reached() -> Reached:
    """How far the sequencer has come."""
    rows = fetch("select pos, at from console.activity order by pos desc limit 1")
    return Reached(*rows[0]) if rows else Reached(0, None)


def _conditions(where: LogFilter, place: Any = tables.activity.c) -> list[sa.ColumnElement[bool]]:
    texts = {place[column]: getattr(where, name) for name, column in COLUMNS.items()}
    conditions: list[sa.ColumnElement[bool]] = [
        column.is_(None) if text == "" else column == text
        for column, text in texts.items()
        if text is not None
    ]
    if where.run is not None:
        conditions.append(place.run.not_like(ON_RUNS) if where.run == "" else place.run == where.run)
    if where.kinds:
        conditions.append(
            place.kind == where.kinds[0] if len(where.kinds) == 1 else place.kind.in_(where.kinds)
        )
    bounds = (
        (where.gt, place.at.__gt__),
        (where.gte, place.at.__ge__),
        (where.lt, place.at.__lt__),
        (where.lte, place.at.__le__),
    )
    conditions += [compare(moment) for moment, compare in bounds if moment is not None]
    # The list is in the order of places: between two of them it is read, and no further.
    conditions += [
        place.pos >= _place_of(moment, -SKEW) for moment in (where.gt, where.gte) if moment is not None
    ]
    conditions += [
        place.pos < _place_of(moment, SKEW) for moment in (where.lt, where.lte) if moment is not None
    ]
    return conditions


def _place_of(moment: datetime, skew: timedelta) -> sa.ScalarSelect[int]:
    """The place of the first event of that moment or later, found once; moments so far away that no calendar has them with `skew` stay as they are."""
    with suppress(OverflowError):
        moment += skew
    place = sa.func.console.place_of(sa.literal(moment, sa.DateTime(timezone=True)), type_=sa.BigInteger)
    return sa.select(place).scalar_subquery()


def _limits(within: Within, place: Any = tables.activity.c) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if within.teams is not None:
        conditions.append(place.team.in_(sorted(within.teams)))
        if within.teamless:
            conditions[-1] = sa.or_(place.team.is_(None), conditions[-1])
    if within.collections is not None:
        conditions.append(
            sa.or_(place.collection.is_(None), place.collection.in_(sorted(within.collections)))
        )
    if within.workflows is not None:
        conditions.append(sa.or_(place.workflow.is_(None), place.workflow.in_(sorted(within.workflows))))
    if within.without:
        conditions.append(place.kind.not_in(sorted(within.without)))
    if within.labels is not None:
        conditions.append(
            sa.or_(place.label.is_(None), place.label.in_(sorted(within.labels)))
            if within.labels
            else place.label.is_(None)
        )
    return conditions


def cursor(pos: int) -> str:
    """The cursor that continues below this place; opaque, of letters, digits, `-` and `_`."""
    number = pos.to_bytes(8, "big").lstrip(b"\x00")
    return base64.urlsafe_b64encode(_tag(number) + number).rstrip(b"=").decode()


def position(text: str) -> int:
    """The place that a cursor stands for. Raises Malformed for anything but a cursor of this console."""
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raw = b""
    tag, number = raw[:TAG_BYTES], raw[TAG_BYTES:]
    # Base 64 has several spellings of the same bytes; only the one that was given out is a cursor.
    if (
        0 < len(number) <= 8
        and hmac.compare_digest(tag, _tag(number))
        and cursor(int.from_bytes(number, "big")) == text
    ):
        return int.from_bytes(number, "big")
    reason = "This cursor was not given out by this list: begin again without it."
    raise Malformed("The list cannot be continued from there.", at=("after", reason))


def _tag(number: bytes) -> bytes:
    return hmac.new(settings.current().secret_key.encode(), b"activity|" + number, hashlib.sha256).digest()[
        :TAG_BYTES
    ]
