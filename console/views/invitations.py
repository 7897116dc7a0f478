"""The page behind an invitation link, for somebody without an account. It shows strangers nothing."""

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from console import accounts
from console.errors import ConsoleError, Invalid, NotFound
from console.views import security
from console.views.auth import start_session
from console.views.settings.person import locale_choices
from console.views.settings.person_roles import reasons
from console.views.settings.zone_choices import zone_choices

blueprint = Blueprint("invitations", __name__)


@blueprint.get("/invitation/<token>")
def show(token: str) -> ResponseReturnValue:
    """Show the form; a GET does not use the link up."""
    try:
        return _form(accounts.opened(token, request.remote_addr or ""), {"name": "", "locale": _language(), "zone": "UTC"})
    except NotFound as gone:
        return _gone(gone)


@blueprint.post("/invitation/<token>")
def accepted(token: str) -> ResponseReturnValue:
    """Create the account and sign its person in."""
    values = {name: request.form.get(name, "")[:200] for name in ("name", "locale", "zone")}
    password, address = request.form.get("password", ""), request.remote_addr or ""
    try:
        if password != request.form.get("again", ""):
            raise Invalid("The two passwords differ.", details=[{"field": "again", "reason": "differs from the password above"}])
        person = accounts.accept(token, address, password=password, **values)
    except NotFound as gone:
        return _gone(gone)
    except Invalid as error:
        try:
            return _form(accounts.opened(token, address), values, error)
        except NotFound as gone:
            return _gone(gone)
    return _signed_in(person, password, address)


def _signed_in(person: accounts.Person, password: str, address: str) -> ResponseReturnValue:
    """Start a session for the new person, instead of the browser's earlier one."""
    answer = start_session(accounts.sign_in(person.email, password, address, request.user_agent.string), "/")
    return answer or redirect("/sign-in", 303)


def _form(invitation: accounts.Invitation, values: dict[str, str], error: ConsoleError | None = None) -> Response:
    context = {
        "invitation": invitation,
        "told": values,
        "locales": locale_choices(values["locale"]),
        "zones": zone_choices(values["zone"]),
        "error": error,
        "wrong": reasons(error),
    }
    return security.answer_outside(render_template("invitations/page.html", **context), error.status if error else 200)


def _gone(gone: NotFound) -> Response:
    return security.answer_outside(render_template("invitations/gone.html", message=gone.message), 404)


def _language() -> str:
    """Return the browser's language if the console has it."""
    known = {choice.value for choice in locale_choices("en")}
    return next((code for code in request.accept_languages.values() if code in known), "en")
