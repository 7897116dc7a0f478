"""Before every request: what it is called, and whether a form comes from a page of ours. After every response: the headers that keep a browser safe."""

from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, make_response, request, session
from flask.sansio.blueprints import BlueprintSetupState
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from itsdangerous import URLSafeTimedSerializer

from console import document_requests, log, settings
from console.db import request_writes
from console.db.ids import uuid7
from console.errors import NotAllowed

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

LARGE = frozenset({
    "files.send", "runner.complete", "runner.request_documents", "runner.draft", "runner.save", "api_files.send", "requests.sent", "requests.send"
})  # fmt: skip
"""Endpoints that take files, of who is signed in or has a link."""

YEAR_S = 31_536_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_tokens = CSRFProtect()


class ForeignForm(NotAllowed):
    """A form that does not come from a page of this console, or from one that is too old. Reload the page and send it again."""

    default_code = "foreign_form"


@blueprint.before_app_request
def name_request() -> None:
    """A name for this request, in its response, its events and its errors."""
    g.actor = None
    g.request_id = str(uuid7())
    log.REQUEST.set(g.request_id)
    request_writes.begin()
    log.on_the_way()
    if request.endpoint in LARGE and ("_user_id" in session or _for_programs() or _has_link()):
        request.max_content_length = (settings.current().request_mb + 1) * 1_000_000


@blueprint.before_app_request
def refuse_foreign_forms() -> None:
    """Unsafe methods need a browser that says the form is ours, and the page's token (or the link's, outside). Programs with a key send no cookie, and need neither."""
    if request.method in SAFE or _for_programs() or request.routing_exception is not None:
        return
    if not _same_origin():
        raise ForeignForm("This was sent from another site, so nothing was done. Open the page here and send it again.")
    if _outside():
        return
    try:
        _tokens.protect()
    except CSRFError as error:
        raise ForeignForm(
            "This page is too old to send anything: you have signed in or out since it was opened. Reload it and send it again."
        ) from error


@blueprint.after_app_request
def protect(response: Response) -> Response:
    """The headers, and how long a browser may keep what it got: files by their content's hash for a year, everything else not at all."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.get("request_id", "")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_S}; includeSubDomains")
    if request.endpoint == "static" and response.status_code < 400:
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable" if "v" in request.args else "public, max-age=3600"
    elif not response.headers.get("Cache-Control") or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    if response.mimetype == "text/html":
        response.vary.add("HX-Request")
    return response


@blueprint.after_app_request
def settle(response: Response) -> Response:
    """What was looked at is in the log before anybody sees it; where that cannot be, the answer is the error. Stands last, so that it comes before the headers."""
    try:
        log.settle(last=True)
    except Exception as error:  # noqa: BLE001 - answered as everywhere
        return make_response(current_app.handle_user_exception(error))
    return response


def form_token() -> str:
    """The token that the forms of a page carry. It holds no time (`WTF_CSRF_TIME_LIMIT`), so that one of a session is signed once."""
    secret = session.get("csrf_token")
    return str(generate_csrf()) if secret is None else _signed(str(current_app.secret_key), secret)


@lru_cache(maxsize=1000)
def _signed(key: str, secret: str) -> str:
    return str(URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(secret))


def _for_programs() -> bool:
    """Routes where only a key opens anything: a session cookie is worth nothing there."""
    return request.path.startswith("/api/")


def _outside() -> bool:
    """The page behind a link: what is secret stands in its address, and whoever has that needs no form to be tricked into. It has no cookie."""
    return request.blueprint == "requests"


def _has_link() -> bool:
    return _outside() and document_requests.known(str((request.view_args or {}).get("token", "")))


def _same_origin() -> bool:
    """What the browser says itself, else the address of the page that the form stands on. Neither: no browser that we know, and no program with a key."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    ours = {_origin(request.host_url), _origin(settings.current().base_url or request.host_url)}
    return origin is not None and _origin(origin) in ours


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port; what cannot be read is like nothing of ours."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None


def _set_up(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    app.config.setdefault("WTF_CSRF_CHECK_DEFAULT", False)  # called above, after the cheaper check and never for programs
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # as long as the session: a tab from yesterday may still send what was typed
    app.config.setdefault("WTF_CSRF_SSL_STRICT", False)  # the origin is checked above, also where proxies end https
    _tokens.init_app(app)
    app.context_processor(lambda: {"csrf_token": form_token})  # after the library's own


blueprint.record_once(_set_up)
