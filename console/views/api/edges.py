"""What all responses below `/api` have in common: JSON, never a page, except the description for people."""

from flask import Blueprint, Response, request

blueprint = Blueprint("api_edges", __name__)


@blueprint.after_app_request
def bare(response: Response) -> Response:
    """Answer OPTIONS with the allowed methods and no body, so also without a content type."""
    if request.method == "OPTIONS" and request.path.startswith("/api/") and response.status_code == 200:
        response.status_code = 204
        response.headers.pop("Content-Type", None)
        response.headers.pop("Content-Length", None)
    return response
