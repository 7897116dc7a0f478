"""`/health`: whether this process can serve, and who else is at work. For load balancers, the supervisor and `bin/demo`."""

import psycopg
import sqlalchemy as sa
from flask import Blueprint, Response, jsonify

from console import __version__, integrity
from console.db.presence import somebody_works

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    """200 and `{"status": "running", "version", "database": "ok", "worker": "ok|none", "log": "ok|broken"}`, or 503 while the database does not answer.

    A log that is not in order is told and no reason to stop serving: what it names is for who runs the console, in `doctor` and on the page of the proof.
    """
    try:
        works, in_order = somebody_works(), integrity.standing().in_order
    except (sa.exc.SQLAlchemyError, psycopg.Error):
        return jsonify(status="starting", version=__version__, database="down", worker="none"), 503
    return jsonify(
        status="running", version=__version__, database="ok", worker="ok" if works else "none", log="ok" if in_order else "broken"
    ), 200
