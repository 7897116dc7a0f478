"""Whom a line of a file is about: the contacts that are there already, and what two lines must not share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from console.contacts import headings, present
from console.records import Record

if TYPE_CHECKING:
    from console.contacts.imports import Plan

There: TypeAlias = Mapping[str, Mapping[str, Sequence[Record]]]
"""Field → what is told of it, as it is compared → the contacts that have it."""


def named_by(plan: "Plan", values: Mapping[str, Any]) -> str | None:
    """The field that says who is meant: that by which contacts are found; on a line without an e-mail address the telephone number."""
    phone = plan.part("phone")
    if not plan.match or values.get(plan.match) not in (None, "") or plan.match != plan.part("email"):
        return plan.match
    return phone if phone is not None and values.get(phone) not in (None, "") and phone not in plan.read.hidden else plan.match


def there_already(plan: "Plan", lines: Iterable[Mapping[str, Any]]) -> There:
    """The contacts that the lines may be about, a few statements for all of them.

    Who is found by a telephone number because the line has no e-mail address has none either: others may share the number.
    """
    asked: dict[str, list[Any]] = {}
    for values in lines:
        if (name := named_by(plan, values)) is not None and values.get(name) not in (None, ""):
            asked.setdefault(name, []).append(values[name])
    found: dict[str, dict[str, list[Record]]] = {
        name: present.by_value(plan.collection, plan.read, name, given) for name, given in asked.items()
    }
    for name in found.keys() - {plan.match}:
        alone = {told: [each for each in those if not each.values.get(plan.match or "")] for told, those in found[name].items()}
        found[name] = {told: those for told, those in alone.items() if those}
    return found


def contacts_of(plan: "Plan", values: Mapping[str, Any], there: There) -> Sequence[Record]:
    """Those of them whom this line is about."""
    name = named_by(plan, values) or ""
    return there.get(name, {}).get(headings.as_compared(values.get(name)), ())


def identity(plan: "Plan", values: Mapping[str, Any]) -> str:
    """What two lines must not share: the field by which their contact is found, a telephone number however it is written; else everything that they say."""
    name = named_by(plan, values) or ""
    named = values.get(name)
    if named in (None, ""):
        return f"all {orjson.dumps(values, option=orjson.OPT_SORT_KEYS, default=str).decode()}"
    if name == plan.part("phone") and (numbers := present.numbers(str(named), values.get(plan.part("country") or ""))):
        return f"one {min(numbers)}"
    return f"one {headings.as_compared(named)}"
