"""The page behind the link of an e-mail: its reader sees every channel and ends those that they do not want; with one click where the mail program asks.

Source: RFC 8058.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from console.auth.accounts import throttle
from console.core.contacting import Contact
from console.core.errors import ConsoleError, TooMany
from console.core.message_words import whole_language, words_in
from console.messaging.messages import address_consents, message_rows, opting_out, recipients
from console.messaging.messages.outside_addresses import contact_behind

FREE_MISSES = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """A channel on the page. `ended`: the reader gets nothing by it."""

    channel: str
    label: str
    ended: bool


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """What the page shows; its words are in the language of the contact."""

    language: str
    words: Mapping[str, str]
    choices: Sequence[Choice]


def open_link(token: str, address: str) -> UnsubscribePage:
    """The page of a link. Raises NotFound for one that is not ours, TooMany for who tries many."""
    collection, record, message_id = _behind(token, address)
    contact = _contact(collection, record)
    language = whole_language(contact.language)
    words, ended = words_in(language), opting_out.ended_channels(collection, record)
    known = {channel for channel, said in contact.consent.items() if said.given}
    if collection == opting_out.ADDRESS:
        addresses = _addresses_behind(message_id, record)
        known = {channel for channel, digest in addresses.items() if _agrees(digest, channel)}
        ended = {
            channel
            for channel, digest in addresses.items()
            if channel in opting_out.ended_channels(collection, digest)
        }
    shown = [
        channel
        for channel in opting_out.OUTWARD
        if channel in known or channel in ended or channel == "email"
    ]
    return UnsubscribePage(
        language, words, [Choice(way, words[way], way in ended and way not in known) for way in shown]
    )


def end(token: str, address: str, channels: Sequence[str] | None) -> None:
    """End these channels; None: e-mail, as a mail program asks with one click. Unknown names are left out."""
    collection, record, message_id = _behind(token, address)
    wanted = ("email",) if channels is None else tuple(channels)
    if collection == opting_out.ADDRESS:
        addresses = dict.fromkeys(wanted, record) | _addresses_behind(message_id, record)
        opting_out.withdraw([], wanted, "link", message_id, bars_address=False, addresses=addresses)
        return
    ended = opting_out.ended_channels(collection, record)
    contact = _contact(collection, record)
    fresh = [
        way
        for way in wanted
        if way not in ended or ((said := contact.consent.get(way)) is not None and said.given)
    ]
    opting_out.withdraw([(collection, record)], fresh, "link", message_id)


def _agrees(digest: str, channel: str) -> bool:
    said = recipients.contact_by_digest(digest).consent.get(channel)
    return said is not None and said.given


def _addresses_behind(message_id: str, digest: str) -> dict[str, str]:
    """Channel → digest of an address of the reader: that of the message, and those for which its lead agreed."""
    message = message_rows.by_id(message_id)
    of_lead = (
        address_consents.addresses_of_lead(message.run)
        if message is not None and message.run is not None
        else {}
    )
    return of_lead | {"email": digest}


def _behind(token: str, address: str) -> tuple[str, str, str]:
    limit = throttle.Limit("unsubscribe", address, FREE_MISSES)
    if not throttle.take([limit]):
        raise TooMany(
            "Too many wrong links from your address. Wait half a minute and open yours again.", retry_after=30
        )
    found = contact_behind(token[:200])
    throttle.give_back([limit])
    return found


def _contact(collection: str, record: str) -> Contact:
    """The contact. If the source is down or the record is gone it is an empty one, so that the link works in any case."""
    if collection == opting_out.ADDRESS:
        return recipients.contact_by_digest(record)
    try:
        return recipients.contact_at(collection, record)
    except ConsoleError:
        return Contact(collection, record)
