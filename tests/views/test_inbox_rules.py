"""Inboxes made by page: who may, what is kept, what is refused, and what each rule does."""

from typing import TYPE_CHECKING

import pytest

from console.auth import access
from console.auth.access import policy_store
from console.core.errors import Conflict
from console.infra.db import transaction
from console.work import due_times, tickets
from console.workflows import inboxes
from console.workspaces import inbox_rules
from tests.company import DESK
from tests.work.test_inbox import UNRATED
from tests.work.test_tickets import handed_on

if TYPE_CHECKING:
    from tests.views.conftest import Pages


@pytest.fixture(autouse=True)
def _inboxes(pages: "Pages") -> None:
    inboxes.import_all([DESK, UNRATED])


def inbox(ident: str) -> inboxes.Inbox:
    return next(each for each in inboxes.all_inboxes() if each.id == ident)


@pytest.mark.parametrize(
    ("who", "new", "rules"),
    [("olivia", 404, 403), ("rosa", 404, 404), ("stan", 404, 404), ("ines", 404, 404)],
)
def test_who_does_not_manage_inboxes_makes_and_changes_none(
    pages: "Pages", who: str, new: int, rules: int
) -> None:
    browser = getattr(pages, who)
    body = {"csrf_token": browser.token, "title": "Mine", "team": "operations", "seen": ""}
    browser.get("/inbox/new", status=new)
    browser.post("/inbox/new", body, status=new)
    browser.get("/inbox/desk/rules", status=rules)
    browser.post("/inbox/desk/rules", body, status=rules)
    browser.post("/inbox/desk/rules/restore", body | {"number": "1"}, status=rules)
    assert {each.id for each in inboxes.all_inboxes()} == {"desk", "unrated"}
    assert inbox("desk").title == "Compliance desk"


def test_an_inbox_is_made_by_page_and_changed_there(pages: "Pages") -> None:
    assert "/inbox/new" in pages.mona.get("/work").links
    page = pages.mona.get("/inbox/new")
    assert "was not saved" in pages.mona.send(page, "/inbox/new", status=422, title=" ").text
    chosen = pages.mona.send(
        page, "/inbox/new", status=200, title="Ratings", workflow="care-review", do="choose"
    )
    assert "Which Customers" in chosen.text
    previewed = pages.mona.send(
        chosen, "/inbox/new", status=200, title="Ratings", segment="unrated", do="choose"
    )
    waiting = tickets.count(pages.company.mona, [inbox("unrated")])["unrated"].to_do
    assert f"{waiting} Customers: Adaeze Okonkwo-Bell" in previewed.text
    assert {each.id for each in inboxes.all_inboxes()} == {"desk", "unrated"}, "a preview saves nothing"
    linked = pages.mona.get("/work?workflow=care-review").links
    assert "/inbox/new?workflow=care-review" in linked
    assert "Which Customers" in pages.mona.get("/inbox/new?workflow=care-review").text
    lacking = pages.mona.send(chosen, "/inbox/new", status=422, title="Ratings")
    assert "Choose which records come into it." in lacking.text
    refused = pages.mona.send(chosen, "/inbox/new", status=422, title="Ratings", segment="unrated")
    assert "asks for why" in refused.text, "its start needs more than an inbox gives"
    pages.mona.send(page, "/inbox/new", title="Urgent desk", most="1", hours="8", roles="operator")
    made = inbox("urgent-desk")
    assert (made.title, made.team, made.roles, made.most) == ("Urgent desk", "operations", ("operator",), 1)
    clock = due_times.rule_of_inbox("urgent-desk")
    assert clock is not None
    assert clock.minutes == 480
    assert (
        "There is an inbox of this name"
        in pages.mona.send(page, "/inbox/new", status=422, title="Urgent desk").text
    )


def test_rules_are_changed_kept_and_restored(pages: "Pages") -> None:
    page = pages.mona.get("/inbox/unrated/rules")
    pages.mona.send(page, "/inbox/unrated/rules", title="Not rated yet", sort="-display_name")
    changed = inbox("unrated")
    assert changed.title == "Not rated yet"
    assert changed.source is not None
    assert (changed.source.sort, changed.source.input) == ("-display_name", {"why": "periodic"})
    assert changed.position == 1, "it keeps its place"
    assert [each.number for each in inbox_rules.versions(pages.company.mona, "unrated")] == [2, 1]
    stale = pages.mona.send(page, "/inbox/unrated/rules", status=409, title="Other")
    assert "Somebody else changed this inbox" in stale.text
    again = pages.mona.get("/inbox/unrated/rules")
    pages.mona.send(again, "/rules/restore", number="1")
    assert inbox("unrated").title == "Unrated"
    with pytest.raises(Conflict):
        inbox_rules.save(pages.company.mona, DESK, "another")


def test_nobody_gets_more_than_the_most(pages: "Pages") -> None:
    company = pages.company
    inboxes.import_all([DESK | {"most": 1}])
    first, second = handed_on(company, "1"), handed_on(company, "2")
    assert tickets.take_next(company.tom, "desk") == first
    assert tickets.take_next(company.tom, "desk") == first, "one of theirs, in place of another"
    with pytest.raises(Conflict) as refused:
        tickets.take(company.tom, "desk", second)
    assert "the most for one person" in refused.value.message
    assert tickets.take_next(company.olivia, "desk") == second


def test_a_due_time_is_changed_only_by_what_is_typed_and_refused_with_all_else(pages: "Pages") -> None:
    terms = {"minutes": 90, "stages": [{"percent": 100, "do": "remind"}]}
    due_times.set_for_inbox(pages.company.mona, "desk", terms)
    page = pages.mona.get("/inbox/desk/rules")
    pages.mona.send(page, "/inbox/desk/rules", title="Desk")
    clock = due_times.rule_of_inbox("desk")
    assert clock is not None
    assert clock.minutes == 90
    for hours in ("-5", "0", "99999", "NaN"):
        pages.mona.send(pages.mona.get("/inbox/new"), "/inbox/new", status=422, title="Odd", hours=hours)
    assert {each.id for each in inboxes.all_inboxes()} == {"desk", "unrated"}


def test_a_field_that_its_maker_may_not_read_orders_no_inbox(pages: "Pages") -> None:
    offered = "/inbox/new?workflow=care-review"
    assert 'value="-risk"' in pages.mona.get(offered).html
    with transaction() as connection:
        row = access.Row("p", "role:lead", "t:operations", "field:customer/risk", "read", "deny", "")
        policy_store.write(connection, added=[row])
    access.refresh()
    page = pages.mona.get(offered).html
    assert 'value="-risk"' not in page
    assert 'value="-display_name"' in page


@pytest.mark.parametrize("field", ["title", "help", "team", "roles", "workflow", "segment", "sort"])
def test_a_text_that_cannot_be_stored_is_refused(pages: "Pages", field: str) -> None:
    body = {"csrf_token": pages.mona.token, "title": "Odd", "team": "operations", field: "a\0b"}
    for path in ("/inbox/new", "/inbox/desk/rules"):
        pages.mona.client.post(path, data=body | {"seen": inbox("desk").document.hash})
        answer = pages.mona.client.post(path, data=body | {"seen": inbox("desk").document.hash})
        assert answer.status_code in (303, 403, 422), path
    assert "\0" not in "".join(f"{each.title}{each.help}" for each in inboxes.all_inboxes())
