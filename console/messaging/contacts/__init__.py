"""Contacts: whom a record is, which tags and stage it has, and what they agreed to. Tags are for records of any collection."""

from console.messaging.contacts.mapping import (
    contact_of,
    contacts_of,
    is_contact,
    known_contact,
    known_contacts,
)

OPEN_MODULES = frozenset({"likely_contacts", "mapping"})
