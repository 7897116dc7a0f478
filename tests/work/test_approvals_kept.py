"""What was approved and could not be done is not asked for again, as long as it is what was approved; anything else is."""

from collections.abc import Iterator
from typing import Any

import pytest

from console import log, runs
from console.auth import access, accounts
from tests.company import Company
from tests.support.acting import hand_in, imported, run_of
from tests.support.four_eyes import whole
from tests.support.paying import PAY, RECALL, Provider, providing

WITH_YES: dict[str, Any] = {
    **PAY,
    "text": "{{ record.display_name }} is {{ record.risk }}.",
    "approval": [{"roles": ["lead"], "why": "Every payment."}],
}
TWO: dict[str, Any] = {
    **WITH_YES,
    "effects": [PAY["effects"][0], {**PAY["effects"][0], "name": "second", "path": "/second"}],
    "compensation": None,
}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


def asked(company: Company, document: dict[str, Any] = WITH_YES, **values: Any) -> str:
    """A payment that waits for a yes."""
    access.grant("operator", "collection:customer", ["act"], team="operations")
    access.grant("lead", "collection:customer", ["act"], team="operations")
    imported(RECALL, document, acts=("execute", "request", "approve"))
    run_id = run_of(company, document)
    assert hand_in(company, run_id, **({"amount": 5} | values))["current"]["waiting"]["for"] == "approval"
    return run_id


def said_yes(company: Company, run_id: str, by: str = "mona") -> dict[str, Any]:
    runs.approve(company.people[by], company.told(run_id)["current"]["waiting"]["key"])
    return company.told(run_id)


def kinds(run_id: str, kind: str) -> int:
    return [event.type for event in log.events_of(run_id)].count(kind)


def test_a_payment_that_was_refused_keeps_its_yes(company: Company, provider: Provider) -> None:
    run_id = asked(company)
    provider.mood = "refuses"
    assert said_yes(company, run_id)["current"]["errors"][0]["reason"] == "No."
    provider.mood = "good"
    assert hand_in(company, run_id, amount=5)["status"] == "completed"
    assert (provider.payments, kinds(run_id, "approval_requested")) == ([5], 1)
    submitted = [event for event in log.events_of(run_id) if event.type == "step_submitted"]
    approval = next(event for event in log.events_of(run_id) if event.type == "approval_requested").body[
        "data"
    ]["open"]["approval"]
    assert [event.body["data"]["open"].get("approval") for event in submitted] == [None, approval]
    whole(run_id)


def other_amount(company: Company, run_id: str) -> dict[str, Any]:
    return hand_in(company, run_id, amount=6)


def other_record(company: Company, run_id: str) -> dict[str, Any]:
    company.sql("update customer set risk = 'high' where id = 1")
    return hand_in(company, run_id, amount=5)


def approver_left(company: Company, run_id: str) -> dict[str, Any]:
    accounts.disable_person(company.people["mona"].id)
    return hand_in(company, run_id, amount=5)


def approver_holds_it(company: Company, run_id: str) -> dict[str, Any]:
    runs.take_over(company.people["mona"], run_id, revision=None)
    return hand_in(company, run_id, by="mona", amount=5)


@pytest.mark.slow
@pytest.mark.parametrize("changed", [other_amount, other_record, approver_left, approver_holds_it])
def test_what_is_not_what_was_approved_is_asked_anew(
    company: Company, provider: Provider, changed: Any
) -> None:
    run_id = asked(company)
    provider.mood = "refuses"
    said_yes(company, run_id)
    provider.mood = "good"
    told = changed(company, run_id)
    assert (told["status"], (told["current"]["waiting"] or {}).get("for")) == ("waiting_event", "approval")
    assert provider.payments == []


def test_one_yes_is_never_good_for_doing_it_twice(company: Company, provider: Provider) -> None:
    run_id = asked(company, TWO)
    provider.moods["/second"] = "refuses"
    said_yes(company, run_id)
    assert provider.payments == [5]
    told = hand_in(company, run_id, amount=5)
    assert (told["status"], provider.payments, kinds(run_id, "approval_requested")) == (
        "waiting_person",
        [5],
        1,
    )
    provider.moods.clear()
    assert hand_in(company, run_id, amount=5)["status"] == "completed"
    assert (provider.payments, kinds(run_id, "approval_requested")) == ([5, 5], 1)
    assert [len(provider.asked(path)) for path in ("/payments", "/second")] == [1, 3]
    whole(run_id)
