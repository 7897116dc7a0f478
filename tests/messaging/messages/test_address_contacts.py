"""People who are in no database: leads without a record are contacts by their address, with the rules that hold for records."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from console import workflows
from console.activity import sequencing
from console.auth import accounts
from console.automation import enrolments, triggers
from console.core.actor import COMMAND_LINE
from console.infra.db.engine import fetch
from console.messaging.messages import inbound, outside_addresses
from console.messaging.messages.message_rows import read
from console.operations import erasure
from tests.company import Company
from tests.conftest import web_app
from tests.messaging.messages import reached
from tests.messaging.messages.reached import NOON, begin, line, workflow
from tests.tables import cases

pytestmark = pytest.mark.lengthy

GIVEN = {"source": "web form", "at": "2026-11-01T10:00:00Z"}
SMS_LEADS: list[dict[str, Any]] = [
    {
        "id": "start",
        "type": "start",
        "title": "Start",
        "config": {
            "fields": [
                {"name": "name", "label": "Name"},
                {"name": "phone", "label": "Phone"},
                {"name": "email", "label": "E-mail"},
            ]
        },
        "next": {"default": "sms"},
    },
    {
        "id": "sms",
        "type": "sms",
        "title": "Text",
        "config": {"to": "input.phone", "text": "Hello"},
        "next": {"default": "letter", "skipped": "letter"},
    },
    {
        "id": "letter",
        "type": "email",
        "title": "Letter",
        "config": {"to": "input.email", "subject": "Hello", "body": "Hello"},
        "next": {"default": "end", "skipped": "end"},
    },
    {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
]
NUMBER, MAIL = "+12025550188", "lea@example.org"


class Leads:
    """A workflow that writes to leads, and Twilio."""

    def __init__(self, company: Company, server: reached.Twilio, move: Callable[[timedelta], None]) -> None:
        self.company, self.server, self.move = company, server, move
        workflows.import_file(
            {
                "format": 1,
                "slug": "leads",
                "title": "Leads",
                "team": "operations",
                "collection": None,
                "steps": SMS_LEADS,
            },
            publish=True,
        )
        self.id = enrolments.find("leads").id

    def enrol(
        self, *, phone: str = NUMBER, email: str = MAIL, name: str = "Lea", **more: Any
    ) -> enrolments.Answer:
        """What becomes of one lead, after the worker has worked."""
        _, [answer] = enrolments.enrol_leads(
            self.company.olivia, "leads", [{"name": name, "phone": phone, "email": email, **more}]
        )
        enrolments.beginning.pick_up()
        reached.work()
        return answer

    def sent(self, channel: str = "sms") -> list[tuple[str, str | None]]:
        """(status, code) of each message of the channel."""
        return [
            (each.status, each.code)
            for each in read("channel = %s and direction = 'out' order by asked_at, id", (channel,))
        ]


@pytest.fixture
def leads(company: Company, given_settings: Callable[..., None]) -> Iterator[Leads]:
    reached.founded(company)
    with reached.twilio() as server, reached.clock(NOON) as move:
        given_settings(**reached.by_twilio(server))
        yield Leads(company, server, move)


def told(answer: enrolments.Answer) -> list[tuple[str, str]]:
    return [(reason["field"], reason["reason"]) for reason in answer.reasons]


def test_without_consent_nothing_leaves_and_the_answer_says_so_by_channel(leads: Leads) -> None:
    answer = leads.enrol()
    assert (answer.status, told(answer)) == (
        "enrolled",
        [("consent.sms", "There is no consent to SMS."), ("consent.email", "There is no consent to e-mail.")],
    )
    assert (leads.sent(), leads.sent("email"), leads.server.messages) == (
        [("skipped", "no_consent")],
        [("skipped", "no_consent")],
        [],
    )


def test_a_consent_that_comes_with_the_lead_is_kept_by_address_and_holds_for_the_next(leads: Leads) -> None:
    assert told(leads.enrol(consent={"sms": GIVEN})) == [("consent.email", "There is no consent to e-mail.")]
    [message] = read("channel = 'sms'", ())
    assert (message.status, message.result["basis"]) == ("sent", "given 1 Nov 2026, web form")
    fetch("update console.enrolment set left_at = now(), status = 'left' where left_at is null returning 1")
    assert told(leads.enrol(phone="+1 (202) 555-0188")) == [
        ("consent.email", "There is no consent to e-mail.")
    ]
    assert leads.sent() == [("sent", None)] * 2


@cases(
    ("consent", "field"),
    [
        ("yes", "consent"),
        ({"fax": GIVEN}, "consent.fax"),
        ({"sms": True}, "consent.sms"),
        ({"sms": {"source": "web form"}}, "consent.sms"),
        ({"sms": {"at": "2026-11-01T10:00:00Z"}}, "consent.sms"),
        ({"sms": GIVEN | {"at": "soon"}}, "consent.sms"),
        ({"sms": GIVEN | {"at": "2036-11-01T10:00:00Z"}}, "consent.sms"),
        ({"sms": GIVEN | {"source": " "}}, "consent.sms"),
        ({"sms": GIVEN | {"text": "x"}}, "consent.sms"),
    ],
)
def test_a_consent_that_proves_nothing_is_refused_by_its_field(
    leads: Leads, consent: Any, field: str
) -> None:
    answer = leads.enrol(consent=consent)
    assert (
        answer.status,
        [name for name, _ in told(answer)],
        fetch("select count(*) from console.address_consent"),
    ) == (
        "refused",
        [field],
        [(0,)],
    )


def test_stop_from_an_address_holds_for_later_leads_and_records_until_they_agree_after_it(
    leads: Leads,
) -> None:
    inbound.receive("sms", "twilio", sender=NUMBER, text="STOP", provider_id="SM1")
    assert "consent.sms" in dict(told(leads.enrol(consent={"sms": GIVEN})))
    assert leads.sent() == [("skipped", "consent_withdrawn")]
    with closing(sqlite3.connect(leads.company.path.with_name("club.db"))) as connection:
        connection.execute("update contact set phone = ? where id = 1", (NUMBER,))
        connection.commit()
    workflow("hello", [{"id": "sms", "type": "sms", "config": {"text": "Hello"}}])
    assert line(leads.company, begin(leads.company, "hello")).message.code == "consent_withdrawn"
    leads.move(timedelta(days=1))
    fetch("update console.enrolment set left_at = now(), status = 'left' where left_at is null returning 1")
    assert "consent.sms" not in dict(
        told(leads.enrol(consent={"sms": {"source": "web form", "at": "2026-11-25T10:00:00Z"}}))
    )
    assert leads.sent()[-1] == ("sent", None)


def test_stop_from_a_record_holds_for_a_lead_with_its_address(leads: Leads) -> None:
    workflow("hello", [{"id": "sms", "type": "sms", "config": {"text": "Hello"}}])
    begin(leads.company, "hello")
    inbound.receive("sms", "twilio", sender="+12025550147", text="STOP", provider_id="SM1")
    leads.enrol(phone="+1 202 555 0147", consent={"sms": GIVEN})
    assert leads.sent()[-1] == ("skipped", "consent_withdrawn")


def test_caps_count_what_went_to_the_address_by_lead_and_by_record(leads: Leads) -> None:
    for name in ("Lea", "Lena", "Leo", "Lou"):
        leads.enrol(name=name, consent={"sms": GIVEN})
        fetch(
            "update console.enrolment set left_at = now(), status = 'left' where left_at is null returning 1"
        )
    assert leads.sent() == [("sent", None)] * 3 + [("skipped", "over_cap")]
    with closing(sqlite3.connect(leads.company.path.with_name("club.db"))) as connection:
        connection.execute("update contact set phone = ? where id = 1", (NUMBER,))
        connection.commit()
    workflow("hello", [{"id": "sms", "type": "sms", "config": {"text": "Hello"}}])
    assert line(leads.company, begin(leads.company, "hello")).message.code == "over_cap"


def test_the_link_of_an_e_mail_ends_what_the_lead_agreed_to(leads: Leads) -> None:
    leads.enrol(consent={"sms": GIVEN, "email": GIVEN})
    [mail] = read("channel = 'email'", ())
    assert mail.status in ("sent", "delivered")
    client, path = web_app().test_client(), f"/unsubscribe/{outside_addresses.unsubscribe_token(mail)}"
    page = client.get(path).get_data(as_text=True)
    assert ('value="sms"' in page, 'value="email"' in page, 'value="call"' in page) == (True, True, False)
    assert client.post(path, data={"all": "1"}).status_code == 303
    fetch("update console.enrolment set left_at = now(), status = 'left' where left_at is null returning 1")
    leads.enrol()
    assert (leads.sent()[-1], leads.sent("email")[-1]) == (("skipped", "consent_withdrawn"),) * 2


def test_an_administrator_confirms_a_legal_basis_for_a_workflow_which_no_stop_gives_way_to(
    leads: Leads,
) -> None:
    path = f"/api/v1/contact-rules/workflows/{leads.id}"
    company, client = leads.company, web_app().test_client()
    admin, other = (
        {"Authorization": f"Bearer {accounts.create_key('tests', who.id).text}"}
        for who in (company.ines, company.olivia)
    )

    def put(head: dict[str, str], consent: dict[str, Any]) -> Any:
        return client.put(path, json={"consent": consent}, headers=head)

    assert put(other, {"sms": {"basis": "contract"}}).status_code == 403
    assert client.get(path, headers=other).status_code == 403
    assert [
        put(admin, consent).status_code for consent in ({"sms": {"basis": " "}}, {"fax": {"basis": "x"}})
    ] == [422, 422]
    answer = put(admin, {"sms": {"basis": "contract"}})
    assert (answer.status_code, answer.json["consent"]["sms"]["basis"]) == (200, "contract")
    sequencing.sequence()
    assert fetch("select count(*) from console.activity where kind = 'consent_default_set'") == [(1,)]
    assert told(leads.enrol()) == [("consent.email", "There is no consent to e-mail.")]
    assert leads.sent() == [("sent", None)]
    inbound.receive("sms", "twilio", sender=NUMBER, text="STOP", provider_id="SM1")
    assert put(admin, {"sms": {"basis": "contract, confirmed again"}}).status_code == 200
    fetch("update console.enrolment set left_at = now(), status = 'left' where left_at is null returning 1")
    leads.enrol()
    assert leads.sent()[-1] == ("skipped", "consent_withdrawn")


def test_a_preview_counts_leads_by_the_consent_that_they_bring(leads: Leads) -> None:
    rows: list[dict[str, Any]] = [
        {"name": "Lea", "phone": NUMBER, "consent": {"sms": GIVEN}},
        {"name": "Leo", "phone": "+12025550189"},
    ]
    found = enrolments.batches.begin(
        leads.company.olivia, "leads", enrolments.Question(rows=rows), preview=True
    )
    channels = {each["channel"]: each for each in found.to_json()["reach"]["channels"]}
    assert (channels["sms"]["reached"], channels["sms"]["why"]) == (
        1,
        [{"reason": "There is no consent to SMS.", "count": 1}],
    )


def test_an_answer_from_their_address_goes_on_with_their_run_and_is_not_a_strangers(leads: Leads) -> None:
    waits = {
        "id": "wait",
        "type": "wait",
        "title": "Wait",
        "config": {"event": "message.received", "timeout": "P3D"},
        "next": {"event": "answered", "timeout": "end"},
    }
    answered = {
        "id": "answered",
        "type": "end",
        "title": "Answered",
        "config": {"label": "Answered"},
        "next": {},
    }
    steps = [*SMS_LEADS[:2], waits, answered, SMS_LEADS[-1]]
    steps[1] = SMS_LEADS[1] | {"next": {"default": "wait", "skipped": "end"}}
    workflows.import_file(
        {
            "format": 1,
            "slug": "leads",
            "title": "Leads",
            "team": "operations",
            "collection": None,
            "steps": steps,
        },
        publish=True,
    )
    leads.enrol(consent={"sms": GIVEN})
    leads.enrol(phone="+12025550177", name="Bo", consent={"sms": GIVEN})
    inbound.receive("sms", "twilio", sender=NUMBER, text="Yes, call me", provider_id="SM1")
    sequencing.sequence()
    triggers.wake_awaiting()
    reached.work()
    [(run_id,)] = fetch("select run from console.message where direction = 'in'", ())
    states = dict(fetch("select id, coalesce(ending, status) from console.run", ()))
    assert (states.pop(run_id), list(states.values())) == ("Answered", ["waiting_event"])
    assert read(inbound.STRANGERS, ()) == []


def test_erasing_a_lead_deletes_the_consent_that_came_with_them(leads: Leads) -> None:
    erased, other = (
        leads.enrol(consent={"sms": GIVEN}),
        leads.enrol(phone="+12025550177", name="Bo", consent={"sms": GIVEN}),
    )
    erasure.erase(COMMAND_LINE, "lead", str(erased.lead), "They asked for it")
    assert fetch("select lead from console.address_consent", ()) == [(other.lead,)]


def test_an_answer_to_a_confidential_run_is_told_to_the_cleared_alone(leads: Leads) -> None:
    leads.enrol(consent={"sms": GIVEN})
    fetch("update console.message set label = 'confidential' where direction = 'out' returning id")
    inbound.receive("sms", "twilio", sender=NUMBER, text="Yes", provider_id="SM2")
    sequencing.sequence()
    assert fetch("select label from console.activity where kind = 'message_received'") == [("confidential",)]
    assert fetch("select label from console.message where direction = 'in'") == [("confidential",)]
