"""Customer refund at Fernwick Pay, scenario by scenario: what goes out, what later in the books, who had to agree."""

import json
from typing import Any

import pytest

from console import log, runs
from console.core.errors import Conflict, ConsoleError
from console.demo import stories
from console.formats import Look
from console.views import blocks as drawn
from tests.demo.refunding import Desk, asked, notes, refused, screen, whole, why

pytestmark = pytest.mark.slow


# ------------------------------------------------------------------------------------------------------------ amounts


def test_a_plain_request_goes_back_to_the_card_and_its_ticket_is_closed(desk: Desk) -> None:
    charge = stories.PLAIN_CHARGES[0]
    [ticket] = desk.tickets(charge)
    run_id = desk.chosen(charge)
    assert desk.at(run_id) == "refund"
    desk.hand_in(run_id)
    assert desk.sent(charge) == [4250]
    assert desk.refunds(charge) == [(4250, "succeeded", "not_received")]
    assert desk.to_the_end(run_id) == "refunded"
    assert desk.sql("select status::text, resolution_code from ticket where id = %s", ticket) == [
        ("solved", "refunded")
    ]
    whole(run_id)


def test_more_than_remains_is_refused_with_the_sum_written_out(desk: Desk) -> None:
    run_id = desk.start(stories.PRIYA_CHARGE)
    said = refused(lambda: desk.hand_in(run_id, "refund_partial", why="not_as_described", amount="180.00"))
    assert said.startswith("€120.00 remain of €180.00 (€60.00 on ")
    desk.hand_in(run_id, "refund_partial", why="not_as_described", amount="119.99")
    desk.hand_in(run_id)
    desk.hand_in(run_id)
    assert desk.sent(stories.PRIYA_CHARGE) == [11_999]
    assert desk.to_the_end(run_id) == "partly_refunded"


def test_a_dinar_has_three_decimals_and_what_has_no_rate_is_not_offered_with_the_reason(desk: Desk) -> None:
    unknown = desk.another(4_000, "RON")
    desk.sql("delete from fx_rate where currency = 'RON'")
    shown = screen(desk, desk.start(unknown))
    reason = (
        "What remains of this charge cannot be told: RON has no rate in euro here. Ask Finance to enter one."
    )
    assert [option["value"] for option in shown["outcomes"]] == ["give_credit", "refuse", "ask"]
    assert json.dumps(shown).count(reason) == 2
    said = [drawn.with_words(dict(block), Look()) for block in shown["content"]]
    assert "No rate for this currency" in json.dumps(said, default=str)
    assert [line["shown"] for line in said[0]["lines"]] == ["RON\xa040.00", "–", "–"], (
        "what is left cannot be told either"
    )
    run_id = desk.chosen(stories.KENJI_DINAR)
    desk.hand_in(run_id)
    assert desk.sent(stories.KENJI_DINAR) == [31_250]
    assert desk.to_the_end(run_id) == "refunded"


# ----------------------------------------------------------------------------------------------------------- four eyes


def test_above_the_limit_nothing_is_sent_before_a_lead_agrees(desk: Desk) -> None:
    charge = stories.KENJI_YEN
    run_id = desk.chosen(charge)
    assert (
        notes(desk, run_id)["Approval"]
        == "By operations lead or finance controller. An operator refunds up to €200.00."
    )
    desk.hand_in(run_id)
    approval = asked(run_id)
    assert (desk.sent(charge), desk.refunds(charge)) == ([], [])
    for by in ("olivia", "tom", "stan"):
        with pytest.raises(ConsoleError):
            runs.approve(desk.people[by], approval)
    runs.approve(desk.people["mona"], approval)
    with pytest.raises(Conflict):
        runs.approve(desk.people["petra"], approval)
    assert (desk.sent(charge), desk.refunds(charge)) == ([48_000], [(48_000, "succeeded", "not_received")])
    assert desk.to_the_end(run_id) == "refunded"
    whole(run_id)


CASES: list[tuple[str, dict[str, Any], str, tuple[str, ...], str]] = [
    (
        "more than a lead may",
        {"minor": 250_000},
        "olivia",
        ("petra",),
        "An operator refunds up to €200.00. More than €2,000.00 goes out with the agreement of Finance.",
    ),
    (
        "more than a lead may, by a lead",
        {"minor": 250_000},
        "mona",
        ("petra",),
        "More than €2,000.00 goes out with the agreement of Finance.",
    ),
    (
        "outside the policy",
        {"minor": 900, "days": 75},
        "olivia",
        ("mona", "petra"),
        "It is outside the policy.",
    ),
    (
        "outside the policy, by a lead",
        {"minor": 900, "days": 75},
        "mona",
        ("petra",),
        "It is outside the policy.",
    ),
]


@pytest.mark.parametrize(
    ("charge", "by", "able", "reason"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_who_has_to_agree(
    desk: Desk, charge: dict[str, Any], by: str, able: tuple[str, ...], reason: str
) -> None:
    made = desk.another(**charge)
    run_id = desk.chosen(made, by=by)
    desk.hand_in(run_id, by=by)
    assert why(desk, run_id, "petra") == reason
    for name in {"olivia", "tom", "mona", "petra"} - set(able):
        with pytest.raises(ConsoleError):
            runs.approve(desk.people[name], asked(run_id))
    assert desk.sent(made) == []
    runs.approve(desk.people[able[0]], asked(run_id))
    assert desk.sent(made) == [charge["minor"]]


def test_a_customer_who_often_had_money_back_needs_another_pair_of_eyes(desk: Desk) -> None:
    often, much = desk.calm(), desk.calm()
    for number, (customer, minor) in enumerate([(often, 100)] * 4 + [(much, 50_100)]):
        charge = desk.another(60_000, customer=customer)
        desk.sql(
            "insert into refund (id, charge_id, amount_minor, currency, status, reason, idempotency_key, requested_by, created_at)"
            " values (%s, %s, %s, 'EUR', 'succeeded', 'goodwill', %s, 'tom', now() - interval '80 days')",
            *(f"re_often{number}", charge, minor, f"often{number}"),
        )
    for customer, had in ((often, "3 refunds"), (much, "€500.00 back")):
        run_id = desk.chosen(desk.another(500, customer=customer))
        desk.hand_in(run_id)
        assert why(desk, run_id) == f"The customer had more than {had} in 90 days."


def test_a_request_that_staff_opened_needs_another_pair_of_eyes(desk: Desk) -> None:
    charge = desk.another(500)
    desk.ask(charge, author="staff")
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    assert why(desk, run_id) == "The request was opened by staff, not by the customer."


def test_a_changed_amount_needs_a_new_agreement(desk: Desk) -> None:
    charge = desk.another(150_000)
    desk.ask(charge)
    run_id = desk.start(charge)
    desk.hand_in(run_id, key="-", reason="Phoned on Tuesday at nine.")
    desk.hand_in(run_id, "refund_partial", why="not_received", amount="900")
    shown = runs.get(desk.people["olivia"], run_id).screen or {}
    assert "Phoned on Tuesday at nine." in str(shown["content"]), (
        "who agrees reads the request, also where there is no ticket"
    )
    desk.hand_in(run_id)
    former = asked(run_id)
    runs.revise(
        desk.people["olivia"],
        run_id,
        revision=None,
        step="choose",
        attempt=None,
        reason="The customer sent the second invoice.",
    )
    desk.hand_in(run_id, "refund_partial", why="not_received", amount="1200")
    desk.hand_in(run_id)
    with pytest.raises(Conflict):
        runs.approve(desk.people["mona"], former)
    assert desk.sent(charge) == []
    runs.approve(desk.people["mona"], asked(run_id))
    assert desk.sent(charge) == [120_000]
    trail = [event.type for event in log.events_of(run_id) if event.type.startswith("approval_")]
    assert trail == ["approval_requested", "approval_voided", "approval_requested", "approval_decided"]
    whole(run_id)


def test_a_dispute_since_it_was_asked_for_stops_the_refund(desk: Desk) -> None:
    charge = desk.another(90_000)
    run_id = desk.chosen(charge)
    desk.hand_in(run_id)
    approval = asked(run_id)
    desk.sql(
        "insert into dispute (id, charge_id, amount_minor, currency, stage, status, reason, is_charge_refundable, evidence_due_at, created_at)"
        " values ('dp_since', %s, 90000, 'EUR', 'chargeback', 'needs_response', 'fraudulent', false, now() + interval '9 days', now())",
        charge,
    )
    with pytest.raises(ConsoleError):
        runs.approve(desk.people["mona"], approval)
    assert desk.sent(charge) == []
