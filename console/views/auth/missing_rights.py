"""Why can't I: what the reader may do with a record or a run, what not, and asking for a missing right."""

import re
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, flash, g, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from console import runs
from console.core.actor import Actor
from console.core.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.permissions import explained_rights, right_requests
from console.permissions.right_requests import Reason
from console.views import frame

blueprint = Blueprint("why", __name__)

ASKED_WITHIN_S = 24 * 3600
GIVERS = re.compile(r" [^.]+ can grant (?:it|more)\.$")


@blueprint.get("/c/<collection>/<part>/why")
def record(collection: str, part: str) -> Response:
    """Show what the reader may do with the record, and why not."""
    key = frame.key_of(part)
    title, listed = explained_rights.on_record(frame.actor(), collection, key)
    return _page(title, frame.record_url(collection, key), listed)


@blueprint.get("/runs/<run_id>/why")
def run(run_id: str) -> Response:
    """Show what the reader may do with the run, and why not."""
    page = explained_rights.on_run(frame.actor(), run_id)
    return _page(runs.title(frame.actor(), run_id), frame.run_url(run_id), page)


@blueprint.post("/access-requests")
def ask() -> Response:
    """Ask for a right that was refused; the form holds a token that only a refusal issues."""
    try:
        person, obj, act, team, back = _signer().loads(request.form.get("token", ""), max_age=ASKED_WITHIN_S)
    except (BadSignature, ValueError):
        raise Invalid("This can be asked for no more. Try again what you wanted to do.") from None
    if person != frame.actor().id:
        raise NotFound
    right_requests.ask(frame.actor(), obj, act, team, request.form.get("reason", ""))
    flash("Asked. Those who can give it find it at the bell.")
    return frame.redirect_to(back)


def explain(error: NotAllowed) -> Reason | None:
    """Return the rule behind a refusal and who can grant the right; None if the refusal has another cause or may not be explained."""
    actor: Actor | None = g.get("actor")
    if actor is None or error.code != NotAllowed.default_code or not error.need[0]:
        return None
    try:
        return right_requests.why_not(actor, error.team, *error.need)
    except (ConsoleError, sa.exc.SQLAlchemyError, OSError):
        return None


def without_givers(words: str) -> str:
    """Return a refusal without its last sentence, `An admin can grant it.`: the reason beneath it names who can give the right."""
    return GIVERS.sub("", words)


def token(reason: Reason, back: str = "") -> str:
    """Return the token of the form: who may ask for what, valid for a day."""
    # asking leads to Home, because the refused page would be refused again
    return str(_signer().dumps([frame.actor().id, *reason.need, reason.team, back or "/"]))


def _page(title: str, href: str, listed: list[explained_rights.Point]) -> Response:
    drawn: list[dict[str, Any]] = [
        {"point": point, "token": token(point.reason, href) if point.reason else ""} for point in listed
    ]
    return frame.page(
        "why/page.html", {"title": title, "href": href, "points": drawn}, blocks={"*": "points"}
    )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="access-request")
