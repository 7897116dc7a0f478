"""Where a contact's consent stands, by its document: which columns of a table of consents say what, and which words mean that it was given."""

from typing import TYPE_CHECKING, Any

from console.core.documents.collections.model import Collection, Relation

if TYPE_CHECKING:
    from console.core.documents.collections.contact_document import ConsentDocument

USUAL = {
    "channel": ("channel", "kind", "medium"),
    "state": ("state", "status", "given", "consent"),
    "source": ("source", "origin"),
    "text_version": ("text_version", "version"),
    "at": ("at", "given_at", "created_at"),
    "withdrawn_at": ("withdrawn_at", "revoked_at"),
}
"""Columns of a table of consents that are found by their name where the document does not name them."""
GIVEN = ("given", "granted", "opted_in", "opt_in", "subscribed", "yes", "true", "1")
"""Words that say that consent was given, where the document names none."""


def consents_relation(collection: Collection, table: str) -> Relation | None:
    """The relation from a contact to its consents, by its own name or that of the other collection."""
    many = [relation for relation in collection.relations if relation.kind == "to_many"]
    return next((relation for relation in many if relation.name == table), None) or next(
        (relation for relation in many if relation.collection == table), None
    )


def column_of(consent: "ConsentDocument", part: str, there: Collection) -> str | None:
    """The column of a table of consents that says this part: the one that the document names, or one with a usual name."""
    named: str | None = getattr(consent, part)
    return named or next((name for name in USUAL[part] if name in there.by_name), None)


def means_given(consent: "ConsentDocument", value: Any) -> bool:
    """Whether a value of the field or of the column of the state says that consent is given."""
    text = str(value).strip().casefold() if value is not None else ""
    return value is True or text in {word.casefold() for word in consent.given or GIVEN}
