"""Settings, Hours and caps: seen, previewed, saved, refused by the box, two at once, who must not get in, and the same in the API."""

from typing import TYPE_CHECKING, Any

import pytest

from console import workflows
from console.auth import accounts
from console.core.contact_rules import document_of
from console.core.contacting import Rules
from console.core.working_time import DAYS
from console.infra.db.engine import fetch
from console.messaging.messages import rules
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

HOURS = "/settings/hours"
SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
LATER = {"id": "later", "type": "wait", "config": {"days": 2}}


@pytest.fixture
def boxes(pages: "Pages") -> dict[str, Any]:
    """What the page would send as it is drawn. Kinds of caps are several values of one name."""
    fields = dict(pages.ines.get(HOURS).form(HOURS)["fields"])
    return fields | {"cap.0.kind": ["email", "sms"], "cap.1.kind": ["call"]}


def test_the_page_shows_what_holds_and_saves_it_as_it_is(
    pages: "Pages", boxes: dict[str, Any], company: Company
) -> None:
    page = pages.ines.get(HOURS)
    for words in (
        "Now 08:00 to 20:00 every day",
        "Monday to Saturday 08:00 to 20:00, Sunday closed",
        "at any hour",
        "in the United States calls leave only from 08:00 to 21:00 every day",
        "Nobody changed them yet",
    ):
        assert words in page.text
    assert HOURS in pages.ines.get("/settings/channels").links
    pages.ines.post(HOURS, boxes)
    assert "Nothing was changed" in pages.ines.follow().text
    assert rules.newest().version == 0
    assert company


def test_a_preview_saves_nothing_and_says_what_changes(
    pages: "Pages", boxes: dict[str, Any], company: Company
) -> None:
    reached.founded(company)
    told = pages.ines.post(HOURS, boxes | {"do": "preview", "any.sms": "on"}, status=200)
    assert "Nothing is saved yet SMS: at any hour instead of 08:00 to 20:00 every day." in told.text
    assert told.form(HOURS)["fields"]["any.sms"] == "on", "what was entered stays"
    early = {f"{part}.call.{day}": at for day in DAYS for part, at in (("from", "5"), ("to", "8"))}
    assert (
        "nobody in the United States is ever reached"
        in pages.ines.post(HOURS, boxes | early | {"do": "preview"}, status=200).text
    )
    assert "This is what holds already" in pages.ines.post(HOURS, boxes | {"do": "preview"}, status=200).text
    assert rules.newest().version == 0
    pages.ines.post(HOURS, boxes | {"any.sms": "on"})
    back = pages.ines.post(HOURS, boxes | {"do": "defaults", "version": "1"}, status=200)
    assert "SMS: 08:00 to 20:00 every day instead of at any hour." in back.text
    pages.ines.post(
        HOURS, back.form(HOURS)["fields"] | {"cap.0.kind": ["email", "sms"], "cap.1.kind": ["call"]}
    )
    assert rules.newest().rules == Rules()


def test_what_cannot_be_saved_is_said_at_its_box_and_nothing_typed_is_lost(
    pages: "Pages", boxes: dict[str, Any]
) -> None:
    wrong = boxes | {
        "from.sms.mon": "20:00",
        "to.sms.mon": "08:00",
        "to.call.tue": "",
        "cap.0.most": "0",
        "cap.1.span": "soon",
        "cap.1.kind": [],
    }
    for more in ({}, {"do": "preview"}):
        page = pages.ines.post(HOURS, wrong | more, status=422)
        for words in (
            "It closes before it opens",
            "Say from when until when",
            "from 1 to 100",
            "from 1 hour to 90 days",
            "Choose at least one of",
        ):
            assert words in page.text
        assert page.form(HOURS)["fields"]["cap.1.span"] == "soon"
        marked = {each["name"] for each in page.with_attribute("aria-invalid") if "name" in each}
        assert marked == {
            "from.sms.mon",
            "to.sms.mon",
            "from.call.tue",
            "to.call.tue",
            "cap.0.most",
            "cap.1.span",
            "cap.1.kind",
        }
    closed = {name: value for name, value in boxes.items() if not name.startswith("open.sms.")}
    assert "would ever leave: open at least one day." in pages.ines.post(HOURS, closed, status=422).text
    assert "Choose a time zone" in pages.ines.post(HOURS, boxes | {"chat_zone": "Mars/Base"}, status=422).text
    assert rules.newest().version == 0


def test_two_at_once_the_second_sees_what_the_first_saved_and_keeps_what_they_entered(
    pages: "Pages", boxes: dict[str, Any]
) -> None:
    pages.ines.post(HOURS, boxes | {"cap.1.most": "2"})
    looked = pages.ines.post(HOURS, boxes | {"any.sms": "on", "do": "preview"}, status=200)
    assert looked.form(HOURS)["fields"]["version"] == "0", "a preview does not pass over what the first saved"
    late = pages.ines.post(HOURS, boxes | {"any.sms": "on"}, status=409)
    assert "in the meantime" in late.text
    assert "at most 2 calls in 24 hours instead of 1 call in 24 hours. Save once more" in late.text
    assert rules.newest().version == 1
    pages.ines.post(
        HOURS, late.form(HOURS)["fields"] | {"cap.0.kind": ["email", "sms"], "cap.1.kind": ["call"]}
    )
    assert (rules.newest().version, "sms" in rules.newest().rules.windows) == (2, False)


def test_who_sets_up_no_channels_gets_in_by_no_door(
    pages: "Pages", boxes: dict[str, Any], company: Company
) -> None:
    for browser in (pages.olivia, pages.mona, pages.stan):
        browser.get(HOURS, status=403)
        for more in ({}, {"do": "preview"}, {"do": "defaults"}):
            browser.post(HOURS, boxes | {"csrf_token": browser.token} | more, status=403)
        assert HOURS not in browser.get("/settings/me").links
    client = web_app().test_client()
    head = {"Authorization": f"Bearer {accounts.create_key('tests', company.mona.id).text}"}
    assert client.get("/api/v1/contact-rules", headers=head).status_code == 403
    sent = {"version": 0, **document_of(Rules({}))}
    assert client.put("/api/v1/contact-rules", json=sent, headers=head).status_code == 403
    assert fetch("select count(*) from console.contact_rules") == [(0,)]


def test_programs_read_and_replace_the_rules(company: Company) -> None:
    client = web_app().test_client()
    head = {"Authorization": f"Bearer {accounts.create_key('tests', company.ines.id).text}"}
    shown = client.get("/api/v1/contact-rules", headers=head).get_json()
    assert (shown["version"], shown["hours"]["call"]["sun"], shown["law"]["US"]["call"]["sun"]) == (
        0,
        None,
        ["08:00", "21:00"],
    )
    sent = {name: shown[name] for name in ("version", "hours", "caps", "chat_zone")}
    sent["hours"]["sms"]["sun"] = None
    saved = client.put("/api/v1/contact-rules", json=sent, headers=head)
    assert (saved.status_code, saved.get_json()["version"], saved.get_json()["changed_by"]) == (
        200,
        1,
        company.ines.id,
    )
    late = client.put("/api/v1/contact-rules", json=sent | {"caps": []}, headers=head)
    assert (late.status_code, late.get_json()["code"]) == (409, "overtaken")
    wrong = client.put(
        "/api/v1/contact-rules",
        json=sent | {"version": 1, "caps": [{"kinds": ["sms"], "most": 0, "hours": 1}], "law": {}},
        headers=head,
    )
    assert wrong.status_code == 422
    assert "law" in wrong.text
    low = client.put(
        "/api/v1/contact-rules",
        json=sent | {"version": 1, "caps": [{"kinds": ["sms"], "most": 0, "hours": 1}]},
        headers=head,
    )
    assert [each["field"] for each in low.get_json()["details"]] == ["caps.0.most"]


def test_the_legal_basis_for_leads_is_confirmed_and_taken_back_on_the_page(
    pages: "Pages", company: Company
) -> None:
    start = {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "end"}}
    steps = [start, {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}}]
    document = {
        "format": 1,
        "slug": "leads",
        "title": "New leads",
        "team": "operations",
        "collection": None,
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    path, sent = f"{HOURS}/leads", {"workflow": "leads", "channel": "sms", "basis": "Contract"}
    for browser in (pages.olivia, pages.mona, pages.stan):
        browser.post(path, sent | {"csrf_token": browser.token}, status=403)
    pages.ines.post(path, sent | {"csrf_token": pages.ines.token})
    assert "New leads, SMS: Contract" in " ".join(pages.ines.get(HOURS).text.replace("</b>", "").split())
    refused = pages.ines.post(path, sent | {"csrf_token": pages.ines.token, "channel": "fax"}, status=422)
    assert "One of email, sms, call, ai_call." in refused.text
    pages.ines.post(path, sent | {"csrf_token": pages.ines.token, "basis": ""})
    assert fetch("select count(*) from console.consent_default") == [(0,)]
