"""Consent that a record tells of is an event about its contact, however the console came to write the record."""

import json
from typing import Any

import pytest

from console import access, browse
from console.actions import record_changes
from console.activity import sequencing
from console.automation import log_events
from console.core.contact_consents import GIVEN, WITHDRAWN
from console.db.engine import fetch
from tests.company import Company
from tests.support.acting import hand_in, imported, run_of
from tests.support.contact_club import found_club

ROW = {"contact_id": 2, "channel": "sms", "state": "given", "source": "by phone", "at": "2026-05-01T10:00:00Z"}


@pytest.fixture(autouse=True)
def club(company: Company) -> None:
    found_club(company)
    access.grant("operator", "collection:consent", ["create", "update"], team="operations")


def noted() -> list[tuple[str, str, str, Any, bool]]:
    """(kind, collection, record, channels, whether a run did it) of the events of consents; those of a workflow's exits hear of the same withdrawals."""
    bodies = [
        json.loads(row[0]) for row in fetch("select convert_from(body, 'UTF8') from console.event where body is not null order by id")
    ]
    told = [
        (each["type"], each["target"]["coll"], each["target"]["key"], each["data"]["open"]["channels"], "run" in each["data"]["open"])
        for each in bodies
        if each["type"] in (GIVEN, WITHDRAWN)
    ]
    sequencing.sequence()
    heard = [event.record for event in log_events.read_after(0, ("consent.withdrawn",)).events]
    assert heard == [record for kind, _, record, _, _ in told if kind == WITHDRAWN]
    return told


def test_consent_by_hand_is_heard_about_its_contact(company: Company) -> None:
    made = record_changes.create(company.olivia, "consent", {**ROW, "id": 50})
    record_changes.create(company.olivia, "consent", {**ROW, "id": 51, "channel": "phone", "state": "withdrawn"})
    record_changes.create(company.olivia, "consent", {**ROW, "id": 52, "channel": "pigeon"})
    browse.change(company.olivia, "consent", str(made.key), {"source": "by mail"}, {})
    browse.change(company.olivia, "consent", str(made.key), {"state": "withdrawn"}, {"state": "given"})
    browse.change(company.olivia, "contact", "1", {"stage": "engaged"}, {})
    browse.change(company.olivia, "contact", "1", {"news": "no"}, {"news": "yes"})
    browse.change(company.olivia, "contact", "1", {"news": "yes"}, {"news": "no"})
    assert noted() == [
        (GIVEN, "contact", "2", ["sms"], False), (WITHDRAWN, "contact", "2", ["ai_call"], False), (WITHDRAWN, "contact", "2", ["sms"], False),
        (WITHDRAWN, "contact", "1", ["email"], False), (GIVEN, "contact", "1", ["email"], False),
    ]  # fmt: skip


def test_consent_that_an_action_writes_is_heard_about_its_contact(company: Company) -> None:
    values = {name: f"'{value}'" for name, value in ROW.items()} | {"id": "50", "contact_id": "record.id", "state": "'withdrawn'"}
    effects = [
        {"kind": "sql_insert", "name": "row", "summary": "Adds a consent", "collection": "consent", "values": values},
        {"kind": "sql_write", "name": "field", "summary": "Ends the news", "set": {"news": "'no'"}},
    ]
    action = {"format": 1, "id": "contact.stop", "title": "Stop", "collection": "contact", "team": "operations", "effects": effects}
    access.grant("operator", "collection:contact", ["act"], team="operations")
    imported(action)
    told = hand_in(company, run_of(company, action))
    assert told["status"] == "completed", told
    assert noted() == [(WITHDRAWN, "contact", "1", ["sms"], True), (WITHDRAWN, "contact", "1", ["email"], True)]
