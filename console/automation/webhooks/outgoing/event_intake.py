"""Events for outgoing webhooks: each has a cursor in the log, and each wanted event becomes a delivery in the same transaction.

Nothing in the log waits for this. Where much waits to be sent, no more is taken in: the cursor remembers where to go on.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from console.automation.webhooks.outgoing import event_types
from console.automation.webhooks.outgoing.deactivation import stop
from console.automation.webhooks.outgoing.readable_events import Audience, Readable
from console.automation.webhooks.outgoing.subscription_rows import (
    Subscription,
    deliveries,
    note_problem,
    row_of,
    table,
)
from console.core import expressions
from console.core.errors import ConsoleError, NotAllowed
from console.infra import faults, jobs
from console.infra.db.engine import alone, fetch, read_rows, transaction
from console.log import event_lists

logger = logging.getLogger(__name__)
LIMIT = 500
ROUNDS = 10
"""So many pages of the log are read for one webhook before the others have their turn."""
MOST_WAITING = 1_000
_WAITING = "select count(*) from console.webhook_delivery where webhook = %s and status = 'waiting' and pos is not null"


def take_in(stopping: Callable[[], bool] = lambda: False) -> int:
    """Read the log for every webhook that is behind; returns how many were. Called by one worker at a time."""
    if jobs.paused():
        return 0
    with alone("webhooks.log") as mine:
        behind = _behind() if mine else []
        for webhook in behind:
            if stopping():
                break
            try:
                _read_on(webhook, stopping)
            except NotAllowed as error:
                stop(webhook, "right", error.words)
            except ConsoleError as error:
                note_problem(webhook, error.message)
            except Exception:  # one webhook's surprise must not keep the others from being read for
                logger.exception("alarm: the events of the webhook %s", webhook.id)
    return len(behind)


def _behind() -> Sequence[Subscription]:
    on = sa.select(table).where(
        table.c.enabled, table.c.stopped.is_(None), table.c.cursor < event_lists.reached().pos
    )
    return [row_of(row) for row in read_rows(on.order_by(table.c.cursor))]


def _read_on(webhook: Subscription, stopping: Callable[[], bool]) -> None:
    end, cursor, last = event_lists.reached().pos, webhook.cursor, webhook.last_pos
    kinds = event_types.kinds_of(webhook.events)
    for _ in range(ROUNDS):
        if cursor >= end or stopping() or fetch(_WAITING, (webhook.id,))[0][0] >= MOST_WAITING:
            break
        found, upto = Audience(webhook).after(cursor, end, kinds, LIMIT)
        wanted = [(event, name) for event in found if (name := _wanted(webhook, event)) is not None]
        if not _take(webhook, wanted, cursor, upto, last):
            return
        cursor, last = upto, wanted[-1][0].pos if wanted else last
    note_problem(webhook, None)


def _wanted(webhook: Subscription, event: Readable) -> str | None:
    """Under which name the event is sent; None where it is not wanted, or the filter does not let it pass (unknown is not enough)."""
    name = event_types.wanted_type(event.types, webhook.events)
    if name is None or webhook.filter is None:
        return name
    return name if expressions.parse(webhook.filter).test(event.roots(name)) else None


def _id_of(webhook: Subscription, event: Readable) -> str:
    """The same for an event that is taken in again after a restore, so that receivers know it by its `webhook-id`."""
    named = f"{webhook.id}|{event.content['data']['id']}"
    return f"dlv_{hashlib.sha256(named.encode()).hexdigest()[:26]}"


def _take(
    webhook: Subscription, wanted: Sequence[tuple[Readable, str]], since: int, upto: int, last: int | None
) -> bool:
    """Write the deliveries down and move the cursor; False where somebody changed the webhook meanwhile."""
    rows = []
    for event, name in wanted:
        place = {"id": _id_of(webhook, event), "webhook": webhook.id, "pos": event.pos, "prev_pos": last}
        rows.append({**place, "type": name, "label": event.label, "subject": event.subject})
        last = event.pos
    same = (
        table.c.id == webhook.id,
        table.c.cursor == since,
        table.c.enabled,
        table.c.stopped.is_(None),
        table.c.acts_for == webhook.acts_for,
    )
    with transaction() as connection:
        if not connection.execute(sa.update(table).where(*same).values(cursor=upto, last_pos=last)).rowcount:
            return False
        if rows:
            connection.execute(
                insert(deliveries).values(rows).on_conflict_do_nothing(index_elements=["webhook", "pos"])
            )
            jobs.enqueue(connection, jobs.DELIVER, webhook.id, dedupe_key=f"webhook:{webhook.id}")
        faults.point("webhooks.taken")
    return True
