"""Contacts as other people's databases have them: several numbers in one field, none, no zone, put together with another, deleted while a message waits."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from console.automation import enrolments
from console.automation.enrolments import Question
from console.infra import subjects
from console.infra.db.engine import fetch
from console.messaging import messages
from console.messaging.messages import inbound, recipients
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, BRAM, NOON, SAM, begin, line, workflow
from tests.tables import cases

pytestmark = pytest.mark.slow
SMS: dict[str, Any] = {"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}
ASK = {"id": "ask", "type": "guidance", "config": {"text": "Look"}}


class Club:
    """The company's contacts, Twilio, and the clock."""

    def __init__(self, company: Company, server: reached.Twilio, move: Callable[[timedelta], None]) -> None:
        self.company, self.server, self.move = company, server, move
        workflow("hello", [dict(SMS), dict(ASK)], exclusive=False)

    def sql(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.company.path.with_name("club.db"))) as connection:
            connection.execute(statement, values)
            connection.commit()

    def agrees(self, contact: int) -> None:
        self.sql(reached.GIVEN, contact, "sms", "given")

    def sent_to(self) -> list[str]:
        return [message["to"] for message in self.server.messages]


@pytest.fixture
def club(company: Company, given_settings: Callable[..., None]) -> Iterator[Club]:
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        yield Club(company, server, move)


@cases(
    ("text", "number"),
    [
        ("+1 202 555 0147; +370 600 00001", "+12025550147"),
        ("+1 202 555 0147 / 202 555 0148", "+12025550147"),
        ("+1 202 555 0147, ext. 12", "+12025550147"),
        ("n/a; +370 600 00001", "+37060000001"),
        ("none or +370 600 00001", "+37060000001"),
        ("+1 (202) 555\u20110147", "+12025550147"),
        ("tel:+1-202-555-0147", "+12025550147"),
        ("202.555.0147\n202.555.0148", "+12025550147"),
        (" ; , /", ""),
        ("", ""),
        ("unknown", ""),
        ("+999 1", ""),
    ],
)
def test_of_several_numbers_in_one_field_the_first_that_is_one_counts(text: str, number: str) -> None:
    assert recipients.address_of("sms", text, "US")[0] == number


def test_a_contact_with_three_numbers_gets_one_message_and_their_stop_is_heard(club: Club) -> None:
    club.sql("update contact set phone = '+1 202 555 0147; +1 202 555 0148 / +1 202 555 0149' where id = 1")
    first = begin(club.company, "hello")
    assert club.sent_to() == ["+12025550147"]
    assert (
        line(club.company, first).reason.strip()
        == "It went to the first address alone, not to +12025550148, +12025550149."
    )
    inbound.receive("sms", "twilio", sender="+12025550148", text="STOP", provider_id="SM1")
    run_id = begin(club.company, "hello")
    assert (line(club.company, run_id).message.code, len(club.server.messages)) == ("consent_withdrawn", 1)


SPELLINGS = cases(
    ("theirs", "country", "told"),
    [
        ("011 15-2345-6789", "AR", "+5491123456789"),
        ("011 15-2345-6789", "AR", "+541123456789"),
        ("+54 9 11 2345-6700", None, "+541123456700"),
        ("+54 11 2345-6700", None, "+5491123456700"),
        ("+52 1 222 123 4500", None, "+522221234500"),
        ("+52 222 123 4500", None, "+5212221234500"),
        ("044 222 123 4500", "MX", "+522221234500"),
        ("+55 11 6123-4567", None, "+5511961234567"),
        ("(11) 96123-4567", "BR", "+551161234567"),
        ("+229 97 12 34 56", None, "+2290197123456"),
        ("+225 07 12 34 56", None, "+2250707123456"),
        ("0123 456 7890", "VN", "+84834567890"),
        ("020 7946 0780", "GB", "+442079460780"),
    ],
)


@SPELLINGS
def test_stop_is_heard_from_every_spelling_of_a_number(
    club: Club, theirs: str, country: str | None, told: str
) -> None:
    club.sql("update contact set phone = ?, country = ? where id = 1", theirs, country)
    inbound.receive("sms", "twilio", sender=told, text="STOP", provider_id="SM1")
    assert inbound.contact_behind("sms", told) == ("contact", SAM)
    run_id = begin(club.company, "hello")
    assert (line(club.company, run_id).message.code, club.sent_to()) == ("consent_withdrawn", [])


def test_the_opt_outs_kept_by_a_former_spelling_still_hold(club: Club) -> None:
    club.sql("update contact set phone = '+54 9 11 2345-6700' where id = 1")
    statement = "insert into console.opt_out (collection, record, channel, at, source) values ('@', %s, 'sms', now(), 'SMS reply') returning id"
    fetch(statement, (subjects.digest(b"+5491123456700", "address").hex(),))
    assert line(club.company, begin(club.company, "hello")).message.code == "consent_withdrawn"


def test_a_stranger_whose_number_ends_alike_is_not_taken_for_the_contact(club: Club) -> None:
    inbound.receive("sms", "twilio", sender="+442025550147", text="STOP", provider_id="SM1")
    run_id = begin(club.company, "hello")
    assert line(club.company, run_id).status == "sent"


def test_without_a_zone_the_country_says_when_it_is_day(club: Club) -> None:
    """Noon in Denver is 20:00 in Vilnius: the country has that one zone."""
    club.sql("update contact set time_zone = null, phone = '+370 600 00001' where id = 2")
    club.agrees(2)
    with reached.clock(NOON + timedelta(hours=3)):
        told = line(club.company, begin(club.company, "hello", ANA))
    assert (told.status, "Vilnius" in told.reason) == ("waiting", True)


def test_a_contact_that_is_deleted_while_its_message_waits_gets_none(club: Club) -> None:
    with reached.clock(NOON + timedelta(hours=9)) as move:
        run_id = begin(club.company, "hello")
        assert line(club.company, run_id).status == "waiting"
        club.sql("delete from consent where contact_id = 1")
        club.sql("delete from contact where id = 1")
        move(timedelta(hours=12))
        reached.work()
    rows = fetch("select status, code from console.message where run = %s", (run_id,))
    assert rows == [("skipped", "record_gone")]
    assert (line(club.company, run_id).who, line(club.company, run_id).status) == (
        "A contact that is gone",
        "skipped",
    )
    assert club.sent_to() == []


def test_of_two_contacts_that_are_put_together_the_one_that_is_left_is_written_to_once(club: Club) -> None:
    """Bram was another entry of Sam: his record goes, and his number and consent are Sam's now."""
    workflow("placed", [dict(SMS), {"id": "later", "type": "wait", "config": {"days": 3}}, dict(ASK)])
    club.sql(
        "update contact set phone = '+1 202 555 0199', country = 'US', time_zone = 'America/Denver' where id = 3"
    )
    with reached.clock(NOON + timedelta(hours=9)) as move:
        enrolments.batches.begin(club.company.olivia, "placed", Question(keys=[SAM, BRAM]))
        enrolments.beginning.keep_in_step()
        work_until_idle()
        club.sql("update consent set contact_id = 1 where contact_id = 3")
        club.sql("delete from contact where id = 3")
        enrolments.exits.check_idle_leads()
        move(timedelta(hours=12))
        reached.settle()
    assert club.sent_to() == ["+12025550147"]
    left = enrolments.places.page(club.company.mona, enrolments.find("placed"), status="left").rows
    assert [(lead.record, lead.ending) for lead in left] == [(BRAM, "record_gone")]


def test_two_records_of_one_number_are_two_contacts_and_a_stop_ends_both(club: Club) -> None:
    club.sql(
        "update contact set phone = '(202) 555-0147', country = 'US', time_zone = 'America/Denver' where id = 2"
    )
    club.agrees(2)
    begin(club.company, "hello")
    begin(club.company, "hello", ANA)
    assert club.sent_to() == ["+12025550147"] * 2
    inbound.receive("sms", "twilio", sender="+12025550147", text="stop", provider_id="SM1")
    for contact in (SAM, ANA):
        told = line(club.company, begin(club.company, "hello", contact))
        assert told.message.code == "consent_withdrawn"
    assert messages.pick_up() == 0


def test_a_record_that_has_become_somebody_else_while_the_message_waits_gets_no_text_for_the_other(
    club: Club,
) -> None:
    with reached.clock(NOON + timedelta(hours=9)) as move:
        run = begin(club.company, "hello")
        club.sql("update contact set name = 'Dieter', phone = '+1 202 555 0177' where id = 1")
        move(timedelta(hours=12))
        reached.work()
        told = line(club.company, run)
    assert club.sent_to() == []
    assert told.status == "expired"
    assert told.reason.startswith("It was written to Sam")
    assert told.reason.endswith("This record has another name and another address now: Dieter.")


def test_consent_that_is_taken_back_in_their_own_database_while_it_waits_holds(club: Club) -> None:
    with reached.clock(NOON + timedelta(hours=9)) as move:
        run_id = begin(club.company, "hello")
        club.sql(
            "insert into consent (contact_id, channel, state, source, text_version, at) values (1, 'sms', 'withdrawn', 'phone', '2026-01', '2026-11-25T01:00:00Z')"
        )
        move(timedelta(hours=12))
        reached.work()
        assert line(club.company, run_id).message.code == "consent_withdrawn"
    assert club.sent_to() == []
