"""Contacts: whom a record is, which tags and stage it has, and what they agreed to. Tags are for records of any collection."""

from console.contacts.mapping import contact_of, contacts_of, is_contact, known_contact, known_contacts

OPEN_MODULES = frozenset(
    {
        "books",
        "cell_meanings",
        "cells",
        "consent_columns",
        "contact_files",
        "encodings",
        "headings",
        "import_batches",
        "imported_records",
        "imports",
        "left_out_lines",
        "likely_contacts",
        "line_tags",
        "present",
        "workbooks",
    }
)
