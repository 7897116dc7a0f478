"""Mail with a link for a new password: anybody may ask; the worker sends it only to accounts with a password."""

import logging
import time
from datetime import timedelta
from email.message import EmailMessage

import sqlalchemy as sa

from console.auth.accounts import one_time, persons, profile, signing_in, throttle
from console.auth.accounts.throttle import Limit
from console.core.errors import IntegrationError, OutcomeUnknown
from console.infra import branding, jobs, settings
from console.infra.db import engine as db
from console.infra.outbound import mail

_log = logging.getLogger(__name__)
PER_ADDRESS, PER_PERSON = 20, 3
WAITS = timedelta(minutes=15)
"""How long a letter that cannot leave is tried: who waits longer asks anew."""
REST_S = 60.0
"""After a try that failed, no letter is tried for so long."""

_NEXT = sa.text(
    "delete from console.one_time where hash = (select hash from console.one_time where kind = 'letter' and until > now()"
    " order by until limit 1 for update skip locked) returning hash, content, until - now() as lasts"
)
_ACCOUNT = sa.text(
    "select id, name from console.person where email = :email and password_hash is not null and disabled_at is null"
)


def ask(email: str, ip: str) -> None:
    """Record a request for a link to this mail address; too many are ignored. Takes the same time for every address."""
    address = email.strip().lower()
    configured = settings.current()
    if (
        configured.smtp is None
        or configured.mail_from is None
        or configured.base_url is None
        or len(address) > 254
        or not persons.EMAIL.fullmatch(address)
    ):
        return
    if throttle.take([Limit("letters", ip, PER_ADDRESS), Limit("letter", address, PER_PERSON)]):
        one_time.make("letter", None, WAITS, address)


_rests_until = 0.0


def send() -> int:
    """Send the requested mails; returns how many. In a copy they wait for who says that it goes on.

    A mail that the server cannot take now is tried again with the same link, as long as it may wait: a stranger can ask for it, and each link is an event.
    """
    global _rests_until  # noqa: PLW0603 (how long this process waits)
    if jobs.paused_because() or time.monotonic() < _rests_until:
        return 0
    sent = 0
    while (asked := _next()) is not None:
        address, token, lasts = asked
        account = db.read_row(_ACCOUNT, {"email": address})
        if account is None:
            continue
        token = token or profile.make_link(signing_in.STRANGER, account.id, by_mail=True)
        try:
            mail.send(_letter(address, account.name, token))
        except OutcomeUnknown:
            continue
        except IntegrationError as error:
            if not error.permanent:
                one_time.make("letter", None, lasts, [address, token])
            _log.warning("a letter for a new password: %s", error.message)
            _rests_until = time.monotonic() + REST_S
            return sent
        sent += 1
    return sent


def _next() -> tuple[str, str, timedelta] | None:
    """The address, the token of its link (empty before the first try) and how long the letter may still wait."""
    row = db.read_row(_NEXT)
    if row is None:
        return None
    content = one_time.open_content(row.hash, row.content)
    address, token = (content, "") if isinstance(content, str) else content
    return address, token, row.lasts


def _letter(address: str, name: str, token: str) -> EmailMessage:
    configured = settings.current()
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = (
        configured.mail_from,
        address,
        f"A new password for {branding.current().name}",
    )
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(
        f"Hello {name},\n\nsomebody, most likely you, asked for a new password for {configured.base_url}.\n\n"
        f"Choose it here within an hour:\n{configured.base_url}/sign-in/new-password/{token}\n\n"
        "If it was not you, do nothing: your password stays what it is.\n"
    )
    return letter
