"""Expressions of steps follow relations of the record, within what each person may read."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from console import runs, sources, workflows
from console.auth import access
from console.auth.access import policy_store
from console.infra.db import transaction
from tests.company import WORKING, Company

SQL = """
create table land (id integer primary key, name text not null, code text not null);
create table client (id integer primary key, name text not null, land_id integer references land (id));
create table invoice (id integer primary key, client_id integer references client (id), amount integer not null);
insert into land values (1, 'Lithuania', 'LT');
insert into client values (1, 'Granite', 1), (2, 'Slate', null);
insert into invoice values (1, 1, 500), (2, 2, 700), (3, null, 900);
"""
WORKFLOW: dict[str, Any] = {
    "format": 1,
    "slug": "invoice-land",
    "title": "Invoice land",
    "team": "operations",
    "collection": "invoices.invoice",
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "tell"}},
        {
            "id": "tell",
            "type": "output",
            "title": "Tell",
            "config": {"values": {"land": "record.client.land.name", "client": "record.client.name"}},
            "next": {"default": "ask"},
        },
        {
            "id": "ask",
            "type": "condition",
            "title": "Ask",
            "config": {"branches": [{"outcome": "inside", "if": "record.client.land.code == 'LT'"}]},
            "next": {"inside": "end", "default": "look"},
        },
        {
            "id": "look",
            "type": "guidance",
            "title": "Look",
            "config": {"text": "?"},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ],
}


@pytest.fixture
def invoices(company: Company, tmp_path: Path) -> Company:
    """The company with invoices of clients in countries, and a published workflow about them."""
    path = tmp_path / "invoices.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL)
    sources.add("invoices", f"sqlite:///{path}", may={"admin": WORKING})
    for role in ("operator", "lead", "reviewer"):
        for name in ("invoice", "client", "land"):
            access.grant(role, f"collection:invoices.{name}", ["browse", "read"], team="operations")
    workflows.import_file(WORKFLOW, publish=True)
    return company


def told(company: Company, record: str, by: str = "olivia") -> dict[str, Any]:
    return company.told(
        runs.start(company.people["olivia"], "invoice-land", "invoices.invoice", record, {}), by
    )


def test_values_and_conditions_follow_two_relations(invoices: Company) -> None:
    run = told(invoices, "1")
    assert run["context"]["tell"] == {"land": "Lithuania", "client": "Granite"}
    assert run["status"] == "completed"
    other = told(invoices, "2")
    assert other["context"]["tell"] == {"land": None, "client": "Slate"}
    assert other["current"]["step"] == "look"
    assert told(invoices, "3")["context"]["tell"] == {"land": None, "client": None}


def test_what_the_relation_leads_to_is_kept_from_those_who_may_not_read_it(invoices: Company) -> None:
    run_id = runs.start(invoices.olivia, "invoice-land", "invoices.invoice", "1", {})
    with transaction() as connection:
        row = access.Row("p", "role:lead", "t:operations", "field:invoices.land/name", "read", "deny", "")
        policy_store.write(connection, added=[row])
    access.refresh()
    seen = runs.get(invoices.mona, run_id).json["context"]["tell"]
    assert seen.get("client") == "Granite"
    assert "Lithuania" not in str(seen)


def test_a_row_that_a_reader_may_not_see_keeps_its_values_from_them(invoices: Company) -> None:
    run_id = runs.start(invoices.olivia, "invoice-land", "invoices.invoice", "1", {})
    with transaction() as connection:
        row = access.Row(
            "p",
            "role:lead",
            "t:operations",
            "collection:invoices.land",
            "read",
            "deny",
            "record.code == 'LT'",
        )
        policy_store.write(connection, added=[row])
    access.refresh()
    seen = runs.get(invoices.mona, run_id).json["context"]["tell"]
    assert seen.get("client") == "Granite"
    assert "Lithuania" not in str(seen)
