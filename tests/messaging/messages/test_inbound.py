"""What people answer: matched to a contact, kept once, and STOP ends messages at once; links that end them."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator

from console import records
from console.automation import enrolments
from console.core.errors import Conflict, NotAllowed
from console.infra.db.engine import fetch
from console.messaging import messages
from console.messaging.messages import OutboxQuery, inbound, opting_out, outside_addresses
from console.operations import erasure
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, NOON, SAM, begin, line, status, workflow
from tests.runs.views.test_long_runs import counted
from tests.support import contact_club

pytestmark = pytest.mark.lengthy

SMS = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}


@pytest.fixture
def club(company: Company, given_settings: Callable[..., None]) -> Iterator[tuple[Company, reached.Twilio]]:
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON):
        given_settings(**reached.by_twilio(server))
        yield company, server


def told(client: FlaskClient, *, token: str = "token", query: str = "", **form: str) -> int:
    """Twilio's callback; its status."""
    path = outside_addresses.callback_path("sms", "twilio") + query
    signature = RequestValidator(token).compute_signature(f"http://console.example{path}", form)
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code


def test_stop_ends_messages_and_calls_at_once_and_stands_in_the_users_database(
    club: tuple[Company, reached.Twilio],
) -> None:
    company, server = club
    client = web_app().test_client()
    workflow("hello", [dict(SMS), dict(ASK)])
    with reached.clock(NOON + timedelta(hours=9)):
        run_id = begin(company, "hello")
        assert line(company, run_id).status == "waiting"
        answer = {
            "From": "+12025550147",
            "To": "+12025550100",
            "Body": "Stop pls",
            "MessageSid": "SM1",
            "SmsStatus": "received",
        }
        assert told(client, **answer) == 200
        assert told(client, **answer) == 200, "the same again"
        reached.work()
    assert (line(company, run_id).status, line(company, run_id).message.code) == (
        "skipped",
        "consent_withdrawn",
    )
    assert status(company, run_id) == ("waiting_person", "ask")
    assert server.messages == []
    received = messages.find(company.olivia, OutboxQuery(status="received")).lines
    assert [(one.who, one.text) for one in received] == [("Sam Whitfield", "Stop pls")]
    assert opting_out.write_left() == 3
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        rows = connection.execute(
            "select channel, state, source from consent where contact_id = 1 and id > 10 order by channel"
        ).fetchall()
    assert rows == [
        ("call", "withdrawn", "SMS reply"),
        ("phone", "withdrawn", "SMS reply"),
        ("sms", "withdrawn", "SMS reply"),
    ]


def test_stop_means_the_number_of_however_many_contacts_it_is(club: tuple[Company, reached.Twilio]) -> None:
    """The same person stands in the table twice, with the number written in another way, and only one of them was written to."""
    company, server = club
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        connection.execute("update contact set phone = '1.202.555.01.47', country = 'US' where id = 2")
        connection.execute(reached.GIVEN, (2, "sms", "given"))
        connection.commit()
    begin(company, workflow("hello", [dict(SMS), dict(ASK)]))
    stop = {
        "From": "+12025550147",
        "To": "+12025550100",
        "Body": "STOP",
        "MessageSid": "SM1",
        "SmsStatus": "received",
    }
    assert told(web_app().test_client(), **stop) == 200
    assert {
        record
        for (record,) in fetch("select distinct record from console.opt_out where collection = 'contact'")
    } == {SAM, ANA}
    run_id = begin(company, "hello", ANA)
    assert (line(company, run_id).message.code, len(server.messages)) == ("consent_withdrawn", 1)


def test_what_a_stranger_said_by_a_word_of_the_provider_holds_for_the_contact_it_is_given_to(
    club: tuple[Company, reached.Twilio],
) -> None:
    company, _ = club
    theirs = {
        "From": "+12025550188",
        "To": "+12025550100",
        "Body": "FERTIG",
        "MessageSid": "SM1",
        "SmsStatus": "received",
        "OptOutType": "STOP",
    }
    assert told(web_app().test_client(), **theirs) == 200
    unknown = messages.find(company.ines, OutboxQuery(contact="unknown")).lines
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        connection.execute("update contact set phone = '+12025550188' where id = 2")
        connection.commit()
    assert inbound.match(company.ines, [one.message.id for one in unknown]) == 1
    assert {
        channel
        for (channel,) in fetch(
            "select channel from console.opt_out where collection = 'contact' and record = %s", (ANA,)
        )
    } == {"sms", "call", "ai_call"}


def test_stop_holds_for_who_gets_the_number_later_until_they_agree_after_it(
    club: tuple[Company, reached.Twilio],
) -> None:
    company, server = club
    begin(company, workflow("hello", [dict(SMS), dict(ASK)]))
    stop = {
        "From": "+12025550147",
        "To": "+12025550100",
        "Body": "STOP",
        "MessageSid": "SM1",
        "SmsStatus": "received",
    }
    assert told(web_app().test_client(), **stop) == 200
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        connection.execute(
            "insert into contact (id, name, phone, country, time_zone, stage) values (7, 'Sam W.', '202 555 0147', 'US', 'America/Denver', 'new')"
        )
        connection.execute(reached.GIVEN, (7, "sms", "given"))
        connection.commit()
        run_id = begin(company, "hello", "7")
        assert (line(company, run_id).message.code, len(server.messages)) == ("consent_withdrawn", 1)
        connection.execute(reached.GIVEN.replace("2026-04-01", "2026-11-25"), (7, "sms", "given"))
        connection.commit()
    begin(company, workflow("hello-again", [dict(SMS), dict(ASK)]), "7")
    assert len(server.messages) == 2


def test_a_process_that_dies_over_stop_has_kept_it_whole_or_not_at_all(
    club: tuple[Company, reached.Twilio], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = web_app().test_client()
    stop = {
        "From": "+12025550147",
        "To": "+12025550100",
        "Body": "STOP",
        "MessageSid": "SM1",
        "SmsStatus": "received",
    }
    monkeypatch.setenv("HANDRAIL_FAULT", "messages.received.before=raise")
    assert told(client, **stop) == 500
    assert fetch("select count(*) from console.message where direction = 'in'") == [(0,)]
    monkeypatch.delenv("HANDRAIL_FAULT")
    assert told(client, **stop) == 200, "the provider sends it again"
    assert {
        channel for (channel,) in fetch("select channel from console.opt_out where record = %s", (SAM,))
    } == {"sms", "call", "ai_call"}


def test_a_key_that_is_personal_stands_nowhere_in_the_log(
    company: Company, given_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(contact_club.CONTACT["fields"], "id", {"sensitive": True})
    reached.founded(company)
    workflow("hello", [dict(SMS), dict(ASK)])
    with reached.twilio() as server, reached.clock(NOON):
        given_settings(**reached.by_twilio(server))
        stop = {
            "From": "+12025550147",
            "To": "+12025550100",
            "Body": "STOP",
            "MessageSid": "SM1",
            "SmsStatus": "received",
        }
        assert told(web_app().test_client(), **stop) == 200
        assert opting_out.write_left() == 3
        with pytest.raises(Conflict, match="their key is itself personal"):
            enrolments.enrol_leads(company.olivia, "hello", [{"record": SAM}])
    bodies = [json.loads(body) for (body,) in fetch("select body from console.event")]
    named = [
        (body["type"], body["target"].get("key"))
        for body in bodies
        if (body.get("target") or {}).get("coll") in ("contact", "consent")
    ]
    assert {kind for kind, _ in named} == {"message_received", "consent_withdrawn", "record_changed"}
    assert {key for kind, key in named if kind != "record_changed"} == {
        records.log_reference(records.collection("contact"), SAM)
    }


def test_receipts_count_and_forged_ones_do_not(club: tuple[Company, reached.Twilio]) -> None:
    company, server = club
    client = web_app().test_client()
    workflow("hello", [dict(SMS), dict(ASK)])
    run_id = begin(company, "hello")
    receipt = {"MessageSid": server.messages[0]["sid"], "MessageStatus": "delivered", "To": "+12025550147"}
    assert told(client, token="wrong", **receipt) == 401
    assert line(company, run_id).status == "sent"
    assert told(client, **receipt) == 200
    assert told(client, **{**receipt, "MessageStatus": "failed"}) == 200, "late, and changes nothing"
    assert line(company, run_id).status == "delivered"
    assert told(client, **{**receipt, "MessageSid": "SM-of-others"}) == 404


def test_a_link_shows_all_channels_and_one_click_ends_email(club: tuple[Company, Any]) -> None:
    company, _ = club
    client = web_app().test_client()
    workflow("hello", [dict(SMS), dict(ASK)])
    link = (
        f"/unsubscribe/{outside_addresses.unsubscribe_token(line(company, begin(company, 'hello')).message)}"
    )
    page = client.get(link)
    assert page.status_code == 200
    assert all(words in page.text for words in ("E-mail", "SMS", "Calls", "Calls by an AI"))
    assert client.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert opting_out.ended_channels("contact", SAM) == {"email"}
    assert client.post(link, data={"channel": ["sms", "fax"]}).status_code == 303
    assert opting_out.ended_channels("contact", SAM) == {"email", "sms"}
    for chosen in ({}, {"channel": "fax"}):  # who chose nothing is not told that it is done
        nothing = client.post(link, data=chosen, follow_redirects=True).text
        assert "Nothing is ended yet" in nothing
        assert "Done." not in nothing
    assert client.get(link + "x").status_code == 404


def test_the_outbox_shows_nobody_else_anything_and_asks_few_statements(
    club: tuple[Company, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    company, _ = club
    workflow("hello", [dict(SMS), dict(ASK)])
    for slug in ("hello", workflow("again", [dict(SMS)])):
        begin(company, slug)
    with pytest.raises(NotAllowed):
        messages.find(company.stan, OutboxQuery())
    messages.find(company.olivia, OutboxQuery())
    with counted(monkeypatch) as asked:
        found = messages.find(company.olivia, OutboxQuery(limit=1))
    assert len(asked) <= 3, asked
    assert len(found.lines) == 1
    assert found.next
    below = messages.find(company.olivia, OutboxQuery(limit=1, after=found.next))
    assert {found.lines[0].message.id} != {below.lines[0].message.id}
    assert [
        one.workflow
        for one in messages.find(
            company.olivia, OutboxQuery(workflow="again", contact=SAM, channel="sms")
        ).lines
    ] == ["Again"]
    assert messages.find(company.olivia, OutboxQuery(contact="2")).lines == []


def test_erasing_the_contact_takes_the_texts(club: tuple[Company, Any]) -> None:
    company, _ = club
    run_id = begin(company, workflow("hello", [dict(SMS)]))
    erasure.erase(company.ines, "contact", SAM, reason="Asked for it")
    erased = line(company, run_id)
    assert (erased.text, erased.reason, erased.message.result) == (None, "", {})
