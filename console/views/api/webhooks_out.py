"""Outgoing webhooks as calls: where events are sent, and what became of each."""

from typing import Any, Literal

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.automation.webhooks import outgoing
from console.automation.webhooks.outgoing import Subscription, Wanted
from console.log import body as canonical
from console.views.api import idempotency, listing
from console.views.api.operation import (
    Done,
    Example,
    Nothing,
    Paged,
    Sent,
    named,
    operation,
    page_of,
    parse_query,
    read,
)
from console.views.api.shapes import Listed, OutgoingDelivery, OutgoingWebhook

blueprint = Blueprint("api_webhooks", __name__, url_prefix="/api/v1/webhooks")

ONE = {"webhook_id": "whk_01j0000000000000000000000a"}
DELIVERY = ONE | {"delivery_id": "dlv_01j0000000000000000000000a"}
URL = "https://events.example.com/handrail"


class NewWebhook(Sent):
    """An address, and what is sent there."""

    url: str = Field(description="https; a host of one's own network only where the settings name it")
    events: list[str] = Field(description="Names of events, such as run.completed; or * alone")
    filter: str | None = Field(None, description="An expression over `event`")
    enabled: bool = True
    run_as: str | None = Field(
        None,
        description="Address of a service account whose rights decide; without one they are the caller's",
    )


class ChangedWebhook(Sent):
    """What is to be otherwise; what is left out stays."""

    url: str | None = None
    events: list[str] | None = None
    filter: str | None = Field(None, description="null takes it away")
    enabled: bool | None = None
    run_as: str | None = Field(None, description="null: the caller from now on")


class OfDeliveries(Paged):
    """A page of deliveries."""

    status: Literal["waiting", "delivered", "failed", "withheld"] | None = None


def _webhook(webhook: Subscription, secret: str | None = None) -> dict[str, Any]:
    owner = {"id": webhook.acts_for, "name": outgoing.name_of(webhook.acts_for)}
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "filter": webhook.filter,
        "enabled": webhook.enabled,
        "status": webhook.status,
        "problem": webhook.problem,
        "acts_for": owner,
        "run_as": outgoing.run_as_of(webhook),
        "made_at": canonical.moment(webhook.made_at),
        "pos": webhook.cursor,
        "secret": secret,
    }


def _nothing_sent() -> None:
    """Read an empty object; no body at all is one too."""
    if request.get_data():
        read(Nothing)


def _made(done: Done) -> dict[str, Any]:
    """Return the webhook as it is now, without its secret."""
    if done.made is None:
        raise idempotency.lost("The webhook", "the list of webhooks")
    return _webhook(outgoing.subscription(g.actor, done.made))


def _now(_done: Done) -> dict[str, Any]:
    """Return the webhook as it is now, without its secret: that was shown once, and whoever lost it renews it with a new key."""
    return _webhook(outgoing.subscription(g.actor, named("webhook_id")))


def _tested(done: Done) -> dict[str, Any]:
    """Return what became of the test."""
    if done.made is None:
        raise idempotency.lost("The test", "the deliveries of the webhook")
    return outgoing.delivery(g.actor, named("webhook_id"), done.made).to_json()


def _redelivered(_done: Done) -> dict[str, Any]:
    """Return the delivery as it is now."""
    return outgoing.delivery(g.actor, named("webhook_id"), named("delivery_id")).to_json()


@blueprint.get("")
@operation("listWebhooks", "webhook.manage", Listed[OutgoingWebhook], query=Paged, refuses=(403,))
def every() -> ResponseReturnValue:
    """All addresses to which events are sent, the oldest first."""
    return page_of([_webhook(webhook) for webhook in outgoing.every(g.actor)])


@blueprint.post("")
@operation(
    "addWebhook",
    "webhook.manage",
    {201: OutgoingWebhook},
    body=NewWebhook,
    again=_made,
    example=Example(body={"url": URL, "events": ["run.completed", "run.failed"]}),
)
def add() -> ResponseReturnValue:
    """Send events to an address from now on, as far as the caller (or `run_as`) may read them at the moment of sending. The secret is shown once."""
    sent = read(NewWebhook)
    webhook, secret = outgoing.add(
        g.actor, Wanted(sent.url, sent.events, sent.filter, sent.enabled, sent.run_as)
    )
    idempotency.name_result(webhook.id)
    return _webhook(webhook, secret), 201


@blueprint.get("/<webhook_id>")
@operation("getWebhook", "webhook.manage", OutgoingWebhook, refuses=(403,), example=Example(ONE))
def show(webhook_id: str) -> ResponseReturnValue:
    """One of them, never with its secret."""
    return _webhook(outgoing.subscription(g.actor, webhook_id))


@blueprint.patch("/<webhook_id>")
@operation(
    "changeWebhook",
    "webhook.manage",
    OutgoingWebhook,
    body=ChangedWebhook,
    example=Example(ONE, body={"enabled": False}),
)
def change(webhook_id: str) -> ResponseReturnValue:
    """Change or switch it. Who changes what is sent, or switches it on, becomes whom it acts for, unless a service account is named. On again, it goes on where it was."""
    given = read(ChangedWebhook).model_dump(exclude_unset=True)
    kept = {name: value for name, value in given.items() if value is not None or name in ("filter", "run_as")}
    return _webhook(outgoing.change(g.actor, webhook_id, kept))


@blueprint.delete("/<webhook_id>")
@operation("removeWebhook", "webhook.manage", {204: None}, example=Example(ONE))
def remove(webhook_id: str) -> ResponseReturnValue:
    """Remove it with its deliveries. What waits is not sent."""
    outgoing.remove(g.actor, webhook_id)
    return "", 204


@blueprint.post("/<webhook_id>/secret")
@operation(
    "renewSecretOfWebhook",
    "webhook.manage",
    OutgoingWebhook,
    body=Nothing,
    again=_now,
    example=Example(ONE, body={}),
)
def renew_secret(webhook_id: str) -> ResponseReturnValue:
    """Give it a new secret, shown once. For a day deliveries are signed with the former one too."""
    _nothing_sent()
    return _webhook(*outgoing.renew_secret(g.actor, webhook_id))


@blueprint.post("/<webhook_id>/test")
@operation(
    "testWebhook",
    "webhook.manage",
    {202: OutgoingDelivery},
    body=Nothing,
    again=_tested,
    example=Example(ONE, body={}),
)
def test(webhook_id: str) -> ResponseReturnValue:
    """Send a test, signed like everything else; `GET …/deliveries` says what became of it."""
    _nothing_sent()
    made = outgoing.send_test(g.actor, webhook_id)
    idempotency.name_result(made.id)
    return made.to_json(), 202


@blueprint.get("/<webhook_id>/deliveries")
@operation(
    "listDeliveries",
    "webhook.manage",
    Listed[OutgoingDelivery],
    query=OfDeliveries,
    refuses=(403,),
    example=Example(ONE, query={"limit": 20}),
)
def deliveries(webhook_id: str) -> ResponseReturnValue:
    """What was sent and what waits, newest first; kept for 30 days."""
    query = parse_query(OfDeliveries)
    found, following = outgoing.deliveries_of(
        g.actor, webhook_id, limit=query.limit, after=query.after, status=query.status or ""
    )
    return listing([each.to_json() for each in found], following)


@blueprint.post("/<webhook_id>/deliveries/<delivery_id>/redeliver")
@operation(
    "redeliver",
    "webhook.manage",
    {202: OutgoingDelivery},
    body=Nothing,
    again=_redelivered,
    example=Example(DELIVERY, body={}),
)
def redeliver(webhook_id: str, delivery_id: str) -> ResponseReturnValue:
    """Send an event once more, under its own id, as far as it may be read today; one that waits is tried at once."""
    _nothing_sent()
    return outgoing.redeliver(g.actor, webhook_id, delivery_id).to_json(), 202
