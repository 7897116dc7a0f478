"""`/settings/channels`: for each channel its provider, what is missing, its sandbox, the address to enter at the provider, and a test message."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, request

from console.auth import access
from console.core import sms_gateway
from console.core.contacting import KINDS
from console.core.errors import Conflict, ConsoleError, Invalid
from console.infra import settings
from console.infra.outbound import kept_channels
from console.messaging import providers
from console.messaging.channels import sandbox
from console.messaging.messages import channel_settings, outside_addresses, test_messages
from console.messaging.messages.channel_settings import ChannelState, Figures
from console.views import frame
from console.views.forms import Field, Form, Item
from console.views.messaging.outbox import KIND_WORDS
from console.views.settings import area

blueprint = Blueprint("channels", __name__, url_prefix="/settings/channels")

WHY = {
    "setting": "CONSOLE_SANDBOX is on: nothing really leaves.",
    "provider": "No provider is set up, so nothing really leaves.",
    "channel": "Switched on below: nothing really leaves.",
    "": "Messages really leave.",
}
SCRIPT_HINT = "One outcome on each line with its share, such as “sent 95” and “failed 5”; “post.example: failed” for who has that in the address or name."
SCRIPT_HINTS = {
    "sms": SCRIPT_HINT.replace("sent", "delivered"),
    "call": "One outcome on each line with its share, such as “answered/interested 30” or “no answer 50”; “+1202: busy” for who has that in the "
    "address or name; “by hand” to choose in the outbox.",
}
GATEWAY_HINT = "JSON; empty: none. Save it, then send a test to yourself below."
OWN_NUMBER = {
    "email": "E-mail address",
    "sms": "Telephone number",
    "call": "Telephone number",
    "chat": "Name of the chat",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A channel on the page, with the forms of its sandbox, of its gateway and of a test."""

    state: ChannelState
    title: str
    provider: str
    why: str
    callback: str | None
    figures: Figures
    script_form: Form
    gateway_form: Form | None
    test_form: Form


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
        channel_settings.save_gateway(
            frame.actor(), request.form.get("gateway", ""), seen=request.form.get("drawn")
        )
    except (Invalid, Conflict) as error:
        return _page("sms", error)
    flash("Saved")
    return frame.redirect_to("/settings/channels")


@blueprint.post("/<kind>/test")
def test(kind: str) -> Response:
    """Send a test message to oneself."""
    try:
        test_messages.send_test(frame.actor(), kind, request.form.get("to", ""))
    except Invalid as error:
        return _page(kind, error)
    flash("The test message is on its way; the outbox shows what becomes of it")
    return frame.redirect_to("/settings/channels")


def _page(of: str = "", error: ConsoleError | None = None) -> Response:
    access.require(frame.actor(), None, "source", "manage")
    lines = [_line(kind, error if kind == of else None) for kind in KINDS]
    return area.page(
        "settings/channels.html",
        "channels",
        {"lines": lines, "base_url": settings.current().base_url},
        error=error,
    )


def _line(kind: str, error: ConsoleError | None) -> Line:
    state, provider = channel_settings.state_of(kind), providers.provider_of(kind)
    callback = outside_addresses.callback_url(kind, state.provider) if provider.calls_back else None
    typed = request.form if error is not None else {}
    gateway = channel_settings.gateway_text(kept_channels.kept_for(kind).gateway) if kind == "sms" else ""
    if isinstance(error, Conflict) and "gateway" in typed:
        now = f"Now it is asked like this: {' '.join(gateway.split())}" if gateway else "Now there is none."
        error.details = [
            {
                "field": "gateway",
                "reason": f"{now} What you entered is here: save again to put it in its place.",
            }
        ]
    elif isinstance(error, Conflict):
        error.details = [
            {
                "field": "",
                "reason": f"{_now(state)} What you entered is below: save again to put it in its place.",
            }
        ]

    def form(name: str, items: list[Item], values: dict[str, Any], path: str = "", **more: Any) -> Form:
        refused = error if name in typed else None
        action = f"/settings/channels/{kind}{path}"
        return Form(
            items, values, tone="", css="form", action=action, prefix=f"{kind}-", error=refused, **more
        )

    drawn = frame.drawn_from(
        channel_settings.terms(state.own_sandbox, state.script), error if "script" in typed else None
    )
    script_form = form(
        "script",
        [
            Field("drawn", kind="hidden"),
            Field("sandbox", "Keep this channel in the sandbox, whatever the settings say", "check"),
            Field("script", "What the sandbox answers", "area", SCRIPT_HINTS.get(kind, SCRIPT_HINT), rows=4),
        ],
        {
            "drawn": drawn,
            "sandbox": "sandbox" in typed if "script" in typed else state.own_sandbox,
            "script": typed.get("script", sandbox.spoken(state.script)),
        },
    )
    own = typed.get("to", frame.actor().email if kind == "email" else "")
    test_form = form(
        "to",
        [Field("to", f"Test message to yourself: {OWN_NUMBER[kind].lower()}")],
        {"to": own},
        "/test",
        submit="Send a test",
        icon="send",
    )
    gateway_form = None
    if kind == "sms":
        text = Field(
            "gateway",
            "How it is asked, and what it answers and tells",
            "area",
            GATEWAY_HINT,
            rows=12,
            css="mono",
            placeholder=sms_gateway.EXAMPLE,
        )
        values = {
            "gateway": typed.get("gateway", gateway),
            "drawn": frame.drawn_from(gateway, error if "gateway" in typed else None),
        }
        gateway_form = form("gateway", [Field("drawn", kind="hidden"), text], values, "/gateway")
    figures = channel_settings.figures_of(kind)
    return Line(
        state,
        KIND_WORDS[kind],
        provider.title,
        WHY[state.why],
        callback,
        figures,
        script_form,
        gateway_form,
        test_form,
    )


def _now(state: ChannelState) -> str:
    """Return what is set for the channel now, in sentences."""
    answers = " ".join(f"“{line}”" for line in sandbox.spoken(state.script).splitlines()) or "as usual"
    return (
        f"Now it {'is kept' if state.own_sandbox else 'is not kept'} in the sandbox, which answers {answers}."
    )
