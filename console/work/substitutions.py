"""What waits for somebody who is away is told to the person who stands in, as far as their own rights let them see and do it."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from console import log, runs, workflows
from console.auth import access, accounts
from console.auth.accounts import absences
from console.core.actor import Actor
from console.core.documents import approval_check
from console.core.documents.workflow_sketch import Sketch
from console.core.errors import ConsoleError, SourceDown
from console.infra import jobs
from console.infra.db import tables
from console.infra.db.engine import fetch, transaction
from console.infra.db.ids import new_id
from console.runs.commands.approval_answers import visible_request, why_refused
from console.runs.store.run_events import ENGINE
from console.runs.views.lists import RunHead, visible_runs
from console.work import questions

FOLLOWS = frozenset(
    {
        "task_created",
        "question_asked",
        "run_assigned",
        "approval_requested",
        "approval_waits",
        "approval_replied",
        "notice_sent",
        "due_soon",
        "due_over",
        "alert_failed",
        "alert_slow",
    }
)
"""Kinds of notices that follow to a substitute: work, and that work is late; all are about a run."""

OLDEST = timedelta(days=30)
AT_ONCE = 100
_WAITING = f"""
select n.id, n.key, n.kind, n.run, n.person, n.stands_in_for, r.label from console.notice n join {access.EVERY_RUN.sql()} on r.id = n.run
where n.person = any(%s) and n.read_at is null and n.passed_on_at is null and n.kind = any(%s) and n.at > %s order by n.at, n.id limit %s
"""  # noqa: S608 (a text of ours)
_PASS_ON = sa.text(
    "insert into console.notice (id, key, person, kind, run, by, at, mail, link, subject, kid, nonce, ct, stands_in_for)"
    " select :id, key, :deputy, kind, run, by, :at, case when mail is null then null else 'queued' end, link, subject, kid, nonce, ct, :absent"
    " from console.notice where id = :notice on conflict (key, person) do nothing"
)
_PASSED = sa.text("update console.notice set passed_on_at = :at where id = :notice and passed_on_at is null")


def pass_on() -> int:
    """Tell substitutes what people who are away were told and have not read; returns how many notices there were. Each is looked at once."""
    gone = absences.people_away()
    if not gone or jobs.paused():
        return 0
    rows = fetch(_WAITING, (list(gone), sorted(FOLLOWS), log.now() - OLDEST, AT_ONCE))
    for notice, key, kind, run_id, person, stands_in_for, label in rows:
        deputy = absences.substitute_of(person, gone)
        try:
            able = deputy is not None and _concerns(deputy, kind, key, run_id)
        except SourceDown:
            continue  # what they may see of the record is asked again
        with transaction() as connection:
            if connection.execute(_PASSED, {"notice": notice, "at": log.now()}).rowcount == 0 or not able:
                continue
            parameters = {
                "id": new_id("ntc"),
                "deputy": deputy,
                "absent": stands_in_for or person,
                "notice": notice,
                "at": log.now(),
            }
            if connection.execute(_PASS_ON, parameters).rowcount:
                opened = {
                    "person": stands_in_for or person,
                    "substitute": deputy,
                    "notice_kind": kind,
                    "told_run": run_id,
                }
                log.note(ENGINE, "notice_passed_on", open=opened, label=label, connection=connection)
    return len(rows)


def undecidable(reader: Actor, absent: str, deputy: str) -> list[str]:
    """Titles of the live workflows, of those that the reader may see, in which the one person may approve what the other may not, sorted."""
    around, found = workflows.validation_context(), []
    for known in workflows.all_known():
        definition = workflows.readable_version(known.id, known.live)
        if definition is None or known.archived or not workflows.may(reader, known, "see"):
            continue
        raw, sketches = definition.document.to_json(), list[Sketch]()
        workflows.check(raw, None, sketches)
        own, theirs = (
            approval_check.given_by(each, raw, sketches, around.approvals or {}, around.rights)
            for each in (absent, deputy)
        )
        if own - theirs:
            found.append(known.title)
    return sorted(found)


def held_by_absent(actor: Actor, people: Sequence[str], *, limit: int = 50) -> list[tuple[RunHead, str]]:
    """Live runs in the hands of these people, who are away, with their names; only what the actor may go on with."""
    if not people:
        return []
    run, names = tables.run.c, accounts.names(people)
    heads, _ = visible_runs(
        actor,
        run.holder.in_(people),
        run.ended_at.is_(None),
        order=(run.active_at.desc(), run.id),
        limit=limit,
        act="resume",
    )
    return [(head, names.get(head.holder or "", "a colleague")) for head in heads]


def _concerns(person: str, kind: str, key: str, run_id: str) -> bool:
    """Whether the notice still asks for something that this person may see, and where it is a decision, make. Raises SourceDown."""
    try:
        actor = accounts.actor_of_person(person)
        runs.title(actor, run_id)
        if kind in ("approval_requested", "approval_waits"):
            return why_refused(actor, visible_request(actor, key.partition(":")[0])) is None
        if kind == "question_asked":
            return not questions.question(actor, key).mine
    except SourceDown:
        raise
    except ConsoleError:
        return False
    return True
