"""Each command: given a run at some point, when it is asked for, then these events, or a refusal that says why."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from console.core.errors import Conflict, ConsoleError, Invalid
from console.core.run import commands, going_back, step_requests
from console.core.run.commands import Plan
from tests.core.graphs import NOW, Walk, plan, step
from tests.tables import cases

OLIVIA, TOM = "usr_olivia", "usr_tom"
STEPS = [
    step("start", "start", default="read"),
    step("read", "guidance", default="check"),
    step("check", "decision", approve="apply", back="again", default="apply"),
    step("again", "go_to", default="read"),
    step("apply", "update_data", default="end"),
    step("end", "end"),
]
PLAN = plan(STEPS, visit_limit=3)


def at(place: str, plan_: Plan = PLAN) -> Walk:
    """A run that Olivia holds, at this step."""
    walk = Walk(plan_).start(OLIVIA)
    while walk.run.attempt is not None and walk.run.attempt.step != place:
        walk.answer("seen", "approve" if walk.run.attempt.step == "check" else None)
    return walk


def kinds(walk: Walk, since: int = 0) -> list[str]:
    """Kinds of the events after number `since`."""
    return [event.type for event in walk.events[since:]]


def saved() -> Walk:
    """A run that Olivia put aside at the decision."""
    walk = at("check")
    walk.give(commands.Save(OLIVIA, walk.run.revision, {"note": "half a sent"}))
    return walk


def submitted(told: str = "") -> Walk:
    """A run whose write is under way, or of which this came."""
    walk = at("apply")
    wish = step_requests.Wish(
        "eff_1", "sql_write", "Update email", {"changes": {"email": {"old": "a", "new": "b"}}}
    )
    walk.give(commands.Complete(OLIVIA, "apply", walk.run.revision, "default", {"email": "b"}, None, [wish]))
    if told:
        walk.give(
            commands.Report(
                "eff_1",
                told,
                "record_changed",
                "It moved.",
                [{"field": "email", "reason": "Tom changed it."}],
            )
        )
    return walk


def failed() -> Walk:
    """A run whose automatic step could not be done."""
    walk = Walk(plan(STEPS, "read"))
    walk.give(commands.Start(OLIVIA, "run_1", "operations", 1, "wf_1", "customer", "17", None, {}, {}))
    walk.give(commands.Fail("read", "source_down", "The data source does not answer."))
    return walk


def test_a_start_tells_who_what_and_where() -> None:
    walk = at("read")
    assert kinds(walk) == ["run_started", "step_entered", "step_completed", "step_entered"]
    run = walk.run
    assert (run.status, run.holder, run.started_by, run.record, run.exclusive_key) == (
        "waiting_person",
        OLIVIA,
        OLIVIA,
        "17",
        "wf_1|customer|17",
    )
    assert run.context == {"start": {"reason": "new"}}
    assert run.input == {"reason": "new"}


def test_completing_leads_on_by_the_outcome() -> None:
    walk = at("check")
    since = len(walk.events)
    walk.give(
        commands.Complete(OLIVIA, "check", walk.run.revision, "approve", {"note": "fine"}, chosen="Approve")
    )
    assert kinds(walk, since) == ["outcome_chosen", "step_completed", "step_entered"]
    assert walk.events[since].open["label"] == "Approve"
    assert walk.run.attempt is not None
    assert walk.run.attempt.step == "apply"
    assert walk.run.context["check"] == {"note": "fine"}


def test_an_end_completes_the_run_and_names_its_label() -> None:
    walk = at("apply").answer("done")
    assert kinds(walk)[-1] == "run_completed"
    assert (walk.run.status, walk.run.ending, walk.run.holder, walk.run.current) == (
        "completed",
        "done",
        None,
        None,
    )
    assert all(each.status in ("done", "cancelled") for each in walk.run.attempts.values())


def test_all_events_of_one_command_carry_one_revision() -> None:
    walk = at("read")
    revision, since = walk.run.revision, len(walk.events)
    walk.give(commands.Complete(OLIVIA, "read", revision, "default", {"note": "x"}))
    assert {event.open["revision"] for event in walk.events[since:]} == {revision + 1} == {walk.run.revision}


def test_handling_manually_is_an_event_and_leaves_a_mark_in_the_context() -> None:
    walk = at("read")
    walk.answer("typed", handled_manually=True, reason="the list was down")
    assert "handled_manually" in kinds(walk)
    assert walk.run.context["read"] == {"note": "typed", "missing": "handled manually"}


def test_saving_hands_the_draft_over_and_nobody_holds_the_run() -> None:
    walk = saved()
    assert walk.events[-1].sealed == {"draft": {"note": "half a sent"}}
    assert (walk.run.status, walk.run.holder, walk.run.last_holder) == ("saved", None, OLIVIA)


def test_a_colleague_resumes_at_the_same_attempt() -> None:
    walk = saved()
    place = walk.run.current
    walk.give(commands.Resume(TOM, walk.run.revision))
    assert (walk.run.status, walk.run.holder, walk.run.current) == ("waiting_person", TOM, place)


def test_revising_cancels_what_came_later_newest_first() -> None:
    walk = at("apply")
    target = going_back.revisable(walk.run, "read")
    since, made = len(walk.events), walk.run.made
    walk.give(commands.Revise(OLIVIA, walk.run.revision, target.n, "It was the wrong file."))
    assert kinds(walk, since) == ["attempt_cancelled", "attempt_cancelled", "step_revised", "step_entered"]
    assert [event.step for event in walk.events[since : since + 2]] == [("apply", 1), ("check", 1)]
    here = walk.run.attempt
    assert here is not None
    assert (here.step, here.attempt, here.n, here.replaces) == ("read", 2, made + 1, target.n)
    assert here.defaults == {"note": "seen"}
    assert walk.run.attempts[target.n].status == "done"
    assert set(walk.run.context) == {"start"}


def test_a_revised_attempt_cannot_be_revised_again() -> None:
    walk = at("apply")
    first = going_back.revisable(walk.run, "read")
    walk.give(commands.Revise(OLIVIA, walk.run.revision, first.n, "again"))
    with pytest.raises(Conflict):
        walk.give(commands.Revise(OLIVIA, walk.run.revision, first.n, "and again"))
    walk.answer("new")
    assert going_back.revisable(walk.run, "read").attempt == 2
    with pytest.raises(Conflict):
        going_back.revisable(walk.run, "check")


def test_a_write_is_asked_for_before_it_is_done() -> None:
    walk = submitted()
    assert kinds(walk)[-2:] == ["step_submitted", "effect_requested"]
    assert (walk.run.status, walk.run.waiting) == ("waiting_event", {"for": "effect", "until": None})
    assert walk.run.attempt is not None
    assert walk.run.attempt.status == "performing"


def test_a_write_that_succeeded_completes_the_step() -> None:
    walk = submitted("succeeded")
    assert kinds(walk)[-3:] == ["effect_succeeded", "step_completed", "step_entered"]
    assert walk.run.context["apply"] == {"email": "b"}


def test_a_refused_write_opens_the_form_again_with_what_was_typed() -> None:
    walk = submitted("failed")
    here = walk.run.attempt
    assert here is not None
    assert kinds(walk)[-2:] == ["effect_failed", "step_reopened"]
    assert (walk.run.status, here.status, here.defaults) == ("waiting_person", "open", {"email": "b"})
    assert here.errors == [{"field": "email", "reason": "Tom changed it."}]


def test_an_unknown_write_waits_for_a_person_who_says_it_was_done() -> None:
    walk = submitted("unknown")
    assert walk.run.unknown is not None
    assert walk.run.take_over == {"code": "record_changed", "message": "It moved."}
    walk.give(commands.Settle(OLIVIA, walk.run.revision, "eff_1", True, "I looked at the record."))
    assert kinds(walk)[-3:] == ["effect_settled", "step_completed", "step_entered"]
    assert walk.run.take_over is None


def test_an_unknown_write_that_was_not_done_is_performed_again_as_the_same_effect() -> None:
    walk = submitted("unknown")
    walk.give(commands.Settle(OLIVIA, walk.run.revision, "eff_1", False, "It still has the old value."))
    assert walk.run.waiting == {"for": "effect", "until": None}
    walk.give(commands.Report("eff_1", "succeeded"))
    attempt = next(each for each in walk.run.attempts.values() if each.step == "apply")
    assert [effect.id for effect in attempt.effects] == ["eff_1"]
    assert attempt.status == "done"


def test_a_step_that_fails_by_itself_asks_a_person_or_ends_the_run() -> None:
    walk = failed()
    assert (walk.run.status, walk.run.take_over) == (
        "waiting_person",
        {"code": "source_down", "message": "The data source does not answer."},
    )
    walk.give(commands.Retry(OLIVIA, walk.run.revision))
    assert (walk.run.status, walk.run.take_over) == ("running", None)
    hands_off = Walk(plan(STEPS, "read", on_error="fail"))
    hands_off.give(commands.Start(OLIVIA, "run_1", "operations", 1, "wf_1", None, None, None, {}, {}))
    hands_off.give(commands.Fail("read", "source_down", "Away."))
    assert (hands_off.run.status, hands_off.run.reason) == ("failed", "Away.")


def test_a_way_back_stops_at_the_limit_of_visits() -> None:
    walk = at("check")
    for _ in range(2):
        walk.answer("again", "back")
        walk.answer("seen")
    walk.answer("again", "back")
    assert walk.run.take_over is not None
    assert "3 times" in walk.run.take_over["message"]


@pytest.mark.parametrize(("keeps", "offered"), [(True, {"note": "seen"}), (False, None)])
def test_a_way_back_may_keep_what_was_typed_there(keeps: bool, offered: dict[str, str] | None) -> None:
    steps = [each | {"config": {"keep_answers": keeps}} if each["id"] == "again" else each for each in STEPS]
    walk = at("check", plan(steps, visit_limit=3)).answer("again", "back")
    assert walk.run.attempt is not None
    assert (walk.run.attempt.step, walk.run.attempt.attempt, walk.run.attempt.defaults) == (
        "read",
        2,
        offered,
    )
    assert walk.run.attempt.replaces is None


def test_a_result_after_the_end_is_noted_and_changes_nothing() -> None:
    walk = at("read")
    walk.give(commands.Abort(OLIVIA, walk.run.revision, "Only a try."))
    state = walk.run
    walk.give(commands.Report("eff_9", "succeeded"))
    assert walk.events[-1].type == "effect_reported"
    assert walk.run.status == state.status == "aborted"
    assert state.reason == "Only a try."
    assert [each.status for each in state.attempts.values()] == ["done", "cancelled"]


REFUSED: list[tuple[str, Callable[[], Walk], Callable[[Walk], Any], type[ConsoleError], str]] = [
    (
        "a tab from before",
        lambda: at("check"),
        lambda w: commands.Complete(OLIVIA, "read", w.run.revision - 1, "default"),
        Conflict,
        "stale_revision",
    ),
    (
        "another step",
        lambda: at("check"),
        lambda w: commands.Complete(OLIVIA, "read", w.run.revision, "default"),
        Conflict,
        "stale_revision",
    ),
    (
        "another person",
        lambda: at("check"),
        lambda w: commands.Complete(TOM, "check", w.run.revision, "approve"),
        Conflict,
        "not_holder",
    ),
    (
        "a saved run",
        saved,
        lambda w: commands.Complete(OLIVIA, "check", w.run.revision, "approve"),
        Conflict,
        "not_holder",
    ),
    (
        "while it writes",
        submitted,
        lambda w: commands.Complete(OLIVIA, "apply", w.run.revision, "default"),
        Conflict,
        "not_possible",
    ),
    (
        "before it is settled",
        lambda: submitted("unknown"),
        lambda w: commands.Complete(OLIVIA, "apply", w.run.revision, "default"),
        Conflict,
        "not_possible",
    ),
    (
        "saving another's",
        lambda: at("check"),
        lambda w: commands.Save(TOM, w.run.revision),
        Conflict,
        "not_holder",
    ),
    ("saving twice", saved, lambda w: commands.Save(None, w.run.revision), Conflict, "not_possible"),
    (
        "resuming what is open",
        lambda: at("check"),
        lambda w: commands.Resume(TOM, w.run.revision),
        Conflict,
        "not_possible",
    ),
    (
        "taking over too early",
        lambda: at("check"),
        lambda w: commands.TakeOver(TOM, w.run.revision, False, False),
        Conflict,
        "not_holder",
    ),
    (
        "taking over one's own",
        lambda: at("check"),
        lambda w: commands.TakeOver(OLIVIA, w.run.revision, True, True),
        Conflict,
        "not_possible",
    ),
    (
        "releasing another's",
        lambda: at("check"),
        lambda w: commands.Release(TOM, w.run.revision),
        Conflict,
        "not_holder",
    ),
    (
        "aborting without a reason",
        lambda: at("check"),
        lambda w: commands.Abort(OLIVIA, w.run.revision, "  "),
        Invalid,
        "invalid",
    ),
    (
        "aborting another's",
        lambda: at("check"),
        lambda w: commands.Abort(TOM, w.run.revision, "x"),
        Conflict,
        "not_holder",
    ),
    (
        "aborting while it writes",
        submitted,
        lambda w: commands.Abort(OLIVIA, w.run.revision, "x"),
        Conflict,
        "not_possible",
    ),
    (
        "cancelling without a reason",
        saved,
        lambda w: commands.Cancel("usr_mona", w.run.revision, ""),
        Invalid,
        "invalid",
    ),
    (
        "revising without a reason",
        lambda: at("check"),
        lambda w: commands.Revise(OLIVIA, w.run.revision, 2, ""),
        Invalid,
        "invalid",
    ),
    (
        "revising the start",
        lambda: at("check"),
        lambda w: commands.Revise(OLIVIA, w.run.revision, 1, "x"),
        Conflict,
        "not_possible",
    ),
    (
        "revising the open step",
        lambda: at("check"),
        lambda w: commands.Revise(OLIVIA, w.run.revision, 3, "x"),
        Conflict,
        "not_possible",
    ),
    (
        "revising while unknown",
        lambda: submitted("unknown"),
        lambda w: commands.Revise(OLIVIA, w.run.revision, 2, "x"),
        Conflict,
        "not_possible",
    ),
    (
        "revising a saved run",
        saved,
        lambda w: commands.Revise(OLIVIA, w.run.revision, 2, "x"),
        Conflict,
        "not_holder",
    ),
    (
        "trying again what did not fail",
        lambda: at("check"),
        lambda w: commands.Retry(OLIVIA, w.run.revision),
        Conflict,
        "not_possible",
    ),
    (
        "settling without a reason",
        lambda: submitted("unknown"),
        lambda w: commands.Settle(OLIVIA, w.run.revision, "eff_1", True, ""),
        Invalid,
        "invalid",
    ),
    (
        "settling what is known",
        lambda: at("check"),
        lambda w: commands.Settle(OLIVIA, w.run.revision, "eff_1", True, "x"),
        Conflict,
        "not_possible",
    ),
    (
        "settling another effect",
        lambda: submitted("unknown"),
        lambda w: commands.Settle(OLIVIA, w.run.revision, "eff_2", True, "x"),
        Conflict,
        "not_possible",
    ),
]


@cases(("name", "given", "command", "error", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(
    name: str, given: Callable[[], Walk], command: Callable[[Walk], Any], error: type[ConsoleError], code: str
) -> None:
    walk = given()
    before = (walk.run, list(walk.events))
    with pytest.raises(error) as told:
        walk.give(command(walk))
    assert told.value.code == code
    assert told.value.message
    assert (walk.run, walk.events) == before


def test_a_refusal_for_another_holder_names_who_it_is() -> None:
    walk = at("check")
    with pytest.raises(Conflict) as told:
        walk.give(commands.Complete(TOM, "check", walk.run.revision, "approve"))
    assert told.value.details[0]["reason"] == OLIVIA


@pytest.mark.parametrize(
    ("entitled", "idle", "why"), [(True, False, "entitled"), (False, True, "idle"), (True, True, "idle")]
)
def test_taking_over_from_an_idle_holder_or_with_the_right(entitled: bool, idle: bool, why: str) -> None:
    walk = at("check")
    walk.clock = NOW + timedelta(minutes=20)
    walk.give(commands.TakeOver(TOM, walk.run.revision, entitled, idle, {"note": "hers"}))
    told = walk.events[-1]
    assert (walk.run.holder, told.open["former_holder"], told.open["reason_code"], told.sealed) == (
        TOM,
        OLIVIA,
        why,
        {"draft": {"note": "hers"}},
    )


def test_a_released_run_may_be_taken_by_whoever_may() -> None:
    walk = at("check")
    walk.give(commands.Release(OLIVIA, walk.run.revision))
    assert walk.run.holder is None
    assert walk.run.status == "waiting_person"
    walk.give(commands.TakeOver(TOM, walk.run.revision, False, False))
    assert walk.run.holder == TOM


def test_a_choice_that_leads_nowhere_is_refused_before_anything_is_done() -> None:
    lonely = plan(
        [step("start", "start", default="ask"), step("ask", "decision", yes="end"), step("end", "end")]
    )
    walk = Walk(lonely).start()
    with pytest.raises(Invalid) as told:
        walk.give(
            commands.Complete(
                OLIVIA,
                "ask",
                walk.run.revision,
                "no",
                effects=[step_requests.Wish("eff_1", "sql_write", "x", {})],
            )
        )
    assert told.value.details[0]["field"] == "outcome"
    assert walk.run.attempt is not None
    assert walk.run.attempt.effects == ()
