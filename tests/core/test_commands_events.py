"""What the events of a command hold, and a step with several effects."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from console.core.errors import Conflict
from console.core.moments import moment_text
from console.core.run import commands, step_requests
from tests.core.graphs import Walk
from tests.core.test_commands_matrix import LATER, MONA, OLIVIA, STATES, TOM, WISH, given, started
from tests.tables import cases

# -------------------------------------------------------------------------------------------------------- what the events say

DRAFT = {"note": "half"}
SAID: list[tuple[str, str, Callable[[Walk], Any], str, dict[str, Any], dict[str, Any]]] = [
    (
        "a save",
        "person",
        lambda w: commands.Save(OLIVIA, w.run.revision, DRAFT),
        "run_saved",
        {"former_holder": OLIVIA},
        {"draft": DRAFT},
    ),
    (
        "a save without a draft",
        "person",
        lambda w: commands.Save(None, w.run.revision, {}),
        "run_saved",
        {"former_holder": OLIVIA},
        {},
    ),
    (
        "a release",
        "person",
        lambda w: commands.Release(OLIVIA, w.run.revision, DRAFT),
        "run_released",
        {"former_holder": OLIVIA},
        {"draft": DRAFT},
    ),
    (
        "a resumption",
        "saved",
        lambda w: commands.Resume(TOM, w.run.revision),
        "run_resumed",
        {"holder": TOM},
        {},
    ),
    (
        "a take-over from nobody",
        "released",
        lambda w: commands.TakeOver(TOM, w.run.revision, False, False),
        "run_taken_over",
        {"holder": TOM, "former_holder": None, "reason_code": "entitled"},
        {},
    ),
    (
        "an abort",
        "person",
        lambda w: commands.Abort(OLIVIA, w.run.revision, " enough "),
        "run_aborted",
        {"former_holder": OLIVIA},
        {"reason": "enough"},
    ),
    (
        "a cancel",
        "saved",
        lambda w: commands.Cancel(MONA, w.run.revision, "closed"),
        "run_cancelled",
        {"former_holder": None},
        {"reason": "closed"},
    ),
    (
        "a failure",
        "running",
        lambda w: commands.Fail("look", "source_down", "Away."),
        "step_failed",
        {"code": "source_down", "type": "get_data"},
        {"message": "Away."},
    ),
    (
        "a late report",
        "completed",
        lambda w: commands.Report("eff_1", "failed", "x", "Too late.", [{"field": "a"}]),
        "effect_reported",
        {"effect": "eff_1", "result": "failed", "code": "x"},
        {"message": "Too late.", "errors": [{"field": "a"}]},
    ),
    (
        "an unknown effect",
        "writing",
        lambda w: commands.Report("eff_1", "unknown", "timeout", "No answer."),
        "effect_unknown",
        {"effect": "eff_1", "effect_kind": "sql_write", "code": "timeout"},
        {"message": "No answer."},
    ),
    (
        "a settlement",
        "unknown",
        lambda w: commands.Settle(OLIVIA, w.run.revision, "eff_1", False, "I looked."),
        "effect_settled",
        {"effect": "eff_1", "effect_kind": "sql_write", "result": "not_done"},
        {"reason": "I looked."},
    ),
    (
        "a wait",
        "running",
        lambda w: commands.Wait("look", LATER, "default", {"until": LATER}),
        "timer_set",
        {"n": 3, "until": LATER, "outcome": "default"},
        {"output": {"until": LATER}},
    ),
    ("the end of a wait", "waiting", lambda w: commands.Fire(3), "timer_fired", {"n": 3, "until": LATER}, {}),
    (
        "what is done after a wait",
        "waiting",
        lambda w: commands.Fire(3),
        "step_completed",
        {"n": 3, "type": "get_data", "automatic": True},
        {},
    ),
    (
        "a failure that may pass",
        "running",
        lambda w: commands.Delay("look", "source_down", "Away.", LATER),
        "retry_set",
        {"n": 3, "code": "source_down", "tries": 1, "until": LATER},
        {"message": "Away."},
    ),
    (
        "something awaited",
        "running",
        lambda w: commands.Complete(
            None, "look", w.run.revision, "default", awaits=step_requests.Awaited("task", "tsk_1")
        ),
        "event_awaited",
        {"n": 3, "for": "task", "key": "tsk_1", "until": None, "outcome": None},
        {},
    ),
    (
        "what came",
        "outside",
        lambda w: commands.Arrive("ans_1", "default", {"a": "1"}, None, TOM),
        "step_completed",
        {"n": 3, "type": "get_data", "outcome": "default", "automatic": False},
        {"values": {"a": "1"}},
    ),
    (
        "what a person does instead of waiting",
        "outside",
        lambda w: commands.StepIn(OLIVIA, w.run.revision, "no time"),
        "wait_left",
        {"n": 3, "code": "stepped_in"},
        {"message": "Handled manually instead of waiting.", "reason": "no time"},
    ),
    (
        "an inbox",
        "person",
        lambda w: commands.Escalate(OLIVIA, w.run.revision, "desk", " odd ", "high", DRAFT),
        "run_escalated",
        {
            "inbox": "desk",
            "priority": "high",
            "former_holder": OLIVIA,
            "at": moment_text(started("look").clock + timedelta(seconds=7)),
        },
        {"reason": "odd", "draft": DRAFT},
    ),
    (
        "a gift",
        "saved",
        lambda w: commands.Assign(MONA, w.run.revision, TOM, "yours"),
        "run_assigned",
        {"holder": TOM, "former_holder": None},
        {"reason": "yours"},
    ),
    (
        "a retry",
        "asked",
        lambda w: commands.Retry(OLIVIA, w.run.revision),
        "attempt_retried",
        {"status": "running"},
        {},
    ),
]


@cases(("name", "state", "command", "kind", "opened", "sealed"), SAID, ids=[row[0] for row in SAID])
def test_what_stands_open_and_what_is_sealed(
    name: str,
    state: str,
    command: Callable[[Walk], Any],
    kind: str,
    opened: dict[str, Any],
    sealed: dict[str, Any],
) -> None:
    walk = STATES[state]()
    event = next(event for event in walk.give(command(walk)) if event.type == kind)
    assert {name: value for name, value in event.open.items() if name != "revision"} == opened
    assert event.sealed == sealed


def test_tries_are_counted_until_the_step_is_done_or_fails() -> None:
    walk = STATES["delayed"]()
    assert (walk.run.status, walk.run.waiting) == (
        "waiting_time",
        {"for": "retry", "until": LATER, "tries": 1, "code": "source_down"},
    )
    given(walk, commands.Fire(3))
    assert (walk.run.status, walk.run.tries, walk.run.waiting) == (
        "running",
        1,
        {"for": "retry", "until": None, "tries": 1, "code": "source_down"},
    )
    given(walk, commands.Delay("look", "source_down", "Away.", LATER), commands.Fire(3))
    assert walk.run.tries == 2
    (failed,) = walk.give(commands.Fail("look", "source_down", "Away."))
    assert (failed.open["retries"], walk.run.tries, walk.run.status) == (2, 0, "waiting_person")


def test_a_wait_ends_the_row_of_automatic_steps_and_keeps_what_it_came_to() -> None:
    walk = STATES["waiting"]()
    assert (walk.run.status, walk.run.waiting, walk.run.holder) == (
        "waiting_time",
        {"for": "time", "until": LATER},
        OLIVIA,
    )
    given(walk, commands.Fire(3))
    assert (walk.run.automatic, walk.run.context["look"], walk.run.waiting) == (1, {"until": LATER}, None)
    assert walk.run.attempts[3].outcome == "default"


def test_a_timer_of_a_run_that_was_revised_meanwhile_does_nothing() -> None:
    walk = STATES["waiting"]()
    given(walk, commands.Revise(OLIVIA, 0, 2, "again"))
    with pytest.raises(Conflict):
        walk.give(commands.Fire(3))
    assert (walk.run.status, walk.run.waiting) == ("waiting_person", None)


def test_what_was_typed_is_never_open() -> None:
    walk = started("look")
    secret = "secret words"
    walk.give(
        commands.Complete(
            OLIVIA,
            "look",
            walk.run.revision,
            "default",
            {"note": secret},
            {"found": secret},
            [WISH],
            reason=secret,
            handled_manually=True,
        )
    )
    walk.give(
        commands.Report(
            "eff_1", "failed", "code", secret, [{"field": "note", "theirs": secret}], {"row": secret}
        )
    )
    walk.give(commands.Abort(OLIVIA, walk.run.revision, secret))
    assert secret not in repr([event.open for event in walk.events])


# ------------------------------------------------------------------------------------------------- several effects of one step


def two_writes() -> Walk:
    walk = started("apply")
    walk.give(
        commands.Complete(
            OLIVIA,
            "apply",
            walk.run.revision,
            "default",
            {"email": "b"},
            None,
            [WISH, replace(WISH, id="eff_2")],
        )
    )
    return walk


REPORTS: list[tuple[list[tuple[str, str]], str, str]] = [
    ([("eff_1", "succeeded")], "apply", "performing"),
    ([("eff_1", "succeeded"), ("eff_2", "succeeded")], "end", "open"),
    ([("eff_2", "succeeded"), ("eff_1", "succeeded")], "end", "open"),
    ([("eff_1", "succeeded"), ("eff_2", "failed")], "apply", "open"),
    ([("eff_1", "failed"), ("eff_2", "succeeded")], "apply", "open"),
    ([("eff_1", "failed"), ("eff_2", "failed")], "apply", "open"),
    ([("eff_1", "unknown"), ("eff_2", "succeeded")], "apply", "performing"),
    ([("eff_1", "unknown"), ("eff_2", "failed")], "apply", "open"),
    ([("eff_1", "failed"), ("eff_2", "unknown")], "apply", "open"),
]


@cases(
    ("reports", "step_id", "status"),
    REPORTS,
    ids=["-".join(status for _, status in row[0]) for row in REPORTS],
)
def test_a_step_with_a_refused_write_is_never_done(
    reports: list[tuple[str, str]], step_id: str, status: str
) -> None:
    walk = given(
        two_writes(), *(commands.Report(effect, result, "code", "Said.") for effect, result in reports)
    )
    attempt = walk.run.attempt
    assert attempt is not None
    assert (attempt.step, attempt.status) == (step_id, status)
    applied = next(each for each in walk.run.attempts.values() if each.step == "apply")
    assert (applied.status == "done") == all(effect.status == "succeeded" for effect in applied.effects)


def test_effects_of_a_step_are_numbered_on_after_it_was_open_again() -> None:
    walk = STATES["reopened"]()
    walk.give(
        commands.Complete(
            OLIVIA, "apply", walk.run.revision, "default", {"email": "c"}, None, [replace(WISH, id="eff_2")]
        )
    )
    assert walk.run.attempt is not None
    assert [(effect.id, effect.number, effect.status) for effect in walk.run.attempt.effects] == [
        ("eff_1", 1, "failed"),
        ("eff_2", 2, "requested"),
    ]
    walk.give(commands.Report("eff_2", "succeeded"))
    assert walk.run.context["apply"] == {"email": "c"}
