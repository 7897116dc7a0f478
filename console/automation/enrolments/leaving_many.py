"""Taking many out of a workflow at once: everybody who is in it, or those at a step, in a state, with a version. Looked at first, then done by a worker.

First all places go, a thousand in one transaction, so that nobody begins or is written to meanwhile; then their runs are ended one after another. A process that
dies goes on where it stopped. What was asked for is kept as a batch of the kind `leaving`, which is no enrolment and is not listed with them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import browse, log, records
from console.auth import access
from console.automation.enrolments import counts, leaving, places
from console.automation.enrolments.places import HERE, Lead
from console.automation.enrolments.targets import Target, require_target
from console.core.actor import Actor
from console.core.errors import Conflict, Malformed, NotFound
from console.core.run.moves import require_reason
from console.infra import faults, jobs, subjects
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.infra.jobs import background
from console.infra.jobs.background import Stopping, Work

LEAVING = "leaving"
AT_ONCE = 1_000
AT_HAND = 100
"""So many are taken out before the answer; of more, all in the background."""
SHOWN = 8
_HERE = "e.workflow = %(workflow)s and e.left_at is null and (%(step)s::text is null or e.step = %(step)s) and (%(status)s::text is null or e.status = %(status)s) and (%(version)s::integer is null or e.version = %(version)s)"
_PENDING = f"""
select m.channel, count(*) from console.message m join console.enrolment e on e.run = m.run where m.status = 'waiting' and {_HERE}
    and (%(seen)s::text[] is null or e.record is null or e.record = any(%(seen)s)) group by m.channel order by 2 desc
"""  # noqa: S608 (texts of ours)
_NEXT = f"select e.id, e.record from console.enrolment e where {_HERE} and e.at <= %(upto)s and e.id > %(after)s order by e.id limit {AT_ONCE}"  # noqa: S608 (texts of ours)
_LEAVE = """
with going as (select e.id from console.enrolment e where e.id = any(%s) and e.left_at is null order by e.id for update)
update console.enrolment e set status = 'left', left_at = %s, ending = %s, reason = %s from going where e.id = going.id returning e.id, e.run, e.collection, e.record
"""


@dataclass(frozen=True, slots=True)
class Those:
    """Who is meant of those who are in a workflow now: at this step, in this state (`waiting`, `active`), with this version; nothing said: everybody."""

    step: str | None = None
    status: str | None = None
    version: int | None = None

    @property
    def all(self) -> bool:
        """Whether everybody is meant."""
        return self == Those()


@dataclass(frozen=True, slots=True)
class TakeOutPlan:
    """What taking them out would do. `steps` is step → how many stand there, `pending` channel → messages that would not be sent any more.

    `first` are some of them; `partly`: only those of them whose records the actor sees are taken out.
    """

    total: int
    waiting: int
    active: int
    steps: Mapping[str, int]
    pending: Mapping[str, int]
    first: Sequence[Lead]
    partly: bool

    def to_json(self) -> dict[str, Any]:
        """The plan in the shape of the API."""
        numbers = {name: getattr(self, name) for name in ("total", "waiting", "active", "partly")}
        return numbers | {"steps": dict(self.steps), "pending": dict(self.pending)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOut(Work):
    """Many who are taken out: why, who was meant, and how many have left so far. `total` is how many there seemed to be at first."""

    workflow: str
    created_at: datetime
    ended_at: datetime | None
    reason: str
    those: Those

    def to_json(self) -> dict[str, Any]:
        """How far it is in the shape of the API."""
        ended = log.body.moment(self.ended_at) if self.ended_at else None
        more = {
            "reason": self.reason,
            "by": self.person,
            "made_at": log.body.moment(self.created_at),
            "ended_at": ended,
        }
        return self.progress_json() | more


def plan(actor: Actor, slug_or_id: str, those: Those) -> TakeOutPlan:
    """What taking them out would do; nothing is changed. Raises NotFound, NotAllowed, Malformed for a state that is none."""
    target = require_target(actor, slug_or_id, "cancel")
    return _plan(actor, target, those)


def _plan(actor: Actor, target: Target, those: Those) -> TakeOutPlan:
    if those.status is not None and those.status not in HERE:
        raise Malformed(f"There is no state {those.status}.", at=("status", f"One of {', '.join(HERE)}."))
    parameters = _parameters(target, those)
    steps: dict[str, int] = {}
    states = dict.fromkeys(HERE, 0)
    for version, step, status, n in counts.lines_for(actor, target.id, target.collection):
        if (
            status in HERE
            and those.status in (None, status)
            and those.step in (None, step)
            and those.version in (None, version)
        ):
            states[status] += n
            steps[step or target.first_step] = steps.get(step or target.first_step, 0) + n
    seen_keys = counts.seen_records(actor, target.id, target.collection)
    pending = {channel: int(n) for channel, n in fetch(_PENDING, parameters | {"seen": seen_keys})}
    first = places.page(
        actor, target, status=those.status, step=those.step, version=those.version, limit=SHOWN
    ).rows
    first = [lead for lead in first if lead.left_at is None]
    return TakeOutPlan(
        sum(states.values()),
        states["waiting"],
        states["active"],
        steps,
        pending,
        first,
        places.partly(actor, target),
    )


def take_out(actor: Actor, slug_or_id: str, those: Those, reason: str) -> TakeOut:
    """Take them out with the reason; of more than a few the rest in the background.

    Raises NotFound, NotAllowed, Malformed, Invalid without a reason, Conflict `not_possible` where nobody is meant.
    """
    target = require_target(actor, slug_or_id, "cancel")
    why, looked = require_reason(reason), _plan(actor, target, those)
    if not looked.total:
        raise Conflict("Nobody of these is in the workflow now.", code="not_possible")
    ident = new_id("out")
    data = {"workflow": target.id, "slug": target.slug, "batch": ident, "total": looked.total}
    data |= {name: value for name, value in asdict(those).items() if value is not None}
    with transaction() as connection:
        asked = {"reason": why, "those": asdict(those)}
        LEAVINGS.ask(connection, actor, ident, asked, workflow=target.id, total=looked.total)
        log.note(
            actor,
            "leads_taken_out",
            open=data,
            sealed={"reason": why},
            subject=subjects.of_person(actor.id),
            team=target.team or None,
            label=target.label,
            connection=connection,
        )
    if looked.total <= AT_HAND:
        LEAVINGS.begin(ident, actor)
    return LEAVINGS.get(ident)


def of_workflow(actor: Actor, slug_or_id: str, ident: str) -> TakeOut:
    """How far it is, for whoever may take people out and asked for it or sees all records. Raises NotFound, NotAllowed."""
    target, found = require_target(actor, slug_or_id, "cancel"), LEAVINGS.get(ident)
    if found.workflow != target.id or (found.person != actor.id and places.partly(actor, target)):
        raise NotFound
    return found


def resume(actor: Actor, slug_or_id: str, ident: str) -> TakeOut:
    """Go on with one that has broken off. Raises NotFound, NotAllowed, Conflict where it has not."""
    of_workflow(actor, slug_or_id, ident)
    LEAVINGS.resume(ident)
    return LEAVINGS.get(ident)


class _Leavings(background.BatchKind[TakeOut]):
    job, about, origin = jobs.TAKE_OUT, "taking out", LEAVING
    missing = "There is no such act, or it is older than 30 days."

    def open(self, row: sa.Row[Any], asked: Mapping[str, Any]) -> TakeOut:
        return TakeOut.from_row(row, reason=asked["reason"], those=Those(**asked["those"]))

    def perform(self, work: TakeOut, actor: Actor, stopping: Stopping) -> None:
        target = require_target(actor, work.workflow, "cancel")
        _leave_all(target, work, actor, stopping)
        while leaving.finish_left(target.id):
            if stopping():
                raise jobs.PutBack


LEAVINGS = _Leavings()
advance = LEAVINGS.advance


def _leave_all(target: Target, found: TakeOut, actor: Actor, stopping: Stopping) -> None:
    """Let all of them leave, a thousand at a time; those whose records the actor does not see stay."""
    after = ""
    while rows := fetch(_NEXT, _parameters(target, found.those) | {"upto": found.created_at, "after": after}):
        if stopping():
            raise jobs.PutBack
        after = rows[-1][0]
        visible = _visible(actor, target, [row[1] for row in rows if row[1] is not None])
        leads = [row[0] for row in rows if row[1] is None or row[1] in visible]
        with transaction() as connection:
            _leave(connection, target, found, actor, leads)
        faults.point("enrolments.left_many")


def _leave(
    connection: Connection, target: Target, found: TakeOut, actor: Actor, leads: Sequence[str]
) -> None:
    rows = connection.exec_driver_sql(_LEAVE, (leads, log.now(), leaving.UNENROLLED, found.reason)).all()
    LEAVINGS.change(found.id, connection, done=LEAVINGS.table.c.done + len(rows), why="")
    data = {"workflow": target.id, "slug": target.slug, "ending": leaving.UNENROLLED, "batch": found.id}
    about = browse.about_records(target.collection, [row.record for row in rows if row.record is not None])
    notes = [
        log.Noted(
            data | {"lead": row.id} | ({"run": row.run} if row.run else {}),
            row.collection,
            **about.get(row.record or "", {"record": row.record}),
        )
        for row in rows
    ]
    log.note_each(
        actor,
        "lead_left",
        notes,
        chain=found.id,
        team=target.team or None,
        label=target.label,
        connection=connection,
    )


def _visible(actor: Actor, target: Target, keys: Sequence[str]) -> set[str]:
    """The keys whose records the actor sees; who sees all of them sees those that are gone too."""
    if target.collection is None or not keys:
        return set()
    scope = access.scope_for(actor, target.collection, "read")
    return set(keys) if scope.unlimited else records.visible_keys(target.collection, keys, scope)


def _parameters(target: Target, those: Those) -> dict[str, Any]:
    return {
        "workflow": target.id,
        "step": those.step and those.step.replace("\x00", ""),
        "status": those.status,
        "version": those.version,
    }
