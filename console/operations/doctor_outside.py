"""The doctor's look at what leaves the console: checkpoints, events for webhooks, and messages of the channels."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from console import log
from console.infra import settings
from console.infra.db.engine import fetch
from console.operations.doctor import Check, Look, spoken_moment

LATE = timedelta(minutes=15)
"""What waits for longer than this although it could leave is said to be late."""
_DELIVERIES = """
select w.stopped is not null, w.enabled and w.stopped is null and w.problem is not null, count(d.id) filter (where d.status = 'waiting'),
min(d.made_at) filter (where d.status = 'waiting'), coalesce(max(d.tries) filter (where d.status = 'waiting'), 0)
from console.webhook w left join console.webhook_delivery d on d.webhook = w.id group by w.id
"""


def looks(one_role: bool) -> list[Look]:
    """A look at each way out."""
    return [partial(_checkpoints, one_role=one_role), _webhooks, _channels, _mailbox]


def _checkpoints(*, one_role: bool) -> Iterator[Check]:
    """Whether checkpoints get out; without that, the log proves nothing against whoever has all rights on the server."""
    from console.activity import checkpoint_delivery

    deliveries = checkpoint_delivery.state()
    if not deliveries:
        who = (
            "the application's own role, or a superuser of the server,"
            if one_role
            else "a superuser of the server"
        )
        yield Check(
            "outside",
            ok=True,
            message=f"no place outside gets the checkpoints: {who} could rewrite the whole log and its checkpoints, and nobody could tell",
            fix="Set CONSOLE_CHECKPOINT_WEBHOOK_URL, CONSOLE_CHECKPOINT_MAIL_TO or CONSOLE_CHECKPOINT_S3_URL",
        )
    for place in deliveries:
        got = (
            f"has {place.size} events of {spoken_moment(place.delivered_at)}"
            if place.size and place.delivered_at
            else "has no checkpoint yet"
        )
        since = (
            f"; nothing since {spoken_moment(place.failing_since)}: {place.error}"
            if place.failing_since
            else ""
        )
        yield Check(
            f"outside: {place.kind}",
            ok=not place.failing,
            message=f"{place.target} {got}{since}",
            fix="Look at what it answers, and at its address and secrets in the settings; it is tried again by itself"
            if place.failing
            else "",
        )


def _webhooks() -> Iterator[Check]:
    """Whether events get to where they are sent: webhooks that stopped, that fail, and the oldest event that waits."""
    rows = fetch(_DELIVERIES)
    if not rows:
        return
    stopped, failing = sum(row[0] for row in rows), sum(bool(row[1] or row[4]) for row in rows)
    waiting, oldest = (
        sum(row[2] for row in rows),
        min((row[3] for row in rows if row[3] and not row[0]), default=None),
    )
    late = oldest is not None and log.now() - oldest > LATE
    words = [f"{len(rows)} {'address' if len(rows) == 1 else 'addresses'}"]
    words += [f"{stopped} stopped"] if stopped else []
    words += [f"{failing} failing"] if failing else []
    words += (
        [f"{waiting:,} events waiting" + (f", the oldest since {spoken_moment(oldest)}" if oldest else "")]
        if waiting
        else []
    )
    fix = "Look at Settings, Webhooks: what the address answers; a stopped one is switched on again there"
    yield Check(
        "webhooks",
        ok=not (stopped or late),
        message=", ".join(words),
        fix=fix if stopped or failing or late else "",
    )


def _mailbox() -> Iterator[Check]:
    """Whether answers of contacts come in."""
    from console.messaging.messages import mail_polling

    if settings.current().imap is None:
        return
    found = mail_polling.polling_state()
    if found is None or found.looked_at is None:
        yield Check("mailbox", ok=True, message="is read every minute by a worker, and was not yet")
        return
    late = log.now() - found.looked_at > LATE
    message = f"read last at {spoken_moment(found.looked_at)}, {found.taken:,} mails taken in"
    message += f"; {found.problem}" if found.problem else ""
    fix = "Look at CONSOLE_IMAP_URL and whether a worker runs" if found.problem or late else ""
    yield Check("mailbox", ok=not (found.problem or late), message=message, fix=fix)


def _channels() -> Iterator[Check]:
    """Whether messages leave on each channel that is not a sandbox."""
    from console.core.contacting import KINDS
    from console.messaging.messages import channel_settings

    for kind in KINDS:
        state, figures = channel_settings.state_of(kind), channel_settings.figures_of(kind)
        if state.sandbox:
            continue  # nothing really leaves, and the banner of the console says so
        bad = figures.failed > figures.left
        message = f"{state.provider}: {figures.left:,} left in the last day, {figures.failed:,} failed, {figures.waiting:,} waiting"
        yield Check(
            f"channel: {kind}",
            ok=not bad,
            message=message,
            fix="Look at Settings, Channels, and at the page Outbox" if bad else "",
        )
