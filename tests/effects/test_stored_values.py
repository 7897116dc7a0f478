"""What the log says of a change is what the database keeps afterwards: every writer, every dialect, whatever triggers and types make of a value."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from console import access, automation, browse, queue, records, runs, sources, workflows
from console.actions import bulk, record_changes
from console.actions.many_changes import CHANGE, ManyChanges
from console.activity import sequencing
from console.core.scopes import whole
from console.errors import ConsoleError
from console.postgres import Embedded
from console.records import connect
from tests.company import WORKING, Company
from tests.jobs import do
from tests.servers.mariadb import running
from tests.support.acting import hand_in, imported, run_of

PERSON = "kept.person"
NEW: dict[str, Any] = {"email": " CLEO@Example.test", "code": "ab", "booked": "2026-12-31T23:59:59.600Z", "note": "a\r\nb\rc"}
FORMER = {"email": "ana@example.test", "code": None, "booked": None, "note": ""}
"""What is handed in: a trigger tidies the address, another (deferred where there is that) the code, the column rounds the moment."""
MADE = {
    "postgresql": """
create table person (id int primary key, email text not null, code text, booked timestamptz(0), note text);
create function tidy() returns trigger language plpgsql as $$ begin new.email := lower(trim(new.email)); return new; end $$;
create trigger tidy before insert or update on person for each row execute function tidy();
create function late() returns trigger language plpgsql as $$ begin
  update person set code = upper(code) where id = new.id and code <> upper(code); return null; end $$;
create constraint trigger late after insert or update on person deferrable initially deferred for each row execute function late();
""",
    "sqlite": """
create table person (id integer primary key, email text not null, code text, booked datetime, note text);
create trigger tidy after update on person begin update person set email = lower(trim(email)), code = upper(code) where id = new.id; end;
create trigger tidy_new after insert on person begin update person set email = lower(trim(email)), code = upper(code) where id = new.id; end;
""",
    "mysql": """
create table person (id int primary key, email varchar(200) not null, code varchar(20), booked datetime, note text) default charset utf8mb4;
create trigger tidy before update on person for each row set new.email = lower(trim(new.email)), new.code = upper(new.code);
create trigger tidy_new before insert on person for each row set new.email = lower(trim(new.email)), new.code = upper(new.code);
""",
}
STEPS = [
    {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "edit"}},
    {"id": "edit", "type": "update_data", "title": "Edit", "config": {"fields": [*NEW]}, "next": {"default": "told"}},
    {"id": "told", "type": "output", "title": "Tell", "config": {"values": {name: f"steps.edit.{name}" for name in NEW}}, "next": {"default": "end"}},
    {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
]  # fmt: skip
SET: dict[str, Any] = {
    "format": 1, "id": "person.set", "title": "Set", "collection": PERSON, "team": "operations",
    "form": [{"name": name, "label": name, "type": "datetime" if name == "booked" else "long_text"} for name in NEW],
    "effects": [{"kind": "sql_write", "name": "written", "summary": "Sets it", "set": {name: f"input.{name}" for name in NEW}}],
}  # fmt: skip
ADD: dict[str, Any] = SET | {
    "id": "person.add",
    "effects": [
        {
            "kind": "sql_insert",
            "name": "added",
            "summary": "Adds it",
            "collection": PERSON,
            "values": {"id": "77", **SET["effects"][0]["set"]},
        }
    ],
}


def connected(dialect: str, url: str) -> None:
    engine = connect.create(connect.address(url))
    with engine.begin() as connection:
        statements = [MADE[dialect]] if dialect == "postgresql" else MADE[dialect].strip().splitlines()
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("insert into person (id, email, note) values (1, 'ana@example.test', ''), (2, 'ben@example.test', '')")
    engine.dispose()
    sources.add("kept", url, documents=[{"id": PERSON, "source": "kept", "table": "person", "form": [*NEW]}], role="operations_lead")
    for role in ("operator", "lead"):
        access.grant(role, f"collection:{PERSON}", [*WORKING, "act"], team="operations")
    access.refresh()


@pytest.fixture(params=["postgresql", "sqlite", "mysql"])
def house(request: pytest.FixtureRequest, company: Company, pg: Embedded, tmp_path: Path) -> Iterator[Company]:
    """The company with a database whose own rules change what is written."""
    match request.param:
        case "postgresql":
            pg.drop_database("kept_values")
            pg.sql("create database kept_values")
            connected("postgresql", pg.url("postgres", "kept_values"))
            yield company
            connect.dispose()
            pg.drop_database("kept_values")
        case "sqlite":
            Path(tmp_path, "kept.db").touch()
            connected("sqlite", f"sqlite:///{tmp_path}/kept.db")
            yield company
        case _:
            with running(tmp_path) as server:
                first = connect.create(connect.address(server))
                with first.connect() as connection:
                    connection.exec_driver_sql("create or replace database kept_values")
                first.dispose()
                connected("mysql", make_url(server).set(database="kept_values").render_as_string(hide_password=False))
                yield company
                connect.dispose()


def stands(key: str) -> Mapping[str, Any]:
    return {name: value for name, value in records.get(PERSON, key, whole(PERSON)).values.items() if name in NEW}


def logged(pos: int) -> list[Mapping[str, Any]]:
    """The new values of each change that the log tells of after this place."""
    sequencing.catch_up()
    events = automation.read_after(pos, ["record.updated", "record.created"]).events
    return [{name: value for name, value in (event.new or {}).items() if name in NEW} for event in events if event.collection == PERSON]


def test_what_every_writer_logs_is_what_the_database_keeps(house: Company) -> None:
    workflows.import_file(
        {"format": 1, "slug": "edit-person", "title": "Edit", "collection": PERSON, "team": "operations", "roles": ["operator"], "steps": STEPS},
        publish=True,
    )  # fmt: skip
    imported(SET, ADD)

    def by_hand() -> str:
        browse.change(house.mona, PERSON, "1", NEW, {})
        return "1"

    def added_by_hand() -> str:
        return record_changes.create(house.mona, PERSON, {"id": 5, **NEW}).key or ""

    def in_bulk() -> str:
        bulk_id = bulk.look(house.mona, PERSON, ManyChanges(CHANGE), ["2"], None, NEW)
        do(queue.BULK, bulk_id)
        bulk.confirm(house.mona, bulk_id)
        do(queue.BULK, bulk_id)
        return "2"

    def in_a_run() -> str:
        run_id = runs.start(house.mona, "edit-person", PERSON, "1")
        told = hand_in(house, run_id, "mona", **NEW)
        assert told["status"] == "completed"
        assert {name: told["context"]["edit"][name] for name in NEW} == told["context"]["told"] == stands("1"), "later steps"
        return "1"

    def by_action() -> str:
        told = hand_in(house, run_of(house, SET, by="mona"), "mona", **NEW)
        assert told["context"]["act"]["results"]["written"]["new"] == stands("1"), "later effects"
        return "1"

    def added_by_action() -> str:
        told = hand_in(house, run_of(house, ADD, by="mona"), "mona", **NEW)
        made = told["context"]["act"]["results"]["added"]["record"]
        assert {name: made[name] for name in NEW} == stands("77"), "later effects"
        return ""

    for write in (by_hand, added_by_hand, in_bulk, in_a_run, by_action, added_by_action):
        sequencing.catch_up()
        before = automation.reached()
        records.write(PERSON, "1", {name: {"new": value} for name, value in FORMER.items()}, whole(PERSON))
        if key := write():
            assert logged(before) == [stands(key)], write.__name__
            assert stands(key)["email"] == "cleo@example.test", write.__name__
            assert stands(key)["code"] == "AB", write.__name__
    [many] = records.insert_many(PERSON, [{"id": 9, **NEW}], whole(PERSON))
    assert not isinstance(many, ConsoleError)
    assert many.values == {"id": 9, **stands("9")}
