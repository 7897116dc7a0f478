"""Whom a line of a file is about: the contacts that are there already, and what two lines must not share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from console.messaging.imports import existing_contacts, headings
from console.records import Record

if TYPE_CHECKING:
    from console.messaging.imports.imports import Plan

There: TypeAlias = Mapping[str, Mapping[str, Sequence[Record]]]
"""Field → what is told of it, as it is compared → the contacts that have it."""


def named_by(plan: "Plan", values: Mapping[str, Any]) -> str | None:
    """The field that says who is meant: that by which contacts are found; on a line without an e-mail address the telephone number."""
    phone = plan.part("phone")
    if not plan.match or plan.match != plan.part("email") or _value(plan, values, plan.match) is not None:
        return plan.match
    return (
        phone
        if phone is not None and values.get(phone) not in (None, "") and phone not in plan.read.hidden
        else plan.match
    )


def there_already(plan: "Plan", lines: Iterable[Mapping[str, Any]]) -> There:
    """The contacts that have what the lines say, a few statements for all of them."""
    asked: dict[str, list[Any]] = {}
    for values in lines:
        if (name := named_by(plan, values)) is not None and (told := _value(plan, values, name)) is not None:
            asked.setdefault(name, []).append(told)
    return {
        name: existing_contacts.by_value(plan.collection, plan.read, name, given)
        for name, given in asked.items()
    }


def contacts_of(plan: "Plan", values: Mapping[str, Any], there: There) -> Sequence[Record]:
    """Those of them whom this line is about.

    A number is shared, by a family or a company: who is found by it in place of an e-mail address has none either, and the same name.
    """
    name = named_by(plan, values) or ""
    found = there.get(name, {}).get(headings.as_compared(_value(plan, values, name)), ())
    if name == (plan.match or ""):
        return found
    called = _called(plan, values)
    return [
        each
        for each in found
        if not each.values.get(plan.match or "") and _called(plan, each.values) == called
    ]


def _value(plan: "Plan", values: Mapping[str, Any], name: str) -> Any:
    """What a line tells of the field; None for nothing, and for what is no e-mail address, such as “Info Requested”, which many lines may have."""
    told = values.get(name)
    return None if told in (None, "") or (name == plan.part("email") and "@" not in str(told)) else told


def _called(plan: "Plan", values: Mapping[str, Any]) -> list[str]:
    names = [name] if (name := plan.part("name")) is not None else plan.collection.title_fields
    return [headings.as_compared(values.get(each)) for each in names]


def identity(plan: "Plan", values: Mapping[str, Any]) -> str:
    """What two lines must not share: the field by which their contact is found, a telephone number however it is written, with the name where it stands for an e-mail address; else everything that they say."""
    name = named_by(plan, values) or ""
    named = _value(plan, values, name)
    if named is None:
        return f"all {orjson.dumps(values, option=orjson.OPT_SORT_KEYS, default=str).decode()}"
    numbers = (
        existing_contacts.numbers(str(named), values.get(plan.part("country") or ""))
        if name == plan.part("phone")
        else ()
    )
    whose = [
        min(numbers, default=headings.as_compared(named)),
        *(_called(plan, values) if name != plan.match else ()),
    ]
    return f"one {' of '.join(whose)}"
