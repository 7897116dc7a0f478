"""The effect `record`: change fields of the run's record, comparing the old values first.

The process that committed the request makes the change at once, in the user's own database. After a crash the record shows whether it was
made: with the new values it was, with the old values it was not. With any other values a person has to look.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from console import records
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.core.run import Effect, Run
from console.core.run.commands import Report
from console.core.run.effect_changes import STORED
from console.infra import faults
from console.records.write import alike

logger = logging.getLogger(__name__)
UNKNOWN = "The data source did not answer in time; it cannot be told whether the change was made. Look at the record, then say what you found."


def perform(actor: Actor, effect: Effect, run: Run) -> Report:
    """Do it with the rights of `actor`, who completed the step."""
    request = effect.request
    faults.point("effects.perform.before")
    try:
        scope = access.scope_for(actor, request["collection"], "update")
        after = records.write(
            request["collection"], request["key"], request["changes"], scope, workflow=run.workflow
        )
    except records.WriteUnknown:
        return Report(effect.id, "unknown", "connection", UNKNOWN)
    except Conflict as error:
        return _refused(effect, "record_changed", error)
    except (Invalid, NotFound) as error:
        return _refused(effect, error.code, error)
    except SourceDown as error:
        return replace(
            _refused(effect, "source_down", error, passing=error.passing), source=error.awaited_source
        )
    except ConsoleError as error:
        return _refused(effect, error.code, error)
    except Exception:
        logger.exception("effect %s", effect.id)
        return Report(effect.id, "unknown", "internal_error", UNKNOWN)
    faults.point("effects.perform.after")
    return _made(effect, after.values)


def _made(effect: Effect, values: Mapping[str, Any]) -> Report:
    """The report of a change that was made; `stored` are the fields that the database keeps otherwise than they were handed in."""
    request = effect.request
    stored = {
        name: values[name] for name, change in request["changes"].items() if values[name] != change["new"]
    }
    kept = {"collection": request["collection"], STORED: stored} if stored else {}
    return Report(effect.id, "succeeded", result={"fields": sorted(request["changes"]), **kept})


def _refused(effect: Effect, code: str, error: ConsoleError, *, passing: bool = False) -> Report:
    return Report(
        effect.id,
        "failed",
        code,
        error.message,
        errors=[dict(detail) for detail in error.details] or [{"field": "", "reason": error.message}],
        passing=passing,
        asks=isinstance(error, NotAllowed),
    )


def recover(actor: Actor, effect: Effect, run: Run) -> Report:
    """The result of an effect whose process died. The change is made now only if the record still has the old values."""
    request = effect.request
    changes: Mapping[str, Mapping[str, Any]] = request["changes"]
    try:
        scope = access.scope_for(actor, request["collection"], "update")
        stored = records.get(request["collection"], request["key"], scope, fields=list(changes)).values
    except SourceDown:
        raise
    except ConsoleError as error:
        return Report(effect.id, "unknown", error.code, UNKNOWN)
    if _has_values(request["collection"], stored, changes, "new"):
        return _made(effect, stored)
    if _has_values(request["collection"], stored, changes, "old"):
        return perform(actor, effect, run)
    return Report(effect.id, "unknown", "values_moved", UNKNOWN)


def check(actor: Actor, effect: Effect, _run: Run) -> Report | None:
    """Whether an unknown change was made; None if the record has neither the old nor the new values. Changes nothing. Raises SourceDown."""
    request = effect.request
    changes: Mapping[str, Mapping[str, Any]] = request["changes"]
    try:
        scope = access.scope_for(actor, request["collection"], "update")
        stored = records.get(request["collection"], request["key"], scope, fields=list(changes)).values
    except SourceDown:
        raise
    except ConsoleError:
        return None
    if _has_values(request["collection"], stored, changes, "new"):
        return _made(effect, stored)
    return Report(effect.id, "failed") if _has_values(request["collection"], stored, changes, "old") else None


def _has_values(
    collection_id: str, values: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]], side: str
) -> bool:
    """Whether the record has the `old` or the `new` value of every change."""
    collection = records.collection(collection_id)
    fields = {name: collection.field(name) for name in changes}
    return all(
        field is not None and alike(collection, field, values.get(name), changes[name][side])
        for name, field in fields.items()
    )
