"""Before each request: name it and refuse forms of other sites. After each response: set the headers that protect the browser."""

import contextlib
import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

from flask import Blueprint, Flask, Response, current_app, g, make_response, redirect, request, session
from flask.sansio.blueprints import BlueprintSetupState
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf

from console import log
from console.core.errors import NotAllowed
from console.core.moments import READER_ZONE
from console.documents import requests
from console.infra import settings
from console.infra.db import request_writes
from console.infra.db.ids import uuid7_text
from console.messaging.imports import contact_files
from console.records import connect
from console.views import outcomes, saved_forms
from console.views.identity import is_api

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

blueprint = Blueprint("security", __name__)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
}
"""What every response carries. One that set some of them itself (a download with a sandbox) keeps its own."""

LARGE = frozenset(
    {
        "files.send",
        "runner.complete",
        "runner.request_documents",
        "runner.draft",
        "runner.save",
        "api_files.send",
        "requests.sent",
        "requests.send",
        "api_enrolments.enrol",
    }
)
"""Endpoints that take files, of who is signed in or has a link."""

LISTS = frozenset({"enrolled.enrol", "contact_import.begin"})
"""Endpoints that take files of contacts: a million lines are larger than what comes with a step."""

YEAR_S = 31_536_000
OVER_TLS = ("Strict-Transport-Security", f"max-age={YEAR_S}; includeSubDomains")
_VERSIONED = re.compile(r"/static/vendor/[^/]+-[0-9][^/]*/")
_TURNS = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")
"""U+202A to U+202E and U+2066 to U+2069, which turn the reading direction of what stands behind them, up to the end of the line."""
_READ = re.compile(
    rb"(<(?:textarea|script)\b.*?</)|>[^<]+|\b(?:title|aria-label|alt|placeholder)=\"[^\"]*\"", re.DOTALL
)
"""What people read of a page; what they change (its first group, and the values of boxes) stays to the letter."""
_tokens = CSRFProtect()


class ForeignForm(NotAllowed):
    """A form that does not come from a page of this console, or from one that is too old. Reload the page and send it again."""

    default_code = "foreign_form"


class SafeResponse(Response):
    """A response that carries `HEADERS`, also where a view made it without thinking of them."""

    def get_wsgi_response(
        self, environ: "WSGIEnvironment"
    ) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Add those that the view has not set itself."""
        body, status, headers = super().get_wsgi_response(environ)
        own = {name.lower() for name, _ in headers}
        return body, status, [*headers, *(each for each in HEADERS.items() if each[0].lower() not in own)]


@blueprint.before_app_request
def name_request() -> None:
    """Give the request a name, for its response, events and errors."""
    g.actor = None
    g.request_id = uuid7_text()
    log.REQUEST.set(g.request_id)
    READER_ZONE.set(None)
    request_writes.begin()
    connect.wait_once(on=True)
    if request.endpoint in LARGE and ("_user_id" in session or is_api() or _has_link()):
        request.max_content_length = (settings.current().request_mb + 1) * 1_000_000
    if request.endpoint in LISTS and "_user_id" in session:
        request.max_content_length = contact_files.MOST_BYTES + 1_000_000


@blueprint.teardown_app_request
def end_request(_error: BaseException | None) -> None:
    """What follows in this thread asks every source itself."""
    connect.wait_once(on=False)


@blueprint.before_app_request
def refuse_foreign_forms() -> Response | None:
    """Require for unsafe methods that the browser names our origin and sends the page's token. Programs with a key send no cookie and need neither.

    A form of a page that is older than the sign-in is not sent; where the browser says that it is ours, a page offers it again to whoever had opened it,
    after signing in where nobody is.
    """
    if (
        request.method in outcomes.SAFE
        or is_api()
        or _programs_outside()
        or request.routing_exception is not None
    ):
        return None
    if not same_origin():
        raise ForeignForm(
            "This was sent from another site, so nothing was done. Open the page here and send it again."
        )
    if _outside():
        return None
    try:
        _tokens.protect()
    except CSRFError as error:
        if saved_forms.sent_by_form() and saved_forms.of_reader():
            return saved_forms.offered(saved_forms.without_secrets(), status=403)
        if (
            not current_user.is_authenticated
            and request.endpoint is not None
            and (there := saved_forms.keep()) is not None
        ):
            return make_response(redirect(f"/sign-in?next={quote(there, safe='/')}", 303))
        raise ForeignForm(
            "This page is too old to send anything: you have signed in or out since it was opened. Reload it and send it again."
        ) from error
    return None


@blueprint.after_app_request
def protect(response: Response) -> Response:
    """Set the security headers and cache times: a year for files named by their hash or version, no caching for everything else."""
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.is_secure:
        response.headers.setdefault(*OVER_TLS)
    if request.endpoint == "static" and response.status_code < 400:
        named = "v" in request.args or _VERSIONED.match(request.path)
        response.headers["Cache-Control"] = (
            f"public, max-age={YEAR_S}, immutable" if named else "public, max-age=3600"
        )
    elif not response.headers.get("Cache-Control") or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    if response.mimetype == "text/html":
        if "HX-Request" not in response.headers.get("Vary", ""):
            response.vary.add("HX-Request")
        if not response.is_streamed and _TURNS.search(page := response.get_data()):
            response.set_data(_READ.sub(lambda part: part[0] if part[1] else _TURNS.sub(b"", part[0]), page))
    return response


def form_token() -> str:
    """Return the token for the page's forms. It holds no time (`WTF_CSRF_TIME_LIMIT`), so it is signed once for a session."""
    secret = session.get("csrf_token")
    return str(generate_csrf()) if secret is None else _signed(str(current_app.secret_key), secret)


@lru_cache(maxsize=1000)
def _signed(key: str, secret: str) -> str:
    return str(saved_forms.serializer(key).dumps(secret))


def _outside() -> bool:
    """Return whether this is a page behind a secret link. It has no cookie, and who knows its address cannot be tricked into a form."""
    return request.blueprint == "requests"


def _programs_outside() -> bool:
    """Return whether a provider or a mail program asks, which knows a secret address and has neither cookie nor origin."""
    return request.blueprint in ("channel_callbacks", "unsubscribe", "provider_logout")


def _has_link() -> bool:
    return _outside() and requests.is_known(str((request.view_args or {}).get("token", "")))


def same_origin() -> bool:
    """Return whether the browser's headers name our origin. Without such a header it is neither a known browser nor a program with a key."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    ours = {_origin(request.host_url), _origin(settings.current().base_url or request.host_url)}
    return origin is not None and _origin(origin) in ours


def known_host() -> bool:
    """Return whether the request names a host that is ours: the one of CONSOLE_BASE_URL, this machine, or an address in figures, which no page can make its own name."""
    host = _origin(request.host_url)[1] or ""
    own = _origin(settings.current().base_url or "")[1]
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return bool(host) and (host in {own, "localhost"} or host.endswith(".localhost"))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, or a value unlike ours if they cannot be parsed."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None


def _set_up(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    app.response_class = SafeResponse
    app.config.setdefault(
        "WTF_CSRF_CHECK_DEFAULT", False
    )  # called above, after the cheaper check, and never for programs
    app.config.setdefault(
        "WTF_CSRF_TIME_LIMIT", None
    )  # valid as long as the session: a tab from yesterday may still send its form
    app.config.setdefault(
        "WTF_CSRF_SSL_STRICT", False
    )  # the origin is checked above, also behind proxies that end https
    _tokens.init_app(app)
    app.context_processor(lambda: {"csrf_token": form_token})  # runs after the library's own checks


blueprint.record_once(_set_up)


def answer_outside(body: str, status: int) -> Response:
    """The answer to whoever has a link: no browser keeps it, and no search engine lists it."""
    answer = make_response(body, status)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
