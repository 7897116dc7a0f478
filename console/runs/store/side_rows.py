"""Rows that events of a run create in other tables, in the same transaction: tasks, questions, notices, messages, calls to the AI."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth import notify
from console.browse import tags
from console.core.events import ENDS
from console.core.run import Event, Run
from console.infra import jobs, subjects
from console.infra.db.engine import driver_of
from console.log import Moved, Part
from console.runs.store import call_rows
from console.runs.store.call_rows import Transition

_TASK = sa.text(
    "insert into console.task (id, run, n, run_team, team, assignee, waits, due_on, created_at, created_by, subject, kid, nonce, ct)"
    " values (:id, :run, :n, :run_team, :team, :assignee, :waits, cast(:due_on as date), :at, :by, :subject, :kid, :nonce, :ct)"
    " on conflict (id) do nothing"
)
_CLOSED = sa.text(
    "update console.task set status = 'not_done', closed_at = :at, closed_by = :by where id = :id and status = 'open'"
)
_QUESTION = sa.text(
    "insert into console.question (id, run, n, people, needs, until, asked_at, subject, kid, nonce, ct)"
    " values (:id, :run, :n, cast(:people as jsonb), :needs, cast(:until as timestamptz), :at, :subject, :kid, :nonce, :ct) on conflict (id) do nothing"
)
_MESSAGE_COLUMNS = {
    "id": "text",
    "key": "text",
    "run": "text",
    "n": "integer",
    "step": "text",
    "workflow": "text",
    "version": "integer",
    "team": "text",
    "label": "text",
    "collection": "text",
    "record": "text",
    "channel": "text",
    "direction": "text",
    "status": "text",
    "consent": "text",
    "asked_at": "timestamptz",
    "due_at": "timestamptz",
    "at": "timestamptz",
    "expires_s": "integer",
    "most": "integer",
    "again_s": "integer",
    "outcomes": "text[]",
    "about": "text",
    "subject": "text",
    "kid": "text",
    "nonce": "bytea",
    "ct": "bytea",
}
_MESSAGE = (
    f"insert into console.message ({', '.join(_MESSAGE_COLUMNS)}) select "
    + ", ".join(f"{'%b' if kind == 'bytea' else '%s'}::{kind}" for kind in _MESSAGE_COLUMNS.values())
    + "{} on conflict (id) do nothing"
)
_NOT_WANTED = sa.text(
    "update console.message set status = 'cancelled', code = :code, due_at = null, at = :at where run = :run and status = 'waiting'"
)
DROPPED = frozenset({"record_gone", "unenrolled", "erased", "workflow_cancelled"})


def creates(events: Sequence[Event]) -> bool:
    """Whether any of the events creates rows in other tables."""
    return any(map(_creates, events))


def _creates(event: Event) -> bool:
    if event.type == "event_awaited":
        return bool(event.open["for"] == "answer")
    return event.type in WRITES or "proposal" in event.open


def sending_job(events: Sequence[Event]) -> jobs.Job | None:
    """The job that sends the message that these events ask for; None where they ask for none."""
    return next(
        (
            jobs.send(event.open["message_id"], event.open["channel"])
            for event in events
            if event.type == "message_asked"
        ),
        None,
    )


def write(
    connection: Connection,
    before: Run,
    after: Run,
    subject: str | None,
    events: Sequence[Event],
    job: jobs.Job | None = None,
) -> None:
    """Write the rows of these events in the transaction of `connection`, which has put in `job`."""
    transition = Transition(connection, before, after, subject or "", job)
    for number, event in enumerate(events, before.seq + 1):
        if (write_row := WRITES.get(event.type)) is not None:
            write_row(transition, event._replace(n=number))
        if "proposal" in event.open:
            call_rows.handed_in(connection, event)
    if drops_message(before, after, events):
        connection.execute(
            _NOT_WANTED, {"run": after.id, "at": events[-1].at, "code": _why_dropped(events[-1])}
        )


def _why_dropped(last: Event) -> str:
    """Why the message is not wanted any more, by the event with which the run went on without it: a code of `console.messaging.messages.message_reasons`."""
    if last.type == "run_completed":
        return "exited"  # a run that waits ends so in no other way
    code = str(last.open.get("reason_code") or "")
    return code if code in DROPPED else "run_ended" if last.type in ENDS else "not_wanted"


def drops_message(before: Run, after: Run, events: Sequence[Event]) -> bool:
    """Whether the run waited for a message and does so no more, although nobody told what became of it."""
    waited = before.waiting or {}
    gone = waited.get("for") == "message" and waited.get("key") != (after.waiting or {}).get("key")
    return gone and not any(event.type == "event_arrived" for event in events)


def _task(transition: Transition, event: Event) -> None:
    task, after = event.open, transition.after
    waits = (after.waiting or {}).get("key") == task["task"]
    row = {
        "id": task["task"],
        "run": after.id,
        "n": task["n"],
        "run_team": after.team,
        "team": task["team"],
        "assignee": task["assignee"],
    }
    more = {"waits": waits, "due_on": task["due"], "at": event.at, "by": event.by}
    transition.connection.execute(
        _TASK, row | more | subjects.seal_columns(transition.subject, f"task|{task['task']}", event.sealed)
    )
    if task["assignee"] is not None and task["assignee"] != event.by:
        notify.add_notices(
            transition.connection,
            [task["assignee"]],
            f"{task['task']}",
            "task_created",
            run=after.id,
            by=event.by,
            at=event.at,
        )


def _task_closed(transition: Transition, event: Event) -> None:
    transition.connection.execute(_CLOSED, {"id": event.open["task"], "at": event.at, "by": event.by})


def _question(transition: Transition, event: Event) -> None:
    awaited, request, connection, run_id = (
        event.open,
        event.sealed.get("request", {}),
        transition.connection,
        transition.after.id,
    )
    if awaited["for"] != "answer" or "people" not in request:
        return
    row = {
        "id": awaited["key"],
        "run": run_id,
        "n": awaited["n"],
        "people": orjson.dumps(list(request["people"])).decode(),
    }
    more = {"needs": request["needs"], "until": awaited["until"], "at": event.at}
    kept = {name: request[name] for name in ("title", "text", "fields", "outcomes")}
    connection.execute(
        _QUESTION, row | more | subjects.seal_columns(transition.subject, f"question|{awaited['key']}", kept)
    )
    link = f"/answers/{awaited['key']}"
    notify.add_notices(
        connection, request["people"], awaited["key"], "question_asked", run=run_id, at=event.at, link=link
    )


def _notice(transition: Transition, event: Event) -> None:
    mail = "mail" in event.open["channels"]
    notify.add_notices(
        transition.connection,
        event.open["to"],
        event.open["notice"],
        "notice_sent",
        run=transition.after.id,
        at=event.at,
        subject=transition.subject,
        text=event.sealed.get("text"),
        mail=mail,
    )


def _message(transition: Transition, event: Event) -> None:
    """The message, and the job that sends it."""
    message = event.open
    row = _message_row(transition.after, transition.subject, event)
    driver_of(transition.connection).execute(_MESSAGE.format(""), list(row.values()))
    job = jobs.send(message["message_id"], message["channel"])
    if job != transition.job:
        jobs.enqueue(transition.connection, job.entrypoint, job.payload, dedupe_key=job.key)


def _message_row(after: Run, subject: str, event: Event) -> dict[str, Any]:
    """The message that the event asks for, a value for each of `_MESSAGE_COLUMNS`."""
    message = event.open
    row = dict.fromkeys(("id", "key"), message["message_id"]) | {
        "run": after.id,
        "n": message["n"],
        "step": (event.step or ("",))[0],
    }
    row |= {
        name: getattr(after, name)
        for name in ("workflow", "version", "team", "label", "collection", "record")
    }
    row |= {
        name: message[name] for name in ("channel", "consent", "expires_s", "most", "again_s", "outcomes")
    }
    row |= {
        "about": message.get("about", "campaign"),
        "direction": "out",
        "status": "waiting",
    } | dict.fromkeys(("asked_at", "due_at", "at"), event.at)
    row |= subjects.seal_columns(subject, f"message|{message['message_id']}", event.sealed["content"])
    return {name: row[name] for name in _MESSAGE_COLUMNS}


def message_alone(
    before: Run, after: Run, subject: str | None, events: Sequence[Event], job: jobs.Job | None
) -> Part | None:
    """The insert of the message that these events ask for, beside their transition; None where they create anything else, or `job` does not send it."""
    writing = [event for event in events if _creates(event)]
    if [event.type for event in writing] != ["message_asked"] or drops_message(before, after, events):
        return None
    asked = writing[0].open
    if job != jobs.send(asked["message_id"], asked["channel"]):
        return None
    row = _message_row(after, subject or "", writing[0])
    return _MESSAGE.format(" from moved where last > 0"), list(row.values())


def _tag(transition: Transition, event: Event) -> None:
    """Raises Moved where somebody else changed the tag meanwhile: what the step does is decided again, and nothing is told twice."""
    after, added = transition.after, event.type == "tag_added"
    changed = tags.write(
        transition.connection,
        *tags.place_of(after),
        event.open["tag"],
        added=added,
        subject=transition.subject,
        by=event.by or "",
        at=event.at,
        run=after.id,
    )
    if not changed:
        raise Moved


def _assigned(transition: Transition, event: Event) -> None:
    _tell_person(transition, event, event.open["holder"], "run_assigned")
    _taken_away(transition, event)


def _taken_away(transition: Transition, event: Event) -> None:
    """To whoever held the run, where another person gave it away."""
    if event.by is not None:
        _tell_person(transition, event, transition.before.holder, "run_taken_away", mail=False)


def _taken_over(transition: Transition, event: Event) -> None:
    _tell_person(transition, event, transition.before.holder, "run_taken_over", mail=False)


def _decided(transition: Transition, event: Event) -> None:
    _tell_person(
        transition, event, _requester(transition, event), "approval_decided", f":{event.open['decision']}"
    )


def _void(transition: Transition, event: Event) -> None:
    """To whoever asked, where their form is open again; not where they ask anew already, or withdrew or revised it themselves."""
    now = transition.after.attempt
    open_again = (
        not transition.after.ended
        and now is not None
        and now.status == "open"
        and all(each.status != "open" for each in now.approvals)
    )
    if open_again and event.open["reason_code"] not in OWN_DOING:
        _tell_person(transition, event, _requester(transition, event), "approval_decided", ":void")


def _expired(transition: Transition, event: Event) -> None:
    _tell_person(transition, event, _requester(transition, event), "approval_decided", ":expired")


def _requester(transition: Transition, event: Event) -> str | None:
    """Who asked for the approval: an automatic step asks for whoever held the run."""
    request = transition.before.approval(event.open["approval"])
    return request[1].requested_by if request is not None else None


def _tell_person(
    transition: Transition, event: Event, person: str | None, kind: str, came: str = "", *, mail: bool = True
) -> None:
    """A notice for this person, unless they caused the event themselves. What `came` of it ends the key, where the words say it."""
    if person is not None and person != event.by:
        run_id = transition.after.id
        notify.add_notices(
            transition.connection,
            [person],
            f"{run_id}:{event.n}{came}",
            kind,
            run=run_id,
            by=event.by,
            at=event.at,
            mail=mail,
        )


OWN_DOING = frozenset({"withdrawn", "revised"})
WRITES: Mapping[str, Callable[[Transition, Event], None]] = {
    "task_created": _task,
    "task_closed": _task_closed,
    "event_awaited": _question,
    "notice_sent": _notice,
    "message_asked": _message,
    "run_assigned": _assigned,
    "run_taken_over": _taken_over,
    "run_released": _taken_away,
    "run_escalated": _taken_away,
    "approval_decided": _decided,
    "approval_voided": _void,
    "approval_expired": _expired,
    "tag_added": _tag,
    "tag_removed": _tag,
    "proposal_requested": call_rows.requested,
    "proposal_made": call_rows.answered,
    "proposal_failed": call_rows.answered,
    "step_revised": call_rows.revised,
}
