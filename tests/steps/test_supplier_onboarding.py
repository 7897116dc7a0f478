"""Supplier onboarding walked without a service: tiers, exceptions, the call, what is written to the request."""

import copy
from pathlib import Path
from typing import Any

import pytest

from console.core.workflow import Workflow, read
from console.errors import Invalid
from tests.steps.walk import Walk, as_user

ONBOARDING: Workflow = read((Path(__file__).parents[2] / "workflows" / "supplier-onboarding.json").read_bytes())
REQUEST: dict[str, Any] = {
    "requester": "Stan",
    "company_name": "Brightwater Logistik GmbH",
    "country": "DE",
    "category": "logistics",
    "est_annual_eur": "9999.99",
    "critical": False,
    "personal_data": False,
    "status": "new",
}
FINE: dict[str, Any] = {
    "duplicates": ({}, "new"),
    "ask": ({"address": "office@brightwater.example", "seen_on": "website"}, None),
    "received": ({"sender": "office@brightwater.example"}, "received"),
    "validate": ({"vat": "valid", "payee": "match", "iban_last4": "1234", "screening": "clear"}, None),
    "callback": ({"number": "+49 30 23125 100", "number_source": "public_register", "spoke_to": "Ms Stein", "result": "confirmed"}, None),
    "sign": ({"method": "qualified", "our_signer": "Lena", "their_signer": "Ms Stein"}, None),
}
WAIVED = ({"until": "2027-01-31", "owner": "Stan", "reason": "New certificate is ordered"}, "resolved")


def walk(request: dict[str, Any] | None = None, role: str = "buyer", **answers: Any) -> Walk:
    made = Walk(ONBOARDING, copy.deepcopy(REQUEST | (request or {})), {"supplier": []}, {"status": "enum"})
    return as_user(made, role).to_the_end(copy.deepcopy(FINE | answers))


def test_a_small_supplier_goes_through() -> None:
    made = walk()
    assert made.ended == "active"
    assert made.record["status"] == "done"
    assert made.writes == ["status", "status"]
    assert made.context["contract"]["value_eur"] == "9999.99"


@pytest.mark.parametrize(
    ("request_", "tier"),
    [
        ({}, "C"),
        ({"est_annual_eur": "10000"}, "B"),
        ({"est_annual_eur": "249999.99"}, "B"),
        ({"est_annual_eur": "250000.00"}, "A"),
        ({"critical": True}, "A"),
        ({"personal_data": True}, "A"),
    ],
)
def test_the_tier_follows_from_the_request(request_: dict[str, Any], tier: str) -> None:
    assert walk(request_).context["tier"]["tier"] == tier


def test_a_supplier_that_is_known_ends_at_once() -> None:
    made = walk(duplicates=({"known_as": "88", "agreeing": ["vat_id", "iban", "name"]}, "existing"))
    assert made.way[-4:] == ["link", "log", "outcome", "end_existing"]
    assert made.record["status"] == "done"
    with pytest.raises(Invalid):
        walk(duplicates=({"agreeing": ["vat_id"]}, "existing"))


def test_a_minor_exception_is_waived_by_the_buyer_and_a_major_one_by_the_lead() -> None:
    minor: dict[str, Any] = {
        "validate": ({"vat": "valid", "payee": "close", "iban_last4": "1234", "screening": "clear", "exceptions": ["insurance"]}, None)
    }
    assert walk(**minor, exceptions=WAIVED).ended == "active_with_waiver"
    major: dict[str, Any] = {"validate": ({"vat": "invalid", "payee": "match", "iban_last4": "1234", "screening": "clear"}, None)}
    with pytest.raises(Invalid):
        walk(**major, exceptions=WAIVED)
    assert walk(role="procurement_lead", **major, exceptions=WAIVED).ended == "active_with_waiver"


@pytest.mark.parametrize("role", ["buyer", "procurement_lead"])
def test_a_hit_is_waived_by_nobody(role: str) -> None:
    hit: dict[str, Any] = {"validate": ({"vat": "valid", "payee": "match", "iban_last4": "1234", "screening": "hit"}, None)}
    made = walk(role=role, **hit, exceptions=({"reason": "On a list"}, "refuse"))
    assert [option.value for option in made.prompts["exceptions"].outcomes] == ["refuse", "send_back"]
    assert (made.ended, made.record["status"]) == ("refused", "refused")


@pytest.mark.parametrize("result", ["not_confirmed", "no_answer"])
def test_without_a_confirmed_call_no_bank_account_is_activated(result: str) -> None:
    call = {**FINE["callback"][0], "result": result}
    made = walk(callback=(call, None), exceptions=({"reason": "They did not know of it"}, "refuse"))
    assert "bank" not in made.way
    assert made.ended == "refused"


def test_papers_are_asked_for_again_and_a_request_may_be_dropped() -> None:
    made = walk(received=[({}, "again"), FINE["received"]])
    assert (made.way.count("ask"), made.ended) == (2, "active")
    made = walk(received=({}, "drop"))
    assert (made.ended, made.record["status"]) == ("refused", "refused")


def test_the_last_four_of_the_iban_are_four() -> None:
    with pytest.raises(Invalid) as caught:
        walk(validate=({**FINE["validate"][0], "iban_last4": "123"}, None))
    assert [detail["field"] for detail in caught.value.details] == ["iban_last4"]
