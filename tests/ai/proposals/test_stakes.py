"""Where money moves, somebody is restricted or nothing can be recalled, nothing that is proposed is filled in, and nothing goes on by itself."""

import re
from typing import Any

import pytest

from console import runs, workflows
from tests.ai.proposals import hostile
from tests.ai.proposals.conftest import House
from tests.conftest import web_app
from tests.support import proposing_runs as answers
from tests.support.acting import imported
from tests.views.conftest import Pages

PAY: dict[str, Any] = {
    "format": 1,
    "id": "customer.pay",
    "title": "Pay",
    "collection": "customer",
    "form": [{"name": "amount", "label": "Amount", "type": "decimal"}],
    "effects": [
        {"name": "paid", "summary": "Notes it", "kind": "sql_write", "set": {"balance": "input.amount"}}
    ],
}
CHOICE: dict[str, Any] = {
    "options": [{"value": "pay", "label": "Pay it"}, {"value": "leave", "label": "Leave it"}],
    "form": [{"name": "balance", "label": "Balance", "type": "decimal"}],
}
SURE = {"supports": {"outcome": {"pay": "record.balance > 10", "leave": "record.balance < 0"}}}


def step(id: str, kind: str, config: dict[str, Any], to: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"id": id, "type": kind, "title": id.capitalize(), "config": config, "next": to} | more


def deciding(leads_to: str = "pay", **more: Any) -> None:
    """A choice of which one leads to an action that pays, or to nothing."""
    imported(PAY)
    between = step(
        "look",
        "update_data",
        {"form": [{"name": "seen", "label": "Seen", "type": "text"}]},
        {"default": leads_to},
    )
    pays = [
        step(
            "pay", "trigger_action", {"action": "customer.pay"}, {"default": "end", "succeeded": "end"}, ai={}
        )
    ]
    steps = [
        step("start", "start", {}, {"default": "choose"}),
        step("choose", "decision", CHOICE, {"pay": "look", "leave": "end"}, ai=SURE, **more),
        between,
        *(pays if leads_to == "pay" else []),
        step("end", "end", {}, {}),
    ]
    document = {
        "format": 1,
        "slug": "deciding",
        "title": "Deciding",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
    }
    workflows.import_file(document | {"steps": steps}, publish=True)


def page(house: House, run_id: str) -> str:
    return Pages(house.company, web_app()).olivia.get(f"/runs/{run_id}").html


@pytest.mark.parametrize(("leads_to", "fill"), [("pay", "none"), ("end", "medium")])
def test_a_choice_that_leads_to_money_is_proposed_and_not_chosen(
    house: House, leads_to: str, fill: str
) -> None:
    deciding(leads_to)
    run_id = runs.start(house.company.olivia, "deciding", "customer", "1")
    house.model.obey(hostile.answer({"outcome": "pay", "balance": "12.50"}, ["s1"]))
    found = house.proposed(run_id)
    assert (found["outcome"], found["choice"]["confidence"], found["fill"]) == ("pay", "high", fill)
    text = page(house, run_id)
    filled = fill != "none"
    assert bool(re.search(r'<input type="radio"[^>]*value="pay"[^>]*checked', text, re.DOTALL)) is filled
    assert bool(re.search(r'name="v.balance"[^>]*value="12[.]50?"', text, re.DOTALL)) is filled
    assert ('data-ai-state="fill"' in text) is filled
    assert ("Nothing is filled in: money moves" in text) is not filled
    form = house.company.told(run_id)["current"]["form"]["fields"]
    assert {one["name"]: one["value"] for one in form} == {"balance": None}


def test_accept_confident_takes_nothing_where_something_is_at_stake(house: House) -> None:
    deciding()
    run_id = runs.start(house.company.olivia, "deciding", "customer", "1")
    house.model.obey(hostile.answer({"outcome": "pay", "balance": "12.50"}, ["s1"]))
    house.work()
    text = page(house, run_id)
    button = re.search(r'<button[^>]*value="confident"[^>]*>', text, re.DOTALL)
    assert button is None or "hidden" in button[0]
    assert 'data-ai-state="offer"' in text


def test_the_form_of_an_action_that_pays_stays_empty(house: House) -> None:
    deciding()
    company = house.company
    run_id = runs.start(company.olivia, "deciding", "customer", "1")
    for given in ({"outcome": "pay"}, {"values": {"seen": "yes"}}):
        answers.hand_in(company, run_id, **given)
    house.model.obey(hostile.answer({"amount": "12.50"}, ["s1"]))
    found = house.proposed(run_id)
    assert ([(one["name"], one["confidence"]) for one in found["fields"]], found["fill"]) == (
        [("amount", "high")],
        "none",
    )
    assert not re.search(r'name="v.amount"[^>]*value="12', page(house, run_id), re.DOTALL)


@pytest.mark.parametrize("settings", [{}, {"on_error": "fail"}])
@pytest.mark.parametrize("stakes", [None, ["restriction"]])
def test_a_model_that_goes_on_by_itself_stops_before_what_is_at_stake(
    house: House, stakes: list[str] | None, settings: dict[str, Any]
) -> None:
    output = [{"name": "balance", "label": "Balance", "type": "decimal"}]
    steps = [
        step("start", "start", {}, {"default": "say"}),
        step(
            "say",
            "llm",
            {"prompt": "What is the balance?", "output": output},
            {"default": "end"},
            completion="automatic",
            **({"stakes": stakes} if stakes else {}),
        ),
        step("end", "end", {}, {}),
    ]
    document = {
        "format": 1,
        "slug": "saying",
        "title": "Saying",
        "collection": "customer",
        "team": "operations",
        "roles": ["operator"],
        "settings": settings,
    }
    workflows.import_file(document | {"steps": steps}, publish=True)
    run_id = runs.start(house.company.olivia, "saying", "customer", "1")
    house.model.obey(hostile.answer({"balance": "12.50"}, ["s1"]))
    house.work()
    told = house.company.told(run_id)
    if stakes is None:
        assert told["status"] == "completed"
    else:
        assert (told["status"], told["current"]["step"]) == ("waiting_person", "say")
        assert "before a person has decided" in told["current"]["take_over"]["message"]


def test_a_promoted_choice_is_a_persons_where_it_leads_to_money(house: House) -> None:
    deciding()
    run_id = runs.start(house.company.olivia, "deciding", "customer", "1")
    answers.made(answers.call_of(house.company, run_id), outcome="pay", mode="auto")
    told = house.company.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "choose")
