"""`/health`: whether the console does its work. `/health/pages`: whether this process can answer pages, for load balancers and the supervisor."""

import psycopg
import sqlalchemy as sa
from flask import Blueprint, Response, jsonify

from console import __version__
from console.activity import integrity
from console.db import presence
from console.upkeep import health

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def show() -> tuple[Response, int]:
    """200 and `{"status": "running", "version", "database": "ok", "worker": "ok", "log": "ok|broken"}`; 503 with `problems` where nothing can be written or no worker works.

    While everything is paused on purpose it is 200 with the status `paused`: nothing is broken, and pages and the API serve. A log that is not in order is told and no reason to stop serving: what it names is for who runs the console, in `doctor` and on the page of the proof.
    """
    found = health.known()
    return jsonify(status=found.status, version=__version__, **found.to_json(), log=_log()), 200 if found.ok else 503


def _log() -> str | None:
    """Whether the log is in order as far as was looked; None while the database does not answer."""
    try:
        return "ok" if integrity.standing().in_order else "broken"
    except (sa.exc.SQLAlchemyError, psycopg.Error):
        return None


@blueprint.get("/health/pages")
def pages() -> tuple[Response, int]:
    """200 while this process answers pages, whether or not anything goes on by itself; 503 while its database does not answer."""
    try:
        presence.somebody_works()
    except sa.exc.SQLAlchemyError:
        return jsonify(status="starting", version=__version__, database="down"), 503
    return jsonify(status="running", version=__version__, database="ok"), 200
