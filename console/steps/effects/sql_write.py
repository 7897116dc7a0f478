"""The effect `sql_write`: change fields of one or several records, comparing the old values first. Fields with the new value are left alone."""

from collections.abc import Mapping
from typing import Any

from console import records
from console.core.effect_kinds import SqlWrite
from console.core.errors import ConsoleError, Invalid
from console.records import WriteUnknown
from console.records.write import alike
from console.steps.effects.effect_call import Call, Refused, TryResult, key_of, shaped

UNKNOWN = "The data source did not answer in time; it cannot be told whether the change was made. Look at the record, then say what you found."
MOST = 100


def perform(call: Call) -> TryResult:
    """Set the values, record by record. If one is refused after another was changed, the result is unknown and a person has to look."""
    define: SqlWrite = call.define
    done: list[dict[str, Any]] = []
    collection, keys = _records(call)
    for key in keys:
        changes: dict[str, Any] = {}
        try:
            wanted, moving = _changes_wanted(call, collection, key, define.set)
            changes = {name: wanted[name] for name in moving}
            if changes:
                after = records.write(
                    collection,
                    key,
                    changes,
                    call.scope(collection, "update"),
                    by_action=not call.as_form,
                    workflow=call.workflow,
                )
                wanted |= {name: {**change, "new": after.values[name]} for name, change in changes.items()}
        except WriteUnknown:
            return TryResult("unknown", "connection", UNKNOWN, sent={"changes": {key: changes}})
        except ConsoleError as error:
            if changed := sum(entry["changed"] for entry in done):
                why = error.message.partition("; nothing was ")[0].rstrip(".")
                return TryResult(
                    "unknown",
                    "partly_done",
                    f"{changed} of {len(keys)} records were changed. The next one was not: {why}.",
                    sent={"done": done},
                )
            raise
        done.append(
            {
                "key": key,
                "old": {name: change["old"] for name, change in wanted.items()},
                "new": {name: change["new"] for name, change in wanted.items()},
                "changed": bool(changes),
            }
        )
    return _result_of(done)


def recover(call: Call) -> TryResult:
    """Perform again after a crash: only fields without their new value are changed."""
    return perform(call)


def check(call: Call) -> TryResult | None:
    """Whether the records have their new values; None where some have neither these nor those from before."""
    define: SqlWrite = call.define
    collection, keys = _records(call)
    missing = [key for key in keys if _changes_wanted(call, collection, key, define.set, compared=False)[1]]
    if not missing:
        return _result_of([{"key": key, "old": {}, "new": {}, "changed": False} for key in keys])
    return (
        TryResult("failed", "not_done", "The record does not have the new values.")
        if len(missing) == len(keys)
        else None
    )


def _result_of(done: list[dict[str, Any]]) -> TryResult:
    """One record gives its own values, several a list of them."""
    result: Mapping[str, Any] = (
        done[0] if len(done) == 1 else {"records": done, "changed": any(entry["changed"] for entry in done)}
    )
    return TryResult("succeeded", values={**result, "count": len(done)})


def _records(call: Call) -> tuple[str, list[str]]:
    """(collection, keys) of what is to be changed."""
    define: SqlWrite = call.define
    collection = define.collection or call.collection or ""
    if define.record is None:
        return collection, [call.record or ""]
    named = call.value(define.record)
    several = isinstance(named, list)
    keys = [key_of(entry) for entry in (named if isinstance(named, list) else [named])]
    if len(keys) > MOST:
        raise Refused(f"{len(keys)} records would be changed at once; at most {MOST} are.")
    if "" in keys and not several:
        raise Refused(f"There is no record to change: `{define.record}` names none.")
    keys = [key for key in keys if key]
    return collection, keys


def _changes_wanted(
    call: Call, collection_id: str, key: str, rules: Mapping[str, Any], *, compared: bool = True
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """(field → {"old", "new"}, fields that are not yet as they are to be). Raises Refused for one that somebody else changed since it was asked for."""
    collection = records.collection(collection_id)
    stored = records.get(collection_id, key, call.scope(collection_id, "update")).values
    target = collection.typed(stored)
    wanted: dict[str, dict[str, Any]] = {}
    moving = []
    for name, rule in rules.items():
        field = collection.field(name)
        if field is None:
            raise Invalid(
                f"{collection.label_one} has no field {name}.", at=(name, "There is no such field any more.")
            )
        new = shaped(call, field, call.value(rule, item=target))
        now = stored.get(name)
        if alike(collection, field, now, new):
            wanted[name] = {"old": now, "new": now}
            continue
        wanted[name] = {"old": now, "new": new}
        own = collection_id == call.collection and key == call.record
        if compared and own and name in call.seen and not alike(collection, field, now, call.seen[name]):
            raise Refused(
                f"{field.label} was changed by somebody else in the meantime; nothing was done. Look at the record again."
            )
        moving.append(name)
    return wanted, moving
