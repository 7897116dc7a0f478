"""Every command in every state of a run: what is allowed, and the exact refusal of everything else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from console.core.errors import Conflict, ConsoleError, Invalid
from console.core.run import Event, commands, decisions, step_requests
from console.core.run.commands import Plan
from console.core.run.decisions import decide, opening
from console.core.run.going_back import cancelled_by, revisable
from console.core.run.moves import NEXT_ITEM, require_completable, require_reason
from tests.core.graphs import NOW, Walk, plan, step
from tests.tables import cases

OLIVIA, TOM, MONA = "usr_olivia", "usr_tom", "usr_mona"
STEPS = [
    step("start", "start", default="read"),
    step("read", "guidance", default="look"),
    step("look", "get_data", default="apply"),
    step("apply", "update_data", default="end"),
    step("end", "end"),
]
PLAN, BY_ITSELF, HANDS_OFF = (
    plan(STEPS),
    plan(STEPS, "look", "apply"),
    plan(STEPS, "look", "apply", on_error="fail"),
)
WISH = step_requests.Wish(
    "eff_1", "sql_write", "Update email", {"changes": {"email": {"old": "a", "new": "b"}}}
)


def started(at: str, plan_: Plan = PLAN) -> Walk:
    """A run of Olivia's that stands at this step, no automatic one taken."""
    walk = Walk(plan_)
    walk.give(
        commands.Start(
            OLIVIA,
            "run_1",
            "operations",
            1,
            "wf_1",
            "customer",
            "17",
            None,
            {"reason": "new"},
            {"reason": "new"},
        )
    )
    while walk.run.attempt is not None and walk.run.attempt.step != at:
        by = None if walk.run.status == "running" else OLIVIA
        walk.give(
            commands.Complete(by, walk.run.attempt.step, walk.run.revision, "default", {"note": "seen"})
        )
    return walk


def given(walk: Walk, *more: Any) -> Walk:
    for command in more:
        walk.give(replace(command, revision=walk.run.revision) if hasattr(command, "revision") else command)
    return walk


def handed_in(plan_: Plan = PLAN) -> Walk:
    by = OLIVIA if plan_ is PLAN else None
    return given(
        started("apply", plan_), commands.Complete(by, "apply", 0, "default", {"email": "b"}, None, [WISH])
    )


STATES: dict[str, Callable[[], Walk]] = {
    "running": lambda: started("look", BY_ITSELF),
    "person": lambda: started("look"),
    "asked": lambda: given(started("look", BY_ITSELF), commands.Fail("look", "source_down", "Away.")),
    "writing": handed_in,
    "unknown": lambda: given(handed_in(), commands.Report("eff_1", "unknown", "timeout", "No answer.")),
    "reopened": lambda: given(
        handed_in(),
        commands.Report(
            "eff_1", "failed", "record_changed", "It moved.", [{"field": "email", "reason": "x"}]
        ),
    ),
    "saved": lambda: given(started("look"), commands.Save(OLIVIA, 0)),
    "released": lambda: given(started("look"), commands.Release(OLIVIA, 0)),
    "waiting": lambda: given(
        started("look", BY_ITSELF), commands.Wait("look", LATER, "default", {"until": LATER})
    ),
    "delayed": lambda: given(
        started("look", BY_ITSELF), commands.Delay("look", "source_down", "Away.", LATER)
    ),
    "outside": lambda: given(
        started("look", BY_ITSELF),
        commands.Complete(
            None,
            "look",
            0,
            "default",
            {"asked": "x"},
            awaits=step_requests.Awaited("answer", "ans_1", SOON, "late"),
        ),
    ),
    "completed": lambda: given(started("end"), commands.Complete(None, "end", 0, "default", ends="done")),
    "aborted": lambda: given(started("look"), commands.Abort(OLIVIA, 0, "no")),
    "cancelled": lambda: given(started("look"), commands.Cancel(MONA, 0, "no")),
    "failed": lambda: given(started("look", HANDS_OFF), commands.Fail("look", "source_down", "Away.")),
}
SOON: datetime = NOW + timedelta(days=1)
LATER = "2026-12-01T09:00:00.000000Z"
ELSEWHERE = {
    commands.Approve,
    commands.Reject,
    commands.Void,
    commands.Renew,
    commands.TimeOut,
    commands.MoveVersion,
}  # test_approving.py, test_runs_limits.py, test_run_moves.py
ENDED = ("completed", "aborted", "cancelled", "failed")


def here(walk: Walk) -> str:
    return walk.run.attempt.step if walk.run.attempt is not None else "look"


COMMANDS: dict[str, Callable[[Walk], Any]] = {
    "complete": lambda w: commands.Complete(OLIVIA, here(w), w.run.revision, "default"),
    "complete as another": lambda w: commands.Complete(TOM, here(w), w.run.revision, "default"),
    "complete by itself": lambda w: commands.Complete(None, here(w), w.run.revision, "default"),
    "complete as it was proposed": lambda w: commands.Complete(
        None, here(w), w.run.revision, "default", by_ai=True
    ),
    "complete another step": lambda w: commands.Complete(OLIVIA, "read", w.run.revision, "default"),
    "save": lambda w: commands.Save(OLIVIA, w.run.revision),
    "save as another": lambda w: commands.Save(TOM, w.run.revision),
    "save by itself": lambda w: commands.Save(None, w.run.revision),
    "resume": lambda w: commands.Resume(TOM, w.run.revision),
    "take over with the right": lambda w: commands.TakeOver(TOM, w.run.revision, True, False),
    "take over an idle one": lambda w: commands.TakeOver(TOM, w.run.revision, False, True),
    "take over at once": lambda w: commands.TakeOver(TOM, w.run.revision, False, False),
    "take over one's own": lambda w: commands.TakeOver(OLIVIA, w.run.revision, True, True),
    "release": lambda w: commands.Release(OLIVIA, w.run.revision),
    "abort": lambda w: commands.Abort(OLIVIA, w.run.revision, "no"),
    "abort as another": lambda w: commands.Abort(TOM, w.run.revision, "no"),
    "abort without a reason": lambda w: commands.Abort(OLIVIA, w.run.revision, " \n"),
    "cancel": lambda w: commands.Cancel(MONA, w.run.revision, "no"),
    "cancel without a reason": lambda w: commands.Cancel(MONA, w.run.revision, ""),
    "revise": lambda w: commands.Revise(OLIVIA, w.run.revision, 2, "again"),
    "revise the start": lambda w: commands.Revise(OLIVIA, w.run.revision, 1, "again"),
    "revise what is not there": lambda w: commands.Revise(OLIVIA, w.run.revision, 99, "again"),
    "revise without a reason": lambda w: commands.Revise(OLIVIA, w.run.revision, 2, ""),
    "retry": lambda w: commands.Retry(OLIVIA, w.run.revision),
    "fail": lambda w: commands.Fail(here(w), "source_down", "Away."),
    "fail another step": lambda w: commands.Fail("read", "source_down", "Away."),
    "wait": lambda w: commands.Wait(here(w), LATER, "default"),
    "wait at another step": lambda w: commands.Wait("read", LATER, "default"),
    "delay": lambda w: commands.Delay(here(w), "source_down", "Away.", LATER),
    "fire": lambda w: commands.Fire(w.run.current or 0),
    "fire for another attempt": lambda w: commands.Fire(99),
    "report success": lambda w: commands.Report("eff_1", "succeeded"),
    "report a stranger": lambda w: commands.Report("eff_9", "succeeded"),
    "settle as done": lambda w: commands.Settle(OLIVIA, w.run.revision, "eff_1", True, "I looked."),
    "settle as another": lambda w: commands.Settle(TOM, w.run.revision, "eff_1", True, "I looked."),
    "settle a stranger": lambda w: commands.Settle(OLIVIA, w.run.revision, "eff_9", True, "I looked."),
    "arrive": lambda w: commands.Arrive("ans_1", "default", None, {"said": "yes"}, TOM),
    "arrive at what nobody waits for": lambda w: commands.Arrive("ans_9"),
    "nothing will come": lambda w: commands.Unanswered("ans_1", "timeout", "No answer."),
    "nothing will come of what nobody waits for": lambda w: commands.Unanswered(
        "ans_9", "timeout", "No answer."
    ),
    "supply": lambda w: commands.Supply(OLIVIA, w.run.revision, 2, {"note": "x"}),
    "supply as another": lambda w: commands.Supply(TOM, w.run.revision, 2, {"note": "x"}),
    "step in": lambda w: commands.StepIn(OLIVIA, w.run.revision, "no time"),
    "step in as another": lambda w: commands.StepIn(TOM, w.run.revision),
    "escalate": lambda w: commands.Escalate(OLIVIA, w.run.revision, "desk", "odd"),
    "escalate without a reason": lambda w: commands.Escalate(OLIVIA, w.run.revision, "desk", ""),
    "snooze what waits in no inbox": lambda w: commands.Snooze(OLIVIA, w.run.revision, SOON, "later"),
    "assign": lambda w: commands.Assign(MONA, w.run.revision, TOM),
    "settle without a reason": lambda w: commands.Settle(OLIVIA, w.run.revision, "eff_1", True, ""),
    "give a change up": lambda w: commands.Settle(
        OLIVIA, w.run.revision, "eff_1", False, "Enough.", left=True
    ),
    "report that nobody knows": lambda w: commands.Report("eff_1", "unknown", "timeout"),
    "postpone": lambda w: commands.Postpone("eff_1", "source_down", "Away.", LATER),
    "stop trying": lambda w: commands.StopTrying(OLIVIA, w.run.revision),
    "stop trying as another": lambda w: commands.StopTrying(TOM, w.run.revision),
    "check and it was done": lambda w: commands.Check(OLIVIA, w.run.revision, "eff_1", "done"),
    "check and nobody can tell": lambda w: commands.Check(OLIVIA, w.run.revision, "eff_1", "unclear"),
    "check as another": lambda w: commands.Check(TOM, w.run.revision, "eff_1", "done"),
}


def outcome(walk: Walk, command: Any) -> str:
    """`ok` and the kinds that follow, or the code of the refusal."""
    try:
        events = decide(walk.plan, walk.run, command, NOW + timedelta(hours=1))
    except ConsoleError as error:
        return error.code
    return "+".join(event.type for event in events)


ON, BACK = "step_completed+step_entered", "step_revised+step_entered"
NOT, WHO, OLD, WHY = "not_possible", "not_holder", "stale_revision", "invalid"
LIVE = (
    "running",
    "person",
    "asked",
    "writing",
    "unknown",
    "reopened",
    "saved",
    "released",
    "waiting",
    "delayed",
    "outside",
)
GIVEN = "run_assigned"
MATRIX: dict[str, list[str]] = {
    "complete": [NOT, ON, ON, NOT, NOT, ON, WHO, WHO, NOT, NOT, NOT],
    "complete as another": [WHO] * 11,
    "complete by itself": [ON, NOT, NOT, NOT, NOT, NOT, NOT, NOT, NOT, NOT, NOT],
    "complete as it was proposed": [ON, ON, NOT, NOT, NOT, ON, NOT, NOT, NOT, NOT, NOT],
    "complete another step": [NOT, OLD, OLD, NOT, NOT, OLD, WHO, WHO, NOT, NOT, NOT],
    "save": [NOT, "run_saved", "run_saved", NOT, "run_saved", "run_saved", WHO, WHO, NOT, NOT, NOT],
    "save as another": [WHO] * 11,
    "save by itself": [
        NOT,
        "run_saved",
        "run_saved",
        NOT,
        "run_saved",
        "run_saved",
        NOT,
        "run_saved",
        NOT,
        NOT,
        NOT,
    ],
    "resume": [NOT, NOT, NOT, NOT, NOT, NOT, "run_resumed", "run_resumed", NOT, NOT, NOT],
    "take over with the right": [
        NOT,
        "run_taken_over",
        "run_taken_over",
        NOT,
        "run_taken_over",
        "run_taken_over",
        NOT,
        "run_taken_over",
        "run_taken_over",
        "run_taken_over",
        "run_taken_over",
    ],
    "take over an idle one": [
        NOT,
        "run_taken_over",
        "run_taken_over",
        NOT,
        "run_taken_over",
        "run_taken_over",
        NOT,
        "run_taken_over",
        "run_taken_over",
        "run_taken_over",
        "run_taken_over",
    ],
    "take over at once": [NOT, WHO, WHO, NOT, WHO, WHO, NOT, "run_taken_over", WHO, WHO, WHO],
    "take over one's own": [NOT, NOT, NOT, NOT, NOT, NOT, NOT, "run_taken_over", NOT, NOT, NOT],
    "release": [
        NOT,
        "run_released",
        "run_released",
        NOT,
        "run_released",
        "run_released",
        WHO,
        WHO,
        NOT,
        NOT,
        NOT,
    ],
    "abort": [
        "run_aborted",
        "run_aborted",
        "run_aborted",
        NOT,
        NOT,
        "run_aborted",
        WHO,
        WHO,
        "run_aborted",
        "run_aborted",
        "run_aborted",
    ],
    "abort as another": [WHO] * 11,
    "abort without a reason": [WHY] * 11,
    "cancel": [
        "run_cancelled",
        "run_cancelled",
        "run_cancelled",
        NOT,
        NOT,
        "run_cancelled",
        "run_cancelled",
        "run_cancelled",
        "run_cancelled",
        "run_cancelled",
        "run_cancelled",
    ],
    "cancel without a reason": [WHY] * 11,
    "revise": [
        NOT,
        f"attempt_cancelled+{BACK}",
        f"attempt_cancelled+{BACK}",
        NOT,
        NOT,
        f"attempt_cancelled+attempt_cancelled+{BACK}",
        WHO,
        WHO,
        f"attempt_cancelled+{BACK}",
        f"attempt_cancelled+{BACK}",
        f"attempt_cancelled+{BACK}",
    ],
    "revise the start": [NOT, NOT, NOT, NOT, NOT, NOT, WHO, WHO, NOT, NOT, NOT],
    "revise what is not there": [NOT, NOT, NOT, NOT, NOT, NOT, WHO, WHO, NOT, NOT, NOT],
    "revise without a reason": [WHY] * 11,
    "retry": [NOT, NOT, "attempt_retried", NOT, NOT, NOT, WHO, WHO, NOT, NOT, NOT],
    "fail": ["step_failed", NOT, NOT, NOT, NOT, NOT, NOT, NOT, NOT, NOT, NOT],
    "fail another step": [NOT] * 11,
    "wait": ["timer_set", *[NOT] * 10],
    "wait at another step": [NOT] * 11,
    "delay": ["retry_set", *[NOT] * 10],
    "fire": [*[NOT] * 8, f"timer_fired+{ON}", "timer_fired", f"timer_fired+{ON}"],
    "fire for another attempt": [NOT] * 11,
    "report success": [*["effect_reported"] * 3, *[f"effect_succeeded+{ON}"] * 2, *["effect_reported"] * 6],
    "report a stranger": ["effect_reported"] * 11,
    "settle as done": [NOT, NOT, NOT, NOT, f"effect_settled+{ON}", NOT, WHO, WHO, NOT, NOT, NOT],
    "settle as another": [WHO] * 11,
    "settle a stranger": [NOT, NOT, NOT, NOT, NOT, NOT, WHO, WHO, NOT, NOT, NOT],
    "arrive": [*[NOT] * 10, f"event_arrived+{ON}"],
    "arrive at what nobody waits for": [NOT] * 11,
    "nothing will come": [*[NOT] * 10, "wait_left"],
    "nothing will come of what nobody waits for": [NOT] * 11,
    "supply": [*[NOT] * 6, WHO, WHO, *[NOT] * 3],
    "supply as another": [WHO] * 11,
    "step in": [*[NOT] * 6, WHO, WHO, NOT, NOT, "wait_left"],
    "step in as another": [WHO] * 11,
    "escalate": [
        NOT,
        "run_escalated",
        "run_escalated",
        NOT,
        "run_escalated",
        "run_escalated",
        WHO,
        WHO,
        NOT,
        NOT,
        NOT,
    ],
    "escalate without a reason": [WHY] * 11,
    "snooze what waits in no inbox": [NOT] * 11,
    "assign": [NOT, GIVEN, GIVEN, NOT, *[GIVEN] * 7],
    "settle without a reason": [WHY] * 11,
    "give a change up": [NOT, NOT, NOT, NOT, NOT, NOT, WHO, WHO, NOT, NOT, NOT],
    "report that nobody knows": [*["effect_reported"] * 3, "effect_unknown", *["effect_reported"] * 7],
    "postpone": [*[NOT] * 3, "retry_set", *[NOT] * 7],
    "stop trying": [NOT, NOT, NOT, NOT, NOT, NOT, WHO, WHO, NOT, "step_failed", NOT],
    "stop trying as another": [WHO] * 11,
    "check and it was done": [
        NOT,
        NOT,
        NOT,
        NOT,
        f"effect_checked+effect_settled+{ON}",
        NOT,
        WHO,
        WHO,
        NOT,
        NOT,
        NOT,
    ],
    "check and nobody can tell": [NOT, NOT, NOT, NOT, "effect_checked", NOT, WHO, WHO, NOT, NOT, NOT],
    "check as another": [WHO] * 11,
}


def test_the_matrix_has_every_command_and_every_state() -> None:
    assert list(MATRIX) == list(COMMANDS)
    assert (*LIVE, *ENDED) == tuple(STATES)
    assert {type(make(STATES["unknown"]())) for make in COMMANDS.values()} | ELSEWHERE == set(
        decisions.DECISIONS
    )


@cases("what", COMMANDS)
def test_what_a_command_comes_to_in_every_live_state(what: str) -> None:
    walks = [STATES[state]() for state in LIVE]
    assert [outcome(walk, COMMANDS[what](walk)) for walk in walks] == MATRIX[what]


@cases("state", ENDED)
@cases("what", COMMANDS)
def test_a_run_that_has_ended_accepts_nothing_and_says_so(state: str, what: str) -> None:
    walk = STATES[state]()
    command = COMMANDS[what](walk)
    if isinstance(command, commands.Report):
        assert outcome(walk, command) == "effect_reported"
        return
    with pytest.raises(Conflict, match=rf"has ended \({state}\)") as refused:
        walk.give(command)
    assert refused.value.code == "not_possible"


@cases("state", LIVE)
@cases("what", COMMANDS)
@cases("off", [-1, 1])
def test_a_revision_that_is_not_the_runs_is_refused_before_anything_else(
    state: str, what: str, off: int
) -> None:
    walk = STATES[state]()
    command = COMMANDS[what](walk)
    if hasattr(command, "revision"):
        assert outcome(walk, replace(command, revision=command.revision + off)) == "stale_revision"


@cases("state", STATES)
@cases("what", COMMANDS)
def test_a_refusal_changes_nothing_and_a_move_moves_by_one(state: str, what: str) -> None:
    walk = STATES[state]()
    before, told = walk.run, len(walk.events)
    made: list[Event] = []
    refused = ""
    try:
        made = walk.give(COMMANDS[what](walk))
    except ConsoleError as error:
        refused = error.message
    if refused:
        assert (walk.run, len(walk.events)) == (before, told)
        assert refused.endswith((".", "!"))
        assert "_" not in refused
        return
    moves = [
        event for event in made if event.type not in ("effect_reported", "effect_checked")
    ]  # news and a look move nothing
    assert walk.run.revision == before.revision + (1 if moves else 0)
    assert all(
        event.open.get("revision") == (walk.run.revision if event in moves else None) for event in made
    )
    assert all(event.n == 0 and event.at == walk.clock for event in made)


@cases(
    ("reason", "kept"),
    [
        ("x", "x"),
        ("  why \n", "why"),
        ("", None),
        (" ", None),
        ("\n\t", None),
        ("\u00a0", None),
        ("x" * 200_000, "x" * 200_000),
    ],
)
def test_a_reason_is_kept_without_the_blanks_around_it_or_asked_for(reason: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(Invalid) as refused:
            require_reason(reason)
        assert refused.value.details[0]["field"] == "reason"
    else:
        assert require_reason(reason) == kept


@cases("state", LIVE)
def test_asking_whether_a_step_can_be_handed_in_agrees_with_handing_it_in(state: str) -> None:
    walk = STATES[state]()
    for by in (OLIVIA, TOM):
        found = outcome(walk, commands.Complete(by, here(walk), walk.run.revision, "default"))
        if found == ON:
            assert require_completable(walk.run, by, here(walk), walk.run.revision).status == "open"
        else:
            with pytest.raises(Conflict) as refused:
                require_completable(walk.run, by, here(walk), walk.run.revision)
            assert refused.value.code == found


# ---------------------------------------------------------------------------------------------------------- what revising reaches


def test_only_what_a_person_completed_and_still_stands_can_be_revised() -> None:
    walk = started("apply")
    assert [each.step for each in cancelled_by(walk.run, 2)] == ["apply", "look"]
    assert revisable(walk.run, "read").n == 2
    assert revisable(walk.run, "read", 1).n == 2
    for wrong in (("read", 2), ("apply", None), ("nowhere", None), ("end", 1)):
        with pytest.raises(Conflict, match="nothing to revise"):
            revisable(walk.run, *wrong)


def test_revising_an_automatic_step_goes_back_to_what_a_person_did_before_it() -> None:
    walk = given(
        started("look", BY_ITSELF),
        commands.Fail("look", "x", "y"),
        commands.Complete(OLIVIA, "look", 0, "default"),
    )
    walk.give(commands.Fail("apply", "x", "y"))
    asked = [
        decide(walk.plan, walk.run, commands.Revise(OLIVIA, walk.run.revision, n, "again"), NOW)
        for n in (3, 2)
    ]
    assert [
        [(event.type, event.open.get("target_step")) for event in events if event.type == "step_revised"]
        for events in asked
    ] == [[("step_revised", "read")]] * 2


def test_revising_twice_counts_attempts_of_the_step_and_keeps_every_one() -> None:
    walk = started("apply")
    for again in (1, 2):
        walk.give(commands.Revise(OLIVIA, walk.run.revision, revisable(walk.run, "read").n, "again"))
        walk.answer(f"v{again}")
    attempts = [
        (each.step, each.attempt, each.status, each.revised) for _, each in sorted(walk.run.attempts.items())
    ]
    assert attempts == [
        ("start", 1, "done", False),
        ("read", 1, "done", True),
        ("look", 1, "cancelled", False),
        ("apply", 1, "cancelled", False),
        ("read", 2, "done", True),
        ("look", 2, "cancelled", False),
        ("read", 3, "done", False),
        ("look", 3, "open", False),
    ]
    assert walk.run.context["read"] == {"note": "v2"}


def test_a_run_before_it_exists_stands_at_its_start() -> None:
    run = opening(PLAN, OLIVIA, "operations", NOW)
    assert run.attempt is not None
    assert (run.attempt.step, run.attempt.status, run.holder, run.team, run.ended) == (
        "start",
        "open",
        OLIVIA,
        "operations",
        False,
    )


def test_a_step_that_waits_in_vain_goes_its_way_for_that_or_asks_a_person() -> None:
    way = plan([*STEPS[:2], step("look", "get_data", default="apply", late="read"), *STEPS[3:]], "look")
    for waits, last in (("late", "read"), (None, "look")):
        awaits = step_requests.Awaited("answer", "ans_1", SOON, waits)
        walk = given(
            started("look", way),
            commands.Complete(None, "look", 0, "default", {"asked": "x"}, awaits=awaits),
            commands.Fire(3),
        )
        assert (walk.run.status, here(walk)) == ("waiting_person", last)
        assert (walk.run.take_over is None) == (waits is not None)
        assert walk.run.attempts[3].status == ("done" if waits else "open")


def test_the_items_of_a_loop_are_attempts_that_no_limit_counts() -> None:
    walk = started("look", plan(STEPS, visit_limit=2))
    for number in range(2, 9):
        walk.give(commands.Complete(OLIVIA, "look", walk.run.revision, NEXT_ITEM, {"n": number}))
        assert (here(walk), walk.run.visits["look"], walk.run.entries("look")) == ("look", number, 1)
    walk.give(commands.Complete(OLIVIA, "look", walk.run.revision, "default"))
    assert here(walk) == "apply"


def test_a_step_may_hand_the_run_over_when_it_is_done() -> None:
    over = step_requests.Handover("disputes", "a chargeback")
    walk = given(started("look"), commands.Complete(OLIVIA, "look", 0, "default", hands_over=over))
    assert (here(walk), walk.run.holder, walk.run.last_holder) == ("apply", None, OLIVIA)
    assert (walk.run.ticket or {})["inbox"] == "disputes"
    walk.give(commands.TakeOver(TOM, walk.run.revision, False, False))
    assert (walk.run.holder, walk.run.ticket) == (TOM, None)
