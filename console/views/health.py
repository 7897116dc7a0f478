"""`/health`: whether this process can serve, and who else is at work. For load balancers, the supervisor and `bin/demo`."""

import psycopg
import sqlalchemy as sa
from flask import Blueprint, Response, jsonify

from console import __version__, publishing, worker
from console.db.engine import hot_engine

blueprint = Blueprint("health", __name__)

_SOMEBODY_WORKS = sa.text(
    "select exists (select from pg_locks where locktype = 'advisory' and classid = :first and objid = :second and objsubid = 2 and granted"
    " and database = (select oid from pg_database where datname = current_database()))"
)


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    """200 and `{"status": "running", "version", "database": "ok", "worker": "ok|none", "outside": "ok|failing|none"}`, or 503 while the database does not answer.

    `outside`: whether the checkpoints of the log get to every place that is configured for them.
    """
    first, second = worker.PRESENCE
    try:
        with hot_engine().connect() as connection:
            works = connection.execute(_SOMEBODY_WORKS, {"first": first, "second": second}).scalar_one()
        places = publishing.state()
    except (sa.exc.SQLAlchemyError, psycopg.Error):
        return jsonify(status="starting", version=__version__, database="down", worker="none"), 503
    outside = "failing" if any(place.failing for place in places) else "ok" if places else "none"
    return jsonify(status="running", version=__version__, database="ok", worker="ok" if works else "none", outside=outside), 200
