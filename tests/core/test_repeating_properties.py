"""Effects in random walks: what was made is never asked for again unless a person says so."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings, strategies as st

from console.core.errors import ConsoleError
from console.core.run import commands, fold
from console.core.run.commands import Plan
from console.core.run.repeating import former_changes, outstanding
from tests.core.graphs import Walk
from tests.core.test_repeating import OLIVIA, PLAIN, WAYS, at_pay, back_to, came, pays, undo

# --------------------------------------------------------------------------------------------------------------- whatever


ACTS = (
    "pay",
    "pay",
    "keep",
    "again",
    "compensate",
    "on",
    "revise pay",
    "revise look",
    "undo and revise",
    "abort",
    "settle",
    "leave",
    "late",
)
TOLD = ("succeeded", "succeeded", "failed", "unknown")


class People:
    """Somebody who does anything, and a provider who answers anything; what left is counted by what it asks for."""

    def __init__(self, plan_: Plan) -> None:
        self.walk = at_pay(plan_)

    def act(self, what: str, amount: int, told: str) -> None:
        walk, run = self.walk, self.walk.run
        if what in ("pay", "keep", "again", "compensate") and run.attempt and run.attempt.step == "pay":
            more = {"repeat": what, "reason": "Said."} if what != "pay" else {}
            own = [effect for _, effect in outstanding(run, [run.attempt])]
            back = (
                [undo(each) for each in [*own, *former_changes(run, run.attempt)]]
                if what == "compensate"
                else []
            )
            wishes = [replace(each, id=f"{each.id}_{len(walk.events)}") for each in back]
            pays(walk, amount, compensations=wishes, **more)
        elif what == "on":
            walk.answer("on")
        elif what.startswith("revise"):
            back_to(walk, what.removeprefix("revise "))
        elif what in ("undo and revise", "abort"):
            there = [run.attempts[n] for n in sorted(run.attempts, reverse=True)]
            wishes = [
                replace(undo(effect), id=f"undo_{effect.id}_{len(walk.events)}")
                for _, effect in outstanding(run, there)
            ]
            if what == "abort":
                walk.give(commands.Abort(OLIVIA, run.revision, "enough", wishes))
            else:
                back_to(walk, compensations=wishes)
        elif what in ("settle", "leave") and run.unknown is not None:
            walk.give(
                commands.Settle(
                    OLIVIA, run.revision, run.unknown.id, amount == 1, "Looked.", left=what == "leave"
                )
            )
        elif what == "late" and run.unknown is not None:
            walk.give(commands.Report(run.unknown.id, "succeeded"))
        if walk.run.wanted is not None and walk.run.status == "waiting_event":
            came(walk, told)


@settings(max_examples=300)
@given(
    st.sampled_from([PLAIN, WAYS]),
    st.lists(
        st.tuples(st.sampled_from(ACTS), st.sampled_from([1, 1, 2]), st.sampled_from(TOLD)), max_size=20
    ),
)
def test_an_effect_that_succeeded_is_never_asked_for_again_unless_a_person_says_so(
    plan_: Plan, todo: list[tuple[str, int, str]]
) -> None:
    people = People(plan_)
    for what, amount, told in todo:
        walk = people.walk
        if walk.run.ended:
            break
        before, seen = walk.run, len(walk.events)
        try:
            people.act(what, amount, told)
        except (ConsoleError, ValueError, AssertionError, StopIteration):
            assert len(walk.events) >= seen
        for event in walk.events[seen:]:
            if event.type == "effect_requested" and "compensates" not in event.open and what != "again":
                assert not unasked(before, event, what), (what, event)
        assert fold(walk.events) == walk.run
    taken_back_once(people.walk)


def unasked(before: Any, event: Any, what: str) -> bool:
    """Whether something was made for this step before that neither stands nor was taken back by what follows."""
    here = before.attempt
    made = (
        [effect for _, effect in outstanding(before, [here])] + former_changes(before, here)
        if here and here.step == "pay"
        else []
    )
    return bool(made) and what != "compensate"


def taken_back_once(walk: Walk) -> None:
    """Nothing is taken back twice, and nothing that was not done."""
    every = {effect.id: effect for attempt in walk.run.attempts.values() for effect in attempt.effects}
    back = [
        effect.compensates for effect in every.values() if effect.compensates and effect.status == "succeeded"
    ]
    assert len(back) == len(set(back))
    assert all(every[each].status == "succeeded" for each in back)
