"""Consent that a record tells of is an event about its contact, however the console came to write the record."""

import json
from typing import Any

import pytest

from console import browse, runs
from console.actions import record_changes, unfinished_changes
from console.activity import sequencing
from console.auth import access
from console.automation.triggers import log_events
from console.core.contact_consents import GIVEN, WITHDRAWN
from console.infra.db.engine import fetch
from console.steps.effects import python
from tests.company import Company
from tests.runs.commands.test_midway import failing
from tests.support.acting import hand_in, imported, run_of
from tests.support.contact_club import found_club

ROW = {
    "contact_id": 2,
    "channel": "sms",
    "state": "given",
    "source": "by phone",
    "at": "2026-05-01T10:00:00Z",
}


@pytest.fixture(autouse=True)
def club(company: Company) -> None:
    found_club(company)
    access.grant("operator", "collection:consent", ["create", "update"], team="operations")


def noted() -> list[tuple[str, str, str, Any, bool]]:
    """(kind, collection, record, channels, whether a run did it) of the events of consents; those of a workflow's exits hear of the same withdrawals."""
    bodies = [
        json.loads(row[0])
        for row in fetch(
            "select convert_from(body, 'UTF8') from console.event where body is not null order by id"
        )
    ]
    told = [
        (
            each["type"],
            each["target"]["coll"],
            each["target"]["key"],
            each["data"]["open"]["channels"],
            "run" in each["data"]["open"],
        )
        for each in bodies
        if each["type"] in (GIVEN, WITHDRAWN)
    ]
    sequencing.sequence()
    heard = [event.record for event in log_events.read_after(0, ("consent.withdrawn",)).events]
    assert heard == [record for kind, _, record, _, _ in told if kind == WITHDRAWN]
    return told


def test_consent_by_hand_is_heard_about_its_contact(company: Company) -> None:
    made = record_changes.create(company.olivia, "consent", {**ROW, "id": 50})
    record_changes.create(
        company.olivia, "consent", {**ROW, "id": 51, "channel": "phone", "state": "withdrawn"}
    )
    record_changes.create(company.olivia, "consent", {**ROW, "id": 52, "channel": "pigeon"})
    browse.change(company.olivia, "consent", str(made.key), {"source": "by mail"}, {})
    browse.change(company.olivia, "consent", str(made.key), {"state": "withdrawn"}, {"state": "given"})
    browse.change(company.olivia, "contact", "1", {"stage": "engaged"}, {})
    browse.change(company.olivia, "contact", "1", {"news": "no"}, {"news": "yes"})
    browse.change(company.olivia, "contact", "1", {"news": "yes"}, {"news": "no"})
    assert noted() == [
        (GIVEN, "contact", "2", ["sms"], False),
        (WITHDRAWN, "contact", "2", ["ai_call"], False),
        (WITHDRAWN, "contact", "2", ["sms"], False),
        (WITHDRAWN, "contact", "1", ["email"], False),
        (GIVEN, "contact", "1", ["email"], False),
    ]


def test_consent_that_an_action_writes_is_heard_about_its_contact(company: Company) -> None:
    values = {name: f"'{value}'" for name, value in ROW.items()} | {
        "id": "50",
        "contact_id": "record.id",
        "state": "'withdrawn'",
    }
    effects = [
        {
            "kind": "sql_insert",
            "name": "row",
            "summary": "Adds a consent",
            "collection": "consent",
            "values": values,
        },
        {"kind": "sql_write", "name": "field", "summary": "Ends the news", "set": {"news": "'no'"}},
        {
            "kind": "sql_delete",
            "name": "gone",
            "summary": "Deletes a consent",
            "collection": "consent",
            "record": "'6'",
        },
    ]
    action = {
        "format": 1,
        "id": "contact.stop",
        "title": "Stop",
        "collection": "contact",
        "team": "operations",
        "effects": effects,
    }
    for place in ("contact", "consent"):
        access.grant("operator", f"collection:{place}", ["act"], team="operations")
    imported(action)
    told = hand_in(company, run_of(company, action))
    assert told["status"] == "completed", told
    assert noted() == [
        (WITHDRAWN, "contact", whose, [channel], True)
        for whose, channel in (("1", "sms"), ("1", "email"), ("3", "ai_call"))
    ]


def test_a_row_that_is_not_the_newest_moves_nothing_and_one_that_goes_counts(company: Company) -> None:
    access.grant("operator", "collection:consent", ["delete"], team="operations")
    for ident, state, at in (
        (50, "given", "2026-05-01"),
        (51, "withdrawn", "2025-05-01"),
        (52, "given", "2026-06-01"),
    ):
        record_changes.create(
            company.olivia, "consent", {**ROW, "id": ident, "state": state, "at": f"{at}T10:00:00Z"}
        )
    told = [
        (GIVEN, "contact", "2", ["sms"], False)
    ] * 2  # the second is newer: it may open what was withdrawn elsewhere
    assert noted() == told
    browse.change(company.olivia, "consent", "51", {"at": "2026-07-01T10:00:00Z"}, {})
    told += [(WITHDRAWN, "contact", "2", ["sms"], False)]
    assert noted() == told
    for key, move in (("51", GIVEN), ("52", None), ("50", WITHDRAWN), ("5", GIVEN), ("4", WITHDRAWN)):
        record_changes.delete(company.olivia, "consent", key, {})
        told += [(move, "contact", "2", ["sms"], False)] if move else []
        assert noted() == told, key


def test_consent_that_a_function_writes_is_heard_even_where_it_fails_after(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(_values: Any, _key: str, door: python.Door) -> dict[str, Any]:
        if door.same("consent", {"id": 50}) is None:
            door.insert("consent", {**ROW, "id": 50})
            raise RuntimeError("gone wrong behind the change")
        door.write("contact", "1", {"news": {"old": "yes", "new": "no"}})
        return {}

    monkeypatch.setattr(python, "functions", lambda: {"test.act": act})
    effect = {
        "kind": "python",
        "name": "call",
        "summary": "Calls",
        "function": "test.act",
        "values": {},
        "idempotent": True,
    }
    action = {
        "format": 1,
        "id": "contact.agree",
        "title": "Agree",
        "collection": "contact",
        "team": "operations",
        "effects": [effect],
    }
    for place in ("contact", "consent"):
        access.grant("operator", f"collection:{place}", ["act"], team="operations")
    imported(action)
    hand_in(company, run_of(company, action))
    assert noted()[0] == (GIVEN, "contact", "2", ["sms"], True)


EFFECTS: dict[str, dict[str, Any]] = {
    "added": {"kind": "sql_insert", "collection": "consent", "unique": ["id"]},
    "added without a key": {"kind": "sql_insert", "collection": "consent"},
    "written": {"kind": "sql_write", "set": {"news": "'no'"}},
    "called": {"kind": "python", "function": "test.act", "idempotent": True},
}


@pytest.mark.parametrize("way", EFFECTS)
def test_consent_of_a_process_that_dies_is_heard_once_what_became_of_it_is_known(
    company: Company, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    def act(_values: Any, _key: str, door: python.Door) -> dict[str, Any]:
        if door.same("consent", {"id": 50}) is None:
            door.insert("consent", {**ROW, "id": 50})
        return {}

    monkeypatch.setattr(python, "functions", lambda: {"test.act": act})
    for place in ("contact", "consent"):
        access.grant("operator", f"collection:{place}", ["act"], team="operations")
    values = {name: f"'{value}'" for name, value in ROW.items()} | {"contact_id": "2"}
    values |= {"id": "50"} if way == "added" else {}
    effect = {
        "name": "it",
        "summary": "Does it",
        **EFFECTS[way],
        **({"values": values} if "added" in way else {}),
    }
    action = {
        "format": 1,
        "id": "contact.die",
        "title": "Die",
        "collection": "contact",
        "team": "operations",
        "effects": [effect],
    }
    imported(action)
    run_id = run_of(company, action)
    with failing("effects.report.before=raise"), pytest.raises(Exception, match="report"):
        hand_in(company, run_id)
    assert noted() == []
    fetch("update console.run set active_at = now() - interval '1 minute' returning 1")
    company.work()
    told = company.told(run_id)
    if way == "added without a key":
        assert noted() == []
        runs.settle(
            company.olivia,
            run_id,
            revision=told["revision"],
            effect=told["current"]["effect"]["id"],
            done=True,
            reason="It is there.",
        )
    kind, whose, channel = (WITHDRAWN, "1", "email") if way == "written" else (GIVEN, "2", "sms")
    assert noted() == [(kind, "contact", whose, [channel], True)]
    assert company.told(run_id)["status"] == "completed"


def test_consent_added_by_hand_is_heard_though_its_process_dies(company: Company) -> None:
    given = {name: value for name, value in ROW.items() if name != "id"}
    with failing("by_hand.note.before=raise"), pytest.raises(Exception, match="note"):
        record_changes.create(company.olivia, "consent", given)
    assert noted() == []
    unfinished_changes.settle_left(0)
    assert noted() == [(GIVEN, "contact", "2", ["sms"], False)]
