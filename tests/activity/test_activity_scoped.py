"""Readers whose scope holds only some records of a collection: the page's keys are checked against the users' own database."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from console import activity
from console.activity import sequencing
from console.auth import access
from console.core.actor import Actor
from console.core.errors import NotFound
from console.infra import db, subjects
from console.infra.db import tables
from console.log import Fact, Frame, chained, note, write
from console.log.event_lists import LogFilter
from console.records import catalogue, connect, reflect

WANDA = Actor(
    "user",
    "usr_wanda",
    "Wanda Roe",
    "wanda@fernwick.example",
    "ses_wanda",
    ("operations",),
    frozenset({("watcher", "operations")}),
    {"desks": ["retail"]},
)
OLIVIA = Actor("user", "usr_olivia", "Olivia Kask", "olivia@fernwick.example", "ses_olivia", ("operations",))
SQL = "create table customer (id integer primary key, desk text); insert into customer values (1, 'retail'), (2, 'corporate'), (3, 'retail'), (4, 'corporate')"


@pytest.fixture(name="desks")
def fixture_desks(clean: object, tmp_path: Path) -> None:
    """Customers of two desks in a SQLite file, a reader of one desk, and for each customer a run and a look at it."""
    path = tmp_path / "company.db"
    with sqlite3.connect(path) as source:
        source.executescript(SQL)
    source.close()
    url = f"sqlite:///{path}"
    with connect.create(connect.address(url)).connect() as connection:
        structure = next(each for each in reflect.structures(connection) if each["table"] == "customer")
    condition = "record.desk in $currentUser.tags.desks"
    access.refresh()
    with db.transaction() as connection:
        connection.execute(sa.insert(tables.team).values(id="operations", name="Operations"))
        sealed = subjects.wrap(url.encode(), catalogue.sealed_at("src_1"))
        connection.execute(
            sa.insert(tables.data_source).values(
                id="src_1", name="company", url_sealed=sealed, dialect="sqlite"
            )
        )
        document = {
            "id": "customer",
            "source": "src_1",
            "table": "customer",
            "label": "Customers",
            "label_one": "Customer",
        }
        connection.execute(
            sa.insert(tables.collection).values(
                id="customer", source="src_1", document=document, structure=structure, position=0
            )
        )
        connection.execute(
            sa.insert(tables.workflow).values(
                id="wf_1", slug="kyc-review", title="KYC review", status="active", team="operations"
            )
        )
        access.grant("watcher", "activity", ["read"], team="operations", connection=connection)
        access.grant("watcher", "workflow:kyc-review", ["see"], team="operations", connection=connection)
        access.grant(
            "watcher", "collection:customer", ["read"], condition, team="operations", connection=connection
        )
        access.assign("usr_wanda", [("watcher", "operations")], connection=connection)
    access.refresh()
    catalogue.forget()
    for number in range(1, 6):
        actor = {
            "kind": "user",
            "id": "usr_olivia",
            "session": "ses_olivia",
            "team": "operations",
            "roles": [],
        }
        frame = Frame(
            actor,
            1,
            {"id": "wf_1", "version": 1, "hash": ""},
            {"source": "company", "coll": "customer", "key": str(number)},
        )
        fact = Fact(db.uuid7_text(), "run_started", datetime.now(UTC), {})
        write(f"run_{number}", 0, chained([fact], f"run_{number}", 0, b"", frame))
        note(OLIVIA, "record_viewed", collection="customer", record=str(number))
    note(OLIVIA, "record_listed", open={"count": 5}, sealed={"keys": ["1", "2"]}, collection="customer")
    sequencing.catch_up()


def keys(where: LogFilter, limit: int = 100, after: str | None = None) -> list[Any]:
    return [row.json["record"] for row in activity.page(WANDA, where, limit, after).rows]


def test_events_of_records_out_of_scope_or_gone_are_not_found(desks: None) -> None:
    assert keys(LogFilter(kinds=("run_started",))) == ["3", "1"]
    assert keys(LogFilter(kinds=("record_viewed",))) == ["3", "1"]
    for record in ("2", "5", "nosuch"):
        assert keys(LogFilter(collection="customer", record=record)) == []


def test_list_of_records_is_told_without_the_keys_it_named(desks: None) -> None:
    row = activity.page(WANDA, LogFilter(kinds=("record_listed",))).rows[0]
    assert row.sentence == "usr_olivia listed 5 customer records"
    assert row.json["data"] == {"count": 5, "keys": None}
    assert row.json["masked"] == ["data.keys"]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_are_filled_although_rows_between_are_left_out(desks: None, size: int) -> None:
    seen: list[Any] = []
    after = None
    while True:
        page = activity.page(WANDA, LogFilter(collection="customer"), size, after)
        seen += [row.json["record"] for row in page.rows]
        assert len(page.rows) == size or not page.has_more
        if page.next is None:
            break
        after = page.next
    assert seen == [None, "3", "3", "1", "1"]


def test_record_tells_its_story_only_within_the_scope(desks: None) -> None:
    assert [row.sentence for row in activity.on_record(WANDA, "customer", "3").rows] == [
        "usr_olivia started KYC review"
    ]
    for record in ("2", "5", "", "a/b"):
        with pytest.raises(NotFound):
            activity.on_record(WANDA, "customer", record)
