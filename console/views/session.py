"""The present session, for the script of every page: time left, and forms saved when the session ended."""

from datetime import timedelta

from flask import Blueprint, Response, g, jsonify, request, session
from flask_login import current_user

from console.auth.accounts import one_time
from console.core.errors import Malformed
from console.views import frame, identity

blueprint = Blueprint("session", __name__, url_prefix="/session")

LASTS = timedelta(hours=12)
MOST = 200_000
RETURNED = "kept"
"""Where the cookie says to which page somebody came back whose typing is kept."""


@blueprint.get("")
def seconds_left() -> Response:
    """Return the seconds `left` if nothing happens and `most` whatever happens. Without the header `X-Background` the call keeps the session awake."""
    return jsonify(left=g.session_left, most=current_user.standing.most_s)


@blueprint.post("/kept")
def keep() -> Response:
    """Store the values of a page's forms, sealed, because the session is about to end."""
    fields = request.form.to_dict(flat=False)
    path = identity.local(request.form.get("page"))
    forms = fields.get("forms", [""])[0]
    if len(forms) > MOST:
        raise Malformed("That is too much to keep.")
    one_time.make("kept", frame.actor().id, LASTS, forms, token=_place(path))
    return jsonify(kept=True)


@blueprint.post("/returned")
def give_back() -> Response:
    """Return the stored values of a page, once."""
    path = identity.local(request.form.get("page"))
    session.pop(RETURNED, None)
    kept = one_time.take("kept", _place(path))
    return jsonify(forms=None if kept is None else kept.content)


def note_return(there: str) -> None:
    """Note that somebody signed in and goes to this page, so that it asks for stored values."""
    if one_time.find("kept", f"{current_user.actor.id}\n{there}") is not None:
        session[RETURNED] = there


def _place(path: str) -> str:
    return f"{frame.actor().id}\n{path}"


@blueprint.app_context_processor
def _session_context() -> dict[str, object]:
    """Provide the layout with the session's length and whether somebody returned to this page after signing in."""
    returned = session.get(RETURNED) if g.get("actor") is not None else None
    return {
        "session_left": g.get("session_left"),
        "returned": returned is not None and returned == request.full_path.rstrip("?"),
    }
