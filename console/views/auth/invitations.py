"""The page behind an invitation link, for somebody without an account. It shows strangers nothing."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from console.auth import accounts
from console.core.errors import Invalid, NotFound
from console.views import security
from console.views.auth.auth import start_session
from console.views.forms import Field, Form
from console.views.settings.me import locales, profile_items

blueprint = Blueprint("invitations", __name__)


@blueprint.get("/invitation/<token>")
def show(token: str) -> ResponseReturnValue:
    """Show the form; a GET does not use the link up."""
    try:
        return _form(accounts.open_invitation(token, request.remote_addr or ""), _empty_form())
    except NotFound as gone:
        return _gone(gone)


@blueprint.post("/invitation/<token>")
def accepted(token: str) -> ResponseReturnValue:
    """Create the account and sign its person in."""
    form, address = _empty_form(), request.remote_addr or ""

    def enter(sent: dict[str, Any]) -> Response:
        password = sent["password"]
        if password != sent["again"]:
            raise Invalid("The two passwords differ.", at=("again", "differs from the password above"))
        profile = {name: sent[name] for name in ("name", "locale", "zone")}
        return make_response(
            _signed_in(accounts.accept(token, address, password=password, **profile), password, address)
        )

    try:
        return form.submit_to(enter) or _form(accounts.open_invitation(token, address), form)
    except NotFound as gone:
        return _gone(gone)


def _empty_form() -> Form:
    hint = "At least 12 characters. A few words in a row are easy to keep in mind and hard to guess."
    items, values = profile_items("", _language(), "UTC")
    passwords = (
        Field("password", "Password", "password", hint, required=True, autocomplete="new-password"),
        Field("again", "The same again", "password", required=True, autocomplete="new-password"),
    )
    return Form(
        [Field("username", kind="hidden", more={"autocomplete": "username"}), *items, *passwords],
        values,
        "Enter",
        css="form",
    )


def _signed_in(person: accounts.Person, password: str, address: str) -> ResponseReturnValue:
    """Start a session for the new person, instead of the browser's earlier one."""
    answer = start_session(accounts.sign_in(person.email, password, address, request.user_agent.string), "/")
    return answer or redirect("/sign-in", 303)


def _form(invitation: accounts.Invitation, form: Form) -> Response:
    form.values = {**form.values, "username": invitation.email}
    page = render_template("invitations/page.html", invitation=invitation, form=form)
    return security.answer_outside(page, form.error.status if form.error else 200)


def _gone(gone: NotFound) -> Response:
    return security.answer_outside(render_template("invitations/gone.html", message=gone.message), 404)


def _language() -> str:
    """Return the browser's language if the console has it."""
    return next((code for code in request.accept_languages.values() if code in locales()), "en")
