"""Messages to and from people outside, and the channels that carry them."""

from typing import Literal

from pydantic import Field

from console.views.api.shapes.base import Moment, Shape

MessageStatus = Literal[
    "waiting", "sent", "delivered", "skipped", "expired", "failed", "received", "unknown", "cancelled"
]
ChannelKind = Literal["email", "sms", "call", "chat"]


class Message(Shape):
    """A message. `until` is when one that waits leaves, `reason` why it waits, was skipped or failed; a call made again is a message of its own."""

    id: str
    channel: ChannelKind
    direction: Literal["out", "in"]
    contact: str | None = Field(description="Key of the record; null for nobody in the users' databases")
    collection: str | None
    name: str | None = Field(description="Title of the contact")
    status: MessageStatus
    code: str | None
    reason: str | None
    said: str | None = Field(description="What the provider says of the reason in its own words")
    until: Moment | None
    run: str | None
    workflow: str | None = Field(description="Its title")
    step: str | None
    attempt: int = Field(description="Of a call: which try")
    outcome: str | None = Field(description="What the run was told")
    label: str | None = Field(description="Of a call: the label of the answer")
    subject: str | None
    text: str | None = Field(description="Null where it was erased, or is hidden from the caller")
    hidden: bool = Field(description="Whether its texts were made of something that the caller may not read")
    consent: str | None = Field(description="The consent on which it left")
    at: Moment
    asked_at: Moment
    sent_at: Moment | None
    opened_at: Moment | None = Field(
        description="Of an e-mail whose step notices it: when it was opened first"
    )
    provider: str | None
    provider_id: str | None
    sandbox: bool = Field(description="It did not really leave")


class Channel(Shape):
    """A kind of messages, and who carries them."""

    kind: ChannelKind
    provider: str
    sandbox: bool
    missing: list[str] = Field(description="Settings that the provider needs and that are not set")
    inbound: str | None = Field(description="Address to enter at the provider for messages that come in")
    status: str | None = Field(description="Address to enter at the provider for what becomes of messages")


class ContactCap(Shape):
    """At most `most` messages of these kinds to one contact in so many hours, over all workflows."""

    kinds: list[str] = Field(description="email, sms, call")
    most: int = Field(description="1 to 100")
    hours: int = Field(description="1 to 2160, which is 90 days")


class LegalBasis(Shape):
    """A legal basis that an administrator confirmed."""

    basis: str
    confirmed_by: str
    confirmed_at: Moment


class LeadConsents(Shape):
    """By channel, on which legal basis a workflow reaches leads without a record that bring no consent."""

    consent: dict[str, LegalBasis]


class ContactRules(Shape):
    """At which hours messages may leave, by the contact's own clocks, and how many reach one person. `version` is 0 while nobody changed them."""

    version: int
    changed_by: str | None
    changed_at: Moment | None
    hours: dict[str, dict[str, list[str] | None]] = Field(
        description="By kind and day: opening and closing, 00:00 as closing is midnight, null is closed. A kind that is not named leaves at any hour"
    )
    caps: list[ContactCap]
    chat_zone: str = Field(description="By whose clocks chat messages leave")
    law: dict[str, dict[str, dict[str, list[str] | None]]] = Field(
        description="By country and kind: hours that hold beside, and cannot be changed"
    )
