"""The effect `sql_delete`: delete a record that is still as it was when this was asked for. After a crash the source shows whether it is gone."""

from collections.abc import Mapping
from typing import Any

from console import records
from console.core import scopes
from console.core.effect_kinds.sql_delete import SqlDelete
from console.core.errors import NotFound
from console.records import WriteUnknown
from console.steps.effects.effect_call import Call, Refused, TryResult, key_of

UNKNOWN = "The data source did not answer in time; it cannot be told whether the record was deleted. Look for it, then say what you found."


def perform(call: Call) -> TryResult:
    """Delete the record. Raises NotFound where the actor may not delete it or it is not there, Conflict where it changed or others refer to it."""
    collection, key = _record(call)
    scope = call.scope(collection, "delete")
    record = records.get(collection, key, scope)
    try:
        records.delete(collection, key, _expected(call, record.values), scope)
    except WriteUnknown:
        return TryResult("unknown", "connection", UNKNOWN, sent={"record": record.values})
    return _result_of(key, record.values, record.title)


def recover(call: Call) -> TryResult:
    """A record that is gone was deleted; one that is still there is deleted now."""
    collection, key = _record(call)
    return perform(call) if _is_there(collection, key) else _result_of(key, _seen(call))


def check(call: Call) -> TryResult | None:
    """Whether the record is gone."""
    collection, key = _record(call)
    if _is_there(collection, key):
        return TryResult("failed", "not_done", "The record is still there.")
    return _result_of(key, _seen(call))


def _seen(call: Call) -> Mapping[str, Any]:
    """What is known of a record that is gone: of the run's own its values when this was asked for, of another nothing."""
    return call.seen if call.define.record is None else {}


def _is_there(collection: str, key: str) -> bool:
    try:
        records.get(collection, key, scopes.unrestricted(collection))
    except NotFound:
        return False
    return True


def _expected(call: Call, now: Mapping[str, Any]) -> dict[str, Any]:
    """What the record must still hold: its values when this was asked for, those of now where they were not noted."""
    own = call.define.record is None
    return {name: call.seen.get(name, value) if own else value for name, value in now.items()}


def _result_of(key: str, values: Mapping[str, Any], title: str = "") -> TryResult:
    return TryResult("succeeded", values={"key": key, "title": title, "deleted": True, "old": dict(values)})


def _record(call: Call) -> tuple[str, str]:
    """(collection, key) of what is to be deleted."""
    define: SqlDelete = call.define
    collection = define.collection or call.collection or ""
    key = call.record or "" if define.record is None else key_of(call.value(define.record))
    if not key:
        raise Refused(
            f"There is no record to delete: `{define.record}` names none."
            if define.record
            else "There is no record to delete."
        )
    return collection, key
