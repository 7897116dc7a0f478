"""A run folded from events: its context, counts, screens, and folding in parts."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, strategies as st

from console.core.errors import Conflict
from console.core.run import MISSING_MANUAL, Attempt, Event, copied, fold
from tests.core.graphs import Walk, plans
from tests.core.test_run_events import AT, LATER, READING, UNKNOWN, done, entered
from tests.tables import cases


def test_context_after_revising_is_that_of_the_last_standing_attempt_of_each_step() -> None:
    events = [
        *READING,
        done(2, "read"),
        entered(3, "read", 2),
        done(3, "read", 2),
        entered(4, "apply"),
        Event("attempt_cancelled", AT, {"n": 4}),
        Event("step_revised", AT, {"n": 3}),
    ]
    assert fold(events).context == {"start": {"note": "start 1"}, "read": {"note": "read 1"}}


@cases(
    ("attempt", "context", "standing"),
    [
        (Attempt(1, "a", 1, "done", AT, values={"x": 1}), {"x": 1}, True),
        (Attempt(1, "a", 1, "done", AT, values={"x": 1}, output={}), {}, True),
        (Attempt(1, "a", 1, "done", AT, values={"x": 1}, output={"y": 2}), {"y": 2}, True),
        (
            Attempt(1, "a", 1, "done", AT, values={"x": 1}, handled_manually=True),
            {"x": 1, "missing": MISSING_MANUAL},
            True,
        ),
        (Attempt(1, "a", 1, "done", AT, revised=True), {}, False),
        (Attempt(1, "a", 1, "cancelled", AT), {}, False),
        (Attempt(1, "a", 1, "open", AT), {}, False),
        (Attempt(1, "a", 1, "performing", AT), {}, False),
        (Attempt(1, "a", 1, "failed", AT), {}, False),
        (Attempt(1, "a", 1, "skipped", AT), {}, False),
    ],
)
def test_what_an_attempt_leaves_to_later_steps(
    attempt: Attempt, context: Mapping[str, Any], standing: bool
) -> None:
    assert (attempt.context, attempt.standing) == (context, standing)


def test_the_unknown_effect_is_that_of_the_step_where_the_run_stands() -> None:
    run = fold(UNKNOWN)
    assert run.unknown is not None
    assert run.unknown.id == "eff_1"
    assert run.effect("eff_1") == (run.attempt, run.unknown)
    assert run.effect("eff_2") is None
    assert fold([*UNKNOWN, entered(4, "end")]).unknown is None
    assert [each.n for each in run.after(1)] == [2, 3]
    assert [each.n for each in fold([*UNKNOWN, Event("attempt_cancelled", AT, {"n": 2})]).after(1)] == [3]


def test_the_newest_screen_of_an_attempt_stands_and_an_erased_one_does_not_hide_it() -> None:
    shown = [Event("step_shown", AT, {"n": 2}, {"screen": {"title": title}}) for title in ("first", "second")]
    run = fold([*READING, *shown, Event("step_shown", LATER, {"n": 2})])
    assert run.screens == {2: {"title": "second"}}
    assert run.revision == fold(READING).revision


@given(plans(), st.integers(1, 12), st.data())
def test_folding_in_two_parts_is_folding_at_once(plan: Any, answers: int, data: st.DataObject) -> None:
    walk = Walk(plan).start()
    for number in range(answers):
        if walk.run.ended or walk.run.take_over is not None:
            break
        try:
            walk.answer(f"v{number}")
        except Conflict:  # the limit of visits
            break
    cut = data.draw(st.integers(0, len(walk.events)))
    first = fold(walk.events[:cut])
    kept = copied(first)
    assert fold(walk.events[cut:], first) == walk.run
    assert first == kept
