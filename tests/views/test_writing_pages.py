"""Writing to one contact by hand: how each channel stands, what is wrong by field, who may, and that two presses are one message."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from console.auth import access
from console.infra.db.engine import fetch
from console.messaging.messages import inbound
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON

if TYPE_CHECKING:
    from tests.views.conftest import Pages

PAGE = "/c/contact/1/write"
TEXT = "Your parcel is at the desk."


@pytest.fixture
def club(pages: "Pages") -> "Pages":
    reached.founded(pages.company)
    access.grant("operations_lead", "collection:contact", ["message"], team="operations")
    return pages


def count() -> int:
    return int(fetch("select count(*) from console.message")[0][0])


def test_a_message_is_written_from_the_page_of_a_contact_and_leaves_once(club: "Pages") -> None:
    with reached.clock(NOON):
        assert PAGE in club.mona.get("/c/contact/1/reaching").links
        page = club.mona.get(PAGE)
        assert "SMS Leaves at once" in page.text
        wrong = club.mona.send(page, PAGE, channel="sms", text=" ", status=422)
        assert "Say something." in wrong.text
        assert (
            "An e-mail needs a subject."
            in club.mona.send(page, PAGE, channel="email", text=TEXT, status=422).text
        )
        assert TEXT in club.mona.send(page, PAGE, channel="email", text=TEXT, status=422).html, (
            "what was typed stays"
        )
        assert "at most 1,600" in club.mona.send(page, PAGE, channel="sms", text="x" * 1601, status=422).text
        assert (
            "Choose by which channel" in club.mona.send(page, PAGE, channel="fax", text=TEXT, status=422).text
        )
        assert count() == 0
        club.mona.send(page, PAGE, channel="sms", subject="passed over", text=TEXT)
        assert "The message leaves at once." in club.mona.follow().text
        club.mona.send(page, PAGE, channel="sms", text=TEXT)
        assert count() == 1, "two presses are one message"
        reached.work()
        assert "A single message" in club.mona.get("/outbox").text
    assert fetch("select status from console.message") == [("delivered",)]


def test_it_says_when_a_message_would_leave_or_why_not(club: "Pages") -> None:
    with reached.clock(NOON + timedelta(hours=10)):  # ten in the evening in Denver
        page = club.mona.get(PAGE)
        assert "Quiet hours in Denver" in page.text
        club.mona.send(page, PAGE, channel="sms", text=TEXT)
        assert "when the hours allow it" in club.mona.follow().text
        inbound.receive("sms", "sandbox", sender="+12025550147", text="STOP", provider_id="in-1")
        page = club.mona.get(PAGE)
        assert "SMS Would not be sent:" in page.text
        club.mona.send(page, PAGE, channel="sms", text=TEXT)
        assert "Not sent:" in club.mona.follow().text


def test_who_may_not_write_to_a_contact_sees_no_way_to_and_asks_for_nothing(club: "Pages") -> None:
    fields = club.mona.get(PAGE).form(PAGE)["fields"] | {"channel": "sms", "text": TEXT}
    assert PAGE not in club.olivia.get("/c/contact/1/reaching").links
    club.olivia.get(PAGE, status=403)
    club.olivia.post(PAGE, fields | {"csrf_token": club.olivia.token}, status=403)
    club.stan.get(PAGE, status=404)
    club.mona.get("/c/contact/4711/write", status=404)
    club.mona.get("/c/customer/1/write", status=404)
    assert count() == 0
