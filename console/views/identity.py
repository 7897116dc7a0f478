"""Identify the person or program behind every request, and refuse requests without one.

Pages use a session, the API a key. `g.actor` is set for all but the few open routes.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import NoneType
from typing import Any, NoReturn, cast
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, Request, Response, g, make_response, redirect, request, session
from flask.sansio.blueprints import BlueprintSetupState
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from itsdangerous import BadSignature, URLSafeTimedSerializer

from console.auth import access, accounts
from console.core.actor import Actor
from console.core.errors import ConsoleError, Malformed, NotAllowed, NotFound
from console.core.moments import READER_ZONE
from console.views import rates, saved_forms
from console.views.frame import htmx

blueprint = Blueprint("identity", __name__)

EVERYWHERE = frozenset(
    {
        *(
            "/health",
            "/health/pages",
            "/static/<path:filename>",
            "/request/<token>",
            "/request/<token>/files",
            "/brand.css",
        ),
        *("/sign-in/oidc/backchannel-logout", "/unsubscribe/<token>", "/channels/<kind>/<provider>/<token>"),
    }
)
"""Routes that are answered whatever network somebody is in: what watches over the console, the people outside who hand in documents or end messages, providers of messages, and the identity provider."""

OPEN = frozenset(
    {
        "/static/<path:filename>",
        "/health",
        "/health/pages",
        "/metrics",
        "/schema/<name>.json",
        "/api/openapi.json",
        "/api/docs",
        "/sign-in",
        "/sign-in/demo",
        "/invitation/<token>",
        "/sign-in/code",
        "/sign-in/forgot",
        "/sign-in/new-password/<token>",
        "/sign-in/out",
        "/sign-in/oidc",
        "/sign-in/oidc/callback",
        "/sign-in/oidc/backchannel-logout",
        "/request/<token>",
        "/request/<token>/files",
        "/brand.css",
        "/unsubscribe/<token>",
        "/channels/<kind>/<provider>/<token>",
        "/hooks/<token>",
    }
)
"""Routes that need nobody to be signed in. Everything else is closed, what is added later too."""

ENROLLING = frozenset(
    {
        "second_factor.show",
        "second_factor.confirm",
        "auth.sign_out",
        "session.seconds_left",
        "step_up.show",
        "step_up.prove",
        "step_up.again",
    }
)
"""What somebody gets to who has to set up a second factor first."""

_manager = LoginManager()
_manager.session_protection = (
    None  # sessions are on the server with their own limits, and an address may change on the way to work
)


class OutsideNetwork(ConsoleError):
    """The console is open to some networks only, and this address is in none of them. An administrator can add it under Settings, Sign-in."""

    status = 403
    default_code = "outside_network"


class NotSignedIn(ConsoleError):
    """A request without a key, or with one that is unknown, expired or revoked."""

    status = 401
    default_code = "not_signed_in"


class SignedIn(UserMixin):  # type: ignore[misc]
    """The user object for Flask-Login. It stores the session's token, never the person's id."""

    def __init__(self, token: str, standing: accounts.Standing) -> None:
        self.token, self.standing, self.actor = (
            token,
            standing,
            replace(standing.actor, address=request.remote_addr or ""),
        )

    def get_id(self) -> str:
        """Return the token: a copied cookie is worth nothing once the session has ended."""
        return self.token


@_manager.user_loader  # type: ignore[untyped-decorator]
def _signed_in(token: str) -> SignedIn | None:
    standing = accounts.session_of(token, background=in_background())
    return None if standing is None else SignedIn(token, standing)


@blueprint.before_app_request
def identify() -> ResponseReturnValue | None:
    """Set `g.actor`, or answer: pages redirect to sign-in, the API answers 401. Unknown addresses pass, to get their 404."""
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
        g.actor = key_holder(bearer, assistant=rule == "/mcp")
        rates.count(g.actor)
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    g.actor, g.session_left = current_user.actor, current_user.standing.left_s
    READER_ZONE.set(g.actor.zone)
    if current_user.standing.stale:
        renew()
    if current_user.standing.must_enrol and request.endpoint not in ENROLLING:
        return make_response("", 204) if in_background() else _elsewhere("/settings/me/second-factor")
    return None


@blueprint.before_app_request
def refuse_nul() -> None:
    """Answer an address with a NUL in it as one where nothing is: no id has one, and PostgreSQL raises an error for it."""
    if "\x00" in request.path:
        raise NotFound


def _refuse_outside() -> NoReturn:
    """Refuse addresses outside the allowed networks before sign-in. Only attempts to sign in are logged."""
    if request.method == "POST" and request.path.startswith("/sign-in"):
        accounts.note_stranger("network", request.remote_addr or "", request.user_agent.string)
    raise OutsideNetwork(
        f"The console is not open to your network. Your address is {request.remote_addr}: tell it to an administrator."
    )


@blueprint.after_app_request
def send_seconds_left(response: Response) -> Response:
    """Send the number of seconds until the session ends if nothing happens; the page warns before that."""
    if "session_left" in g:
        response.headers["X-Session-Left"] = str(g.session_left)
    return response


def is_api() -> bool:
    """Return whether a program makes this request: it is answered in JSON and never redirected."""
    path = f"/{request.path.lstrip('/')}"
    return path in ("/api", "/mcp") or path.startswith(("/api/", "/hooks/", "/mcp/"))


def in_background() -> bool:
    """Return whether the page makes this request on its own. That does not keep the session awake."""
    return "X-Background" in request.headers


def renew(*, proved: bool = False, proved_at: float | None = None) -> None:
    """Give the present session a new token, also in its cookie."""
    new = accounts.renewed(current_user.token, proved=proved, proved_at=proved_at)
    if new is not None:
        current_user.token = session["_user_id"] = new


def token() -> str | None:
    """Return the token of the present session; None if nobody is signed in."""
    return current_user.token if current_user.is_authenticated else None


def local(path: str | None) -> str:
    """Return the path if it leads to a page of the console, else `/`: a link must not redirect to another site after sign-in."""
    if (
        not path
        or not path.startswith("/")
        or path.startswith("//")
        or "\\" in path
        or not path.isprintable()
    ):
        return "/"
    parts = urlsplit(path)
    return "/" if parts.scheme or parts.netloc else path


def key_holder(header: str | None, *, assistant: bool = False) -> Actor:
    """Return whose API key the header `Authorization` holds. Raises NotSignedIn, and NotAllowed for a key of an assistant where none is asked for, and the
    other way round.
    """
    kind, _, key = (header or "").partition(" ")
    try:
        actor = accounts.actor_of_key(key.strip(), request.remote_addr) if kind.lower() == "bearer" else None
    except accounts.WrongNetwork as refused:
        g.actor = refused.actor  # the owner of the key sees the attempt in the log
        raise
    if actor is None:
        if header is not None:
            rates.wrong_key()
        raise NotSignedIn(
            "This needs a key: Authorization: Bearer cns_…"
            if header is None
            else "This key is unknown, expired or revoked. Ask for a new one."
        )
    actor = replace(actor, address=request.remote_addr or "")
    if access.by_assistant(actor) is not assistant:
        g.actor = actor
        raise NotAllowed(
            "This key is not for an assistant. Make one under Settings, API keys, or by console apikey create --scope mcp."
            if assistant
            else "This key is for an assistant: it opens /mcp, and nothing else.",
            need=("key", "use"),
        )
    return actor


def _to_sign_in() -> Response:
    if htmx or request.method not in ("GET", "HEAD"):
        parts = urlsplit(htmx.current_url or request.referrer or "/")
        there = saved_forms.keep() or local(parts.path + (f"?{parts.query}" if parts.query else ""))
    else:
        there = local(request.full_path.rstrip("?"))
    return _elsewhere("/sign-in" if there == "/" else f"/sign-in?next={quote(there, safe='/')}")


def _elsewhere(address: str) -> Response:
    if not htmx:
        return make_response(redirect(address, 303))
    answer = make_response("", 401)
    answer.headers["HX-Redirect"] = (
        address  # htmx would follow a redirect silently and draw the sign-in page inside this one
    )
    return answer


_UNCHANGING = frozenset({str, bool, int, NoneType})
"""What a cookie holds where nothing is told once: two requests may share it."""


SKEW = timedelta(minutes=5)
"""By how much the clock of the machine that signed may be ahead of that of this one."""


@lru_cache(maxsize=1000)
def _signed(serializer: URLSafeTimedSerializer, cookie: str) -> tuple[dict[str, Any], datetime]:
    """Return what the cookie holds and when it was signed. Raises BadSignature, which is not cached; other keys are another serializer."""
    content, signed_at = serializer.loads(cookie, return_timestamp=True)
    return content, signed_at


class Cookie(SecureCookieSessionInterface):
    """The session cookie: `Secure` and bound to this host. Only over plain http from this machine it is not `Secure`, because browsers refuse that there."""

    def __init__(self) -> None:
        self._made: tuple[object, URLSafeTimedSerializer | None] = (None, None)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return the serializer; it is cached until the keys change."""
        keys = (app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if self._made[0] != keys:
            self._made = (keys, super().get_signing_serializer(app))
        return self._made[1]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the cookie. Its signature is checked once for the same cookie and keys, its age each time."""
        if "HTTP_COOKIE" not in request.environ and app.secret_key:
            return self.session_class()
        serializer, cookie = self.get_signing_serializer(app), request.cookies.get(self.get_cookie_name(app))
        if serializer is not None and cookie:
            with suppress(BadSignature):
                content, signed_at = _signed(serializer, cookie)
                if -SKEW < datetime.now(UTC) - signed_at < app.permanent_session_lifetime:
                    alike = _UNCHANGING.issuperset(map(type, content.values()))
                    return self.session_class(content if alike else serializer.loads(cookie))
        return super().open_session(app, request) if serializer is None else self.session_class()

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie, where there is something to set: most answers to programs come without."""
        if session or session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.vary.add("Cookie")

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 - the base class gives it
        """Return the name, with the prefix that binds the cookie to this host where possible."""
        return "console" if own_machine() else "__Host-console"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - the base class gives it
        """Return whether the cookie is sent over https only."""
        return not own_machine()

    def get_cookie_httponly(self, app: Flask) -> bool:  # noqa: ARG002 - the base class gives it
        """Return True: scripts may not read the cookie."""
        return True

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002 - the base class gives it
        """Return the mode that keeps forms of other sites from sending the cookie."""
        return "Lax"


def own_machine() -> bool:
    """Return whether the request names this machine itself, over plain http."""
    host = urlsplit(f"//{request.host}").hostname
    return request.scheme == "http" and host in ("127.0.0.1", "localhost", "::1")


def _set_up(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    # in place of `_manager.init_app`, which looks after each request for a second cookie that nobody here has
    app.login_manager = _manager  # type: ignore[attr-defined]
    app.session_interface = Cookie()


blueprint.record_once(_set_up)
