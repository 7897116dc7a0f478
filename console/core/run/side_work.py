"""Tasks, notices, messages and requests for documents that a step creates: if the run comes to the step again, the same ones are kept, not created twice.

A different task is created only after a person says what to do with the earlier one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from console.core.run import Attempt, Effect, Event, Run, repeating
from console.core.run.approval_request import MESSAGE
from console.core.run.commands import Complete
from console.core.run.effect_changes import identity_of_side_row
from console.core.run.moves import require_reason
from console.core.run.step_requests import Awaited, SideRow

TASK = "task"
KINDS = {"task_created": TASK, "notice_sent": "notice", "message_asked": MESSAGE}


@dataclass(frozen=True, slots=True)
class SideRows:
    """The events that create or keep side rows, what the step waits for, and the earlier attempt whose result counts (None: wait)."""

    events: list[Event]
    awaits: Awaited | None
    stands: Attempt | None = None


def create_side_rows(run: Run, attempt: Attempt, command: Complete, now: datetime) -> SideRows:
    """The side rows of a completed step. Raises Conflict `already_done` if a person has to choose, as `repeating.match_former` does."""
    step, awaits = (attempt.step, attempt.attempt), command.awaits
    makes = any("effect" in side_row.open for side_row in command.side_rows) or (
        awaits is not None and awaits.effect is not None
    )
    before = (
        [each for each in repeating.former_effects(run, attempt) if each.kind in repeating.BESIDE]
        if makes
        else []
    )
    events: list[Event] = []
    fresh: list[SideRow] = []
    stands: Attempt | None = None
    for side_row in command.side_rows:
        same = (
            _find_same(
                before, KINDS.get(side_row.kind, ""), identity_of_side_row(side_row.open, side_row.sealed)
            )
            if "effect" in side_row.open
            else None
        )
        if same is None:
            fresh.append(side_row)
            continue
        before.remove(same)
        if side_row.kind == "notice_sent" and (
            others := [person for person in side_row.open["to"] if person not in same.request["asked"]["to"]]
        ):
            fresh.append(replace(side_row, open={**side_row.open, "to": others, "count": len(others)}))
            continue
        events.append(_effect_kept(side_row.open["effect"], same, step, now, command.by))
        if awaits is not None and awaits.key == (
            side_row.open.get("task") or side_row.open.get("message_id")
        ):
            awaits, stands = _wait_again(run, awaits, same, same.request["key"])
    if (
        awaits is not None
        and awaits.effect is not None
        and (same := _find_same(before, awaits.kind, awaits.request)) is not None
    ):
        events.append(_effect_kept(awaits.effect, same, step, now, command.by))
        awaits, stands = _wait_again(run, awaits, same, same.request["key"])
    if any(side_row.kind == "message_asked" for side_row in fresh):
        _require_anew(before, command)
    events += _instead(
        attempt, [side_row for side_row in fresh if side_row.kind == "task_created"], before, command, now
    )
    events += [
        Event(side_row.kind, now, {"n": attempt.n, **side_row.open}, dict(side_row.sealed), step, command.by)
        for side_row in fresh
    ]
    return SideRows(events, None if stands is not None else awaits, stands)


def task_closed(effect: Effect, new: str, attempt: Attempt, by: str | None, now: datetime) -> Event:
    """The event that closes a task because it is taken back. `new` is the id of the effect that takes it back."""
    open_data = {
        "task": effect.request["key"],
        "n": attempt.n,
        "result": "not_done",
        "effect": new,
        "compensates": effect.id,
    }
    return Event("task_closed", now, open_data, {}, (attempt.step, attempt.attempt), by)


def _find_same(before: list[Effect], kind: str, wanted_request: Mapping[str, Any]) -> Effect | None:
    """The effect with the same request, None if there is none. For notices the readers do not matter."""
    wanted = _without_readers(wanted_request)
    return next(
        (
            each
            for each in before
            if each.kind == kind and _without_readers(each.request.get("asked") or {}) == wanted
        ),
        None,
    )


def _without_readers(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "to" or "channels" not in request}


def _effect_kept(effect: str, former: Effect, step: tuple[str, int], now: datetime, by: str | None) -> Event:
    return Event(
        "effect_kept", now, {"effect": effect, "of": former.id, "effect_kind": former.kind}, {}, step, by
    )


def _wait_again(run: Run, awaits: Awaited, former: Effect, key: str) -> tuple[Awaited | None, Attempt | None]:
    """(what to wait for, the attempt whose result counts): one of the two. A wait that expired begins again."""
    attempt_and_effect = run.effect(former.id)
    attempt = attempt_and_effect[0] if attempt_and_effect is not None else None
    if attempt is not None and attempt.completed_at is not None and attempt.outcome is not None:
        return None, attempt
    return replace(awaits, key=key, effect=None), None


def require_message_anew(run: Run, attempt: Attempt, command: Complete) -> None:
    """Raise Conflict `already_done` if a message left at this step before, as for one that needs no approval."""
    if any(wish.kind == MESSAGE for wish in command.effects):
        _require_anew(repeating.former_effects(run, attempt), command)


def _require_anew(before: list[Effect], command: Complete) -> None:
    """Raise Conflict `already_done` if another message left at this step before, unless the person says with a reason that this one leaves too."""
    former = [each for each in before if each.kind == MESSAGE]
    if not former:
        return
    if command.repeat != "again":
        raise repeating.already_done(former, ["again"], command.repeat)
    require_reason(command.reason)


def _instead(
    attempt: Attempt, wanted: list[SideRow], before: list[Effect], command: Complete, now: datetime
) -> list[Event]:
    """The events that close earlier tasks, if the step creates different ones and the person chose to take back the earlier."""
    former = [each for each in before if each.kind == TASK]
    if not wanted or not former:
        return []
    match command.repeat:
        case "again":
            require_reason(command.reason)
            return []
        case "compensate":
            back = {wish.compensates: wish.id for wish in command.compensations}
            if all(each.id in back for each in former):
                return [task_closed(each, back[each.id], attempt, command.by, now) for each in former]
    raise repeating.already_done(former, ["again", "compensate"], command.repeat)
