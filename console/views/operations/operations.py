"""`/operations`: the state of the background work, and its switch. `/metrics`: the same figures for Prometheus."""

import ipaddress
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, request

from console.auth import access
from console.automation import enrolments
from console.core.contacting import KINDS
from console.core.errors import ConsoleError
from console.infra import settings
from console.messaging.messages import channel_settings
from console.operations import status
from console.views import frame, identity
from console.views.messaging.outbox import KIND_WORDS

blueprint = Blueprint("operations", __name__)
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via")


@blueprint.get("/operations")
def show() -> Response:
    """Show the state of the background work."""
    return _page()


@blueprint.post("/operations/<word>")
def switch(word: str) -> Response:
    """`pause` or `resume`, with a reason."""
    act = {"pause": status.pause, "resume": status.resume}.get(word)
    access.require(frame.actor(), None, "source", "manage")
    if act is None:
        return make_response("", 404)
    try:
        act(frame.actor(), request.form.get("reason", ""))
    except ConsoleError as wrong:
        return _page(wrong)
    return frame.redirect_to("/operations")


@blueprint.post("/operations/jobs/<int:job>/retry")
def retry(job: int) -> Response:
    """Try a failed job once more."""
    status.try_again(frame.actor(), job)
    return frame.redirect_to("/operations")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Return the figures for Prometheus: with an API key whose person may manage sources, or from this machine itself."""
    if not _from_here():
        access.require(identity.key_holder(request.headers.get("Authorization")), None, "source", "manage")
    text, kind = status.metrics()
    answer = make_response(text)
    answer.headers["Content-Type"] = kind
    return answer


def _from_here() -> bool:
    """Return whether a program on this machine asks directly. If the console has a base URL, a proxy on the same machine may be asking."""
    address = settings.current().base_url
    public = address is not None and urlsplit(address).hostname not in ("127.0.0.1", "localhost", "::1")
    if public or settings.current().trusted_proxies or any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback and identity.own_machine()
    except ValueError:
        return False


def _page(wrong: ConsoleError | None = None) -> Response:
    state = status.read(frame.actor())
    channels = [
        (KIND_WORDS[kind], channel_settings.state_of(kind), channel_settings.figures_of(kind))
        for kind in KINDS
    ]
    context = {
        "state": state,
        "channels": channels,
        "paces": enrolments.paces(frame.actor()),
        "wrong": wrong,
        "reason": request.form.get("reason", ""),
    }
    return frame.page("operations/page.html", context, error=wrong)
