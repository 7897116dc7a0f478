"""Four eyes as rules: nothing is asked for without the approvals needed, and no approval counts for anything but what it was given for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed
from console.core.run import FINAL, commands, fold, step_requests
from console.core.run.approving import ruled_out
from console.core.run.decisions import decide
from console.core.run.step_requests import ApprovalAsked
from tests.core.graphs import NOW, Walk, plan, step
from tests.tables import cases

OLIVIA, TOM, MONA, LENA, PETRA = "usr_olivia", "usr_tom", "usr_mona", "usr_lena", "usr_petra"
STEPS = [
    step("start", "start", default="read"),
    step("read", "guidance", default="charge"),
    step("charge", "update_data", default="look"),
    step("look", "guidance", default="ask"),
    step("ask", "approval", approved="end", rejected="look", expired="look"),
    step("end", "end"),
]
PLAN, BY_ITSELF = plan(STEPS, "ask"), plan(STEPS, "charge", "ask")
UNTIL = NOW + timedelta(days=2)


def wish(number: int = 1, amount: str = "900") -> step_requests.Wish:
    request = {"collection": "customer", "key": "17", "changes": {"balance": {"old": "1", "new": amount}}}
    return step_requests.Wish(f"eff_{number}", "sql_write", "Update balance", request)


def asked(approval: str = "apr_1", amount: str = "900", **more: Any) -> ApprovalAsked:
    told: dict[str, Any] = {"needs": 1, "roles": ("lead",), "not_by": ("requester",), "until": UNTIL} | more
    return ApprovalAsked(approval, "customer.charge", "customer", "17", {"amount": amount}, **told)


def at(where: str, plan_: Any = PLAN) -> Walk:
    """A run of Olivia's that stands at this step."""
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
    while walk.run.attempt is not None and walk.run.attempt.step != where:
        by = None if walk.run.status == "running" else walk.run.holder
        walk.give(
            commands.Complete(by, walk.run.attempt.step, walk.run.revision, "default", {"note": "seen"})
        )
    return walk


def hand_in(
    walk: Walk,
    wanted: ApprovalAsked,
    *wishes: step_requests.Wish,
    outcome: str = "default",
    values: Any = None,
) -> Walk:
    here = walk.run.attempt
    assert here is not None
    by = None if walk.run.status == "running" else walk.run.holder
    typed = values or {"amount": wanted.values.get("amount", "")}
    walk.give(
        commands.Complete(by, here.step, walk.run.revision, outcome, typed, None, wishes, approval=wanted)
    )
    return walk


def waiting(plan_: Any = PLAN, **more: Any) -> Walk:
    return hand_in(at("charge", plan_), asked(**more), wish())


def answering(**more: Any) -> Walk:
    """At the step whose outcome is the answer."""
    return hand_in(at("ask"), asked(decides=True, **more), outcome="approved", values={"amount": "900"})


def kinds(walk: Walk, command: Any) -> list[str]:
    return [event.type for event in walk.give(command)]


def open_key(walk: Walk) -> str | None:
    return (walk.run.waiting or {}).get("key")


def test_what_is_handed_in_waits_with_its_wishes_and_asks_for_nothing() -> None:
    walk = waiting()
    assert [event.type for event in walk.events][-2:] == ["step_submitted", "approval_requested"]
    assert (walk.run.status, walk.run.waiting) == (
        "waiting_event",
        {"for": "approval", "until": "2026-11-22T09:00:00.000000Z", "key": "apr_1", "outcome": None},
    )
    (approval,) = walk.run.attempts[3].approvals
    assert (approval.requested_by, approval.status, approval.values) == (OLIVIA, "open", {"amount": "900"})
    assert approval.wishes[0]["request"]["changes"]["balance"]["new"] == "900"
    assert walk.run.attempts[3].effects == ()
    assert not walk.run.moving


def test_the_yes_that_completes_them_asks_for_exactly_what_was_approved() -> None:
    walk = waiting(needs=2)
    assert kinds(walk, commands.Approve(MONA, "apr_1", "Fits.")) == ["approval_decided"]
    assert open_key(walk) == "apr_1"
    made = walk.give(commands.Approve(LENA, "apr_1", counted=frozenset({MONA})))
    assert [event.type for event in made] == ["approval_decided", "effect_requested"]
    assert (made[0].open["standing"], made[0].open["status"]) == (2, "approved")
    assert made[1].sealed["request"] == {**wish().request, "approver": LENA}, (
        "exactly this, and who said the last yes"
    )
    assert (walk.run.waiting, walk.run.moving) == ({"for": "effect", "until": None}, True)
    assert kinds(walk, commands.Report("eff_1", "succeeded")) == [
        "effect_succeeded",
        "step_completed",
        "step_entered",
    ]
    assert walk.run.attempts[3].by == OLIVIA


def test_who_lost_the_right_in_between_counts_no_more() -> None:
    walk = waiting(needs=2)
    walk.give(commands.Approve(MONA, "apr_1"))
    assert kinds(walk, commands.Approve(LENA, "apr_1")) == ["approval_decided"]
    assert walk.run.attempts[3].approvals[0].status == "open"
    assert kinds(walk, commands.Approve(PETRA, "apr_1", counted=frozenset({LENA}))) == [
        "approval_decided",
        "effect_requested",
    ]


def test_values_that_moved_and_were_seen_are_what_the_write_compares_with() -> None:
    walk = waiting()
    seen: list[dict[str, Any]] = [
        {"field": "balance", "old": "1", "now": "7", "wish": "eff_1"},
        {"field": "name", "old": "A", "now": "B", "wish": None},
    ]
    made = walk.give(commands.Approve(MONA, "apr_1", changed=seen))
    assert made[0].sealed["changed"] == seen
    assert made[1].sealed["request"]["changes"] == {"balance": {"old": "7", "new": "900"}}


RULES: list[tuple[str, tuple[str, ...], str, str | None]] = [
    # who answers, whom the rule excludes, e-mail, the rule that hits
    (OLIVIA, ("requester",), "", "requester"),
    (OLIVIA, (), "", None),
    (TOM, ("requester",), "", None),
    (OLIVIA, ("step:read",), "", "step:read"),
    (TOM, ("step:read",), "", None),
    (TOM, ("step:nowhere",), "", None),
    (OLIVIA, ("step:charge",), "", None),  # it is not done yet: the requester is a rule of its own
    (TOM, ("usr_tom",), "", "usr_tom"),
    (TOM, ("Tom@Fernwick.example",), "tom@fernwick.example", "Tom@Fernwick.example"),
    (TOM, ("tom@fernwick.example",), "", None),
]


@cases(("person", "not_by", "email", "rule"), RULES)
def test_whom_a_rule_excludes_is_refused_with_its_name(
    person: str, not_by: tuple[str, ...], email: str, rule: str | None
) -> None:
    walk = waiting(not_by=not_by)
    assert ruled_out(walk.run, walk.run.attempts[3].approvals[0], person, email) == rule
    for command in (
        commands.Approve(person, "apr_1", email=email),
        commands.Reject(person, "apr_1", "No.", email=email),
    ):
        if rule is None:
            decide(PLAN, walk.run, command, NOW)
            continue
        with pytest.raises(NotAllowed) as refused:
            walk.give(command)
        assert refused.value.details == [{"field": "rule", "reason": rule}]


def test_who_answers_in_the_engines_name_is_still_the_requester() -> None:
    walk = waiting(BY_ITSELF)
    assert walk.run.attempts[3].by is None
    assert walk.run.attempts[3].approvals[0].requested_by == OLIVIA
    walk.give(commands.TakeOver(MONA, walk.run.revision, True, False))
    with pytest.raises(NotAllowed, match="yourself"):
        walk.give(commands.Approve(OLIVIA, "apr_1"))
    assert "effect_requested" in kinds(walk, commands.Approve(MONA, "apr_1"))


def test_one_person_answers_once() -> None:
    walk = waiting(needs=2)
    walk.give(commands.Approve(MONA, "apr_1"))
    for command in (
        commands.Approve(MONA, "apr_1", counted=frozenset({MONA})),
        commands.Reject(MONA, "apr_1", "On second thought."),
    ):
        with pytest.raises(Conflict) as refused:
            walk.give(command)
        assert refused.value.code == "already_decided"


def test_a_no_needs_a_reason_and_opens_the_form_again() -> None:
    walk = waiting(needs=2)
    walk.give(commands.Approve(LENA, "apr_1"))
    with pytest.raises(Invalid):
        walk.give(commands.Reject(MONA, "apr_1", " \n"))
    assert kinds(walk, commands.Reject(MONA, "apr_1", " Too much. ", "Mona")) == [
        "approval_decided",
        "step_reopened",
    ]
    here = walk.run.attempts[3]
    assert (walk.run.status, walk.run.holder, here.status, here.defaults) == (
        "waiting_person",
        OLIVIA,
        "open",
        {"amount": "900"},
    )
    assert here.errors == [{"field": "approval", "reason": "Mona rejected this: Too much."}]
    hand_in(walk, asked("apr_2", "800"), wish(2, "800"))
    assert [each.status for each in walk.run.attempts[3].approvals] == ["rejected", "open"]
    with pytest.raises(Conflict, match="was rejected"):
        walk.give(commands.Approve(PETRA, "apr_1"))
    walk.give(commands.Approve(MONA, "apr_2"))
    assert walk.run.attempts[3].effects[0].request["changes"]["balance"]["new"] == "800"


ENDS: list[tuple[str, Callable[[Walk], Any], list[str], str]] = [
    (
        "withdrawn",
        lambda w: commands.StepIn(OLIVIA, w.run.revision),
        ["approval_voided", "step_reopened"],
        "void",
    ),
    (
        "revised",
        lambda w: commands.Revise(OLIVIA, w.run.revision, 2, "wrong"),
        ["approval_voided", "attempt_cancelled", "step_revised", "step_entered"],
        "void",
    ),
    (
        "aborted",
        lambda w: commands.Abort(OLIVIA, w.run.revision, "no"),
        ["approval_voided", "run_aborted"],
        "void",
    ),
    (
        "cancelled",
        lambda w: commands.Cancel(TOM, w.run.revision, "no"),
        ["approval_voided", "run_cancelled"],
        "void",
    ),
    ("expired", lambda w: commands.Fire(3), ["timer_fired", "approval_expired", "step_reopened"], "expired"),
    (
        "void",
        lambda w: commands.Void(
            "apr_1", "not_possible", "It is gone.", [{"field": "amount", "reason": "Too much."}]
        ),
        ["approval_voided", "step_reopened"],
        "void",
    ),
    (
        "renewed",
        lambda w: commands.Renew("apr_1", "rule_changed", "More.", asked("apr_2", needs=2), [wish(2)]),
        ["approval_voided", "approval_requested"],
        "void",
    ),
]


@cases(("name", "make", "kinds_", "status"), ENDS, ids=[row[0] for row in ENDS])
def test_what_ends_a_request_and_that_nobody_answers_it_then(
    name: str, make: Callable[[Walk], Any], kinds_: list[str], status: str
) -> None:
    walk = waiting()
    assert kinds(walk, make(walk)) == kinds_
    assert walk.run.attempts[3].approvals[0].status == status
    for command in (commands.Approve(MONA, "apr_1"), commands.Reject(MONA, "apr_1", "No."), make(walk)):
        with pytest.raises(Conflict):
            walk.give(
                replace(command, revision=walk.run.revision)
                if hasattr(command, "revision") and name != "revised"
                else command
            )
    assert "effect_requested" not in {event.type for event in walk.events}
    if name == "renewed":
        assert (open_key(walk), walk.run.attempts[3].approvals[1].requested_by) == ("apr_2", OLIVIA)


def test_what_goes_by_itself_asks_a_person_once_it_was_refused() -> None:
    walk = waiting(BY_ITSELF)
    assert kinds(walk, commands.Reject(MONA, "apr_1", "No.", "Mona")) == [
        "approval_decided",
        "step_reopened",
        "step_failed",
    ]
    assert walk.run.take_over == {"code": "rejected", "message": "Mona rejected this: No."}
    walk.give(commands.Retry(OLIVIA, walk.run.revision))
    assert walk.run.status == "running"


def test_nothing_outside_can_answer_in_peoples_place() -> None:
    walk = waiting()
    with pytest.raises(Conflict):
        walk.give(commands.Arrive("apr_1", "default"))


def test_approvals_of_what_is_revised_are_void_also_when_they_were_given() -> None:
    walk = waiting()
    walk.give(commands.Approve(MONA, "apr_1"))
    walk.give(commands.Report("eff_1", "succeeded"))
    walk.give(commands.Revise(OLIVIA, walk.run.revision, 3, "1,200 it is"))
    assert walk.run.attempts[3].approvals[0].status == "void"
    hand_in(walk, asked("apr_2", "1200"), wish(2, "1200"))
    with pytest.raises(Conflict):
        walk.give(commands.Approve(MONA, "apr_1"))
    assert [event.type for event in walk.events].count("effect_requested") == 1
    walk.give(commands.Approve(MONA, "apr_2"))
    assert walk.run.attempts[5].effects[0].request["changes"]["balance"]["new"] == "1200"


@pytest.mark.parametrize(
    ("command", "outcome", "by"),
    [
        (commands.Approve(MONA, "apr_1", "Go."), "approved", [MONA]),
        (commands.Reject(MONA, "apr_1", "No."), "rejected", [MONA]),
        (commands.Fire(5), "expired", []),
    ],
)
def test_the_answer_is_the_outcome_where_nothing_is_to_be_done(
    command: Any, outcome: str, by: list[str]
) -> None:
    walk = answering()
    walk.give(command)
    done = walk.run.attempts[5]
    assert (done.status, done.outcome, done.by) == ("done", outcome, by[0] if by else None)
    told = walk.run.context["ask"]
    assert (told["decision"], told["by"], told["reason"]) == (outcome, by, getattr(command, "reason", ""))
    assert (walk.run.attempt or walk.run.attempts[6]).step == ("end" if outcome == "approved" else "look")


def test_a_step_without_wishes_is_done_when_it_was_approved() -> None:
    walk = hand_in(at("charge"), asked())
    assert kinds(walk, commands.Approve(MONA, "apr_1")) == [
        "approval_decided",
        "step_completed",
        "step_entered",
    ]


ACTS = st.sampled_from(
    [
        "approve",
        "reject",
        "hand in",
        "revise",
        "withdraw",
        "take over",
        "renew",
        "expire",
        "report",
        "retry",
        "old",
    ]
)
MOVES = st.lists(
    st.tuples(ACTS, st.sampled_from([OLIVIA, TOM, MONA, LENA, PETRA]), st.integers(0, 3)), max_size=30
)


def move(walk: Walk, what: str, by: str, number: int, needs: int) -> None:
    """One thing that somebody does; what is refused changes nothing."""
    run, here, count = walk.run, walk.run.attempt, len(walk.events)
    name, amount = f"apr_{count}", str(100 + number)
    key = open_key(walk) or "apr_none"
    before = walk.run
    try:
        match what:
            case "approve":
                entitled = frozenset(each for each in (TOM, MONA, LENA, PETRA) if (count + ord(each[-1])) % 4)
                walk.give(commands.Approve(by, key, counted=entitled))
            case "reject" if number == 0:
                walk.give(commands.Reject(by, key, "No."))
            case "hand in" if here is not None and here.step == "charge":
                hand_in(walk, asked(name, amount, needs=needs), wish(count, amount))
            case "hand in" if here is not None:
                outcome = "approved" if here.step == "ask" else "default"
                walk.give(commands.Complete(run.holder, here.step, run.revision, outcome, {}, ends=None))
            case "revise":
                standing = [each.n for each in run.attempts.values() if each.standing and each.n > 1]
                walk.give(
                    commands.Revise(run.holder or "", run.revision, standing[number % len(standing)], "again")
                ) if standing else None
            case "withdraw":
                walk.give(commands.StepIn(run.holder or "", run.revision))
            case "take over":
                walk.give(commands.TakeOver(by, run.revision, True, False))
            case "renew":
                walk.give(
                    commands.Renew(
                        key,
                        "rule_changed",
                        "More.",
                        asked(name, amount, needs=needs + 1),
                        [wish(count, amount)],
                    )
                )
            case "expire":
                walk.give(commands.Fire(run.current or 0))
            case "report" if here is not None and here.effects:
                walk.give(
                    commands.Report(
                        here.effects[-1].id, ("succeeded", "failed", "unknown")[number % 3], errors=[]
                    )
                )
            case "old":
                known = [each.id for attempt in run.attempts.values() for each in attempt.approvals] or [
                    "apr_x"
                ]
                walk.give(
                    commands.Approve(by, known[number % len(known)], counted=frozenset((TOM, MONA, LENA)))
                )
    except ConsoleError:
        assert walk.run == before


@settings(max_examples=300)
@given(MOVES, st.integers(1, 3), st.booleans())
def test_effects_are_never_asked_for_without_the_approvals_needed_for_exactly_them(
    todo: list[tuple[str, str, int]], needs: int, alone: bool
) -> None:
    walk = at("charge")
    for what, by, number in [("hand in", OLIVIA, 1)] * alone + todo:
        move(walk, what, by, number, needs)
    run = walk.run
    assert fold(walk.events) == run
    given_for: dict[str, tuple[Any, set[str | None]]] = {}
    for event in walk.events:
        if event.type == "approval_requested":
            given_for[event.open["approval"]] = (event, set())
        elif event.type == "approval_decided" and event.open["decision"] == "approve":
            given_for[event.open["approval"]][1].add(event.by)
    for place, event in enumerate(walk.events):
        if event.type != "effect_requested":
            continue
        decision = next(each for each in reversed(walk.events[:place]) if each.type == "approval_decided")
        request, voices = given_for[decision.open["approval"]]
        assert (decision.open["status"], decision.step) == ("approved", event.step)
        assert decision.open["standing"] >= request.open["needs"]
        assert len(voices) >= request.open["needs"]
        assert request.open["requested_by"] not in voices
        made = dict(event.sealed["request"])
        assert made.pop("approver") in voices
        assert made in [each["request"] for each in request.sealed["wishes"]]
        assert event.sealed["request"]["changes"]["balance"]["new"] == request.sealed["values"]["amount"]
        later = walk.events.index(request) + 1
        assert not [
            each
            for each in walk.events[later:place]
            if each.type == "approval_voided" and each.open["approval"] == request.open["approval"]
        ]
    still = [each for attempt in run.attempts.values() for each in attempt.approvals if each.status == "open"]
    assert len(still) == (1 if open_key(walk) else 0)
    assert run.status not in FINAL or not still
