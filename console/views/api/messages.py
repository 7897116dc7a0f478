"""Messages and channels as JSON."""

from typing import Any, Literal

import orjson
from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.auth import access
from console.core.contacting import KINDS
from console.core.errors import Invalid
from console.infra import settings
from console.messaging import messages, providers
from console.messaging.messages import OutboxQuery, channel_settings, outside_addresses, single_messages
from console.steps.message_settings import Expires, seconds_of
from console.views.api import idempotency, listing
from console.views.api.operation import Done, Example, Paged, Sent, operation, page_of, parse_query, read
from console.views.api.shapes import Channel, Listed, Message

blueprint = Blueprint("api_messages", __name__, url_prefix="/api/v1")


class Looked(Paged):
    """Filters of messages."""

    contact: str = Field(
        "",
        max_length=400,
        description="Key of the contact, or its collection, a slash and the key; unknown: of senders whom nobody knows",
    )
    workflow: str = Field("", max_length=200, description="Slug or id of the workflow that sent it")
    channel: str = Field("", description="email, sms, call or chat")
    status: str = Field(
        "", description="waiting, sent, delivered, skipped, expired, failed, received, unknown or cancelled"
    )
    run: str = Field("", max_length=100, description="Id of the run that sent it")


@blueprint.get("/messages")
@operation(
    "listMessages",
    "collection.read",
    Listed[Message],
    query=Looked,
    refuses=(403,),
    example=Example({}, {"channel": "sms"}),
)
def every() -> ResponseReturnValue:
    """Messages that left, wait, were skipped, failed or came in, the newest first, within what the caller may see."""
    looked = parse_query(Looked)
    query = OutboxQuery(
        looked.contact, looked.workflow, looked.channel, looked.status, looked.run, looked.limit, looked.after
    )
    page = messages.find(g.actor, query)
    return listing([line.to_json() for line in page.lines], page.next)


class NewMessage(Sent):
    """A message to one contact, at the address that its record has."""

    collection: str = Field(max_length=200, description="Collection of contacts")
    contact: str = Field(max_length=400, description="Key of the contact")
    channel: Literal["email", "sms"]
    subject: str = Field(
        "", max_length=single_messages.LONGEST_SUBJECT, description="Of an e-mail, which needs one"
    )
    text: str = Field(
        min_length=1,
        max_length=single_messages.LONGEST_TEXT,
        description=f"Markdown in an e-mail; an SMS has at most {single_messages.LONGEST:,} characters, as they are written",
    )
    expires: Expires = Field(
        "PT24H", description="It does not leave any more when it has waited longer than this for its hours"
    )


def _message_made(done: Done) -> dict[str, Any]:
    """Return the message as it is now."""
    if done.made is None:
        raise idempotency.lost("The message", "the list of messages")
    return messages.by_id(g.actor, done.made).to_json()


@blueprint.post("/messages")
@operation(
    "sendMessage",
    "collection.message",
    {201: Message},
    body=NewMessage,
    again=_message_made,
    example=Example(
        body={
            "collection": "contact",
            "contact": "1",
            "channel": "sms",
            "text": "Your parcel is at the desk.",
        },
    ),
)
def ask() -> ResponseReturnValue:
    """Ask for a message to one contact. It leaves when consent, the hours and the caps allow it; where they never will it is `skipped` at once, and `reason` says why."""
    sent = read(NewMessage)
    if wrong := single_messages.wrong_parts(sent.channel, sent.subject, sent.text):
        raise Invalid("The message was not sent.", details=wrong)
    wanted = single_messages.Asked(
        sent.collection,
        sent.contact,
        sent.channel,
        " ".join(sent.subject.split()),
        sent.text.strip(),
        seconds_of(sent.expires),
    )
    made = single_messages.ask(g.actor, wanted)
    idempotency.name_result(made)
    return messages.by_id(g.actor, made).to_json(), 201


@blueprint.get("/messages/<message_id>")
@operation("getMessage", "collection.read", Message, example=Example({"message_id": "0"}))
def show(message_id: str) -> ResponseReturnValue:
    """One message as it stands."""
    return messages.by_id(g.actor, message_id).to_json()


@blueprint.get("/channels")
@operation("listChannels", "source.manage", Listed[Channel], query=Paged, refuses=(403,), example=Example())
def listed() -> ResponseReturnValue:
    """The channels: who carries them, whether they are in the sandbox, and the addresses to enter at the provider."""
    access.require(g.actor, None, "source", "manage")
    return page_of([_channel(kind) for kind in KINDS], "kind")


class NewGateway(Sent):
    """How SMS leave over HTTP."""

    document: dict[str, Any] | None = Field(
        description="As Settings, Channels takes it: request, answer, callback; null: none"
    )


@blueprint.put("/channels/sms/gateway")
@operation(
    "setSmsGateway",
    "source.manage",
    Channel,
    body=NewGateway,
    example=Example(body={"document": None}),
)
def set_gateway() -> ResponseReturnValue:
    """Describe the HTTP gateway by which SMS leave, in place of the one before. 422 says all that is wrong with the document."""
    document = read(NewGateway).document
    channel_settings.save_gateway(g.actor, orjson.dumps(document).decode() if document is not None else "")
    return _channel("sms")


def _channel(kind: str) -> dict[str, Any]:
    state = channel_settings.state_of(kind)
    path = (
        outside_addresses.callback_path(kind, state.provider)
        if providers.provider_of(kind).calls_back
        else None
    )
    base = settings.current().base_url or request.host_url
    url = f"{base.rstrip('/')}{path}" if path else None
    return {
        "kind": kind,
        "provider": state.provider,
        "sandbox": state.sandbox,
        "missing": list(state.missing),
        "inbound": url if kind != "call" else None,
        "status": url,
    }
