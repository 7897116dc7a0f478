"""A record as a contact, by what its collection's document says under `contact`.

Consent that stands in a table is that of the newest row for the channel; of several rows of the same moment one that withdraws counts. What the
document does not name and what has no row is no consent.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from console import records
from console.core.contact_consents import current_consent
from console.core.contacting import Consent, Contact
from console.core.documents.collections import Collection
from console.core.documents.collections.consent_places import column_of, consents_relation, means_given
from console.core.documents.collections.contact_document import EVIDENCE, ConsentDocument
from console.core.errors import NotFound
from console.core.filters import Test
from console.core.scopes import Scope, unrestricted
from console.records import Record

MOST_CONSENTS = 200
"""Newest rows of a table of consents that are looked at for one contact."""
AT_ONCE = 200
"""Contacts whose consents are read by one statement."""
ADDRESSED = ("name", "email", "phone", "zone", "country", "language")

Rows = Sequence[Mapping[str, Any]]
ScopeOf = Callable[[str], Scope]
"""Returns the scope in which the rows of a table of consents are read, by the collection's id."""


def is_contact(collection_id: str) -> bool:
    """Whether the records of the collection are contacts. Raises NotFound for an unknown collection."""
    return records.collection(collection_id).contact is not None


def known_contact(collection_id: str, key: str) -> Contact:
    """The record as a contact as it stands, for the console itself, which judges before anything is sent. Raises NotFound, SourceDown."""
    collection = records.collection(collection_id)
    found = records.get(collection_id, key, unrestricted(collection_id))
    return contact_of(collection, {**found.values}, _rows(collection, found), key=key)


def known_contacts(collection_id: str, keys: Sequence[str]) -> dict[str, Contact]:
    """Key → the record as a contact as it stands, as `known_contact` tells it, a few statements for all. Records that are gone are left out.

    Raises NotFound for an unknown collection, SourceDown.
    """
    collection = records.collection(collection_id)
    return contacts_of(
        collection, records.records_by_key(collection_id, keys, unrestricted(collection_id), None)
    )


def contacts_of(
    collection: Collection, found: Mapping[str, Record], scope_of: ScopeOf = unrestricted
) -> dict[str, Contact]:
    """Key → the contact that the record is, also as a draft of the collection would have it; one statement for each table of consents. Raises SourceDown."""
    rows = _rows_of_each(collection, found, scope_of)
    return {
        key: contact_of(collection, {**record.values}, rows.get(key), key=key)
        for key, record in found.items()
    }


def _rows_of_each(
    collection: Collection, contacts: Mapping[str, Record], scope_of: ScopeOf
) -> dict[str, dict[str, Rows]]:
    """Key → the newest rows of each table in which the consents of that record stand, by table."""
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {key: {} for key in contacts}
    values = {key: record.values for key, record in contacts.items()}
    for source in collection.contact.consent.values() if collection.contact is not None else ():
        relation = consents_relation(collection, source.table) if source.table is not None else None
        if relation is None or source.table is None or any(source.table in each for each in found.values()):
            continue
        if len(relation.columns) != 1:
            for key, record in contacts.items():
                found[key] |= {
                    table: list(rows) for table, rows in _rows(collection, record, scope_of).items()
                }
            continue
        [(own, there)] = relation.columns
        at = column_of(source, "at", records.collection(relation.collection))
        by_value = {str(each[own]): key for key, each in values.items() if each.get(own) is not None}
        for tables in found.values():
            tables[source.table] = []
        wanted = [each[own] for each in values.values() if each.get(own) is not None]
        for row in _rows_named(relation.collection, there, wanted, at, scope_of(relation.collection)):
            whose = by_value.get(str(row.get(there)))
            if whose is not None and len(found[whose][source.table]) < MOST_CONSENTS:
                found[whose][source.table].append(row)
    return {key: dict(tables) for key, tables in found.items()}


def _rows_named(
    collection_id: str, column: str, wanted: Sequence[Any], at: str | None, scope: Scope
) -> Iterator[Mapping[str, Any]]:
    """The rows whose column is one of these values, the newest first."""
    for start in range(0, len(wanted), AT_ONCE):
        after: str | None = None
        where = Test(column, "in", list(wanted[start : start + AT_ONCE]))
        while True:
            page = records.page(
                collection_id,
                scope,
                where=where,
                sort=f"-{at}" if at else None,
                limit=records.MOST_ROWS,
                after=after,
            )
            yield from (row.values for row in page.rows)
            after = page.next
            if after is None:
                break


def contact_of(
    collection: Collection,
    values: Mapping[str, Any],
    rows: Mapping[str, Rows] | None = None,
    *,
    key: str | None = None,
) -> Contact:
    """The contact that a record with these values is. `rows` are by table, as the document names it, those of its consents, newest first.

    Without `key` it is the record's own. Raises NotFound for a collection whose records are not contacts.
    """
    mapped = collection.contact
    if mapped is None:
        raise NotFound(
            f"{collection.label} are not contacts: say under Settings, Collections, Contacts which field is what."
        )
    said = {
        part: _text(values.get(named)) if (named := getattr(mapped, part)) else None for part in ADDRESSED
    }
    consent = {
        channel: _of_field(source, values)
        if source.table is None
        else _of_rows(collection, source, channel, (rows or {}).get(source.table, ()))
        for channel, source in mapped.consent.items()
    }
    own = key if key is not None else records.record_keys.key_of(collection, values) or ""
    if (
        mapped.name is None and collection.title_fields
    ):  # first and last names stand in columns of their own, and make the title
        said["name"] = collection.title_of(values, own)
    closed = _means_yes(values.get(mapped.do_not_contact)) if mapped.do_not_contact else False
    return Contact(
        collection.id, own, **said, consent=consent, do_not_contact=closed, keeps_consent=bool(mapped.consent)
    )


def _rows(collection: Collection, record: Record, scope_of: ScopeOf = unrestricted) -> dict[str, Rows]:
    """The newest rows of each table in which the record's consents stand, one statement for each."""
    found: dict[str, Rows] = {}
    for source in collection.contact.consent.values() if collection.contact is not None else ():
        relation = consents_relation(collection, source.table) if source.table is not None else None
        if relation is None or source.table is None or source.table in found:
            continue
        at = column_of(source, "at", records.collection(relation.collection))
        sort = f"-{at}" if at else None
        page = records.related(
            collection.id,
            record.key or "",
            relation.name,
            scope_of(relation.collection),
            MOST_CONSENTS,
            sort=sort,
            known=record.values,
        )
        found[source.table] = [row.values for row in page.rows]
    return found


def _of_field(consent: ConsentDocument, values: Mapping[str, Any]) -> Consent:
    evidence = {
        part: _text(values.get(named)) if (named := getattr(consent, part)) else None for part in EVIDENCE
    }
    given = means_given(consent, values.get(consent.field or "")) and evidence["withdrawn_at"] is None
    return Consent(given, **evidence)


def _of_rows(collection: Collection, consent: ConsentDocument, channel: str, rows: Rows) -> Consent:
    relation = consents_relation(collection, consent.table or "")
    if relation is None:
        return Consent(given=False)
    there = records.collection(relation.collection)
    newest = current_consent(consent, channel, there, rows)
    if newest is None:
        return Consent(given=False)
    evidence = {part: _text(_cell(newest.row, column_of(consent, part, there))) for part in EVIDENCE}
    if not newest.given and evidence["withdrawn_at"] is None:
        evidence["withdrawn_at"] = evidence["at"]
    return Consent(newest.given, **evidence)


def _means_yes(value: Any) -> bool:
    return value is True or (_text(value, fold=True) or "") in ("yes", "true", "1", "y", "t")


def _cell(row: Mapping[str, Any], name: str | None) -> Any:
    return row.get(name) if name is not None else None


def _text(value: Any, *, fold: bool = False) -> str | None:
    """The value as a text without blanks around it; None where nothing is left."""
    text = str(value).strip() if value is not None else ""
    return (text.casefold() if fold else text) or None
