"""Why can't I: what may be done with a record or a run and what not, and asking for a right that is missing."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, flash, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from console import runs
from console.core.actor import Actor
from console.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.rights import points, right_requests
from console.rights.right_requests import Reason
from console.views import frame

blueprint = Blueprint("why", __name__)

ASKED_WITHIN_S = 24 * 3600


@blueprint.get("/c/<collection>/<path:part>/why")
def record(collection: str, part: str) -> Response:
    """What one may do with the record, and why not."""
    key = frame.key_of(part)
    title, found = points.on_record(frame.actor(), collection, key)
    return _page(title, frame.record_url(collection, key), found)


@blueprint.get("/runs/<run_id>/why")
def run(run_id: str) -> Response:
    """What one may do in the run, and why not."""
    found = points.on_run(frame.actor(), run_id)
    return _page(runs.title(frame.actor(), run_id), frame.run_url(run_id), found)


@blueprint.post("/access-requests")
def ask() -> Response:
    """Ask for a right that was refused; the form holds a token that only a refusal gives out."""
    try:
        person, obj, act, team, back = _signer().loads(request.form.get("token", ""), max_age=ASKED_WITHIN_S)
    except (BadSignature, ValueError):
        raise Invalid("This can be asked for no more. Try again what you wanted to do.") from None
    if person != frame.actor().id:
        raise NotFound
    right_requests.ask(frame.actor(), obj, act, team, request.form.get("reason", ""))
    flash("Asked. Those who can give it find it at the bell.")
    return frame.moved(back)


def explain(error: NotAllowed) -> Reason | None:
    """The deciding rule of a refusal and who can give the right; None where the refusal is about something else, or that cannot be told."""
    actor: Actor | None = g.get("actor")
    if actor is None or error.code != NotAllowed.default_code or not error.need[0]:
        return None
    try:
        return right_requests.why_not(actor, error.team, *error.need)
    except (ConsoleError, sa.exc.SQLAlchemyError, OSError):
        return None


def token(reason: Reason, back: str = "") -> str:
    """What a form of asking holds: who may ask for what, for a day."""
    return str(_signer().dumps([frame.actor().id, *reason.need, reason.team, back or _return_address()]))


def _page(title: str, href: str, found: list[points.Point]) -> Response:
    drawn: list[dict[str, Any]] = [{"point": one, "token": token(one.reason, href) if one.reason else ""} for one in found]
    return frame.page("why/page.html", {"title": title, "href": href, "points": drawn}, blocks={"*": "points"})


def _return_address() -> str:
    """Where asking leads back to: the page that was refused is refused again, so it is Home."""
    return "/"


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="access-request")
