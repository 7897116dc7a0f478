"""The outbox, Settings → Channels, the banner of the sandbox, and the same in the API."""

from typing import TYPE_CHECKING

from console import access, accounts
from console.access import policy_store
from console.db import transaction
from tests.channels import reached
from tests.channels.reached import ANA, NOON, begin, line, workflow
from tests.company import Company
from tests.conftest import web_app

if TYPE_CHECKING:
    from tests.views.conftest import Pages

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
        begin(company, "hello", ANA)
    page = pages.olivia.get("/outbox")
    assert all(words in page.text for words in ("Sam Whitfield", "Hello Sam Whitfield", "There is no telephone number.", "not really sent"))
    assert "Sandbox" in pages.olivia.get("/").text
    assert "Sam Whitfield" not in pages.olivia.get("/outbox?status=skipped").text
    assert "Channel is one of" not in pages.olivia.get("/outbox?channel=fax", status=400).text
    pages.stan.get("/outbox", status=403)
    key = accounts.create_key("tests", company.olivia.id).text
    told = web_app().test_client().get("/api/v1/messages?contact=1&channel=sms", headers={"Authorization": f"Bearer {key}"}).get_json()
    assert [(one["contact"], one["status"], one["text"], one["sandbox"]) for one in told["data"]] == [
        ("1", "delivered", "Hello Sam Whitfield", True)
    ]


def test_a_text_made_of_a_field_that_its_reader_may_not_read_is_not_shown(pages: "Pages", company: Company) -> None:
    reached.founded(company)
    with reached.clock(NOON):
        begin(company, workflow("worth", [{"id": "sms", "type": "sms", "config": {"text": "You are worth {{ record.worth }}"}}]))
    assert "You are worth" in pages.olivia.get("/outbox").text
    with transaction() as connection:
        policy_store.write(connection, added=[access.Row("p", "role:operator", "t:operations", "field:contact/worth", "read", "deny", "")])
    access.refresh()
    shown = pages.olivia.get("/outbox").text
    assert "You are worth" not in shown
    assert "Its text was made of something that you may not read." in shown
    key = accounts.create_key("tests", company.olivia.id).text
    [told] = web_app().test_client().get("/api/v1/messages", headers={"Authorization": f"Bearer {key}"}).get_json()["data"]
    assert (told["text"], told["hidden"]) == (None, True)
    assert "You are worth" in pages.mona.get("/outbox").text


def test_a_call_in_the_sandbox_ends_as_somebody_chooses(pages: "Pages", company: Company) -> None:
    reached.founded(company)
    page = pages.ines.get("/settings/channels")
    wrong = pages.ines.send(page, "/settings/channels/call", script="sings 3", status=422)
    assert "Line 1: an outcome is one of" in wrong.text
    pages.ines.send(page, "/settings/channels/call", script="+1202: by_hand")
    with reached.clock(NOON):
        run_id = begin(company, workflow("call", [dict(CALL)]))
        assert "The call is under way" in pages.olivia.get(f"/runs/{run_id}").text
        call = line(company, run_id).message.id
        pages.ines.send(pages.ines.get("/outbox"), f"/outbox/{call}/outcome", outcome="answered")
        assert company.told(run_id)["status"] == "completed"
    assert company.told(run_id)["context"]["call"]["outcome"] == "answered"
    pages.olivia.get("/settings/channels", status=403)


def test_a_test_message_to_oneself(pages: "Pages", company: Company) -> None:
    page = pages.ines.get("/settings/channels")
    assert "is no telephone number" in pages.ines.send(page, "/settings/channels/sms/test", to="12", status=422).text
    pages.ines.send(page, "/settings/channels/email/test", to="ines@fernwick.example")
    reached.work()
    assert "A test" in pages.ines.get("/outbox").text
    assert company
