"""A run as pages and programs get it. Pages and replay use the same functions; only the source of the screen differs."""

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console import log, steps, workflows
from console.core.documents.collections import Collection
from console.core.documents.workflow import Step
from console.core.errors import SourceChanged
from console.core.run import Attempt, Effect, Run
from console.core.run.approval_request import Approval
from console.core.run.origin import shown_event
from console.runs.engine import proposing
from console.runs.engine.stepping import plan_of
from console.runs.store.latest import Left, path as path_of
from console.runs.store.run_rows import decision_json
from console.runs.views.handovers import HandedOn
from console.runs.views.screens import Screen
from console.workflows import Definition

GONE = "A record that is gone"
STATES = {
    "open": "now",
    "performing": "now",
    "done": "done",
    "cancelled": "cancelled",
    "skipped": "skipped",
    "failed": "failed",
}


@dataclass(frozen=True, slots=True)
class RunView:
    """A run for one viewer. `json` is its shape in the API; the rest is for pages.

    `can` are the commands that the viewer may give now, `steps` the path so far and the certain next steps, `names` people by id. `earlier`
    counts the steps that a long path leaves out. `gone` and `down` say why there is no record, `lacking` which right the viewer lacks for the
    current step, `changed` that its data source has another structure than the console knows. `masked` are the paths of values that were removed for this viewer. `ending` is the data of the blocks of the
    end that it reached. `written` are the changes that the run made to its own record, oldest first: field → old and new value. `handed_on` is why somebody else handed it on, which the viewer who takes it reads first,
    `ended_by` the name of who aborted or cancelled it, `ended_because` why. `vanished` are the fields that the current step writes and the table no longer has.
    `screen_title` is that of the group where further steps stand below the current one on its screen. `chosen` is, for replay, the outcome that was handed in by (step, attempt), also while its changes are made, and `then` are collections as they were called.
    """

    json: dict[str, Any]
    screen: Screen | None
    can: frozenset[str]
    steps: Sequence[Mapping[str, Any]]
    names: Mapping[str, str]
    record_title: str
    collection_label: str
    newer_version: int | None = None
    holder_idle: bool = False
    gone: bool = False
    down: str | None = None
    changed: SourceChanged | None = None
    lacking: str | None = None
    masked: Sequence[str] = field(default_factory=tuple)
    earlier: "Earlier | None" = None
    ending: Sequence[Mapping[str, Any]] = ()
    handed_on: HandedOn | None = None
    last_holder: str | None = None
    ended_by: str = ""
    ended_because: str = ""
    written: Sequence[Mapping[str, Mapping[str, Any]]] = ()
    vanished: Sequence[str] = ()
    screen_title: str = ""
    chosen: Mapping[tuple[str, int], str] = field(default_factory=dict)
    then: Mapping[str, Collection] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What `steps` leaves out of the path: the number of steps, of those that count, and of those that are done."""

    steps: int
    counted: int
    done: int


MARKS = frozenset({"children", "until", "before", "next"})


def as_json(
    run: Run,
    definition: Definition,
    screen: Screen | None,
    draft: Mapping[str, Any] | None,
    causes: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The run in the shape of the API ("A run"). `causes` are what led to it, nearest first."""
    return {
        "id": run.id,
        "workflow": {"id": definition.id, "slug": definition.slug, "title": definition.title},
        "version": run.version,
        "status": run.status,
        "revision": run.revision,
        "last_event": run.seq,
        "collection": run.collection,
        "record": run.record,
        "team": run.team,
        "trigger": trigger_json(run.trigger, run.origin),
        "mode": run.mode,
        "test": run.test,
        "simulated": run.simulated,
        "caused_by": list(causes),
        "parent": {"run": run.parent, "branch": run.branch} if run.parent else None,
        "started_by": run.started_by,
        "holder": run.holder,
        "created_at": moment(run.created_at),
        "ended_at": moment(run.ended_at),
        "reason": run.reason,
        "rerun_of": run.linked_to,
        "ticket": dict(run.ticket) if run.ticket else None,
        "ending": run.ending,
        "current": _current(run, definition, screen, draft),
        "context": {step: _without_marks(output, "total") for step, output in run.context.items()},
        "attempts": [_attempt(attempt, definition) for _, attempt in sorted(run.attempts.items())],
        "left_out": run.made - len(run.attempts),
    }


def trigger_json(kind: str, origin: Mapping[str, Any] | None) -> dict[str, Any]:
    """What started a run. `event` is there only where an event did."""
    event = shown_event((origin or {}).get("event"))
    return {"id": (origin or {}).get("id"), "kind": kind} | ({"event": event} if event is not None else {})


def moment(at: datetime | None) -> str | None:
    """A time in ISO 8601; None stays None."""
    return log.body.moment(at) if at else None


def title_of(definition: Definition, step_id: str) -> str:
    """The title of the step; its id if the version has no such step."""
    return next((step.title for step in definition.document.steps if step.id == step_id), step_id)


@functools.lru_cache(maxsize=4096)
def step_of(definition: Definition, step_id: str) -> Step:
    """The step of the version; one that a run left when it was moved to this version, as the newest other version has it. Raises KeyError."""
    with suppress(KeyError):
        return definition.document.step(step_id)
    for number in range(workflows.newest_number(definition.id), 0, -1):
        with suppress(KeyError):
            return workflows.version(definition.id, number).document.step(step_id)
    raise KeyError(step_id)


def _current(
    run: Run, definition: Definition, screen: Screen | None, draft: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    attempt = run.attempt
    if attempt is None:
        return None
    step, effect = definition.document.step(attempt.step), run.unknown or run.wanted
    waits = run.status in ("waiting_event", "waiting_time")
    shown = None if waits or run.status == "running" else screen
    return {
        "step": attempt.step,
        "type": "settle" if run.unknown else step.type,
        "title": step.title,
        "attempt": attempt.attempt,
        "button": shown["button"] if shown else "Done" if "{{" in (step.button or "{{") else step.button,
        "form": {"fields": shown["fields"]} if shown else None,
        **({"content": shown["content"]} if shown and shown.get("content") else {}),
        "outcomes": shown["outcomes"] if shown else [],
        **({"ways": shown["ways"]} if shown and "ways" in shown else {}),
        **({"progress": shown["progress"]} if shown and shown.get("progress") else {}),
        **({"not_offered": shown["not_offered"]} if shown and shown.get("not_offered") else {}),
        "errors": list(attempt.errors or []),
        "draft": dict(draft) if draft else None,
        "proposal": proposing.as_shown(attempt.proposal),
        "take_over": run.trouble,
        "waiting": {
            **run.waiting,
            "for": "event" if run.waiting["for"] == proposing.WAITS else run.waiting["for"],
        }
        if waits and run.waiting
        else None,
        "effect": _at_stake(effect) if effect else None,
    }


def _without_marks(values: Mapping[str, Any], beside: str) -> dict[str, Any]:
    """What a step was given or left, without what the engine marks there for runs of its own: thousands of items, and where a long list goes on."""
    return {name: value for name, value in values.items() if beside not in values or name not in MARKS}


def _attempt(attempt: Attempt, definition: Definition) -> dict[str, Any]:
    step = step_of(definition, attempt.step)
    return {
        "step": attempt.step,
        "type": step.type,
        "title": step.title,
        "attempt": attempt.attempt,
        "status": attempt.status,
        "entered_at": moment(attempt.entered_at),
        "completed_at": moment(attempt.completed_at),
        "by": attempt.by,
        "outcome": attempt.came_to,
        "values": _without_marks(attempt.values, "children"),
        "handled_manually": attempt.handled_manually,
        "revised": attempt.revised,
        "effects": [_effect(effect) for effect in attempt.effects],
        "approvals": [_approval(approval) for approval in attempt.approvals],
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "id": effect.id,
        "kind": effect.kind,
        "status": effect.status,
        "summary": effect.summary,
        "at": moment(effect.settled_at),
        "compensates": effect.compensates,
        "keeps": effect.keeps,
    }


def _at_stake(effect: Effect) -> dict[str, Any]:
    """The effect that the run waits for or that a person has to settle: the request, its key, and what was sent."""
    request = effect.request
    record = (
        "record" if "record" in request else "key"
    )  # a step's own change of its record is named by the record's key
    values = request.get("input", request.get("changes", {}))
    return {
        **_effect(effect),
        "requested_at": moment(effect.requested_at),
        "key": request.get("key") if record == "record" else None,
        "action": request.get("action"),
        "collection": request.get("collection"),
        "record": request.get(record),
        "values": dict(values) if isinstance(values, Mapping) else {},
        "sent": dict((effect.result or {}).get("sent") or {}) or None,
    }


def _approval(approval: Approval) -> dict[str, Any]:
    """The request in short; `GET /approvals` returns all of it."""
    decided = [decision_json(each) for each in approval.decided]
    return {
        "id": approval.id,
        "action": approval.action,
        "status": approval.status,
        "needs": approval.needs,
        "decided": decided,
    }


def outline(
    run: Run,
    definition: Definition,
    names: Mapping[str, str],
    *,
    may_revise: bool,
    most: int | None = None,
    left: Left | None = None,
    found: Callable[[str], dict[str, Any]] | None = None,
) -> tuple[list[dict[str, Any]], Earlier | None]:
    """(the last `most` steps of the path and the certain next steps, the count of the steps left out).

    The next steps end where the path can fork. `left` counts the attempts that were not loaded; `found` tells what a step found.
    """
    plan = plan_of(definition)
    taken = path_of(run.attempts, left)
    cut = max(0, len(taken) - most) if most is not None else 0
    earlier = _earlier([attempt.status for attempt, _ in taken[:cut]], left)
    path = [
        _entry(
            run,
            attempt,
            definition,
            names,
            revisable=may_revise
            and _revisable(
                attempt, run, plan.automatic - plan.skips - (plan.asks if attempt.by else frozenset())
            ),
        )
        | {"items": items}
        | (
            # what a list found is said at its end: half-way it would say "no exception" of what nobody has looked at
            (found(attempt.step) | ({"finding": None} if attempt.status == "open" else {}))
            if found is not None
            and attempt.status in ("done", "open")
            and not attempt.revised
            and attempt.step in run.context
            else {}
        )
        for attempt, items in taken[cut:]
    ]
    current = run.attempt
    return path + ([] if current is None else _ahead(current.step, definition)), earlier


def _earlier(cut: Sequence[str], left: Left | None) -> Earlier | None:
    if left is None and not cut:
        return None
    left = left or Left(0)
    counted = left.counted + sum(status not in ("cancelled", "skipped") for status in cut)
    return Earlier(left.steps + len(cut), counted, left.done + cut.count("done"))


def _revisable(attempt: Attempt, run: Run, automatic: frozenset[str]) -> bool:
    return attempt.standing and attempt.n != run.current and attempt.step not in automatic and attempt.n > 1


def _entry(
    run: Run, attempt: Attempt, definition: Definition, names: Mapping[str, str], *, revisable: bool
) -> dict[str, Any]:
    step = step_of(definition, attempt.step)
    state = "now" if attempt.n == run.current else STATES[attempt.status]
    return {
        "n": attempt.n,
        "step": attempt.step,
        "attempt": attempt.attempt,
        **_look(step),
        "state": state,
        "by_name": names.get(attempt.by or "", None),
        "at": moment(attempt.completed_at or attempt.entered_at),
        "automatic": attempt.by is None and attempt.status == "done",
        "handled_manually": attempt.handled_manually,
        "revised": attempt.revised,
        "revisable": revisable,
        "outcome": attempt.came_to,
    }


def starts_runs(step: Step) -> bool:
    """Whether the step starts runs of its own: another workflow, branches, or a list that nobody goes through."""
    return step.type in ("parallel", "sub_workflow") or (step.type == "loop" and "body" in step.config)


def _look(step: Step) -> dict[str, Any]:
    kind = steps.get(step.type)
    return {
        "title": step.title,
        "type": kind.title,
        "kind": kind.name,
        "family": kind.family,
        "icon": kind.icon,
        "starts_runs": starts_runs(step),
    }


def _ahead(step_id: str, definition: Definition) -> list[dict[str, Any]]:
    """The steps after this one, as far as there is only one way."""
    found: list[dict[str, Any]] = []
    plan = plan_of(definition)
    passed = {step_id}
    while True:
        targets = {
            target for outcome, target in definition.document.step(step_id).next.items() if outcome != "error"
        }
        if len(targets) != 1 or passed & targets:
            return found
        (step_id,) = targets
        passed.add(step_id)
        step = definition.document.step(step_id)
        found.append(
            {
                "n": None,
                "step": step_id,
                "attempt": None,
                **_look(step),
                "state": "todo",
                "by_name": None,
                "at": None,
                "automatic": step_id in plan.automatic - plan.asks,
                "handled_manually": False,
                "revised": False,
                "revisable": False,
                "outcome": None,
                "items": 0,
            }
        )
