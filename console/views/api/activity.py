"""`GET /activity-logs`: the activity log as JSON, newest first."""

from flask import Blueprint, g, jsonify, request
from flask.typing import ResponseReturnValue

from console import activity

blueprint = Blueprint("api_activity", __name__, url_prefix="/api/v1")


@blueprint.get("/activity-logs")
def listing() -> ResponseReturnValue:
    """A page of events that fit the filters of the URL."""
    asked = activity.asked(request.args.items(multi=True))
    return jsonify(activity.page(g.actor, asked.where, asked.limit, asked.after).to_json())
