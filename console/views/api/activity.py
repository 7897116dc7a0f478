"""`GET /activity-logs`: the activity log as JSON, newest first; `GET /activity-logs/export`: all of it, or what fits a filter, as a file."""

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from console import activity, exports
from console.views import downloads

blueprint = Blueprint("api_activity", __name__, url_prefix="/api/v1")


@blueprint.get("/activity-logs")
def listing() -> ResponseReturnValue:
    """A page of events that fit the filters of the URL."""
    asked = activity.asked(request.args.items(multi=True))
    return jsonify(activity.page(g.actor, asked.where, asked.limit, asked.after).to_json())


@blueprint.get("/activity-logs/export")
def export() -> Response:
    """The events that fit the filters of the URL, oldest first: as they were hashed, as a table, or with `proofs=1` an archive that proves itself."""
    return downloads.send(g.actor, exports.asked(request.args.items(multi=True)))
