"""A dry run says whom each message would reach and when, by the rules that hold when it really leaves, as far as the tester may know it."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from console import runs
from console.auth import access
from console.auth.access import policy_store
from console.core.run.simulation import Delivery, Simulated
from console.infra.db.engine import fetch, transaction
from console.messaging.messages.delivery_gate import DeliveryGate
from tests.company import Company
from tests.messaging.messages import reached
from tests.messaging.messages.reached import ANA, NOON, SAM

STEPS: list[dict[str, Any]] = [
    {
        "id": "mail",
        "type": "email",
        "config": {"subject": "Hello", "body": "Hello {{ record.name }}"},
        "next": {"sent": "text", "skipped": "text", "failed": "end"},
    },
    {
        "id": "text",
        "type": "sms",
        "config": {"text": "Hello", "expires": "P3D"},
        "next": {"sent": "end", "skipped": "end", "failed": "end"},
    },
]


@pytest.fixture
def club(company: Company) -> Company:
    """The club, and a workflow with an e-mail and an SMS."""
    reached.founded(company)
    reached.workflow("reaching", [dict(step) for step in STEPS])
    return company


def dry(company: Company, key: str = SAM, **effects: Any) -> Simulated:
    """What came of a dry run of Mona's."""
    gate = DeliveryGate(company.mona, "Reaching")
    return runs.try_workflow(
        company.mona, "reaching", record=key, given={}, answers={}, effects=effects, gate=gate
    )


def told(found: Simulated) -> dict[str, Delivery]:
    """Step → what the gate says of its message."""
    return {each.step: each.deliveries[-1] for each in found.would_send}


def test_it_says_whom_a_message_reaches_and_that_it_leaves_at_once(club: Company) -> None:
    with reached.clock(NOON):
        found = dry(club)
    sms = told(found)["text"]
    [row] = club_rows(club, "select name, phone from contact where id = 1")
    assert (sms.status, sms.contact, sms.to, list(sms.held)) == ("sent", row[0], row[1].replace(" ", ""), [])
    request = next(each.request for each in found.would_send if each.step == "text")
    assert request["content"]["to"] == sms.to
    assert found.to_json()["would_send"][1]["deliveries"][0]["to"] == sms.to
    assert fetch("select count(*) from console.message") == [(0,)]


def club_rows(company: Company, statement: str) -> list[Any]:
    """What the club's own database answers."""
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        return connection.execute(statement).fetchall()


def test_quiet_hours_make_it_wait_in_the_contacts_zone_and_time_passes(club: Company) -> None:
    with reached.clock(NOON + timedelta(hours=9)):  # nine in the evening in Denver
        found = dry(club)
    sms = told(found)["text"]
    assert [each.code for each in sms.held] == ["quiet_hours"]
    assert "Quiet hours in Denver" in sms.held[0].reason
    assert sms.at == sms.held[0].until == NOON + timedelta(hours=20)
    assert found.path[-1].at >= sms.at, "the next step begins when it has left"


def test_no_consent_takes_the_way_of_what_is_skipped_unless_the_tester_says_otherwise(club: Company) -> None:
    with reached.clock(NOON):
        found = dry(club, ANA)
        forced = dry(club, ANA, text={"outcome": "succeeded", "result": {"outcome": "sent"}})
    sms = told(found)["text"]
    assert sms.status == "skipped"
    assert {each.step: each.outcome for each in found.path}["text"] == "skipped"
    assert {each.step: each.outcome for each in forced.path}["text"] == "sent"
    assert told(forced)["text"].status == "skipped", "and it is still said that it may not"


def test_the_caps_count_what_left_before_and_what_this_run_would_have_sent(club: Company) -> None:
    again = [
        {
            "id": f"text{n}",
            "type": "sms",
            "config": {"text": f"Hello {n}", "expires": "P1D"},
            "next": {
                "default": "end" if n == 4 else f"text{n + 1}",
                "sent": "end" if n == 4 else f"text{n + 1}",
                "skipped": "end",
                "failed": "end",
            },
        }
        for n in range(1, 5)
    ]
    reached.workflow("reaching", again)
    with reached.clock(NOON):
        found = dry(club)
    by_step = told(found)
    assert [by_step[f"text{n}"].status for n in range(1, 5)] == ["sent", "sent", "sent", "skipped"]
    assert "Reaching (3)" in by_step["text4"].reason


@pytest.mark.parametrize(("act", "shown"), [("read", None)])
def test_who_may_not_read_the_number_is_told_none_and_the_rules_still_know_it(
    club: Company, act: str, shown: str | None
) -> None:
    with transaction() as connection:
        rows = [
            access.Row("p", "role:operations_lead", "t:operations", "field:contact/phone", act, "deny", "")
        ]
        policy_store.write(connection, added=rows)
    access.refresh()
    with reached.clock(NOON):
        found = dry(club)
    sms = told(found)["text"]
    assert (sms.status, sms.to) == ("sent", shown)
    assert next(each.request for each in found.would_send if each.step == "text")["content"]["to"] is shown
    [row] = club_rows(club, "select phone from contact where id = 1")
    assert row[0].replace(" ", "") not in str(found.to_json()).replace(" ", "")
