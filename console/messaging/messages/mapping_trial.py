"""What it comes to that a collection's document says which field of a contact is what: how many of its first records can be reached, and as whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from console import browse, log, records
from console.core.actor import Actor
from console.core.contacting import CHANNELS, Contact
from console.core.documents.collections import Collection
from console.core.documents.collections.consent_places import column_of, consents_relation
from console.core.documents.collections.contact_document import EVIDENCE, FIELDS, ContactDocument
from console.core.scopes import Scope
from console.messaging import contacts
from console.messaging.messages import recipients

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
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("email", "phone", "zone", "closed"), 0)
    )
    agreed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    unusable: dict[str, list[str]] = field(default_factory=lambda: {"email": [], "phone": []})
    """`email` or `phone` → what stands there and is no address, in the first `SHOWN` records with one."""
    examples: list[Example] = field(default_factory=list)
    unread: Sequence[str] = ()


def try_mapping(actor: Actor, becoming: Collection) -> MappingTrial | None:
    """The trial of a collection as its draft would make it; None where the actor may not browse it. Raises NotFound, SourceDown, TooSlow."""
    scope = browse.reach(actor, becoming)
    if scope is None or becoming.contact is None:
        return None
    page = records.page(becoming.id, scope, limit=MOST)
    data = {"count": len(page.rows), "sort": "", "more": page.next is not None}
    log.note(actor, "record_listed", open=data, source=becoming.source, collection=becoming.id)
    seen, unread = _seen(actor, becoming, becoming.contact, scope)
    made = MappingTrial(more=page.next is not None, unread=unread)
    found = {row.key: row for row in page.rows if row.key is not None}
    for key, contact in contacts.contacts_of(
        seen, found, lambda there: browse.view_scope(actor, records.collection(there))
    ).items():
        _count(made, found[key].title, contact)
    return made


def _seen(
    actor: Actor, becoming: Collection, contact: ContactDocument, scope: Scope
) -> tuple[Collection, list[str]]:
    """The collection without tables of consents that the actor may not read, and labels of these and of mapped fields that they may not read."""
    closed = _closed(becoming, scope)
    mapped = [name for part in FIELDS if (name := getattr(contact, part))]
    consents, tables = {}, []
    for channel, said in contact.consent.items():
        relation = consents_relation(becoming, said.table) if said.table is not None else None
        if relation is None:
            mapped += [name for part in ("field", *EVIDENCE) if (name := getattr(said, part))]
        else:
            there = records.collection(relation.collection)
            other = browse.reach(actor, there)
            used = {column_of(said, part, there) for part in ("channel", "state", *EVIDENCE)} | {
                name for _, name in relation.columns
            }
            if (
                other is None
                or used & _closed(there, other)
                or {name for name, _ in relation.columns} & closed
            ):
                tables.append(relation.label)
                continue
        consents[channel] = said
    unread = [becoming.by_name[name].label for name in mapped if name in closed]
    return replace(becoming, contact=contact.model_copy(update={"consent": consents})), list(
        dict.fromkeys([*unread, *tables])
    )


def _closed(collection: Collection, scope: Scope) -> frozenset[str]:
    """Fields that are not read in this scope, or by nobody."""
    return scope.hidden | {item.name for item in collection.stored_fields if item.hidden}


def _count(made: MappingTrial, title: str, contact: Contact) -> None:
    phone, _ = recipients.address_of("sms", contact.phone, contact.country)
    email, _ = recipients.address_of("email", contact.email, None)
    zones = recipients.zones_of(contact, phone)
    agreed = [
        channel for channel in CHANNELS if (said := contact.consent.get(channel)) is not None and said.given
    ]
    made.looked += 1
    for name, there in (
        ("email", email),
        ("phone", phone),
        ("zone", zones),
        ("closed", contact.do_not_contact),
    ):
        made.counts[name] += bool(there)
    for channel in agreed:
        made.agreed[channel] += 1
    for name, written, usable in (("email", contact.email, email), ("phone", contact.phone, phone)):
        if written and not usable and len(made.unusable[name]) < SHOWN:
            made.unusable[name].append(written)
    if len(made.examples) < SHOWN:
        made.examples.append(Example(contact.key, title, email, phone, zones, agreed, contact.do_not_contact))
