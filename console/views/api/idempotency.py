"""`X-Idempotency-Key` on every POST: the same key and body are executed once; another body with the key is refused. So for forms of pages that make
something: each is drawn with a key of its own (`once()` in templates), and sent again it leads to what was made.

Stored are the use of the key by this API key or session, a keyed hash of the request, and the id of what was made: no content. A repeat
is answered by reading the result anew for the present caller. A refused request did nothing and is judged anew.

A request claims its key before it does anything, and holds a lock while it works; a second one at the same time is told to come back. The first
transition writes the key in its own transaction, so a repeat after a crash or a lost response finds that the work was done. The claim of a request
that died without doing anything is taken over at once: its lock died with its process.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from http import HTTPStatus

import psycopg
import sqlalchemy as sa
from flask import Blueprint, Response, current_app, flash, g, jsonify, request
from flask.typing import ResponseReturnValue

from console import log, runs
from console.core.errors import Conflict, ConsoleError, Invalid, Malformed
from console.infra import subjects
from console.infra.db import tables
from console.infra.db.engine import alone, fetch, hot_engine
from console.log import idempotency_note
from console.views import frame
from console.views.api.operation import OPERATION, Done, Operation
from console.views.errors import answer_expected

logger = logging.getLogger(__name__)
blueprint = Blueprint("api_idempotency", __name__)
HEADER = "X-Idempotency-Key"
STANDARD = "Idempotency-Key"
"""What other programs call the header: taken where ours is not sent, because work done twice would be the price of a name."""

FIELD = "once"
SENT_BEFORE = (
    "This form was sent before, and what it asks for was done then. To do it once more, open it anew."
)
BEGUN_BEFORE = "This form was sent before: this is what it began. To do it once more, open it anew."
GOES_ON = "acting.show_action"
"""Begins a run and hands its step in: a process may have died in between, so it goes on with the run."""
REPLAYED = "X-Idempotency-Replayed"
LONGEST = 200

_CLAIM = """
insert into console.idempotency as i (key, fingerprint, at) values (%(key)s, %(fingerprint)s, clock_timestamp())
on conflict (key) do update set fingerprint = excluded.fingerprint, status = null, made = null, at = excluded.at, writing = case when i.at < clock_timestamp() - %(kept)s then null else i.writing end
where i.at < clock_timestamp() - %(kept)s or (i.status is null and i.fingerprint = excluded.fingerprint)
returning key
"""
_KEPT = "select fingerprint, status, made, at from console.idempotency where key = %s"


@blueprint.before_app_request
def answer_repeat() -> ResponseReturnValue | None:
    """Answer a repeat by reading what was made; else claim the key, and remember it for the first transition of this request."""
    log.IDEMPOTENCY.set(None)
    g.idempotency = None
    if request.method != "POST" or g.get("actor") is None:
        return None
    key_sent = _key_sent()
    if key_sent is None:
        return None
    if not 1 <= len(key_sent) <= LONGEST or not key_sent.isprintable():
        raise Malformed(
            f"{HEADER} takes 1 to {LONGEST} printable characters.",
            at=(HEADER, f"1 to {LONGEST} printable characters."),
        )
    key = subjects.digest(
        f"{g.actor.session}|{key_sent}".encode("utf-8", "surrogatepass"), "idempotency"
    ).hex()
    fingerprint = _fingerprint()
    g.idempotency_lock = lock = ExitStack()
    mine = lock.enter_context(alone(f"idempotency|{key}"))
    claimed = mine and bool(
        fetch(_CLAIM, {"key": key, "fingerprint": fingerprint, "kept": idempotency_note.KEPT})
    )
    done_before = idempotency_note.finished(key)
    if not claimed or done_before is not None:
        answer = _answer(key, fingerprint, done_before, taken_over=claimed)
        if answer is not None:
            return answer
    g.idempotency = key
    log.IDEMPOTENCY.set(None if done_before is not None else key)
    return None


def _key_sent() -> str | None:
    """The key as it was sent; None for a request without one."""
    return (
        request.headers.get(HEADER, request.headers.get(STANDARD))
        if _of_program()
        else request.form.get(FIELD)
    )


def _of_program() -> bool:
    return request.path.startswith("/api/")


def _fingerprint() -> bytes:
    """Return what distinguishes requests: address and body. Of a form its content, because its boundary differs each time. Of a page's form the address
    alone: who changes something and presses again, because no answer came, has to see first what was done.
    """
    if not _of_program():
        return subjects.digest(request.path.encode("utf-8", "surrogatepass"), "request")
    digest = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    if request.mimetype != "multipart/form-data":
        digest.update(request.get_data())
    else:
        parts = [
            (name, b"", value.encode("utf-8", "surrogatepass"))
            for name, value in request.form.items(multi=True)
        ]
        for name, sent in request.files.items(multi=True):
            parts.append(
                (
                    name,
                    (sent.filename or "").encode("utf-8", "surrogatepass"),
                    hashlib.sha256(sent.stream.read()).digest(),
                )
            )
            sent.stream.seek(0)
        for part in sorted(parts):
            digest.update(repr(part).encode())
    return subjects.digest(digest.digest(), "request")


def _answer(
    key: str, fingerprint: bytes, event: tuple[str, int] | None, *, taken_over: bool
) -> ResponseReturnValue | None:
    """Return the result of the first request as it is now; None if nothing was done that could be read. Raises Invalid, Conflict."""
    found = fetch(_KEPT, (key,))
    if not found:
        raise _under_way()
    kept, status, made, at = found[0]
    if bytes(kept) != fingerprint:
        raise Invalid(
            f"The idempotency key “{_key_sent()}” was used for another request. Nothing was done.",
            code="idempotency_mismatch",
            at=(HEADER, "Take a new key for another body."),
        )
    if status is None and (event is None or not (_of_program() or taken_over)):
        raise _under_way()
    if not _of_program():
        return _sent_before(*event) if event is not None else None
    answer = _read_anew(event, made, at, status)
    if answer is None and event is not None and _declared().again is not None:
        # its work is done, so it is not done again: the first request has not named yet what it made, or died before
        raise lost("It", "its list") if taken_over or status is not None else _under_way()
    return answer


def _sent_before(chain: str, _number: int) -> Response | None:
    """Lead who sent a form again to the run that it began; else back to the form, which says that it was done. None where the view goes on with the run."""
    with suppress(ConsoleError):
        if chain.startswith("run_"):
            runs.get(g.actor, chain, shown=False)
            flash(BEGUN_BEFORE)
            g.begun = chain if request.endpoint == GOES_ON else None
            return frame.redirect_to(frame.run_url(chain)) if g.begun is None else None
    flash(SENT_BEFORE)
    return frame.redirect_to(request.path)


def _under_way() -> Conflict:
    return Conflict(
        "The same request is under way. Ask again in a moment: it is answered as the first one.",
        code="in_progress",
        retry_after=1,
    )


def _declared() -> Operation:
    declared: Operation = getattr(current_app.view_functions[request.endpoint or ""], OPERATION)
    return declared


def _read_anew(
    event: tuple[str, int] | None, made: str | None, at: datetime, first: int | None = None
) -> ResponseReturnValue | None:
    """Return the result as the caller may see it now, under the status of the first answer. Raises NotFound and NotAllowed like the address that reads it."""
    declared = _declared()
    chain, number = event or (None, 0)
    response = declared.again(Done(chain, number, made, at)) if declared.again is not None else None
    if response is None:
        return None
    status = first if first is not None and first in declared.answers else min(declared.answers)
    answer = jsonify(response) if declared.answers[status] is not None else Response(status=status)
    answer.status_code = status
    answer.headers[REPLAYED] = "true"
    return answer


def lost(what: str, where: str) -> Conflict:
    """What a repeat is told whose first request did its work, but died before it named what it made."""
    return Conflict(
        f"{what} was made by the first request, whose answer was lost: look in {where}.", code="done_before"
    )


def begun_once(named: str, asked: str, begin: Callable[[], str]) -> str:
    """The id of the run that a call begins under a key that stands in its body: of the earlier one where it was sent before.

    Raises Invalid where the key was used for something else, Conflict while the same call is under way.
    """
    key = subjects.digest(f"{g.actor.session}|{named}".encode("utf-8", "surrogatepass"), "idempotency").hex()
    fingerprint = subjects.digest(asked.encode("utf-8", "surrogatepass"), "request")
    with alone(f"idempotency|{key}") as mine:
        if mine:
            fetch(_CLAIM, {"key": key, "fingerprint": fingerprint, "kept": idempotency_note.KEPT})
        kept = fetch(_KEPT, (key,))
        if kept and bytes(kept[0][0]) != fingerprint:
            raise Invalid(
                f"The idempotency_key “{named.partition('|')[2]}” was used for another call: take a new one.",
                code="idempotency_mismatch",
            )
        done = idempotency_note.finished(key)
        if done is None and not mine:
            raise _under_way()
        if done is not None:
            return done[0]
        with idempotency_note.of_request(key):
            return begin()


def name_result(ident: str) -> None:
    """Store the id of what this request made, if no event names it."""
    g.idempotency_made = ident


@blueprint.app_errorhandler(log.AlreadyDone)
def done_meanwhile(_error: log.AlreadyDone) -> ResponseReturnValue:
    """Answer a slow request whose claim was taken over: the other request did the work."""
    event = idempotency_note.finished(g.idempotency)
    try:
        if event is not None and not _of_program():
            return _sent_before(*event) or frame.redirect_to(frame.run_url(event[0]))
        answer = _read_anew(event, None, log.now()) if event is not None else None
    except ConsoleError as error:
        return answer_expected(error)
    return answer or answer_expected(
        Conflict("The same request is under way. Ask again in a moment.", code="in_progress", retry_after=1)
    )


@blueprint.after_app_request
def store_done(response: Response) -> Response:
    """Store that the work is done. What was refused did nothing: its claim is free as soon as its lock is, and a repeat is judged anew."""
    key = g.get("idempotency")
    log.IDEMPOTENCY.set(None)
    if key is None or response.status_code >= HTTPStatus.BAD_REQUEST:
        return response
    try:
        _keep(key, response.status_code)
    except sa.exc.DBAPIError as error:  # the work is done: a repeat is answered with the present state
        logger.warning("that a request was answered could not be kept: %s", type(error.orig).__name__)
    return response


@blueprint.teardown_app_request
def release_key(_error: BaseException | None) -> None:
    """Let go of the key. Where the connection was lost, so was the lock."""
    lock: ExitStack | None = g.pop("idempotency_lock", None)
    if lock is not None:
        with suppress(sa.exc.DBAPIError, psycopg.Error):
            lock.close()


def _keep(key: str, status: int) -> None:
    table = tables.idempotency
    kept = {"status": status, "made": g.get("idempotency_made")}
    with hot_engine().connect() as connection:
        connection.execute(
            sa.update(table).where(table.c.key == key, table.c.status.is_(None)).values(**kept)
        )
