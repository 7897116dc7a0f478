"""The effect `sql_insert`: add a record to the user's database. If one with the same unique fields exists, a second try adds nothing."""

from typing import Any

from console import records
from console.auth import access
from console.core.effect_kinds.sql_insert import SqlInsert
from console.core.errors import Conflict, Invalid
from console.core.plain_words import uncapitalised
from console.records import Record, WriteUnknown
from console.steps.effects.effect_call import Call, TryResult, shaped

UNKNOWN = "The data source did not answer in time; it cannot be told whether the record was added. Look for it, then say what you found."


def perform(call: Call) -> TryResult:
    """Add the record, unless it is there already."""
    define: SqlInsert = call.define
    values = _values(call)
    if (existing := _existing_record(call, values)) is not None:
        return _result_of(existing, added=False)
    try:
        added_record = records.insert(
            define.collection, values, call.scope(define.collection, "create"), workflow=call.workflow
        )
    except WriteUnknown:
        return TryResult("unknown", "connection", UNKNOWN, sent={"values": values})
    except Conflict:
        if (existing := _existing_record(call, values)) is None:
            raise
        return _result_of(existing, added=False)
    return _result_of(added_record, added=True)


def recover(call: Call) -> TryResult:
    """With unique fields another try is harmless. Without them the result is unknown, and a person has to look."""
    return (
        perform(call)
        if call.define.unique
        else TryResult("unknown", "no_unique", UNKNOWN, sent={"values": _values(call)})
    )


def check(call: Call) -> TryResult | None:
    """Whether the record is there; None without unique fields, because nothing tells it from another."""
    if not call.define.unique:
        return None
    existing = _existing_record(call, _values(call))
    return (
        TryResult("failed", "not_done", "There is no such record.")
        if existing is None
        else _result_of(existing, added=False)
    )


def _result_of(record: Record, *, added: bool) -> TryResult:
    return TryResult(
        "succeeded",
        values={"key": record.key, "title": record.title, "added": added, "record": record.values},
    )


def _values(call: Call) -> dict[str, Any]:
    """The values of the new record, as its fields hold them."""
    define: SqlInsert = call.define
    collection = records.collection(define.collection)
    values = {}
    for name, rule in define.values.items():
        field = collection.field(name)
        if field is None:
            raise Invalid(
                f"{collection.label_one} has no field {name}.", at=(name, "There is no such field any more.")
            )
        if call.as_form and field.readonly and name not in collection.key:
            raise Invalid(
                f"The {uncapitalised(collection.label_one)} was not added.",
                at=(name, f"{field.label} cannot be filled in here."),
            )
        values[name] = shaped(call, field, call.value(rule))
    return values


def _existing_record(call: Call, values: dict[str, Any]) -> Record | None:
    define: SqlInsert = call.define
    if not define.unique:
        return None
    scope = access.scope_for(call.actor, define.collection, "read")
    return records.find_same(define.collection, {name: values[name] for name in define.unique}, scope)
