"""Deliveries of a webhook as people and programs see them, newest first: listing, sending again, sending a test, deleting old ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console import log
from console.automation.webhooks.outgoing import event_types, subscribing
from console.automation.webhooks.outgoing.delivering import place_of_answer
from console.automation.webhooks.outgoing.subscription_rows import Subscription, deliveries, tries
from console.core.actor import Actor
from console.core.errors import Conflict, NotFound
from console.infra import jobs, subjects
from console.infra.db.engine import hot_engine, read_rows, transaction
from console.infra.db.ids import new_id
from console.log import event_lists

KEPT_DAYS = 30
MOST_TESTS = 5


@dataclass(frozen=True, slots=True)
class Try:
    """A try of a delivery: `code` and `error` of the answer, and the beginning of what the other side said, for whoever the webhook acts for."""

    at: datetime
    code: int | None
    error: str | None
    answer: str | None

    def to_json(self) -> dict[str, Any]:
        """The form in the API."""
        return {
            "at": log.body.moment(self.at),
            "status": self.code,
            "error": self.error,
            "body": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery: `status` is waiting, delivered, failed or withheld. `every_try` has its tries, oldest first; `due_at` is when it is tried (again)."""

    id: str
    number: int
    pos: int | None
    type: str
    status: str
    tries: int
    due_at: datetime | None
    made_at: datetime
    done_at: datetime | None
    code: int | None
    error: str | None
    answer: str | None
    every_try: Sequence[Try] = ()

    def to_json(self) -> dict[str, Any]:
        """The form in the API."""
        tried = self.code is not None or self.error is not None
        return {
            **{name: getattr(self, name) for name in ("id", "pos")},
            "event": self.type,
            **{name: getattr(self, name) for name in ("status", "tries")},
            "made_at": log.body.moment(self.made_at),
            "next_at": log.body.moment(self.due_at) if self.due_at else None,
            "done_at": log.body.moment(self.done_at) if self.done_at else None,
            "response": {"status": self.code, "error": self.error, "body": self.answer} if tried else None,
            "attempts": [each.to_json() for each in self.every_try],
        }


def deliveries_of(
    actor: Actor, webhook_id: str, *, limit: int = 50, after: str | None = None, status: str = ""
) -> tuple[list[Delivered], str | None]:
    """(deliveries newest first, the cursor that continues). Those of events with a clearance that the actor lacks are left out. Raises NotFound, NotAllowed, Malformed."""
    webhook = subscribing.subscription(actor, webhook_id)
    column = deliveries.c
    cleared = sa.or_(column.label.is_(None), column.label.in_(sorted(actor.clearance)))
    statement = (
        sa.select(deliveries)
        .where(column.webhook == webhook.id, cleared)
        .order_by(column.number.desc())
        .limit(limit + 1)
    )
    if after is not None:
        statement = statement.where(column.number < event_lists.position(after))
    if status:
        statement = statement.where(column.status == status)
    rows = read_rows(statement)
    subjects.load(row.subject for row in rows if row.subject)
    reads = subscribing.speaks_for(actor, webhook)
    tried = _tries([row.id for row in rows[:limit]])
    shown = [_delivered(row, tried.get(row.id, ()), reads=reads) for row in rows[:limit]]
    return shown, event_lists.cursor(shown[-1].number) if len(rows) > limit else None


def delivery(actor: Actor, webhook_id: str, delivery_id: str) -> Delivered:
    """One of them. Raises NotFound, NotAllowed."""
    webhook = subscribing.subscription(actor, webhook_id)
    with hot_engine().connect() as connection:
        row = _row_of(connection, actor, webhook, delivery_id)
    return _delivered(row, _tries([row.id]).get(row.id, ()), reads=subscribing.speaks_for(actor, webhook))


def redeliver(actor: Actor, webhook_id: str, delivery_id: str) -> Delivered:
    """Send an event once more, under its own id; one that waits is tried at once. Raises NotFound, NotAllowed, Conflict."""
    webhook = subscribing.require_speaks_for(actor, webhook_id)
    with transaction() as connection:
        row = _row_of(connection, actor, webhook, delivery_id, lock=True)
        if row.status == "waiting":
            if not webhook.works and not row.by_hand:
                raise Conflict(
                    "It waits until the webhook is switched on: switch it on, and it is sent in its turn.",
                    code="not_possible",
                )
            values: dict[str, Any] = {"due_at": log.now()}
        else:
            values = {"status": "waiting", "by_hand": True, "due_at": log.now(), "done_at": None}
        connection.execute(sa.update(deliveries).where(deliveries.c.id == row.id).values(**values))
        _put_in(connection, webhook)
        subscribing.note(actor, connection, webhook.id, "sent_again", webhook.acts_for, delivery=delivery_id)
    return delivery(actor, webhook_id, delivery_id)


def send_test(actor: Actor, webhook_id: str) -> Delivered:
    """Send a test, signed like everything else; also while the webhook is off. Raises NotFound, NotAllowed, Conflict where several wait already."""
    webhook = subscribing.require_speaks_for(actor, webhook_id)
    ident = new_id("dlv")
    with transaction() as connection:
        column = deliveries.c
        waiting = sa.select(sa.func.count()).where(
            column.webhook == webhook.id, column.pos.is_(None), column.status == "waiting"
        )
        if connection.execute(waiting).scalar_one() >= MOST_TESTS:
            raise Conflict(
                f"{MOST_TESTS} tests wait already: look what becomes of them first.", code="tests_wait"
            )
        connection.execute(
            sa.insert(deliveries).values(id=ident, webhook=webhook.id, type=event_types.TEST, by_hand=True)
        )
        _put_in(connection, webhook)
        subscribing.note(actor, connection, webhook.id, "tested", webhook.acts_for)
    return delivery(actor, webhook_id, ident)


def _put_in(connection: Connection, webhook: Subscription) -> None:
    jobs.enqueue(connection, jobs.DELIVER, webhook.id, dedupe_key=f"webhook:{webhook.id}")


def _row_of(
    connection: Connection, actor: Actor, webhook: Subscription, delivery_id: str, *, lock: bool = False
) -> Any:
    statement = sa.select(deliveries).where(
        deliveries.c.id == delivery_id.replace("\0", ""), deliveries.c.webhook == webhook.id
    )
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    if row is None or (row.label is not None and row.label not in actor.clearance):
        raise NotFound("There is no such delivery any more.")
    return row


def _tries(delivery_ids: Sequence[str]) -> dict[str, list[Any]]:
    """Delivery → the rows of its tries, oldest first. One statement."""
    column, found = tries.c, dict[str, list[Any]]()
    for row in read_rows(
        sa.select(tries).where(column.delivery.in_(delivery_ids)).order_by(column.delivery, column.number)
    ):
        found.setdefault(row.delivery, []).append(row)
    return found


def _opened(row: Any, answer: bytes | None) -> str | None:
    """What the other side said; None where it said nothing, or whose data it was is erased."""
    if answer is None:
        return None
    about, kept = place_of_answer(row.id), bytes(answer)
    try:
        opened = subjects.unlock(row.subject, about, kept) if row.subject else subjects.unwrap(kept, about)
    except subjects.Unreadable:
        return None
    return opened.decode()


def _delivered(row: Any, tried: Sequence[Any], *, reads: bool) -> Delivered:
    every_try = [
        Try(each.at, each.code, each.error, _opened(row, each.answer) if reads else None) for each in tried
    ]
    due = row.due_at if row.status == "waiting" else None
    return Delivered(
        row.id,
        row.number,
        row.pos,
        row.type,
        row.status,
        row.tries,
        due,
        row.made_at,
        row.done_at,
        row.code,
        row.error,
        _opened(row, row.answer) if reads else None,
        every_try,
    )


def erase(connection: Connection, subject: str) -> None:
    """Take away what other systems answered to events about this person."""
    about_them = deliveries.c.subject == subject
    connection.execute(sa.update(deliveries).where(about_them).values(answer=None))
    theirs = sa.select(deliveries.c.id).where(about_them)
    connection.execute(sa.update(tries).where(tries.c.delivery.in_(theirs)).values(answer=None))


def forget() -> int:
    """Delete deliveries that ended more than 30 days ago; returns how many."""
    statement = sa.delete(deliveries).where(deliveries.c.done_at < sa.func.now() - timedelta(days=KEPT_DAYS))
    with hot_engine().connect() as connection:
        return int(connection.execute(statement).rowcount)
