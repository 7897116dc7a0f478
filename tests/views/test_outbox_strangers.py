"""The outbox by day, and what unknown senders wrote: many at a time put aside, or given to the contact who has the address by now."""

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from console.infra.db.engine import fetch
from console.messaging.messages import inbound
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, workflow

if TYPE_CHECKING:
    from tests.views.conftest import Pages

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}


def write(number: int, text: str = "Who are you?") -> str:
    """What a stranger wrote; the id of the message."""
    came = inbound.receive(
        "sms", "sandbox", sender=f"+4470000{number:05}", text=text, provider_id=f"in-{number}"
    )
    assert came is not None
    return came.id


def test_the_outbox_of_a_day_is_that_of_the_readers_day(pages: "Pages", company: Company) -> None:
    reached.founded(company)
    with reached.clock(NOON):
        begin(company, workflow("hello", [dict(SMS)]))
    day = NOON.date().isoformat()
    assert "Hello Sam Whitfield" in pages.olivia.get(f"/outbox?from={day}&to={day}").text
    assert "Hello Sam Whitfield" not in pages.olivia.get(f"/outbox?to={day[:4]}-01-01").text
    assert "No message fits these filters." in pages.olivia.get("/outbox?from=2099-01-01").text
    assert "soon is no day." in pages.olivia.get("/outbox?from=soon", status=400).text
    assert "cursor" in pages.olivia.get("/outbox?after=odd", status=400).text


def test_what_strangers_wrote_is_put_aside_together_and_stays_in_the_outbox(
    pages: "Pages", company: Company
) -> None:
    reached.founded(company)
    written = [write(number) for number in range(60)]
    page = pages.ines.get("/outbox?contact=unknown")
    assert page.text.count("unknown sender") == len(written)
    assert "+447000000007" in page.text
    assert "/outbox/strangers" not in pages.olivia.get("/outbox?contact=unknown").html
    pages.ines.send(page, "/outbox/strangers", act="aside", message=written[:59])
    left = pages.ines.get("/outbox?contact=unknown").text
    assert left.count("unknown sender") == 1
    assert "Put aside: nobody here has this address." in pages.ines.get("/outbox?status=cancelled").text
    told = "select count(*) from console.event where convert_from(body, 'UTF8')::jsonb->>'type' = 'messages_put_aside'"
    assert fetch(told) == [(1,)]


def test_a_stranger_who_is_a_contact_by_now_is_given_what_they_wrote(
    pages: "Pages", company: Company
) -> None:
    reached.founded(company)
    first, stop, other = write(1), write(2, "STOP"), write(3)
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as book:
        book.execute("update contact set phone = '+44 7000 000001' where id = 1")
        book.execute("update contact set phone = '07000000002', country = 'GB' where id = 2")
        book.commit()
    pages.ines.send(
        pages.ines.get("/outbox?contact=unknown"),
        "/outbox/strangers",
        act="match",
        message=[first, stop, other],
    )
    page = pages.ines.get("/outbox?contact=unknown")
    assert "2 given to their contacts, 1 not: no contact has their address" in page.text
    assert page.text.count("unknown sender") == 1
    assert fetch(
        "select record, direction from console.message where id = any(%s) order by id", ([first, stop],)
    ) == [
        ("1", "in"),
        ("2", "in"),
    ]
    assert "Who are you?" in pages.olivia.get("/outbox?contact=contact/1").text
    assert {
        record for (record,) in fetch("select record from console.opt_out where collection = 'contact'")
    } == {"2"}
    pages.ines.send(page, "/outbox/strangers", act="match", message=[first])
    assert "0 given to their contacts" in pages.ines.get("/outbox?contact=unknown").text
    pages.olivia.post(
        "/outbox/strangers", {"csrf_token": pages.olivia.token, "act": "match", "message": other}, status=403
    )
