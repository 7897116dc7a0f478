"""Beginning the runs of those who wait, as fast as the workflow's pace lets them: so many at work at once, so many within a minute."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console import log, records, runs
from console.auth import accounts
from console.auth.access import AT_WORK, EVERY_RUN
from console.automation.enrolments import counts, exits, leaving
from console.automation.enrolments.places import opened_values
from console.automation.enrolments.targets import Target, find
from console.core import scopes
from console.core.documents.workflow import Settings
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.core.run.causes import Cause, causes_from_json
from console.infra import faults, jobs, subjects
from console.infra.db.engine import alone, fetch
from console.runs import ENGINE, RecordRef, StartedBy

IN_ONE_GO_S = 2.0
AT_ONCE = 100
PARALLEL = 10
FULL_S = 0.3
LOOK_S = 0.02
LATER_S = 5.0
BLOCKED_S = 30.0
FULL_DAY_S = 60.0
MOST_TRIES = 20
_WAITING = """
select e.id, e.record, e.subject, e.nonce, e.ct, e.entered_by, e.origin, e.trigger, e.tries, e.caused_by from console.enrolment e
where e.workflow = %s and e.status = 'waiting' and (e.due_at is null or e.due_at <= %s) order by e.id limit %s
"""
_WHY_NOT = "select reason from console.enrolment e where e.workflow = %s and e.status = 'waiting' order by e.id limit 1"
_AT_WORK = f"""
select count(*) from (select r.id from {EVERY_RUN.sql()} where {AT_WORK} and r.workflow = %s and r.holder is null limit %s) busy
"""  # noqa: S608 (texts of ours)
_LATELY = f"""
select r.created_at from {EVERY_RUN.sql()} where r.workflow = %s and r.created_at > %s and r.mode = 'hands_off' and not r.test and r.fork is null
order by r.created_at desc offset %s limit 1
"""  # noqa: S608 (a text of ours)
"""When the run began before which so many others have begun since, whatever started them: the pace of a workflow is that of all its runs that nobody holds."""
_MANY = f"""
select count(*) from {EVERY_RUN.sql()} where r.workflow = %s and r.created_at > %s and r.mode = 'hands_off' and not r.test and r.fork is null
"""  # noqa: S608 (a text of ours)
_BEGUN = f"""
update console.enrolment e set status = 'active', run = b.run, version = r.version, begun_at = %s, step = coalesce(a.step, e.step)
from unnest(%s::text[], %s::text[]) as b (id, run) join {EVERY_RUN.sql()} on r.id = b.run left join console.attempt a on a.run = r.id and a.n = r.current
where e.id = b.id and e.status = 'waiting' returning e.id
"""  # noqa: S608 (texts of ours)
_LATER = "update console.enrolment set tries = tries + 1, due_at = %s, reason = %s where id = %s and status = 'waiting' returning id"
_WORKFLOWS = """
select c.workflow from console.enrolment_count c join console.workflow w on w.id = c.workflow where c.status = 'waiting' and w.status = 'active'
and w.live_version is not null and w.archived_at is null group by c.workflow having sum(c.n) > 0
"""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    id: str
    record: str | None
    subject: str | None
    nonce: bytes | None
    ct: bytes | None
    entered_by: str
    origin: str
    trigger: str | None
    tries: int
    caused_by: list[dict[str, Any]] | None


class _Blocked(Exception):
    """Nobody of this workflow can begin now."""


def pick_up() -> int:
    """Put in a job for each workflow in which somebody waits and may begin: after a crash, a pause, an activation; answers how many. A duty of the worker."""
    return jobs.enqueue_all([jobs.Job(jobs.BEGIN, row[0], f"begin|{row[0]}") for row in fetch(_WORKFLOWS)])


def begin(
    workflow_id: str, stopping: Callable[[], bool] = lambda: False, *, wait_s: float = IN_ONE_GO_S
) -> None:
    """A worker's way in: begins runs of those who wait, the first first. Raises PutBack where others have their turn, or the pace wants it;
    it is waited so long for runs that are at work to rest.

    Where the workflow is paused or a draft nobody begins, until `pick_up` finds it active.
    """
    with alone(f"begin|{workflow_id}") as mine:
        until = time.monotonic() + wait_s
        while mine:
            if stopping() or jobs.paused():
                raise jobs.PutBack(LATER_S)
            target = find(workflow_id)
            if (
                target.status != "active"
                or target.archived
                or target.number is None
                or target.document is None
            ):
                return
            places, most = _room(target.id, target.document.settings)
            if min(places, most) <= 0:
                if full_until(target) is not None:
                    raise jobs.PutBack(FULL_DAY_S)
                if time.monotonic() > until:
                    raise jobs.PutBack(FULL_S)
                time.sleep(LOOK_S)
                continue
            waiting = [_Waiting(*row) for row in fetch(_WAITING, (target.id, log.now(), most))]
            if not waiting:
                return
            try:
                _begin_all(target, waiting, places)
            except _Blocked:
                raise jobs.PutBack(BLOCKED_S) from None
            if time.monotonic() > until:
                raise jobs.PutBack


def _room(workflow_id: str, settings: Settings) -> tuple[int, int]:
    """(how many more runs may be at work now, how many may begin now)."""
    places = _places(workflow_id, settings.parallel or PARALLEL)
    return places, _pace(workflow_id, settings) if places > 0 else AT_ONCE


def _pace(workflow_id: str, settings: Settings) -> int:
    """How many more runs may begin now, whatever starts them."""
    left = AT_ONCE
    for most, span in ((settings.per_minute, timedelta(minutes=1)), (settings.per_day, timedelta(days=1))):
        if most and left > 0:
            left = min(left, most - int(fetch(_MANY, (workflow_id, log.now() - span))[0][0]))
    return left


def _places(workflow_id: str, most: int) -> int:
    """How many more runs may be at work now, where so many may in all."""
    return most - int(fetch(_AT_WORK, (workflow_id, most))[0][0])


def room_for_triggers(workflow_id: str) -> tuple[int, int]:
    """(how many more runs triggers may have at work now, how many may begin now): twice as many are at work then as the pace lets begin, so that neither keeps the other out."""
    document = find(workflow_id).document
    if document is None:
        return _places(workflow_id, 2 * PARALLEL), AT_ONCE
    return _places(workflow_id, 2 * (document.settings.parallel or PARALLEL)), _pace(
        workflow_id, document.settings
    )


def full_until(target: Target) -> tuple[int, datetime] | None:
    """(how many may begin in a day, when the next may) where as many have begun; None where a day has room or no limit."""
    most = target.document.settings.per_day if target.document is not None else None
    if most is None:
        return None
    day = timedelta(days=1)
    rows = fetch(_LATELY, (target.id, log.now() - day, most - 1))
    return (most, rows[0][0] + day) if rows else None


def held_up(target: Target) -> str:
    """Why whoever is next does not begin, as it was found at the last try; empty where nothing is in their way."""
    rows = fetch(_WHY_NOT, (target.id,))
    return str(rows[0][0] or "") if rows else ""


def _begin_all(target: Target, waiting: Sequence[_Waiting], places: int) -> None:
    """Begin these until so many as `places` are at work, and note all who have begun by one statement. Who left meanwhile is not noted: their run ends."""
    staying = _staying(target, waiting)
    subjects.load(one.subject for one in staying if one.subject is not None)
    answers = _begun(target, staying, places)
    _note({one.id: answer for one, answer in answers if isinstance(answer, str)})
    for lead, answer in answers:
        if not isinstance(answer, str):
            _without_run(target, lead, answer)


def _begun(
    target: Target, staying: Sequence[_Waiting], places: int
) -> list[tuple[_Waiting, str | ConsoleError]]:
    """Who began with which run, or why not. Those who act as somebody else than the first of them have their turn the next time."""
    if not staying:
        return []
    whom = _identity_of(target, staying[0])
    alike = [waiting for waiting in staying if _identity_of(target, waiting) == whom]
    try:
        identity = None if whom is None else accounts.actor_of_person(whom, "sys:engine")
        wanted = [_wanted(target, waiting) for waiting in alike]
        return list(
            zip(
                alike,
                runs.start_many_hands_off(target.id, wanted, places=places, identity=identity),
                strict=False,
            )
        )
    except ConsoleError as error:
        return [(waiting, error) for waiting in alike]


def _identity_of(target: Target, waiting: _Waiting) -> str | None:
    """As whom the run acts where the document names nobody: who enrolled them."""
    return waiting.entered_by if target.document is not None and target.document.run_as is None else None


def _wanted(target: Target, waiting: _Waiting) -> runs.WantedStart:
    record = RecordRef(str(target.collection), waiting.record) if waiting.record is not None else None
    known = {entry.name for entry in target.fields}
    values = {
        name: value
        for name, value in opened_values(waiting.id, waiting.subject, waiting.nonce, waiting.ct).items()
        if name in known
    }
    causes = causes_from_json(waiting.caused_by) or (
        () if waiting.trigger else (Cause("person", person=waiting.entered_by),)
    )
    by = StartedBy(
        waiting.trigger or waiting.origin,
        waiting.origin if waiting.trigger else "enrolment",
        caused_by=causes,
    )
    return runs.WantedStart(waiting.id, by, record, values, waiting.subject)


def _note(begun: dict[str, str]) -> None:
    if not begun:
        return
    faults.point("enrolments.begin")
    noted = {row[0] for row in fetch(_BEGUN, (log.now(), list(begun), list(begun.values())))}
    counts.leave_ended(sorted(noted))
    for lead, run_id in begun.items():
        if lead not in noted:
            runs.take_out(ENGINE, run_id, "They left the workflow before it began.")


def _staying(target: Target, waiting: Sequence[_Waiting]) -> list[_Waiting]:
    """Those of them to whom no exit applies already; the others leave. Only read where the workflow has exits."""
    if not target.exits:
        return list(waiting)
    gone = {place.id for place in exits.read([lead.id for lead in waiting]) if exits.judge(place, None)}
    return [lead for lead in waiting if lead.id not in gone]


def _without_run(target: Target, waiting: _Waiting, error: ConsoleError) -> None:
    """What becomes of somebody whose run did not begin: they wait on, or are refused. Raises _Blocked where nobody can begin."""
    match error:
        case NotFound():
            _without_record(target, waiting, error)
        case Conflict(code="run_is_live" | runs.OUTSIDE):
            leaving.leave(ENGINE, target, waiting.id, leaving.REFUSED, error.message)
        case Conflict() | NotAllowed():
            raise _blocked(target, waiting, error) from None
        case Invalid():
            reasons = [
                f"{str(each.get('field', '')).removeprefix('input.')}: {each.get('reason', '')}"
                for each in error.details
            ]
            leaving.leave(
                ENGINE, target, waiting.id, leaving.REFUSED, " ".join([error.message, *reasons])[:500]
            )
        case SourceDown():
            _later(target, waiting, error)
        case _:
            raise error


def _without_record(target: Target, waiting: _Waiting, error: NotFound) -> None:
    """The record is no more, or the account may not see it."""
    try:
        there = bool(
            waiting.record
            and records.visible_keys(
                str(target.collection), [waiting.record], scopes.unrestricted(str(target.collection))
            )
        )
    except ConsoleError:
        there = True
    if waiting.record is not None and not there:
        leaving.leave(ENGINE, target, waiting.id, leaving.GONE, leaving.RECORD_GONE)
    else:
        leaving.leave(
            ENGINE,
            target,
            waiting.id,
            leaving.REFUSED,
            "The account that runs this workflow may not see this record."
            if waiting.record
            else error.message,
        )


def _later(target: Target, waiting: _Waiting, error: ConsoleError) -> None:
    """Try again with growing pauses; after many tries they are refused."""
    if waiting.tries >= MOST_TRIES:
        leaving.leave(ENGINE, target, waiting.id, leaving.REFUSED, error.words)
        return
    pause = timedelta(seconds=min(600, 2 ** min(waiting.tries, 10)))
    fetch(_LATER, (log.now() + pause, error.words[:500], waiting.id))


def _blocked(target: Target, waiting: _Waiting, error: ConsoleError) -> _Blocked:
    """Say at the first who waits why nobody begins."""
    _log.warning("nobody begins in %s: %s", target.slug, error.message)
    fetch(
        "update console.enrolment set reason = %s where id = %s and status = 'waiting' returning id",
        (error.words[:500], waiting.id),
    )
    return _Blocked()


def keep_in_step() -> None:
    """What keeps enrolments in step with their runs: a duty of the worker."""
    counts.follow()
    leaving.finish_left_lately()
    pick_up()
