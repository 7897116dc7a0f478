"""What becomes of an automatic step whose change was refused, or nobody knows of: by the workflow's `on_error`, whoever holds the run or nobody does."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from console.core.run import FINAL, commands, fold
from console.core.run.commands import Plan
from console.core.run.step_requests import Wish
from tests.core.graphs import PEOPLE, Walk, plan, step

ON_ERROR = ("ask", "fail")
RESULTS = (
    "conflict",
    "validation",
    "http_422",
    "passing",
    "no_right",
    "unknown",
    "unknown_money",
    "after_the_first",
)
HOLDERS = ("held", "nobody", "after_a_wait")
WAYS = ("alone", "edge")


def a_plan(on_error: str, way: str) -> Plan:
    ways = {"default": "end"} | ({"error": "mend"} if way == "edge" else {})
    steps = [
        step("start", "start", default="look"),
        step("look", "guidance", default="pause"),
        step("pause", "wait", default="pay"),
        step("pay", "action", **ways),
        step("mend", "guidance", default="end"),
        step("end", "end"),
    ]
    return plan(steps, "pause", "pay", on_error=on_error)


def asked(on_error: str, holder: str, way: str, result: str) -> Walk:
    """A run whose automatic step has asked for its changes, held as named."""
    walk = Walk(a_plan(on_error, way)).start()
    if holder == "nobody":
        walk.run = replace(walk.run, last_holder=PEOPLE[0])
    walk.give(commands.Complete(walk.run.holder, "look", walk.run.revision, "default"))
    if holder == "after_a_wait":
        walk.give(commands.Wait("pause", "2026-11-20T10:00:00.000000Z", "default"))
        assert walk.run.current is not None
        walk.give(commands.Fire(walk.run.current))
    else:
        walk.give(commands.Complete(None, "pause", walk.run.revision, "default"))
    if holder == "nobody":
        walk.run = replace(walk.run, holder=None)
    request: dict[str, Any] = {"irreversible": True} if result == "unknown_money" else {}
    wishes = [Wish("eff_1", "http", "Pay", request), Wish("eff_2", "http", "Tell", request)]
    walk.give(commands.Complete(None, "pay", walk.run.revision, "default", effects=wishes))
    return walk


def report(walk: Walk, result: str) -> None:
    effect = "eff_1"
    if result == "after_the_first":
        walk.give(commands.Report("eff_1", "succeeded"))
        effect = "eff_2"
    status = "unknown" if result.startswith("unknown") else "failed"
    walk.give(
        commands.Report(
            effect,
            status,
            result,
            "It did not work.",
            [{"field": "", "reason": "No."}],
            asks=result == "no_right",
        )
    )


def expected(on_error: str, way: str, result: str) -> str:
    """Where the run stands: at its way for errors, with a person, with a person who settles it, or at its end."""
    if result == "unknown_money" or (result == "unknown" and on_error == "ask"):
        return "settle"
    if way == "edge" and result != "after_the_first":
        return "edge"
    return "failed" if on_error == "fail" and result != "no_right" else "asks"


@pytest.mark.parametrize("on_error", ON_ERROR)
def test_a_change_that_is_refused_or_unknown_obeys_on_error(on_error: str) -> None:
    for holder, way, result in itertools.product(HOLDERS, WAYS, RESULTS):
        walk = asked(on_error, holder, way, result)
        report(walk, result)
        run, place = walk.run, (holder, way, result)
        kinds = [event.type for event in walk.events]
        match expected(on_error, way, result):
            case "settle":
                assert (run.status, run.unknown is not None, run.take_over is not None) == (
                    "waiting_person",
                    True,
                    True,
                ), place
            case "edge":
                assert run.attempt is not None, place
                assert (run.status, run.attempt.step, run.context["pay"]["code"]) == (
                    "waiting_person",
                    "mend",
                    result,
                ), place
            case "asks":
                assert run.attempt is not None, place
                assert (run.status, run.attempt.step, run.attempt.status) == (
                    "waiting_person",
                    "pay",
                    "open",
                ), place
                assert run.take_over == {"code": result, "message": "It did not work."}, place
            case "failed":
                assert (run.status, run.reason, kinds[-2:]) == (
                    "failed",
                    "It did not work.",
                    ["step_failed", "run_failed"],
                ), place
        assert (run.status in FINAL) == (expected(on_error, way, result) == "failed"), place
        left = [
            effect
            for attempt in run.attempts.values()
            for effect in attempt.effects
            if effect.status == "requested"
        ]
        assert bool(left) == (expected(on_error, way, result) == "settle"), place
        if holder != "nobody":
            assert fold(walk.events) == run, place


def test_what_a_person_handed_in_is_theirs_whatever_the_workflow_says() -> None:
    for result in RESULTS:
        walk = Walk(a_plan("fail", "alone")).start()
        walk.give(commands.Complete(walk.run.holder, "look", walk.run.revision, "default"))
        walk.give(commands.Complete(None, "pause", walk.run.revision, "default"))
        walk.give(commands.Fail("pay", "asks", "By hand, please.", asks=True))
        wishes = [Wish("eff_1", "http", "Pay", {}), Wish("eff_2", "http", "Tell", {})]
        walk.give(commands.Complete(walk.run.holder, "pay", walk.run.revision, "default", effects=wishes))
        report(walk, result)
        assert walk.run.status == "waiting_person", result


def test_what_may_have_been_done_is_not_done_again_without_a_word() -> None:
    from console.core.run.repeating import former_changes, outstanding

    walk = asked("fail", "held", "edge", "unknown")
    report(walk, "unknown")
    assert walk.run.attempt is not None
    assert walk.run.attempt.step == "mend"
    assert [effect.id for _, effect in outstanding(walk.run, walk.run.attempts.values())] == ["eff_1"]
    standing = next(each.n for each in walk.run.attempts.values() if each.step == "look")
    walk.give(commands.Revise(walk.run.holder or "", walk.run.revision, standing, "Again."))
    walk.give(commands.Complete(walk.run.holder, "look", walk.run.revision, "default"))
    walk.give(commands.Complete(None, "pause", walk.run.revision, "default"))
    here = walk.run.attempt
    assert here is not None
    assert [effect.id for effect in former_changes(walk.run, here)] == ["eff_1"]


def test_a_run_that_has_ended_asks_nobody_to_say_what_they_found() -> None:
    from console.steps.effects import UNKNOWN, http

    for words in (f"It answered with status 503. {http.LOOK_THERE}", UNKNOWN):
        walk = asked("fail", "held", "alone", "unknown")
        walk.give(commands.Report("eff_1", "unknown", "unknown", words))
        assert (walk.run.status, walk.run.reason) == (
            "failed",
            f"{words.rpartition(' Look')[0]} Look there before it is done again.",
        )
