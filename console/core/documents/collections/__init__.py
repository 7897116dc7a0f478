"""Collections: their model, their documents, and assembling both with the database structure."""

from console.core.documents.collections.assembling import LISTS, PERSONAL_TYPES, Stored, assemble
from console.core.documents.collections.labels import humanised, one_of
from console.core.documents.collections.model import (
    CONVERSIONS,
    FIELD_TYPES,
    FORMATS,
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

__all__ = [
    "CONVERSIONS",
    "FIELD_TYPES",
    "FORMATS",
    "LISTS",
    "MOST_COLUMNS",
    "PERSONAL_TYPES",
    "SHOWN_ONLY",
    "TONES",
    "WIDGETS",
    "Collection",
    "Field",
    "Option",
    "Relation",
    "Rule",
    "Segment",
    "Stored",
    "assemble",
    "assembling",
    "collection_document",
    "document_changes",
    "document_check",
    "fields_of",
    "humanised",
    "one_of",
    "recognising",
    "treatment",
]
