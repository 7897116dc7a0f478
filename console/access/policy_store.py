"""The policy in the database: read, compiled, kept up to date in each process, and written.

What is in use is one immutable object, swapped by one assignment. At most twice a second the number in `console.version` is compared;
one statement reads number and rows, so both are of the same moment.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from console.access import clearance_rules
from console.access.clearance_rules import Label
from console.access.index import Index
from console.access.oracle import Judge
from console.access.rows import POLICIES, PolicyError, Row, parse
from console.db import engine as db
from console.errors import NotAllowed

ROLES = POLICIES / "roles.csv"
COMPARE_S = 0.5
TRUSTED_S = 30.0

_log = logging.getLogger(__name__)
_NUMBER = sa.text("select number from console.version where name = 'policy'")
_ALL = sa.text(
    "select v.number, p.ptype, p.sub, p.dom, p.obj, p.act, p.eft, p.expression"
    " from console.version v left join console.policy p on true where v.name = 'policy' order by p.id"
)
_INSERT = sa.text(
    "insert into console.policy (ptype, sub, dom, obj, act, eft, expression)"
    " select r.ptype, r.sub, r.dom, r.obj, r.act, r.eft, r.expression from jsonb_populate_recordset(null::console.policy, cast(:rows as jsonb)) as r"
    " on conflict do nothing returning ptype, sub, dom, obj, act, eft, expression"
)
_DELETE = sa.text(
    "delete from console.policy p using jsonb_populate_recordset(null::console.policy, cast(:rows as jsonb)) as r"
    " where (p.ptype, p.sub, p.dom, p.obj, p.act, p.eft, p.expression) = (r.ptype, r.sub, r.dom, r.obj, r.act, r.eft, r.expression)"
    " returning p.ptype, p.sub, p.dom, p.obj, p.act, p.eft, p.expression"
)
_VERSION = sa.text(
    "insert into console.policy_version (number, by, note, added, removed)"
    " values (:number, :by, :note, cast(:added as jsonb), cast(:removed as jsonb)) on conflict do nothing"
)


@dataclass(frozen=True, slots=True)
class Held:
    """A compiled policy, its number, and the database that it was read from; `labels` by the object that carries one, `known` the ids of all.

    `judge` is Casbin over the same rows. `masking` are the collections (`collection:<id>`) whose sensitive fields somebody may uncover, and which are masked for that.
    """

    index: Index
    judge: Judge
    version: int
    source: Engine
    labels: Mapping[str, Label]
    known: frozenset[str]
    masking: frozenset[str]


class _Clock:
    """When this process last compared the number (`asked`) and last found it right (`sure`); seconds of the monotonic clock."""

    asked = 0.0
    sure = 0.0


_turn = threading.Lock()
_held: Held | None = None


def current() -> Held:
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


def write(connection: Connection, added: Iterable[Row] = (), removed: Iterable[Row] = (), *, by: str = "", note: str = "") -> int:
    """Change rows and the version within the caller's transaction, keep the difference, and tell the other processes; the new version.

    `by` is the id of whoever changed it, `note` what they said about it. Raises `PolicyError` for a row that means nothing, NotAllowed where it
    would let somebody see a label without the agreement that this takes. The other processes follow within a second of the commit.
    """
    rows = list(added)
    Index(rows)  # what cannot be read must not get as far as the table
    Judge(rows)  # nor what Casbin cannot load and link
    gone, new = _changed(connection, _DELETE, removed), _changed(connection, _INSERT, rows)
    if by and any(row.ptype == "g" or row.obj.startswith(clearance_rules.KIND) for row in (*gone, *new)):
        there = rows_of(connection)
        groups = clearance_rules.expected(_groups(connection))
        clearance_rules.require_agreed([*(row for row in there if row not in set(new)), *gone, *groups], [*there, *groups], by)
    number = connection.execute(
        sa.text("update console.version set number = number + 1 where name = 'policy' returning number")
    ).scalar_one()
    connection.execute(_VERSION, {"number": number, "by": by, "note": note, "added": packed(new), "removed": packed(gone)})
    connection.execute(sa.text("select pg_notify('policy', :number)"), {"number": str(number)})
    return int(number)


def require_groups_agreed(connection: Connection, roles: Iterable[tuple[str, str]], by: str) -> None:
    """Raise NotAllowed where giving these roles (with their teams) by groups of the identity provider would clear somebody without the agreement."""
    there = rows_of(connection)
    clearance_rules.require_agreed([*there, *clearance_rules.expected(_groups(connection))], [*there, *clearance_rules.expected(roles)], by)


def _groups(connection: Connection) -> list[tuple[str, str]]:
    """Roles with their teams that groups of the identity provider give."""
    found = connection.execute(
        sa.text("select one->>'role', one->>'team' from console.sign_in, json_array_elements(document::json->'groups') one")
    )
    return [(role, team) for role, team in found]


def packed(rows: Iterable[Row]) -> str:
    """Rows as JSON, an array of seven texts each."""
    return orjson.dumps([astuple(row) for row in rows]).decode()


def unpacked(rows: Iterable[Sequence[str]]) -> list[Row]:
    """The inverse of `packed`, as the database gives it."""
    return [Row(*row) for row in rows]  # type: ignore[arg-type]


def _changed(connection: Connection, statement: sa.TextClause, rows: Iterable[Row]) -> list[Row]:
    """Those of the rows that were not there before, or were."""
    told = orjson.dumps([asdict(row) for row in rows]).decode()
    return [Row(*row) for row in connection.execute(statement, {"rows": told})] if told != "[]" else []


def rows_of(connection: Connection, *, sub: str | None = None) -> list[Row]:
    """The rows as they stand in this transaction, oldest first; of one subject where it is given."""
    found = connection.execute(
        sa.text("select ptype, sub, dom, obj, act, eft, expression from console.policy where :sub = '' or sub = :sub order by id"),
        {"sub": sub or ""},
    )
    return [Row(*row) for row in found]


def _trusted(held: Held, now: float) -> Held:
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


def _read(connection: Connection, source: Engine) -> Held:
    found = connection.execute(_ALL).all()
    if not any(row.ptype == "p" for row in found):
        with db.transaction() as filling:
            seed(filling)
        found = connection.execute(_ALL).all()
    rows, labels = _rows(found), clearance_rules.read(connection)  # read after the number: newer than it at worst, then read again
    index = Index(rows)
    return Held(index, Judge(rows), int(found[0].number), source, labels, clearance_rules.known(index, labels), _masking(index))


def _masking(index: Index) -> frozenset[str]:
    return frozenset(row.obj for row in index.rows if row.act == "reveal" and row.eft == "allow")


def _rows(found: Sequence[sa.Row[tuple[object, ...]]]) -> list[Row]:
    return [Row(row.ptype, row.sub, row.dom, row.obj, row.act, row.eft, row.expression) for row in found if row.ptype]
