"""Rules of runs that nobody holds: an effect and then a wait for what comes of it, failure without anybody to ask, and whose rights count."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.core.errors import Conflict, ConsoleError
from console.core.events import KINDS
from console.core.run import commands, fold
from console.core.run.commands import Plan
from console.core.run.entry_events import with_told_entries
from console.core.run.origin import StartedBy
from console.core.run.step_requests import Awaited, SideRow, Wish
from tests.core.graphs import NOW, Walk, plan, step

ROBOT = "usr_robot"
UNTIL = NOW + timedelta(days=2)


def calls(on_error: str = "fail", **ways: str) -> Plan:
    """Call, wait for the outcome of the call, and go on by it."""
    steps = [
        step("start", "start", default="call"),
        step("call", "action", **({"answered": "done", "no_answer": "later", "default": "later"} | ways)),
        step("later", "action", default="end"),
        step("done", "action", default="end"),
        step("end", "end"),
    ]
    return plan(steps, "call", "later", "done", on_error=on_error)


def begun(of: Plan) -> Walk:
    walk = Walk(of)
    more: dict[str, Any] = {
        "acts_for": ROBOT,
        "origin": StartedBy("nightly", "schedule"),
        "trigger": "schedule",
        "key": "k",
    }
    walk.give(
        commands.Start(
            None, "run_1", "operations", 1, "wf_1", "customer", "17", None, {"n": 1}, {"n": 1}, **more
        )
    )
    return walk


def called(of: Plan) -> Walk:
    """The call is asked for; its outcome will be waited for."""
    walk = begun(of)
    waits = Awaited("event", "call_1", UNTIL, "no_answer")
    walk.give(
        commands.Complete(
            None,
            "call",
            walk.run.revision,
            "default",
            {},
            {"to": "+1"},
            [Wish("eff_1", "call", "Call", {})],
            awaits=waits,
        )
    )
    return walk


def report(walk: Walk, status: str) -> None:
    walk.give(
        commands.Report(
            "eff_1",
            status,
            "busy",
            "It did not work.",
            result={"id": "c9"} if status == "succeeded" else None,
        )
    )


def arrive(walk: Walk) -> None:
    walk.give(commands.Arrive("call_1", "answered", None, {"label": "interested"}))


def test_a_message_a_wait_and_a_tag_tell_when_their_steps_were_entered() -> None:
    line = [("start", "start"), ("mail", "email"), ("rest", "wait"), ("tag", "add_tag"), ("end", "end")]
    steps = [step(name, kind, default=to) for (name, kind), (to, _) in itertools.pairwise(line)]
    walk = begun(plan([*steps, step("end", "end")], "mail", "rest", "tag", on_error="fail"))
    asked = SideRow(
        "message_asked",
        {"message_id": "msg_1", "channel": "email", "effect": "eff_1"},
        {"content": {"text": "Hello"}},
    )
    walk.give(
        commands.Complete(
            None,
            "mail",
            walk.run.revision,
            "default",
            {},
            {},
            side_rows=[asked],
            awaits=Awaited("message", "msg_1"),
        )
    )
    walk.give(commands.Arrive("msg_1", "default", None, {"status": "sent"}))
    walk.give(
        commands.Complete(
            None,
            "rest",
            walk.run.revision,
            "default",
            {},
            {},
            awaits=Awaited("event", "awt_1", UNTIL, "default"),
        )
    )
    walk.give(commands.Arrive("awt_1", "default", None, {}))
    walk.give(
        commands.Complete(
            None,
            "tag",
            walk.run.revision,
            "default",
            {},
            {},
            side_rows=[SideRow("tag_added", {"tag": "t"}, {})],
        )
    )
    told = with_told_entries(walk.events)
    assert [event.type for event in told if "entered" in event.open] == [
        "step_completed",
        "message_asked",
        "step_submitted",
        "tag_added",
    ]
    after = fold(told)
    assert after.seq == len(told) == len(walk.events) - 4
    after.seq = walk.run.seq
    assert after == walk.run
    assert not [event for event in told if KINDS[event.type].unknown(event.open, event.sealed)]


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["effect", "answer", "answer again"])), ids=" then ".join
)
def test_the_answer_counts_whenever_it_comes_and_once(order: tuple[str, ...]) -> None:
    walk, answers = called(calls()), 0
    for what in order:
        if what == "effect":
            report(walk, "succeeded")
            continue
        try:
            arrive(walk)
            answers += 1
        except ConsoleError:
            continue
    assert answers == 1
    assert walk.run.attempt is not None
    assert walk.run.attempt.step == "done"
    assert walk.run.context["call"] == {"to": "+1", "result": {"id": "c9"}, "label": "interested"}
    assert fold(walk.events) == walk.run
    assert not [event for event in walk.events if KINDS[event.type].unknown(event.open, event.sealed)]


def test_what_becomes_of_a_call_that_is_refused_or_unknown_or_never_ends() -> None:
    for on_error, status in itertools.product(("ask", "fail"), ("failed", "unknown", "nothing")):
        walk = called(calls(on_error))
        if status == "nothing":
            report(walk, "succeeded")
            assert walk.run.waiting == {
                "for": "event",
                "key": "call_1",
                "until": "2026-11-22T09:00:00.000000Z",
                "outcome": "no_answer",
            }
            walk.clock = UNTIL
            walk.give(commands.Fire(walk.run.current or 0))
            assert walk.run.attempt is not None
            assert walk.run.attempt.step == "later"
        else:
            report(walk, status)
            assert walk.run.status == ("failed" if on_error == "fail" else "waiting_person"), (
                on_error,
                status,
            )
            assert walk.run.holder is None
        assert fold(walk.events) == walk.run


def test_an_answer_settles_a_call_of_which_nobody_knew() -> None:
    walk = called(calls("ask"))
    report(walk, "unknown")
    assert walk.run.unknown is not None
    arrive(walk)
    assert (walk.run.status, walk.run.attempt and walk.run.attempt.step) == ("running", "done")
    assert fold(walk.events) == walk.run


def test_an_answer_that_came_before_the_call_was_refused_changes_nothing() -> None:
    walk = called(calls("ask"))
    arrive(walk)
    report(walk, "failed")
    assert (walk.run.status, walk.run.waiting) == ("waiting_person", None)


def test_a_person_who_helps_holds_it_only_as_long_as_they_work_on_it() -> None:
    walk = begun(calls("ask"))
    walk.give(commands.Fail("call", "source_down", "The source is away.", edge=True))
    assert (walk.run.status, walk.run.holder, walk.run.acts_for) == ("waiting_person", None, ROBOT)
    walk.give(commands.Resume("usr_mona", walk.run.revision))
    assert (walk.run.holder, walk.run.acts_for) == ("usr_mona", ROBOT)
    walk.give(commands.Retry("usr_mona", walk.run.revision))
    assert (walk.run.status, walk.run.holder, walk.run.acts_for) == ("running", None, ROBOT)
    with pytest.raises(Conflict):
        walk.give(commands.Retry("usr_mona", walk.run.revision))
    walk.give(commands.Fail("call", "source_down", "Still away.", edge=True))
    walk.give(commands.Resume("usr_mona", walk.run.revision))
    walk.give(commands.Complete("usr_mona", "call", walk.run.revision, "no_answer", handled_manually=True))
    assert (walk.run.attempt and walk.run.attempt.step, walk.run.holder, walk.run.last_holder) == (
        "later",
        None,
        "usr_mona",
    )
    assert fold(walk.events) == walk.run


def test_what_a_person_handed_in_is_made_with_their_rights() -> None:
    walk = begun(calls("ask"))
    walk.give(commands.Fail("call", "no", "No."))
    walk.give(commands.Resume("usr_mona", walk.run.revision))
    walk.give(
        commands.Complete(
            "usr_mona", "call", walk.run.revision, "default", effects=[Wish("eff_2", "http", "Tell", {})]
        )
    )
    assert walk.run.acts_for == "usr_mona"
    walk.give(commands.Report("eff_2", "succeeded"))
    assert (walk.run.acts_for, walk.run.holder) == (ROBOT, None)


ACTS = (
    "step",
    "call",
    "succeeded",
    "failed",
    "unknown",
    "arrive",
    "fire",
    "delay",
    "fail",
    "resume",
    "retry",
    "by hand",
    "settle",
    "abort",
    "cancel",
    "save",
)


def act(walk: Walk, what: str) -> None:
    run, here, mona = walk.run, walk.run.attempt, "usr_mona"
    step_id = here.step if here is not None else "call"
    match what:
        case "step":
            ends = None if walk.plan.workflow.step(step_id).next else "done"
            walk.give(
                commands.Complete(None, step_id, run.revision, "default", {}, {"v": run.seq}, ends=ends)
            )
        case "call":
            waits = Awaited("event", f"call_{run.made}", walk.clock + timedelta(days=1), None)
            walk.give(
                commands.Complete(
                    None,
                    step_id,
                    run.revision,
                    "default",
                    {},
                    None,
                    [Wish(f"eff_{run.seq}", "call", "Call", {})],
                    awaits=waits,
                )
            )
        case "succeeded" | "failed" | "unknown":
            effect = (
                next((each for each in here.effects if each.status in ("requested", "unknown")), None)
                if here
                else None
            )
            walk.give(commands.Report(effect.id if effect else "eff_none", what, "code", "Words."))
        case "arrive":
            walk.give(commands.Arrive(f"call_{run.made}", "default", None, {"label": "yes"}))
        case "fire":
            walk.clock += timedelta(days=3)
            walk.give(commands.Fire(run.current or 0))
        case "delay":
            walk.give(commands.Delay(step_id, "source_down", "Away.", "2026-11-25T00:00:00.000000Z"))
        case "fail":
            walk.give(commands.Fail(step_id, "no", "No.", edge=True))
        case "resume":
            walk.give(commands.Resume(mona, run.revision))
        case "retry":
            walk.give(commands.Retry(mona, run.revision))
        case "by hand":
            walk.give(
                commands.Complete(
                    mona, step_id, run.revision, "default", {"note": "n"}, handled_manually=True
                )
            )
        case "settle":
            walk.give(
                commands.Settle(
                    mona, run.revision, run.unknown.id if run.unknown else "none", run.seq % 2 == 0, "looked"
                )
            )
        case "abort":
            walk.give(commands.Abort(mona, run.revision, "enough"))
        case "cancel":
            walk.give(commands.Cancel(mona, run.revision, "enough"))
        case "save":
            walk.give(commands.Save(mona, run.revision))


@settings(max_examples=200)
@given(st.sampled_from(("ask", "fail")), st.lists(st.sampled_from(ACTS), max_size=30))
def test_whatever_happens_the_log_tells_the_run_and_nobody_holds_it_while_it_goes_by_itself(
    on_error: str, todo: list[str]
) -> None:
    walk = begun(calls(on_error))
    for what in todo:
        before, told = walk.run, len(walk.events)
        try:
            act(walk, what)
        except ConsoleError:
            assert (walk.run, len(walk.events)) == (before, told)
        run = walk.run
        assert fold(walk.events) == run
        assert not [
            event.type for event in walk.events[told:] if KINDS[event.type].unknown(event.open, event.sealed)
        ]
        assert run.holder is None or run.status not in ("running", "waiting_time", "saved")
        assert not (before.ended and run.status != before.status)
        assert [each.n for each in run.attempts.values() if each.status in ("open", "performing")] == (
            [] if run.ended else [run.current]
        )
