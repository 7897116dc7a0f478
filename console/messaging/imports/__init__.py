"""Imports of contact files: reading cells and headings, asking what columns mean, and writing records, consents and tags."""

OPEN_MODULES = frozenset(
    {
        "cell_meanings",
        "cells",
        "consent_columns",
        "contact_files",
        "encodings",
        "existing_contacts",
        "headings",
        "import_batches",
        "imported_records",
        "imports",
        "left_out_lines",
        "line_tags",
        "workbooks",
    }
)
