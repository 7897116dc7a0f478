"""What the console takes columns for, now and after a database was looked at again: its sample, or the rules for it, may have changed and no table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console.core.documents.collections import Collection, Field

TYPES: Mapping[str, str] = {
    "text": "text", "long_text": "long text", "integer": "a number", "decimal": "a number", "money": "an amount", "boolean": "yes or no", "date": "a day",
    "datetime": "a moment", "time": "a time", "enum": "a choice", "multi_enum": "choices", "email": "an e-mail address", "phone": "a phone number",
    "url": "a link", "json": "details", "array": "a list", "file": "a file", "reference": "another record", "uuid": "an ID", "binary": "bytes",
}  # fmt: skip
WIDGETS: Mapping[str, str] = {
    "money": "an amount", "percent": "a percentage", "fraction": "a percentage", "colour": "a colour", "country": "a country", "language": "a language",
    "currency": "a currency", "badge": "a status", "iban": "an IBAN", "person": "a person", "json": "details", "code": "code", "plain": "a number without separators",
    "translations": "a text in several languages", "unix": "a moment (seconds since 1970)", "unix_ms": "a moment (milliseconds since 1970)",
    "unix_us": "a moment (microseconds since 1970)", "julian": "a moment (Julian days)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """A column, or without one the records of a collection, and how it is read otherwise than before."""

    collection: str
    column: str
    words: str


def readings(before: Mapping[str, Collection], after: Mapping[str, Collection], source: str) -> Iterator[Reading]:
    """What is read otherwise, in collections that are there before and after."""
    for now in after.values():
        former = before.get(now.id)
        if former is None or former.source != source:
            continue
        for field in now.stored_fields:
            was = former.by_name.get(field.name)
            if was is not None and (words := _otherwise(was, field)):
                yield Reading(now.label, field.label, words)
        titles = [", ".join(item.by_name[name].label for name in item.title_fields if name in item.by_name) for item in (former, now)]
        if former.title != now.title and set(former.title_fields) <= set(now.by_name):
            yield Reading(now.label, "", f"are called by {titles[1] or 'their number'} (so far: {titles[0] or 'their number'})")


def _otherwise(was: Field, now: Field) -> str:
    said = []
    if now.hidden_because and not was.hidden:
        said.append("is hidden from everybody: it looks like a secret")
    if was.hidden and not now.hidden:
        said.append("is shown")
    if (was.stored, was.native) == (now.stored, now.native) and (was.type, was.widget, was.minor) != (now.type, now.widget, now.minor):
        said.append(f"is read as {_kind(now)} (so far: {_kind(was)})")
    return ", and ".join(said)


def _kind(field: Field) -> str:
    kind = WIDGETS.get(field.widget or "") or TYPES.get(field.type, field.type.replace("_", " "))
    return f"{kind} in its smallest unit" if field.minor else kind
