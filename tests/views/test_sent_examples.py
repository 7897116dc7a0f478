"""What another program sends is pasted as an example, and each value is given to a question of the start by a choice."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from console import workflows
from console.auth import access
from tests.support.contact_club import found_club

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

EXAMPLE = {
    "event": "order.paid",
    "data": {
        "Order Id": 1042,
        "total": 12.5,
        "customer": {"email": "ada@post.example", "vip": True, "born on": "1990-02-03"},
    },
    "lines": [{"sku": "A-1"}, {"sku": "B-2"}],
    "none": None,
}
DOCUMENT: dict[str, Any] = {
    "format": 1,
    "slug": "paid",
    "title": "Paid",
    "collection": "customer",
    "team": "operations",
    "run_as": "robot@fernwick.example",
    "triggers": [
        {"id": "shop", "kind": "webhook", "input": {"why": "input.event", "old": "input.gone"}},
        {"id": "night", "kind": "schedule", "cron": "0 2 * * *"},
    ],
    "steps": [
        {
            "id": "start",
            "type": "start",
            "title": "Start",
            "config": {
                "fields": [
                    {"name": "why", "label": "Why", "type": "text"},
                    {"name": "mail", "label": "E-mail", "type": "email"},
                ]
            },
            "next": {"default": "over"},
        },
        {"id": "over", "type": "end", "title": "Over"},
    ],
}


@pytest.fixture
def here(pages: "Pages") -> str:
    """The page of the webhook `shop` of Mona's draft."""
    slug = workflows.create(pages.company.mona, "Paid", team="operations", document=DOCUMENT).slug
    return f"/workflows/{slug}/filled/shop"


def shown(pages: "Pages", here: str, text: str, status: int = 200) -> "Page":
    return pages.mona.send(pages.mona.get(here), here, status=status, example=text)


def rows(page: "Page", here: str) -> dict[str, Any]:
    return {name: value for name, value in page.form(here)["fields"].items() if name.startswith("into.")}


def test_values_of_an_example_become_the_record_questions_and_new_questions(
    pages: "Pages", here: str
) -> None:
    edit = here.replace("/filled/shop", "/edit")
    assert here in pages.mona.get(edit).links
    page = shown(pages, here, json.dumps(EXAMPLE))
    for words in ("data › Order Id", "1042", "data › customer › email", "lines › first › sku", "A-1"):
        assert words in page.text, words
    assert "B-2" not in page.form(here)["fields"].get("into.6", "")
    assert rows(page, here) == {
        "into.0": "field:why",
        "into.1": "",
        "into.2": "",
        "into.3": "field:mail",
        "into.4": "",
        "into.5": "",
        "into.6": "",
        "into.7": "",
    }
    values = {"into.1": "record", "into.2": "new", "into.4": "new", "into.5": "new"}
    pages.mona.post(here, page.form(here)["fields"] | values | {"do": "take"})
    assert "Taken from the example: Why, the record, Total, E-mail, Vip, Born on" in pages.mona.follow().html
    document = workflows.open_draft(pages.company.mona, here.split("/")[2]).document
    webhook, night = document["triggers"]
    assert webhook["record"] == 'input.data["Order Id"]'
    assert webhook["input"] == {
        "old": "input.gone",
        "why": "input.event",
        "total": "input.data.total",
        "mail": "input.data.customer.email",
        "vip": "input.data.customer.vip",
        "born_on": 'input.data.customer["born on"]',
    }
    assert night == {"id": "night", "kind": "schedule", "cron": "0 2 * * *"}
    fields = document["steps"][0]["config"]["fields"]
    assert [(each["name"], each["type"]) for each in fields] == [
        ("why", "text"),
        ("mail", "email"),
        ("total", "decimal"),
        ("vip", "boolean"),
        ("born_on", "date"),
    ]
    again = shown(pages, here, json.dumps(EXAMPLE))
    assert (rows(again, here)["into.1"], rows(again, here)["into.4"]) == ("record", "field:vip"), (
        "what the draft has is chosen"
    )
    assert "ada@post.example" not in json.dumps(document), "nothing of the example is kept"


def test_an_address_in_the_example_finds_the_record_where_nothing_else_does(pages: "Pages") -> None:
    found_club(pages.company)
    access.grant("operations_lead", "collection:contact", ["browse", "read"])
    slug = workflows.create(
        pages.company.mona, "Sign-ups", team="operations", document=DOCUMENT | {"collection": "contact"}
    ).slug
    here = f"/workflows/{slug}/filled/shop"
    page = shown(pages, here, '{"who": {"key": 7, "address": "Sam@post.example"}}')
    assert rows(page, here) == {"into.0": "", "into.1": "record:email"}
    pages.mona.post(here, page.form(here)["fields"] | {"do": "take"})
    webhook, _ = workflows.open_draft(pages.company.mona, slug).document["triggers"]
    assert (webhook["record"], webhook["find_by"]) == ("input.who.address", "email")
    assert "The record is found by its Email" in pages.mona.get(f"/workflows/{slug}/edit").text
    again = shown(pages, here, '{"who": {"key": 7, "address": "Sam@post.example"}}')
    pages.mona.post(here, again.form(here)["fields"] | {"into.0": "record", "into.1": "", "do": "take"})
    webhook, _ = workflows.open_draft(pages.company.mona, slug).document["triggers"]
    assert (webhook["record"], webhook.get("find_by")) == ("input.who.key", None)
