"""Perform an effect, and say what came of it: succeeded, failed (refused, nothing was done) or unknown.

The one kind so far is a change of the run's record: a compare-and-set in the user's own database, done at once by the process
that committed the request. After a crash the record itself tells: new values there means it was done, old values that it was
not; anything else is for a person to look at.
"""

import logging
from collections.abc import Mapping
from typing import Any

from console import access, faults, records
from console.core.actor import Actor
from console.core.run import Effect, Run
from console.core.run.commands import Report
from console.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound, SourceDown
from console.records.write import alike

logger = logging.getLogger(__name__)
UNKNOWN = (
    "The data source did not answer in time; it cannot be told whether the change was made. Look at the record, then say what you found."
)


def perform(actor: Actor, effect: Effect, run: Run) -> Report:
    """Do it with the rights of `actor`, who completed the step."""
    request = effect.request
    faults.point("effects.perform.before")
    try:
        scope = access.scope_for(actor, request["collection"], "update")
        records.write(request["collection"], request["key"], request["changes"], scope, workflow=run.workflow)
    except records.WriteUnknown:
        return Report(effect.id, "unknown", "connection", UNKNOWN)
    except Conflict as error:
        return _refused(effect, "record_changed", error)
    except (Invalid, NotFound) as error:
        return _refused(effect, error.code, error)
    except SourceDown as error:
        return _refused(effect, "source_down", error, passing=error.passing)
    except ConsoleError as error:
        return _refused(effect, error.code, error)
    except Exception:
        logger.exception("effect %s", effect.id)
        return Report(effect.id, "unknown", "internal_error", UNKNOWN)
    faults.point("effects.perform.after")
    return Report(effect.id, "succeeded", result={"fields": sorted(request["changes"])})


def _refused(effect: Effect, code: str, error: ConsoleError, *, passing: bool = False) -> Report:
    return Report(
        effect.id,
        "failed",
        code,
        error.message,
        errors=[dict(detail) for detail in error.details],
        passing=passing,
        asks=isinstance(error, NotAllowed),
    )


def recover(actor: Actor, effect: Effect, run: Run) -> Report:
    """What came of an effect whose process died: look at the record, and do it only where the old values still stand."""
    request = effect.request
    changes: Mapping[str, Mapping[str, Any]] = request["changes"]
    try:
        scope = access.scope_for(actor, request["collection"], "update")
        found = records.get(request["collection"], request["key"], scope, fields=list(changes)).values
    except SourceDown:
        raise
    except ConsoleError as error:
        return Report(effect.id, "unknown", error.code, UNKNOWN)
    if _hold(request["collection"], found, changes, "new"):
        return Report(effect.id, "succeeded", result={"fields": sorted(changes)})
    if _hold(request["collection"], found, changes, "old"):
        return perform(actor, effect, run)
    return Report(effect.id, "unknown", "values_moved", UNKNOWN)


def check(actor: Actor, effect: Effect, _run: Run) -> Report | None:
    """Whether an unknown change was made, as far as the record tells; None where it cannot be told. Changes nothing. Raises SourceDown."""
    request = effect.request
    changes: Mapping[str, Mapping[str, Any]] = request["changes"]
    try:
        scope = access.scope_for(actor, request["collection"], "update")
        found = records.get(request["collection"], request["key"], scope, fields=list(changes)).values
    except SourceDown:
        raise
    except ConsoleError:
        return None
    if _hold(request["collection"], found, changes, "new"):
        return Report(effect.id, "succeeded", result={"fields": sorted(changes)})
    return Report(effect.id, "failed") if _hold(request["collection"], found, changes, "old") else None


def _hold(collection_id: str, found: Mapping[str, Any], changes: Mapping[str, Mapping[str, Any]], side: str) -> bool:
    """Whether the record has the `old` or the `new` value of every change."""
    collection = records.collection(collection_id)
    fields = {name: collection.field(name) for name in changes}
    return all(field is not None and alike(collection, field, found.get(name), changes[name][side]) for name, field in fields.items())
