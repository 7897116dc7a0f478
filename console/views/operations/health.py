"""`/health`: whether the console works. `/health/pages`: whether this process can serve pages, for load balancers and the supervisor."""

import psycopg
import sqlalchemy as sa
from flask import Blueprint, Response, jsonify

from console import __version__
from console.activity import integrity
from console.infra.db import presence
from console.operations import health

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def show() -> tuple[Response, int]:
    """Return 200 and `{"status": "running", "version", "database": "ok", "worker": "ok", "log": "ok|broken"}`; 503 with `problems` if nothing can be written or no worker works.

    During a deliberate pause it is 200 with the status `paused`, because pages and the API still work. A broken log is reported but does not make it 503; `doctor` and the page of
    the proof name the details.
    """
    state = health.last_health()
    return jsonify(
        status=state.status, version=__version__, **state.to_json(), log=_log()
    ), 200 if state.ok else 503


def _log() -> str | None:
    """Return whether the log is intact as far as checked; None while the database does not answer."""
    try:
        return "ok" if integrity.log_state().in_order else "broken"
    except (sa.exc.SQLAlchemyError, psycopg.Error):
        return None


@blueprint.get("/health/pages")
def pages() -> tuple[Response, int]:
    """Return 200 while this process can serve pages, with or without a worker; 503 while its database does not answer."""
    try:
        presence.somebody_works()
    except sa.exc.SQLAlchemyError:
        return jsonify(status="starting", version=__version__, database="down"), 503
    return jsonify(status="running", version=__version__, database="ok"), 200
