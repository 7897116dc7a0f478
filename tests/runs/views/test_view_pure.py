"""A run as programs read it and its path, at every kind of moment, without a database."""

from typing import Any

import pytest

from console.core.run import Event, Run, evolve, fold
from console.runs.views.view import _ahead, as_json, outline
from console.workflows import Definition
from tests.core.graphs import document, step
from tests.core.test_run_events import (
    APPLYING,
    ASKED,
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
)
from tests.tables import cases

NINE, FIVE_PAST = "2026-11-20T09:00:00.000000Z", "2026-11-20T09:05:00.000000Z"
NAMES = {OLIVIA: "Olivia Kask"}


def definition(steps: list[dict[str, Any]]) -> Definition:
    """The published version 3 of a workflow of these steps."""
    return Definition("wf_1", "any-review", "Any review", 3, "00", document(steps))


REVIEW = definition(
    [
        step("start", "start", default="read"),
        step("read", "guidance", default="apply") | {"button": "I have read it"},
        step("apply", "update_data", default="judge", updated="judge"),
        step("judge", "decision", yes="end", no="read"),
        step("end", "end"),
    ]
)
SCREEN: dict[str, Any] = {
    "button": "Save",
    "fields": [{"name": "email"}],
    "outcomes": [{"value": "yes"}],
    "errors": ["of the screen"],
}
COMPLETED = [*APPLYING, Event("run_completed", LATER, {"label": "approved"})]
REOPENED = [
    *WRITING,
    Event(
        "step_reopened",
        LATER,
        {},
        {"values": {"email": "b"}, "errors": [{"field": "email", "reason": "Changed."}]},
    ),
]
REVISED = [
    *APPLYING,
    Event("step_revised", LATER, {"n": 2, "target_step": "read"}, {"reason": "no"}),
    Event("attempt_cancelled", LATER, {"n": 3, "status": "open"}),
    entered(4, "read", 2, replaces=2),
]


def told(
    events: list[Event], screen: dict[str, Any] | None = None, draft: dict[str, Any] | None = None
) -> dict[str, Any]:
    return as_json(fold(events), REVIEW, screen, draft)


WHOLE: list[tuple[str, list[Event], dict[str, Any]]] = [
    (
        "its ids",
        READING,
        {"id": "run_1", "version": 3, "collection": "customer", "record": "17", "team": "operations"},
    ),
    ("its workflow", READING, {"workflow": {"id": "wf_1", "slug": "any-review", "title": "Any review"}}),
    ("numbers", READING, {"revision": 1, "last_event": 4}),
    (
        "begun",
        [STARTED],
        {"status": "running", "current": None, "context": {}, "attempts": [], "last_event": 1},
    ),
    ("its people", READING, {"started_by": OLIVIA, "holder": OLIVIA}),
    (
        "open",
        READING,
        {"status": "waiting_person", "created_at": NINE, "ended_at": None, "reason": None, "ending": None},
    ),
    (
        "released",
        [*READING, Event("run_released", LATER)],
        {"status": "waiting_person", "holder": None, "started_by": OLIVIA},
    ),
    ("saved", [*READING, Event("run_saved", LATER)], {"status": "saved", "holder": None}),
    (
        "with another",
        [*READING, Event("run_taken_over", LATER, {"holder": TOM})],
        {"holder": TOM, "started_by": OLIVIA},
    ),
    (
        "completed",
        COMPLETED,
        {"status": "completed", "ending": "approved", "ended_at": FIVE_PAST, "current": None, "holder": None},
    ),
    (
        "aborted",
        [*READING, Event("run_aborted", LATER, {}, {"reason": "no"})],
        {"status": "aborted", "reason": "no", "ending": None},
    ),
    (
        "cancelled",
        [*READING, Event("run_cancelled", LATER)],
        {"status": "cancelled", "reason": None, "current": None},
    ),
    (
        "failed",
        [*ASKED, Event("run_failed", LATER, {}, {"message": "Away."})],
        {"status": "failed", "reason": "Away.", "current": None},
    ),
    ("timed out", [*READING, Event("run_timed_out", LATER)], {"status": "timed_out", "ended_at": FIVE_PAST}),
    ("context", APPLYING, {"context": {"start": {"note": "start 1"}, "read": {"note": "read 1"}}}),
    ("context revised", REVISED, {"context": {"start": {"note": "start 1"}}}),
]


@cases(("events", "part"), [row[1:] for row in WHOLE], ids=[row[0] for row in WHOLE])
def test_run_as_programs_read_it(events: list[Event], part: dict[str, Any]) -> None:
    found = told(events)
    assert {name: found[name] for name in part} == part


SAVED_THERE = [*WRITING, Event("effect_succeeded", LATER, {"effect": "eff_1"}, {"result": {}})]
RUNNING = [*BEGUN, entered(2, "read", status="running")]
HERE: list[tuple[str, list[Event], dict[str, Any] | None, dict[str, Any]]] = [
    ("its step", READING, None, {"step": "read", "type": "guidance", "title": "Read", "attempt": 1}),
    ("button of the document", READING, None, {"button": "I have read it"}),
    ("button of the screen", READING, SCREEN, {"button": "Save"}),
    ("button without a name", APPLYING, None, {"button": "Done"}),
    ("no form without a screen", READING, None, {"form": None, "outcomes": []}),
    (
        "form of the screen",
        READING,
        SCREEN,
        {"form": {"fields": [{"name": "email"}]}, "outcomes": [{"value": "yes"}]},
    ),
    (
        "form of a saved run",
        [*READING, Event("run_saved", LATER)],
        SCREEN,
        {"form": {"fields": [{"name": "email"}]}},
    ),
    ("no form while it writes", WRITING, SCREEN, {"form": None, "outcomes": [], "button": "Done"}),
    ("no form while it goes on", RUNNING, SCREEN, {"form": None, "outcomes": [], "button": "I have read it"}),
    ("what it waits for", WRITING, None, {"waiting": {"for": "effect", "until": None}}),
    ("still waits for the row", SAVED_THERE, None, {"waiting": {"for": "effect", "until": None}}),
    ("waits for nobody else", READING, None, {"waiting": None, "take_over": None}),
    ("asks for help", ASKED, SCREEN, {"take_over": {"code": "down", "message": "Away."}, "waiting": None}),
    (
        "to be settled",
        UNKNOWN,
        None,
        {"type": "settle", "step": "apply", "take_over": {"code": "timeout", "message": "No answer."}},
    ),
    (
        "errors of the attempt",
        REOPENED,
        SCREEN,
        {"errors": [{"field": "email", "reason": "Changed."}], "waiting": None},
    ),
    ("no errors", READING, SCREEN, {"errors": []}),
    ("entered again", REVISED, None, {"step": "read", "attempt": 2}),
    ("nothing proposed", READING, SCREEN, {"proposal": None}),
]


@cases(("events", "screen", "part"), [row[1:] for row in HERE], ids=[row[0] for row in HERE])
def test_step_that_a_run_stands_at(
    events: list[Event], screen: dict[str, Any] | None, part: dict[str, Any]
) -> None:
    found = told(events, screen)["current"]
    assert {name: found[name] for name in part} == part


@pytest.mark.parametrize(
    ("most", "told", "left"),
    [(None, [1, 2, 3, 4], None), (4, [1, 2, 3, 4], None), (2, [3, 4], (2, 2, 2)), (1, [4], (3, 2, 2))],
)
def test_a_long_path_is_told_from_its_end(
    most: int | None, told: list[int], left: tuple[int, int, int] | None
) -> None:
    """What is left out is counted: a page of a run of ten thousand steps is no larger than one of sixty."""
    path, earlier = outline(fold(REVISED), REVIEW, NAMES, may_revise=True, most=most)
    assert [entry["n"] for entry in path if entry["n"]] == told
    assert (earlier and (earlier.steps, earlier.counted, earlier.done)) == left


STATES: list[tuple[str, list[Event], list[tuple[str, str]]]] = [
    ("begun", [STARTED], []),
    ("at a step", READING, [("start", "done"), ("read", "now"), ("apply", "todo"), ("judge", "todo")]),
    ("at a later one", APPLYING, [("start", "done"), ("read", "done"), ("apply", "now"), ("judge", "todo")]),
    ("writing", WRITING, [("start", "done"), ("read", "done"), ("apply", "now"), ("judge", "todo")]),
    ("asking for help", ASKED, [("start", "done"), ("read", "done"), ("apply", "now"), ("judge", "todo")]),
    (
        "done and not gone on",
        [*READING, done(2, "read")],
        [("start", "done"), ("read", "now"), ("apply", "todo"), ("judge", "todo")],
    ),
    ("at a fork", [*BEGUN, entered(2, "judge")], [("start", "done"), ("judge", "now")]),
    ("at the end", [*BEGUN, entered(2, "end")], [("start", "done"), ("end", "now")]),
    (
        "saved",
        [*READING, Event("run_saved", LATER)],
        [("start", "done"), ("read", "now"), ("apply", "todo"), ("judge", "todo")],
    ),
    ("completed", COMPLETED, [("start", "done"), ("read", "done"), ("apply", "cancelled")]),
    ("aborted", [*READING, Event("run_aborted", LATER)], [("start", "done"), ("read", "cancelled")]),
    (
        "failed",
        [*ASKED, Event("run_failed", LATER)],
        [("start", "done"), ("read", "done"), ("apply", "failed")],
    ),
    (
        "revised",
        REVISED,
        [
            ("start", "done"),
            ("read", "done"),
            ("apply", "cancelled"),
            ("read", "now"),
            ("apply", "todo"),
            ("judge", "todo"),
        ],
    ),
]


@cases(("events", "states"), [row[1:] for row in STATES], ids=[row[0] for row in STATES])
def test_path_of_a_run(events: list[Event], states: list[tuple[str, str]]) -> None:
    found = outline(fold(events), REVIEW, NAMES, may_revise=True)[0]
    assert [(entry["step"], entry["state"]) for entry in found] == states
    assert len({tuple(entry) for entry in found}) <= 1


REVISABLE: list[tuple[str, list[Event], list[int]]] = [
    ("nothing but the start", READING, []),
    ("a step done", APPLYING, [2]),
    ("while it writes", WRITING, [2]),
    ("the step one stands at is not", [*READING, done(2, "read")], []),
    ("neither revised nor cancelled ones", REVISED, []),
    ("the second of the same step", [*REVISED, done(4, "read", 2), entered(5, "apply", 2)], [4]),
    ("both of two", [*APPLYING, done(3, "apply"), entered(4, "judge")], [2, 3]),
    (
        "not the start, not the end",
        [*APPLYING, done(3, "apply"), entered(4, "end"), done(4, "end"), entered(5, "judge")],
        [2, 3],
    ),
]


@cases(("events", "places"), [row[1:] for row in REVISABLE], ids=[row[0] for row in REVISABLE])
def test_steps_that_may_be_revised(events: list[Event], places: list[int]) -> None:
    run = fold(events)
    assert [
        entry["n"] for entry in outline(run, REVIEW, NAMES, may_revise=True)[0] if entry["revisable"]
    ] == places
    assert not [entry for entry in outline(run, REVIEW, NAMES, may_revise=False)[0] if entry["revisable"]]


def chain(*ways: str) -> Definition:
    """A graph written as `a>b` or `a>b,c`: every step is guidance, one with several ways names them after their targets."""
    steps = []
    for way in ways:
        name, _, targets = way.partition(">")
        steps.append(
            step(
                name,
                "guidance",
                **{
                    target.replace("=", "_"): target.split("=")[-1] for target in targets.split(",") if target
                },
            )
        )
    return definition(steps)


AHEAD: list[tuple[str, tuple[str, ...], list[str]]] = [
    ("the last", ("a>",), []),
    ("one", ("a>b", "b>"), ["b"]),
    ("a line", ("a>b", "b>c", "c>d", "d>"), ["b", "c", "d"]),
    ("a fork at once", ("a>b,c", "b>", "c>"), []),
    ("a fork later", ("a>b", "b>c,d", "c>", "d>"), ["b"]),
    ("two outcomes, one way", ("a>yes=b,no=b", "b>c", "c>"), ["b", "c"]),
    ("back to itself", ("a>a",), []),
    ("back to where one stands", ("a>b", "b>a"), ["b"]),
    ("a loop further on", ("a>b", "b>c", "c>b"), ["b", "c"]),
    ("way back beside way on", ("a>b", "b>a,c", "c>"), ["b"]),
    ("only what comes after", ("z>a", "a>b", "b>"), ["b"]),
    ("order of the document does not matter", ("c>", "b>c", "a>b"), ["b", "c"]),
]


@cases(("ways", "steps"), [row[1:] for row in AHEAD], ids=[row[0] for row in AHEAD])
def test_steps_that_surely_come(ways: tuple[str, ...], steps: list[str]) -> None:
    found = _ahead("a", chain(*ways))
    assert [entry["step"] for entry in found] == steps
    assert {entry["state"] for entry in found} <= {"todo"}


@cases("events", [row[1] for row in STATES], ids=[row[0] for row in STATES])
def test_run_can_be_drawn_after_each_of_its_events(events: list[Event]) -> None:
    run = Run()
    for number, event in enumerate(events, start=1):
        run = evolve(run, event)
        found = as_json(run, REVIEW, SCREEN, None)
        path = outline(run, REVIEW, NAMES, may_revise=True)[0]
        assert found["last_event"] == number
        assert len([entry for entry in path if entry["state"] != "todo"]) == len(found["attempts"])
        assert len([entry for entry in path if entry["state"] == "now"]) == (found["current"] is not None)
