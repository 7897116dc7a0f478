"""Whatever people do, in whatever workflow: the log tells the whole run, revising loses nothing, and an end is an end."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.core.errors import Conflict, ConsoleError
from console.core.events import KINDS
from console.core.run import FINAL, Event, Run, commands, fold, step_requests
from console.core.run.entry_events import with_told_entries
from tests.core.graphs import NOW, PEOPLE, Walk, plans

pytestmark = pytest.mark.lengthy

ACTS = (
    "answer",
    "other way",
    "save",
    "resume",
    "release",
    "take over",
    "revise",
    "abort",
    "retry",
    "effect",
    "stale",
    "stranger",
)


def act(walk: Walk, what: str, number: int) -> bool:
    """One thing that somebody does; False when it was refused, and then nothing has changed."""
    run, by = walk.run, PEOPLE[number % len(PEOPLE)]
    before = (run, len(walk.events))
    holder = run.holder or by
    try:
        match what:
            case "answer":
                walk.answer(f"v{number}")
            case "other way":
                walk.answer(f"v{number}", outcome="yes")
            case "save":
                walk.give(commands.Save(holder, run.revision, {"note": "half"}))
            case "resume":
                walk.give(commands.Resume(by, run.revision))
            case "release":
                walk.give(commands.Release(holder, run.revision))
            case "take over":
                walk.give(commands.TakeOver(by, run.revision, entitled=number % 2 == 0, idle=False))
            case "revise":
                standing = [each.n for each in run.attempts.values() if each.standing]
                walk.give(commands.Revise(holder, run.revision, standing[number % len(standing)], "wrong"))
            case "abort":
                walk.give(commands.Abort(holder, run.revision, "enough")) if number == 0 else walk.give(
                    commands.Abort(holder, run.revision, " ")
                )
            case "retry":
                walk.give(commands.Retry(holder, run.revision))
                walk.by_itself()
            case "effect":
                with_effect(walk, number)
            case "stale":
                walk.give(commands.Save(holder, run.revision - 1))
            case "stranger":
                walk.give(commands.Complete("usr_stan", "s0", run.revision, "default"))
    except ConsoleError:
        assert what in ("answer", "other way", "retry", "effect") or (walk.run, len(walk.events)) == before
        return False
    except (AssertionError, IndexError):
        return False
    return True


def with_effect(walk: Walk, number: int) -> None:
    """A step that writes: handed in, then told what came of it, at times only after a person has settled it."""
    here = walk.run.attempt
    assert here is not None
    effect = f"eff_{len(walk.events)}"
    wish = step_requests.Wish(
        effect, "sql_write", "Update email", {"changes": {"email": {"old": "a", "new": "b"}}}
    )
    walk.give(
        commands.Complete(
            walk.run.holder, here.step, walk.run.revision, "default", {"note": "w"}, None, [wish]
        )
    )
    told = ("succeeded", "failed", "unknown")[number % 3]
    walk.give(
        commands.Report(effect, told, "record_changed", "It moved.", [{"field": "email", "reason": "moved"}])
    )
    if told == "unknown":
        walk.give(
            commands.Settle(walk.run.holder or "", walk.run.revision, effect, number % 2 == 0, "looked")
        )
        if number % 2:
            walk.give(commands.Report(effect, "succeeded"))
    walk.by_itself()


moves = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5)), max_size=25)


@settings(max_examples=150)
@given(plans(), moves)
def test_the_log_tells_the_whole_run_after_every_command(plan: Any, todo: list[tuple[str, int]]) -> None:
    walk = Walk(plan).start()
    for what, number in todo:
        seq, revision = walk.run.seq, walk.run.revision
        told = len(walk.events)
        act(walk, what, number)
        assert fold(walk.events) == walk.run
        assert not [
            (event.type, KINDS[event.type].unknown(event.open, event.sealed))
            for event in walk.events[told:]
            if KINDS[event.type].unknown(event.open, event.sealed)
        ]
        assert walk.run.seq == len(walk.events) == seq + len(walk.events) - told
        assert walk.run.revision >= revision


@settings(max_examples=150)
@given(plans(), moves)
def test_entries_that_what_follows_tells_leave_the_same_run(plan: Any, todo: list[tuple[str, int]]) -> None:
    walk = Walk(plan).start()
    told = with_told_entries(walk.events)
    for what, number in todo:
        before = len(walk.events)
        act(walk, what, number)
        told += with_told_entries(walk.events[before:])
    after = fold(told)
    assert after.seq == len(told)
    after.seq = walk.run.seq
    assert after == walk.run
    left_out = len(walk.events) - len(told)
    assert left_out == len([event for event in told if "entered" in event.open])
    assert not [event for event in told if KINDS[event.type].unknown(event.open, event.sealed)]


@settings(max_examples=150)
@given(plans(), moves)
def test_a_live_run_stands_at_one_attempt_and_context_is_what_stands(
    plan: Any, todo: list[tuple[str, int]]
) -> None:
    walk = Walk(plan).start()
    for what, number in todo:
        act(walk, what, number)
        run = walk.run
        unfinished = [each.n for each in run.attempts.values() if each.status in ("open", "performing")]
        assert unfinished == ([] if run.ended else [run.current])
        assert sorted(run.attempts) == list(range(1, run.made + 1))
        standing = {each.step: each.context for _, each in sorted(run.attempts.items()) if each.standing}
        assert run.context == standing
        assert (run.holder is None) or run.status not in FINAL | {"saved"}
        assert all(each.attempt <= run.visits[each.step] for each in run.attempts.values())


@settings(max_examples=200)
@given(
    plans(), st.lists(st.sampled_from(["answer", "other way"]), min_size=1, max_size=8), st.integers(0, 30)
)
def test_revising_and_answering_the_same_is_as_if_one_had_never_left(
    plan: Any, todo: list[str], which: int
) -> None:
    walk = Walk(plan).start()
    for number, what in enumerate(todo):
        before = (walk.run, list(walk.events))
        act(walk, what, number)
        if (
            walk.run.ended or walk.run.take_over is not None
        ):  # one answer too many: stop where somebody still could revise
            walk.run, walk.events = before
            break
    run = walk.run
    targets = [
        each
        for each in run.attempts.values()
        if each.standing and each.n > 1 and each.step not in plan.automatic
    ]
    if run.ended or run.take_over is not None or not targets:
        return
    target = targets[which % len(targets)]
    again = [
        each
        for each in run.attempts.values()
        if each.n >= target.n and each.standing and each.step not in plan.automatic
    ]
    walk.give(commands.Revise(run.holder or "", run.revision, target.n, "look again"))
    assert walk.run.attempt is not None
    assert walk.run.attempt.defaults == dict(target.values)
    try:
        for each in again:
            if walk.run.take_over is not None:  # so it was for an automatic step, which asks now
                break
            walk.answer(each.values["note"], outcome=each.outcome)
    except Conflict:  # the limit of visits was reached on the way
        return
    after, here = walk.run, walk.run.attempt
    if after.take_over is not None:
        assert "limit" in after.take_over["message"]
        return
    assert here is not None
    assert run.attempt is not None
    assert (after.status, after.holder, here.step, after.context) == (
        run.status,
        run.holder,
        run.attempt.step,
        run.context,
    )


@settings(max_examples=100)
@given(plans(), moves, st.sampled_from(ACTS), st.integers(0, 5))
def test_nothing_is_accepted_after_the_end(
    plan: Any, todo: list[tuple[str, int]], what: str, number: int
) -> None:
    walk = Walk(plan).start()
    for each, value in todo:
        act(walk, each, value)
    if not walk.run.ended:
        if walk.run.unknown is not None:
            walk.give(
                commands.Settle(walk.run.holder or "", walk.run.revision, walk.run.unknown.id, True, "looked")
            )
        if walk.run.status == "saved":
            walk.give(commands.Resume(PEOPLE[0], walk.run.revision))
        if not walk.run.ended:
            walk.give(commands.Cancel("usr_mona", walk.run.revision, "closed"))
    told, state = len(walk.events), walk.run
    assert not act(walk, what, number)
    assert (walk.run, len(walk.events)) == (state, told)
    walk.give(commands.Report("eff_late", "succeeded"))
    assert walk.events[-1].type == "effect_reported"
    assert walk.run.status == state.status
    assert walk.run.attempts == state.attempts


@given(plans(), moves)
def test_no_event_is_ever_rewritten(plan: Any, todo: list[tuple[str, int]]) -> None:
    walk = Walk(plan).start()
    before = list(walk.events)
    for what, number in todo:
        act(walk, what, number)
        assert walk.events[: len(before)] == before
        before = list(walk.events)


def test_a_run_that_has_no_event_is_empty() -> None:
    assert fold([]) == Run()


def asked(run: Run, number: int) -> list[Event]:
    """A proposal is asked for at one of the attempts, and for some of them an answer comes."""
    n = sorted(run.attempts)[number % len(run.attempts)]
    at, call = run.attempts[n], f"aic_{number % 3}"
    step, told = (at.step, at.attempt), {"n": n, "call": call}
    wanted = {
        **told,
        "for": PEOPLE[number % 3],
        "purpose": "propose",
        "fields": ["note"],
        "fill": "medium",
        "deadline": "2026-11-20T09:00:08.000000Z",
    }
    made = {**told, "origin": "rules", "mode": "assist", "outcome": None, "flags": [], "dropped": []}
    found = {
        "proposal": {
            "fields": [{"name": "note", "value": "n", "confidence": "high", "reason": "r", "sources": []}],
            "choice": None,
            "banner": None,
        }
    }
    events = [
        Event("proposal_requested", NOW, wanted, {}, step),
        Event("proposal_made", NOW, made, found, step),
        Event(
            "proposal_failed", NOW, {**told, "code": "timeout", "status": "failed"}, {"message": "m"}, step
        ),
    ]
    return [events[number % 3], events[(number + 1) % 3]]


@given(plans(), moves, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12))
def test_proposals_at_any_moment_change_nothing_but_the_proposal(
    plan: Any, todo: list[tuple[str, int]], inserted: list[tuple[int, int]]
) -> None:
    walk = Walk(plan).start()
    for what, number in todo:
        act(walk, what, number)
    events = list(walk.events)
    for place, number in inserted:
        here = 1 + place % len(events)
        run = fold(events[:here])
        if run.attempts:
            events[here:here] = asked(run, number)
    without, after = fold(walk.events), fold(events)
    for name in set(Run.__dataclass_fields__) - {"seq", "attempts"}:
        assert getattr(after, name) == getattr(without, name), name
    assert after.seq == len(events)
    assert {n: each._replace(proposal=None) for n, each in after.attempts.items()} == without.attempts
