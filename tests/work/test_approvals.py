"""Four eyes from end to end: who may decide, what is done then, and what happens when something moved meanwhile."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from console import log, runs
from console.auth import access, accounts
from console.auth.access import Row, Scopes
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.infra.db.engine import fetch
from console.operations import erasure
from console.runs.commands import approval_answers
from console.work import approval_context, approvals, notices
from tests.company import Company
from tests.messaging.messages.reached import clock
from tests.runs.commands.test_midway import ruled
from tests.support.acting import RATE, hand_in, imported, run_of
from tests.support.engine import overdue
from tests.support.four_eyes import (
    asking,
    balance,
    bank,
    charging,
    kinds,
    requested,
    status,
    waiting_for,
    whole,
)

__all__ = ["bank"]


def code(act: Callable[[], Any]) -> str:
    """The code of the refusal, `done` where there was none."""
    try:
        act()
    except ConsoleError as error:
        return error.code
    return "done"


def second_lead(company: Company, name: str = "lena", role: str = "operations_lead") -> Actor:
    """Another person of the team."""
    person = accounts.create_person(
        f"{name}@fernwick.example", role=role, team="operations", name=name.title()
    ).person
    return accounts.actor_of_person(person.id, f"ses_{name}")


# ------------------------------------------------------------------------------------------------------ yes and no


def test_nothing_is_done_before_the_yes_and_all_of_it_at_once_after(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    assert balance(bank) == "12.5"
    told = bank.told(run_id)
    assert (told["status"], told["current"]["waiting"]["for"], told["current"]["waiting"]["key"]) == (
        "waiting_event",
        "approval",
        asked,
    )
    assert "effect_requested" not in kinds(run_id)
    assert bank.work() == 0, "there is nothing that a worker could do"
    whole(run_id)
    runs.approve(bank.mona, asked, reason="Fits.")
    assert balance(bank) == "300"
    told = bank.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "look")
    assert told["attempts"][2]["approvals"][0]["decided"][0]["by"] == bank.mona.id
    assert status(bank, asked) == "approved"
    names = kinds(run_id)
    assert (
        names.index("approval_requested") < names.index("approval_decided") < names.index("effect_requested")
    )
    for number in range(1, len(names) + 1):
        assert runs.replay(bank.olivia, run_id, number)
    whole(run_id)


def test_a_no_opens_the_form_again_with_what_was_typed_and_says_who_and_why(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    for reason in ("  ", "x" * 2001, "a\x00b"):
        with pytest.raises(Invalid):
            runs.reject(bank.mona, asked, reason=reason)
    hostile = "<script>alert(1)</script> {{ 7*7 }} \u202e'; drop table run; --"
    runs.reject(bank.mona, asked, reason=hostile)
    here = bank.told(run_id)["current"]
    assert here["form"]["fields"][0]["value"] == "300"
    assert here["errors"] == [{"field": "approval", "reason": f"Mona rejected this: {hostile}"}]
    assert (balance(bank), status(bank, asked)) == ("12.5", "rejected")
    bank.answer(run_id, amount="200")
    again = waiting_for(run_id)
    runs.approve(bank.mona, again)
    assert balance(bank) == "200"
    whole(run_id)


@pytest.mark.parametrize("answer", ["approved", "rejected", "expired"])
def test_the_answer_leads_on_where_nothing_is_to_be_done(bank: Company, answer: str) -> None:
    asking(hours=2)
    run_id, asked = requested(bank, slug="asking")
    match answer:
        case "approved":
            runs.approve(bank.mona, asked, reason="Go.")
        case "rejected":
            runs.reject(bank.mona, asked, reason="Go.")
        case _:
            overdue(run_id)
            assert bank.work() == 1
    told = bank.told(run_id)
    left = told["context"]["ask"]
    assert told["current"]["step"] == {"approved": "yes", "rejected": "no", "expired": "late"}[answer]
    assert (left["decision"], left["by"], left["reason"]) == (
        answer,
        *(([], "") if answer == "expired" else ([bank.mona.id], "Go.")),
    )
    assert status(bank, asked) == answer
    whole(run_id)


def test_nobody_is_asked_where_the_condition_does_not_hold(bank: Company) -> None:
    asking(**{"if": "steps.note.note == 'odd'"})
    run_id = runs.start(bank.olivia, "asking", "customer", "1")
    bank.answer(run_id, note="All clear.")
    assert bank.told(run_id)["current"]["step"] == "yes"
    assert "approval_requested" not in kinds(run_id)


def test_below_the_limit_it_is_done_at_once(bank: Company) -> None:
    charging(limit=100)
    run_id = runs.start(bank.olivia, "charging", "customer", "1")
    bank.answer(run_id, note="n")
    bank.answer(run_id, amount="99")
    assert (balance(bank), bank.told(run_id)["current"]["step"]) == ("99", "look")


def test_a_request_that_nobody_answered_opens_the_form_again(bank: Company) -> None:
    charging(hours=1)
    run_id, asked = requested(bank)
    overdue(run_id)
    assert bank.work() == 1
    here = bank.told(run_id)["current"]
    assert "in time" in here["errors"][0]["reason"]
    assert status(bank, asked) == "expired"
    assert code(lambda: runs.approve(bank.mona, asked)) == "not_possible"
    assert balance(bank) == "12.5"
    whole(run_id)


# ------------------------------------------------------------------------------------------------------ who may


def test_who_may_not_is_told_and_nothing_moves(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    before = bank.told(run_id)["last_event"]
    for who, error in (
        ("olivia", NotAllowed),
        ("tom", NotAllowed),
        ("rosa", NotAllowed),
        ("stan", NotFound),
        ("ada", NotAllowed),
    ):
        with pytest.raises(error):
            runs.approve(bank.people[who], asked)
        with pytest.raises(error):
            runs.reject(bank.people[who], asked, reason="No.")
    for absent in ("apr_nothing", "a\x00b"):
        assert code(lambda absent=absent: runs.approve(bank.mona, absent)) == "not_found"  # type: ignore[misc]
    assert code(lambda: approvals.get(bank.stan, asked)) == "not_found"
    assert bank.told(run_id)["last_event"] == before
    assert balance(bank) == "12.5"


def test_an_approver_who_may_not_see_the_record_finds_nothing(bank: Company) -> None:
    charging()
    _, asked = requested(bank)
    with ruled(Row("p", f"user:{bank.mona.id}", "*", "collection:customer", "read", "deny")):
        assert code(lambda: runs.approve(bank.mona, asked)) == "not_found"
        assert code(lambda: approvals.get(bank.mona, asked)) == "not_found"
        assert approvals.to_review(bank.mona).lines == []
    with ruled(Row("p", f"user:{bank.mona.id}", "*", "action:customer.charge", "approve", "deny")):
        assert code(lambda: runs.approve(bank.mona, asked)) == "not_allowed"
        assert approvals.to_review(bank.mona).lines == []
    assert [line.id for line in approvals.to_review(bank.mona).lines] == [asked]


def test_the_requester_does_not_approve_by_any_way(bank: Company) -> None:
    charging(roles=["operator", "lead"])
    access.grant("operator", "action:customer.charge", ["approve"], team="operations")
    run_id, asked = requested(bank, by="mona")
    me = bank.mona
    key = accounts.actor_of_key(accounts.create_key("tests", me.id, scopes=Scopes(approves=True)).text)
    assert key is not None
    runs.assign(bank.mona, run_id, revision=None, user=bank.olivia.id, reason="yours")
    runs.assign(bank.mona, run_id, revision=None, user=me.id) if bank.told(run_id)[
        "holder"
    ] != me.id else None
    runs.assign(bank.mona, run_id, revision=None, user=bank.olivia.id)
    for actor in (me, key):
        with pytest.raises(NotAllowed) as refused:
            runs.approve(actor, asked)
        assert refused.value.details == [{"field": "rule", "reason": "requester"}]
    runs.approve(bank.olivia, asked)  # she holds the run now, and did not ask
    assert balance(bank) == "300"
    whole(run_id)


def test_who_did_an_earlier_step_is_excluded_by_name_of_the_rule(bank: Company) -> None:
    charging(not_by=["step:note", "requester"], roles=["lead"])
    run_id = runs.start(bank.mona, "charging", "customer", "1")
    bank.answer(run_id, "mona", note="mine")
    runs.assign(bank.mona, run_id, revision=None, user=bank.olivia.id)
    bank.answer(run_id, amount="300")
    asked = waiting_for(run_id)
    with pytest.raises(NotAllowed, match="You did the step “Note”") as refused:
        runs.approve(bank.mona, asked)
    assert refused.value.details == [{"field": "rule", "reason": "step:note"}]
    assert approvals.to_review(bank.mona).lines == []
    runs.approve(second_lead(bank), asked)
    assert balance(bank) == "300"


@pytest.mark.parametrize("how", ["demoted", "disabled", "out of scope"])
def test_an_approver_who_lost_the_right_in_between_counts_no_more(bank: Company, how: str) -> None:
    charging(needs=2)
    run_id, asked = requested(bank)
    lena, paul = second_lead(bank), second_lead(bank, "paul")
    runs.approve(lena, asked)
    assert code(lambda: runs.approve(lena, asked)) == "already_decided"
    match how:
        case "demoted":
            access.assign(lena.id, [("operator", "operations")])
        case "disabled":
            accounts.disable_person(lena.id)
        case _:
            access.assign(lena.id, [("lead", "procurement")])
    runs.approve(bank.mona, asked)
    assert (balance(bank), status(bank, asked)) == ("12.5", "open")
    assert code(lambda: runs.approve(bank.mona, asked)) == "already_decided"
    runs.approve(paul, asked)
    assert (balance(bank), status(bank, asked)) == ("300", "approved")
    decided = [event for event in log.events_of(run_id) if event.type == "approval_decided"]
    assert [event.open["standing"] for event in decided] == [1, 1, 2]
    whole(run_id)


def test_two_who_approve_at_once_do_it_once(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    people = [bank.mona, second_lead(bank), second_lead(bank, "paul")]
    gate, said = threading.Barrier(len(people)), []

    def go(who: Actor) -> None:
        gate.wait()
        said.append(code(lambda: runs.approve(who, asked)))

    threads = [threading.Thread(target=go, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["done", "not_possible", "not_possible"]
    assert kinds(run_id).count("effect_requested") == 1
    assert balance(bank) == "300"
    whole(run_id)


def test_who_comes_second_is_told_so_and_not_that_the_record_moved(
    bank: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    charging()
    _, asked = requested(bank)
    first, compare = second_lead(bank), approval_answers.changed_fields

    def late(found: approval_answers.VisibleRequest) -> list[approval_answers.ChangedField]:
        monkeypatch.setattr(approval_answers, "changed_fields", compare)
        runs.approve(first, asked)
        return compare(found)

    monkeypatch.setattr(approval_answers, "changed_fields", late)
    assert code(lambda: runs.approve(bank.mona, asked)) == "not_possible"
    assert balance(bank) == "300"


# ------------------------------------------------------------------------------------------------------ void, and asked anew


def test_a_request_ends_with_what_it_was_for(bank: Company) -> None:
    charging()
    me = bank.olivia
    ends: list[tuple[str, Callable[[str], Any]]] = [
        ("1", lambda run: runs.revise(me, run, revision=None, step="note", attempt=None, reason="wrong")),
        ("2", lambda run: runs.abort(me, run, revision=None, reason="enough")),
        ("4", lambda run: runs.step_in(me, run, revision=None)),
    ]
    for record, end in ends:
        run_id, asked = requested(bank, record=record)
        end(run_id)
        assert status(bank, asked) == "void"
        assert code(lambda asked=asked: runs.approve(bank.mona, asked)) == "not_possible"  # type: ignore[misc]
        assert code(lambda asked=asked: runs.reject(bank.mona, asked, reason="No.")) == "not_possible"  # type: ignore[misc]
        assert "effect_requested" not in kinds(run_id)
        whole(run_id)


def test_an_amount_that_is_revised_is_asked_for_anew_and_the_trail_shows_both(bank: Company) -> None:
    charging()
    run_id, first = requested(bank, "900")
    preview = runs.preview(bank.olivia, run_id, "note").json
    assert preview["approvals_void"] == [
        {"id": first, "step": "charge", "action": "customer.charge", "status": "open"}
    ]
    runs.revise(bank.olivia, run_id, revision=None, step="note", attempt=None, reason="1,200 it is")
    bank.answer(run_id, note="More.")
    bank.answer(run_id, amount="1200")
    second = waiting_for(run_id)
    assert code(lambda: runs.approve(bank.mona, first)) == "not_possible"
    runs.approve(bank.mona, second)
    assert balance(bank) == "1200"
    told = {line.id: (line.approval.status, line.values) for line in approvals.find(bank.mona).lines}
    assert told == {first: ("void", {"amount": "900"}), second: ("approved", {"amount": "1200"})}
    runs.revise(bank.olivia, run_id, revision=None, step="charge", attempt=None, reason="no")
    assert status(bank, second) == "void"
    whole(run_id)


def test_a_rule_that_asks_for_more_by_now_is_asked_anew(bank: Company) -> None:
    charging()
    run_id, first = requested(bank)
    bank.sql("update customer set risk = 'high' where id = 1")
    with pytest.raises(Conflict, match="asks for more") as refused:
        runs.approve(bank.mona, first)
    assert refused.value.code == "approval_void"
    second = waiting_for(run_id)
    assert second != first
    again = approvals.get(bank.mona, second).line.approval
    assert (again.needs, again.requested_by, status(bank, first)) == (2, bank.olivia.id, "void")
    runs.approve(bank.mona, second)
    assert balance(bank) == "12.5"
    runs.approve(second_lead(bank), second)
    assert balance(bank) == "300"
    whole(run_id)


def test_values_that_come_to_something_else_are_asked_anew(bank: Company) -> None:
    asking(values={"risk": "record.risk", "next": "addDays(today(), 365)"}, fields=["risk"])
    run_id, first = requested(bank, slug="asking")
    bank.sql("update customer set risk = 'low' where id = 1")
    assert code(lambda: runs.approve(bank.mona, first, accept_changes=True)) == "approval_void"
    second = waiting_for(run_id)
    values = approvals.get(bank.mona, second).line.values
    assert (values["risk"], set(values)) == ("low", {"risk", "next"})
    with clock(log.now() + timedelta(days=5)):  # that days went by alone asks for nothing else
        runs.approve(bank.mona, second)
    told = bank.told(run_id)["context"]["ask"]
    assert {name: told[name] for name in values} == dict(values)
    whole(run_id)


def test_what_can_no_longer_be_done_is_void_and_the_form_says_why(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    bank.sql("update customer set desk = 'corporate' where id = 1")
    with pytest.raises(Conflict, match="Corporate accounts") as refused:
        runs.approve(bank.mona, asked)
    assert refused.value.code == "approval_void"
    told = [notice.text for notice in notices.notices_of(bank.olivia)]
    assert told == ["Your request for approval is void: look at what changed, and ask again"]
    here = bank.told(run_id)["current"]
    assert here["errors"] == [{"field": "amount", "reason": "Not for corporate accounts."}]
    assert (status(bank, asked), balance(bank)) == ("void", "12.5")
    whole(run_id)


@pytest.mark.parametrize("how", ["disabled", "demoted"])
def test_what_the_requester_may_no_longer_do_is_void(bank: Company, how: str) -> None:
    charging()
    run_id, asked = requested(bank)
    if how == "disabled":
        accounts.disable_person(bank.olivia.id)
    else:
        access.assign(bank.olivia.id, [("reviewer", "operations")])
    assert code(lambda: runs.approve(bank.mona, asked)) == "approval_void"
    assert (status(bank, asked), balance(bank)) == ("void", "12.5")
    whole(run_id)


def test_what_moved_in_the_record_is_shown_and_has_to_be_accepted(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    bank.sql("update customer set balance = 77, email = 'new@customers.example' where id = 1")
    with pytest.raises(Conflict) as refused:
        runs.approve(bank.mona, asked)
    assert refused.value.code == "values_moved"
    told = {detail["field"]: (detail["old"], detail["now"]) for detail in refused.value.details}
    assert told["email"] == ("adaeze@customers.example", "new@customers.example")
    assert told["balance"] == ("12.50", "77.00")
    mark = approvals.get(bank.mona, asked).mark
    bank.sql("update customer set balance = 78 where id = 1")
    assert code(lambda: runs.approve(bank.mona, asked, accept_changes=mark)) == "values_moved", (
        "the tick was for another difference"
    )
    assert balance(bank) == "78"
    runs.approve(bank.mona, asked, accept_changes=approvals.get(bank.mona, asked).mark)
    assert balance(bank) == "300"
    decided = next(event for event in log.events_of(run_id) if event.type == "approval_decided")
    assert {each["field"]: each["now"] for each in decided.values["changed"]}["balance"] == "78.00"
    whole(run_id)


def test_what_the_approver_may_not_see_is_not_told_with_the_difference(bank: Company) -> None:
    charging()
    _, asked = requested(bank)
    bank.sql("update customer set email = 'secret@customers.example' where id = 1")
    with ruled(Row("p", f"user:{bank.mona.id}", "*", "field:customer/email", "read", "deny")):
        with pytest.raises(Conflict) as refused:
            runs.approve(bank.mona, asked)
        assert "secret@" not in repr(refused.value.details)
        view = approvals.get(bank.mona, asked)
        assert (view.moved[0].then, view.moved[0].now) == (None, None)
        assert "adaeze@customers.example" not in repr(view)


def test_a_record_that_moves_between_the_yes_and_the_write_is_a_conflict_that_opens_the_form(
    bank: Company,
) -> None:
    charging()
    run_id, asked = requested(bank)
    bank.sql(
        "create trigger away before update of balance on customer begin select raise(abort, 'not now'); end"
    )
    runs.approve(bank.mona, asked)
    here = bank.told(run_id)
    assert (here["status"], here["current"]["step"], balance(bank)) == ("waiting_person", "charge", "12.5")
    assert status(bank, asked) == "approved"
    bank.sql("drop trigger away")
    bank.answer(run_id, amount="300")
    assert balance(bank) == "300", "what was approved and could not be done keeps its yes"
    whole(run_id)


def test_erasing_the_person_takes_the_values_and_ends_the_request(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    runs.cancel(bank.mona, run_id, revision=None, reason="to be erased")
    erasure.erase(bank.ines, "customer", "1", "asked for")
    row = fetch("select to_jsonb(a)::text from console.approval a where id = %s", (asked,))[0][0]
    assert '"void"' in row
    assert "300" not in row
    assert "adaeze@" not in row
    assert list(runs.rebuild(run_id, check=True)) == []


def test_a_notice_says_what_became_of_the_request(bank: Company) -> None:
    charging()
    run_id, asked = requested(bank)
    told = [one for one in notices.notices_of(bank.mona) if one.href.endswith(asked)]
    assert ([one.text for one in told], notices.unread(bank.mona)) == (["Your approval is asked for"], 1)
    runs.reject(bank.mona, asked, reason="Too much")
    assert [(one.text, one.read) for one in notices.notices_of(bank.mona)] == [
        ("Your approval was asked for: you rejected", True)
    ]
    assert notices.unread(bank.mona) == 0, "what she did herself is no news to her"
    assert "Mona rejected what you asked for" in [one.text for one in notices.notices_of(bank.olivia)]
    bank.answer(run_id, amount="400")
    runs.step_in(bank.olivia, run_id, revision=None)
    texts = [one.text for one in notices.notices_of(bank.mona)]
    assert texts == [
        "Your approval was asked for; it is not needed any more",
        "Your approval was asked for: you rejected",
    ]


# ------------------------------------------------------------------------------------------------------ what is told


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("approved", "Mona approved what you asked for"),
        ("rejected", "Mona rejected what you asked for"),
        ("expired", "Nobody decided on your request in time"),
    ],
)
def test_whoever_asked_by_a_step_is_told_what_came_of_it(bank: Company, answer: str, words: str) -> None:
    asking(hours=2)
    run_id, asked = requested(bank, slug="asking")
    match answer:
        case "approved":
            runs.approve(bank.mona, asked)
        case "rejected":
            runs.reject(bank.mona, asked, reason="Too much.")
        case _:
            overdue(run_id)
            bank.work()
    assert words in [notice.text for notice in notices.notices_of(bank.olivia)]
    assert notices.unread(bank.olivia) == 1


def test_a_request_that_came_to_nothing_never_says_that_something_was_done(bank: Company) -> None:
    charging(limit=100)

    def earlier(run_id: str) -> list[tuple[str, bool]]:
        asked = waiting_for(run_id)
        found = approval_context.context_of(bank.mona, asked).earlier
        return [(each.approval.status, each.made) for each in found]

    run_id, asked = requested(bank)
    runs.step_in(bank.olivia, run_id, revision=None, reason="Another amount.")
    bank.answer(run_id, amount="300")
    runs.reject(bank.mona, waiting_for(run_id), reason="Less.")
    bank.answer(run_id, amount="50")
    assert balance(bank) == "50", "nobody has to be asked for so little"
    runs.revise(
        bank.olivia,
        run_id,
        revision=bank.told(run_id)["revision"],
        step="charge",
        attempt=None,
        reason="Not enough.",
    )
    bank.answer(run_id, amount="400")
    assert earlier(run_id) == [("rejected", False), ("void", False)]
    runs.approve(bank.mona, waiting_for(run_id))
    assert balance(bank) == "400"
    assert [status for _, status in approval_context.context_of(bank.mona, asked).came] == []


def test_what_is_told_to_happen_is_what_happens(company: Company) -> None:
    write = {"kind": "sql_write", "summary": "Sets the risk"}
    effects = [
        {**write, "name": "low", "if": "input.note == 'low'", "set": {"risk": "'low'"}},
        {
            **write,
            "name": "high",
            "summary": "Sets it high",
            "if": "input.note != 'low'",
            "set": {"risk": "'high'"},
        },
    ]
    form = [{"name": "note", "label": "Note", "type": "text"}]
    action = {
        **RATE,
        "done": "Rated.",
        "form": form,
        "effects": effects,
        "approval": [{"roles": ["lead"], "why": "Always."}],
    }
    imported(action, acts=("execute", "approve"))
    run_id = run_of(company, action)
    hand_in(company, run_id, note="high")
    view = approvals.get(company.mona, waiting_for(run_id))
    assert [(change["name"], change["new"]) for change in view.changes] == [("risk", "high")]
    assert view.summaries == ["Sets it high"]
    runs.approve(company.mona, view.line.id)
    assert company.sql("select risk from customer where id = 1") == [("high",)]
    came = approval_context.context_of(company.mona, view.line.id).came
    assert came == [("Sets it high", "succeeded")]
    then = approvals.get(company.mona, view.line.id)
    assert (then.changes, then.summaries) == (view.changes, view.summaries)
