"""What it comes to that a collection's document says which field of a contact is what: how many of its first records can be reached, and as whom."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from console import browse, contacts, log, records
from console.core.actor import Actor
from console.core.contacting import CHANNELS, Contact
from console.core.documents.collections import Collection
from console.core.documents.collections.contact_document import EVIDENCE, FIELDS, column_of, consents_relation
from console.core.scopes import Scope
from console.messages import recipients

MOST, SHOWN = 200, 5


@dataclass(frozen=True, slots=True)
class Example:
    """A record as the contact that it would be. An address that cannot be used is empty."""

    key: str
    title: str
    email: str
    phone: str
    zones: Sequence[str]
    agreed: Sequence[str]
    closed: bool


@dataclass(slots=True)
class MappingTrial:
    """The first records that somebody sees, as contacts. `more`: there are others. `unread` are fields and tables of the mapping that they may not read, and that count as empty."""

    looked: int = 0
    more: bool = False
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("email", "phone", "zone", "closed"), 0))
    agreed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    unusable: dict[str, list[str]] = field(default_factory=lambda: {"email": [], "phone": []})
    """`email` or `phone` → what stands there and is no address, in the first `SHOWN` records with one."""
    examples: list[Example] = field(default_factory=list)
    unread: Sequence[str] = ()


def tried(actor: Actor, becoming: Collection) -> MappingTrial | None:
    """The trial of a collection as its draft would make it; None where the actor may not browse it. Raises NotFound, SourceDown, TooSlow."""
    scope = browse.reach(actor, becoming)
    if scope is None or becoming.contact is None:
        return None
    page = records.page(becoming.id, scope, limit=MOST)
    data = {"count": len(page.rows), "sort": "", "more": page.next is not None}
    log.note(actor, "record_listed", open=data, source=becoming.source, collection=becoming.id)
    mapped: list[str] = [name for part in FIELDS if (name := getattr(becoming.contact, part))]
    unread = [becoming.by_name[name].label for name in mapped if name in scope.hidden]
    blind = dict(_unread_consents(actor, becoming, scope))
    made = MappingTrial(more=page.next is not None, unread=list(dict.fromkeys([*unread, *blind.values()])))
    read = {channel: consent for channel, consent in becoming.contact.consent.items() if channel not in blind}
    seen = replace(becoming, contact=becoming.contact.model_copy(update={"consent": read}))
    found = {row.key: row for row in page.rows if row.key is not None}
    for key, contact in contacts.contacts_of(seen, found).items():
        _count(made, found[key].title, contact)
    return made


def _unread_consents(actor: Actor, becoming: Collection, scope: Scope) -> Iterator[tuple[str, str]]:
    """Channels, with what holds their consents and the actor may not read: any table of a relation could be named, and its rows told by what they count as."""
    for channel, consent in becoming.contact.consent.items() if becoming.contact is not None else ():
        relation = consents_relation(becoming, consent.table) if consent.table is not None else None
        if relation is None:
            if consent.field in scope.hidden:
                yield channel, becoming.by_name[consent.field].label
            continue
        there = records.collection(relation.collection)
        known = browse.reach(actor, there)
        columns = {name for part in ("channel", "state", *EVIDENCE) if (name := column_of(consent, part, there))} | {
            name for _, name in relation.columns
        }
        if known is None or not _every_row(known) or columns & known.hidden:
            yield channel, there.label


def _every_row(scope: Scope) -> bool:
    """Whether the reader sees every row, or every one of whom they see: the records of a trial are seen."""
    return scope.everything and not scope.deny and (scope.subject is None or _every_row(scope.subject.scope))


def _count(made: MappingTrial, title: str, contact: Contact) -> None:
    phone, _ = recipients.address_of("sms", contact.phone, contact.country)
    email, _ = recipients.address_of("email", contact.email, None)
    zones = recipients.zones_of(contact, phone)
    agreed = [channel for channel in CHANNELS if (said := contact.consent.get(channel)) is not None and said.given]
    made.looked += 1
    for name, there in (("email", email), ("phone", phone), ("zone", zones), ("closed", contact.do_not_contact)):
        made.counts[name] += bool(there)
    for channel in agreed:
        made.agreed[channel] += 1
    for name, written, usable in (("email", contact.email, email), ("phone", contact.phone, phone)):
        if written and not usable and len(made.unusable[name]) < SHOWN:
            made.unusable[name].append(written)
    if len(made.examples) < SHOWN:
        made.examples.append(Example(contact.key, title, email, phone, zones, agreed, contact.do_not_contact))
