"""Inboxes made by page: who may, what is kept, what is refused, and what each rule does."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from console import workflows
from console.auth import access
from console.auth.access import policy_store
from console.core.errors import Conflict
from console.infra.db import transaction
from console.infra.db.engine import fetch
from console.infra.jobs import PutBack
from console.sources import collections
from console.work import due_times, tickets, work_list
from console.work.work_list import Filters
from console.workflows import inboxes
from console.workspaces import inbox_rules
from tests.company import DESK, DOCUMENT, Company
from tests.views.test_right_to_shape import document
from tests.work.test_inbox import UNRATED
from tests.work.test_tickets import handed_on

if TYPE_CHECKING:
    from tests.views.conftest import Pages


@pytest.fixture(autouse=True)
def _inboxes(pages: "Pages") -> None:
    inboxes.import_all([DESK, UNRATED])


def dated(company: Company) -> None:
    """Say of the customers' text `updated_at` that it holds moments."""
    fields = document(company)["fields"] | {"updated_at": {"type": "datetime"}}
    made = collections.save(company.ines, "customer", 0, document(company, fields=fields))
    collections.publish(company.ines, "customer", made)


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
    assert "/inbox/new?workflow=care-review" in pages.mona.get("/work?workflow=care-review").links
    chosen = pages.mona.get("/inbox/new?workflow=care-review")
    assert "Which Customers" in chosen.text
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


ASKED: list[dict[str, Any]] = [
    {"name": "why", "label": "Why", "type": "enum", "required": True, "options": [{"value": "periodic", "label": "Periodic"}, {"value": "event", "label": "Event"}]},
    {"name": "event_note", "label": "What happened?", "type": "long_text", "required_if": 'input.why == "event"'},
    {"name": "days", "label": "Days", "type": "integer", "max": 30},
    {"name": "share", "label": "Share", "type": "decimal"},
    {"name": "until", "label": "Until", "type": "date"},
    {"name": "hurry", "label": "In a hurry", "type": "boolean"},
    {"name": "of", "label": "Of", "type": "reference", "collection": "customer"},
    {"name": "name", "label": "Name", "type": "text", "required": True, "value": "record.display_name"},
    {"name": "bound", "label": "Bound", "type": "integer", "must": [{"if": "input.bound > 3", "message": "More than three."}]},
    {"name": "of_record", "label": "Of record", "type": "text", "must": [{"if": "record.id > 0", "message": "Of a record."}]},
]  # fmt: skip


def asking(fields: list[dict[str, Any]] = ASKED) -> None:
    """Publish the review with another start."""
    document = deepcopy(DOCUMENT)
    document["steps"][0]["config"] = {"fields": fields}
    workflows.import_file(document, publish=True)


def test_an_inbox_gives_its_workflow_what_the_start_asks_for(pages: "Pages") -> None:
    asking()
    new = "/inbox/new?workflow=care-review"
    page = pages.mona.get(new)
    assert "is needed" not in page.text, "nobody has pressed Save yet"
    typed: dict[str, Any] = {"title": "Ratings", "segment": "unrated", "v_name": "", "v_days": "12", "v_share": "1.50", "v_until": "2027-01-31", "v_hurry": "true"}  # fmt: skip
    lacking = pages.mona.send(page, new, status=422, **typed)
    assert "Why is needed: choose one." in lacking.text
    for wrong, words in (
        ({"v_why": "sometimes"}, "Periodic"),
        ({"v_why": "event"}, "What happened?” is needed"),
        ({"v_why": "periodic", "v_days": "31"}, "30"),
        ({"v_why": "periodic", "v_bound": "2"}, "More than three."),
    ):
        for do, status in (("preview", 200), ("save", 422)):
            refused = pages.mona.send(page, new, status=status, **typed | wrong | {"do": do})
            if do == "save" or "needed" not in words:
                assert words in refused.text
                assert 'aria-invalid="true"' in refused.html, "the field says it"
    right = typed | {"v_why": "event", "v_event_note": "A letter came.", "v_bound": "4", "v_of_record": "x"}
    shown = pages.mona.send(page, new, status=200, **right, do="preview")
    assert "Why Event" in shown.text
    assert "Days 12" in shown.text
    pages.mona.send(page, new, **right)
    source = inbox("ratings").source
    assert source is not None
    assert source.input == {"why": "event", "event_note": "A letter came.", "days": 12, "share": "1.50", "until": "2027-01-31", "hurry": True, "bound": 4, "of_record": "x"}  # fmt: skip
    run = tickets.take_next(pages.company.tom, "ratings")
    assert pages.company.told(run, "tom")["attempts"][0]["values"]["days"] == 12
    kept = pages.mona.get("/inbox/ratings/rules")
    assert kept.form("/rules")["fields"]["v.days"] == "12"
    pages.mona.send(kept, "/inbox/ratings/rules", v_days="13")
    assert inbox("ratings").document.to_json()["source"]["input"]["days"] == 13
    inbox_rules.restore(pages.company.mona, "ratings", 1)
    assert inbox("ratings").source == source


def test_filters_that_no_rule_of_an_inbox_says_are_named(pages: "Pages") -> None:
    query = "workflow=care-review&team=operations&kind=ticket&state=inbox&person=none&due=overdue&away=1"
    [link] = [link for link in pages.mona.get("/work?" + query).links if link.startswith("/inbox/new?")]
    assert sorted(parse_qsl(link.partition("?")[2])) == sorted(parse_qsl(query))
    page = pages.mona.get("/inbox/new?" + query)
    assert "cannot say it: Overdue, With people who are away." in page.text
    assert page.form("/inbox/new?" + query)["fields"]["workflow"] == "care-review"
    assert "cannot say it" not in pages.mona.get("/inbox/new?workflow=care-review&person=none").text
    shown = pages.mona.send(page, "/inbox/new?" + query, status=200, do="preview", v_why="periodic")
    assert "cannot say it: Overdue" in shown.text
    pages.mona.get("/inbox/new?due=sometimes", status=400)


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


def test_who_approves_tool_calls_is_asked_kept_and_restored(pages: "Pages") -> None:
    page = pages.mona.get("/inbox/desk/rules")
    pages.mona.send(page, "/inbox/desk/rules", own_tool_calls="1")
    assert inbox("desk").own_tool_calls
    pages.mona.send(pages.mona.get("/inbox/desk/rules"), "/inbox/desk/rules", title="Other")
    assert (inbox("desk").title, inbox("desk").own_tool_calls) == ("Other", True)
    pages.mona.send(pages.mona.get("/inbox/desk/rules"), "/rules/restore", number="1")
    assert not inbox("desk").own_tool_calls


def test_the_preview_says_what_saving_does(pages: "Pages") -> None:
    mona = pages.company.mona
    pages.company.sql("update customer set updated_at = '2026-11-20T10:00:00Z'")
    dated(pages.company)
    before = {each.id for each in tickets.to_do(mona, "unrated").tickets}
    rules = inbox_rules.rules(mona, "unrated")
    wanted = rules.to_json()
    wanted["source"] = {
        **{name: value for name, value in wanted["source"].items() if name != "segment"},
        "filter": "record.id >= 2",
        "due": {"field": "updated_at", "days": 3},
    }
    found = inbox_rules.preview(mona, wanted, rules.hash)
    assert inbox("unrated").source == rules.source, "nothing is saved"
    inbox_rules.save(mona, wanted, rules.hash)
    after = {each.id for each in tickets.to_do(mona, "unrated").tickets}
    assert after
    assert (found.enter, found.leave) == (len(after - before), len(before - after)) == (1, 1)
    assert found.due_changes == len(after & before) == 2
    assert [each.id for each in found.first] == [
        each.id for each in tickets.to_do(mona, "unrated", limit=5).tickets
    ]
    assert found.count == tickets.count(mona, [inbox("unrated")])["unrated"]


def test_rules_and_clock_are_one_version(pages: "Pages") -> None:
    page = pages.mona.get("/inbox/desk/rules")
    pages.mona.send(page, "/inbox/desk/rules", hours="8")
    again = pages.mona.get("/inbox/desk/rules")
    assert pages.mona.send(page, "/inbox/desk/rules", status=409, hours="9"), "a changed clock is a change"
    pages.mona.send(again, "/inbox/desk/rules", status=422, title="Another", hours="99999")
    assert inbox("desk").title == "Compliance desk", "neither of both is saved"
    pages.mona.send(again, "/inbox/desk/rules", hours="")
    assert due_times.rule_of_inbox("desk") is None
    inbox_rules.restore(pages.company.mona, "desk", 2)
    clock = due_times.rule_of_inbox("desk")
    assert clock is not None
    assert clock.minutes == 480


def test_due_times_of_live_runs_follow_the_due_field(pages: "Pages") -> None:
    company = pages.company
    company.sql("update customer set updated_at = '2026-11-20T10:00:00Z'")
    dated(company)
    run = company.started("1")
    due_times.note_due()
    mona, rules = company.mona, inbox_rules.rules(company.mona, "unrated")
    source = rules.to_json()["source"]
    for days, shown in ((1, True), (30, True), (None, False)):
        due = {"due": {"field": "updated_at", "days": days}} if days is not None else {}
        inbox_rules.save(
            mona, rules.to_json() | {"source": source | due}, inbox_rules.rules(mona, "unrated").hash
        )
        due_times.note_due()
        (item,) = [each for each in work_list.find(mona, Filters()).items if each.id == run]
        [(at,)] = fetch("select due_at from console.run where id = %s", (run,))
        assert (at is not None) == shown
        assert at == (due_times.end_of_day(item.due) if item.due else None), "the order is by what is shown"


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
        seen = inbox_rules.rules(pages.company.mona, "desk").hash
        answer = pages.mona.client.post(path, data=body | {"seen": seen})
        assert answer.status_code in (303, 403, 422), path
    assert "\0" not in "".join(f"{each.title}{each.help}" for each in inboxes.all_inboxes())


def test_due_times_of_many_tickets_are_computed_again_as_a_job_that_the_page_follows(
    pages: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    company, mona = pages.company, pages.company.mona
    monkeypatch.setattr(due_times, "AT_ONCE", 2)
    runs = [handed_on(company, record) for record in "1234"]
    page = pages.mona.get("/inbox/desk/rules")
    pages.mona.send(page, "/inbox/desk/rules", hours="8")
    assert "Due times are computed again" in pages.mona.follow().text, "it waits for a worker"
    [(ident,)] = fetch("select id from console.due_recount")
    left = iter([False, True])
    with pytest.raises(PutBack):
        due_times.RECOUNTS.advance(ident, lambda: next(left))
    half = pages.mona.get("/inbox/desk/rules")
    assert "2 of 4 due times computed again" in half.text
    [follows] = [each["hx-get"] for each in half.with_attribute("hx-trigger") if each.get("id") == "progress"]
    assert pages.mona.get(follows, "progress", status=204), "nothing is drawn while nothing moves"
    pages.olivia.get(follows, "progress", status=403)
    company.work()
    ended = pages.mona.get(follows, "progress")
    assert "4 of 4 due times computed again" in ended.text
    assert not ended.with_attribute("hx-trigger"), "it is followed no more"
    assert "computed again" not in pages.mona.get("/inbox/desk/rules").text
    shown = {item.id: item.due for item in work_list.find(mona, Filters(kind="ticket")).items}
    assert shown.keys() == set(runs)
    assert all(shown.values())
    assert dict(fetch("select id, due_at from console.run")) == shown
    pages.mona.send(pages.mona.get("/inbox/desk/rules"), "/inbox/desk/rules", hours="9")
    pages.mona.send(pages.mona.get("/inbox/desk/rules"), "/inbox/desk/rules", hours="")
    assert len(fetch("select 1 from console.due_recount")) == 1, (
        "a later change takes the place of an earlier"
    )
    company.work()
    assert {row[0] for row in fetch("select due_at from console.run")} == {None}
