"""Sign in and out."""

from urllib.parse import quote

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user

from console.auth import accounts
from console.auth.accounts import entry, oidc
from console.demo import sign_in as demo
from console.infra import settings
from console.views import formats, saved_forms
from console.views.identity import SignedIn, local, own_machine, token
from console.views.session import note_return

blueprint = Blueprint("auth", __name__)

LOOPBACK = frozenset({"127.0.0.1", "::1"})
REFUSED = "That e-mail and password do not fit, or there were too many attempts. Wait a moment and try again."
"""Said for every reason, so that nobody learns which addresses exist."""

WRONG_CODE = "That code does not fit, was used before, or there were too many attempts. Wait for the next one and try again."
WAITING = "code"
"""Where the cookie keeps the way from the password to the code."""


@blueprint.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    """Show the form; redirect whoever is signed in."""
    there = local(request.args.get("next"))
    if token() is not None:
        return redirect(there, 303)
    return _form(there, ended="_user_id" in session)


@blueprint.post("/sign-in")
def signed_in() -> ResponseReturnValue:
    """Start a new session and go to `next`; or show the page for the code, or the form again."""
    there = local(request.form.get("next"))
    return _enter(request.form.get("email", ""), request.form.get("password", ""), there)


@blueprint.post("/sign-in/demo")
def signed_in_as_demo_person() -> ResponseReturnValue:
    """Sign in as the demo person of the card that was pressed, with the password of demo.json. Outside the demo there is no such page."""
    chosen = demo.credentials(request.form.get("person", "")) if _at_the_demo() else None
    if chosen is None:
        abort(404)
    return _enter(*chosen, local(request.form.get("next")))


def _at_the_demo() -> bool:
    """Return whether cards may be offered: the demo, asked from the machine that it runs on."""
    return settings.current().demo and own_machine() and request.remote_addr in LOOPBACK


def _enter(email: str, password: str, there: str) -> ResponseReturnValue:
    """Return the answer to a sign-in: a new session, the page for the code, or the form again."""
    try:
        opened = accounts.sign_in(email, password, *address_and_browser())
    except accounts.CodeWanted as wanted:
        end_former_session()
        session[WAITING] = wanted.waiting
        return redirect(
            "/sign-in/code" if there == "/" else f"/sign-in/code?next={quote(there, safe='/')}", 303
        )
    return start_session(opened, there) or _form(there, email[:254], REFUSED, status=422)


@blueprint.get("/sign-in/code")
def code() -> ResponseReturnValue:
    """Show the page for the code of the second factor; without a password before it, the sign-in form."""
    there = local(request.args.get("next"))
    if token() is not None:
        return redirect(there, 303)
    if not accounts.waits_for_code(session.get(WAITING, "")):
        return redirect("/sign-in", 303)
    return _code_form(there)


@blueprint.post("/sign-in/code")
def code_shown() -> ResponseReturnValue:
    """Start a new session if the code is right."""
    there, waiting = local(request.form.get("next")), session.get(WAITING, "")
    if not accounts.waits_for_code(waiting):
        return _form(there, error="That took too long. Sign in again.", status=422)
    opened = accounts.sign_in_with_code(waiting, request.form.get("code", ""), *address_and_browser())
    return start_session(opened, there) or _code_form(there, WRONG_CODE, status=422)


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End the session on the server. People who signed in through the provider are told that they are still signed in there."""
    method = current_user.standing.method if current_user.is_authenticated else ""
    end_former_session()
    return redirect("/sign-in/out" if method == "oidc" else "/sign-in", 303)


@blueprint.get("/sign-in/out")
def out() -> ResponseReturnValue:
    """Show that the person is signed out, with the link to sign out at the provider too."""
    there = oidc.farewell(f"{settings.current().base_url}/sign-in") if oidc.offered() else None
    return _page("auth/out.html", 200, there=there)


def start_session(opened: str | None, there: str) -> Response | None:
    """Return a redirect to `there` with a cookie for this session and nothing else; None if there is no such session."""
    standing = None if opened is None else accounts.session_of(opened)
    if opened is None or standing is None:
        return None
    end_former_session()
    login_user(SignedIn(opened, standing))
    saved_forms.mark_session(standing.actor.id)
    note_return(there)
    return make_response(redirect(there, 303))


def end_former_session() -> None:
    """End the browser's earlier session and clear its cookie."""
    former = token()
    if former is not None:
        accounts.sign_out(former)
    logout_user()
    session.clear()


def address_and_browser() -> tuple[str, str]:
    """Return the request's network address and the browser's own description."""
    return request.remote_addr or "", request.user_agent.string


def _form(
    there: str, email: str = "", error: str | None = None, *, ended: bool = False, status: int = 200
) -> Response:
    rules = entry.current()
    methods = {
        "by_password": rules.password,
        "by_provider": oidc.offered(),
        "by_mail": settings.current().smtp is not None,
    }
    cards = (
        [(card, formats.role_words(card.role)) for card in demo.cards()]
        if methods["by_password"] and _at_the_demo()
        else []
    )
    return _page(
        "auth/sign_in.html",
        status,
        next=there,
        email=email,
        error=error,
        cards=cards,
        ended=_ended_words(rules) if ended else "",
        **methods,
    )


def _ended_words(rules: entry.Entry) -> str:
    """Return why somebody who was signed in has to sign in again: the server only knows that the session is no longer valid."""
    idle, whole = (
        formats.span(minutes * 60, formats.Look()) for minutes in (rules.idle_minutes, rules.whole_minutes)
    )
    return f"You were signed out. That happens after {idle} without anything being done, after {whole} at the latest, or when the session is ended elsewhere."


def _code_form(there: str, error: str | None = None, *, status: int = 200) -> Response:
    return _page("auth/code.html", status, next=there, error=error)


def _page(template: str, status: int, **context: object) -> Response:
    answer = make_response(render_template(template, **context), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
