"""How another person signs in, for those who manage people: sessions, a link for a new password, a lost second factor."""

from typing import Any

from flask import Blueprint, Response, flash, request

from console.auth import access, accounts
from console.auth.accounts import factors, identities, profile, sessions
from console.infra import settings
from console.views import frame
from console.views.forms import Field, Form
from console.views.settings import area, me, people

blueprint = Blueprint("person_sign_in", __name__, url_prefix="/settings/sign-in/of/<person_id>")


@blueprint.get("")
def show(person_id: str) -> Response:
    """The page."""
    return _page(person_id)


@blueprint.post("/password-link")
def password_link(person_id: str) -> Response:
    """Make a link for a new password; it is shown once."""
    token = profile.password_link(frame.actor(), person_id)
    base = settings.current().base_url or request.host_url.rstrip("/")
    return _page(person_id, link=f"{base}/sign-in/new-password/{token}")


@blueprint.post("/reset-factor")
def reset_factor(person_id: str) -> Response:
    """Remove the second factor and end every session."""
    factors.reset_factor(frame.actor(), person_id)
    flash("The second factor was reset")
    return frame.redirect_to(f"/settings/sign-in/of/{person_id}")


@blueprint.post("/end-sessions")
def end_sessions(person_id: str) -> Response:
    """End every session."""
    ended = sessions.end_all(frame.actor(), person_id)
    flash(f"{ended} {'session was' if ended == 1 else 'sessions were'} ended")
    return frame.redirect_to(f"/settings/sign-in/of/{person_id}")


@blueprint.post("/disconnect")
def disconnect(person_id: str) -> Response:
    """Take an identity (`identity`) from the person."""
    identities.remove(frame.actor(), person_id, request.form.get("identity", ""))
    flash("That company account is no way in any more")
    return frame.redirect_to(f"/settings/sign-in/of/{person_id}")


@blueprint.post("/replace-identity")
def replace_identity(person_id: str) -> Response:
    """Connect the account that was refused (`subject`), in the place of an identity (`identity`) if one is chosen."""
    identities.replace(
        frame.actor(), person_id, request.form.get("subject", ""), request.form.get("identity", "")
    )
    flash("The account is connected; what its groups give comes at its next sign-in")
    return frame.redirect_to(f"/settings/sign-in/of/{person_id}")


def _page(person_id: str, **more: Any) -> Response:
    who = frame.actor()
    access.require(who, None, "user", "manage")
    person = accounts.person(person_id)
    accounts.require_person(person)
    refused, known = identities.refused_account(person.id), me.identities_shown(person.id)
    names = [(one.id, f"{one.email or one.name}, {one.subject}") for one, _ in known]
    replaces = Field(
        "identity",
        "It takes the place of",
        "select",
        "The one whose place it takes is disconnected: the roles that only its groups gave go, and the sessions that it opened end.",
        [*names, ("", f"None: connect it as {'one more' if known else 'their account'}")],
    )
    form = Form(
        [Field("subject", kind="hidden"), replaces],
        {"subject": refused.subject if refused else "", "identity": names[0][0] if names else ""},
        "Connect the account",
        icon="plug-connected",
        tone="",
        css="form",
        action=f"/settings/sign-in/of/{person.id}/replace-identity",
    )
    context = {
        "person": person,
        "factor": accounts.factor_of(person.id),
        "identities": known,
        "refused": refused,
        "form": form,
        "sessions": [
            (session, me.device(session.agent), me.METHODS.get(session.method, session.method))
            for session in sessions.sessions_of_person(who, person.id)
        ],
        "link": None,
    }
    trail = [(people.url(person.id), person.name)]
    return area.page(
        "settings/person_sign_in.html", "people", context | more, heading="Signing in", trail=trail
    )
