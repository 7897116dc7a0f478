"""Collections: what they are, how they are put together, and the documents that say what the database does not."""

from console.core.collections.assembling import LISTS, PERSONAL_TYPES, TITLES, Stored, assemble, humanised, labelled
from console.core.collections.model import (
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
    "TITLES",
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
    "fields_of",
    "humanised",
    "labelled",
]
