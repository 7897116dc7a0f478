"""`/health`: whether this process can serve, and who else is at work. For load balancers, the supervisor and `bin/demo`."""

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify

from console import __version__
from console.db.presence import somebody_works

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> tuple[Response, int]:
    """200 and `{"status": "running", "version", "database": "ok", "worker": "ok|none"}`, or 503 while the database does not answer."""
    try:
        works = somebody_works()
    except sa.exc.SQLAlchemyError:
        return jsonify(status="starting", version=__version__, database="down", worker="none"), 503
    return jsonify(status="running", version=__version__, database="ok", worker="ok" if works else "none"), 200
