"""`/settings/channels/sms/gateway`: any HTTP gateway for SMS, described on a page and tried there."""

from dataclasses import dataclass, field

from flask import Blueprint, Response, flash, request

from console.core import gateways
from console.errors import Conflict, ConsoleError, Invalid
from console.integrations import outgoing_secrets
from console.messages import gateway_setup, outside_addresses
from console.messages.gateway_setup import Trial
from console.views import frame
from console.views.settings import area

blueprint = Blueprint("sms_gateway", __name__, url_prefix="/settings/channels/sms/gateway")
AT = "/settings/channels/sms/gateway"


@dataclass(frozen=True, slots=True)
class Tried:
    """What stands below the form: what was typed there, and what came of it."""

    typed: dict[str, str] = field(default_factory=dict)
    trial: Trial | None = None
    answer: Trial | None = None
    callback: tuple[str, ...] = ()


@blueprint.get("")
def show() -> Response:
    """Show the gateway, or a neutral example where none is described."""
    return _page()


@blueprint.post("")
def save() -> Response:
    """Keep what was typed."""
    try:
        gateway_setup.save(frame.actor(), request.form, seen=request.form.get("drawn"))
    except (Invalid, Conflict) as error:
        return _page({str(detail["field"]): str(detail["reason"]) for detail in error.details}, form=True, error=error)
    flash("Saved")
    return frame.redirect_to(AT)


@blueprint.post("/try")
def attempt() -> Response:
    """Show the request for one's own number, or send it."""
    to = request.form.get("to", "")
    try:
        act = gateway_setup.tried if request.form.get("do") == "send" else gateway_setup.shown
        return _page(tried=Tried({"to": to}, trial=act(frame.actor(), to)))
    except Invalid as error:
        return _page({str(detail["field"]): str(detail["reason"]) for detail in error.details}, Tried({"to": to}))


@blueprint.post("/read")
def read() -> Response:
    """Say what an example of an answer or a callback is understood as."""
    typed = {name: request.form.get(name, "") for name in ("status", "answer", "callback")}
    try:
        answer = (
            gateway_setup.answer_read(frame.actor(), typed["status"].strip(), typed["answer"])
            if typed["status"].strip() or typed["answer"]
            else None
        )
        callback = tuple(gateway_setup.callback_read(frame.actor(), typed["callback"])) if typed["callback"].strip() else ()
    except Invalid as error:
        return _page({str(detail["field"]): str(detail["reason"]) for detail in error.details}, Tried(typed))
    return _page(tried=Tried(typed, answer=answer, callback=callback))


def _page(
    wrong: dict[str, str] | None = None, tried: Tried | None = None, *, form: bool = False, error: ConsoleError | None = None
) -> Response:
    kept = gateway_setup.current(frame.actor())
    if isinstance(error, Conflict):
        asked = f"It asks {kept.base} now." if kept is not None and kept.on else "It is off now."
        error.details = [{"field": "", "reason": f"{asked} What you entered is below: save again to put it in its place."}]
    values = (kept or gateways.NEUTRAL).to_json()
    if form:
        values |= {name: request.form.get(name, "") for name in gateways.NAMES}
    context = {
        "values": values,
        "described": kept is not None,
        "drawn": frame.drawn_from(kept.to_json() if kept is not None else None, error),
        "conflict": error if isinstance(error, Conflict) else None,
        "wrong": wrong or {},
        "tried": tried or Tried(),
        "secrets": {secret.name: secret.name for secret in outgoing_secrets.known()},
        "callback": outside_addresses.callback_url("sms", "gateway"),
        "methods": {name: name for name in gateways.METHODS},
        "bodies": gateways.BODIES,
        "numbers": gateways.NUMBERS,
        "checks": gateways.CHECKS,
    }
    return area.page("settings/sms_gateway.html", "channels", context, status=error.status if error is not None else 422 if wrong else 200)
