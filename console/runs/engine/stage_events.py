"""The event of another stage of a contact, beside that of the change that made it."""

from collections.abc import Mapping, Sequence
from typing import Any

from console import records
from console.core.contact_stages import stage_move
from console.core.errors import ConsoleError
from console.core.run import Effect, Event, Run, commands
from console.core.run.effect_changes import as_stored

SUCCEEDED = "effect_succeeded"


def with_stage_changed(run: Run, report: commands.Report, events: Sequence[Event]) -> list[Event]:
    """The events, with `stage_changed` after a change that gave the run's record another stage. Changes of other records are told by their own source."""
    place = next((number for number, event in enumerate(events) if event.type == SUCCEEDED), None)
    attempt_and_effect = run.effect(report.effect)
    if place is None or attempt_and_effect is None or run.collection is None:
        return list(events)
    changed = _changed(run, attempt_and_effect[1], report)
    try:
        moved = stage_move(records.collection(run.collection), *changed) if changed is not None else None
    except ConsoleError:  # the collection is not there any more
        moved = None
    if moved is None:
        return list(events)
    event, attempt = events[place], attempt_and_effect[0]
    event_of_stage = Event(
        "stage_changed", event.at, {"n": attempt.n, **moved}, {}, (attempt.step, attempt.attempt), attempt.by
    )
    return [*events[: place + 1], event_of_stage, *events[place + 1 :]]


def _changed(
    run: Run, effect: Effect, report: commands.Report
) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """(old, new) values of the fields of the run's record that the effect wrote; None where it wrote others, or nothing."""
    request = as_stored(effect.request, report.result)
    if "changes" in request:
        if (request.get("collection"), request.get("key")) != (run.collection, run.record):
            return None
        changes = request["changes"]
        return {name: each["old"] for name, each in changes.items()}, {
            name: each["new"] for name, each in changes.items()
        }
    define = request.get("define") or {}
    values = (report.result or {}).get("values") or {}
    if (
        effect.kind != "sql_write"
        or define.get("collection", run.collection) != run.collection
        or not values.get("changed")
    ):
        return None
    return (values["old"], values["new"]) if values.get("key") == run.record else None
