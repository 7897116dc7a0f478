"""Set a new password with a link that works once, requested by mail or made by an administrator."""

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from console.auth.accounts import password_letters, profile
from console.core.errors import Invalid, NotFound
from console.infra import settings
from console.views.auth import auth

blueprint = Blueprint("forgot", __name__, url_prefix="/sign-in")


@blueprint.get("/forgot")
def forgot() -> Response:
    """Show the form for the mail address."""
    return _page("auth/forgot.html", by_mail=settings.current().smtp is not None, asked=False)


@blueprint.post("/forgot")
def ask() -> Response:
    """Answer the same, and equally fast, for every address; the worker checks whether it has an account."""
    password_letters.ask(request.form.get("email", ""), auth.address_and_browser()[0])
    return _page("auth/forgot.html", by_mail=settings.current().smtp is not None, asked=True)


@blueprint.get("/new-password/<token>")
def choose(token: str) -> ResponseReturnValue:
    """Show the form for the new password."""
    who = profile.person_of_link(token)
    return _page("auth/new_password.html", 404 if who is None else 200, who=who, error=None)


@blueprint.post("/new-password/<token>")
def chosen(token: str) -> ResponseReturnValue:
    """Set the new password; every session ends and the person signs in with it."""
    who = profile.person_of_link(token)
    try:
        profile.choose_password(token, request.form.get("new", ""))
    except Invalid as error:
        return _page("auth/new_password.html", 422, who=who, error=error.details[0]["reason"])
    except NotFound:
        return _page("auth/new_password.html", 404, who=None, error=None)
    auth.end_former_session()
    return _page("auth/new_password_done.html", who=who)


def _page(template: str, status: int = 200, **context: object) -> Response:
    answer = make_response(render_template(template, **context), status)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer
