"""Blocks of a step on its page, on an approval and since a change, as far as each reader may see them."""

import re
from typing import Any

from console import runs, workflows
from console.auth import access
from console.auth.access import policy_store
from console.infra.db import transaction
from console.work import approvals
from tests.company import Company
from tests.support.engine import step
from tests.views.conftest import Pages

RISK = {
    "block": "facts",
    "title": "Of {{ record.display_name }}",
    "facts": [
        {"label": "Tax number", "value": "steps.load.record.tax_id"},
        {"label": "Balance", "value": "record.balance", "as": "money", "currency": "'EUR'"},
        {"label": "Desk", "value": "record.desk"},
        {
            "each": "steps.load.accounts",
            "label": "Account",
            "value": "entry.iban",
            "if": "entry.status == 'open'",
        },
    ],
}
LOAD = step(
    "load",
    "get_data",
    "look",
    {
        "fields": ["display_name", "tax_id"],
        "related": [{"name": "accounts", "relation": "account", "fields": ["iban", "status"]}],
    },
)


def made(
    company: Company,
    *content: dict[str, Any],
    type: str = "guidance",
    config: dict[str, Any] | None = None,
    variables: Any = None,
) -> str:
    """A run that stands at a step with these blocks, after its record was loaded."""
    start = {**step("start", "start", "load")}
    look = step("look", type, "end", config or {"text": "Look."}) | {"content": list(content)}
    if type == "approval":
        look["next"] = {"approved": "end", "rejected": "end"}
    steps = [start, LOAD, look, step("end", "end", None)]
    document = {
        "format": 1,
        "slug": "looking",
        "title": "Looking",
        "collection": "customer",
        "team": "operations",
        "variables": variables or {},
        "settings": {"exclusive": False},
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    run_id = runs.start(company.olivia, "looking", "customer", "1", {})
    told = company.told(run_id)
    while told["current"] and told["current"]["step"] != "look":
        company.answer(run_id, told=told)
        told = company.told(run_id)
    return run_id


def hide(field: str, *roles: str) -> None:
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[
                access.Row("p", f"role:{role}", "t:operations", f"field:{field}", "read", "deny", "")
                for role in roles
            ],
        )
    access.refresh()


def test_changed_since_marks_what_blocks_show_otherwise_today(pages: Pages) -> None:
    company = pages.company
    named = {
        "block": "comparison",
        "lines": [
            {"label": "Name", "ours": "record.display_name", "theirs": "steps.load.record.display_name"}
        ],
    }
    run_id = made(company, RISK, named)
    before = pages.olivia.get(f"/runs/{run_id}").text
    company.answer(run_id)
    ticks = range(1, runs.replay(company.olivia, run_id).last + 1)
    at = next(
        place
        for place in ticks
        if "facts-block" in pages.olivia.get(f"/runs/{run_id}/replay?at={place}").html
    )
    here = f"/runs/{run_id}/replay?at={at}&since=1"
    assert "changed-since" not in pages.olivia.get(here).html
    company.sql("update customer set balance = 99, display_name = 'Ada Bell' where id = 1")
    page = pages.olivia.get(here)
    assert "Balance €12.50Now: €99.00" in page.text
    assert page.text.count("Now: Ada Bell") >= 2, "the panel, and the comparison"
    assert "You may not see this" in before, "the tax number, which is neither then nor now"
    assert "Tax numberNow" not in page.text
    assert "Now:" not in pages.olivia.get(f"/runs/{run_id}/replay?at={at}").text
    hide("customer/balance", "operator")
    assert "99.00" not in pages.olivia.get(here).html


def test_who_may_not_see_a_field_does_not_see_what_is_made_of_it(pages: Pages) -> None:
    company = pages.company
    bars = {
        "block": "amounts",
        "whole": {"label": "Whole", "value": "record.balance"},
        "parts": [{"label": "Half", "value": "record.balance / 2"}],
    }
    run_id = made(
        company,
        RISK,
        bars,
        {"block": "facts", "if": "record.balance > 1", "facts": [{"label": "Rich", "value": "1"}]},
    )
    before = pages.olivia.get(f"/runs/{run_id}")
    assert all(
        words in before.text
        for words in ("€12.50", "LT45 9999 9000 1234 5678", "Rich", "You may not see this")
    )
    assert "LT459999900012345679" not in before.text[: before.text.index("Email")]
    hide("customer/tax_id", "reviewer")
    hide("customer/balance", "reviewer")
    hide("account/status", "reviewer")
    last = company.told(run_id)["last_event"]
    for address in (f"/runs/{run_id}", f"/runs/{run_id}/replay?at={last}"):
        page = pages.rosa.get(address)
        shown = page.html[page.html.index('<div class="block ') : page.html.index("amounts-block") + 2000]
        assert "You may not see this" in shown
        assert not re.search(r"IE123|12\.5|6\.25|LT4599|Rich|width=\"50", shown), address
        assert "retail" in shown.lower()
    told = runs.replay(company.rosa, run_id, last).json
    assert told["screen"]["content"][0]["facts"][0]["value"] == {
        "from": "content[0].facts[0].value",
        "value": None,
        "hidden": True,
    }
    assert "screen.content.0.facts.0.value" in told["masked"]


def test_an_approver_sees_the_blocks_as_they_were_when_it_was_asked_for(pages: Pages) -> None:
    company = pages.company
    run_id = made(
        company,
        RISK,
        type="approval",
        config={"text": "Agree?", "roles": ["lead"], "not_by": [], "fields": ["desk"]},
    )
    if company.told(run_id)["status"] == "waiting_person":
        company.answer(run_id, told=company.told(run_id))
    (line,) = approvals.to_review(company.mona).lines
    assert "€12.50" in pages.mona.get(f"/approvals/{line.id}").text
    company.sql("update customer set balance = 99 where id = 1")
    assert "€12.50" in pages.mona.get(f"/approvals/{line.id}").text
    hide("customer/balance", "lead", "operations_lead")
    page = pages.mona.get(f"/approvals/{line.id}")
    assert "€12.50" not in page.text
    assert "You may not see this" in page.text
