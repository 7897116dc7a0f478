"""Contacts: whom a record is, which tags and stage it has, and what they agreed to. Tags are for records of any collection."""

from console.contacts.mapping import contact, contact_of, is_contact, known_contact, known_contacts

__all__ = [
    "books",
    "consent_columns",
    "contact",
    "contact_files",
    "contact_of",
    "encodings",
    "import_batches",
    "imports",
    "is_contact",
    "known_contact",
    "known_contacts",
    "tags",
]
