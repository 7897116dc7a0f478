"""Changes in other people's systems, through the whole house: made once, tried again where that may help, checked, settled, kept, taken back."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from console import runs
from console.auth import access
from console.core.errors import Conflict
from console.infra.jobs import outside_places
from console.runs.engine import effecting
from tests.company import Company
from tests.support.engine import kinds, overdue, until, whole
from tests.support.paying import PAY, Provider, at_pay, pay, paying, providing, unknown


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


@pytest.fixture
def serving() -> Iterator[None]:
    """This process serves people, one of whom may wait for somebody outside."""
    runs.limit_places(1)
    yield
    runs.limit_places(None)


# -------------------------------------------------------------------------------------------------------------- may pass


def test_a_busy_provider_is_asked_again_under_the_same_key_until_it_is_done(
    company: Company, provider: Provider
) -> None:
    paying(retries=2)
    run_id = at_pay(company)
    provider.mood = "busy"
    told = pay(company, run_id)
    waiting = told["current"]["waiting"]
    assert (told["status"], waiting["for"], waiting["tries"], waiting["code"]) == (
        "waiting_time",
        "retry",
        1,
        "busy",
    )
    assert runs.get(company.olivia, run_id).can >= {"stop_trying"}
    assert not runs.get(company.olivia, run_id).can & {"abort", "revise", "complete"}
    overdue(run_id)
    company.work()
    assert company.told(run_id)["current"]["waiting"]["tries"] == 2
    provider.mood = "good"
    overdue(run_id)
    company.work()
    assert company.told(run_id)["current"]["step"] == "after"
    assert (len(provider.asked()), len(set(provider.asked())), provider.payments) == (3, 1, [5])
    whole(run_id)


def test_an_automatic_step_tries_again_and_then_takes_its_way_for_errors(
    company: Company, provider: Provider
) -> None:
    paying(by_itself=True, error=True, retries=1)
    provider.mood = "busy"
    run_id = at_pay(company)
    assert company.told(run_id)["status"] == "waiting_time"
    overdue(run_id)
    company.work()
    told = company.told(run_id)
    assert (told["status"], told["current"]["step"], [each["status"] for each in told["attempts"]][-2:]) == (
        "waiting_person",
        "mend",
        ["failed", "open"],
    )
    company.answer(run_id)
    assert company.told(run_id)["status"] == "completed"
    whole(run_id)


# ----------------------------------------------------------------------------------------------------------- nobody knows


def test_a_look_up_that_finds_it_settles_it(company: Company, provider: Provider) -> None:
    run_id, told = unknown(company, provider)
    effect = told["current"]["effect"]
    assert (effect["status"], effect["key"], effect["values"], effect["record"]) == (
        "unknown",
        provider.asked()[0],
        {"amount": 5},
        "1",
    )
    assert (effect["sent"]["target"], effect["sent"]["path"]) == ("provider", "/payments")
    assert runs.get(company.olivia, run_id).can == {"settle", "check", "save", "release", "escalate"}
    assert runs.check(company.olivia, run_id, revision=told["revision"], effect=effect["id"]) == "done"
    after = company.told(run_id)
    assert (after["current"]["step"], after["context"]["pay"]["results"], provider.payments) == (
        "after",
        {"payment": {"payment": "pay_1"}},
        [5],
    )
    assert kinds(run_id).count("effect_checked") == 1
    whole(run_id)


def test_a_look_up_that_does_not_find_it_has_it_done_under_the_same_key(
    company: Company, provider: Provider
) -> None:
    run_id, told = unknown(company, provider, "deaf")
    assert provider.payments == []
    assert (
        runs.check(company.olivia, run_id, revision=None, effect=told["current"]["effect"]["id"])
        == "not_done"
    )
    assert (company.told(run_id)["current"]["step"], provider.payments, len(set(provider.asked()))) == (
        "after",
        [5],
        1,
    )


def test_after_not_done_the_other_side_is_asked_before_anything_is_sent_again(
    company: Company, provider: Provider
) -> None:
    """The person is wrong: the payment was made. It is found, and not left to the provider's memory of keys."""
    run_id, told = unknown(company, provider)
    runs.settle(
        company.olivia,
        run_id,
        revision=None,
        effect=told["current"]["effect"]["id"],
        done=False,
        reason="I see none.",
    )
    assert (company.told(run_id)["current"]["step"], provider.payments, len(provider.asked())) == (
        "after",
        [5],
        1,
    )
    whole(run_id)


def test_what_was_sent_is_shown_only_to_who_may_see_what_it_was_made_of(
    company: Company, provider: Provider
) -> None:
    told_of = PAY | {
        "effects": [PAY["effects"][0] | {"body": {"amount": "input.amount", "tax": "record.tax_id"}}]
    }
    paying(document=told_of)
    run_id = at_pay(company)
    provider.mood = "mute"
    pay(company, run_id)
    for who in ("olivia", "mona", "ada"):
        view = runs.get(company.people[who], run_id)
        may_not = "tax_id" in access.scope_for(company.people[who], "customer", "read").hidden
        assert (view.json["current"]["effect"]["sent"] is None) == may_not
        assert ("run.current.effect.sent" in view.masked) == may_not
    assert any(
        "tax_id" in access.scope_for(company.people[who], "customer", "read").hidden
        for who in ("olivia", "mona", "ada")
    )


def test_whoever_presses_while_as_many_as_may_wait_for_a_system_is_told_that_it_is_asked_in_the_background(
    company: Company, provider: Provider, monkeypatch: pytest.MonkeyPatch, serving: None
) -> None:
    """The change was not begun, and is made once."""
    paying(retries=2)
    run_id = at_pay(company)
    with monkeypatch.context() as full:
        full.setattr(outside_places, "EACH", 0)
        told = pay(company, run_id)
    waiting = told["current"]["waiting"]
    assert (told["status"], waiting["for"], waiting["code"], provider.asked()) == (
        "waiting_time",
        "retry",
        "busy",
        [],
    )
    overdue(run_id)
    company.work()
    assert company.told(run_id)["current"]["step"] == "after"
    assert (len(provider.asked()), provider.payments) == (1, [5])
    whole(run_id)


@pytest.mark.parametrize("others", [False, True])
def test_nobody_waits_long_for_a_provider_that_hangs(
    company: Company, provider: Provider, monkeypatch: pytest.MonkeyPatch, serving: None, *, others: bool
) -> None:
    """The page says that the change is being made, sooner where others wait; the change is made once, and what follows by itself is done."""
    patient = {**PAY, "effects": [{**PAY["effects"][0], "timeout_s": 30}]}
    paying(document=patient)
    run_id = at_pay(company)
    provider.mood = "held"
    monkeypatch.setattr(effecting, "QUICK_S", 0.0)
    monkeypatch.setattr(effecting, "PATIENCE_S", 60.0 if others else 0.0)
    with effecting.place() if others else nullcontext():
        told = pay(company, run_id)
    assert (told["status"], told["current"]["waiting"]["for"]) == ("waiting_event", "effect")
    until(provider.asked)
    with pytest.raises(Conflict) as refused:
        runs.abort(company.olivia, run_id, revision=told["revision"], reason="It takes too long.")
    provider.held.set()
    until(lambda: company.told(run_id)["status"] == "waiting_person")
    assert refused.value.code == "not_possible"
    assert company.told(run_id)["current"]["step"] == "after"
    assert (len(provider.asked()), provider.payments) == (1, [5])
    whole(run_id)
