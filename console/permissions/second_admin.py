"""Rights on records that administrators would give to themselves: asked for, looked at, and confirmed or refused by a second administrator.

A request pins the change: what is confirmed is what was seen. Another content of the draft is another request.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.auth import access, accounts, notify
from console.auth.access import limits, narrowing, policy_store
from console.auth.access.labels import all_titles
from console.auth.access.own_rights import MANAGE, OwnRights
from console.auth.access.policy_changes import Change
from console.auth.access.rows import Row, line
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import hot_engine, transaction
from console.infra.db.ids import new_id
from console.permissions.writing import CHAIN, MOST_LINES, require_manager, write

WAITING, CONFIRMED, REFUSED, WITHDRAWN, VOID = "waiting", "confirmed", "refused", "withdrawn", "void"
LONGEST_REASON, MOST_WAITING, MOST_NAMED = 2_000, 100, 100
table = tables.rights_request
_log = logging.getLogger(__name__)
_DROP_DRAFT = sa.text("delete from console.policy_draft where person = :person")


@dataclass(frozen=True, slots=True)
class Request:
    """A change that waits, or waited, for a second administrator. `base`: the version that a draft was reviewed against, None for the rules of a new source `about`."""

    id: str
    base: int | None
    about: str
    change: Change
    hash: str
    note: str
    status: str
    requested_by: str
    requested_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    reason: str
    version: int | None

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.status == WAITING

    @property
    def address(self) -> str:
        """The page on which it is decided."""
        return f"/settings/roles/requests/{self.id}"


def needed(actor: Actor, change: Change) -> OwnRights | None:
    """The rights that the actor would give to themselves and who else could confirm them; None where nobody has to."""
    with hot_engine().connect() as connection:
        return policy_store.second_needed(connection, change, actor.id)


def who_confirms(request: Request) -> list[str]:
    """Names of those who may confirm the request now."""
    return [name for ident, name in _able(request) if ident != request.requested_by]


# ------------------------------------------------------------------------------------------------------------- asking


def ask(
    actor: Actor,
    change: Change,
    own: OwnRights,
    connection: Connection,
    *,
    base: int | None = None,
    about: str = "",
    note: str = "",
) -> Request:
    """Ask a second administrator to confirm the change, in the caller's transaction. What the same draft asked for before is void."""
    if base is not None:
        void(connection, actor, "Asked for anew.")
    ident, packed = new_id("rrq"), {"added": sorted(change.added), "removed": sorted(change.removed)}
    values: dict[str, Any] = {
        "id": ident,
        "base": base,
        "about": about,
        **{name: [astuple(row) for row in rows] for name, rows in packed.items()},
        "hash": _hash(change),
        "note": note,
        "status": WAITING,
        "requested_by": actor.id,
        "requested_at": log.now(),
    }
    connection.execute(sa.insert(table).values(**values))
    made = _row(connection, ident)
    _note(
        actor,
        "own_rights_asked",
        made,
        connection,
        {"note": note, **_lines(change)},
        rights=_named(own.rights),
    )
    notify.add_notices(
        connection,
        [person for person, _ in own.others],
        made.id,
        "own_rights_asked",
        at=log.now(),
        by=actor.id,
        link=made.address,
    )
    return made


def grant(
    actor: Actor,
    rights: Mapping[str, Iterable[str]],
    objects: Iterable[str],
    about: str,
    connection: Connection,
) -> Request | None:
    """Allow each role its acts on all of these objects, in the caller's transaction, but for what needs a second administrator: that is asked for."""
    policy_store.seed(connection)
    rows = access.rows_of_grant(rights, objects)
    waiting: list[Row] = []
    own: OwnRights | None = None
    for sub in sorted({row.sub for row in rows}):
        theirs = [row for row in rows if row.sub == sub]
        if (gives := policy_store.second_needed(connection, Change(frozenset(theirs)), actor.id)) is not None:
            own, waiting = gives, [*waiting, *theirs]
    if direct := [row for row in rows if row not in set(waiting)]:
        policy_store.write(connection, added=direct, by=actor.id)
    return None if own is None else ask(actor, Change(frozenset(waiting)), own, connection, about=about)


def void(connection: Connection, actor: Actor, reason: str) -> None:
    """End what the actor's draft asks for: it is another one now."""
    for request in _read(
        connection, table.c.requested_by == actor.id, table.c.status == WAITING, table.c.base.is_not(None)
    ):
        _end(connection, actor, request, VOID, reason)


# ------------------------------------------------------------------------------------------------------------- reading


def request_of(actor: Actor, request_id: str) -> Request:
    """One request. Raises NotAllowed without the right to manage rights, NotFound."""
    access.require(actor, None, *MANAGE)
    with hot_engine().connect() as connection:
        return _row(connection, request_id)


def to_confirm(actor: Actor) -> list[Request]:
    """Requests that wait for the actor, the oldest first."""
    if not narrowing.may_approve(actor) or not access.can(actor, None, *MANAGE):
        return []
    with hot_engine().connect() as connection:
        return [
            each for each in _read(connection, table.c.status == WAITING) if _why_not(actor, each) is None
        ]


def asked_by(actor: Actor) -> list[Request]:
    """What the actor asks for and nobody has answered, the oldest first."""
    with hot_engine().connect() as connection:
        return _read(connection, table.c.status == WAITING, table.c.requested_by == actor.id)


# ------------------------------------------------------------------------------------------------------------- deciding


def confirm(actor: Actor, request_id: str) -> int:
    """Publish what was asked for, in the name of whoever asked; returns the new version of the rights.

    Raises NotAllowed (`four_eyes`, `step_up`), NotFound, Conflict `already_decided`, `not_possible`, and what publishing raises.
    """
    request = request_of(actor, request_id)
    _require_second(actor, request)
    accounts.require_recent(actor)
    _require_open(request)
    try:
        asker = accounts.actor_of_person(request.requested_by, CHAIN)
        require_manager(asker)
    except NotAllowed:
        raise Conflict(
            "Whoever asked may not change the rights any more: refuse it, or make the change yourself.",
            code="not_possible",
        ) from None
    alone = actor.id == request.requested_by

    def end(connection: Connection) -> None:
        locked = _locked(connection, request_id)
        if request.base is not None:
            connection.execute(_DROP_DRAFT, {"person": request.requested_by})
        _end(connection, actor, locked, CONFIRMED, "", version=int(connection.execute(_NUMBER).scalar_one()))

    base = access.current_version() if request.base is None else request.base
    return write(
        asker,
        request.change,
        base=base,
        names=all_titles(),
        note=request.note,
        also=end,
        confirmed_by="" if alone else actor.id,
    )


def refuse(actor: Actor, request_id: str, reason: str) -> None:
    """Refuse it, with a reason, or as whoever asked take it back. Raises NotAllowed, NotFound, Invalid without a reason, Conflict `already_decided`."""
    request, words = request_of(actor, request_id), reason.strip()
    own = actor.id == request.requested_by
    if not own:
        _require_second(actor, request)
    if (not words and not own) or len(words) > LONGEST_REASON or "\x00" in words:
        why = "Say why, for whoever asked." if not words else f"takes at most {LONGEST_REASON} characters"
        raise Invalid(why, at="reason")
    with transaction() as connection:
        locked = _locked(connection, request_id)
        _end(connection, actor, locked, WITHDRAWN if own else REFUSED, words)
        if not own:
            key = f"{request.id}:refused"
            notify.add_notices(
                connection,
                [request.requested_by],
                key,
                "own_rights_refused",
                at=log.now(),
                by=actor.id,
                link=request.address,
            )


def why_not(actor: Actor, request: Request) -> str:
    """Why the actor cannot confirm it; empty where they can."""
    error = _why_not(actor, request)
    return "" if error is None else error.message


def forget_words(connection: Connection, person: str) -> None:
    """Empty what this person wrote: notes of requests and reasons of answers. The log has them sealed."""
    connection.execute(sa.update(table).where(table.c.requested_by == person).values(note=""))
    connection.execute(sa.update(table).where(table.c.decided_by == person).values(reason=""))


# -------------------------------------------------------------------------------------------------------------- inside


_NUMBER = sa.text("select number from console.version where name = 'policy'")


def _require_second(actor: Actor, request: Request) -> None:
    if (error := _why_not(actor, request)) is not None:
        raise error


def _why_not(actor: Actor, request: Request) -> NotAllowed | None:
    """The error for whoever is no second administrator for this: a program, who asked, and who made a key of the account that asked."""
    try:
        narrowing.require_approver(actor, MANAGE[0])
        access.require(actor, None, *MANAGE)
    except NotAllowed as error:
        return error
    able = _able(request)
    alone = not any(ident != request.requested_by for ident, _ in able)
    if actor.id in {ident for ident, _ in able if ident != request.requested_by} or (
        alone and actor.id == request.requested_by
    ):
        return None
    return NotAllowed(
        "A second administrator decides: not who asked, and no program.", code="four_eyes", need=MANAGE
    )


def _able(request: Request) -> list[tuple[str, str]]:
    """(id, name) of people who manage rights, without those behind the service account that asked."""
    behind = accounts.makers_of_keys([request.requested_by]).get(request.requested_by, frozenset())
    people = {person.id for person in accounts.people() if not person.disabled and not person.service}
    return [
        (ident, name)
        for ident, name in limits.people_able(None, *MANAGE)
        if ident in people and ident not in behind
    ]


def _locked(connection: Connection, request_id: str) -> Request:
    """The request, which waits, locked. Raises Conflict `already_decided`."""
    connection.execute(sa.select(table.c.id).where(table.c.id == request_id).with_for_update())
    request = _row(connection, request_id)
    _require_open(request)
    return request


def _require_open(request: Request) -> None:
    if not request.open:
        raise Conflict(f"This does not wait any more: it is {request.status}.", code="already_decided")


def _end(
    connection: Connection,
    actor: Actor,
    request: Request,
    status: str,
    reason: str,
    version: int | None = None,
) -> None:
    values = {
        "status": status,
        "decided_by": actor.id,
        "decided_at": log.now(),
        "reason": reason,
        "version": version,
    }
    connection.execute(sa.update(table).where(table.c.id == request.id).values(**values))
    _note(actor, "own_rights_answered", request, connection, {"reason": reason}, outcome=status)


def note_given(connection: Connection, own: OwnRights, version: int, confirmed_by: str = "") -> None:
    """Write down that somebody got a right on records by themselves, and tell the other administrators and who verifies the log."""
    actor = accounts.actor_of_person(confirmed_by or own.by, CHAIN)
    opened = {"person": own.by, "version": version, "rights": _named(own.rights), "count": len(own.rights)}
    opened |= {"confirmed_by": confirmed_by} if confirmed_by else {}
    log.note(
        actor,
        "own_rights_given",
        open=opened,
        subject=subjects.subject_of("policy", "rules"),
        chain=CHAIN,
        connection=connection,
    )
    told = {
        ident for need in (MANAGE, ("activity", "verify")) for ident, _ in limits.people_able(None, *need)
    }
    if not confirmed_by:
        _log.warning(
            "alarm: %s gave a role of theirs a right on records, and no second administrator confirmed it",
            own.by,
        )
    notify.add_notices(
        connection,
        sorted(told - {own.by, confirmed_by}),
        f"own_rights:{new_id('rrq')}",
        "own_rights_given",
        at=log.now(),
        by=own.by,
        link="/activity?kind=own_rights_given",
    )


def _note(
    actor: Actor,
    kind: str,
    request: Request,
    connection: Connection,
    sealed: Mapping[str, Any],
    **opened: Any,
) -> None:
    told = {"request": request.id, "requested_by": request.requested_by, "hash": request.hash, **opened}
    words = {name: value for name, value in sealed.items() if value}
    log.note(
        actor,
        kind,
        open=told,
        sealed=words,
        subject=subjects.subject_of("policy", "rules"),
        chain=CHAIN,
        connection=connection,
    )


def _lines(change: Change) -> dict[str, list[str]]:
    return {
        name: [line(row) for row in sorted(rows)[:MOST_LINES]]
        for name, rows in (("before", change.removed), ("after", change.added))
    }


def _named(rights: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{obj} {act}" for obj, act in rights[:MOST_NAMED]]


def _hash(change: Change) -> str:
    told = "\n".join(
        f"{sign}{line(row)}"
        for sign, rows in (("+", change.added), ("-", change.removed))
        for row in sorted(rows)
    )
    return hashlib.sha256(told.encode()).hexdigest()


def _read(connection: Connection, *where: sa.ColumnElement[bool]) -> list[Request]:
    rows = connection.execute(
        sa.select(table).where(*where).order_by(table.c.requested_at, table.c.id).limit(MOST_WAITING)
    )
    return [_request(row) for row in rows]


def _row(connection: Connection, request_id: str) -> Request:
    found = _read(connection, table.c.id == request_id.replace("\x00", ""))
    if not found:
        raise NotFound
    return found[0]


def _request(row: Any) -> Request:
    told = row._asdict()
    change = Change(
        frozenset(policy_store.unpacked(told.pop("added"))),
        frozenset(policy_store.unpacked(told.pop("removed"))),
    )
    return Request(change=change, **told)
