"""A run as pages and programs see it. The same function draws the run of now and the run of then: only the screen's origin differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console import log, steps
from console.core.run import Attempt, Effect, Run
from console.runs.screens import Screen
from console.runs.stepping import plan_of
from console.workflows import Definition

STATES = {"open": "now", "performing": "now", "done": "done", "cancelled": "cancelled", "skipped": "skipped", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class RunView:
    """A run for one viewer. `json` is its shape in the API; the rest is what a page needs beside it.

    `can` are the commands that the viewer may give now, `steps` the path so far and what surely comes, `names` people by id.
    `gone` and `down` say why there is no record to show, `lacking` which right the open step needs and the viewer has not; `masked` are paths that were left out for this viewer.
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
    lacking: str | None = None
    masked: Sequence[str] = field(default_factory=tuple)


def as_json(run: Run, definition: Definition, screen: Screen | None, draft: Mapping[str, Any] | None) -> dict[str, Any]:
    """The run in the shape of the API ("A run")."""
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
        "started_by": run.started_by,
        "holder": run.holder,
        "created_at": moment(run.created_at),
        "ended_at": moment(run.ended_at),
        "reason": run.reason,
        "ending": run.ending,
        "current": _current(run, definition, screen, draft),
        "context": {step: dict(output) for step, output in run.context.items()},
        "attempts": [_attempt(attempt, definition) for _, attempt in sorted(run.attempts.items())],
    }


def moment(at: datetime | None) -> str | None:
    """A time as programs read it."""
    return log.body.moment(at) if at else None


def title_of(definition: Definition, step_id: str) -> str:
    """What people read of a step; its id where the version has none such."""
    return next((step.title for step in definition.document.steps if step.id == step_id), step_id)


def _current(run: Run, definition: Definition, screen: Screen | None, draft: Mapping[str, Any] | None) -> dict[str, Any] | None:
    here = run.attempt
    if here is None:
        return None
    step = definition.document.step(here.step)
    waits = run.status in ("waiting_event", "waiting_time")
    shown = None if waits or run.status == "running" else screen
    return {
        "step": here.step,
        "type": "settle" if run.unknown else step.type,
        "title": step.title,
        "attempt": here.attempt,
        "button": shown["button"] if shown else step.button or "Done",
        "form": {"fields": shown["fields"]} if shown else None,
        "outcomes": shown["outcomes"] if shown else [],
        **({"not_offered": shown["not_offered"]} if shown and shown.get("not_offered") else {}),
        "errors": list(here.errors or []),
        "draft": dict(draft) if draft else None,
        "proposal": None,
        "take_over": dict(run.take_over) if run.take_over else None,
        "waiting": dict(run.waiting) if waits and run.waiting else None,
    }


def _attempt(attempt: Attempt, definition: Definition) -> dict[str, Any]:
    step = definition.document.step(attempt.step)
    return {
        "step": attempt.step,
        "type": step.type,
        "title": step.title,
        "attempt": attempt.attempt,
        "status": attempt.status,
        "entered_at": moment(attempt.entered_at),
        "completed_at": moment(attempt.completed_at),
        "by": attempt.by,
        "outcome": attempt.outcome,
        "values": dict(attempt.values),
        "handled_manually": attempt.handled_manually,
        "revised": attempt.revised,
        "effects": [_effect(effect) for effect in attempt.effects],
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {"id": effect.id, "kind": effect.kind, "status": effect.status, "summary": effect.summary}


def outline(run: Run, definition: Definition, names: Mapping[str, str], *, may_revise: bool) -> list[dict[str, Any]]:
    """The path so far, and after it the steps that surely come: the list ends where the way can fork."""
    plan = plan_of(definition)
    path = [
        _entry(
            run,
            attempt,
            definition,
            names,
            revisable=may_revise and _revisable(attempt, run, plan.automatic - plan.asks if attempt.by else plan.automatic),
        )
        for _, attempt in sorted(run.attempts.items())
    ]
    here = run.attempt
    return path + ([] if here is None else _ahead(here.step, definition))


def _revisable(attempt: Attempt, run: Run, automatic: frozenset[str]) -> bool:
    return attempt.standing and attempt.n != run.current and attempt.step not in automatic and attempt.n > 1


def _entry(run: Run, attempt: Attempt, definition: Definition, names: Mapping[str, str], *, revisable: bool) -> dict[str, Any]:
    step = definition.document.step(attempt.step)
    kind = steps.get(step.type)
    state = "now" if attempt.n == run.current else STATES[attempt.status]
    return {
        "n": attempt.n,
        "step": attempt.step,
        "attempt": attempt.attempt,
        "title": step.title,
        "type": kind.title,
        "family": kind.family,
        "icon": kind.icon,
        "state": state,
        "by_name": names.get(attempt.by or "", None),
        "at": moment(attempt.completed_at or attempt.entered_at),
        "automatic": attempt.by is None and attempt.status == "done",
        "handled_manually": attempt.handled_manually,
        "revised": attempt.revised,
        "revisable": revisable,
        "outcome": attempt.outcome,
    }


def _ahead(step_id: str, definition: Definition) -> list[dict[str, Any]]:
    """Steps after this one as long as there is one way only."""
    found: list[dict[str, Any]] = []
    passed = {step_id}
    while True:
        targets = set(definition.document.step(step_id).next.values())
        if len(targets) != 1 or passed & targets:
            return found
        (step_id,) = targets
        passed.add(step_id)
        step = definition.document.step(step_id)
        kind = steps.get(step.type)
        common = {
            "n": None,
            "step": step_id,
            "attempt": None,
            "title": step.title,
            "type": kind.title,
            "family": kind.family,
            "icon": kind.icon,
        }
        found.append(
            {
                **common,
                "state": "todo",
                "by_name": None,
                "at": None,
                "automatic": False,
                "handled_manually": False,
                "revised": False,
                "revisable": False,
                "outcome": None,
            }
        )
