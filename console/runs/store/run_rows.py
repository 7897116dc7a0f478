"""Runs as they are stored: events as entries of the log, the rows of a run, its attempts, effects and approvals, and attempts and approvals read back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from console import log
from console.core.actor import Actor
from console.core.run import Attempt, Effect, Event, Run
from console.core.run.approval_request import Approval, Decided
from console.core.run.causes import stored
from console.infra.db.ids import uuid7_texts
from console.runs.store.run_events import ENGINE
from console.steps.base import Context
from console.workflows import Definition

RUN_COLUMNS = [
    "id",
    "workflow",
    "version",
    "status",
    "revision",
    "collection",
    "record",
    "team",
    "current",
    "visits",
    "holder",
    "last_holder",
    "active_at",
    "started_by",
    "waiting",
    "take_over",
    "ticket",
    "automatic",
    "input",
    "reason",
    "ending",
    "exclusive_key",
    "linked_to",
    "trigger",
    "mode",
    "origin",
    "caused_by",
    "start_key",
    "test",
    "parent",
    "branch",
    "fork",
    "worked_ms",
    "label",
    "created_at",
    "ended_at",
]
NOTING = frozenset({"step_shown", "step_submitted", "step_completed", "step_failed", "retry_set"})
"""Events that name the rows of other records that their step has read."""


def attempts_from_rows(
    rows: Sequence[Mapping[str, Any]],
    effects: Sequence[Mapping[str, Any]],
    approvals: Sequence[Mapping[str, Any]],
) -> dict[int, Attempt]:
    """The attempts by their number, from the rows of the tables `attempt`, `effect` and `approval` as JSON."""
    effects_of: dict[int, list[Effect]] = {}
    approvals_of: dict[int, list[Approval]] = {}
    for row in approvals:
        approvals_of.setdefault(row["n"], []).append(approval_from_row(row))
    for row in effects:
        effects_of.setdefault(row["n"], []).append(
            Effect(
                *(row["id"], row["number"], row["kind"], row["summary"], row["status"], row["request"]),
                requested_at=datetime.fromisoformat(row["requested_at"]),
                settled_at=datetime.fromisoformat(row["settled_at"]) if row["settled_at"] else None,
                result=row["result"],
                compensates=row["compensates"],
                keeps=row["keeps"],
            )
        )
    return {
        row["n"]: _attempt(row, tuple(effects_of.get(row["n"], ())), tuple(approvals_of.get(row["n"], ())))
        for row in sorted(rows, key=lambda row: row["n"])
    }


def approval_from_row(row: Mapping[str, Any]) -> Approval:
    """The approval of a row of its table, given as JSON."""
    same = {
        name: row[name]
        for name in (
            "id",
            "action",
            "status",
            "requested_by",
            "collection",
            "record",
            "values",
            "needs",
            "shown",
            "decides",
        )
    }
    decided = (
        Decided(
            each["by"],
            datetime.fromisoformat(each["at"]),
            each["decision"],
            each["reason"],
            tuple(each.get("stands_in_for", ())),
        )
        for each in row["decided"]
    )
    return Approval(
        **same,
        requested_at=datetime.fromisoformat(row["requested_at"]),
        wishes=tuple(row["wishes"]),
        decided=tuple(decided),
        roles=tuple(row["roles"]),
        not_by=tuple(row["not_by"]),
        why=row["why"] or "",
        until=datetime.fromisoformat(row["until"]) if row["until"] else None,
    )


def _attempt(row: Mapping[str, Any], effects: tuple[Effect, ...], approvals: tuple[Approval, ...]) -> Attempt:
    return Attempt(
        *(row["n"], row["step"], row["attempt"], row["status"]),
        entered_at=datetime.fromisoformat(row["entered_at"]),
        completed_at=datetime.fromisoformat(row["completed_at"]) if row["completed_at"] else None,
        by=row["by"],
        outcome=row["outcome"],
        values=row["values"],
        output=row["output"],
        handled_manually=row["handled_manually"],
        replaces=row["replaces"],
        revised=row["revised"],
        defaults=row["defaults"],
        errors=row["errors"],
        effects=effects,
        approvals=approvals,
        proposal=row["proposal"],
    )


def run_row(run: Run, subject: str | None, *, keep_draft: bool = False) -> dict[str, Any]:
    """The row of the run as the database function takes it. `keep_draft` keeps the draft at the open attempt."""
    row = {name: getattr(run, name) for name in RUN_COLUMNS}
    row["caused_by"] = stored(run.caused_by) or None
    row |= {
        name: log.body.moment(row[name]) if row[name] else None
        for name in ("created_at", "ended_at", "active_at")
    }
    put_down = row["active_at"] if run.holder is None else None
    return row | {
        "put_down_at": put_down,
        "attempts": run.made,
        "subject": subject,
        "keep_draft": run.current if keep_draft else None,
    }


def attempt_row(run_id: str, attempt: Attempt) -> dict[str, Any]:
    """The attempt as a row of its table."""
    return {
        "run": run_id,
        **{
            name: getattr(attempt, name)
            for name in [
                "n",
                "step",
                "attempt",
                "status",
                "by",
                "outcome",
                "output",
                "handled_manually",
                "replaces",
                "revised",
                "defaults",
                "errors",
                "proposal",
            ]
        },
        "values": dict(attempt.values),
        "entered_at": log.body.moment(attempt.entered_at),
        "completed_at": log.body.moment(attempt.completed_at) if attempt.completed_at else None,
    }


def effect_row(run_id: str, n: int, effect: Effect) -> dict[str, Any]:
    """The effect as a row of its table."""
    return {
        "run": run_id,
        "n": n,
        **{
            name: getattr(effect, name)
            for name in ["id", "number", "kind", "status", "summary", "result", "compensates", "keeps"]
        },
        "request": dict(effect.request),
        "requested_at": log.body.moment(effect.requested_at),
        "settled_at": log.body.moment(effect.settled_at) if effect.settled_at else None,
    }


def approval_row(run: Run, attempt: Attempt, approval: Approval, subject: str | None) -> dict[str, Any]:
    """The approval as a row of its table. `subject` is the person whose values it holds."""
    names = ["id", "action", "collection", "record", "status", "requested_by", "needs", "decides"]
    return {
        "run": run.id,
        **{name: getattr(attempt, name) for name in ["n", "step", "attempt"]},
        **{name: getattr(approval, name) for name in names},
        "team": run.team,
        "label": run.label,
        "requested_at": log.body.moment(approval.requested_at),
        "values": dict(approval.values),
        "wishes": [dict(wish) for wish in approval.wishes],
        "decided": [decision_json(each) for each in approval.decided],
        "roles": list(approval.roles),
        "not_by": list(approval.not_by),
        "why": approval.why or None,
        "until": log.body.moment(approval.until) if approval.until else None,
        "shown": dict(approval.shown),
        "subject": subject,
    }


def decision_json(decided: Decided) -> dict[str, Any]:
    """One person's answer as JSON."""
    decision = {
        "by": decided.by,
        "at": log.body.moment(decided.at),
        "decision": decided.decision,
        "reason": decided.reason,
    }
    return decision | ({"stands_in_for": list(decided.stands_in_for)} if decided.stands_in_for else {})


def loaded_rows(before: Run, after: Run) -> list[tuple[str, str]]:
    """(place, key) of the rows of other records that the run has read since `before`."""
    return [
        (place, key)
        for place, keys in after.loaded.items()
        for key in sorted(keys - before.loaded.get(place, frozenset()))
    ]


def changed_rows(
    before: Run,
    after: Run,
    subject: str | None,
    *,
    keep_draft: bool = False,
    shown: Mapping[str, Any] | None = None,
) -> log.Projection:
    """The rows that differ between two states of a run. `shown` is the row of a screen that a person was shown."""
    changed = [attempt for n, attempt in after.attempts.items() if before.attempts.get(n) is not attempt]
    effects_before = {effect.id: effect for attempt in before.attempts.values() for effect in attempt.effects}
    effects = [
        effect_row(after.id, attempt.n, effect)
        for attempt in changed
        for effect in attempt.effects
        if effects_before.get(effect.id) is not effect
    ]
    approvals_before = {
        approval.id: approval for attempt in before.attempts.values() for approval in attempt.approvals
    }
    approvals = [
        approval_row(after, attempt, approval, subject)
        for attempt in changed
        for approval in attempt.approvals
        if approvals_before.get(approval.id) is not approval
    ]
    context: dict[str, Any] = {
        step: output for step, output in after.context.items() if before.context.get(step) is not output
    }
    forgotten = [step for step in before.context if step not in after.context]
    inbox_before, inbox = ((run.ticket or {}).get("inbox") for run in (before, after))
    read = loaded_rows(before, after)
    left_inbox = inbox_before if inbox is None and after.holder is not None else None
    return log.Projection(
        run=run_row(after, subject, keep_draft=keep_draft)
        | ({"forgotten": forgotten} if forgotten else {})
        | ({"approvals": approvals} if approvals else {})
        | ({"loaded": read} if read else {})
        | ({"left_inbox": left_inbox} if left_inbox is not None else {}),
        attempts=[attempt_row(after.id, attempt) for attempt in changed],
        context=context if context or forgotten else None,
        effects=effects,
        shown=shown,
    )


def with_loaded_rows(events: Sequence[Event], context: Context | None) -> list[Event]:
    """The events; those of the step at hand name the rows that it has read."""
    if context is None or not context.loaded:
        return list(events)
    step = next((event.step for event in events if event.type in NOTING), None)
    return [
        event._replace(sealed={**event.sealed, "loaded": context.loaded})
        if event.type in NOTING and event.step == step
        else event
        for event in events
    ]


def as_stored(event: Event) -> Event:
    """The event with its values in the form that a reader of the log will find: numbers as texts, and so on."""
    return Event(
        event.type,
        event.at,
        log.body.canonical_value(event.open),
        log.body.canonical_value(event.sealed, -2),
        event.step,
        event.by,
    )


def links(
    actor: Actor,
    definition: Definition,
    run: Run,
    events: Sequence[Event],
    *,
    seq: int = 0,
    head: bytes = b"",
    plain: bool = False,
) -> list[log.Link]:
    """The events as links of the run's chain, after event number `seq` with the hash `head`.

    `run` is the run after the events. `plain` says that the values of the events are in the log's form already, as `as_stored` makes them.
    """
    target = (
        {}
        if run.collection is None
        else {"target": {"source": None, "coll": run.collection, "key": run.record}}
    )
    workflow = {"id": definition.id, "version": definition.number, "hash": definition.hash}
    person, engine = (
        log.frame_of(who, run.team, workflow=workflow, label=run.label, **target) for who in (actor, ENGINE)
    )
    made = []
    for number, (event, id_) in enumerate(zip(events, uuid7_texts(len(events)), strict=True), seq + 1):
        fact = log.Fact(id_, event.type, event.at, event.open, event.sealed, event.step, told=plain)
        made.append(log.link(fact, run.id, number, head, person if event.by else engine))
        head = made[-1].leaf
    return made
