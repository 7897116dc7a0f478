"""`/opened/<token>`: the picture in an e-mail whose step notices that it is opened. What it answers says nothing."""

from flask import Blueprint, Response

from console.errors import NotFound
from console.messages import opening
from console.views import security

blueprint = Blueprint("opened", __name__)


@blueprint.get("/opened/<token>")
def dot(token: str) -> Response:
    """Note the first time, and answer with one transparent dot."""
    try:
        opening.opened(token)
    except NotFound as gone:
        return security.answer_outside("", gone.status)
    answer = security.answer_outside("", 200)
    answer.data, answer.mimetype = opening.DOT, "image/gif"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # mail is read on pages of others
    return answer
