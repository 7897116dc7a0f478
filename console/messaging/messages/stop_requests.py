"""Somebody told one of us that they want no more messages or calls: noted at the contact, held by every workflow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console import records
from console.auth import access
from console.browse import browsed_collection
from console.core.actor import Actor
from console.core.errors import Invalid, NotAllowed, NotFound
from console.formats.times import moment_of
from console.messaging import contacts
from console.messaging.messages import opting_out, recipients

TOLD = "told us"
GIVEN, ENDED, NONE = "given", "ended", "none"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a contact may be reached by a channel. `state`: given, ended or none; `at` is when it was given or taken back, `source` how that is known."""

    channel: str
    state: str
    at: datetime | None = None
    source: str = ""


def standings(actor: Actor, collection_id: str, key: str) -> list[Standing]:
    """How each channel stands. Raises NotFound for what is no contact or not seen, SourceDown."""
    require_seen(actor, collection_id, key)
    said = recipients.contact_at(collection_id, key)
    found = []
    for channel in opting_out.OUTWARD:
        consent = said.consent.get(channel)
        if consent is None or not (consent.given or consent.withdrawn_at):
            found.append(Standing(channel, NONE))
        elif consent.given:
            found.append(Standing(channel, GIVEN, moment_of(consent.at), consent.source or ""))
        else:
            found.append(Standing(channel, ENDED, moment_of(consent.withdrawn_at), consent.source or ""))
    return found


def may_note(actor: Actor, collection_id: str) -> bool:
    """Whether the actor may note it on contacts of the collection: those that they may change."""
    return not access.scope_for(actor, collection_id, "update").nothing


def note(actor: Actor, collection_id: str, key: str, channels: Sequence[str]) -> None:
    """Take the consent to these channels back, for this contact and for whoever else has its addresses. What waits for them does not leave.

    Raises Invalid without a channel, NotFound, NotAllowed for who may not change the record, SourceDown.
    """
    require_seen(actor, collection_id, key)
    access.require(actor, None, f"collection:{collection_id}", "update")
    if not records.visible_keys(collection_id, [key], access.scope_for(actor, collection_id, "update")):
        raise NotAllowed(
            "You may see this contact, but not change it. An admin can grant it.",
            need=(f"collection:{collection_id}", "update"),
        )
    wanted = [channel for channel in opting_out.OUTWARD if channel in channels]
    if not wanted:
        reason = "Choose what they do not want any more."
        raise Invalid(reason, at="channel")
    addresses = recipients.addresses_by_channel(recipients.contact_at(collection_id, key))
    opting_out.withdraw([(collection_id, key)], wanted, TOLD, by=actor, addresses=addresses)


def require_seen(actor: Actor, collection_id: str, key: str) -> None:
    """Raises NotFound for what is no contact, or not seen."""
    _, scope = browsed_collection(actor, collection_id)
    if not contacts.is_contact(collection_id) or not records.visible_keys(collection_id, [key], scope):
        raise NotFound
