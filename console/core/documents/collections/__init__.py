"""Collections: their model, their documents, and assembling both with the database structure."""

from console.core.documents.collections.assembling import LISTS, Stored, assemble
from console.core.documents.collections.labels import free_id, one_of
from console.core.documents.collections.model import (
    CONVERSIONS,
    FIELD_TYPES,
    FORMATS,
    LONGEST_TITLE,
    MOST_COLUMNS,
    SHOWN_ONLY,
    TONES,
    WIDGETS,
    Collection,
    Field,
    Option,
    Relation,
    Rule,
    Segment,
    fields_of,
)
from console.core.plain_words import humanised

OPEN_MODULES = frozenset(
    {
        "assembling",
        "collection_document",
        "condition_rows",
        "consent_places",
        "contact_document",
        "default_titles",
        "document_changes",
        "document_check",
        "document_merge",
        "document_words",
        "field_guesses",
        "former_names",
        "likely_relations",
        "polymorphic_references",
        "secret_fields",
        "treatment",
    }
)
