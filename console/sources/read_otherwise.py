"""What the console takes columns for, now and after a database was looked at again: its sample, or the rules for it, may have changed and no table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from console import formats
from console.core.documents.collections import Collection, Field, recognising


@dataclass(frozen=True, slots=True)
class Reading:
    """A column, or without one the records of a collection, and how it is read otherwise than before."""

    collection: str
    column: str
    words: str


def readings(
    before: Mapping[str, Collection], after: Mapping[str, Collection], source: str
) -> Iterator[Reading]:
    """What is read otherwise, in collections that are there before and after."""
    for now in after.values():
        former = before.get(now.id)
        if former is None or former.source != source:
            continue
        for field in now.stored_fields:
            was = former.by_name.get(field.name)
            if was is not None and (words := _otherwise(was, field)):
                yield Reading(now.label, field.label, words)
        titles = [
            ", ".join(item.by_name[name].label for name in item.title_fields if name in item.by_name)
            for item in (former, now)
        ]
        if former.title != now.title and set(former.title_fields) <= set(now.by_name):
            yield Reading(
                now.label,
                "",
                f"records are called by {titles[1] or 'their number'} (so far: {titles[0] or 'their number'})",
            )


def _otherwise(was: Field, now: Field) -> str:
    said = []
    if now.hidden_because and not was.hidden:
        said.append("is hidden from everybody: it looks like a secret")
    if was.hidden and not now.hidden:
        said.append("is shown")
    same = (was.stored, was.native) == (now.stored, now.native) or recognising.MIDNIGHT in (
        was.native,
        now.native,
    )
    if same and (was.type, was.widget, was.minor) != (now.type, now.widget, now.minor):
        why = ": its times are all midnight" if now.native == recognising.MIDNIGHT else ""
        said.append(f"is read as {_kind(now)}{why} (so far: {_kind(was)})")
    elif same and was.options != now.options:
        said.append(
            "is shown in the words that its comment has for its codes"
            if now.options
            else "is shown as it is stored"
        )
    if now.single and not was.single and now.references and not (now.nullable or now.hidden):
        said.append("leads each record to another one: those without a name of their own are called after it")
    return ", and ".join(said)


def _kind(field: Field) -> str:
    kind = (
        formats.WIDGET_WORDS.get(field.widget or "")
        or field.type.replace("_", " ").replace("datetime", "date and time").capitalize()
    )
    return f"“{kind}, in its smallest unit”" if field.minor else f"“{kind}”"
