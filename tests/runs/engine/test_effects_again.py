"""A payment that was made, when a run comes to it again: kept, made anew, taken back."""

from collections.abc import Iterator

import pytest

from console import runs
from console.core.errors import Conflict, ConsoleError, Invalid
from tests.company import Company
from tests.support.engine import kinds, whole
from tests.support.paying import Provider, back, effects, made, paid, pay, providing

pytestmark = pytest.mark.lengthy


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


# ------------------------------------------------------------------------------------------------- kept, again, taken back


@pytest.mark.parametrize("look", [False, True])
def test_coming_to_the_payment_again_asks_and_keeps_it(
    company: Company, provider: Provider, look: bool
) -> None:
    run_id = paid(company, provider)
    back(company, run_id, "look" if look else "pay")
    if look:
        company.answer(run_id)
    for hand_in in (runs.complete, runs.complete_and_look):
        with pytest.raises(Conflict) as asked:
            hand_in(company.olivia, run_id, runs.Submission(step="pay", revision=None, values={"amount": 5}))
        assert (asked.value.code, [each["value"] for each in asked.value.details]) == (
            "already_done",
            ["keep", "again", "compensate"],
        )
    with pytest.raises(Conflict) as other:
        pay(company, run_id, 6)
    assert [each["value"] for each in other.value.details] == ["again", "compensate"]
    told = pay(company, run_id, 5, repeat="keep")
    assert (told["current"]["step"], provider.payments, told["context"]["pay"]["results"]) == (
        "after",
        [5],
        {"payment": {"payment": "pay_1"}},
    )
    assert kinds(run_id).count("effect_kept") == 1
    whole(run_id)


def test_compensate_recalls_the_payment_before_it_is_made_anew(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    back(company, run_id)
    told = pay(company, run_id, 9, repeat="compensate")
    assert (told["current"]["step"], provider.recalls, provider.payments) == ("after", ["pay_1"], [5, 9])
    assert effects(told) == [
        ("Pay through the provider", "succeeded"),
        ("Recall the payment", "succeeded"),
        ("Pay through the provider", "succeeded"),
    ]
    entry = told["attempts"][-2]["effects"][0]
    assert entry["compensates"] == told["attempts"][2]["effects"][0]["id"]
    whole(run_id)


def test_a_revision_takes_back_what_is_named_and_nothing_else(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    (done,) = made(company.told(run_id))
    for wrong in ("eff_other", run_id):
        with pytest.raises(Invalid) as refused:
            back(company, run_id, "look", (done, wrong))
        assert refused.value.details[0] == refused.value.details[0] | {"field": "compensate", "effect": wrong}
    told = back(company, run_id, "look", (done,))
    assert (told["status"], told["current"]["step"], provider.recalls) == (
        "waiting_person",
        "look",
        ["pay_1"],
    )
    company.answer(run_id)
    assert pay(company, run_id, 5)["current"]["step"] == "after", "it was taken back: nobody is asked"
    with pytest.raises(Invalid):
        back(company, run_id, "look", (done,))
    assert (provider.payments, provider.recalls) == ([5, 5], ["pay_1"])
    whole(run_id)


@pytest.mark.parametrize("mood", ["refuses", "mute"])
def test_a_recall_that_fails_is_for_a_person_to_settle(
    company: Company, provider: Provider, mood: str
) -> None:
    run_id = paid(company, provider)
    (done,) = made(company.told(run_id))
    provider.moods["/recalls"] = mood
    told = back(company, run_id, "look", (done,))
    effect = told["current"]["effect"]
    assert (told["current"]["type"], effect["compensates"], effect["status"]) == (
        "settle",
        done,
        "failed" if mood == "refuses" else "unknown",
    )
    assert ("check" in runs.get(company.olivia, run_id).can) == (mood == "mute")
    runs.settle(
        company.olivia,
        run_id,
        revision=None,
        effect=effect["id"],
        done=False,
        reason="They say no.",
        left=True,
    )
    assert company.told(run_id)["current"]["step"] == "look"
    company.answer(run_id)
    with pytest.raises(Conflict) as asked:
        pay(company, run_id, 5)
    assert asked.value.code == "already_done"
    whole(run_id)


def test_who_does_not_hold_the_run_takes_nothing_back(company: Company, provider: Provider) -> None:
    run_id = paid(company, provider)
    done = made(company.told(run_id))
    for who, code in (("tom", "not_holder"), ("ada", "not_holder"), ("stan", "not_found")):
        actor = company.people[who]
        with pytest.raises(ConsoleError) as aborting:
            runs.abort(actor, run_id, revision=None, reason="x", compensate=done)
        with pytest.raises(ConsoleError) as revising:
            runs.revise(actor, run_id, revision=None, step="look", attempt=None, reason="x", compensate=done)
        assert (aborting.value.code, revising.value.code) == (code, code)
    assert provider.recalls == []
