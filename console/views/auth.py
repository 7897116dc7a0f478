"""Signing in and out."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user

from console import accounts
from console.views.identity import SignedIn, local, token

blueprint = Blueprint("auth", __name__)

REFUSED = "That e-mail and password do not fit, or there were too many attempts. Wait a moment and try again."
"""Said for every reason, so that nobody learns which addresses exist."""


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form; who is signed in already is led on."""
    there = local(request.args.get("next"))
    if token() is not None:
        return redirect(there, 303)
    return _form(there)


@blueprint.post("/sign-in")
def signed_in() -> ResponseReturnValue:
    """A new session, whatever there was before, and on to `next`; or the form again."""
    there, email = local(request.form.get("next")), request.form.get("email", "")
    opened = accounts.sign_in(email, request.form.get("password", ""), request.remote_addr or "", request.user_agent.string)
    actor = None if opened is None else accounts.actor_of_session(opened)
    if opened is None or actor is None:
        return _form(there, email[:254], REFUSED, status=422)
    _end()
    login_user(SignedIn(opened, actor))
    return redirect(there, 303)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """The session ends on the server; the cookie that is left is worth nothing."""
    _end()
    return redirect("/sign-in", 303)


def _end() -> None:
    """What the browser brought along: the session before it, and everything kept in its cookie."""
    former = token()
    if former is not None:
        accounts.sign_out(former)
    logout_user()
    session.clear()


def _form(there: str, email: str = "", error: str | None = None, *, status: int = 200) -> Response:
    answer = make_response(render_template("auth/sign_in.html", next=there, email=email, error=error), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
