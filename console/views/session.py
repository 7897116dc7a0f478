"""The session at hand, for the script of every page: how long it lasts, and what was typed when it ended."""

from datetime import timedelta

from flask import Blueprint, Response, g, jsonify, request, session
from flask_login import current_user

from console.accounts import one_time
from console.errors import Malformed
from console.views import frame, identity

blueprint = Blueprint("session", __name__, url_prefix="/session")

LASTS = timedelta(hours=12)
MOST = 200_000
RETURNED = "kept"
"""Where the cookie says to which page somebody came back whose typing is kept."""


@blueprint.get("")
def left() -> Response:
    """`left`: seconds to the end if nothing happens; `most`: seconds to the end whatever happens. Asked without `X-Background`, it keeps the session awake."""
    return jsonify(left=g.session_left, most=current_user.standing.most_s)


@blueprint.post("/kept")
def keep() -> Response:
    """Keep what stands in the forms of a page, sealed: the session is about to end."""
    fields = request.form.to_dict(flat=False)
    path = identity.local(request.form.get("page"))
    told = fields.get("forms", [""])[0]
    if len(told) > MOST:
        raise Malformed("That is too much to keep.")
    one_time.make("kept", frame.actor().id, LASTS, told, token=_place(path))
    return jsonify(kept=True)


@blueprint.post("/returned")
def give_back() -> Response:
    """What was kept for a page, once."""
    path = identity.local(request.form.get("page"))
    session.pop(RETURNED, None)
    found = one_time.take("kept", _place(path))
    return jsonify(forms=None if found is None else found.content)


def came_back(there: str) -> None:
    """Somebody has signed in and goes to this page: when their typing is kept, the page will ask for it."""
    if one_time.find("kept", f"{current_user.actor.id}\n{there}") is not None:
        session[RETURNED] = there


def _place(path: str) -> str:
    return f"{frame.actor().id}\n{path}"


@blueprint.app_context_processor
def _session_context() -> dict[str, object]:
    """For the layout: how long the session lasts, and whether this page is one to which somebody came back."""
    returned = session.get(RETURNED) if g.get("actor") is not None else None
    return {"session_left": g.get("session_left"), "returned": returned is not None and returned == request.full_path.rstrip("?")}
