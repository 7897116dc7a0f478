"""Leaving a workflow early: taken out by a person with a reason, because an exit applied, or because the record is gone."""

import logging
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from console import browse, log, runs
from console.auth.access import EVERY_RUN
from console.automation.enrolments import places
from console.automation.enrolments.places import Lead
from console.automation.enrolments.targets import Target, find, require_target
from console.core.actor import Actor
from console.core.errors import Conflict
from console.core.run.moves import require_reason
from console.infra import faults, subjects
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.runs import ENGINE
from console.workflows import NotReadable

logger = logging.getLogger(__name__)
UNENROLLED, EXITED, GONE, REFUSED, ERASED = "unenrolled", "exited", "record_gone", "refused", "erased"
RECORD_GONE = "The record is no longer there."
_LEAVE = """
update console.enrolment set status = %(status)s, left_at = %(now)s, ending = %(ending)s, reason = %(reason)s
where id = %(id)s and left_at is null returning run
"""
_LEFT_BEHIND = f"""
select e.id, e.run, coalesce(e.reason, ''), e.ending from console.enrolment e join {EVERY_RUN.sql()} on r.id = e.run
where e.left_at >= %s and e.run is not null and e.ending in ('unenrolled', 'exited', 'record_gone', 'erased') and r.ended_at is null
and (%s::text is null or e.workflow = %s) limit 500
"""  # noqa: S608 (texts of ours)
"""Who left before their run ended, as the index `enrolment_left_early` has them."""
LATELY = timedelta(minutes=10)
_ENDED_WORKFLOWS = """
select w.id, coalesce(nullif(w.status_reason, ''), 'The workflow was ' || w.status || ' before they began.') from console.workflow w
where w.status = any(%s) and exists (select from console.enrolment e where e.workflow = w.id and e.left_at is null and e.run is null)
"""
_LEAVE_UNBEGUN = """
with going as (select e.id from console.enrolment e where e.workflow = %s and e.left_at is null and e.run is null order by e.id limit 1000 for update skip locked)
update console.enrolment e set status = 'left', left_at = %s, ending = %s, reason = %s from going where e.id = going.id returning e.id, e.collection, e.record
"""
CHUNKS = 10
"""Thousands who leave one workflow before others have their turn."""
ENDED = ["cancelled", "completed"]


def unenrol(actor: Actor, slug_or_id: str, lead_id: str, reason: str) -> Lead:
    """Take somebody out: their run is cancelled at once with the reason, and pending work is dropped.

    Raises NotFound, NotAllowed, Invalid without a reason, Conflict `not_possible` where they have left already.
    """
    target = require_target(actor, slug_or_id, "cancel")
    why = require_reason(reason)
    lead = places.lead(actor, target, lead_id)
    if lead.left_at is not None:
        raise Conflict("They have left this workflow already.", code="not_possible")
    leave(actor, target, lead_id, UNENROLLED, why)
    return places.lead(actor, target, lead_id)


def leave(actor: Actor, target: Target, lead_id: str, ending: str, reason: str) -> bool:
    """Let somebody leave, whatever they wait for; False where they have left already. The caller has judged the actor's rights.

    The place goes first and the run is ended behind it: where a process dies in between, `finish_left` ends the run.
    """
    with transaction() as connection:
        status = "refused" if ending == REFUSED else "left"
        why = f"exited: {reason}" if ending == EXITED else reason
        parameters = {"id": lead_id, "status": status, "ending": ending, "reason": why, "now": log.now()}
        row = connection.exec_driver_sql(_LEAVE, parameters).first()
        if row is None:
            return False
        kept = connection.execute(sa.select(tables.enrolment).where(tables.enrolment.c.id == lead_id)).one()
        about = browse.about_records(kept.collection, [kept.record] if kept.record is not None else [])
        log.note(
            actor,
            "lead_left",
            open={"lead": lead_id, "workflow": target.id, "slug": target.slug, "ending": ending}
            | ({"run": row.run} if row.run else {}),
            sealed={"reason": why, **(about[kept.record]["sealed"] if about else {})},
            subject=_subject(kept),
            collection=kept.collection,
            record=kept.record,
            team=target.team or None,
            label=target.label,
            connection=connection,
        )
    faults.point("enrolments.left")
    if row.run is not None:
        runs.take_out(actor, row.run, why, exited=ending == EXITED, code=ending)
    return True


def finish_left(workflow_id: str | None = None) -> int:
    """End the runs of those who have left, of one workflow or (None) all, where a process died over it; answers how many. A duty of the worker."""
    return _finish_left(datetime.min.replace(tzinfo=UTC), workflow_id)


def finish_left_lately() -> int:
    """As `finish_left` for those who left a moment ago: looked for each second, where those who ever left would be too many."""
    return _finish_left(log.now() - LATELY, None)


def _finish_left(since: datetime, workflow_id: str | None) -> int:
    rows = fetch(_LEFT_BEHIND, (since, workflow_id, workflow_id))
    return sum(_ended(run_id, reason, str(ending)) for _, run_id, reason, ending in rows)


def _ended(run_id: str, reason: str, ending: str) -> bool:
    """Whether the run was ended now; one of a version that cannot be read here stays, and stops no other."""
    try:
        return runs.take_out(ENGINE, run_id, reason, exited=ending == EXITED, code=ending)
    except NotReadable as error:
        logger.warning("the run %s of somebody who left is not ended: %s", run_id, error.message)
        return False


def leave_unbegun() -> int:
    """Let those leave who still wait to begin in a workflow that was cancelled or completed; answers how many. Those with a run leave with it. A duty of the worker."""
    return sum(
        _leave_unbegun(find(workflow), reason) for workflow, reason in fetch(_ENDED_WORKFLOWS, (ENDED,))
    )


def _leave_unbegun(target: Target, reason: str) -> int:
    """Let many leave, a thousand in one transaction."""
    chain, gone_so_far = new_id("out"), 0
    data = {"workflow": target.id, "slug": target.slug, "ending": UNENROLLED}
    for _ in range(CHUNKS):
        with transaction() as connection:
            rows = connection.exec_driver_sql(
                _LEAVE_UNBEGUN, (target.id, log.now(), UNENROLLED, reason)
            ).all()
            about = browse.about_records(
                target.collection, [row.record for row in rows if row.record is not None]
            )
            notes = [
                log.Noted(
                    data | {"lead": row.id},
                    row.collection,
                    **about.get(row.record or "", {"record": row.record}),
                )
                for row in rows
            ]
            log.note_each(
                ENGINE,
                "lead_left",
                notes,
                chain=chain,
                team=target.team or None,
                label=target.label,
                connection=connection,
            )
        gone_so_far += len(rows)
        if not rows:
            break
    return gone_so_far


def _subject(kept: sa.Row[tuple[object, ...]]) -> str:
    """Whose data the reason for leaving is: theirs whose values came in, else the record's, else the lead's own."""
    if kept.subject is not None:
        return str(kept.subject)
    return subjects.subject_of(
        *((str(kept.collection), str(kept.record)) if kept.collection else ("lead", str(kept.id)))
    )
