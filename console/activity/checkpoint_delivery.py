"""Checkpoints of the log leave the house: to a webhook, to auditors by mail, to an S3-compatible store.

Whoever keeps one of them can tell later whether anything before it was changed, even by somebody with all rights here. Each place has one row that
says how far it has got; a checkpoint that was sent and not yet noted is sent again under the same name. Nothing here holds up the log.
"""

import base64
import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Literal
from urllib.parse import urlsplit

from sqlalchemy.dialects import postgresql

from console import log
from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra import faults, jobs, settings
from console.infra.db import tables
from console.infra.db.engine import alone, fetch, hot_engine
from console.infra.outbound import retry_after
from console.log import checkpoint

AT_ONCE = 100
FIRST_WAIT_S = 15
LONGEST_WAIT_S = 15 * 60
LONGEST_ASKED = timedelta(hours=1)
"""What a place asks for beyond that is not waited: nobody outside holds the evidence back for long."""
MAIL_EVERY = timedelta(hours=1)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """A checkpoint that leaves: its note is what is sent, byte for byte, and the same head always goes under the same `name`."""

    size: int
    note: str

    @property
    def name(self) -> str:
        """Sorts by size: `checkpoint-000000000917`."""
        return f"checkpoint-{self.size:012d}"

    @property
    def id(self) -> str:
        """Names these very bytes, so that a receiver knows a second delivery for what it is."""
        return f"{self.name}-{hashlib.sha256(self.note.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere outside: `target` is for people and holds no secret, `key` names its row, `every` is the least time between two deliveries."""

    kind: Literal["webhook", "mail", "s3"]
    target: str
    key: str
    send: Callable[[Head], None]
    every: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far a place has got: the newest checkpoint it has taken, and since when and why it takes no more."""

    kind: Literal["webhook", "mail", "s3"]
    target: str
    size: int | None = None
    delivered_at: datetime | None = None
    tried: int = 0
    failing_since: datetime | None = None
    error: str | None = None

    @property
    def failing(self) -> bool:
        """Whether the last attempt went wrong."""
        return self.failing_since is not None


def state() -> list[Delivery]:
    """One entry for each configured place, as pages and `console doctor` show it; empty where no place outside is configured."""
    configured = places()
    rows_by_place = _rows() if configured else {}
    return [
        Delivery(place.kind, place.target, *rows_by_place[place.key][:5])
        if place.key in rows_by_place
        else Delivery(place.kind, place.target)
        for place in configured
    ]


def deliver() -> int:
    """Bring every configured place what it lacks; how many checkpoints were delivered. One process at a time, the others answer 0.

    In order, every checkpoint; by mail only the newest. A place that was never served gets the newest first: what was before, that one vouches for.
    """
    configured = places()
    if not configured or jobs.paused_because():  # heads of a copy do not fit those of its original
        return 0
    with alone("publishing") as mine:
        return sum(_serve(place) for place in configured) if mine else 0


def places() -> list[Place]:
    """The places that the settings name."""
    configured = settings.current()
    enabled = []
    if configured.checkpoint_webhook_url:
        enabled.append(
            Place(
                "webhook",
                _origin(configured.checkpoint_webhook_url),
                _key("webhook", configured.checkpoint_webhook_url),
                _post,
            )
        )
    enabled += [
        Place("mail", address, _key("mail", address), _mailer(address), MAIL_EVERY)
        for address in configured.checkpoint_mail_to
    ]
    if configured.checkpoint_s3_url:
        enabled.append(
            Place("s3", configured.checkpoint_s3_url, _key("s3", configured.checkpoint_s3_url), _put)
        )
    return enabled


def _origin(url: str) -> str:
    """Scheme, host and port: the path of a webhook is often its secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _key(kind: str, target: str) -> str:
    """Another target is another place, which has nothing yet; the row does not repeat a secret that the target may hold."""
    return f"{kind} {hashlib.sha256(target.encode()).hexdigest()[:32]}"


def _rows() -> dict[str, tuple[int | None, datetime | None, int, datetime | None, str | None, datetime]]:
    rows = fetch(
        "select place, size, delivered_at, tried, failing_since, error, due_at from console.delivery"
    )
    return {row[0]: tuple(row[1:]) for row in rows}


def _serve(place: Place) -> int:
    """Deliver what this place lacks until it has everything or refuses; how many it took."""
    now = log.now()
    size, delivered_at, tried, since, _, due_at = _rows().get(place.key, (None, None, 0, None, None, now))
    waiting = now < due_at <= now + LONGEST_ASKED  # further ahead: the clock was put back
    if waiting or (delivered_at and timedelta() <= now - delivered_at < place.every):
        return 0
    count = 0
    for head in _lacking(place, size):
        try:
            _hand_over(place, head)
        except (IntegrationError, OutcomeUnknown) as error:
            _failed(place, tried if count == 0 else 0, since if count == 0 else None, error)
            return count
        faults.point("publishing.sent")
        _note(
            place,
            size=head.size,
            delivered_at=log.now(),
            tried=0,
            due_at=log.now(),
            failing_since=None,
            error=None,
        )
        count += 1
    return count


def _lacking(place: Place, size: int | None) -> Iterator[Head]:
    """Checkpoints after this size, oldest first; where there was none yet, or not each is wanted, the newest alone."""
    newest_only = size is None or place.every
    order = "desc limit 1" if newest_only else f"limit {AT_ONCE}"
    for row in fetch(
        f"select size, note from console.checkpoint where size > %s order by size {order}",  # noqa: S608 (our own words)
        (size or 0,),
    ):
        yield Head(*row)


def _hand_over(place: Place, head: Head) -> None:
    """Send it. Where it is refused for good, and not everything is, the newest takes its place: a store may refuse a name that it has already."""
    try:
        place.send(head)
    except IntegrationError as error:
        newest = Head(*fetch("select size, note from console.checkpoint order by size desc limit 1")[0])
        if not error.permanent or newest.size == head.size:
            raise
        place.send(newest)
        _log.warning(
            "%s %s refuses the checkpoint of %s events for good and takes later ones: %s",
            place.kind,
            place.target,
            head.size,
            error.message,
        )


def _failed(
    place: Place, tried: int, since: datetime | None, error: IntegrationError | OutcomeUnknown
) -> None:
    """Note it and try again later: after 15 s, then twice as long each time, at most 15 minutes; later where the place asks for it, at most an hour.

    Each failure is an alarm in the process's log.
    """
    now, reason = log.now(), error.message
    own = timedelta(seconds=min(FIRST_WAIT_S * 2 ** min(tried, 10), LONGEST_WAIT_S))
    wait = min(
        LONGEST_ASKED, retry_after.pause(own, error.wait_s if isinstance(error, IntegrationError) else None)
    )
    _note(place, tried=tried + 1, due_at=now + wait, failing_since=since or now, error=reason)
    _log.error(
        "alarm: since %s no checkpoint has reached the %s %s: %s",
        f"{since or now:%Y-%m-%dT%H:%M:%SZ}",
        place.kind,
        place.target,
        reason,
    )


def _note(place: Place, **values: object) -> None:
    insert = postgresql.insert(tables.delivery).values(place=place.key, **values)
    with hot_engine().connect() as connection:
        connection.execute(insert.on_conflict_do_update(index_elements=["place"], set_=values))


def _post(head: Head) -> None:
    """As text, signed by the shared secret. Source: https://www.standardwebhooks.com (webhook-id, -timestamp, -signature)."""
    from console.infra.outbound import net

    configured = settings.current()
    now = int(log.now().timestamp())
    secret = configured.checkpoint_webhook_secret or b""
    signature = hmac.digest(secret, f"{head.id}.{now}.{head.note}".encode(), "sha256")
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "webhook-id": head.id,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    answer = net.send("POST", str(configured.checkpoint_webhook_url), head.note.encode(), headers)
    if not answer.good:
        raise IntegrationError(
            f"it answered {answer.status}", permanent=answer.permanent, wait_s=answer.wait_s
        )


def _put(head: Head) -> None:
    """As an object named by its size, kept from deletion where a time is set."""
    from console.infra.outbound import net, s3_signature

    configured = settings.current()
    url, body = f"{configured.checkpoint_s3_url}/{head.name}.txt", head.note.encode()
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    headers = {"Content-Type": "text/plain; charset=utf-8", "Content-MD5": base64.b64encode(digest).decode()}
    if configured.checkpoint_s3_retention_days:
        until = log.now() + timedelta(days=configured.checkpoint_s3_retention_days)
        headers |= {
            "x-amz-object-lock-mode": "COMPLIANCE",
            "x-amz-object-lock-retain-until-date": f"{until:%Y-%m-%dT%H:%M:%SZ}",
        }
    key = s3_signature.Key(
        str(configured.checkpoint_s3_key_id),
        str(configured.checkpoint_s3_secret),
        configured.checkpoint_s3_region,
    )
    answer = net.send("PUT", url, body, s3_signature.signed("PUT", url, headers, body, key, log.now()))
    if not answer.good:
        code = re.search(rb"<Code>([A-Za-z0-9]{1,60})</Code>", answer.body)
        words = f"it answered {answer.status}{f' {code[1].decode()}' if code else ''}"
        raise IntegrationError(words, permanent=answer.permanent, wait_s=answer.wait_s)


def _mailer(address: str) -> Callable[[Head], None]:
    """A function that mails a checkpoint to this auditor: a short text, and the note as a file that `verify.py --since` reads."""

    def send(head: Head) -> None:
        from console.infra.outbound import mail

        configured = settings.current()
        origin = checkpoint.parse(head.note).checkpoint.origin
        message = EmailMessage()
        message["Subject"] = f"Checkpoint of {origin}: {head.size} events"
        message["From"], message["To"] = str(configured.mail_from), address
        message["Date"] = log.now()
        message["Message-ID"] = f"<{head.id}@{str(configured.mail_from).partition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            f"The log {origin} has {head.size} events; the attached note says so, and is signed.\n\n"
            "Keep it where nobody who runs the console can reach it. With it, an export of the log can be checked later:\n\n"
            f"    python3 verify.py EXPORT.zip --key 'THE KEY THAT YOU WERE GIVEN' --since {head.name}.txt\n\n"
            "You need to do nothing else with it today.\n"
        )
        message.add_attachment(
            head.note.encode(), maintype="text", subtype="plain", filename=f"{head.name}.txt"
        )
        mail.send(message)

    return send
