"""The policy in the database: reading, compiling, refreshing in each process, and writing.

The policy in use is one immutable object, replaced by one assignment. The version number in `console.version` is compared at most twice
a second; one statement reads number and rows, so both are of the same moment.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from console.auth.access import clearance_rules, own_rights, ownership
from console.auth.access.clearance_rules import Label
from console.auth.access.index import Index
from console.auth.access.oracle import Judge
from console.auth.access.own_rights import OwnRights, SecondAdminNeeded
from console.auth.access.ownership import Personal
from console.auth.access.policy_changes import Change
from console.auth.access.rows import EVERY, POLICIES, PolicyError, Row, parse
from console.core.errors import NotAllowed
from console.infra import settings
from console.infra.db import engine as db, troubles
from console.infra.subscribers import Subscribers

ROLES = POLICIES / "roles.csv"
COMPARE_S = 0.5
TRUSTED_S = 30.0
WAIT_S = 2.0
"""How long a request waits for the comparison of another one, where the rights are too old to be trusted without it."""

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
    """A compiled policy with its version number and database. `labels`: object → label; `known`: ids of all labels; `personal`: workflow → whose it is.

    `judge` is Casbin over the same rows. `masking` are the collections (`collection:<id>`) whose sensitive fields are masked because somebody
    may reveal them.
    """

    index: Index
    judge: Judge
    version: int
    source: Engine
    labels: Mapping[str, Label]
    known: frozenset[str]
    masking: frozenset[str]
    personal: Mapping[str, Personal]


class _Clock:
    """When this process last compared the version number (`asked`) and last knew it to be current (`sure`), in seconds of the monotonic clock; why it could not."""

    asked = 0.0
    sure = 0.0
    trouble: troubles.Trouble | None = None


_turn = threading.Lock()
_held: Held | None = None


def current() -> Held:
    """The policy in use, at most a second old. Raises `NotAllowed` if it cannot be read, or the last one is too old."""
    held = _held
    now = time.monotonic()
    here = held is not None and held.source is db.hot_engine()
    sure = now - _Clock.sure <= TRUSTED_S
    if held is not None and here and sure and now - _Clock.asked < COMPARE_S:
        return held
    # after a pause nothing is trusted yet: whoever comes while another compares waits for the answer, and is not refused
    if _turn.acquire(timeout=0 if here and sure else WAIT_S if here else -1):
        try:
            _compare(time.monotonic())
        finally:
            _turn.release()
    if _held is None or _held.source is not db.hot_engine():
        why = _Clock.trouble.message if _Clock.trouble else "Try again in a minute."
        raise NotAllowed(
            f"The rights cannot be read at the moment, so nothing is allowed. {why}", code="rights_unknown"
        )
    return _trusted(_held, time.monotonic())


def refresh() -> None:
    """Compare with the database at once, after this process changed the policy."""
    with _turn:
        _Clock.asked = 0.0
        _compare(time.monotonic())


def seed(connection: Connection) -> int:
    """Fill a policy that has no rules from `policies/roles.csv`; returns the number of rows written, 0 if it had rules."""
    connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('console.policy'))"))
    if connection.execute(
        sa.text("select exists (select from console.policy where ptype = 'p')")
    ).scalar_one():
        return 0
    rows = parse(ROLES.read_text(encoding="utf-8"))
    write(connection, added=rows)
    return len(rows)


def second_needed(connection: Connection, change: Change, by: str) -> OwnRights | None:
    """What rights on records the change gives to its author, where a second administrator has to confirm them; None where nobody has to."""
    own = own_rights.look(connection, rows_of, change, by)
    return own if own is not None and own.others and settings.current().rights_review else None


def write(
    connection: Connection,
    added: Iterable[Row] = (),
    removed: Iterable[Row] = (),
    *,
    by: str = "",
    note: str = "",
    confirmed_by: str = "",
) -> int:
    """Change rows and the version number in the caller's transaction, record the difference, notify the other processes; returns the new version.

    `by` is the author's id, `note` their comment, `confirmed_by` the id of the second administrator. Raises `PolicyError` for an invalid row, NotAllowed if the
    change clears somebody for a label without the required agreement, `SecondAdminNeeded` if it gives its author a right on records and nobody else has
    confirmed it who could. Other processes follow within a second of the commit.
    """
    rows, removed = list(added), list(removed)
    Index(rows)  # unreadable rows must not reach the table
    Judge(rows)  # nor rows that Casbin cannot load and link
    own = own_rights.look(connection, rows_of, Change(frozenset(rows), frozenset(removed)), by)
    if own is not None and own.others and not confirmed_by and settings.current().rights_review:
        raise SecondAdminNeeded(own)
    gone, new = _changed(connection, _DELETE, removed), _changed(connection, _INSERT, rows)
    if by and any(row.ptype == "g" or row.obj.startswith(clearance_rules.KIND) for row in (*gone, *new)):
        there = rows_of(connection)
        groups = clearance_rules.rows_of_groups(_groups(connection))
        clearance_rules.require_agreed(
            [*(row for row in there if row not in set(new)), *gone, *groups], [*there, *groups], by
        )
    number = connection.execute(
        sa.text("update console.version set number = number + 1 where name = 'policy' returning number")
    ).scalar_one()
    connection.execute(
        _VERSION, {"number": number, "by": by, "note": note, "added": packed(new), "removed": packed(gone)}
    )
    connection.execute(sa.text("select pg_notify('policy', :number)"), {"number": str(number)})
    if own is not None:
        _tell(connection, own, int(number), confirmed_by)
    return int(number)


def _tell(connection: Connection, own: OwnRights, number: int, confirmed_by: str = "") -> None:
    watchers(connection, own, number, confirmed_by)


def note_key(connection: Connection, account: str, by: str) -> None:
    """Tell the watchers what rights on records a key of this service account gives to whoever makes it (`by`), in the caller's transaction."""
    roles = [row for row in rows_of(connection) if row.ptype == "g" and row.sub == f"user:{account}"]
    own = own_rights.look(
        connection, rows_of, Change(frozenset(replace(row, sub=f"user:{by}") for row in roles)), by
    )
    if own is not None:
        watchers(connection, own, int(connection.execute(_NUMBER).scalar_one()), "")


watchers = Subscribers[[Connection, OwnRights, int, str], None]("auth.access.policy_store.watchers")
"""What else is done, in the same transaction, where somebody was given a right on records by themselves: its version, and who confirmed it."""


def require_groups_agreed(connection: Connection, roles: Iterable[tuple[str, str]], by: str) -> None:
    """Raise NotAllowed if giving these roles by groups of the identity provider would clear somebody without the required agreement.

    What they would give to whoever says so, where they sign in there, is told.
    """
    there, roles = rows_of(connection), list(roles)
    new = {
        Row("g", f"user:{by}", EVERY if team == EVERY else f"t:{team}", f"role:{role}")
        for role, team in {*roles} - {*_groups(connection)}
    }
    linked = connection.execute(
        sa.text("select exists (select from console.identity where person = :by)"), {"by": by}
    ).scalar_one()
    if (
        linked
        and (own := own_rights.look(connection, lambda _: there, Change(frozenset(new)), by)) is not None
    ):
        _tell(connection, own, int(connection.execute(_NUMBER).scalar_one()))
    clearance_rules.require_agreed(
        [*there, *clearance_rules.rows_of_groups(_groups(connection))],
        [*there, *clearance_rules.rows_of_groups(roles)],
        by,
    )


def _groups(connection: Connection) -> list[tuple[str, str]]:
    """Pairs of role and team that groups of the identity provider give."""
    found = connection.execute(
        sa.text(
            "select one->>'role', one->>'team' from console.sign_in, json_array_elements(document::json->'groups') one"
        )
    )
    return [(role, team) for role, team in found]


def packed(rows: Iterable[Row]) -> str:
    """Rows as JSON, each a list of seven texts."""
    return orjson.dumps([astuple(row) for row in rows]).decode()


def unpacked(rows: Iterable[Sequence[str]]) -> list[Row]:
    """The inverse of `packed`."""
    return [Row(*row) for row in rows]  # type: ignore[arg-type]


def _changed(connection: Connection, statement: sa.TextClause, rows: Iterable[Row]) -> list[Row]:
    """The rows among these that the statement really inserted or deleted."""
    told = orjson.dumps([asdict(row) for row in rows]).decode()
    return [Row(*row) for row in connection.execute(statement, {"rows": told})] if told != "[]" else []


def rows_of(connection: Connection, *, sub: str | None = None) -> list[Row]:
    """The rows in this transaction, oldest first; those of one subject if `sub` is given."""
    found = connection.execute(
        sa.text(
            "select ptype, sub, dom, obj, act, eft, expression from console.policy where :sub = '' or sub = :sub order by id"
        ),
        {"sub": sub or ""},
    )
    return [Row(*row) for row in found]


def _trusted(held: Held, now: float) -> Held:
    if now - _Clock.sure > TRUSTED_S:
        raise NotAllowed(
            "The rights could not be compared for too long, so nothing is allowed. Try again in a minute.",
            code="rights_unknown",
        )
    return held


def _compare(now: float) -> None:
    """Read the version number, and the rows if it changed. On an error, log an alarm and keep the old policy."""
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
        _Clock.sure, _Clock.trouble = time.monotonic(), None
    except PolicyError as error:
        _log.error(
            "alarm: the policy in the database cannot be used, the one before stays: %s", error.message
        )
        if held is not None and held.source is source:
            _Clock.sure = now
    except (sa.exc.SQLAlchemyError, OSError) as error:
        _Clock.trouble = troubles.trouble_of(error) or troubles.DOWN
        _log.error("alarm: the policy cannot be compared with the database: %s", _Clock.trouble.message)


def _read(connection: Connection, source: Engine) -> Held:
    found = connection.execute(_ALL).all()
    if not any(row.ptype == "p" for row in found):
        with db.transaction() as filling:
            seed(filling)
        found = connection.execute(_ALL).all()
    # labels and owners are read after the number, so they can only be newer; then they are read again
    rows, labels, personal = _rows(found), clearance_rules.read(connection), ownership.read(connection)
    index = Index(rows)
    return Held(
        index,
        Judge(rows),
        int(found[0].number),
        source,
        labels,
        clearance_rules.label_ids(index, labels),
        frozenset(row.obj for row in index.rows if row.act == "reveal" and row.eft == "allow"),
        personal,
    )


def _rows(found: Sequence[sa.Row[tuple[object, ...]]]) -> list[Row]:
    return [
        Row(row.ptype, row.sub, row.dom, row.obj, row.act, row.eft, row.expression)
        for row in found
        if row.ptype
    ]
