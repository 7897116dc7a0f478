"""The door: finds out who asks, for every request, and lets nobody in who did not say.

Pages know people by their session, the API by a key. `g.actor` is set for everything but the few open routes.
"""

from typing import NoReturn, cast
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, Response, g, make_response, redirect, request, session
from flask.sansio.blueprints import BlueprintSetupState
from flask.sessions import SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from itsdangerous import URLSafeTimedSerializer

from console import accounts
from console.core.actor import Actor
from console.errors import ConsoleError, Malformed
from console.views import rates
from console.views.frame import htmx

blueprint = Blueprint("identity", __name__)

EVERYWHERE = frozenset({"/health", "/health/pages", "/static/<path:filename>", "/request/<token>", "/request/<token>/files"})
"""Routes that are answered whatever network somebody is in: what watches over the console, and the people outside who hand in documents."""

OPEN = frozenset(
    {
        "/static/<path:filename>",
        "/health",
        "/health/pages",
        "/metrics",
        "/schema/workflow.json",
        "/schema/action.json",
        "/api/openapi.json",
        "/schema/collection.json",
        "/api/docs",
        "/sign-in",
        "/invitation/<token>",
        "/sign-in/code",
        "/sign-in/forgot",
        "/sign-in/new-password/<token>",
        "/sign-in/out",
        "/sign-in/oidc",
        "/sign-in/oidc/callback",
        "/request/<token>",
        "/request/<token>/files",
    }
)
"""Routes that need nobody to be signed in. Everything else is closed, what is added later too."""

ENROLLING = frozenset(
    {"second_factor.show", "second_factor.confirm", "auth.sign_out", "session.left", "step_up.show", "step_up.prove", "step_up.again"}
)
"""What somebody gets to who has to set up a second factor first."""

_manager = LoginManager()
_manager.session_protection = None  # the session is on the server, with its own limits; an address may change on the way to work


class OutsideNetwork(ConsoleError):
    """The console is open to some networks only, and this address is in none of them. An administrator can add it under Settings, Sign-in."""

    status = 403
    default_code = "outside_network"


class NotSignedIn(ConsoleError):
    """A request without a key, or with one that is unknown, expired or revoked."""

    status = 401
    default_code = "not_signed_in"


class SignedIn(UserMixin):  # type: ignore[misc]
    """A person with a session, as Flask-Login wants one: it stores the token, never the id of the person."""

    def __init__(self, token: str, standing: accounts.Standing) -> None:
        self.token, self.standing, self.actor = token, standing, standing.actor

    def get_id(self) -> str:
        """The token: what a copied cookie holds is worth nothing once the session has ended."""
        return self.token


@_manager.user_loader  # type: ignore[untyped-decorator]
def _signed_in(token: str) -> SignedIn | None:
    found = accounts.standing(token, background=in_background())
    return None if found is None else SignedIn(token, found)


@blueprint.before_app_request
def identify() -> ResponseReturnValue | None:
    """Set `g.actor`, or answer: a page leads to sign-in, the API says 401. What no route answers is passed on, to be refused as such."""
    g.actor = None
    rule = None if request.url_rule is None else request.url_rule.rule
    if rule not in EVERYWHERE and not accounts.lets_in(request.remote_addr or ""):
        _refuse_outside()
    bearer = request.headers.get("Authorization")
    if request.routing_exception is not None or rule in OPEN:
        return None
    if bearer is not None and "_user_id" in session:
        raise Malformed("Send either a key or a session cookie, not both.", code="two_credentials")
    if is_api():
        g.actor = key_holder(bearer)
        rates.count(g.actor)
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    g.actor, g.session_left = current_user.actor, current_user.standing.left_s
    if current_user.standing.stale:
        renew()
    if current_user.standing.must_enrol and request.endpoint not in ENROLLING:
        return make_response("", 204) if in_background() else _elsewhere("/settings/me/second-factor")
    return None


def _refuse_outside() -> NoReturn:
    """Before anybody says who they are. Noted when somebody tries to sign in, not for every request of a stranger."""
    if request.method == "POST" and request.path.startswith("/sign-in"):
        accounts.note_stranger("network", request.remote_addr or "", request.user_agent.string)
    raise OutsideNetwork(f"The console is not open to your network. Your address is {request.remote_addr}: tell it to an administrator.")


@blueprint.after_app_request
def tell(response: Response) -> Response:
    """How many seconds the session lasts if nothing happens: the page warns before its end."""
    if "session_left" in g:
        response.headers["X-Session-Left"] = str(g.session_left)
    return response


def is_api() -> bool:
    """Whether this request is a program's: it is answered in JSON and never redirected."""
    return request.path == "/api" or request.path.startswith("/api/")


def in_background() -> bool:
    """Whether the page asks by itself, without anybody doing anything: that keeps no session awake."""
    return "X-Background" in request.headers


def renew(*, proved: bool = False) -> None:
    """Give the session at hand a new token, in its cookie too."""
    new = accounts.renewed(current_user.token, proved=proved)
    if new is not None:
        current_user.token = session["_user_id"] = new


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
    try:
        actor = accounts.actor_of_key(key.strip(), request.remote_addr) if kind.lower() == "bearer" else None
    except accounts.WrongNetwork as refused:
        g.actor = refused.actor  # whose key it is reads in the log that it was tried
        raise
    if actor is None:
        if header is not None:
            rates.wrong_key()
        raise NotSignedIn(
            "This needs a key: Authorization: Bearer cns_…"
            if header is None
            else "This key is unknown, expired or revoked. Ask for a new one."
        )
    return actor


def _to_sign_in() -> Response:
    if htmx or request.method not in ("GET", "HEAD"):
        parts = urlsplit(htmx.current_url or request.referrer or "/")
        there = local(parts.path + (f"?{parts.query}" if parts.query else ""))
    else:
        there = local(request.full_path.rstrip("?"))
    return _elsewhere("/sign-in" if there == "/" else f"/sign-in?next={quote(there, safe='/')}")


def _elsewhere(address: str) -> Response:
    if not htmx:
        return make_response(redirect(address, 303))
    answer = make_response("", 401)
    answer.headers["HX-Redirect"] = (
        address  # a redirect would be followed unseen, and the page for signing in drawn into a corner of this one
    )
    return answer


class Cookie(SecureCookieSessionInterface):
    """The cookie of the session. Over plain http from this machine itself browsers take no `Secure` one; everywhere else it is that, and of this host alone."""

    def __init__(self) -> None:
        self._made: tuple[object, URLSafeTimedSerializer | None] = (None, None)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The same for every request, as long as the keys stay what they are."""
        keys = (app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if self._made[0] != keys:
            self._made = (keys, super().get_signing_serializer(app))
        return self._made[1]

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
