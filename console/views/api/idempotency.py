"""`X-Idempotency-Key` on every POST: the same key and body give the first answer again, another body is refused.

The first transition of a request writes the key in its own transaction. So a repeat after a crash or a lost answer finds that
the work was done, and is told how the run stands now; a repeat of finished work gets the very answer of then.
"""

import hashlib
from datetime import timedelta

import orjson
import sqlalchemy as sa
from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.dialects import postgresql

from console import log, runs
from console.db import tables
from console.db.engine import fetch, hot_engine
from console.errors import Invalid, Malformed

blueprint = Blueprint("api_idempotency", __name__)
HEADER = "X-Idempotency-Key"
KEPT = timedelta(days=1)
LONGEST = 200


@blueprint.before_app_request
def recall() -> ResponseReturnValue | None:
    """Answer a repeat from what is kept; else remember the key for the first transition of this request."""
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
    fingerprint = hashlib.sha256(f"{request.method} {request.full_path}\n".encode() + request.get_data()).digest()
    kept = _kept(key, fingerprint)
    if kept is not None:
        return kept
    g.idempotency = key
    log.IDEMPOTENCY.set(key)
    return None


def _kept(key: str, fingerprint: bytes) -> ResponseReturnValue | None:
    table = tables.idempotency
    with hot_engine().connect() as connection:
        connection.execute(
            postgresql.insert(table)
            .values(key=key, fingerprint=fingerprint, at=log.now())
            .on_conflict_do_update(
                index_elements=["key"],
                set_={"fingerprint": fingerprint, "status": None, "body": None, "at": log.now()},
                where=table.c.at < log.now() - KEPT,
            )
        )
        found = connection.execute(sa.select(table).where(table.c.key == key)).one()
    if bytes(found.fingerprint) != fingerprint:
        raise Invalid(
            "This idempotency key was used for another request.",
            code="idempotency_mismatch",
            details=[{"field": HEADER, "reason": "Take a new key for another body."}],
        )
    if found.status is not None:
        return Response(bytes(found.body), found.status, mimetype="application/json")
    done = fetch("select chain from console.request_done where key = %s", (key,))
    return _stands(done[0][0]) if done else None


def _stands(chain: str) -> ResponseReturnValue:
    """The answer to work that was done although nobody learned of it: the run as it stands now."""
    status = 201 if request.path.rstrip("/").endswith("/runs") else 200
    return Response(orjson.dumps(runs.get(g.actor, chain).json), status, mimetype="application/json")


@blueprint.app_errorhandler(log.AlreadyDone)
def done_meanwhile(_error: log.AlreadyDone) -> ResponseReturnValue:
    """Two requests with one key at once: the other one did the work."""
    key = g.idempotency
    found = fetch("select chain from console.request_done where key = %s", (key,))
    return _stands(found[0][0])


@blueprint.after_app_request
def remember(response: Response) -> Response:
    """Keep the first answer; one that may be different next time (a fault of the server) is not kept."""
    key = g.get("idempotency")
    log.IDEMPOTENCY.set(None)
    if key is not None and response.status_code < 500 and response.status_code != 429 and response.is_json:
        table = tables.idempotency
        with hot_engine().connect() as connection:
            connection.execute(
                sa.update(table)
                .where(table.c.key == key, table.c.status.is_(None))
                .values(status=response.status_code, body=response.get_data())
            )
    return response
