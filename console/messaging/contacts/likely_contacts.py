"""Whether the records of a collection are likely people who can be written to, and which column is what, by names and kinds of columns.

Only what is offered to whoever shapes the collection: nothing of it counts before they say so.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from console.core.contacting import CHANNELS
from console.core.documents.collections import Collection, Field, Relation
from console.core.documents.collections.consent_places import USUAL
from console.core.documents.collections.contact_document import FIELDS
from console.messaging.imports import headings

KINDS = {"email": "email", "phone": "phone"}
"""Kind of a field that is this part of a contact, whatever its name is."""
WIDGETS = {"country": "country", "language": "language"}
"""How a field is shown that is this part of a contact."""
WRITTEN = ("email", "sms")
"""Channels that are offered for a table of consents that does not say for which there are rows."""


def likely(collection: Collection, every: Mapping[str, Collection]) -> dict[str, Any] | None:
    """What a document would say under `contact`; None for records with neither an e-mail address nor a telephone number. `every`: id → collection."""
    fields = [item for item in collection.stored_fields if not item.hidden]
    found = {part: item.name for part in FIELDS if (item := _best(part, fields)) is not None}
    if "email" not in found and "phone" not in found:
        return None
    consent = _by_table(collection, every)
    return found | ({"consent": consent} if consent else {})


def _best(part: str, fields: Iterable[Field]) -> Field | None:
    """The field that is this part, one with the right kind before one with the right name."""
    named = [
        item
        for item in fields
        if _is_part(part, item)
        and (part != "stage" or item.options)
        and (part != "do_not_contact" or item.stored == "boolean")
    ]
    return min(
        named,
        key=lambda item: (item.type != KINDS.get(part, item.type), headings.rank(item.label)),
        default=None,
    )


def _is_part(part: str, item: Field) -> bool:
    if part == "country" and {"nationality", "nationalities", "citizenship", "citizenships"} & {
        *headings.normalise_heading(f"{item.name} {item.label}").split()
    }:
        return False  # not where they are
    by_kind = (part in KINDS and item.type == KINDS[part]) or (
        part in WIDGETS and item.widget == WIDGETS[part]
    )
    if part == "stage" and "state" in (
        headings.normalise_heading(item.label),
        headings.normalise_heading(item.name),
    ):
        return True  # with options; in a list without, it may be part of an address
    return by_kind or part in (headings.part_of(item.label), headings.part_of(item.name))


def _by_table(collection: Collection, every: Mapping[str, Collection]) -> dict[str, Any]:
    """Channel → the table of consents whose rows lead to the record."""
    for relation in collection.relations:
        there = every.get(relation.collection) if relation.kind == "to_many" else None
        if (
            there is not None
            and (channel := _usual(there, "channel"))
            and _usual(there, "state")
            and _about_consent(relation, there)
        ):
            told = [str(option.value) for option in channel.options or ()]
            return {name: {"table": relation.name} for name in CHANNELS if name in (told or WRITTEN)}
    return {}


def _usual(there: Collection, part: str) -> Field | None:
    return next((there.by_name[name] for name in USUAL[part] if name in there.by_name), None)


def _about_consent(relation: Relation, there: Collection) -> bool:
    words = f"{relation.name} {there.table} {there.label}".casefold()
    return any(word in words for word in ("consent", "permission", "opt", "agree", "subscri"))
