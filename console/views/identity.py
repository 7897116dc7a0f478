"""The door: finds out who asks, for every request, and lets nobody in who did not say.

Pages know people by their session, the API by a key. `g.actor` is set for everything but the few open routes.
"""

from typing import cast
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, Response, g, make_response, redirect, request, session
from flask.sansio.blueprints import BlueprintSetupState
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user

from console import accounts
from console.core.actor import Actor
from console.errors import ConsoleError, Malformed
from console.views.frame import htmx

blueprint = Blueprint("identity", __name__)

OPEN = frozenset({"/static/<path:filename>", "/health", "/metrics", "/schema/workflow.json", "/sign-in"})
"""Routes that need nobody to be signed in. Everything else is closed, what is added later too."""

_manager = LoginManager()
_manager.session_protection = None  # the session is on the server, with its own limits; an address may change on the way to work


class NotSignedIn(ConsoleError):
    """A request without a key, or with one that is unknown, expired or revoked."""

    status = 401
    default_code = "not_signed_in"


class SignedIn(UserMixin):  # type: ignore[misc]
    """A person with a session, as Flask-Login wants one: it stores the token, never the id of the person."""

    def __init__(self, token: str, actor: Actor) -> None:
        self.token, self.actor = token, actor

    def get_id(self) -> str:
        """The token: what a copied cookie holds is worth nothing once the session has ended."""
        return self.token


@_manager.user_loader  # type: ignore[untyped-decorator]
def _signed_in(token: str) -> SignedIn | None:
    actor = accounts.actor_of_session(token)
    return None if actor is None else SignedIn(token, actor)


@blueprint.before_app_request
def identify() -> ResponseReturnValue | None:
    """Set `g.actor`, or answer: a page leads to sign-in, the API says 401. What no route answers is passed on, to be refused as such."""
    g.actor = None
    bearer = request.headers.get("Authorization")
    if request.routing_exception is not None or (request.url_rule is not None and request.url_rule.rule in OPEN):
        return None
    if bearer is not None and "_user_id" in session:
        raise Malformed("Send either a key or a session cookie, not both.", code="two_credentials")
    if is_api():
        g.actor = key_holder(bearer)
        return None
    if current_user.is_authenticated:
        g.actor = current_user.actor
        return None
    return _to_sign_in()


def is_api() -> bool:
    """Whether this request is a program's: it is answered in JSON and never redirected."""
    return request.path == "/api" or request.path.startswith("/api/")


def token() -> str | None:
    """The token of the session at hand, None where nobody is signed in."""
    return current_user.token if current_user.is_authenticated else None


def local(path: str | None) -> str:
    """The path when it leads to a page of ours, else `/`: a link must not send people elsewhere after signing in."""
    if not path or not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable():
        return "/"
    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path


def key_holder(header: str | None) -> Actor:
    """Whose API key the header `Authorization` holds. Raises NotSignedIn."""
    kind, _, key = (header or "").partition(" ")
    actor = accounts.actor_of_key(key.strip()) if kind.lower() == "bearer" else None
    if actor is None:
        raise NotSignedIn(
            "This needs a key: Authorization: Bearer cns_…"
            if header is None
            else "This key is unknown, expired or revoked. Ask for a new one."
        )
    return actor


def _to_sign_in() -> Response:
    fragment = bool(htmx)
    if fragment or request.method not in ("GET", "HEAD"):
        parts = urlsplit(htmx.current_url or request.referrer or "/")
        there = local(parts.path + (f"?{parts.query}" if parts.query else ""))
    else:
        there = local(request.full_path.rstrip("?"))
    address = "/sign-in" if there == "/" else f"/sign-in?next={quote(there, safe='/')}"
    if not fragment:
        return make_response(redirect(address, 303))
    answer = make_response("", 401)
    answer.headers["HX-Redirect"] = (
        address  # a redirect would be followed unseen, and the page for signing in drawn into a corner of this one
    )
    return answer


class Cookie(SecureCookieSessionInterface):
    """The cookie of the session. Over plain http from this machine itself browsers take no `Secure` one; everywhere else it is that, and of this host alone."""

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 - the base class gives it
        """With the prefix that binds it to this host, where it can have one."""
        return "console" if own_machine() else "__Host-console"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - the base class gives it
        """Whether it is sent over https only."""
        return not own_machine()

    def get_cookie_httponly(self, app: Flask) -> bool:  # noqa: ARG002 - the base class gives it
        """Never readable by a script."""
        return True

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002 - the base class gives it
        """Not sent along by the forms of other sites."""
        return "Lax"


def own_machine() -> bool:
    """Whether the request names this machine itself, over plain http."""
    host = urlsplit(f"//{request.host}").hostname
    return request.scheme == "http" and host in ("127.0.0.1", "localhost", "::1")


def _set_up(state: BlueprintSetupState) -> None:
    _manager.init_app(state.app)
    cast(Flask, state.app).session_interface = Cookie()


blueprint.record_once(_set_up)
