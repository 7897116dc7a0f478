"""`/settings/channels`: for each channel its provider, what is missing, its sandbox, the address to enter at the provider, and a test message."""

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, flash, request

from console import access, settings
from console.channels import providers, sandbox
from console.core import sms_gateway
from console.core.contacting import KINDS
from console.errors import Conflict, ConsoleError, Invalid
from console.integrations import kept_channels
from console.messages import channel_settings, messages_to_oneself, outside_addresses
from console.messages.channel_settings import ChannelState
from console.views import frame
from console.views.outbox import ICONS, KIND_WORDS
from console.views.settings import area

blueprint = Blueprint("channels", __name__, url_prefix="/settings/channels")

WHY = {
    "setting": "CONSOLE_SANDBOX is on: nothing really leaves.",
    "provider": "No provider is set up, so nothing really leaves.",
    "channel": "Switched on below: nothing really leaves.",
    "": "Messages really leave.",
}
OWN_NUMBER = {"email": "E-mail address", "sms": "Telephone number", "call": "Telephone number", "chat": "Name of the chat"}


@dataclass(frozen=True, slots=True)
class Line:
    """A channel on the page."""

    state: ChannelState
    title: str
    icon: str
    provider: str
    why: str
    callback: str | None
    to_words: str
    to: str
    script: str
    sandbox: bool
    drawn: str
    wrong: dict[str, str]
    conflict: Conflict | None
    left: int
    failed: int
    waiting: int
    last_at: datetime | None
    gateway: str
    gateway_drawn: str


@blueprint.get("")
def show() -> Response:
    """Show every channel."""
    return _page()


@blueprint.post("/<kind>")
def save(kind: str) -> Response:
    """Set a channel's sandbox and what it answers."""
    try:
        script = request.form.get("script", "").replace("\r\n", "\n")
        switched, seen = request.form.get("sandbox") == "on", request.form.get("drawn")
        channel_settings.save(frame.actor(), kind, sandbox_on=switched, script=script, seen=seen)
    except (Invalid, Conflict) as error:
        return _page(kind, error)
    flash("Saved")
    return frame.redirect_to("/settings/channels")


@blueprint.post("/sms/gateway")
def save_gateway() -> Response:
    """Set the document by which SMS leave over HTTP."""
    try:
        channel_settings.save_gateway(frame.actor(), request.form.get("gateway", ""), seen=request.form.get("drawn"))
    except (Invalid, Conflict) as error:
        return _page("sms", error)
    flash("Saved")
    return frame.redirect_to("/settings/channels")


@blueprint.post("/<kind>/test")
def test(kind: str) -> Response:
    """Send a test message to oneself."""
    try:
        messages_to_oneself.send_test(frame.actor(), kind, request.form.get("to", ""))
    except Invalid as error:
        return _page(kind, error)
    flash("The test message is on its way; the outbox shows what becomes of it")
    return frame.redirect_to("/settings/channels")


def _page(of: str = "", error: ConsoleError | None = None) -> Response:
    access.require(frame.actor(), None, "source", "manage")
    lines = [_line(kind, error if kind == of else None) for kind in KINDS]
    context = {"lines": lines, "gateway_example": sms_gateway.EXAMPLE, "base_url": settings.current().base_url}
    return area.page("settings/channels.html", "channels", context, status=error.status if error is not None else 200)


def _line(kind: str, error: ConsoleError | None) -> Line:
    state, figures = channel_settings.state_of(kind), channel_settings.figures_of(kind)
    provider = providers.provider_of(kind)
    callback = outside_addresses.callback_url(kind, state.provider) if provider.calls_back else None
    typed = request.form if error is not None else {}
    gateway = channel_settings.gateway_text(kept_channels.kept_for(kind).gateway) if kind == "sms" else ""
    if isinstance(error, Conflict) and "gateway" in typed:
        now = f"Now it is asked like this: {' '.join(gateway.split())}" if gateway else "Now there is none."
        error.details = [{"field": "gateway", "reason": f"{now} What you entered is here: save again to put it in its place."}]
    elif isinstance(error, Conflict):
        error.details = [{"field": "", "reason": f"{_now(state)} What you entered is below: save again to put it in its place."}]
    return Line(
        state,
        KIND_WORDS[kind],
        ICONS[kind],
        provider.title,
        WHY[state.why],
        callback,
        OWN_NUMBER[kind],
        str(typed.get("to", frame.actor().email if kind == "email" else "")),
        str(typed.get("script", sandbox.spoken(state.script))),
        "sandbox" in typed if "script" in typed else state.own_sandbox,
        frame.drawn_from(channel_settings.terms(state.own_sandbox, state.script), error if "script" in typed else None),
        {str(detail["field"]): str(detail["reason"]) for detail in error.details} if error is not None else {},
        error if isinstance(error, Conflict) else None,
        figures.left,
        figures.failed,
        figures.waiting,
        figures.last_at,
        str(typed.get("gateway", gateway)),
        frame.drawn_from(gateway, error if "gateway" in typed else None),
    )


def _now(state: ChannelState) -> str:
    """Return what is set for the channel now, in sentences."""
    answers = " ".join(f"“{line}”" for line in sandbox.spoken(state.script).splitlines()) or "as usual"
    return f"Now it {'is kept' if state.own_sandbox else 'is not kept'} in the sandbox, which answers {answers}."
