"""The policy in the database: read, compiled, kept up to date in each process, and written.

What is in use is one immutable object, swapped by one assignment. At most once a second the number in `console.version` is compared;
one statement reads number and rows, so both are of the same moment.
"""

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from console.access.index import Index
from console.access.rows import POLICIES, PolicyError, Row, parse
from console.db import engine as db
from console.errors import NotAllowed

ROLES = POLICIES / "roles.csv"
COMPARE_S = 1.0
TRUSTED_S = 30.0

_log = logging.getLogger(__name__)
_NUMBER = sa.text("select number from console.version where name = 'policy'")
_ALL = sa.text(
    "select v.number, p.ptype, p.sub, p.dom, p.obj, p.act, p.eft, p.expression"
    " from console.version v left join console.policy p on true where v.name = 'policy' order by p.id"
)
_INSERT = sa.text(
    "insert into console.policy (ptype, sub, dom, obj, act, eft, expression)"
    " values (:ptype, :sub, :dom, :obj, :act, :eft, :expression) on conflict do nothing"
)
_DELETE = sa.text(
    "delete from console.policy where ptype = :ptype and sub = :sub and dom = :dom and obj = :obj and act = :act and eft = :eft and expression = :expression"
)


@dataclass(frozen=True, slots=True)
class _Held:
    """A compiled policy, its number, and the database that it was read from."""

    index: Index
    version: int
    source: Engine


class _Clock:
    """When this process last compared the number (`asked`) and last found it right (`sure`); seconds of the monotonic clock."""

    asked = 0.0
    sure = 0.0


_turn = threading.Lock()
_held: _Held | None = None


def current() -> _Held:
    """The policy in use, at most a second behind the database. Raises `NotAllowed` when none can be had, or the last is too old."""
    held = _held
    now = time.monotonic()
    if held is not None and held.source is db.hot_engine() and now - _Clock.asked < COMPARE_S:
        return _trusted(held, now)
    if _turn.acquire(blocking=held is None or held.source is not db.hot_engine()):
        try:
            _compare(time.monotonic())
        finally:
            _turn.release()
    if _held is None or _held.source is not db.hot_engine():
        raise NotAllowed("The rights cannot be read at the moment, so nothing is allowed. Try again in a minute.", code="rights_unknown")
    return _trusted(_held, time.monotonic())


def refresh() -> None:
    """Compare with the database now, whatever the clock says: after a change made by this process."""
    with _turn:
        _Clock.asked = 0.0
        _compare(time.monotonic())


def seed(connection: Connection) -> int:
    """Fill a policy without any right from `policies/roles.csv`; the number of rows written, 0 where there were some."""
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('console.policy'))"))
    if connection.execute(sa.text("select exists (select from console.policy where ptype = 'p')")).scalar_one():
        return 0
    rows = parse(ROLES.read_text(encoding="utf-8"))
    write(connection, added=rows)
    return len(rows)


def write(connection: Connection, *, added: Iterable[Row] = (), removed: Iterable[Row] = ()) -> int:
    """Change rows and the version within the caller's transaction, and tell the other processes; the new version.

    Raises `PolicyError` for a row that means nothing. The other processes follow within a second of the commit.
    """
    rows = list(added)
    Index(rows)  # what cannot be read must not get as far as the table
    gone, new = [_values(row) for row in removed], [_values(row) for row in rows]
    if gone:
        connection.execute(_DELETE, gone)
    if new:
        connection.execute(_INSERT, new)
    number = connection.execute(
        sa.text("update console.version set number = number + 1 where name = 'policy' returning number")
    ).scalar_one()
    connection.execute(sa.text("select pg_notify('policy', :number)"), {"number": str(number)})
    return int(number)


def rows_of(connection: Connection, *, sub: str | None = None) -> list[Row]:
    """The rows as they stand in this transaction, oldest first; of one subject where it is given."""
    found = connection.execute(
        sa.text("select ptype, sub, dom, obj, act, eft, expression from console.policy where :sub = '' or sub = :sub order by id"),
        {"sub": sub or ""},
    )
    return [Row(*row) for row in found]


def _trusted(held: _Held, now: float) -> _Held:
    if now - _Clock.sure > TRUSTED_S:
        raise NotAllowed(
            "The rights could not be compared for too long, so nothing is allowed. Try again in a minute.", code="rights_unknown"
        )
    return held


def _compare(now: float) -> None:
    """Read the number, and the rows if it moved. What goes wrong is written as an alarm, and the old policy stays."""
    global _held  # noqa: PLW0603 - the one assignment that swaps the policy of this process
    source, held = db.hot_engine(), _held
    if held is not None and held.source is source and now - _Clock.asked < COMPARE_S:
        return
    _Clock.asked = now
    try:
        with source.connect() as connection:
            number = connection.execute(_NUMBER).scalar_one()
            if held is None or held.source is not source or held.version != number:
                _held = _read(connection, source)
        _Clock.sure = time.monotonic()
    except PolicyError as error:
        _log.error("alarm: the policy in the database cannot be used, the one before stays: %s", error.message)
        if held is not None and held.source is source:
            _Clock.sure = now
    except (sa.exc.SQLAlchemyError, OSError) as error:
        _log.error("alarm: the policy cannot be compared with the database: %s", type(error).__name__)


def _read(connection: Connection, source: Engine) -> _Held:
    found = connection.execute(_ALL).all()
    if not any(row.ptype == "p" for row in found):
        with db.transaction() as filling:
            seed(filling)
        found = connection.execute(_ALL).all()
    return _Held(Index(_rows(found)), int(found[0].number), source)


def _rows(found: Sequence[sa.Row[tuple[object, ...]]]) -> list[Row]:
    return [Row(row.ptype, row.sub, row.dom, row.obj, row.act, row.eft, row.expression) for row in found if row.ptype]


def _values(row: Row) -> dict[str, str]:
    return {
        "ptype": row.ptype,
        "sub": row.sub,
        "dom": row.dom,
        "obj": row.obj,
        "act": row.act,
        "eft": row.eft,
        "expression": row.expression,
    }
