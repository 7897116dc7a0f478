"""Rows beside a run, written in the transaction of its events: tasks, questions, and whom to tell of what."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import subjects
from console.core.run import Event, Run
from console.db.ids import new_id
from console.runs.rows import call_rows

_TASK = sa.text(
    "insert into console.task (id, run, n, run_team, team, assignee, waits, due_on, created_at, created_by, subject, kid, nonce, ct)"
    " values (:id, :run, :n, :run_team, :team, :assignee, :waits, cast(:due_on as date), :at, :by, :subject, :kid, :nonce, :ct)"
    " on conflict (id) do nothing"
)
_CLOSED = sa.text("update console.task set status = 'not_done', closed_at = :at, closed_by = :by where id = :id and status = 'open'")
_QUESTION = sa.text(
    "insert into console.question (id, run, n, people, needs, until, asked_at, subject, kid, nonce, ct)"
    " values (:id, :run, :n, cast(:people as jsonb), :needs, cast(:until as timestamptz), :at, :subject, :kid, :nonce, :ct) on conflict (id) do nothing"
)
_NOTICE = sa.text(
    "insert into console.notice (id, key, person, kind, run, by, at, mail, link, subject, kid, nonce, ct)"
    " values (:id, :key, :person, :kind, :run, :by, :at, :mail, :link, :subject, :kid, :nonce, :ct) on conflict (key, person) do nothing"
)


def concerns(events: Sequence[Event]) -> bool:
    """Whether any of the events has rows beside the run."""
    return any(event.type in WRITES or "proposal" in event.open for event in events)


def write(connection: Connection, before: Run, after: Run, subject: str | None, events: Sequence[Event]) -> None:
    """The rows of these events, with the transaction of `connection`."""
    for number, event in enumerate(events, before.seq + 1):
        if (make := WRITES.get(event.type)) is not None:
            make(connection, before, after, subject or "", event, number)
        if "proposal" in event.open:
            call_rows.handed_in(connection, event)


def _task(connection: Connection, _: Run, after: Run, subject: str, event: Event, __: int) -> None:
    told = event.open
    waits = (after.waiting or {}).get("key") == told["task"]
    row = {"id": told["task"], "run": after.id, "n": told["n"], "run_team": after.team, "team": told["team"], "assignee": told["assignee"]}
    more = {"waits": waits, "due_on": told["due"], "at": event.at, "by": event.by}
    connection.execute(_TASK, row | more | sealed(subject, f"task|{told['task']}", event.sealed))
    if told["assignee"] is not None and told["assignee"] != event.by:
        tell(connection, [told["assignee"]], f"{told['task']}", "task_created", run=after.id, by=event.by, at=event.at)


def _task_closed(connection: Connection, _: Run, __: Run, ___: str, event: Event, ____: int) -> None:
    connection.execute(_CLOSED, {"id": event.open["task"], "at": event.at, "by": event.by})


def _question(connection: Connection, _: Run, after: Run, subject: str, event: Event, __: int) -> None:
    told, request = event.open, event.sealed.get("request", {})
    if told["for"] != "answer" or "people" not in request:
        return
    row = {"id": told["key"], "run": after.id, "n": told["n"], "people": orjson.dumps(list(request["people"])).decode()}
    more = {"needs": request["needs"], "until": told["until"], "at": event.at}
    kept = {name: request[name] for name in ("title", "text", "fields", "outcomes")}
    connection.execute(_QUESTION, row | more | sealed(subject, f"question|{told['key']}", kept))
    tell(connection, request["people"], told["key"], "question_asked", run=after.id, at=event.at, link=f"/answers/{told['key']}")


def _notice(connection: Connection, _: Run, after: Run, subject: str, event: Event, __: int) -> None:
    mail = "mail" in event.open["channels"]
    tell(connection, event.open["to"], event.open["notice"], "notice_sent", run=after.id, at=event.at, subject=subject,
         text=event.sealed.get("text"), mail=mail)  # fmt: skip


def _given(connection: Connection, _: Run, after: Run, __: str, event: Event, number: int) -> None:
    if event.open["holder"] != event.by:
        tell(connection, [event.open["holder"]], f"{after.id}:{number}", "run_assigned", run=after.id, by=event.by, at=event.at)


def _taken(connection: Connection, before: Run, after: Run, __: str, event: Event, number: int) -> None:
    if before.holder is not None and before.holder != event.by:
        tell(connection, [before.holder], f"{after.id}:{number}", "run_taken_over", run=after.id, by=event.by, at=event.at, mail=False)


def _decided(connection: Connection, before: Run, after: Run, __: str, event: Event, number: int) -> None:
    here = before.attempt
    if here is not None and here.by is not None and here.by != event.by:
        tell(connection, [here.by], f"{after.id}:{number}", "approval_decided", run=after.id, by=event.by, at=event.at)


WRITES: Mapping[str, Callable[[Connection, Run, Run, str, Event, int], None]] = {
    "task_created": _task,
    "task_closed": _task_closed,
    "event_awaited": _question,
    "notice_sent": _notice,
    "run_assigned": _given,
    "run_taken_over": _taken,
    "approval_decided": _decided,
    "proposal_requested": call_rows.requested,
    "proposal_made": call_rows.answered,
    "proposal_failed": call_rows.answered,
    "step_revised": call_rows.revised,
}


def tell(
    connection: Connection,
    people: Sequence[str],
    key: str,
    kind: str,
    *,
    at: Any,
    run: str | None = None,
    by: str | None = None,
    text: str | None = None,
    link: str | None = None,
    subject: str | None = None,
    mail: bool = True,
) -> None:
    """A notice for each of the people; one that has this key already is told nothing again. `text` is sealed under `subject`."""
    kept = (
        sealed(subject, f"notice|{key}", {"text": text})
        if text is not None and subject
        else dict.fromkeys(("subject", "kid", "nonce", "ct"))
    )
    shared = {"key": key, "kind": kind, "run": run, "by": by, "at": at, "mail": "queued" if mail else None, "link": link}
    for person in people:
        connection.execute(_NOTICE, {"id": new_id("ntc"), "person": person, **shared, **kept})


def sealed(subject: str, about: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a value that is kept under the key of the subject."""
    kid, nonce, ciphertext = subjects.seal(subject, about, dict(value))
    return {"subject": subject, "kid": kid, "nonce": nonce, "ct": ciphertext}
