"""Actions on the pages: buttons on a record, the sheet, what is said before and after, and many at once."""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from console.auth import access
from console.infra import jobs
from tests.jobs import worked
from tests.support.acting import RATE, go_on, imported

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

MANY = """
with recursive numbers (n) as (select 5 union all select n + 1 from numbers where n < 230)
insert into customer select n, 'Customer ' || n, null, 'retail', null, null, 0, null from numbers
"""
SHEET = "/c/customer/1/do/customer.rate"


@pytest.fixture
def acting(pages: "Pages") -> "Pages":
    for role in ("operator", "lead"):
        access.grant(role, "collection:customer", ["act"], team="operations")
    imported(
        RATE,
        {
            **RATE,
            "id": "customer.lower",
            "title": "Lower it",
            "if": "record.risk == 'high'",
            "irreversible": True,
        },
    )
    return pages


def test_a_record_offers_what_is_possible_and_permitted(acting: "Pages") -> None:
    page = acting.olivia.get("/c/customer/1")
    assert SHEET in page.links
    assert "/c/customer/1/do/customer.lower" not in page.links
    assert "/c/customer/1/start/action-customer-rate" not in page.links
    assert SHEET in acting.olivia.get("/c/customer/1/menu", htmx="menu").links
    assert not [link for link in acting.rosa.get("/c/customer/1").links if "/do/" in link]


def test_the_sheet_says_what_is_to_be_known_and_having_it_done_leads_to_the_run(acting: "Pages") -> None:
    sheet = acting.olivia.get(SHEET, htmx="dialog")
    assert "<html" not in sheet.html
    assert "Sets the risk" in sheet.text
    assert "<script>" not in acting.olivia.get("/c/customer/4/do/customer.rate").html.partition("<main")[2]
    acting.olivia.send(acting.olivia.get(SHEET), SHEET, v_risk="high")
    done = acting.olivia.follow()
    assert "Adaeze Okonkwo-Bell is rated High." in done.text
    assert "Okonkwo Bell" not in done.text, "a sentence named `result` is no word of programs"
    assert acting.company.sql("select risk from customer where id = 1") == [("high",)]


def test_what_is_wrong_is_said_in_the_sheet_and_what_was_typed_is_kept(acting: "Pages") -> None:
    page = acting.olivia.send(acting.olivia.get(SHEET), SHEET, status=422, v_note="Kept.")
    assert page.form(SHEET)["fields"]["v.note"] == "Kept."
    refused = acting.olivia.send(
        acting.olivia.get("/c/customer/3/do/customer.rate"), "/do/customer.rate", status=409, v_risk="low"
    )
    assert "is no retail customer" in refused.text


def test_strangers_find_no_sheet(acting: "Pages") -> None:
    for who in (acting.stan, acting.rosa):
        who.get(SHEET, status=404)
        who.post(SHEET, {"csrf_token": who.token, "v.risk": "high", "t.risk": "enum"}, status=404)
    acting.olivia.get("/c/customer/1/do/customer.unheard", status=404)
    assert acting.company.sql("select risk from customer where id = 1") == [(None,)]


def test_many_are_looked_at_then_done_and_followed(acting: "Pages") -> None:
    path = "/bulk/of/customer?action=customer.rate&key=1&key=3"
    page = acting.olivia.get(path)
    assert "check which of them it can be done to" in page.text
    seen = acting.olivia.post(
        "/bulk/of/customer",
        page.forms[0]["fields"] | {"key": ["1", "3"], "v.risk": "high", "look": "1"},
        status=200,
    )
    assert "1 can be done, 1 cannot" in seen.text
    assert seen.text.count("Risk: – → High") == 1, "of each record to which it can be done, what it holds now"
    assert "Cannot be done" in seen.text
    assert "is no retail customer" in seen.text
    go = seen.forms[0]["fields"] | {"key": ["1", "3"], "v.risk": "high", "go": "1"}
    for unchecked in ({"v.risk": "low"}, {"checked": ""}):
        assert (
            "was not checked yet" in acting.olivia.post("/bulk/of/customer", go | unchecked, status=422).text
        )
    acting.olivia.post("/bulk/of/customer", go)
    to = acting.olivia.answer.headers["Location"]
    assert "1 to do" in acting.olivia.follow().text
    polled = str(acting.olivia.get(to).with_attribute("hx-get")[-1]["hx-get"])
    acting.olivia.get(polled, htmx="progress", status=204)
    worked({jobs.BULK})
    part = acting.olivia.get(polled, htmx="progress", status=200)
    assert "1 done, 0 open, 1 not done, 0 to do" in part.text
    assert acting.company.sql("select id from customer where risk = 'high'") == [(1,)]
    for who in (acting.mona, acting.stan):
        who.get(to, status=404)


def test_what_was_not_done_to_many_is_tried_again_by_who_began_it(acting: "Pages") -> None:
    listed = "segment=&filter=%7B%22field%22%3A%22risk%22%2C%22op%22%3A%22is_null%22%2C%22value%22%3Atrue%7D&sort=-id"
    form = acting.olivia.get(f"/bulk/of/customer?action=customer.rate&key=1&key=3&{listed}").forms[0][
        "fields"
    ] | {
        "key": ["1", "3"],
        "v.risk": "high",
    }
    seen = acting.olivia.post("/bulk/of/customer", form | {"look": "1"}, status=200)
    acting.olivia.post("/bulk/of/customer", form | seen.forms[0]["fields"] | {"key": ["1", "3"], "go": "1"})
    to = acting.olivia.answer.headers["Location"]
    worked({jobs.BULK})
    page = acting.olivia.get(to)
    assert "1 record: Halcyon Harbour Trading B.V. is no retail customer." in page.text
    assert "This page is kept until" in page.text
    (again,) = [href.replace("&amp;", "&") for href in page.links if "again=" in href]
    tried = acting.olivia.get(again)
    assert "Rate the customer: 1 record" in tried.text
    for place in (seen, page, tried):
        (back,) = {href.replace("&amp;", "&") for href in place.links if href.startswith("/c/customer?")}
        assert back == f"/c/customer?{listed}", "back to the list as it was, also of All"
    acting.mona.get(again, status=404)
    assert "is known for 30 days" in acting.mona.get(to, status=404).text


def test_fields_of_many_are_changed_by_page_and_not_by_strangers(acting: "Pages") -> None:
    access.grant("operator", "collection:customer", ["update"], team="operations")
    path = "/bulk/of/customer?action=hand:change&key=1&key=2"
    assert "hand:change" in acting.olivia.get("/c/customer").html
    sent = {
        "csrf_token": acting.olivia.token,
        "action": "hand:change",
        "key": ["1", "2"],
        "field": "risk",
        "t.risk": "enum",
        "look": "1",
    }
    assert "Choose a field" in acting.olivia.get(path).text
    for untouched in ({"field": ""}, {"v.risk": ""}):
        assert (
            "Give a field a value, or tick “Empty it”."
            in acting.olivia.post("/bulk/of/customer", sent | untouched, status=422).text
        )
    both = acting.olivia.post("/bulk/of/customer", sent | {"v.risk": "high", "empty": "risk"}, status=422)
    assert "Either a value or “Empty it”, not both." in both.text
    acting.olivia.post("/bulk/of/customer", sent | {"v.risk": "high"})
    to = acting.olivia.answer.headers["Location"]
    worked({jobs.BULK})
    assert "2 can be changed" in acting.olivia.get(to).text
    acting.olivia.post(to, {"csrf_token": acting.olivia.token, "do": "go"})
    worked({jobs.BULK})
    assert "2 done" in acting.olivia.get(to).text
    assert acting.company.sql("select count(*) from customer where risk = 'high'") == [(2,)]
    acting.ada.get(path, status=404)
    acting.mona.get(to, status=404)


def test_a_field_is_emptied_only_where_that_is_ticked_and_what_keeps_one_from_deletion_is_named(
    acting: "Pages",
) -> None:
    access.grant("operator", "collection:customer", ["update", "delete"], team="operations")
    sent = {
        "csrf_token": acting.olivia.token,
        "action": "hand:change",
        "key": ["1"],
        "field": ["risk"],
        "t.risk": "enum",
        "look": "1",
    }
    acting.company.sql("update customer set risk = 'low'")
    acting.olivia.post("/bulk/of/customer", sent | {"v.risk": "", "empty": "risk"})
    to = acting.olivia.answer.headers["Location"]
    worked({jobs.BULK})
    assert "1 can be changed" in acting.olivia.get(to).text
    acting.olivia.post(
        "/bulk/of/customer",
        {"csrf_token": acting.olivia.token, "action": "hand:delete", "key": ["1"], "look": "1"},
    )
    to = acting.olivia.answer.headers["Location"]
    worked({jobs.BULK})
    page = acting.olivia.get(to).text
    assert "0 can be deleted, 1 cannot" in page
    assert re.search("It cannot be deleted while records of .+ refer to it", page)


def test_a_workflow_is_started_on_a_list_of_more_than_200_after_each_record_was_looked_at(
    acting: "Pages",
) -> None:
    acting.company.sql(MANY)
    path = "/bulk/of/customer?action=start:care-review&all=1&filter=" + quote(
        '{"field":"desk","op":"eq","value":"retail"}'
    )
    page = acting.olivia.get(path)
    assert "Customers: Desk is Retail More than 200 are chosen" in page.text
    form = page.form("/bulk/of/customer")["fields"]
    assert "is needed" in acting.olivia.post("/bulk/of/customer", form | {"look": "1"}, status=422).text
    acting.olivia.post("/bulk/of/customer", form | {"v.why": "periodic", "look": "1"})
    to = acting.olivia.answer.headers["Location"]
    assert "Nothing is started yet." in acting.olivia.get(to).text
    while go_on(acting.company.olivia, to.rpartition("/")[2]).under_way:
        continue
    page = acting.olivia.get(to)
    assert (
        "Start Care review: 229 of 229 records 229 can be started, 0 cannot. Nothing is started yet."
        in page.text
    )
    assert "Start on 229 customers" in page.text
    acting.olivia.post(to, page.form(to)["fields"] | {"do": "go"})
    assert "0 started, 0 not started, 229 to start" in acting.olivia.get(to).text
    acting.olivia.post(to, {"csrf_token": acting.olivia.token})
    assert "229 stopped, 0 to start" in acting.olivia.get(to).text
