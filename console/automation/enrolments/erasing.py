"""Erasing somebody who is enrolled: they leave every workflow, and the values that they were enrolled with are deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.engine import Connection

from console import log
from console.auth.access import EVERY_RUN
from console.automation.enrolments import leaving
from console.automation.enrolments.targets import find
from console.core.actor import Actor
from console.infra.db.engine import fetch, transaction

REASON = "erased"
LATELY = timedelta(hours=1)
_PLACES = """
select e.id, e.workflow, e.run from console.enrolment e
where e.left_at is null and exists (select from console.workflow w where w.id = e.workflow) and (e.subject = %s or (e.collection = %s and e.record = %s) or e.run = any(%s)) order by e.id
"""
_ENDING = f"""
with recursive up (run, above) as (
    select id, id from unnest(%s::text[]) id union select up.run, r.parent from up join {EVERY_RUN.sql()} on r.id = up.above where r.parent is not null
)
select distinct run from up where above = any(%s)
"""  # noqa: S608 (texts of ours)
_FORGET = """
update console.enrolment set kid = null, nonce = null, ct = null, left_at = coalesce(left_at, %s), status = case when left_at is null then 'left' else status end,
    ending = case when left_at is null then 'erased' else ending end, reason = null
where subject = %s or (collection = %s and record = %s)
"""

_FORGET_CONSENTS = "delete from console.address_consent where lead in (select id from console.enrolment where subject = %s or (collection = %s and record = %s))"
_UNNAME = r"""
update console.enrolment_answer set reasons = regexp_replace(reasons::text, '( this(?: line)?): (?:[^"\\]|\\.)*"', '\1."', 'g')::jsonb where reasons::text ~ ' this(?: line)?: '
"""
"""Answers say which line is meant by what stands on it, in clear: the line alone says it, too."""
_HOLD_ANYBODY = (
    "delete from console.enrolment_batch where (preview or origin = 'import') and status <> 'running'"
)
_DURING = """
 and {batch} in (select b.id from console.enrolment_batch b where b.ended_at > %(since)s and exists (
    select from console.activity a where a.kind = 'subject_erased' and a.at between b.created_at and b.ended_at))
"""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A place that erasing somebody ends: the workflow by its title, and the run if it has begun."""

    lead: str
    workflow: str
    title: str
    run: str | None


def enrolled(subject: str, collection: str, key: str, live_runs: Sequence[str] = ()) -> list[Enrolled]:
    """The places of this person now: under their subject, by their record, or by one of their live runs."""
    rows = fetch(_PLACES, (subject, collection, key, list(live_runs)))
    return [Enrolled(lead, workflow, find(workflow).title, run) for lead, workflow, run in rows]


def ending(places: Sequence[Enrolled], live_runs: Sequence[str]) -> set[str]:
    """Which of these live runs end with the places: their own, and those that a run of them has started, one under the other."""
    return {run_id for (run_id,) in fetch(_ENDING, (live_runs, [place.run for place in places]))}


def take_out(actor: Actor, places: Sequence[Enrolled]) -> None:
    """Let them leave, with their runs, before their values go. The caller has judged the right to erase."""
    for place in places:
        leaving.leave(actor, find(place.workflow), place.lead, leaving.ERASED, REASON)


def forget(connection: Connection, subject: str, record: tuple[str, str] | None) -> None:
    """Delete the values of this person's enrolments with the transaction that erases them, and what previews and imported files hold of anybody: they may hold this person."""
    collection, key = record or (None, None)
    connection.exec_driver_sql(_FORGET, (log.now(), subject, collection, key))
    connection.exec_driver_sql(_FORGET_CONSENTS, (subject, collection, key))
    connection.exec_driver_sql(_HOLD_ANYBODY)
    connection.exec_driver_sql(_UNNAME)


def forget_late() -> None:
    """The same for lists that were still read while somebody was erased, once they have ended."""
    with transaction() as connection:
        for statement, batch in ((_HOLD_ANYBODY, "id"), (_UNNAME, "batch")):
            connection.exec_driver_sql(statement + _DURING.format(batch=batch), {"since": log.now() - LATELY})
