"""Whom a message reaches: the contact as it stands now, its address in the plainest form, and the zones in which it may be."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import get_global

from console.core.contacting import CASE, Consent, Contact
from console.core.errors import NotFound, SourceDown
from console.core.moments import is_zone, moment_text
from console.core.time_phrases import moment_said
from console.formats import phone_plans, phone_text
from console.formats.phone_text import FEWEST, digits_in
from console.formats.times import moment_of
from console.infra.db.engine import fetch
from console.infra.subjects import digest
from console.messaging import contacts
from console.messaging.channels.base import Handed
from console.messaging.imports import headings
from console.messaging.messages import address_consents
from console.messaging.messages.message_rows import Message
from console.messaging.messages.opting_out import ADDRESS

_TAKEN_BACK = "select record, channel, at, source from console.opt_out where collection = %s and record = any(%s) or collection = %s and record = any(%s) order by at"
NO_ZONE = "Etc/Unknown"
CALL_BACK = "call_back"
"""The label of a call whose transcript is looked through for when they want to be called again."""
LONGEST = 1_000
"""Characters of the longest field that is looked through: in a longer one that could take very long."""
SEVERAL = re.compile(r"[;,/|\n]|:::|\s+or\s+")
"""What stands between several numbers or addresses in one field."""
_AS_DECIMAL = re.compile(r"(\+?\d{7,})\.0+")
"""A number as a program writes it that took it for an amount."""
TakenBack = tuple[str, datetime, str]
"""(channel, when, where) of a consent that was taken back here."""


def contact_of(message: Message, taken_back: Sequence[TakenBack]) -> Contact | None:
    """The contact of the message: its record, else the address; None for a message to nobody outside (a chat, a test). `taken_back`: the consents that were taken back here, the oldest first.

    A record of a collection that holds no contacts is one of which only the key is known. Raises NotFound for a record that is gone, SourceDown.
    """
    if message.channel == "chat":
        return None
    if message.collection is not None and message.record is not None:
        return _known(message.collection, message.record, taken_back)
    address, _ = address_of(message.channel, (message.content or {}).get("to"), None)
    if not address or message.run is None:
        return None
    asks = message.channel != "email" or (message.about != CASE and address_consents.is_lead(message.run))
    return contacts_by_address(message.channel, [address], message.workflow, keeps_consent=asks)[address]


def contacts_by_address(
    channel: str, addresses: Sequence[str], workflow: str | None, *, keeps_consent: bool = True
) -> dict[str, Contact]:
    """Address in its plainest form → the contact that it is where no record is known, with the consents that are kept for it, those by default, and what was taken back.

    `keeps_consent`: also e-mail needs consent. Three statements for all.
    """
    digests = {address: address_digest(address).hex() for address in addresses}
    given = address_consents.consents_of_addresses(digests.values())
    usual = address_consents.default_consents(workflow) if workflow is not None else {}
    by_mail = channel == "email"
    known = {
        digest: Contact(
            ADDRESS,
            digest,
            email=address if by_mail else None,
            phone=None if by_mail else address,
            consent=usual | given.get(digest, {}),
            keeps_consent=keeps_consent,
        )
        for address, digest in digests.items()
    }
    standing = _as_it_stands(ADDRESS, known)
    return {address: standing[digest] for address, digest in digests.items()}


def agreeing(contact: Contact, channel: str, consent: Consent) -> Contact:
    """The contact with a consent that is not kept yet: what was taken back after it counts more."""
    said = contact.consent.get(channel)
    withdrawn_at = moment_of(said.withdrawn_at) if said is not None and said.withdrawn_at else None
    given_at = moment_of(consent.at)
    if withdrawn_at is not None and (given_at is None or given_at <= withdrawn_at):
        return contact
    return replace(contact, consent={**contact.consent, channel: consent})


def contact_by_digest(digest: str) -> Contact:
    """The contact that an address is of which the digest alone is known."""
    consent = address_consents.consents_of_addresses([digest]).get(digest, {})
    return _as_it_stands(ADDRESS, {digest: Contact(ADDRESS, digest, consent=consent)})[digest]


def contact_at(collection: str, record: str) -> Contact:
    """The contact with consent that was taken back here, for it or for one of its addresses. Raises NotFound, SourceDown."""
    return _as_it_stands(collection, {record: _known(collection, record, ())})[record]


def _known(collection: str, record: str, taken_back: Sequence[TakenBack]) -> Contact:
    plain = not contacts.is_contact(collection)
    known = (
        Contact(collection, record, keeps_consent=False)
        if plain
        else contacts.known_contact(collection, record)
    )
    return replace(known, consent=_with_taken_back(known, taken_back))


def contacts_at(collection: str, keys: Sequence[str]) -> dict[str, Contact]:
    """Key → the contact with consent that was taken back here, a few statements for all. Records that are gone are left out. Raises SourceDown."""
    if contacts.is_contact(collection):
        known = contacts.known_contacts(collection, keys)
    else:
        known = {key: Contact(collection, key, keeps_consent=False) for key in keys}
    return _as_it_stands(collection, known)


def _as_it_stands(collection: str, known: Mapping[str, Contact]) -> dict[str, Contact]:
    """Key → the contact with consent that was taken back here, for it or for one of its addresses; one statement for all."""
    addresses = {key: _barred_as(contact) for key, contact in known.items()}
    rows: dict[str, list[TakenBack]] = {}
    barred = sorted({each for own in addresses.values() for each in own})
    for record, channel, at, source in fetch(_TAKEN_BACK, (collection, list(known), ADDRESS, barred)):
        rows.setdefault(record, []).append((channel, at, source))
    addresses_told = {
        key: [row for about in (key, *addresses[key]) for row in rows.get(about, ())] for key in known
    }
    return {
        key: replace(
            contact, consent=_with_taken_back(contact, sorted(addresses_told[key], key=lambda row: row[1]))
        )
        for key, contact in known.items()
    }


def address_digest(address: str) -> bytes:
    """Under which it is kept what went to an address and what is barred: all spellings of it are one."""
    return digest(phone_plans.canonical(address).encode(), "address")


def address_digests(address: str) -> list[bytes]:
    """The same, and as it was kept before all spellings were one."""
    return list(
        dict.fromkeys(
            (
                address_digest(address),
                *(digest(each.encode(), "address") for each in phone_plans.spellings(address)),
            )
        )
    )


def _phone_and_mail(contact: Contact) -> tuple[str, str]:
    return address_of("sms", contact.phone, contact.country)[0], address_of("email", contact.email, None)[0]


def own_addresses(contact: Contact) -> list[bytes]:
    """The digests of the addresses of the contact, under which it is kept what went there and what is barred."""
    return [each for address in _phone_and_mail(contact) if address for each in address_digests(address)]


def addresses_by_channel(contact: Contact) -> dict[str, str]:
    """Channel → under which name its address of the contact may be barred; without what the contact has none for."""
    phone, mail = _phone_and_mail(contact)
    found = {"email": mail, "sms": phone, "call": phone, "ai_call": phone}
    return {channel: address_digest(address).hex() for channel, address in found.items() if address}


def every_address(contact: Contact) -> list[tuple[str, str]]:
    """(channel, name under which an address is barred) of each of the addresses of the contact, also of several in one field."""
    phones = addresses_of("sms", contact.phone, contact.country)
    mails = addresses_of("email", contact.email, None)
    pairs = [("email", mail) for mail in mails] + [
        (channel, phone) for channel in ("sms", "call", "ai_call") for phone in phones
    ]
    return [(channel, address_digest(address).hex()) for channel, address in pairs]


def barred_channels(contacts_told: Sequence[Contact]) -> list[frozenset[str]]:
    """Of each of these, who need not be there yet, the channels for which one of their addresses is barred; one statement for all."""
    addresses = [_barred_as(contact) for contact in contacts_told]
    rows = fetch(_TAKEN_BACK, ("", [], ADDRESS, sorted({each for own in addresses for each in own})))
    barred: dict[str, set[str]] = {}
    for address, channel, _, _ in rows:
        barred.setdefault(address, set()).add(channel)
    return [frozenset(channel for each in own for channel in barred.get(each, ())) for own in addresses]


def _barred_as(contact: Contact) -> list[str]:
    """Under which names the addresses of the contact may be barred."""
    return [each.hex() for each in own_addresses(contact)]


def _with_taken_back(contact: Contact, rows: Sequence[TakenBack]) -> dict[str, Consent]:
    """The consents; what was taken back here counts unless the record says that it was given again after that."""
    consent = dict(contact.consent)
    for channel, at, source in rows:
        said = consent.get(channel)
        given_at = moment_of(said.at) if said is not None and said.given and said.at else None
        if given_at is None or given_at <= at:
            consent[channel] = Consent(given=False, source=source, withdrawn_at=moment_text(at))
    return consent


def _phone_of(text: str, country: str | None) -> tuple[str, str]:
    import phonenumbers

    region = country.upper() if country and len(country) == 2 else None
    plain, cut = phone_text.plain_number(text)
    try:
        number = phone_plans.renumbered(_number(plain, region))
    except phonenumbers.NumberParseException:
        return (
            "",
            f"This is no telephone number that can be reached{'' if region else ': begin it with + and the country'}.",
        )
    if not (phonenumbers.is_valid_number(number) if cut else phonenumbers.is_possible_number(number)):
        return "", "This is no telephone number that can be reached."
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), ""


def _number(text: str, region: str | None) -> Any:
    """The number as it is dialled. Without + and 0 before it, 491712345678 of Germany begins with the country: spreadsheets take the + away. Raises NumberParseException."""
    import phonenumbers

    text = _AS_DECIMAL.sub(r"\1", text.strip())
    read = phonenumbers.parse(text, region)
    digits = phonenumbers.normalize_digits_only(text)
    if (
        region is None
        or text[:1] in ("+", "\N{FULLWIDTH PLUS SIGN}")
        or read.extension
        or phonenumbers.ndd_prefix_for_region(region, True) != "0"
    ):
        return read
    if digits.startswith(str(phonenumbers.country_code_for_region(region))):
        with suppress(phonenumbers.NumberParseException):
            whole = phonenumbers.parse(f"+{digits}")
            return whole if phonenumbers.is_valid_number(whole) else read
    return read


def _phones_in(text: str, country: str | None) -> list[str]:
    """The numbers between strokes; a part that is none by itself belongs to what follows the stroke, as in 0171/2345678."""
    parts: list[str] = []
    for part in text.split("/"):
        before = parts[-1] if parts else ""
        whole = f"{before} {part}"
        if 0 < digits_in(before) < FEWEST or (
            before and not _is_valid(before, country) and _is_valid(whole, country)
        ):
            parts[-1] = whole
        else:
            parts.append(part)
    return (
        parts[:-1] if len(parts) > 1 and 0 < digits_in(parts[-1]) < FEWEST else parts
    )  # another end of the number before it


def _is_valid(text: str, country: str | None) -> bool:
    import phonenumbers

    with suppress(phonenumbers.NumberParseException):
        number = _number(phone_text.plain_number(text)[0], (country or "").upper() or None)
        return bool(phonenumbers.is_valid_number(phone_plans.renumbered(number)))
    return False


def _mail_of(text: str) -> tuple[str, str]:
    from email_validator import EmailNotValidError, validate_email

    with suppress(EmailNotValidError):
        return validate_email(parseaddr(text)[1] or text.strip(), check_deliverability=False).normalized, ""
    return "", "This is no e-mail address."


def address_of(channel: str, to: str | None, country: str | None) -> tuple[str, str]:
    """(the address in its plainest form, why there is none), the first of several. A number without + is read as one of the country.

    The reason stands in the log of the record, so it does not repeat the address.
    """
    read = _read(channel, to, country)
    return next((each for each in read if each[0]), read[0])


def field_of(message: Message, content: Mapping[str, Any], contact: Contact | None) -> str | None:
    """What says to whom it goes: what the step named, else the contact's own. It may hold several addresses."""
    own = None if contact is None else contact.email if message.channel == "email" else contact.phone
    return content.get("to") or own


def address_for(message: Message, content: Mapping[str, Any], contact: Contact | None) -> tuple[str, str]:
    """(the address that the message goes to, why there is none)."""
    return address_of(
        message.channel, field_of(message, content, contact), contact.country if contact else None
    )


def contact_lock(message: Message) -> str:
    """Who holds it judges a message to this contact."""
    return f"contact|{message.collection}|{message.record}" if message.record else f"message to|{message.id}"


def address_lock(address: bytes) -> str:
    """Who holds it judges a message to the address of this digest."""
    return f"address|{address.hex()}"


def addresses_of(channel: str, to: str | None, country: str | None) -> list[str]:
    """All addresses of the field in their plainest form; messages go to the first."""
    return list(dict.fromkeys(address for address, _ in _read(channel, to, country) if address))


def _read(channel: str, to: str | None, country: str | None) -> list[tuple[str, str]]:
    """(address, why it is none) of each part of the field, at least one. A longer field than `LONGEST` holds none."""
    to = to if to is None or len(to) <= LONGEST else ""
    if channel == "chat" and to and to.strip():
        return [(to.strip(), "")]
    apart = (
        SEVERAL.split(to or "")
        if channel == "email"
        else [n for part in phone_text.fields_apart(to or "") for n in _phones_in(part, country)]
    )
    parts = [part for part in apart if part.strip()]
    if not parts:
        return [
            ("", "There is no e-mail address." if channel == "email" else "There is no telephone number.")
        ]
    return [_mail_of(part) if channel == "email" else _phone_of(part, country) for part in parts]


def ways_to_write(channel: str, address: str) -> list[str]:
    """An address in its plainest form as databases may have it."""
    if channel == "email":
        return list(dict.fromkeys([address, address.casefold(), *sorted(headings.spellings(address))]))
    return list(
        dict.fromkeys(way for each in phone_plans.spellings(address) for way in _written_numbers(each))
    )


def _written_numbers(address: str) -> list[str]:
    import phonenumbers

    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return [address]
    form = phonenumbers.PhoneNumberFormat
    formats = [
        phonenumbers.format_number(number, each)
        for each in (form.E164, form.INTERNATIONAL, form.NATIONAL, form.RFC3966)
    ]
    digits = formats[0].removeprefix("+")
    bare = [digits, f"00{digits}", digits_of(formats[2])]
    return [*formats, *(one.replace("-", " ") for one in formats[:3]), *bare]


def digits_of(text: str) -> str:
    """The digits of a telephone number as it is written."""
    return "".join(filter(str.isdecimal, text))


def zones_of(contact: Contact | None, address: str) -> list[str]:
    """The zones in which the contact may be: its own, else all of its country, else those of its number; empty where nothing is known."""
    if contact is not None and contact.zone and is_zone(contact.zone):
        return [contact.zone]
    named = (
        get_global("territory_zones").get((contact.country or "").upper(), ()) if contact is not None else ()
    )
    if not named and address.startswith("+"):
        import phonenumbers
        from phonenumbers import timezone as number_zones

        try:
            named = number_zones.time_zones_for_number(phonenumbers.parse(address))
        except phonenumbers.NumberParseException:
            named = ()
    return _without_twins([zone for zone in named if zone != NO_ZONE and is_zone(zone)])


def country_of(contact: Contact | None, address: str) -> str | None:
    """The contact's country, else that of its number, in two letters."""
    if contact is not None and contact.country:
        return contact.country.upper()
    if not address.startswith("+"):
        return None
    import phonenumbers

    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(address))
    except phonenumbers.NumberParseException:
        return None


def call_back_at(message: Message, handed: Handed, heard_at: datetime) -> str | None:
    """The moment at which who was called wants to be called again, by their own clock; None where nobody said one that can be understood."""
    if not handed.call_back and handed.label != CALL_BACK:
        return None
    try:
        contact = contact_of(message, ())
    except (NotFound, SourceDown):  # their number says where they are
        contact = None
    zones = zones_of(contact, str(message.result.get("to", "")))
    zone = ZoneInfo(zones[0] if zones else "UTC")
    found = moment_said(handed.call_back, heard_at, zone)
    return moment_text(found.astimezone(UTC)) if found is not None else None


def _without_twins(zones: list[str]) -> list[str]:
    """One zone for each offset through the year, which is all that hours ask for."""
    kept: dict[tuple[object, ...], str] = {}
    for zone in zones:
        place = ZoneInfo(zone)
        kept.setdefault(
            tuple(datetime(2026, month, 15, tzinfo=place).utcoffset() for month in (1, 4, 7, 10)), zone
        )
    return list(kept.values())


def somebody_else(message: Message, contact: Contact | None, to: str) -> str:
    """Why it is somebody else whom it would reach than when it began to wait; empty where name or address are as they were."""
    name, address = (message.result.get(part) for part in ("held_for", "held_to"))
    if (
        contact is None
        or not (name and address)
        or name == contact.name
        or phone_plans.canonical(address) == phone_plans.canonical(to)
    ):
        return ""
    return f"It was written to {name}. This record has another name and another address now{f': {contact.name}' if contact.name else ''}."
