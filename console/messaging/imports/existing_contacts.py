"""Which contacts are there already that lines of a file are about, however a database spells their e-mail address or telephone number."""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from console import records
from console.core.documents.collections import Collection
from console.core.filters import ANY_CASE, ENDING, LAST_DIGITS, Test
from console.core.scopes import Scope
from console.formats import phone_plans
from console.messaging.imports import headings
from console.messaging.messages import recipients
from console.records import Record

WHOLE = re.compile(r"[1-9]\d{10,14}")
"""A number with its country and no +; shorter ones may as well be a number within a country."""
ASKED = 1_000
"""Values that one statement looks for. Where no index helps it reads all contacts, so that few of them are asked; a page that is full is asked again in halves."""


def by_value(
    collection: Collection, read: Scope, field: str, given: Sequence[Any], fields: Sequence[str] | None = None
) -> dict[str, list[Record]]:
    """What the lines are found by, as `headings.as_compared` has it → the contacts within the reader's sight that have it, with these fields (None: all).

    E-mail addresses are found with other capitals too, telephone numbers by their digits. Values as they are typed come first: for them a database has an index.
    """
    contact = collection.contact
    kind = collection.by_name[field].type if field in collection.by_name else None
    if kind == "phone" or (contact is not None and field == contact.phone):
        return _by_telephone(collection, read, field, [str(value) for value in given], fields)
    wanted = {spelled for value in given for spelled in headings.spellings(value)}
    found = _compared(
        field, _contacts_with(collection.id, read, Test(field, "in", sorted(wanted, key=str)), fields)
    )
    missing = {
        str(value).lower()
        for value in given
        if "@" in str(value) and headings.as_compared(value) not in found
    }
    return found | _compared(
        field, _contacts_with(collection.id, read, Test(field, ANY_CASE, sorted(missing)), fields)
    )


def _compared(field: str, contacts: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in contacts:
        found.setdefault(headings.as_compared(record.values.get(field)), []).append(record)
    return found


def _by_telephone(
    collection: Collection, read: Scope, field: str, given: Sequence[str], fields: Sequence[str] | None
) -> dict[str, list[Record]]:
    """Numbers with their country first by how they are usually written, the others by their last digits, for which no index helps."""
    country = collection.contact.country if collection.contact is not None else None
    country = country if country in collection.by_name and country not in read.hidden else None
    read_fields = (
        None
        if fields is None
        else [*fields, *([country] if country is not None and country not in fields else [])]
    )
    meant = {value: numbers(value, None) for value in given}
    usual = {
        way for those in meant.values() for number in those for way in recipients.ways_to_write("sms", number)
    }
    contacts = {
        each.key: each
        for each in _contacts_with(
            collection.id, read, Test(field, "in", sorted({*given, *usual})), read_fields
        )
    }
    found = _same_number(meant, contacts.values(), field, country)
    ends = {
        recipients.digits_of(value)[-LAST_DIGITS:]
        for value in given
        if headings.as_compared(value) not in found
    }
    contacts |= {
        each.key: each
        for each in _contacts_with(collection.id, read, Test(field, ENDING, sorted(ends - {""})), read_fields)
    }
    return _same_number(meant, contacts.values(), field, country)


def numbers(text: str, country: str | None) -> set[str]:
    """The numbers with their country that a text means, as they are compared; long digits alone may be one whose + a spreadsheet has taken away."""
    text = f"+{text[2:]}" if text.startswith("00") else text
    told = recipients.addresses_of("sms", text, country)
    told = told if told or not WHOLE.fullmatch(text) else recipients.addresses_of("sms", f"+{text}", None)
    return set(map(phone_plans.canonical, told))


def _same_number(
    given: dict[str, set[str]], contacts: Iterable[Record], field: str, country: str | None
) -> dict[str, list[Record]]:
    """What was given, as it is compared → the contacts with that number: with its country where both have one, else by its digits."""
    by_number: dict[str, list[Record]] = {}
    for record in contacts:
        text = str(record.values.get(field) or "")
        own = numbers(text, record.values.get(country or ""))
        for each in (
            own
            | {recipients.digits_of(text)}
            | {recipients.digits_of(way) for number in own for way in recipients.ways_to_write("sms", number)}
        ):
            by_number.setdefault(each, []).append(record)
    found: dict[str, list[Record]] = {}
    for value, meant in given.items():
        ways = meant if value.startswith(("+", "00")) else {*meant, recipients.digits_of(value)}
        same = {record.key: record for way in ways for record in by_number.get(way, ())}
        if same:
            found[headings.as_compared(value)] = list(same.values())
    return found


def _contacts_with(
    collection_id: str, read: Scope, asked: Test, fields: Sequence[str] | None
) -> Iterator[Record]:
    parts = deque(asked.value[start : start + ASKED] for start in range(0, len(asked.value), ASKED))
    while parts:
        part = parts.popleft()
        rows = records.page(
            collection_id,
            read,
            where=Test(asked.field, asked.op, part),
            limit=records.MOST_ROWS,
            fields=fields,
        ).rows
        if len(rows) >= records.MOST_ROWS and len(part) > 1:
            parts.extendleft((part[len(part) // 2 :], part[: len(part) // 2]))
            continue
        yield from rows
