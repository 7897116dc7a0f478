"""Deliveries of a webhook are sent one after another, in the order of the log. The next one waits until the one before was taken or given up.

A try that fails is made again, later and later. Where the other side is not there, nothing is passed over: after a day the webhook stops, and goes on with the same event when it is
switched on again. What the other side refuses for good is given up after some tries; many such in a row stop the webhook too.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

import orjson
import sqlalchemy as sa

from console import log
from console.auth import access
from console.automation.webhooks.outgoing import event_types, sending_out
from console.automation.webhooks.outgoing.deactivation import stop
from console.automation.webhooks.outgoing.readable_events import Audience
from console.automation.webhooks.outgoing.sending_out import Answer
from console.automation.webhooks.outgoing.subscription_rows import (
    Subscription,
    deliveries,
    note_problem,
    stored,
    table,
    tries,
    update,
)
from console.core.errors import NotAllowed, SourceDown
from console.infra import faults, jobs, subjects
from console.infra.db.engine import alone, fetch, hot_engine, transaction
from console.infra.jobs import PutBack
from console.infra.outbound import retry_after

logger = logging.getLogger(__name__)
PAUSES_S = (5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800)
"""How long is waited after each try that may be made again: about a day altogether."""
REFUSALS = 3
"""So often a delivery that is refused for good is tried."""
MOST_REFUSED = 20
"""So many given up in a row stop the webhook."""
IN_ONE_GO = 50
JUDGED_EVERY_S = 1.0
SOURCE_S = 30

_DUE = """
select w.id from console.webhook w where exists (select from console.webhook_delivery d where d.webhook = w.id and d.status = 'waiting' and d.by_hand and d.due_at <= clock_timestamp())
or (w.enabled and w.stopped is null and exists (select from (
    select d.due_at from console.webhook_delivery d where d.webhook = w.id and d.status = 'waiting' and not d.by_hand order by d.pos limit 1) d where d.due_at <= clock_timestamp()))
"""
_BY_HAND = """
select id, pos, prev_pos, type, subject, by_hand, tries, made_at from console.webhook_delivery
where webhook = %s and status = 'waiting' and by_hand and due_at <= clock_timestamp() order by due_at, number limit 1
"""
_FIRST = """
select d.id, d.pos, d.prev_pos, d.type, d.subject, d.by_hand, d.tries, d.made_at from (
    select * from console.webhook_delivery where webhook = %s and status = 'waiting' and not by_hand order by pos limit 1) d where d.due_at <= clock_timestamp()
"""


def pick_up() -> int:
    """Add a job for each webhook that has something due; returns how many."""
    if jobs.paused():
        return 0
    return jobs.enqueue_all(
        [jobs.Job(jobs.DELIVER, webhook_id, f"webhook:{webhook_id}") for (webhook_id,) in fetch(_DUE)]
    )


@dataclass(frozen=True, slots=True)
class _Next:
    """A delivery whose turn it is."""

    id: str
    pos: int | None
    prev_pos: int | None
    type: str
    subject: str | None
    by_hand: bool
    tries: int
    made_at: Any


def deliver(webhook_id: str, stopping: Callable[[], bool] = lambda: False) -> None:
    """The job: send what is due of this webhook, one after another. Raises PutBack where more is due than has its turn now."""
    with alone(f"webhook:{webhook_id}") as mine:
        if not mine:
            return
        audience: Audience | None = None
        judged = 0.0
        for _ in range(IN_ONE_GO):
            if stopping():
                raise PutBack
            webhook = stored(webhook_id)
            if webhook is None or jobs.paused() or (found := _next(webhook)) is None:
                return
            try:
                if (
                    audience is None
                    or monotonic() - judged > JUDGED_EVERY_S
                    or audience.policy != access.current_version()
                    or audience.actor.id != webhook.acts_for
                ):
                    audience, judged = Audience(webhook), monotonic()
                body = _body(found, audience)
            except NotAllowed as error:
                _lost(webhook, found, error)
                continue
            except SourceDown as error:
                _later(webhook, found, error.message)
                return
            if body is None:
                _settle(
                    found, "withheld", error="Whom the webhook acts for may not read this event any more."
                )
                continue
            faults.point("webhooks.sending")
            answer = sending_out.send(webhook, found.id, body)
            faults.point("webhooks.sent")
            _answered(webhook, found, answer)
    raise PutBack


def _next(webhook: Subscription) -> _Next | None:
    rows = fetch(_BY_HAND, (webhook.id,)) or (fetch(_FIRST, (webhook.id,)) if webhook.works else [])
    return _Next(*rows[0]) if rows else None


def _body(found: _Next, audience: Audience) -> bytes | None:
    """The content to send, read from the log each time, with the rights of now; None if it may not be read."""
    if found.pos is None:
        data = {"id": found.id, "message": "This is a test. Nothing happened."}
        head = {"type": event_types.TEST, "pos": None, "prev_pos": None, "n": None, "run": None}
        return orjson.dumps({**head, "timestamp": log.body.moment(found.made_at), "data": data})
    event = audience.at(found.pos)
    return None if event is None else event.body(found.type, found.prev_pos)


def _lost(webhook: Subscription, found: _Next, error: NotAllowed) -> None:
    """The right to read the log is gone: what was asked for by hand is not sent, and the webhook stops."""
    if found.by_hand:
        _settle(found, "withheld", error=error.words)
    stop(webhook, "right", error.words)


def _later(webhook: Subscription, found: _Next, words: str) -> None:
    """A data source does not answer, so it cannot be said what may be read. It is no failure and counts as no try."""
    note_problem(webhook, words)
    with hot_engine().connect() as connection:
        due = log.now() + timedelta(seconds=SOURCE_S)
        connection.execute(
            sa.update(deliveries).where(deliveries.c.id == found.id).values(due_at=due, error=words)
        )


def _answered(webhook: Subscription, found: _Next, answer: Answer) -> None:
    """Write down the result of a try, and stop the webhook if there is a reason."""
    if answer.verdict == "taken":
        _settle(found, "delivered", answer)
        if not found.by_hand:
            _well(webhook)
        return
    if found.by_hand:
        _settle(found, "failed", answer)
        return
    if answer.verdict in ("gone", "address"):
        _again(found, answer, 0)
        stop(webhook, "gone" if answer.verdict == "gone" else "address", answer.error or "")
        return
    tries = REFUSALS - 1 if answer.verdict == "refused" else len(PAUSES_S)
    if found.tries < tries:
        _again(found, answer, PAUSES_S[found.tries])
        note_problem(webhook, answer.error)
    elif answer.verdict == "refused":
        _settle(found, "failed", answer)
        with transaction() as connection:
            update(connection, webhook.id, refused=table.c.refused + 1)
        if webhook.refused + 1 >= MOST_REFUSED:
            stop(webhook, "failing", f"{MOST_REFUSED} events in a row were refused. {answer.error}")
    else:
        _again(found, answer, 0)
        stop(webhook, "failing", answer.error or "")


def _well(webhook: Subscription) -> None:
    """It takes events: what was wrong before is over."""
    if webhook.refused or webhook.problem:
        with transaction() as connection:
            update(connection, webhook.id, refused=0, problem=None, problem_at=None)


def _settle(found: _Next, status: str, answer: Answer | None = None, *, error: str | None = None) -> None:
    _write(
        found,
        answer,
        status=status,
        done_at=log.now(),
        by_hand=False,
        error=error or (answer.error if answer else None),
    )


def _again(found: _Next, answer: Answer, pause_s: int) -> None:
    _write(
        found,
        answer,
        due_at=log.now() + retry_after.pause(timedelta(seconds=pause_s), answer.wait_s),
        error=answer.error,
    )


def _write(found: _Next, answer: Answer | None, **values: Any) -> None:
    """The answer is kept under the key of whose data the event holds: it may repeat what it was sent."""
    if answer is not None:
        kept = None
        if answer.body is not None:
            about = place_of_answer(found.id)
            try:
                said = answer.body.encode()
                kept = (
                    subjects.lock(found.subject, about, said) if found.subject else subjects.wrap(said, about)
                )
            except subjects.Unreadable:
                kept = None  # they were erased meanwhile
        values |= {"tries": found.tries + 1, "code": answer.status, "answer": kept}
    with transaction() as connection:
        connection.execute(
            sa.update(deliveries)
            .where(deliveries.c.id == found.id, deliveries.c.status == "waiting")
            .values(**values)
        )
        if answer is not None:
            connection.execute(
                sa.insert(tries).values(
                    delivery=found.id,
                    at=log.now(),
                    **{name: values[name] for name in ("code", "answer")},
                    error=answer.error,
                )
            )


def place_of_answer(delivery_id: str) -> str:
    """The one place where an answer belongs."""
    return f"webhook_delivery|answer|{delivery_id}"
