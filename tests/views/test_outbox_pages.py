"""The outbox, Settings → Channels, the banner of the sandbox, and the same in the API."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from console import workflows
from console.activity import sequencing
from console.auth import access, accounts
from console.auth.access import policy_store
from console.core import drafting
from console.infra.db import transaction
from tests.company import DOCUMENT, Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, NOON, SAM, begin, line, workflow

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
CALL = {
    "id": "call",
    "type": "ai_call",
    "config": {"script": "Hello", "answers": ["interested"]},
    "next": {"interested": "end", "default": "end"},
}


def test_the_outbox_shows_what_left_and_why_not_and_the_api_too(pages: "Pages", company: Company) -> None:
    reached.founded(company)
    with reached.clock(NOON):
        begin(company, workflow("hello", [dict(SMS)]))
        skipped = begin(company, "hello", ANA)
    told = pages.olivia.get(f"/runs/{skipped}?tab=context").text
    assert "What came of it" in told
    assert "Not sent" in told
    assert "skipped" not in told
    with reached.clock(NOON):  # it counts the last day
        assert all(words in pages.ines.get("/operations").text for words in ("E-mail", "SMS Sandbox 1 0 0"))
    page = pages.olivia.get("/outbox")
    assert all(
        words in page.text
        for words in (
            "Sam Whitfield",
            "Hello Sam Whitfield",
            "There is no telephone number.",
            "not really sent",
        )
    )
    assert "Sandbox" in pages.olivia.get("/").text
    assert "Sam Whitfield" not in pages.olivia.get("/outbox?status=skipped").text
    assert "Contact: Sam Whitfield" in pages.olivia.get("/outbox?contact=contact%2F1").text
    assert "Contact: Ana" in pages.olivia.get("/outbox?contact=contact%2F2&channel=email").text, (
        "who has no message is named, too"
    )
    told = pages.olivia.get(f"/outbox?run={skipped}").text
    assert "Run: Ana" in told
    assert skipped not in told
    assert "Channel is one of" not in pages.olivia.get("/outbox?channel=fax", status=400).text
    pages.stan.get("/outbox", status=403)
    workflows.import_file(DOCUMENT | {"slug": "buying", "title": "Purchase plan", "team": "procurement"})
    assert (
        "Purchase plan"
        not in pages.olivia.get("/outbox").text + pages.olivia.get("/outbox?workflow=buying").text
    )  # of another team
    key = accounts.create_key("tests", company.olivia.id).text
    told = (
        web_app()
        .test_client()
        .get("/api/v1/messages?contact=1&channel=sms", headers={"Authorization": f"Bearer {key}"})
        .get_json()
    )
    assert [(one["contact"], one["status"], one["text"], one["sandbox"]) for one in told["data"]] == [
        ("1", "delivered", "Hello Sam Whitfield", True)
    ]


def test_who_may_read_records_but_list_none_is_led_to_no_page_of_them(
    pages: "Pages", company: Company
) -> None:
    reached.founded(company)
    with reached.clock(NOON):
        run = begin(company, workflow("hello", [dict(SMS)]))
    paths = ("/outbox", f"/runs/{run}", f"/runs/{run}/replay", "/workflows/hello")
    assert all('href="/c/contact' in pages.olivia.get(path).html for path in paths)
    with transaction() as connection:
        policy_store.write(
            connection, added=[access.Row("p", "role:operator", "*", "collection:*", "browse", "deny", "")]
        )
    access.refresh()
    for path in paths:
        assert 'href="/c/' not in pages.olivia.get(path).html, path
    assert "Sam Whitfield" in pages.olivia.get("/outbox").text


def test_a_text_made_of_a_field_that_its_reader_may_not_read_is_not_shown(
    pages: "Pages", company: Company
) -> None:
    reached.founded(company)
    with reached.clock(NOON):
        begin(
            company,
            workflow(
                "worth",
                [{"id": "sms", "type": "sms", "config": {"text": "You are worth {{ record.worth }}"}}],
            ),
        )
    assert "You are worth" in pages.olivia.get("/outbox").text
    with transaction() as connection:
        policy_store.write(
            connection,
            added=[
                access.Row("p", "role:operator", "t:operations", "field:contact/worth", "read", "deny", "")
            ],
        )
    access.refresh()
    shown = pages.olivia.get("/outbox").text
    assert "You are worth" not in shown
    assert "Its text was made of something that you may not read." in shown
    key = accounts.create_key("tests", company.olivia.id).text
    [told] = (
        web_app()
        .test_client()
        .get("/api/v1/messages", headers={"Authorization": f"Bearer {key}"})
        .get_json()["data"]
    )
    assert (told["text"], told["hidden"]) == (None, True)
    assert "You are worth" in pages.mona.get("/outbox").text


def test_cancelling_a_run_says_what_left_what_did_not_and_what_will_not(
    pages: "Pages", company: Company
) -> None:
    path = reached.founded(company)
    later = {"id": "later", "type": "wait", "config": {"days": 2}}
    with reached.clock(NOON):
        sent, skipped = (
            begin(company, workflow("hello", [dict(SMS), dict(later)]), contact) for contact in (SAM, ANA)
        )
    with reached.clock(NOON + timedelta(hours=10)):  # ten in the evening in Denver
        waiting = begin(company, workflow("night", [dict(SMS), dict(later)]))
        told = [pages.mona.get(f"/runs/{run}/cancel").text for run in (sent, skipped, waiting)]
    assert "SMS: delivered stays" in told[0]
    assert "SMS: not sent (There is no telephone number) stays" in told[1]
    assert "SMS: waiting does not leave then" in told[2]
    pages.mona.send(
        pages.mona.get(f"/runs/{waiting}/cancel"), f"/runs/{waiting}/cancel", reason="They called us."
    )
    assert line(company, waiting).status == "cancelled"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("delete from contact where id = 2")
        connection.commit()
    gone = pages.mona.get("/outbox")
    assert "A contact that is gone" in gone.text
    assert "/c/contact/2" not in gone.html


def test_messages_are_tried_on_contacts_before_a_workflow_is_switched_on(
    pages: "Pages", company: Company
) -> None:
    reached.founded(company)
    access.grant("operations_lead", "workflow:*", ["edit", "publish", "activate"], team="operations")
    access.refresh()
    text = "Hello {{ record.name }}, you are worth {{ record.worth }}. {{ first(record.language, 'en') }} {{ steps.call.outcome }}"
    slug = workflow(
        "tried",
        [
            {**CALL, "next": {"interested": "end", "default": "sms"}},
            {"id": "sms", "type": "sms", "title": "A text", "config": {"text": text}},
        ],
    )
    with reached.clock(NOON):
        page = pages.mona.get(f"/workflows/{slug}/test/contacts")
        assert "6 contacts tried" in page.text
        assert "A text 1" in page.text, "Sam alone has a telephone and consent; it is noon there"
        assert "4 There is no telephone number." in page.text
        assert "Worth for 2" in page.text
        assert "Bram de Wit" in page.text
        assert f"/workflows/{slug}/test/contacts" in pages.mona.get(f"/workflows/{slug}/test").links
        workflows.change(company.mona, slug, status="completed")
        asked = pages.mona.get(f"/workflows/{slug}/switch?to=active")
        assert "A text: Worth is empty for 2 of 6 contacts it was tried on." in asked.text
        refused = pages.mona.send(asked, f"/workflows/{slug}/switch", status=409)
        assert "A text: Worth is empty for 2 of 6 contacts it was tried on." in refused.text
        assert workflows.entry(company.mona, slug).status == "completed"
        pages.mona.send(refused, f"/workflows/{slug}/switch", leave_out="yes")
        assert workflows.entry(company.mona, slug).status == "active", (
            "two are left out of it, as somebody said"
        )
        longer = drafting.read_changes([{"op": "set_document", "field": "description", "value": "For all."}])
        workflows.edit(company.mona, slug, workflows.open_draft(company.mona, slug).revision, longer)
        asked = pages.mona.get(f"/workflows/{slug}/publish")
        refused = pages.mona.send(asked, f"/workflows/{slug}/publish", status=409, note="Again")
        assert "A text: Worth is empty for 2 of 6 contacts it was tried on." in refused.text, (
            "publishing goes live at once: it asks too"
        )
        pages.mona.send(refused, f"/workflows/{slug}/publish", note="Again", leave_out="yes")
        assert workflows.entry(company.mona, slug).live_version == 2
        key = accounts.create_key("tests", company.mona.id).text
        client, headers = web_app().test_client(), {"Authorization": f"Bearer {key}"}
        told = client.post(
            f"/api/v1/workflows/{slug}/trial", headers=headers, json={"version": "live", "segment": "engaged"}
        ).get_json()
        assert (told["tried"], told["more"]) == (3, False)
        [of_text] = [one for one in told["steps"] if one["step"] == "sms"]
        assert (of_text["channel"], of_text["leave"]) == ("sms", 0)
        assert {"reason": "Empty, and the text needs it: Worth.", "count": 1} in of_text["skip"], (
            "Bram has no worth"
        )


def test_who_tells_one_of_us_to_stop_is_left_alone_by_every_workflow(
    pages: "Pages", company: Company
) -> None:
    path = reached.founded(company)
    with closing(sqlite3.connect(path)) as connection:  # another contact with Sam's telephone
        connection.execute("update contact set phone = (select phone from contact where id = 1) where id = 3")
        connection.commit()
    page, workflow_slug = "/c/contact/1/reaching", workflow("hello", [dict(SMS)])
    with reached.clock(NOON):
        told = pages.olivia.get(page)
        assert "SMS Agreed" in told.text
        assert (
            "Choose what they do not want any more."
            in pages.olivia.post(page, told.form(page)["fields"] | {"channel": ""}, status=422).text
        )
        pages.olivia.send(told, page, channel="sms")
        assert "SMS Ended" in pages.olivia.get(page).text
        assert "SMS Ended" in pages.olivia.get("/c/contact/3/reaching").text, "who has the same number"
        assert line(company, begin(company, workflow_slug)).status == "skipped"
    sequencing.sequence()
    assert "noted that consent to SMS is withdrawn" in pages.olivia.get("/c/contact/1?tab=activity").text
    seen = pages.rosa.get(page)
    assert "SMS Ended" in seen.text
    assert not [form for form in seen.forms if form["action"] == page], (
        "who may not change the contact only reads it"
    )
    pages.rosa.post(page, told.form(page)["fields"] | {"channel": "email"}, status=403)
    pages.stan.get(page, status=404)


def test_who_may_add_consents_notes_that_a_contact_agreed_with_what_is_known_of_it(
    pages: "Pages", company: Company
) -> None:
    reached.founded(company)
    page, slug = "/c/contact/2/reaching", workflow("hello", [dict(SMS)])
    assert "You may not note that they agreed" in pages.olivia.get(page).text
    noted = {
        "noting": "agreed",
        "agreed": "sms",
        "v.source": "by phone",
        "v.text_version": "2026-01",
        "csrf_token": pages.olivia.token,
    }
    pages.olivia.post(page, noted, status=403)
    access.grant("operator", "collection:consent", ["create"], team="operations")
    access.refresh()
    with reached.clock(NOON):
        told = pages.olivia.get(page)
        assert "They agreed to be reached" in told.text
        noted = told.form(page)["fields"] | noted
        assert "Source is needed." in pages.olivia.post(page, noted | {"v.source": ""}, status=422).text
        assert (
            "Choose what they agreed to."
            in pages.olivia.post(page, noted | {"agreed": "fax"}, status=422).text
        )
        pages.olivia.post(page, noted)
        assert "SMS Agreed" in pages.olivia.get(page).text
        assert "by phone" in pages.olivia.get(page).text
        assert line(company, begin(company, slug, ANA)).message.code != "no_consent"
        pages.olivia.post(page, {"csrf_token": pages.olivia.token, "channel": "sms"})
        again = pages.olivia.get(page).form(page)["fields"]["once"]
        pages.olivia.post(page, noted | {"once": again})
        assert "SMS Agreed" in pages.olivia.get(page).text, "they gave it again, later than they took it back"
    sequencing.sequence()
    assert "noted consent to SMS" in pages.olivia.get("/c/contact/2?tab=activity").text
    with sqlite3.connect(company.path.with_name("club.db")) as connection:
        assert connection.execute(
            "select count(*) from consent where source = 'by phone' and contact_id = 2 and at like '2026-11-24%'"
        ).fetchone() == (2,)
    access.grant("reviewer", "collection:consent", ["browse"], team="operations")
    access.refresh()
    assert "You may not note that they agreed" in pages.rosa.get(page).text


def test_a_workflow_whose_message_would_reach_nobody_is_not_switched_on(
    pages: "Pages", company: Company
) -> None:
    path = reached.founded(company)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("update contact set worth = null")
        connection.commit()
    access.grant("operations_lead", "workflow:*", ["edit", "publish", "activate"], team="operations")
    access.refresh()
    slug = workflow(
        "tried",
        [
            {
                "id": "sms",
                "type": "sms",
                "title": "A text",
                "config": {"text": "You are worth {{ record.worth }}"},
            }
        ],
    )
    workflows.change(company.mona, slug, status="completed")
    asked = pages.mona.get(f"/workflows/{slug}/switch?to=active")
    refused = pages.mona.send(asked, f"/workflows/{slug}/switch", status=409)
    assert "A text: Worth is empty for all 6 contacts it was tried on." in refused.text
    assert workflows.entry(company.mona, slug).status == "completed"
    key = accounts.create_key("tests", company.mona.id).text
    answer = (
        web_app()
        .test_client()
        .post(f"/api/v1/workflows/{slug}/activate", headers={"Authorization": f"Bearer {key}"}, json={})
    )
    assert (answer.status_code, answer.get_json()["code"]) == (409, "merge_fields")
    pages.mona.send(refused, f"/workflows/{slug}/switch", status=409, leave_out="yes")
    assert workflows.entry(company.mona, slug).status == "completed", "nobody would get it"
