"""Limits: how far a right to execute or to approve goes, by what is typed, whose run it is, and again when it is done."""

import pytest

from console import actions, runs
from console.auth import access
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.core.errors import Conflict, NotAllowed
from console.infra.db.engine import transaction
from tests.company import Company
from tests.support.acting import RATE, hand_in, run_of

ACTION = "action:customer.rate"
REFUND = {
    **RATE,
    "form": [*RATE["form"], {"name": "amount_minor", "label": "Amount", "type": "integer", "required": True}],
    "require": [],
}
LIMIT = "input.amount_minor <= 50000"


def granted(*rows: tuple[str, str, str]) -> None:
    """Rows (role, act, condition) on the action in Operations, instead of all others on it."""
    with transaction() as connection:
        gone = [
            row
            for row in policy_store.rows_of(connection)
            if row.obj == ACTION or (row.obj == "action:*" and row.act == "approve")
        ]
        new = [
            Row("p", f"role:{role}", "t:operations", ACTION, act, "allow", condition)
            for role, act, condition in rows
        ]
        policy_store.write(connection, added=new, removed=gone)
    access.refresh()


@pytest.fixture
def bank(company: Company) -> Company:
    """The company with an action whose amount is limited for operators."""
    actions.import_file(REFUND)
    access.grant("operator", "collection:customer", ["act"], team="operations")
    access.grant("lead", "collection:customer", ["browse", "read", "update", "act"], team="operations")
    granted(
        ("operator", "execute", LIMIT),
        ("lead", "execute", ""),
        ("lead", "approve", "input.amount_minor <= 70000"),
    )
    return company


def test_within_the_limit_it_is_done_and_over_it_the_limit_and_who_may_are_named(bank: Company) -> None:
    run_id = run_of(bank, REFUND)
    notes = dict(runs.get(bank.olivia, run_id).json["current"].get("notes") or [])
    assert notes.get("Limit", "at most 50,000").startswith(("Operator", "at most"))
    with pytest.raises(NotAllowed) as refused:
        hand_in(bank, run_id, risk="low", amount_minor=50_001)
    assert (
        refused.value.message
        == "Operator in Operations may execute Rate the customer only where Amount minor is at most 50,000. Mona may."
    )
    assert refused.value.need == (ACTION, "execute")
    assert bank.sql("select risk from customer where id = 1") == [(None,)]
    assert hand_in(bank, run_id, risk="low", amount_minor=50_000)["status"] == "completed"
    assert bank.sql("select risk from customer where id = 1") == [("low",)]


def test_over_the_limit_a_lead_may(bank: Company) -> None:
    run_id = run_of(bank, REFUND, by="mona")
    assert hand_in(bank, run_id, by="mona", risk="low", amount_minor=50_001)["status"] == "completed"


def test_over_the_limit_it_is_requested_where_that_is_allowed_and_approved_within_the_approvers_own(
    bank: Company,
) -> None:
    granted(
        ("operator", "execute", LIMIT),
        ("operator", "request", ""),
        ("lead", "approve", "input.amount_minor <= 70000"),
    )
    for amount, may in ((60_000, True), (80_000, False)):
        record = "1" if may else "2"
        run_id = run_of(bank, REFUND, record)
        told = hand_in(bank, run_id, risk="low", amount_minor=amount)
        assert told["status"] == "waiting_event"
        asked = told["current"]["waiting"]["key"]
        if may:
            runs.approve(bank.mona, asked)
            assert bank.sql("select risk from customer where id = 1") == [("low",)]
        else:
            with pytest.raises(
                NotAllowed,
                match="Lead in Operations may approve Rate the customer only where Amount minor is at most 70,000",
            ):
                runs.approve(bank.mona, asked)
    assert bank.sql("select risk from customer where id = 2") == [("low",)]  # as it was


def test_a_limit_that_came_before_the_yes_counts_when_it_is_done(bank: Company) -> None:
    granted(("operator", "request", ""), ("lead", "approve", ""))
    run_id = run_of(bank, REFUND)
    asked = hand_in(bank, run_id, risk="medium", amount_minor=60_000)["current"]["waiting"]["key"]
    granted(("operator", "request", LIMIT), ("lead", "approve", ""))
    with pytest.raises(Conflict, match="cannot be done any more") as void:
        runs.approve(bank.mona, asked)
    assert "at most 50,000" in void.value.message
    assert bank.sql("select risk from customer where id = 1") == [(None,)]


def test_what_is_offered_does_not_wait_for_the_form(bank: Company) -> None:
    assert [one.id for one in actions.offered(bank.olivia, "customer", "1")] == ["customer.rate"]
    granted(("operator", "execute", "record.desk == 'corporate'"))
    assert actions.sheet(bank.olivia, "customer", "3", "customer.rate").act.may == "execute"
    assert actions.sheet(bank.olivia, "customer", "1", "customer.rate").act.may == ""
    with pytest.raises(NotAllowed):
        actions.perform(bank.olivia, "customer", "1", "customer.rate", {"risk": "low", "amount_minor": 1})


def test_a_condition_over_the_run_is_four_eyes(company: Company) -> None:
    run_id = company.at("note")
    runs.save(company.olivia, run_id, revision=company.told(run_id)["revision"])
    with transaction() as connection:
        resume = [Row("p", "role:operator", "*", "workflow:*", "resume")]
        new = [
            Row(
                "p",
                "role:operator",
                "*",
                "workflow:*",
                "resume",
                "allow",
                "run.started_by != $currentUser.id",
            )
        ]
        policy_store.write(connection, added=new, removed=resume)
    access.refresh()
    with pytest.raises(NotAllowed):
        runs.resume(company.olivia, run_id, revision=company.told(run_id)["revision"])
    runs.resume(company.tom, run_id, revision=company.told(run_id, "tom")["revision"])
    assert company.told(run_id, "tom")["holder"] == company.tom.id
