"""`X-Idempotency-Key` on every POST: the same key and body give the first answer again, another body is refused.

A request claims its key before it does anything; a second one at the same time is told to come back. The first transition writes the key in its
own transaction: so a repeat after a crash or a lost answer finds that the work was done, and is told how things stand now. A claim whose
request died without having done anything is taken over by the next.
"""

import hashlib
import logging
from datetime import timedelta
from typing import Any

import orjson
import sqlalchemy as sa
from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue

from console import approvals, log, runs, workflows
from console.db import tables
from console.db.engine import fetch, hot_engine
from console.errors import Conflict, Invalid, Malformed
from console.views.api.operation import OPERATION, Operation

logger = logging.getLogger(__name__)
blueprint = Blueprint("api_idempotency", __name__)
HEADER = "X-Idempotency-Key"
KEPT = timedelta(days=1)
CLAIMED_S = 30  # a request that takes longer is dead, or so slow that its transition decides
LONGEST = 200

_CLAIM = """
insert into console.idempotency as i (key, fingerprint, at) values (%(key)s, %(fingerprint)s, clock_timestamp())
on conflict (key) do update set fingerprint = excluded.fingerprint, status = null, body = null, at = excluded.at
where i.at < clock_timestamp() - %(kept)s or (i.status is null and i.fingerprint = excluded.fingerprint and i.at < clock_timestamp() - %(claimed)s)
returning key
"""
_KEPT = "select fingerprint, status, body from console.idempotency where key = %s"
_DONE = "select chain, seq from console.request_done where key = %s and at > now() - %s"


@blueprint.before_app_request
def recall() -> ResponseReturnValue | None:
    """Answer a repeat from what is kept; else claim the key, and remember it for the first transition of this request."""
    log.IDEMPOTENCY.set(None)
    g.idempotency = None
    told = request.headers.get(HEADER)
    if told is None or request.method != "POST" or g.get("actor") is None or not request.path.startswith("/api/"):
        return None
    if not 1 <= len(told) <= LONGEST or not told.isprintable():
        raise Malformed(
            f"{HEADER} takes 1 to {LONGEST} printable characters.",
            details=[{"field": HEADER, "reason": f"1 to {LONGEST} printable characters."}],
        )
    key = f"{g.actor.id}|{told}"
    fingerprint = _fingerprint()
    given = {"key": key, "fingerprint": fingerprint, "kept": KEPT, "claimed": timedelta(seconds=CLAIMED_S)}
    claimed = bool(fetch(_CLAIM, given))
    found = _done(key)
    if not claimed or found is not None:
        answer = _answer(key, fingerprint, found)
        if answer is not None:
            return answer
    g.idempotency = key
    log.IDEMPOTENCY.set(None if found is not None else key)
    return None


def _fingerprint() -> bytes:
    """What tells one request from another: its address and its body; of a form what stands in it, since its boundary is another each time."""
    told = hashlib.sha256(f"{request.method} {request.full_path}\n".encode())
    if request.mimetype != "multipart/form-data":
        told.update(request.get_data())
        return told.digest()
    parts = [(name, b"", value.encode("utf-8", "surrogatepass")) for name, value in request.form.items(multi=True)]
    for name, sent in request.files.items(multi=True):
        parts.append((name, (sent.filename or "").encode("utf-8", "surrogatepass"), hashlib.sha256(sent.stream.read()).digest()))
        sent.stream.seek(0)
    for part in sorted(parts):
        told.update(repr(part).encode())
    return told.digest()


def _answer(key: str, fingerprint: bytes, done: tuple[str, int] | None) -> ResponseReturnValue | None:
    """What the first request was answered, or how things stand since; None where the work may be done again. Raises Invalid, Conflict."""
    kept, status, body = fetch(_KEPT, (key,))[0]
    if bytes(kept) != fingerprint:
        raise Invalid(
            "This idempotency key was used for another request.",
            code="idempotency_mismatch",
            details=[{"field": HEADER, "reason": "Take a new key for another body."}],
        )
    if status is not None:
        return Response(bytes(body), status, mimetype="application/json")
    if done is None:
        raise Conflict(
            "The same request is under way. Ask again in a moment: it is answered as the first one.", code="in_progress", retry_after=1
        )
    return None if _declared().repeatable else _stands(*done)


def _declared() -> Operation:
    declared: Operation = getattr(current_app.view_functions[request.endpoint or ""], OPERATION)
    return declared


def _done(key: str) -> tuple[str, int] | None:
    """(chain, number) of the event with which the work of this key was done; None where it was not."""
    found = fetch(_DONE, (key, KEPT))
    return (found[0][0], found[0][1]) if found else None


def _stands(chain: str, number: int) -> ResponseReturnValue:
    """The answer to work that was done although nobody learned of it: how the thing that it was done to stands now."""
    return Response(orjson.dumps(_thing(chain, number)), min(_declared().answers), mimetype="application/json")


def _thing(chain: str, number: int) -> dict[str, Any]:
    actor, path = g.actor, request.view_args or {}
    match request.blueprint:
        case "api_approvals":
            return approvals.get(actor, path["approval_id"]).line.to_json()
        case "api_workflows":
            made = log.events_of(chain, after=number - 1, limit=1)[0].open["workflow"]
            return workflows.entry(actor, made).to_json()
    return runs.get(actor, chain).json


@blueprint.app_errorhandler(log.AlreadyDone)
def done_meanwhile(_error: log.AlreadyDone) -> ResponseReturnValue:
    """A slow request whose claim was taken over: the other one did the work."""
    found = _done(g.idempotency)
    if found is None:
        raise Conflict("The same request is under way. Ask again in a moment.", code="in_progress", retry_after=1)
    return _stands(*found)


@blueprint.after_app_request
def remember(response: Response) -> Response:
    """Keep the first answer; one that may be different next time (a fault of the server) is not kept, and lets the key go."""
    key = g.get("idempotency")
    log.IDEMPOTENCY.set(None)
    if key is None:
        return response
    try:
        _keep(key, response)
    except sa.exc.DBAPIError as error:  # the work is done: who repeats the request is told how things stand
        logger.warning("an answer could not be kept: %s", type(error.orig).__name__)
    return response


def _keep(key: str, response: Response) -> None:
    table = tables.idempotency
    with hot_engine().connect() as connection:
        if response.status_code < 500 and response.status_code != 429 and response.is_json:
            changed = sa.update(table).where(table.c.key == key, table.c.status.is_(None))
            connection.execute(changed.values(status=response.status_code, body=response.get_data()))
        else:
            connection.execute(
                sa.update(table).where(table.c.key == key, table.c.status.is_(None)).values(at=sa.func.now() - timedelta(seconds=CLAIMED_S))
            )
