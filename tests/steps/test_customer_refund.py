"""The refund walked without a service: what may be refunded, by whom, and how much at most."""

import copy
from pathlib import Path
from typing import Any

import pytest

from console.core.workflow import Workflow, read
from console.errors import Invalid
from tests.steps.walk import Walk, as_user

REFUND: Workflow = read((Path(__file__).parents[2] / "workflows" / "customer-refund.json").read_bytes())
CHARGE: dict[str, Any] = {
    "id": "ch_1",
    "amount_minor": 18000,
    "currency": "EUR",
    "status": "succeeded",
    "captured_at": "2026-11-01T10:00:00Z",
    "card_brand": "visa",
    "card_last4": "4242",
    "descriptor": "FERNWICK*TICKET",
}
EURO = {"code": "EUR", "exponent": 2, "name": "Euro"}
YEN = {"code": "JPY", "exponent": 0, "name": "Yen"}
DINAR = {"code": "KWD", "exponent": 3, "name": "Dinar"}
SENT = ({"result": "succeeded", "provider_refund": "re_1"}, None)


def walk(
    charge: dict[str, Any] | None = None,
    *,
    left: int = 18000,
    eur: str = "180.00",
    currency: dict[str, Any] | None = None,
    related: dict[str, Any] | None = None,
    role: str = "operator",
    **answers: Any,
) -> Walk:
    found: dict[str, list[dict[str, Any]]] = {
        "refundable": [{"refunded_minor": 18000 - left, "remaining_minor": left, "amount_eur": eur}],
        "currency": [currency or EURO],
        "customer": [{"display_name": "Priya Raman", "restriction_code": "none"}],
        "refunds": [],
        "disputes": [],
    }
    made = Walk(REFUND, CHARGE | (charge or {}), found | (related or {}))
    return as_user(made, role).to_the_end(copy.deepcopy({"send": SENT} | answers))


def offered(made: Walk) -> list[str]:
    return [option.value for option in made.prompts["choose"].outcomes]


def most(made: Walk) -> Any:
    return next(field.max for field in made.prompts["choose"].fields if field.name == "amount")


def test_what_remains_is_refunded_in_full() -> None:
    made = walk(left=12000, choose=({"why": "withdrawal"}, "refund_full"))
    assert made.ended == "refunded"
    assert made.way == [
        "start",
        "facts",
        "ticket",
        "eligible",
        "choose",
        "send",
        "sent",
        "notify",
        "close",
        "log",
        "outcome",
        "end_refunded",
    ]
    assert made.context["log"]["amount"] == "120"
    assert made.prompts["choose"].text is not None
    assert "Paid 180 EUR, already back 60, remaining **120** (about €120.00 today)" in made.prompts["choose"].text.replace("\\", "")
    assert made.writes == []


@pytest.mark.parametrize(
    ("charge", "related", "branch", "end"),
    [
        ({"status": "uncaptured"}, {}, "not_settled", "refused"),
        ({}, {"disputes": [{"status": "needs_response"}]}, "disputed", "disputed"),
        ({}, {"customer": [{"display_name": "X", "restriction_code": "legal"}]}, "held", "held"),
        ({}, {"refundable": [{"refunded_minor": 18000, "remaining_minor": 0, "amount_eur": "180.00"}]}, "nothing_left", "refused"),
        ({"captured_at": "2026-05-23T10:00:00Z"}, {}, "too_old", "refused"),
    ],
)
def test_what_may_not_be_refunded_leads_elsewhere(charge: dict[str, Any], related: dict[str, Any], branch: str, end: str) -> None:
    made = walk(charge, related=related, choose_old=({"code": "outside_policy"}, "refuse"))
    assert (made.context["eligible"]["branch"], made.ended) == (branch, end)
    assert "send" not in made.way


@pytest.mark.parametrize(
    ("role", "left", "eur", "currency", "full", "largest"),
    [
        ("operator", 18000, "180.00", EURO, True, "180"),
        ("operator", 18000, "360.00", EURO, False, "100.00"),
        ("operations_lead", 18000, "360.00", EURO, True, "180"),
        ("operations_lead", 18000, "3600.00", EURO, False, "100.00"),
        ("operator", 18000, "109.80", YEN, True, "18000"),
        ("operator", 18000, "54.00", DINAR, True, "18"),
        ("operator", 9000, "360.00", EURO, True, "90"),
    ],
)
def test_how_much_a_role_may_refund(role: str, left: int, eur: str, currency: dict[str, Any], full: bool, largest: str) -> None:
    made = walk(left=left, eur=eur, currency=currency, role=role, choose=({"why": "goodwill", "code": "not_ours"}, "refuse"))
    assert ("refund_full" in offered(made)) == full
    assert most(made) == largest
    assert made.ended == "refused"


def test_more_than_remains_is_refused() -> None:
    with pytest.raises(Invalid) as caught:
        walk(left=12000, choose=({"why": "withdrawal", "amount": "180.00"}, "refund_partial"))
    assert caught.value.details == [{"field": "amount", "reason": "This is too high: at most 120."}]
    made = walk(left=12000, choose=({"why": "withdrawal", "amount": "119.99"}, "refund_partial"))
    assert (made.ended, made.context["log"]["amount"]) == ("partly_refunded", "119.99")


def test_a_refund_that_failed_is_tried_again_or_becomes_a_credit() -> None:
    failed = ({"result": "failed", "failure": "expired_card"}, None)
    made = walk(choose=({"why": "withdrawal"}, "refund_full"), send=[failed, SENT], failed=({}, "retry"))
    assert (made.way.count("send"), made.ended) == (2, "refunded")
    made = walk(choose=({"why": "withdrawal"}, "refund_full"), send=failed, failed=({"credit": "180.00"}, "give_credit"))
    assert made.ended == "credited"
    assert made.prompts["give_credit"].text == "Enter a credit of **180.00** EUR, valid for 12 months."
    made = walk(choose=({"why": "withdrawal"}, "refund_full"), send=failed, failed=({}, "finance_task"))
    assert made.ended == "unconfirmed"


def test_a_sent_refund_needs_its_number() -> None:
    with pytest.raises(Invalid) as caught:
        walk(choose=({"why": "withdrawal"}, "refund_full"), send=({"result": "pending"}, None))
    assert [detail["field"] for detail in caught.value.details] == ["provider_refund"]


def test_the_customer_is_asked_and_it_is_decided_again() -> None:
    made = walk(choose=[({"why": "duplicate"}, "ask"), ({"why": "duplicate", "code": "no_answer"}, "refuse")])
    assert made.way.count("choose") == 2
    assert made.ended == "refused"
