"""`/settings/webhooks`: the addresses outside to which events are sent, and what became of each event."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, request
from markupsafe import Markup

from console.auth import access, accounts
from console.automation.webhooks import outgoing
from console.automation.webhooks.outgoing import Delivered, Subscription, Wanted
from console.core.documents.triggers_check import EVENTS
from console.core.errors import Conflict, ConsoleError
from console.core.events import KINDS
from console.views import formats, frame
from console.views.forms import Cell, Column, Field, Form, Group, Send, Table
from console.views.frame import Badge
from console.views.settings import area

blueprint = Blueprint("webhook_pages", __name__, url_prefix="/settings/webhooks")

PAGE, SHOWN = 25, 3
STATES = {
    "on": Badge("On", "good", "check"),
    "off": Badge("Off", "", "player-pause"),
    "stopped": Badge("Stopped", "bad", "alert-triangle"),
}
BECAME = {
    "waiting": Badge("Waits", "info", "clock"),
    "delivered": Badge("Delivered", "good", "check"),
    "failed": Badge("Given up", "bad", "x"),
    "withheld": Badge("Not sent", "warn", "eye-off"),
}
DELIVERY_COLUMNS = ("Event", "When", "Became", "The other side", Column("Tries", "r"), Column("Again", "act"))
URL_HINT = "It begins with https. Addresses of your own network work only where the settings name the host."
EVENTS_HINT = (
    "From now on, in the order of the log, and only what you, or the account below, may read when it is sent."
)
RUN_AS_HINT = "A service account stays when you leave; it needs the right to read the activity log."
LABELS = (
    {outgoing.event_type_of(kind): found.label for kind, found in KINDS.items()}
    | dict(EVENTS)
    | {outgoing.TEST: "Test"}
)


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
    lines = [
        (
            Cell(line.webhook.place, _url(line.webhook), css="breaks"),
            Cell(badge=line.state, note=line.webhook.problem),
            line.events,
            line.acts_for,
        )
        for line in map(_line, outgoing.every(frame.actor()))
    ]
    webhooks = Table("Outgoing webhooks", ("Address", "State", "Events", "Acts for"), lines)
    return area.page("settings/webhooks.html", "webhooks", {"webhooks": webhooks})


@blueprint.route("/new", methods=["GET", "POST"])
def new() -> Response:
    """Show the form for a webhook; a POST makes it and shows its secret, this once."""
    who = frame.actor()
    access.require(who, None, "webhook", "manage")
    form = _form({"what": "some", "enabled": "on"})

    def add(sent: dict[str, Any]) -> Response:
        accounts.require_recent(who)
        webhook, secret = outgoing.add(who, Wanted(**_wanted(sent)))
        return _secret_page(webhook, secret)

    return form.submit_to(add) or area.form_page("webhooks", form, "New webhook")


def _secret_page(webhook: Subscription, secret: str, *, renewed: bool = False) -> Response:
    context = {"line": _line(webhook), "secret": secret, "renewed": renewed}
    return area.page("settings/webhook_secret.html", "webhooks", context, heading="Secret")


@blueprint.get("/<webhook_id>")
def show_one(webhook_id: str) -> Response:
    """Show a webhook with its deliveries."""
    status = request.args.get("status", "")
    status = status if status in BECAME else ""
    after = request.args.get("after") or None
    webhook = outgoing.subscription(frame.actor(), webhook_id)
    found, following = outgoing.deliveries_of(
        frame.actor(), webhook_id, limit=PAGE, after=after, status=status
    )
    line = _line(webhook)
    context = {
        "line": line,
        "deliveries": Table(
            "Deliveries, newest first", DELIVERY_COLUMNS, [_delivery_cells(line, each) for each in found]
        ),
        "statuses": [("", "All"), *((name, badge.label) for name, badge in BECAME.items())],
        "status": status,
        **frame.page_places(following, after),
    }
    return area.page("settings/webhook.html", "webhooks", context, heading=webhook.host)


def _delivery_cells(line: Line, delivery: Delivered) -> list[Any]:
    """Return the cells of a delivery, with a button to send it again for whom the webhook acts."""
    again: Any = ""
    if line.mine and (
        delivery.status != "waiting" or delivery.pos is None or (delivery.tries and line.webhook.works)
    ):
        place = f", place {delivery.pos}" if delivery.pos else ""
        again = Send(
            f"{_url(line.webhook)}/deliveries/{delivery.id}/redeliver",
            "Send again",
            f"Send again: {label_of(delivery.type)}{place}",
        )
    due = delivery.due_at if delivery.tries else None
    return [
        Cell(label_of(delivery.type), note=f"Place {delivery.pos:,} of the log" if delivery.pos else ""),
        delivery.made_at,
        Cell(
            badge=BECAME[delivery.status],
            note=Markup("Tried again {}").format(formats.when(due, frame.look())) if due else "",
        ),
        Cell(_newest_try(delivery), details=_answers(delivery)),
        delivery.tries,
        again,
    ]


@blueprint.route("/<webhook_id>/change", methods=["GET", "POST"])
def change(webhook_id: str) -> Response:
    """Show the form of a webhook; a POST saves it."""
    who = frame.actor()
    webhook = outgoing.subscription(who, webhook_id)
    form = _form(_held(webhook), webhook)

    def save(sent: dict[str, Any]) -> Response:
        accounts.require_recent(who)
        outgoing.change(who, webhook_id, _wanted(sent), seen=request.form.get("drawn"))
        flash("Saved")
        return frame.redirect_to(_url(webhook))

    if made := form.submit_to(save):
        return made
    if isinstance(form.error, Conflict):
        line = _line(outgoing.subscription(who, webhook_id))
        now = f"It sends {line.events} to {line.webhook.host} now, and is {'on' if line.webhook.enabled else 'off'}."
        form.error.details = [
            {"field": "", "reason": f"{now} What you entered is below: save again to put it in its place."}
        ]
    form.values = {**form.values, "drawn": frame.drawn_from(outgoing.terms(webhook), form.error)}
    return area.form_page("webhooks", form, "Change", [(_url(webhook), webhook.host)])


@blueprint.post("/<webhook_id>/switch")
def switch(webhook_id: str) -> Response:
    """Switch a webhook on or off."""
    on = request.form.get("on") == "1"
    if on:
        accounts.require_recent(frame.actor())
    outgoing.change(frame.actor(), webhook_id, {"enabled": on})
    flash(
        "Events are sent again, from where it stopped"
        if on
        else "Nothing is sent any more until it is switched on"
    )
    return frame.redirect_to(f"/settings/webhooks/{webhook_id}")


@blueprint.post("/<webhook_id>/test")
def test(webhook_id: str) -> Response:
    """Send a test."""
    outgoing.send_test(frame.actor(), webhook_id)
    flash("The test is on its way: look below what becomes of it")
    return frame.redirect_to(f"/settings/webhooks/{webhook_id}")


@blueprint.post("/<webhook_id>/secret")
def renew_secret(webhook_id: str) -> Response:
    """Give a webhook a new secret and show it, this once."""
    accounts.require_recent(frame.actor())
    webhook, secret = outgoing.renew_secret(frame.actor(), webhook_id)
    return _secret_page(webhook, secret, renewed=True)


@blueprint.post("/<webhook_id>/remove")
def remove(webhook_id: str) -> Response:
    """Remove a webhook with its deliveries."""
    outgoing.remove(frame.actor(), webhook_id)
    flash("The webhook is removed")
    return frame.redirect_to("/settings/webhooks")


@blueprint.post("/<webhook_id>/deliveries/<delivery_id>/redeliver")
def redeliver(webhook_id: str, delivery_id: str) -> Response:
    """Send an event once more."""
    outgoing.redeliver(frame.actor(), webhook_id, delivery_id)
    flash("The event is on its way once more")
    return frame.redirect_to(f"/settings/webhooks/{webhook_id}")


def label_of(name: str) -> str:
    """Return the name of an event in words."""
    return str(LABELS.get(name, name.replace(".", " ").replace("_", " ").capitalize()))


def _line(webhook: Subscription) -> Line:
    named = [label_of(name) for name in webhook.events]
    words = "Everything" if webhook.events == (outgoing.EVERY,) else ", ".join(named[:SHOWN])
    words += f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    mine = outgoing.speaks_for(frame.actor(), webhook)
    return Line(webhook, STATES[webhook.status], words, outgoing.name_of(webhook.acts_for), mine)


def _answers(delivery: Delivered) -> str | None:
    """Return what the other side said: of several tries each with its moment, oldest first."""
    if len(delivery.every_try) < 2:
        return delivery.answer
    return "\n".join(
        f"{formats.worded(each.at, 'd MMM y, HH:mm:ss', frame.look())}: {each.error or f'Answered with {each.code}'}{f' {each.answer}' if each.answer else ''}"
        for each in delivery.every_try
    )


def _newest_try(delivery: Delivered) -> str:
    """Return what became of the newest try, in a few words."""
    if delivery.error:
        return delivery.error
    return f"Answered with {delivery.code}" if delivery.code is not None else ""


def _wanted(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a webhook is to be, from what was sent."""
    named = [name for name in sent["events"] if name in EVENTS]
    events = (
        [outgoing.EVERY] if sent["what"] == "all" else [*named, *sent["others"].replace(",", " ").split()]
    )
    return {
        "url": sent["url"],
        "events": list(dict.fromkeys(events)),
        "filter": sent["filter"] or None,
        "enabled": sent["enabled"],
        "run_as": sent["run_as"] or None,
    }


def _held(webhook: Subscription) -> dict[str, Any]:
    """Return the form's values for a webhook that is there."""
    every = webhook.events == (outgoing.EVERY,)
    return {
        "url": webhook.url,
        "what": "all" if every else "some",
        "events": [name for name in webhook.events if name in EVENTS],
        "others": "\n".join(name for name in webhook.events if name not in EVENTS and name != outgoing.EVERY),
        "filter": webhook.filter or "",
        "enabled": "on" if webhook.enabled else "",
        "run_as": outgoing.run_as_of(webhook) or "",
    }


def _form(values: Mapping[str, Any], webhook: Subscription | None = None) -> Form:
    who, intro = frame.actor(), ""
    usable = []
    for email in accounts.service_accounts():
        try:
            accounts.require_use(who, email)
        except ConsoleError:
            continue
        usable.append((email, email))
    if webhook is not None and not outgoing.speaks_for(who, webhook):
        owner = outgoing.name_of(webhook.acts_for)
        intro = (
            f"It acts for {owner} now. Saved by you, it sends what you may read, no longer what {owner} may."
        )
    others = "One a line, called as in the activity log: step.completed, access.refused."
    only_if = "An expression over the event, such as event.workflow == 'kyc-review'."
    more = [
        Field("others", "Other events", "area", others, rows=2),
        Field("filter", "Only if", hint=only_if, max_length=2000, more={"spellcheck": "false"}),
    ]
    accounts_offered = [("", "Me: it sends what I may read"), *usable]
    items = [
        Field("drawn", kind="hidden"),
        Field(
            "url", "Address", "url", URL_HINT, required=True, max_length=2000, more={"spellcheck": "false"}
        ),
        Field(
            "what",
            "Sends",
            "radios",
            choices=(("all", "Everything in the activity log"), ("some", "Only what is chosen here")),
        ),
        Field("events", "Events", "checks", EVENTS_HINT, list(EVENTS.items()), css="key-choices"),
        Group(
            more,
            "Other events, and a filter",
            "fold",
            open=bool(request.form or values.get("others") or values.get("filter")),
        ),
        Field("run_as", "Acts for", "select", RUN_AS_HINT, accounts_offered),
        Field("enabled", "Switched on", "check"),
    ]
    cancel = _url(webhook) if webhook else "/settings/webhooks"
    submit = "Save" if webhook else "Make the webhook"
    return Form(
        items,
        values,
        submit,
        intro=intro,
        cancel=cancel,
        once=webhook is None,
        submit_more={"data-command": ""},
    )


def _url(webhook: Subscription) -> str:
    return f"/settings/webhooks/{webhook.id}"
