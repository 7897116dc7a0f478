"""What every answer below `/api` has in common: JSON or nothing, never a page; only the description for people is one."""

from flask import Blueprint, Response, request

blueprint = Blueprint("api_edges", __name__)


@blueprint.after_app_request
def bare(response: Response) -> Response:
    """OPTIONS says what an address takes, and nothing else: no body, so no type of one."""
    if request.method == "OPTIONS" and request.path.startswith("/api/") and response.status_code == 200:
        response.status_code = 204
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)
    return response
