"""What was made outside is not made again by accident, whatever people do: effects one after another, kept, done again, taken back."""

from typing import Any

import pytest

from console.core.errors import Conflict, Invalid
from console.core.run import Effect, commands, fold
from console.core.run.commands import Plan
from console.core.run.repeating import former_changes, outstanding
from console.core.run.step_requests import Wish
from tests.core.graphs import Walk, plan, step
from tests.tables import cases

OLIVIA, TOM = "usr_olivia", "usr_tom"
STEPS = [
    step("start", "start", default="look"),
    step("look", "guidance", default="pay"),
    step("pay", "trigger_action", default="after", error="mend"),
    step("mend", "guidance", default="after"),
    step("after", "guidance", default="back", done="end"),
    step("back", "go_to", default="pay"),
    step("end", "end"),
]
WAYS = plan(STEPS, visit_limit=9)
PLAIN = plan(
    [
        {**each, "next": {k: v for k, v in each["next"].items() if k != "error"}}
        for each in STEPS
        if each["id"] != "mend"
    ],
    visit_limit=9,
)


def pays(walk: Walk, *amounts: int, kind: str = "http", **more: Any) -> None:
    """Hand in the payment: an effect for each amount."""
    made = f"eff_{len(walk.events)}"
    wishes = [
        Wish(f"{made}_{n}", kind, f"Pay {amount}", {"amount": amount}) for n, amount in enumerate(amounts)
    ]
    assert walk.run.attempt is not None
    walk.give(
        commands.Complete(
            OLIVIA,
            walk.run.attempt.step,
            walk.run.revision,
            "default",
            {"amounts": list(amounts)},
            None,
            wishes,
            **more,
        )
    )


def came(walk: Walk, *told: str, **more: Any) -> Walk:
    """What comes of the effects that are to be made, in their order."""
    for status in told:
        assert walk.run.wanted is not None
        walk.give(commands.Report(walk.run.wanted.id, status, "x", "Said.", **more))
    return walk.by_itself()


def at_pay(plan_: Plan = PLAIN) -> Walk:
    return Walk(plan_).start().answer("seen")


def back_to(walk: Walk, step_id: str = "look", **more: Any) -> Walk:
    """Revise; where it was an earlier step, come to the payment again."""
    run = walk.run
    target = max(each.n for each in run.attempts.values() if each.step == step_id and each.standing)
    walk.give(commands.Revise(OLIVIA, run.revision, target, "wrong", **more))
    return walk.answer("again") if step_id == "look" and not more else walk


def undo(effect: Effect) -> Wish:
    return Wish(
        f"undo_{effect.id}", "http", f"Take back {effect.summary}", {"of": effect.id}, compensates=effect.id
    )


def effects(walk: Walk) -> list[tuple[str, str]]:
    """(summary, status) of every effect of the run, in the order asked for."""
    return [
        (each.summary, each.status)
        for _, attempt in sorted(walk.run.attempts.items())
        for each in attempt.effects
    ]


def sent(walk: Walk) -> list[str]:
    """What left: each effect that was reported as made, or asked for and not kept."""
    kept = {event.open["effect"] for event in walk.events if event.type == "effect_kept"}
    return [
        event.open["summary"]
        for event in walk.events
        if event.type == "effect_requested" and event.open["effect"] not in kept
    ]


# ------------------------------------------------------------------------------------------------------- one after another


def test_effects_are_made_in_order_and_none_while_an_earlier_one_is_open() -> None:
    walk = at_pay()
    pays(walk, 1, 2, 3)
    first = walk.run.wanted
    assert first is not None
    walk.give(commands.Report(first.id, "unknown", "timeout", "Silence."))
    assert (walk.run.wanted, walk.run.status, walk.run.unknown and walk.run.unknown.id) == (
        None,
        "waiting_person",
        first.id,
    )
    walk.give(commands.Settle(OLIVIA, walk.run.revision, first.id, True, "It is there."))
    assert walk.run.wanted is not None
    assert walk.run.wanted.number == 2
    came(walk, "succeeded", "succeeded")
    assert (walk.run.attempt and walk.run.attempt.step, fold(walk.events)) == ("after", walk.run)


def test_after_a_refusal_the_rest_is_not_begun_and_what_was_made_is_not_asked_for_again() -> None:
    walk = at_pay()
    pays(walk, 1, 2, 3)
    came(walk, "succeeded", "failed")
    assert effects(walk) == [("Pay 1", "succeeded"), ("Pay 2", "failed"), ("Pay 3", "failed")]
    assert [event.open.get("code") for event in walk.events if event.type == "effect_failed"] == [
        "x",
        "not_begun",
    ]
    assert walk.run.attempt is not None
    assert (walk.run.status, walk.run.attempt.status, walk.run.attempt.defaults) == (
        "waiting_person",
        "open",
        {"amounts": [1, 2, 3]},
    )
    pays(walk, 1, 2, 3)
    came(walk, "succeeded", "succeeded")
    assert [summary for summary, status in effects(walk) if status == "succeeded"] == [
        "Pay 1",
        "Pay 2",
        "Pay 3",
    ]
    assert walk.run.attempt is not None
    assert walk.run.attempt.step == "after"


def test_a_changed_wish_after_a_part_was_made_asks() -> None:
    walk = at_pay()
    pays(walk, 1, 2)
    came(walk, "succeeded", "failed")
    with pytest.raises(Conflict) as refused:
        pays(walk, 9, 2)
    assert refused.value.code == "already_done"
    pays(walk, 9, 2, repeat="again", reason="The first was too little.")
    came(walk, "succeeded", "succeeded")
    assert sent(walk) == ["Pay 1", "Pay 2", "Pay 9", "Pay 2"]


# --------------------------------------------------------------------------------------------------------------- may pass


def test_what_may_pass_is_put_off_and_counted_until_it_is_made() -> None:
    walk = at_pay()
    pays(walk, 1)
    wanted = walk.run.wanted
    assert wanted is not None
    for tries in (1, 2):
        until = f"2026-12-0{tries}T09:00:00.000000Z"
        walk.give(commands.Postpone(wanted.id, "busy", "Come back.", until))
        assert walk.run.status == "waiting_time"
        assert walk.run.waiting == {
            "for": "retry",
            "until": until,
            "tries": tries,
            "effect": wanted.id,
            "code": "busy",
            "message": "Come back.",
        }
        walk.give(commands.Fire(walk.run.current or 0))
        assert (walk.run.status, walk.run.tries, walk.run.wanted) == ("waiting_event", tries, wanted)
    came(walk, "succeeded")
    assert walk.run.tries == 0
    assert fold(walk.events) == walk.run


def test_who_stops_the_trying_has_the_form_with_what_was_typed() -> None:
    walk = at_pay()
    pays(walk, 1)
    assert walk.run.wanted is not None
    walk.give(commands.Postpone(walk.run.wanted.id, "busy", "Come back.", "2026-12-01T09:00:00.000000Z"))
    walk.give(commands.StopTrying(OLIVIA, walk.run.revision))
    here = walk.run.attempt
    assert here is not None
    assert (walk.run.status, here.status, here.defaults, here.errors) == (
        "waiting_person",
        "open",
        {"amounts": [1]},
        [{"field": "", "reason": "Come back."}],
    )
    assert effects(walk) == [("Pay 1", "failed")]


# ------------------------------------------------------------------------------------------------------------ edge `error`


@pytest.mark.parametrize("by_itself", [False, True])
def test_the_way_for_errors_is_taken_instead_of_asking(by_itself: bool) -> None:
    walk = at_pay(Plan(WAYS.workflow, WAYS.automatic | ({"pay"} if by_itself else set())))
    if by_itself:
        walk = Walk(walk.plan)
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
        walk.give(commands.Complete(OLIVIA, "look", walk.run.revision, "default", {}))
        walk.give(
            commands.Complete(
                None,
                "pay",
                walk.run.revision,
                "default",
                {},
                None,
                [Wish("eff_1", "http", "Pay 1", {"amount": 1})],
            )
        )
    else:
        pays(walk, 1)
    came(walk, "failed")
    here = walk.run.attempt
    assert here is not None
    assert (here.step, walk.run.status, walk.run.take_over) == ("mend", "waiting_person", None)
    assert [each.status for each in walk.run.attempts.values()] == ["done", "done", "failed", "open"]
    assert walk.run.context["pay"].keys() >= {"code", "error"}, "later steps can say what went wrong"
    assert fold(walk.events) == walk.run


def test_a_step_of_which_a_part_was_done_is_open_again_in_place_of_the_way_for_errors() -> None:
    walk = at_pay(WAYS)
    pays(walk, 1, 2)
    came(walk, "succeeded", "failed")
    here = walk.run.attempt
    assert here is not None
    assert (here.step, here.status, walk.run.status) == ("pay", "open", "waiting_person")
    pays(walk, 1, 2)
    assert [effect.request["amount"] for effect in walk.run.attempts[here.n].effects] == [1, 2, 2], (
        "the part that was done is not made twice"
    )


@cases(
    ("kind", "define"),
    [
        ("http", {"method": "GET", "path": "/balance"}),
        ("python", {"function": "screening.run", "repeatable": True}),
    ],
)
def test_what_may_be_repeated_is_no_change(kind: str, define: dict[str, Any]) -> None:
    walk = at_pay()
    asked = {"define": define}
    for answer in ("first", "second"):
        assert walk.run.attempt is not None
        walk.give(
            commands.Complete(
                OLIVIA,
                "pay",
                walk.run.revision,
                "default",
                {},
                None,
                [Wish(f"eff_{answer}", kind, "Ask", asked)],
            )
        )
        came(walk, "succeeded")
        if answer == "first":
            back_to(walk)
    assert [each.status for attempt in walk.run.attempts.values() for each in attempt.effects] == [
        "succeeded",
        "succeeded",
    ]


def test_a_step_that_fails_by_itself_takes_its_way_for_errors_unless_a_person_is_to_be_asked() -> None:
    def at(asks: bool, edge: bool) -> Walk:
        walk = Walk(plan(STEPS, "pay"))
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
        walk.give(commands.Complete(OLIVIA, "look", walk.run.revision, "default", {}))
        walk.give(commands.Fail("pay", "integration", "No.", asks, edge))
        return walk

    assert at(False, True).run.attempt.step == "mend"  # type: ignore[union-attr]
    assert at(False, False).run.take_over == {"code": "integration", "message": "No."}
    assert at(True, False).run.take_over == {"code": "integration", "message": "No."}


# ------------------------------------------------------------------------------------------------------- coming here again


def paid_and_back(*amounts: int, kind: str = "http", to: str = "look") -> Walk:
    walk = at_pay()
    pays(walk, *amounts, kind=kind)
    came(walk, *["succeeded"] * len(amounts), result={"id": "p"})
    return back_to(walk, to)


@pytest.mark.parametrize("to", ["look", "pay"])
@pytest.mark.parametrize(("amount", "offered"), [(1, ["keep", "again"]), (2, ["again"])])
def test_a_change_that_was_made_is_asked_about_and_kept_only_for_the_same_input(
    to: str, amount: int, offered: list[str]
) -> None:
    walk = paid_and_back(1, to=to)
    before = len(walk.events)
    with pytest.raises(Conflict) as refused:
        pays(walk, amount)
    assert (refused.value.code, [each["value"] for each in refused.value.details]) == (
        "already_done",
        offered,
    )
    assert refused.value.extra["effects"] == [
        {"id": former_changes(walk.run, walk.run.attempt)[0].id, "kind": "http", "summary": "Pay 1"}  # type: ignore[arg-type]
    ]
    assert len(walk.events) == before
    if "keep" not in offered:
        with pytest.raises(Conflict):
            pays(walk, amount, repeat="keep")
        return
    pays(walk, amount, repeat="keep", reason="It is what we want.")
    walk.by_itself()
    assert sent(walk) == ["Pay 1"]
    assert effects(walk) == [("Pay 1", "succeeded"), ("Pay 1", "succeeded")]
    assert walk.run.attempt is not None
    assert (walk.run.attempt.step, walk.run.context["pay"]["result"]) == ("after", {"id": "p"})
    assert fold(walk.events) == walk.run


def test_again_needs_a_reason_and_is_made_anew_under_another_key() -> None:
    walk = paid_and_back(1)
    with pytest.raises(Invalid) as refused:
        pays(walk, 1, repeat="again")
    assert refused.value.details[0]["field"] == "reason"
    pays(walk, 1, repeat="again", reason="It was sent to the wrong account.")
    came(walk, "succeeded")
    keys = [each.request["key"] for attempt in walk.run.attempts.values() for each in attempt.effects]
    assert len(set(keys)) == 2
    with pytest.raises(Invalid):
        pays(back_to(walk), 1, repeat="perhaps")


def test_compensate_takes_back_first_and_does_it_then() -> None:
    walk = paid_and_back(1, 2)
    assert walk.run.attempt is not None
    found = former_changes(walk.run, walk.run.attempt)
    assert [each.summary for each in found] == ["Pay 2", "Pay 1"], "newest first"
    with pytest.raises(Conflict, match="nothing that takes it back"):
        pays(walk, 3, repeat="compensate", compensations=[undo(found[0])])
    pays(walk, 3, repeat="compensate", compensations=[undo(each) for each in found])
    came(walk, "succeeded", "succeeded", "succeeded")
    assert sent(walk) == ["Pay 1", "Pay 2", "Take back Pay 2", "Take back Pay 1", "Pay 3"]
    again = back_to(walk)
    assert again.run.attempt is not None
    assert [each.summary for each in former_changes(again.run, again.run.attempt)] == ["Pay 3"], (
        "what was taken back is not asked about"
    )


def test_a_compensation_that_fails_asks_and_given_up_opens_the_form() -> None:
    walk = paid_and_back(1)
    assert walk.run.attempt is not None
    (before,) = former_changes(walk.run, walk.run.attempt)
    pays(walk, 3, repeat="compensate", compensations=[undo(before)])
    came(walk, "failed")
    assert (walk.run.status, walk.run.take_over) == ("waiting_person", {"code": "x", "message": "Said."})
    unsettled = walk.run.unknown
    assert unsettled is not None
    with pytest.raises(Conflict):
        walk.give(commands.Abort(OLIVIA, walk.run.revision, "enough"))
    walk.give(commands.Settle(OLIVIA, walk.run.revision, unsettled.id, False, "Once more."))
    came(walk, "failed")
    walk.give(commands.Settle(OLIVIA, walk.run.revision, unsettled.id, False, "It cannot be.", left=True))
    assert walk.run.attempt is not None
    assert (walk.run.status, walk.run.attempt.status) == ("waiting_person", "open")
    assert effects(walk)[-1] == ("Pay 3", "failed"), "it stood on the compensation"
    assert former_changes(walk.run, walk.run.attempt) == [before]
    assert fold(walk.events) == walk.run


@pytest.mark.parametrize("kind", ["sql_write"])
def test_a_change_that_names_what_it_replaces_asks_nobody(kind: str) -> None:
    walk = paid_and_back(1, kind=kind)
    pays(walk, 1, kind=kind)
    came(walk, "succeeded")
    assert sent(walk) == ["Pay 1", "Pay 1"]


def test_a_second_visit_of_a_step_that_stands_is_another_change() -> None:
    walk = at_pay()
    pays(walk, 1)
    came(walk, "succeeded").answer("on").by_itself()
    assert walk.run.attempt is not None
    assert (walk.run.attempt.step, walk.run.attempt.attempt, former_changes(walk.run, walk.run.attempt)) == (
        "pay",
        2,
        [],
    )
    pays(walk, 1)
    came(walk, "succeeded")
    assert sent(walk) == ["Pay 1", "Pay 1"]


def test_what_was_kept_counts_once_and_only_while_it_stands() -> None:
    walk = paid_and_back(1)
    pays(walk, 1, repeat="keep")
    walk.by_itself()
    assert [effect.id for _, effect in outstanding(walk.run, walk.run.attempts.values())] == [_first(walk).id]
    walk = back_to(walk)
    assert walk.run.attempt is not None
    assert former_changes(walk.run, walk.run.attempt) == [_first(walk)]


def _first(walk: Walk) -> Effect:
    return next(effect for _, attempt in sorted(walk.run.attempts.items()) for effect in attempt.effects)


# ------------------------------------------------------------------------------------------------------------ taking back


def test_a_revision_takes_back_newest_first_and_opens_the_form_then() -> None:
    walk = at_pay()
    pays(walk, 1)
    came(walk, "succeeded")
    walk.answer("on").by_itself()
    pays(walk, 2)
    came(walk, "succeeded")
    wishes = [
        undo(effect)
        for _, effect in outstanding(
            walk.run, [walk.run.attempts[n] for n in sorted(walk.run.attempts, reverse=True)]
        )
    ]
    back_to(walk, compensations=wishes)
    assert (walk.run.status, walk.run.attempt and walk.run.attempt.status) == ("waiting_event", "performing")
    came(walk, "succeeded", "succeeded")
    assert sent(walk)[-2:] == ["Take back Pay 2", "Take back Pay 1"]
    here = walk.run.attempt
    assert here is not None
    assert (here.step, here.status, here.defaults, walk.run.status) == (
        "look",
        "open",
        {"note": "seen"},
        "waiting_person",
    )
    with pytest.raises(Conflict):
        back_to(walk.answer("x"), "look", compensations=wishes)
    assert fold(walk.events) == walk.run


@pytest.mark.parametrize("left", [False, True])
def test_the_run_ends_when_what_is_to_be_taken_back_is_settled(left: bool) -> None:
    walk = at_pay()
    pays(walk, 1)
    came(walk, "succeeded")
    walk.give(commands.Abort(OLIVIA, walk.run.revision, "Not wanted", [undo(_first(walk))]))
    assert not walk.run.ended
    came(walk, "unknown")
    assert walk.run.unknown is not None
    walk.give(commands.Save(OLIVIA, walk.run.revision))
    walk.give(commands.Resume(TOM, walk.run.revision))
    walk.give(commands.Settle(TOM, walk.run.revision, walk.run.unknown.id, not left, "I looked.", left=left))
    assert (walk.run.status, walk.run.reason) == ("aborted", "Not wanted")
    assert effects(walk)[-1] == ("Take back Pay 1", "failed" if left else "succeeded")
    assert fold(walk.events) == walk.run


# --------------------------------------------------------------------------------------------------------------- checking


@pytest.mark.parametrize(
    ("found", "status", "step_id"),
    [
        ("done", "waiting_person", "after"),
        ("not_done", "waiting_event", "pay"),
        ("unclear", "waiting_person", "pay"),
    ],
)
def test_a_look_up_settles_what_it_can_tell(found: str, status: str, step_id: str) -> None:
    walk = at_pay()
    pays(walk, 1)
    came(walk, "unknown")
    assert walk.run.unknown is not None
    revision = walk.run.revision
    walk.give(commands.Check(OLIVIA, revision, walk.run.unknown.id, found, found={"id": "p"}))
    assert walk.run.attempt is not None
    assert (walk.run.status, walk.run.attempt.step, walk.run.revision) == (
        status,
        step_id,
        revision + (found != "unclear"),
    )
    assert fold(walk.events) == walk.run


@pytest.mark.parametrize(("status", "step_id"), [("succeeded", "after"), ("failed", "pay")])
def test_an_answer_after_all_settles_what_was_unknown(status: str, step_id: str) -> None:
    walk = at_pay()
    pays(walk, 1)
    wanted = walk.run.wanted
    assert wanted is not None
    came(walk, "unknown")
    walk.give(commands.Report(wanted.id, status, "late", "Here I am."))
    assert (walk.run.attempt and walk.run.attempt.step, walk.run.take_over, walk.run.unknown) == (
        step_id,
        None,
        None,
    )
    assert [event.type for event in walk.give(commands.Report(wanted.id, "succeeded"))] == ["effect_reported"]


def test_while_a_run_is_put_aside_nothing_moves_it() -> None:
    walk = at_pay()
    pays(walk, 1)
    wanted = walk.run.wanted
    assert wanted is not None
    came(walk, "unknown")
    walk.give(commands.Save(OLIVIA, walk.run.revision))
    assert [event.type for event in walk.give(commands.Report(wanted.id, "succeeded"))] == ["effect_reported"]
    assert (walk.run.status, walk.run.unknown and walk.run.unknown.id) == ("saved", wanted.id)
