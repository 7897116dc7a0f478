"""Letters of requests: the first, reminders, and the end of what nobody answered. A duty of the worker, harmless to run twice."""

import logging
from datetime import datetime, timedelta
from email.message import EmailMessage

from babel.dates import format_date

from console import log, runs
from console.auth.accounts import one_time
from console.core.document_letters import OUTSIDE
from console.core.errors import IntegrationError, OutcomeUnknown
from console.documents.requests.request_rows import (
    Request,
    by_id,
    close,
    ensure,
    half_done,
    hashed,
    lock_request,
    settled,
    token_of,
)
from console.infra import jobs, settings
from console.infra.db.engine import alone, fetch
from console.infra.db.run_reach import EVERY_RUN
from console.infra.outbound import mail
from console.runs.store.run_events import ENGINE
from console.steps.request_documents import EXPIRED, UNSENT, came

AT_ONCE = 200
AGAIN = timedelta(minutes=5)

_log = logging.getLogger(__name__)

_NEW = f"""
select r.id from {EVERY_RUN.sql()} where r.ended_at is null and r.status = 'waiting_event' and r.waiting->>'for' = 'documents'
and not exists (select from console.document_request d where d.id = r.waiting->>'key') limit %s
"""  # noqa: S608 (a text of ours)
_DUE = "select id from console.document_request where status in ('open', 'revoked') and least(remind_at, until) <= now() order by least(remind_at, until) limit %s"


def letters() -> int:
    """Make requests of runs that have just come to ask, send what is due, end what is over; how many were looked at. Nothing while paused."""
    if jobs.paused():
        return 0
    for (run_id,) in fetch(_NEW, (AT_ONCE,)):
        ensure(run_id)
    due = [row[0] for row in fetch(_DUE, (AT_ONCE,))]
    for request_id in due:
        with alone(f"letter|{request_id}") as mine:
            if mine:
                try:
                    _look(request_id)
                except Exception:  # noqa: BLE001 (one request's trouble must not stop the others)
                    _log.exception("request %s", request_id)
                    _later(request_id)
    return len(due)


def _later(request_id: str) -> None:
    fetch(
        "update console.document_request set remind_at = now() + %s where id = %s returning id",
        (AGAIN, request_id),
    )


def _look(request_id: str) -> None:
    found = by_id(request_id)
    if found is None:
        return
    request = settled(found)
    if request.status not in ("open", "revoked"):
        return
    if request.until <= log.now():
        with lock_request(request.id):
            _end(request)
    elif request.status == "open":
        _send(request)


def _end(request: Request) -> None:
    """The run goes on without; what came half stays, and is told."""
    papers, unsent = half_done(request)
    form = {field["name"]: None for field in request.asked["form"]}
    output = came(list(request.asked["documents"]), papers, form, request.asked["to"] if unsent else None) | {
        UNSENT: unsent
    }
    runs.arrive(ENGINE, request.run, request.id, outcome=EXPIRED, output=output)
    close(request, EXPIRED)


def _send(request: Request) -> None:
    """The letter that is due, and when the next one is."""
    configured = settings.current()
    if configured.smtp is None or configured.mail_from is None or configured.base_url is None:
        fetch(
            "update console.document_request set mail = 'none', remind_at = null where id = %s returning id",
            (request.id,),
        )
        return
    first = request.mail in ("due", "failed") and request.sent_at is None
    try:
        mail.send(_letter(request, str(configured.base_url), str(configured.mail_from), first=first))
        became = "sent"
    except OutcomeUnknown:
        became = "unknown"  # it may have arrived; a second one would only puzzle, and the reminder comes
    except IntegrationError as error:
        _log.warning("request %s: %s", request.id, error.message)
        one_time.make(
            "kept",
            None,
            request.until - log.now() + AGAIN,
            [error.message, not error.permanent],
            token=_trouble(request),
        )
        after = None if error.permanent else log.now() + AGAIN
        fetch(
            "update console.document_request set mail = 'failed', remind_at = %s where id = %s returning id",
            (after, request.id),
        )
        return
    fetch(
        "update console.document_request set mail = %s, sent_at = now(), reminded = reminded + %s, remind_at = %s where id = %s and status = 'open' returning id",
        (became, 0 if first else 1, next_reminder(request, log.now()), request.id),
    )


def trouble_of(request: Request) -> tuple[str, bool]:
    """Why its last letter did not go out, and whether it is tried again; an empty text where it did."""
    kept = one_time.find("kept", _trouble(request)) if request.mail == "failed" else None
    words, again = kept.content if kept is not None else ("", False)
    return str(words), bool(again)


def _trouble(request: Request) -> str:
    return f"letter of {request.id}"


def next_reminder(request: Request, now: datetime) -> datetime | None:
    """When the next reminder goes out, None where the last one has."""
    days = [request.made_at + timedelta(days=day) for day in request.asked["remind_after_days"]]
    return next((moment for moment in days if moment > now), None)


def _letter(request: Request, base_url: str, sender: str, *, first: bool) -> EmailMessage:
    asked, words = request.asked, OUTSIDE[request.asked["language"]]
    message = EmailMessage()
    message["Subject"] = asked["subject"] if first else words["reminder"].format(subject=asked["subject"])
    message["From"], message["To"] = sender, asked["to"]
    message["Date"] = log.now()
    message["Message-ID"] = f"<{request.id}.{request.round}.{request.reminded}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    lacking = [f"- {item.label}" for item in request.items if item.missing]
    parts = (
        [asked["letter"]]
        if first or not lacking
        else [asked["letter"], "\n".join([words["still"], *lacking])]
    )
    until = words["letter_until"].format(
        until=format_date(request.until.date(), "long", locale=asked["language"])
    )
    message.set_content("\n\n".join([*parts, f"{words['link']}\n{link_of(request, base_url)}", until]) + "\n")
    return message


def link_of(request: Request, base_url: str) -> str:
    """The address of the page outside. A token whose hash is not the one that is kept (another master key) is entered anew."""
    token = token_of(request.id, request.round)
    fetch(
        "update console.document_request set token = %b where id = %s and status = 'open' and token is distinct from %b returning id",
        (hashed(token), request.id, hashed(token)),
    )
    return f"{base_url}/request/{token}"
