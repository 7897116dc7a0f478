"""Messages and channels as JSON."""

from typing import Any

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue
from pydantic import Field

from console import access, messages, settings
from console.channels import providers
from console.core.contacting import KINDS
from console.messages import OutboxQuery, channel_settings, outside_addresses
from console.views.api import listing
from console.views.api.operation import Example, Paged, operation, parse_query
from console.views.api.shapes import Channel, Listed, Message

blueprint = Blueprint("api_messages", __name__, url_prefix="/api/v1")


class Looked(Paged):
    """Filters of messages."""

    contact: str = Field(
        "", max_length=400, description="Key of the contact, or its collection, a slash and the key; unknown: of senders whom nobody knows"
    )
    workflow: str = Field("", max_length=200, description="Slug or id of the workflow that sent it")
    channel: str = Field("", description="email, sms, call or chat")
    status: str = Field("", description="waiting, sent, delivered, skipped, expired, failed, received, unknown or cancelled")
    run: str = Field("", max_length=100, description="Id of the run that sent it")


@blueprint.get("/messages")
@operation("listMessages", "collection.read", Listed[Message], query=Looked, refuses=(403,), example=Example({}, {"channel": "sms"}))
def every() -> ResponseReturnValue:
    """Messages that left, wait, were skipped, failed or came in, the newest first, within what the caller may see."""
    looked = parse_query(Looked)
    query = OutboxQuery(looked.contact, looked.workflow, looked.channel, looked.status, looked.run, looked.limit, looked.after)
    page = messages.find(g.actor, query)
    return jsonify(listing([line.to_json() for line in page.lines], page.next))


@blueprint.get("/channels")
@operation("listChannels", "source.manage", Listed[Channel], refuses=(403,), example=Example())
def listed() -> ResponseReturnValue:
    """The channels: who carries them, whether they are in the sandbox, and the addresses to enter at the provider."""
    access.require(g.actor, None, "source", "manage")
    return jsonify(listing([_channel(kind) for kind in KINDS]))


def _channel(kind: str) -> dict[str, Any]:
    state = channel_settings.state_of(kind)
    path = outside_addresses.callback_path(kind, state.provider) if providers.provider_of(kind).calls_back else None
    base = settings.current().base_url or ""
    url = f"{base}{path}" if path else None
    return {
        "kind": kind, "provider": state.provider, "sandbox": state.sandbox, "missing": list(state.missing),
        "inbound": url if kind != "call" else None, "status": url,
        "price": state.price.to_json() if state.price is not None else None,
    }  # fmt: skip
