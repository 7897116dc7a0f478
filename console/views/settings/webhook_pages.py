"""`/settings/webhooks`: the addresses outside to which events are sent, and what became of each event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, request

from console import access, accounts, outgoing_webhooks
from console.core.documents.triggers_check import EVENTS
from console.core.events import KINDS
from console.errors import Conflict, ConsoleError
from console.outgoing_webhooks import Delivered, Subscription, Wanted
from console.views import frame
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("webhook_pages", __name__, url_prefix="/settings/webhooks")

PAGE, SHOWN = 25, 3
STATES = {"on": Badge("On", "good", "check"), "off": Badge("Off", "", "player-pause"), "stopped": Badge("Stopped", "bad", "alert-triangle")}
BECAME = {
    "waiting": Badge("Waits", "info", "clock"),
    "delivered": Badge("Delivered", "good", "check"),
    "failed": Badge("Given up", "bad", "x"),
    "withheld": Badge("Not sent", "warn", "eye-off"),
}
LABELS = {outgoing_webhooks.plain(kind): found.label for kind, found in KINDS.items()} | dict(EVENTS) | {outgoing_webhooks.TEST: "Test"}


@dataclass(frozen=True, slots=True)
class Line:
    """A webhook as its pages show it."""

    webhook: Subscription
    state: Badge
    events: str
    acts_for: str
    mine: bool


@blueprint.get("")
def show() -> Response:
    """Show every webhook."""
    lines = [_line(webhook) for webhook in outgoing_webhooks.every(frame.actor())]
    return area.page("settings/webhooks.html", "webhooks", {"lines": lines})


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Show the form for a webhook; a POST makes it and shows its secret, this once."""
    who = frame.actor()
    access.require(who, None, "webhook", "manage")
    if request.method == "GET":
        return _form(None, {"what": "some", "enabled": "on"})
    accounts.require_recent(who)
    try:
        webhook, secret = outgoing_webhooks.add(who, Wanted(**_typed()))
    except ConsoleError as error:
        return _form(None, request.form, _reasons(error))
    return area.page("settings/webhook_secret.html", "webhooks", {"line": _line(webhook), "secret": secret, "renewed": False})


@blueprint.get("/<webhook_id>")
def show_one(webhook_id: str) -> Response:
    """Show a webhook with its deliveries."""
    status = request.args.get("status", "")
    status = status if status in BECAME else ""
    after = request.args.get("after") or None
    webhook = outgoing_webhooks.subscription(frame.actor(), webhook_id)
    found, following = outgoing_webhooks.deliveries_of(frame.actor(), webhook_id, limit=PAGE, after=after, status=status)
    context = {
        "line": _line(webhook),
        "deliveries": [(each, BECAME[each.status], label_of(each.type), _newest_try(each)) for each in found],
        "statuses": [(name, badge.label) for name, badge in BECAME.items()],
        "status": status,
        "first": frame.present_address(after=None) if after else None,
        "next": frame.present_address(after=following) if following else None,
    }
    return area.page("settings/webhook.html", "webhooks", context)


@blueprint.route("/<webhook_id>/change", methods=["GET", "POST"])
def change(webhook_id: str) -> Response:
    """Show the form of a webhook; a POST saves it."""
    who = frame.actor()
    webhook = outgoing_webhooks.subscription(who, webhook_id)
    if request.method == "GET":
        return _form(webhook, _held(webhook))
    accounts.require_recent(who)
    try:
        outgoing_webhooks.change(who, webhook_id, _typed(), seen=request.form.get("drawn"))
    except Conflict as error:
        line = _line(outgoing_webhooks.subscription(who, webhook_id))
        now = f"It sends {line.events} to {line.webhook.host} now, and is {'on' if line.webhook.enabled else 'off'}."
        error.details = [{"field": "", "reason": f"{now} What you entered is below: save again to put it in its place."}]
        return _form(line.webhook, request.form, error=error)
    except ConsoleError as error:
        return _form(webhook, request.form, _reasons(error), error=error)
    flash("Saved")
    return frame.redirect_to(f"/settings/webhooks/{webhook.id}")


@blueprint.post("/<webhook_id>/switch")
def switch(webhook_id: str) -> Response:
    """Switch a webhook on or off."""
    on = request.form.get("on") == "1"
    if on:
        accounts.require_recent(frame.actor())
    outgoing_webhooks.change(frame.actor(), webhook_id, {"enabled": on})
    flash("Events are sent again, from where it stopped" if on else "Nothing is sent any more until it is switched on")
    return frame.redirect_to(f"/settings/webhooks/{webhook_id}")


@blueprint.post("/<webhook_id>/test")
def test(webhook_id: str) -> Response:
    """Send a test."""
    outgoing_webhooks.send_test(frame.actor(), webhook_id)
    flash("The test is on its way: look below what becomes of it")
    return frame.redirect_to(f"/settings/webhooks/{webhook_id}")


@blueprint.post("/<webhook_id>/secret")
def renew_secret(webhook_id: str) -> Response:
    """Give a webhook a new secret and show it, this once."""
    accounts.require_recent(frame.actor())
    webhook, secret = outgoing_webhooks.renew_secret(frame.actor(), webhook_id)
    return area.page("settings/webhook_secret.html", "webhooks", {"line": _line(webhook), "secret": secret, "renewed": True})


@blueprint.post("/<webhook_id>/remove")
def remove(webhook_id: str) -> Response:
    """Remove a webhook with its deliveries."""
    outgoing_webhooks.remove(frame.actor(), webhook_id)
    flash("The webhook is removed")
    return frame.redirect_to("/settings/webhooks")


@blueprint.post("/<webhook_id>/deliveries/<delivery_id>/redeliver")
def redeliver(webhook_id: str, delivery_id: str) -> Response:
    """Send an event once more."""
    outgoing_webhooks.redeliver(frame.actor(), webhook_id, delivery_id)
    flash("The event is on its way once more")
    return frame.redirect_to(f"/settings/webhooks/{webhook_id}")


def label_of(name: str) -> str:
    """Return the name of an event in words."""
    return str(LABELS.get(name, name.replace(".", " ").replace("_", " ").capitalize()))


def _line(webhook: Subscription) -> Line:
    named = [label_of(name) for name in webhook.events]
    words = "Everything" if webhook.events == (outgoing_webhooks.EVERY,) else ", ".join(named[:SHOWN])
    words += f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    mine = outgoing_webhooks.speaks_for(frame.actor(), webhook)
    return Line(webhook, STATES[webhook.status], words, outgoing_webhooks.name_of(webhook.acts_for), mine)


def _newest_try(delivery: Delivered) -> str:
    """Return what became of the newest try, in a few words."""
    if delivery.error:
        return delivery.error
    return f"Answered with {delivery.code}" if delivery.code is not None else ""


def _typed() -> dict[str, Any]:
    """Return what the form asks for."""
    form = request.form
    others = [name for name in form.get("others", "").replace(",", "\n").split() if name]
    named = [name for name in form.getlist("events") if name in EVENTS]
    events = [outgoing_webhooks.EVERY] if form.get("what") == "all" else list(dict.fromkeys([*named, *others]))
    text = form.get("filter", "").strip() or None
    return {
        "url": form.get("url", "").strip(),
        "events": events,
        "filter": text,
        "enabled": form.get("enabled") == "on",
        "run_as": form.get("run_as") or None,
    }


def _held(webhook: Subscription) -> dict[str, Any]:
    """Return the form's values for a webhook that is there."""
    every = webhook.events == (outgoing_webhooks.EVERY,)
    return {
        "url": webhook.url,
        "what": "all" if every else "some",
        "events": [name for name in webhook.events if name in EVENTS],
        "others": "\n".join(name for name in webhook.events if name not in EVENTS and name != outgoing_webhooks.EVERY),
        "filter": webhook.filter or "",
        "enabled": "on" if webhook.enabled else "",
        "run_as": outgoing_webhooks.run_as_of(webhook) or "",
    }


def _reasons(error: ConsoleError) -> dict[str, str]:
    """Return what is wrong with a form by field. Raises the error itself where it is about no field."""
    found = {str(detail["field"]): str(detail["reason"]) for detail in error.details}
    if not found:
        raise error
    return found


def _form(
    webhook: Subscription | None, typed: Mapping[str, Any], wrong: Mapping[str, str] | None = None, error: ConsoleError | None = None
) -> Response:
    who = frame.actor()
    usable = []
    for email in accounts.service_accounts():
        try:
            accounts.require_use(who, email)
        except ConsoleError:
            continue
        usable.append(email)
    chosen = set(request.form.getlist("events")) if request.method == "POST" else set(typed.get("events", ()))
    context = {
        "webhook": webhook,
        "typed": typed,
        "wrong": wrong or {},
        "conflict": error if isinstance(error, Conflict) else None,
        "drawn": frame.drawn_from(outgoing_webhooks.terms(webhook), error) if webhook is not None else None,
        "events": list(EVENTS.items()),
        "chosen": chosen,
        "accounts": usable,
        "takes_over": webhook is not None and not outgoing_webhooks.speaks_for(who, webhook),
        "owner": outgoing_webhooks.name_of(webhook.acts_for) if webhook else "",
    }
    return area.page("settings/webhook_form.html", "webhooks", context, status=error.status if error is not None else 422 if wrong else 200)
