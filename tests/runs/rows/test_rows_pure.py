"""Rows of a run: what of its state goes into which table, which rows a transition changes, and an event read back from the log."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from console.core.run import MISSING_MANUAL, Attempt, Effect, Event, Run, evolve, fold
from console.log import Stored
from console.runs.rows.run_events import as_event
from console.runs.rows.run_rows import RUN_COLUMNS, attempt_row, changed_rows, effect_row, run_row
from tests.core.graphs import Walk, plan, step
from tests.core.test_run_events import (
    APPLYING,
    ASKED,
    AT,
    BEGUN,
    LATER,
    OLIVIA,
    READING,
    STARTED,
    TOM,
    UNKNOWN,
    WRITING,
    done,
    entered,
    submitted,
)
from tests.tables import cases

TALLINN = timezone(timedelta(hours=2))
NINE, FIVE_PAST = "2026-11-20T09:00:00.000000Z", "2026-11-20T09:05:00.000000Z"
EFFECT = Effect("eff_1", 1, "sql_write", "Update email", "requested", {"changes": {"email": {"old": "a", "new": "b"}}}, AT)
ATTEMPT = Attempt(3, "apply", 1, "open", AT)

HEADS: list[tuple[str, list[Event], dict[str, Any]]] = [
    ("begun", [STARTED], {"id": "run_1", "workflow": "wf_1", "version": 3, "status": "running", "current": None, "attempts": 0, "visits": {}}),
    ("its record", [STARTED], {"team": "operations", "collection": "customer", "record": "17", "exclusive_key": "wf_1|customer|17"}),
    ("its people", [STARTED], {"started_by": OLIVIA, "holder": OLIVIA, "last_holder": OLIVIA, "input": {"reason": "new"}}),
    ("its times", [STARTED], {"created_at": NINE, "active_at": NINE, "ended_at": None, "revision": 1}),
    ("at a step", READING, {"status": "waiting_person", "current": 2, "attempts": 2, "visits": {"start": 1, "read": 1}}),
    ("saved", [*READING, Event("run_saved", AT)], {"status": "saved", "holder": None, "last_holder": OLIVIA, "current": 2}),
    ("with another holder", [*READING, Event("run_taken_over", AT, {"holder": TOM})], {"holder": TOM, "last_holder": TOM, "started_by": OLIVIA}),
    ("writing", WRITING, {"status": "waiting_event", "waiting": {"for": "effect", "until": None}, "take_over": None}),
    ("taken over", ASKED, {"status": "waiting_person", "waiting": None, "take_over": {"code": "down", "message": "Away."}}),
    ("unknown", UNKNOWN, {"take_over": {"code": "timeout", "message": "No answer."}, "current": 3}),
    ("completed", [*APPLYING, Event("run_completed", LATER, {"label": "approved"})], {"status": "completed", "ending": "approved", "ended_at": FIVE_PAST}),
    ("aborted", [*APPLYING, Event("run_aborted", LATER, {}, {"reason": "no"})], {"status": "aborted", "reason": "no", "holder": None, "current": None}),
    ("by itself", [*BEGUN, entered(2, "a"), Event("step_completed", AT, {"outcome": "x", "automatic": True})], {"automatic": 1}),
]  # fmt: skip


@cases(("events", "told"), [row[1:] for row in HEADS], ids=[row[0] for row in HEADS])
def test_head_of_a_run(events: list[Event], told: dict[str, Any]) -> None:
    row = run_row(fold(events), "sub_1")
    assert {name: row[name] for name in told} == told


@cases("events", [row[1] for row in HEADS], ids=[row[0] for row in HEADS])
def test_head_has_every_column_and_no_part_with_a_table_of_its_own(events: list[Event]) -> None:
    row = run_row(fold(events), None)
    assert set(row) == {*RUN_COLUMNS, "attempts", "subject", "linked_to", "keep_draft", "put_down_at"}
    assert isinstance(row["attempts"], int)
    assert not {"context", "screens", "seq", "made"} & row.keys()


def test_columns_are_parts_of_a_run() -> None:
    assert set(RUN_COLUMNS) < {part.name for part in fields(Run)}
    assert len(RUN_COLUMNS) == len(set(RUN_COLUMNS))


KEPT: list[tuple[str, list[Event], bool, int | None]] = [
    ("nothing is kept unless asked", READING, False, None),
    ("the open attempt", READING, True, 2),
    ("a later one", APPLYING, True, 3),
    ("no open attempt", [STARTED], True, None),
    ("an ended run", [*READING, Event("run_completed", LATER)], True, None),
]


@pytest.mark.parametrize(("events", "keep", "n"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_what_was_typed_is_kept_at_the_open_attempt(events: list[Event], keep: bool, n: int | None) -> None:
    assert run_row(fold(events), None, keep_draft=keep)["keep_draft"] == n
    assert (changed_rows(Run(), fold(events), None, keep_draft=keep).run or {})["keep_draft"] == n


@pytest.mark.parametrize("subject", [None, "", "sub_1"], ids=["nobody", "empty", "somebody"])
def test_head_says_whose_values_it_holds(subject: str | None) -> None:
    assert run_row(fold(READING), subject)["subject"] == subject


TIMES: list[tuple[str, datetime, str]] = [
    ("whole second", AT, NINE),
    ("microseconds", AT + timedelta(microseconds=7), "2026-11-20T09:00:00.000007Z"),
    ("another zone", datetime(2026, 11, 20, 11, 0, tzinfo=TALLINN), NINE),
    ("another day in another zone", datetime(2026, 11, 21, 1, 0, tzinfo=TALLINN), "2026-11-20T23:00:00.000000Z"),
    ("end of a year", datetime(2026, 12, 31, 23, 59, 59, 999999, UTC), "2026-12-31T23:59:59.999999Z"),
]


@pytest.mark.parametrize(("at", "text"), [row[1:] for row in TIMES], ids=[row[0] for row in TIMES])
def test_times_of_rows_are_texts_in_utc(at: datetime, text: str) -> None:
    head = run_row(Run(id="run_1", created_at=at, ended_at=at, active_at=at), None)
    attempt = attempt_row("run_1", ATTEMPT._replace(entered_at=at, completed_at=at))
    effect = effect_row("run_1", 3, replace(EFFECT, requested_at=at, settled_at=at))
    assert {head["created_at"], head["ended_at"], head["active_at"]} == {text}
    assert {attempt["entered_at"], attempt["completed_at"], effect["requested_at"], effect["settled_at"]} == {text}


PLAIN_ATTEMPT: dict[str, Any] = {
    "run": "run_1", "n": 3, "step": "apply", "attempt": 1, "status": "open", "by": None, "outcome": None, "output": None, "handled_manually": False,
    "replaces": None, "revised": False, "defaults": None, "errors": None, "proposal": None, "values": {}, "entered_at": NINE, "completed_at": None,
}  # fmt: skip
ATTEMPTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("open", {}, {}),
    (
        "performing",
        {"status": "performing", "by": OLIVIA, "outcome": "updated"},
        {"status": "performing", "by": OLIVIA, "outcome": "updated"},
    ),
    ("done", {"status": "done", "completed_at": LATER}, {"status": "done", "completed_at": FIVE_PAST}),
    ("cancelled", {"status": "cancelled"}, {"status": "cancelled"}),
    ("failed", {"status": "failed"}, {"status": "failed"}),
    ("values", {"values": {"email": "b"}}, {"values": {"email": "b"}}),
    ("output", {"output": {"email": "B"}}, {"output": {"email": "B"}}),
    ("empty output", {"output": {}}, {"output": {}}),
    ("by hand", {"handled_manually": True}, {"handled_manually": True}),
    ("second entry", {"n": 5, "attempt": 2, "replaces": 3}, {"n": 5, "attempt": 2, "replaces": 3}),
    ("revised", {"revised": True}, {"revised": True}),
    ("defaults", {"defaults": {"email": "b"}}, {"defaults": {"email": "b"}}),
    ("errors", {"errors": [{"field": "email", "reason": "No."}]}, {"errors": [{"field": "email", "reason": "No."}]}),
    ("effects have rows of their own", {"effects": (EFFECT,)}, {}),
]


@cases(("parts", "told"), [row[1:] for row in ATTEMPTS], ids=[row[0] for row in ATTEMPTS])
def test_row_of_an_attempt(parts: dict[str, Any], told: dict[str, Any]) -> None:
    assert attempt_row("run_1", ATTEMPT._replace(**parts)) == PLAIN_ATTEMPT | told


PLAIN_EFFECT: dict[str, Any] = {
    "run": "run_1", "n": 3, "id": "eff_1", "number": 1, "kind": "sql_write", "status": "requested", "summary": "Update email", "result": None,
    "request": {"changes": {"email": {"old": "a", "new": "b"}}}, "requested_at": NINE, "settled_at": None, "compensates": None, "keeps": None,
}  # fmt: skip
EFFECTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("requested", {}, {}),
    ("succeeded", {"status": "succeeded", "settled_at": LATER, "result": {"row": 1}}, {"status": "succeeded", "settled_at": FIVE_PAST, "result": {"row": 1}}),
    ("failed", {"status": "failed", "result": {"message": "No."}}, {"status": "failed", "result": {"message": "No."}}),
    ("unknown", {"status": "unknown", "settled_at": LATER}, {"status": "unknown", "settled_at": FIVE_PAST}),
    ("empty result", {"result": {}}, {"result": {}}),
    ("empty request", {"request": {}}, {"request": {}}),
    ("second of its step", {"id": "eff_2", "number": 2}, {"id": "eff_2", "number": 2}),
    ("another kind", {"kind": "http_call", "summary": ""}, {"kind": "http_call", "summary": ""}),
]  # fmt: skip


@cases(("parts", "told"), [row[1:] for row in EFFECTS], ids=[row[0] for row in EFFECTS])
def test_row_of_an_effect(parts: dict[str, Any], told: dict[str, Any]) -> None:
    assert effect_row("run_1", 3, replace(EFFECT, **parts)) == PLAIN_EFFECT | told


def test_rows_do_not_share_what_they_were_made_of() -> None:
    values: dict[str, Any] = {"email": "b"}
    request: dict[str, Any] = {"changes": {}}
    assert attempt_row("run_1", ATTEMPT._replace(values=values))["values"] is not values
    assert effect_row("run_1", 3, replace(EFFECT, request=request))["request"] is not request


REVISE = [
    Event("step_revised", LATER, {"n": 2, "target_step": "read"}, {"reason": "no"}),
    Event("attempt_cancelled", LATER, {"n": 3, "status": "open"}),
    entered(4, "read", 2),
]
Changed = tuple[list[int], list[str], list[str], list[str]]
"""Attempts, effects, context written, context forgotten."""
CHANGED: list[tuple[str, list[Event], list[Event], Changed]] = [
    ("start", [], [STARTED], ([], [], [], [])),
    ("start up to the first step", [], READING, ([1, 2], [], ["start"], [])),
    ("nothing", READING, [], ([], [], [], [])),
    ("entered", BEGUN, [entered(2, "read")], ([2], [], [], [])),
    ("completed", READING, [done(2, "read")], ([2], [], ["read"], [])),
    ("completed and on", READING, [done(2, "read"), entered(3, "apply")], ([2, 3], [], ["read"], [])),
    ("shown", READING, [Event("step_shown", LATER, {"n": 2}, {"screen": {}})], ([], [], [], [])),
    ("saved", READING, [Event("run_saved", LATER)], ([], [], [], [])),
    ("taken over", READING, [Event("run_taken_over", LATER, {"holder": TOM})], ([], [], [], [])),
    ("submitted", APPLYING, [submitted()], ([3], [], [], [])),
    ("submitted with its effect", APPLYING, WRITING[len(APPLYING):], ([3], ["eff_1"], [], [])),
    ("effect made", WRITING, [Event("effect_succeeded", LATER, {"effect": "eff_1"}, {"result": {}})], ([3], ["eff_1"], [], [])),
    ("effect unknown", WRITING, UNKNOWN[len(WRITING):], ([3], ["eff_1"], [], [])),
    ("written, the effect as before", WRITING, [Event("step_completed", LATER, {"n": 3})], ([3], [], ["apply"], [])),
    ("reopened, the effect as before", WRITING, [Event("step_reopened", LATER, {"effect": "eff_1"})], ([3], [], [], [])),
    ("asked for help", APPLYING, ASKED[len(APPLYING):], ([], [], [], [])),
    ("aborted", APPLYING, [Event("run_aborted", LATER)], ([3], [], [], [])),
    ("revised", APPLYING, REVISE, ([2, 3, 4], [], [], ["read"])),
    ("revised and done again", APPLYING, [*REVISE, done(4, "read", 2)], ([2, 3, 4], [], ["read"], [])),
]  # fmt: skip


@cases(("past", "events", "rows"), [row[1:] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_transition_writes_the_rows_that_differ(past: list[Event], events: list[Event], rows: Changed) -> None:
    before = fold(past)
    after = fold(events, before)
    made = changed_rows(before, after, "sub_1")
    head = dict(made.run or {})
    forgotten = head.pop("forgotten", [])
    found = ([row["n"] for row in made.attempts], [row["id"] for row in made.effects], sorted(made.context or {}), forgotten)
    assert found == rows
    assert head == run_row(after, "sub_1")
    assert made.shown is None


@cases(("past", "events"), [row[1:3] for row in CHANGED], ids=[row[0] for row in CHANGED])
def test_rows_written_one_event_at_a_time_are_those_of_the_end(past: list[Event], events: list[Event]) -> None:
    before = fold(past)
    table = {n: attempt_row(before.id, attempt) for n, attempt in before.attempts.items()}
    context: dict[str, Mapping[str, Any]] = dict(before.context)
    for event in events:
        after = evolve(before, event)
        made = changed_rows(before, after, None)
        table |= {row["n"]: dict(row) for row in made.attempts}
        context = {name: output for name, output in context.items() if name not in (made.run or {}).get("forgotten", [])} | dict(
            made.context or {}
        )
        before = after
    assert table == {n: attempt_row(before.id, attempt) for n, attempt in before.attempts.items()}
    assert context == before.context


def test_context_of_a_step_handled_by_hand_says_that_it_is_missing() -> None:
    before = fold(READING)
    made = changed_rows(before, evolve(before, done(2, "read", handled_manually=True)), None)
    assert made.context == {"read": {"note": "read 1", "missing": MISSING_MANUAL}}
    assert [row["handled_manually"] for row in made.attempts] == [True]


@pytest.mark.parametrize("loops", [1, 2, 3], ids=["once", "twice", "thrice"])
def test_a_loop_writes_as_many_rows_each_time(loops: int) -> None:
    graph = plan(
        [
            step("start", "start", default="ask"),
            step("ask", "decision", again="back", default="end"),
            step("back", "go_to", default="ask"),
            step("end", "end"),
        ]
    )
    walk = Walk(graph).start()
    sizes = []
    for number in range(loops):
        before = walk.run
        walk.answer(str(number), "again")
        made = changed_rows(before, walk.run, None)
        sizes.append((len(made.attempts), sorted(made.context or {})))
    assert sizes == [(3, ["ask", "back"])] * loops


def stored(kind: str, opened: dict[str, Any] | None = None, sealed: dict[str, Any] | None = None, **body: Any) -> Stored:
    """An event of the log, number 7 of its run."""
    actor = {"kind": "user", "id": OLIVIA, "session": "ses_1", "team": "operations", "roles": []}
    told = {"actor": actor, "step": None, "data": {"open": opened or {}, "sealed": {}}} | body
    return Stored(7, "evt_7", None, kind, AT, told, b"\x01" * 32, sealed or {})


READ_BACK: list[tuple[str, Stored, dict[str, Any]]] = [
    ("open values", stored("run_saved", {"former_holder": TOM}), {"type": "run_saved", "open": {"former_holder": TOM}, "sealed": {}}),
    (
        "sealed values are nested",
        stored("x", {}, {"values/email": "a", "values/phone": None}),
        {"sealed": {"values": {"email": "a", "phone": None}}},
    ),
    ("deep ones", stored("x", {}, {"request/changes/email": {"old": "a"}}), {"sealed": {"request": {"changes": {"email": {"old": "a"}}}}}),
    ("names with a slash", stored("x", {}, {"values/a~1b~0c": 1}), {"sealed": {"values": {"a/b~c": 1}}}),
    ("step", stored("x", step={"id": "read", "attempt": 2}), {"step": ("read", 2)}),
    ("no step", stored("x"), {"step": None}),
    ("person", stored("x"), {"by": OLIVIA}),
    ("key of a person", stored("x", actor={"kind": "key", "id": TOM}), {"by": TOM}),
    ("engine", stored("x", actor={"kind": "system", "id": "sys_engine"}), {"by": None}),
    ("webhook", stored("x", actor={"kind": "webhook", "id": "hook_1"}), {"by": None}),
    ("number and time", stored("x"), {"n": 7, "at": AT}),
]


@cases(("event", "told"), [row[1:] for row in READ_BACK], ids=[row[0] for row in READ_BACK])
def test_event_of_the_log_as_the_rules_know_it(event: Stored, told: dict[str, Any]) -> None:
    found = as_event(event)
    assert {name: getattr(found, name) for name in told} == told
