"""Reading the mailbox that contacts answer to, in turns: each new mail is taken in once, as if its mail server had handed it on.

How far it was read stands in one row, which one worker at a time holds for some minutes, in no open transaction. At the first look it begins behind what is there; a mailbox that counts
anew is read from its beginning again, and what was taken in before is known by its own id.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from console import log
from console.core.errors import IntegrationError
from console.infra import jobs, settings
from console.infra.db.engine import fetch, transaction
from console.infra.outbound import imap
from console.infra.outbound.imap import Opened, Place
from console.messaging.channels.mail_reports import MOST_BYTES, read
from console.messaging.messages import callbacks

AT_ONCE = 200
SPAN = 1_000
"""Unique ids that are asked for at once: most of them may be of mails that are gone."""
OF_HUGE = 128 * 1024
"""Of a mail that is larger, this much from its beginning is read: who wrote it, and mostly what."""
MOST_TRIES = 3
HELD = timedelta(minutes=10)
"""After this time another worker reads on, where the one that read was ended."""
logger = logging.getLogger(__name__)
_HELD = sa.text(
    "update console.mailbox set held_until = :until where id = 1 and (held_until is null or held_until < :now) returning validity, next_uid, tries"
)
_BEGIN = sa.text("insert into console.mailbox (id) values (1) on conflict do nothing")
_GO_ON = sa.text(
    "update console.mailbox set validity = :validity, next_uid = :next, tries = :tries, held_until = null, looked_at = :at, problem = :problem,"
    " problem_at = case when cast(:problem as text) is null then null else coalesce(problem_at, :at) end, taken = taken + :taken where id = 1"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the reading of the mailbox stands: when it was looked into last, how many mails were taken in, what is wrong and since when."""

    looked_at: datetime | None
    taken: int
    problem: str | None
    problem_at: datetime | None


def polling_state() -> Standing | None:
    """How it stands; None where no mailbox is set or none was looked into yet."""
    rows = (
        fetch("select looked_at, taken, problem, problem_at from console.mailbox")
        if settings.current().imap is not None
        else []
    )
    return Standing(*rows[0]) if rows else None


def poll() -> int:
    """Take in new mails, at most `AT_ONCE`; returns how many were looked at. While everything is paused, they wait in their mailbox."""
    if settings.current().imap is None or jobs.paused():
        return 0
    now = log.now()
    with transaction() as connection:
        connection.execute(_BEGIN)
        row = connection.execute(_HELD, {"now": now, "until": now + HELD}).one_or_none()
    if row is None:
        return 0  # another worker reads
    known = Place(row.validity, row.next_uid) if row.validity is not None else None
    place, tries, looked, taken, problem = known, row.tries, 0, 0, None
    try:
        with imap.open_mailbox() as box:
            place = _begin(known, box.place)
            for uid, size in _coming(box, place):
                try:
                    taken += _take_in(box, uid, size)
                except IntegrationError:
                    raise
                except Exception:
                    logger.exception("mail %s of the mailbox", uid)
                    tries += 1
                    if tries < MOST_TRIES:
                        problem = "A mail could not be taken in; it is tried again."
                        break
                tries, looked, place = 0, looked + 1, Place(place.validity, uid + 1)
            else:
                place = (
                    box.place if looked < AT_ONCE else place
                )  # behind the newest mail, where all were looked at
    except IntegrationError as error:
        problem = error.message
    columns = {
        "validity": place.validity if place else None,
        "next": place.next_uid if place else None,
        "tries": tries,
    }
    with transaction() as connection:
        connection.execute(_GO_ON, columns | {"at": log.now(), "problem": problem, "taken": taken})
    return looked


def _begin(known: Place | None, now: Place) -> Place:
    """Where to go on: behind everything at the first look, from the beginning where the mailbox counts anew."""
    if known is None:
        return now
    return known if known.validity == now.validity else Place(now.validity, 1)


def _coming(box: Opened, place: Place) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    first = place.next_uid
    while first < box.place.next_uid and len(found) < AT_ONCE:
        found += box.sizes(first, min(first + SPAN, box.place.next_uid) - 1)
        first += SPAN
    return found[:AT_ONCE]


def _take_in(box: Opened, uid: int, size: int) -> bool:
    """Take one mail in; False where it tells nothing or is gone."""
    raw = box.mail(uid, MOST_BYTES if size <= MOST_BYTES else OF_HUGE)
    if raw is None:
        return False
    mail = read(raw)
    if mail is None:
        return False
    callbacks.take_in("email", "smtp", mail)
    return True
