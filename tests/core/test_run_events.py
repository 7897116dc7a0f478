"""Each kind of event: what of a run it changes, and nothing else; also when what it sealed is gone."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.core.events import ENDS, KINDS, MOVES
from console.core.run import (
    CHANGES,
    FINAL,
    MISSING_MANUAL,
    SUPPLIED,
    Attempt,
    Effect,
    Event,
    Run,
    copied,
    evolve,
    fold,
)
from console.core.run.approval_request import Approval, Decided
from console.core.run.effect_changes import SIDE_ROWS
from tests.tables import cases

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
OLIVIA, TOM = "usr_olivia", "usr_tom"
STARTED = Event(
    "run_started",
    AT,
    {
        "id": "run_1",
        "workflow": "wf_1",
        "version": 3,
        "team": "operations",
        "collection": "customer",
        "record": "17",
        "exclusive": "wf_1|customer|17",
        "started_by": OLIVIA,
        "holder": OLIVIA,
        "trigger": "record",
        "revision": 1,
    },
    {"input": {"reason": "new"}, "title": "Ana"},
    by=OLIVIA,
)


def entered(n: int, step: str, attempt: int = 1, status: str = "waiting_person", **more: Any) -> Event:
    sealed = {"defaults": more.pop("defaults")} if "defaults" in more else {}
    return Event(
        "step_entered",
        AT,
        {"n": n, "type": "guidance", "status": status, "replaces": None, **more},
        sealed,
        (step, attempt),
    )


def done(n: int, step: str, attempt: int = 1, **more: Any) -> Event:
    told = {
        "n": n,
        "type": "guidance",
        "outcome": "default",
        "automatic": False,
        "handled_manually": False,
    } | more
    return Event(
        "step_completed", AT, told, {"values": {"note": f"{step} {attempt}"}}, (step, attempt), OLIVIA
    )


def submitted(step: str = "apply", **more: Any) -> Event:
    told = {
        "n": 3,
        "type": "update_data",
        "outcome": "updated",
        "automatic": False,
        "handled_manually": False,
    } | more
    return Event(
        "step_submitted", AT, told, {"values": {"email": "b"}, "output": {"email": "B"}}, (step, 1), OLIVIA
    )


def requested(effect: str = "eff_1", number: int = 1) -> Event:
    told = {"effect": effect, "effect_kind": "sql_write", "number": number, "summary": "Update email"}
    return Event(
        "effect_requested",
        AT,
        told,
        {"request": {"changes": {"email": {"old": "a", "new": "b"}}}},
        ("apply", 1),
    )


FOUR_EYES = Event(
    "approval_requested",
    AT,
    {
        "approval": "apr_1",
        "action": "charge",
        "n": 3,
        "requested_by": OLIVIA,
        "needs": 2,
        "roles": ["lead"],
        "not_by": ["requester"],
        "until": None,
    },
    {
        "values": {"email": "b"},
        "wishes": [{"id": "eff_1", "kind": "sql_write", "summary": "s", "request": {}}],
        "why": "Always",
    },
    ("apply", 1),
    OLIVIA,
)
APPROVAL = Approval(
    *("apr_1", "charge", "open", OLIVIA, AT),
    values={"email": "b"},
    wishes=({"id": "eff_1", "kind": "sql_write", "summary": "s", "request": {}},),
    needs=2,
    roles=("lead",),
    not_by=("requester",),
    why="Always",
)
BEGUN = [STARTED, entered(1, "start", status="running"), done(1, "start")]
READING = [*BEGUN, entered(2, "read")]
APPLYING = [*READING, done(2, "read"), entered(3, "apply")]
WRITING = [*APPLYING, submitted(), requested()]
APPROVING = [*APPLYING, submitted(), FOUR_EYES]
ASKED = [*APPLYING, Event("step_failed", AT, {"code": "down"}, {"message": "Away."}, ("apply", 1))]
UNKNOWN = [
    *WRITING,
    Event(
        "effect_unknown",
        AT,
        {"effect": "eff_1", "effect_kind": "sql_write", "code": "timeout"},
        {"message": "No answer."},
    ),
]


WANTED = {
    "call": "aic_1",
    "n": 2,
    "for": OLIVIA,
    "purpose": "propose",
    "fields": ["note"],
    "fill": "medium",
    "deadline": "2026-11-20T09:05:08.000000Z",
}
PENDING: dict[str, Any] = {
    "status": "pending",
    "call": "aic_1",
    "origin": None,
    "code": None,
    "message": None,
    "deadline_at": "2026-11-20T09:05:08.000000Z",
    "fields": [],
    "outcome": None,
    "choice": None,
    "flags": [],
    "banner": None,
    "warned": [],
    "dropped": [],
    "for": OLIVIA,
    "purpose": "propose",
    "mode": "assist",
    "fill": "medium",
    "asked": ["note"],
    "requested_at": "2026-11-20T09:05:00.000000Z",
    "answered_at": None,
}
FOUND = {"name": "note", "value": "n", "confidence": "high", "reason": "r", "sources": []}
PROPOSING = [*READING, Event("proposal_requested", LATER, WANTED)]
BY_HAND = [*READING, done(2, "read", handled_manually=True), entered(3, "apply")]


def changed(before: Run, after: Run) -> dict[str, Any]:
    """Fields of the run that differ, with what they hold now; attempts by place, and of them only what differs."""
    found: dict[str, Any] = {}
    for field in fields(Run):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old == new:
            continue
        if field.name == "attempts":
            found |= {
                f"attempts.{n}": _difference(old.get(n), attempt)
                for n, attempt in new.items()
                if old.get(n) != attempt
            }
        else:
            found[field.name] = new
    return found


def _difference(old: Attempt | None, new: Attempt) -> Any:
    if old is None:
        return new
    return {name: getattr(new, name) for name in Attempt._fields if getattr(old, name) != getattr(new, name)}


EFFECT = Effect(
    "eff_1", 1, "sql_write", "Update email", "requested", {"changes": {"email": {"old": "a", "new": "b"}}}, AT
)
TOLD = {"effect": "eff_1", "effect_kind": "sql_write", "code": "x"}
OVER: dict[str, Any] = {"ended_at": LATER, "holder": None, "current": None}

CASES: list[tuple[str, list[Event], Event, dict[str, Any]]] = [
    (
        "run_started",
        [],
        STARTED._replace(at=LATER),
        {
            "id": "run_1",
            "workflow": "wf_1",
            "version": 3,
            "team": "operations",
            "collection": "customer",
            "record": "17",
            "started_by": OLIVIA,
            "holder": OLIVIA,
            "last_holder": OLIVIA,
            "exclusive_key": "wf_1|customer|17",
            "input": {"reason": "new"},
            "created_at": LATER,
            "active_at": LATER,
            "revision": 1,
        },
    ),
    (
        "step_entered",
        BEGUN,
        Event("step_entered", LATER, {"n": 2, "status": "waiting_person", "replaces": None}, {}, ("read", 1)),
        {
            "made": 2,
            "current": 2,
            "visits": {"start": 1, "read": 1},
            "status": "waiting_person",
            "attempts.2": Attempt(2, "read", 1, "open", LATER),
        },
    ),
    (
        "step_entered again with what was there",
        READING,
        Event(
            "step_entered",
            LATER,
            {"n": 3, "status": "running", "replaces": 2},
            {"defaults": {"note": "x"}},
            ("read", 2),
        ),
        {
            "made": 3,
            "current": 3,
            "visits": {"start": 1, "read": 2},
            "status": "running",
            "attempts.3": Attempt(3, "read", 2, "open", LATER, replaces=2, defaults={"note": "x"}),
        },
    ),
    (
        "step_entered after a take-over",
        ASKED,
        Event("step_entered", LATER, {"n": 4, "status": "waiting_person"}, {}, ("end", 1)),
        {
            "made": 4,
            "current": 4,
            "visits": {"start": 1, "read": 1, "apply": 1, "end": 1},
            "take_over": None,
            "attempts.4": Attempt(4, "end", 1, "open", LATER),
        },
    ),
    (
        "step_completed",
        READING,
        done(2, "read")._replace(at=LATER),
        {
            "context": {"start": {"note": "start 1"}, "read": {"note": "read 1"}},
            "attempts.2": {
                "status": "done",
                "completed_at": LATER,
                "by": OLIVIA,
                "outcome": "default",
                "values": {"note": "read 1"},
            },
        },
    ),
    (
        "step_completed by hand",
        READING,
        done(2, "read", handled_manually=True)._replace(at=LATER),
        {
            "context": {"start": {"note": "start 1"}, "read": {"note": "read 1", "missing": MISSING_MANUAL}},
            "attempts.2": {
                "status": "done",
                "completed_at": LATER,
                "by": OLIVIA,
                "outcome": "default",
                "values": {"note": "read 1"},
                "handled_manually": True,
            },
        },
    ),
    (
        "step_completed by itself",
        READING,
        Event(
            "step_completed",
            LATER,
            {"n": 2, "outcome": "yes", "automatic": True},
            {"output": {"branch": "yes"}},
        ),
        {
            "automatic": 1,
            "context": {"start": {"note": "start 1"}, "read": {"branch": "yes"}},
            "attempts.2": {
                "status": "done",
                "completed_at": LATER,
                "outcome": "yes",
                "output": {"branch": "yes"},
            },
        },
    ),
    (
        "step_completed once it was written",
        WRITING,
        Event("step_completed", LATER, {"n": 3, "automatic": False}, {}, ("apply", 1)),
        {
            "waiting": None,
            "context": {"start": {"note": "start 1"}, "read": {"note": "read 1"}, "apply": {"email": "B"}},
            "attempts.3": {"status": "done", "completed_at": LATER},
        },
    ),
    (
        "step_submitted",
        APPLYING,
        submitted(),
        {
            "status": "waiting_event",
            "waiting": {"for": "effect", "until": None},
            "attempts.3": {
                "status": "performing",
                "by": OLIVIA,
                "outcome": "updated",
                "values": {"email": "b"},
                "output": {"email": "B"},
            },
        },
    ),
    (
        "effect_requested",
        [*APPLYING, submitted()],
        requested(),
        {"attempts.3": {"effects": (EFFECT,)}},
    ),
    (
        "effect_succeeded",
        WRITING,
        Event("effect_succeeded", LATER, TOLD, {"result": {"row": 1}}),
        {
            "attempts.3": {
                "effects": (replace(EFFECT, status="succeeded", settled_at=LATER, result={"row": 1}),)
            }
        },
    ),
    (
        "effect_failed",
        WRITING,
        Event("effect_failed", LATER, TOLD, {"message": "No.", "errors": [{"field": "email"}]}),
        {
            "attempts.3": {
                "effects": (
                    replace(
                        EFFECT,
                        status="failed",
                        settled_at=LATER,
                        result={"message": "No.", "errors": [{"field": "email"}]},
                    ),
                )
            }
        },
    ),
    (
        "effect_unknown",
        WRITING,
        Event("effect_unknown", LATER, TOLD | {"code": "timeout"}, {"message": "No answer."}),
        {
            "status": "waiting_person",
            "waiting": None,
            "take_over": {"code": "timeout", "message": "No answer."},
            "attempts.3": {
                "effects": (
                    replace(EFFECT, status="unknown", settled_at=LATER, result={"message": "No answer."}),
                )
            },
        },
    ),
    (
        "effect_settled as done",
        UNKNOWN,
        Event("effect_settled", LATER, {"effect": "eff_1", "result": "done"}, {"reason": "I looked."}),
        {
            "status": "waiting_event",
            "waiting": {"for": "effect", "until": None},
            "take_over": None,
            "attempts.3": {"effects": (replace(EFFECT, status="succeeded", settled_at=LATER),)},
        },
    ),
    (
        "effect_settled as not done",
        UNKNOWN,
        Event("effect_settled", LATER, {"effect": "eff_1", "result": "not_done"}, {"reason": "I looked."}),
        {
            "status": "waiting_event",
            "waiting": {"for": "effect", "until": None},
            "take_over": None,
            "attempts.3": {"effects": (EFFECT,)},
        },
    ),
    (
        "step_reopened",
        WRITING,
        Event(
            "step_reopened",
            LATER,
            {"effect": "eff_1"},
            {"values": {"email": "b"}, "errors": [{"field": "email"}]},
        ),
        {
            "status": "waiting_person",
            "waiting": None,
            "attempts.3": {
                "status": "open",
                "by": None,
                "outcome": None,
                "values": {},
                "output": None,
                "defaults": {"email": "b"},
                "errors": [{"field": "email"}],
            },
        },
    ),
    (
        "step_failed",
        [*BEGUN, entered(2, "read", status="running")],
        Event("step_failed", LATER, {"code": "down"}, {"message": "Away."}),
        {"status": "waiting_person", "take_over": {"code": "down", "message": "Away."}},
    ),
    (
        "attempt_retried",
        ASKED,
        Event("attempt_retried", LATER, {"status": "running"}, {}),
        {"status": "running", "take_over": None},
    ),
    (
        "run_saved",
        READING,
        Event("run_saved", LATER, {"former_holder": OLIVIA}, {"draft": {}}),
        {"status": "saved", "holder": None},
    ),
    (
        "run_resumed",
        [*READING, Event("run_saved", AT)],
        Event("run_resumed", LATER, {"holder": TOM}),
        {"status": "waiting_person", "holder": TOM, "last_holder": TOM},
    ),
    (
        "run_taken_over",
        READING,
        Event("run_taken_over", LATER, {"holder": TOM, "former_holder": OLIVIA}),
        {"holder": TOM, "last_holder": TOM},
    ),
    (
        "run_version_moved",
        READING,
        Event("run_version_moved", LATER, {"version": 2, "former_version": 1}, {"reason": "new"}),
        {"version": 2},
    ),
    ("run_released", READING, Event("run_released", LATER, {"former_holder": OLIVIA}), {"holder": None}),
    (
        "attempt_cancelled",
        APPLYING,
        Event("attempt_cancelled", LATER, {"n": 3, "status": "open"}),
        {"attempts.3": {"status": "cancelled"}},
    ),
    (
        "step_revised",
        ASKED,
        Event("step_revised", LATER, {"n": 2, "target_step": "read"}, {"reason": "no"}),
        {"take_over": None, "context": {"start": {"note": "start 1"}}, "attempts.2": {"revised": True}},
    ),
    (
        "run_completed",
        APPLYING,
        Event("run_completed", LATER, {"label": "approved"}),
        {"status": "completed", "ending": "approved", **OVER, "attempts.3": {"status": "cancelled"}},
    ),
    (
        "run_aborted",
        WRITING,
        Event("run_aborted", LATER, {}, {"reason": "enough"}),
        {
            "status": "aborted",
            "reason": "enough",
            **OVER,
            "waiting": None,
            "attempts.3": {"status": "cancelled"},
        },
    ),
    (
        "run_failed",
        ASKED,
        Event("run_failed", LATER, {"code": "down"}, {"message": "Away."}),
        {
            "status": "failed",
            "reason": "Away.",
            **OVER,
            "take_over": None,
            "attempts.3": {"status": "failed"},
        },
    ),
    (
        "run_cancelled",
        READING,
        Event("run_cancelled", LATER, {}, {"reason": "closed"}),
        {"status": "cancelled", "reason": "closed", **OVER, "attempts.2": {"status": "cancelled"}},
    ),
    (
        "run_timed_out",
        READING,
        Event("run_timed_out", LATER, {"limit_seconds": 60}),
        {"status": "timed_out", **OVER, "attempts.2": {"status": "cancelled"}},
    ),
    (
        "step_shown",
        READING,
        Event("step_shown", LATER, {"n": 2}, {"screen": {"title": "Read"}}),
        {"screens": {2: {"title": "Read"}}},
    ),
    *(
        (kind, READING, Event(kind, LATER, {"n": 2, "effect": "eff_9"}), {})
        for kind in ("source_opened", "outcome_chosen", "handled_manually", "effect_reported", "checks_shown")
    ),
    (
        "timer_set",
        READING,
        Event(
            "timer_set",
            LATER,
            {"n": 2, "until": "2026-12-01T00:00:00.000000Z", "outcome": "default"},
            {"output": {"a": 1}},
        ),
        {
            "status": "waiting_time",
            "waiting": {"for": "time", "until": "2026-12-01T00:00:00.000000Z"},
            "attempts.2": {"outcome": "default", "output": {"a": 1}},
        },
    ),
    (
        "retry_set",
        READING,
        Event("retry_set", LATER, {"n": 2, "until": "2026-12-01T00:00:00.000000Z", "tries": 2, "code": "x"}),
        {
            "status": "waiting_time",
            "waiting": {"for": "retry", "until": "2026-12-01T00:00:00.000000Z", "tries": 2, "code": "x"},
        },
    ),
    (
        "timer_fired",
        [
            *READING,
            Event("timer_set", LATER, {"n": 2, "until": "2026-12-01T00:00:00.000000Z", "outcome": "default"}),
        ],
        Event("timer_fired", LATER, {"n": 2}),
        {"status": "running", "waiting": None},
    ),
    (
        "run_assigned",
        READING,
        Event("run_assigned", LATER, {"holder": TOM}),
        {"holder": TOM, "last_holder": TOM},
    ),
    (
        "run_escalated",
        READING,
        Event(
            "run_escalated",
            LATER,
            {"inbox": "desk", "priority": "high", "at": "x"},
            {"reason": "odd"},
            by=OLIVIA,
        ),
        {
            "holder": None,
            "ticket": {"inbox": "desk", "priority": "high", "reason": "odd", "at": "x", "by": OLIVIA},
        },
    ),
    (
        "run_snoozed",
        READING,
        Event("run_snoozed", LATER, {"until": "x"}, {"reason": "odd"}, by=OLIVIA),
        {"ticket": {"until": "x"}},
    ),
    (
        "event_awaited",
        READING,
        Event(
            "event_awaited", LATER, {"n": 2, "for": "task", "key": "tsk_1", "until": None, "outcome": None}
        ),
        {
            "status": "waiting_event",
            "waiting": {"for": "task", "until": None, "key": "tsk_1", "outcome": None},
        },
    ),
    (
        "wait_left",
        [
            *READING,
            Event(
                "event_awaited", AT, {"n": 2, "for": "task", "key": "tsk_1", "until": None, "outcome": None}
            ),
        ],
        Event("wait_left", LATER, {"n": 2, "code": "stepped_in"}, {"message": "By hand."}),
        {
            "status": "waiting_person",
            "waiting": None,
            "take_over": {"code": "stepped_in", "message": "By hand."},
        },
    ),
    ("event_arrived", READING, Event("event_arrived", LATER, {"n": 2}), {}),
    (
        "effect_kept",
        WRITING,
        Event("effect_kept", LATER, {"effect": "eff_2", "of": "eff_1", "effect_kind": "sql_write"}),
        {
            "attempts.3": {
                "effects": (
                    EFFECT,
                    replace(
                        EFFECT, id="eff_2", number=2, keeps="eff_1", requested_at=LATER, settled_at=LATER
                    ),
                )
            }
        },
    ),
    ("effect_checked", READING, Event("effect_checked", LATER, {"n": 2}), {}),
    (
        "approval_requested",
        [*APPLYING, submitted()],
        FOUR_EYES._replace(at=LATER),
        {
            "waiting": {"for": "approval", "until": None, "key": "apr_1", "outcome": None},
            "attempts.3": {"approvals": (replace(APPROVAL, requested_at=LATER),)},
        },
    ),
    (
        "approval_decided, one of two",
        APPROVING,
        Event(
            "approval_decided",
            LATER,
            {"approval": "apr_1", "decision": "approve", "status": "open"},
            {"reason": "Fits."},
            by=TOM,
        ),
        {
            "attempts.3": {
                "approvals": (replace(APPROVAL, decided=(Decided(TOM, LATER, "approve", "Fits."),)),)
            }
        },
    ),
    (
        "approval_decided",
        APPROVING,
        Event(
            "approval_decided",
            LATER,
            {"approval": "apr_1", "decision": "approve", "status": "approved"},
            by=TOM,
        ),
        {
            "waiting": {"for": "effect", "until": None},
            "attempts.3": {
                "approvals": (
                    replace(APPROVAL, status="approved", decided=(Decided(TOM, LATER, "approve"),)),
                )
            },
        },
    ),
    *(
        (kind, APPROVING, Event(kind, LATER, {"approval": "apr_1"}, {said: "Why now?"}), {})
        for kind, said in (("approval_asked", "question"), ("approval_replied", "answer"))
    ),
    (
        "approval_voided",
        APPROVING,
        Event("approval_voided", LATER, {"approval": "apr_1"}),
        {"attempts.3": {"approvals": (replace(APPROVAL, status="void"),)}},
    ),
    (
        "approval_expired",
        APPROVING,
        Event("approval_expired", LATER, {"approval": "apr_1"}),
        {"attempts.3": {"approvals": (replace(APPROVAL, status="expired"),)}},
    ),
    (
        "run_aborted while others are asked",
        APPROVING,
        Event("run_aborted", LATER, {}, {"reason": "enough"}),
        {
            "status": "aborted",
            "reason": "enough",
            **OVER,
            "waiting": None,
            "attempts.3": {"status": "cancelled", "approvals": (replace(APPROVAL, status="void"),)},
        },
    ),
    (
        "proposal_requested",
        READING,
        Event("proposal_requested", LATER, WANTED),
        {"attempts.2": {"proposal": PENDING}},
    ),
    (
        "proposal_requested of an attempt that is not at hand",
        READING,
        Event("proposal_requested", LATER, {**WANTED, "n": 9}),
        {},
    ),
    (
        "proposal_made",
        PROPOSING,
        Event(
            "proposal_made",
            LATER,
            {"call": "aic_1", "n": 2, "origin": "rules", "mode": "assist", "outcome": None, "flags": []},
            {"proposal": {"fields": [FOUND]}},
        ),
        {
            "attempts.2": {
                "proposal": PENDING
                | {
                    "status": "ready",
                    "origin": "rules",
                    "fields": [FOUND],
                    "answered_at": "2026-11-20T09:05:00.000000Z",
                }
            }
        },
    ),
    (
        "proposal_made for a call that was asked before",
        PROPOSING,
        Event("proposal_made", LATER, {"call": "aic_0", "n": 2}, {"proposal": {"fields": [FOUND]}}),
        {},
    ),
    (
        "proposal_failed",
        PROPOSING,
        Event(
            "proposal_failed",
            LATER,
            {"call": "aic_1", "n": 2, "code": "timeout", "status": "failed"},
            {"message": "Late."},
        ),
        {
            "attempts.2": {
                "proposal": PENDING
                | {
                    "status": "failed",
                    "code": "timeout",
                    "message": "Late.",
                    "answered_at": "2026-11-20T09:05:00.000000Z",
                }
            }
        },
    ),
    (
        "context_supplied",
        BY_HAND,
        Event(
            "context_supplied", LATER, {"n": 3, "target": 2, "fields": ["note"]}, {"values": {"note": "now"}}
        ),
        {
            "attempts.2": {"output": {"note": "now", "missing": SUPPLIED}},
            "context": {"start": {"note": "start 1"}, "read": {"note": "now", "missing": SUPPLIED}},
        },
    ),
    ("document_requested", READING, Event("document_requested", LATER, {"n": 2}), {}),
    ("document_received", READING, Event("document_received", LATER, {"n": 2}), {}),
    ("document_link_revoked", READING, Event("document_link_revoked", LATER, {"n": 2}), {}),
    ("task_created", READING, Event("task_created", LATER, {"n": 2}), {}),
    ("task_closed", READING, Event("task_closed", LATER, {"n": 2}), {}),
    ("notice_sent", READING, Event("notice_sent", LATER, {"n": 2}), {}),
    ("message_asked", READING, Event("message_asked", LATER, {"n": 2}), {}),
    ("a kind of a later release", READING, Event("lamp_lit", LATER, {"n": 2}, {"x": 1}), {}),
]


@cases(("name", "before", "event", "change"), CASES, ids=[row[0] for row in CASES])
def test_what_an_event_changes(name: str, before: list[Event], event: Event, change: dict[str, Any]) -> None:
    run = fold(before)
    kept = copied(run)
    after = evolve(run, event)
    assert changed(run, after) == change | {"seq": run.seq + 1}
    assert run == kept, "the run before the event stays as it was"


@cases(("name", "before", "event", "change"), CASES, ids=[row[0] for row in CASES])
def test_an_event_whose_sealed_values_are_gone_still_tells_where_the_run_stands(
    name: str, before: list[Event], event: Event, change: dict[str, Any]
) -> None:
    whole, bare = evolve(fold(before), event), fold([each._replace(sealed={}) for each in [*before, event]])
    for part in (
        "id",
        "status",
        "revision",
        "seq",
        "holder",
        "current",
        "made",
        "visits",
        "automatic",
        "waiting",
        "ending",
        "ended_at",
    ):
        assert getattr(bare, part) == getattr(whole, part), part
    assert {
        n: (each.step, each.attempt, each.status, each.revised, each.outcome)
        for n, each in bare.attempts.items()
    } == {
        n: (each.step, each.attempt, each.status, each.revised, each.outcome)
        for n, each in whole.attempts.items()
    }
    assert set(bare.context) == set(whole.context)
    assert [effect.status for each in bare.attempts.values() for effect in each.effects] == [
        effect.status for each in whole.attempts.values() for effect in each.effects
    ]


@cases(("name", "before", "event", "change"), CASES, ids=[row[0] for row in CASES])
def test_an_event_that_belongs_to_a_move_gives_the_run_its_revision(
    name: str, before: list[Event], event: Event, change: Any
) -> None:
    run = fold(before)
    moved = evolve(run, event._replace(open={**event.open, "revision": 41}))
    assert (moved.revision, moved.active_at) == (41, event.at)
    still = evolve(
        run, event._replace(open={key: value for key, value in event.open.items() if key != "revision"})
    )
    assert (still.revision, still.active_at) == (run.revision, run.active_at)


def test_every_kind_of_a_run_is_in_the_table() -> None:
    named = {event.type for _, _, event, _ in CASES}
    assert {name for name, kind in KINDS.items() if kind.on_run} <= named
    assert set(CHANGES) | set(ENDS) <= MOVES | {
        "step_shown",
        "proposal_requested",
        "proposal_made",
        "proposal_failed",
        *SIDE_ROWS,
        "task_closed",
    }
    assert set(ENDS.values()) == FINAL


@cases("kind", ENDS)
@cases(
    "before",
    [BEGUN, READING, WRITING, UNKNOWN, ASKED],
    ids=["done", "open", "performing", "unknown", "asked"],
)
def test_every_end_leaves_nothing_open_nothing_held_and_nothing_waited_for(
    kind: str, before: list[Event]
) -> None:
    run = fold([*before, Event(kind, LATER, {"label": "x"}, {"reason": "y"})])
    assert (run.status, run.ended, run.ended_at, run.ending) == (ENDS[kind], True, LATER, "x")
    assert (run.holder, run.current, run.attempt, run.waiting, run.take_over, run.unknown) == (None,) * 6
    assert not [each for each in run.attempts.values() if each.status in ("open", "performing")]
    assert run.last_holder == OLIVIA


@cases(
    ("before", "event"),
    [
        ([], submitted()),
        ([], done(1, "start")),
        ([], requested()),
        (READING, Event("effect_succeeded", LATER, {"effect": "eff_9"})),
        (READING, Event("approval_voided", LATER, {"approval": "apr_9"})),
        ([], FOUR_EYES),
        (READING, Event("effect_settled", LATER, {"effect": "eff_9", "result": "done"})),
    ],
)
def test_a_log_that_cannot_be_is_not_folded_into_a_run_that_looks_right(
    before: list[Event], event: Event
) -> None:
    with pytest.raises(ValueError, match="run"):
        fold([*before, event])


@pytest.mark.parametrize("number", [1, 99])
@pytest.mark.parametrize("kind", ["attempt_cancelled", "step_revised"])
def test_what_names_an_attempt_that_is_not_there_is_no_event_of_this_run(kind: str, number: int) -> None:
    event = Event(kind, LATER, {"n": number + 50})
    with pytest.raises(KeyError):
        evolve(fold(READING), event)
