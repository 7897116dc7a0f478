"""The page of a list as it is sent: lines, the item at hand, what was typed for one that is gone, and its replay."""

from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from markupsafe import escape

from console import access, log, runs, sources
from tests.company import DOCUMENTS
from tests.runs.changing.test_loop import LOOP, begin, hand_in

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_the_list_and_the_item_at_hand_stand_on_the_page(pages: "Pages") -> None:
    company = pages.company
    company.sql("insert into account values ('<i>x</i>&?#', 1, 'open')")
    run_id = begin(company, {"items": {**LOOP["items"], "sort": "-iban"}})
    key = company.told(run_id)["current"]["progress"]["items"][-1]["key"]
    hand_in(company, run_id, key, verdict="good")
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "1 of 3 done" in page.html
    assert 'id="item-title"' in page.html
    assert "<i>x</i>" not in page.html
    assert f"item={quote_plus(key)}" in page.html
    turned = pages.olivia.client.get(f"/runs/{run_id}", query_string={"item": key})
    assert f'name="v.item" value="{escape(key)}"' in turned.text
    assert "&lt;i&gt;x&lt;/i&gt;&amp;?#</h3>" in turned.text
    assert pages.olivia.client.get(f"/runs/{run_id}?item=nowhere").status_code == 200
    assert pages.stan.client.get(f"/runs/{run_id}?item=1").status_code == 404


def test_what_was_typed_for_an_item_that_is_gone_is_not_put_into_another(pages: "Pages") -> None:
    company = pages.company
    run_id = begin(company)
    told = company.told(run_id)
    company.sql("delete from account where iban = 'LT459999900012345678'")
    sent = {"revision": told["revision"], "step": "check", "t.item": "text", "v.item": "LT459999900012345678", "t.verdict": "enum", "v.verdict": "good",
            "t.remark": "text", "v.remark": "Typed in vain", "csrf_token": pages.olivia.token}  # fmt: skip
    answer = pages.olivia.client.post(f"/runs/{run_id}/complete", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 422
    assert "is not in the list any more" in answer.text
    assert 'value="Typed in vain"' not in answer.text
    assert "Typed in vain" in answer.text, "it is shown, so that it is not lost"


def test_a_replay_shows_each_item_as_it_was(pages: "Pages") -> None:
    company = pages.company
    run_id = begin(company)
    hand_in(company, run_id, verdict="bad", remark="Smudged")
    hand_in(company, run_id, verdict="good")
    for event in log.events_of(run_id):
        page = pages.olivia.client.get(f"/runs/{run_id}/replay?at={event.n}")
        assert page.status_code == 200
    shown = [event for event in log.events_of(run_id) if event.type == "step_completed"][1]
    page = pages.olivia.client.get(f"/runs/{run_id}/replay?at={shown.n}")
    assert "Smudged" in page.text
    assert "LT45 9999 9000 1234 5678" in page.text


def test_the_items_of_a_list_are_told_apart_from_doing_it_again(pages: "Pages") -> None:
    company = pages.company
    run_id = begin(company)
    hand_in(company, run_id, verdict="bad", remark="Smudged")
    runs.revise(company.olivia, run_id, revision=company.told(run_id)["revision"], step="check", attempt=None, reason="The wrong one.")
    hand_in(company, run_id, verdict="good")
    said = [
        event["sentence"]
        for event in runs.events(company.olivia, run_id)[0]
        if event["kind"] in ("step_entered", "step_completed") and event["step"] == "check"
    ]
    assert [each.partition("“Check each”")[2].partition(":")[0].strip() for each in said] == [
        *("(item 1)", "(item 1)", "(item 2)"),
        *("(attempt 2, item 1)", "(attempt 2, item 1)", "(attempt 2, item 2)"),
    ]
    assert "(attempt 2, item 1): the next item follows" in unescape(pages.olivia.get(f"/runs/{run_id}/replay").html)


def test_whoever_may_change_the_workflow_gets_the_way_to_the_step_whose_column_is_gone(pages: "Pages") -> None:
    """Of the run's own record and of those of a list; nobody else is sent to a page that they may not open."""
    company = pages.company
    access.grant("operator", "collection:account", ["update"], team="operations")
    items = {"relation": "account", "fields": ["iban"]}
    listed = begin(company, {"items": items, "edit": ["status"], "form": LOOP["form"][:1]})
    own = company.at("rate")
    company.sql("alter table account rename column status to state")
    company.sql("alter table customer rename column email to mail")
    sections = [{"label": "Identity", "fields": ["display_name", "desk"]}]
    sources.refresh("company", [DOCUMENTS[0] | {"fields": {}, "summary": {"sections": sections}}, DOCUMENTS[1]])
    ways = [(listed, "/workflows/check-list/edit?step=check", "status"), (own, "/workflows/care-review/edit?step=rate", "email")]
    for run_id, way, _ in ways:
        assert way not in pages.olivia.get(f"/runs/{run_id}").html
    access.grant("operator", "workflow:*", ["edit"], team="operations")
    for run_id, way, gone in ways:
        page = pages.olivia.get(f"/runs/{run_id}")
        assert f'href="{way}"' in page.html
        assert f"no longer has: {gone}" in page.text
