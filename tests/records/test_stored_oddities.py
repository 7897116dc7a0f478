"""What databases hold and refuse that a form could not say: texts that are no UTF-8, rules that act at COMMIT, rows that only policies keep, the ends of the calendar."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from console import browse, records, sources
from console.auth import access
from console.browse import BrowseQuery
from console.core.actor import Actor
from console.core.errors import Invalid
from console.core.scopes import unrestricted
from console.infra.postgres import Embedded
from console.messaging.imports import import_batches, imports
from console.records import connect
from tests.company import WORKING, Company
from tests.servers.mariadb import running

pytestmark = pytest.mark.lengthy

TEXTS = """
create table message (id integer primary key, body text, state text not null, at datetime);
insert into message values (1, 'fine: começar', 'open', '2026-01-01 10:00:00'), (2, cast(x'636F6D65E76172' as text), 'open', cast(x'32303236E7' as text)),
 (3, 'cut' || cast(x'F09F98' as text), 'open', null);
"""
RULES = """
create table queue_place (id int primary key, place int not null, constraint one_place unique (place) deferrable initially deferred);
insert into queue_place values (1, 1), (2, 2);
create table booking (id int primary key, debit numeric(12, 2) not null, credit numeric(12, 2) not null);
insert into booking values (1, 100, 100);
create function balanced() returns trigger language plpgsql as $$
begin if new.debit <> new.credit then raise exception 'Debit and credit differ by %', new.debit - new.credit; end if; return null; end $$;
create constraint trigger balanced after insert or update on booking deferrable initially deferred for each row execute function balanced();
create table payout (id int primary key, state text not null, allow_update boolean not null, allow_delete boolean not null);
insert into payout values (1, 'open', true, false), (2, 'open', false, false), (3, 'open', false, true);
alter table payout enable row level security;
create policy see on payout for select using (true);
create policy edit on payout for update using (allow_update);
create policy add on payout for insert with check (state = 'open');
create policy drop_it on payout for delete using (allow_delete);
create table contract (id int primary key, name text not null, signed_on date, valid_to timestamptz, seen_at timestamp);
insert into contract values (1, 'Ordinary', '2026-03-01', '2026-12-31 23:30:00+00', '2026-03-01 10:00'), (2, 'Forever', '2026-03-01', '9999-12-31 23:59:59+00', '9999-12-31 23:59:59'),
 (3, 'Never set', '0001-01-01', '0001-01-01 00:00:00+00', '0001-01-01 00:00:00'), (4, 'Typed twice', '12026-03-01', '20260-03-01 00:00:00+00', null),
 (5, 'Before Christ', '0044-03-15 BC', null, '0044-03-15 12:00 BC'), (6, 'No end', 'infinity', 'infinity', '-infinity');
grant select, insert, update, delete on all tables in schema public to odd_reader;
"""


@pytest.fixture
def odd(company: Company, pg: Embedded) -> Iterator[Actor]:
    """A person who works with a PostgreSQL database whose rules and policies bind the console's own user."""
    connect.dispose()
    pg.drop_database("odd_rules")
    pg.sql("drop role if exists odd_reader")
    pg.sql("create role odd_reader login password 'odd'")
    pg.sql("create database odd_rules")
    with psycopg.connect(pg.url("postgres", "odd_rules"), autocommit=True) as connection:
        connection.execute(RULES)
    documents = [
        {"id": f"odd.{name}", "source": "odd", "table": name}
        for name in ("queue_place", "booking", "payout", "contract")
    ]
    sources.add(
        "odd",
        make_url(pg.url("postgres", "odd_rules"))
        .set(username="odd_reader", password="odd")
        .render_as_string(hide_password=False),
        documents=documents,
        role="operations_lead",
    )
    granted(*(document["id"] for document in documents))
    yield company.mona
    connect.dispose()
    pg.drop_database("odd_rules")
    pg.sql("drop role odd_reader")


def granted(*collections: str) -> None:
    for each in collections:
        access.grant("lead", f"collection:{each}", [*WORKING, "delete"], team="operations")
    access.refresh()


def keys(actor: Actor, collection: str, **query: Any) -> list[str | None]:
    return [row.key for row in browse.page(actor, collection, BrowseQuery(**query)).rows]


def test_texts_that_are_no_utf_8_are_searched_and_left_as_they_are(company: Company, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "texts.db")) as connection, connection:
        connection.executescript(TEXTS)
    sources.add(
        "texts",
        f"sqlite:///{tmp_path}/texts.db",
        documents=[{"id": "texts.message", "source": "texts", "table": "message"}],
        role="operations_lead",
    )
    for op in ("contains", "starts_with"):
        found = keys(
            company.mona, "texts.message", filter=f'{{"field": "body", "op": "{op}", "value": "COM"}}'
        )
        assert found == (["1", "2"] if op == "contains" else ["2"]), op
    assert keys(company.mona, "texts.message", q="com") == ["1", "2"]
    assert keys(
        company.mona, "texts.message", filter='{"field": "at", "op": "gt", "value": "2025-01-01T00:00:00Z"}'
    ) == ["1"]
    seen = records.get("texts.message", "2", unrestricted("texts.message")).values["body"]
    after = records.write(
        "texts.message",
        "2",
        {"body": {"old": seen, "new": seen}, "state": {"new": "shut"}},
        unrestricted("texts.message"),
    )
    assert after.values["state"] == "shut"
    with closing(sqlite3.connect(tmp_path / "texts.db")) as connection:
        assert connection.execute("select hex(body) from message where id = 2").fetchone() == (
            "636F6D65E76172",
        )
    records.write(
        "texts.message", "2", {"body": {"old": seen, "new": "começar"}}, unrestricted("texts.message")
    )
    assert records.get("texts.message", "2", unrestricted("texts.message")).values["body"] == "começar"


def test_what_a_rule_says_at_commit_is_a_refusal_in_its_words(odd: Actor) -> None:
    for change in (
        browse.change,
        lambda *_: records.insert(
            "odd.booking", {"id": 9, "debit": "5", "credit": "4"}, unrestricted("odd.booking")
        ),
    ):
        with pytest.raises(Invalid, match="Debit and credit differ by"):
            change(odd, "odd.booking", "1", {"debit": "120"}, {})
    with pytest.raises(Invalid) as refused:
        browse.change(odd, "odd.queue_place", "1", {"place": 2}, {})
    assert [detail["field"] for detail in refused.value.details] == ["place"]


def test_a_record_that_a_policy_keeps_is_there_and_kept(odd: Actor) -> None:
    for key in ("2", "3"):
        with pytest.raises(Invalid, match="keeps this record as it is"):
            browse.change(odd, "odd.payout", key, {"state": "paid"}, {})
    assert browse.change(odd, "odd.payout", "1", {"state": "paid"}, {}).values["state"] == "paid"
    with pytest.raises(Invalid, match="keeps this record as it is"):
        records.delete("odd.payout", "2", {}, unrestricted("odd.payout"))
    with pytest.raises(Invalid, match="row-level security") as refused:
        browse.change(odd, "odd.payout", "1", {"allow_update": False}, {})
    assert [detail["field"] for detail in refused.value.details] == ["allow_update"]
    with pytest.raises(Invalid, match="row-level security"):
        records.insert(
            "odd.payout",
            {"id": 9, "state": "paid", "allow_update": True, "allow_delete": True},
            unrestricted("odd.payout"),
        )
    with pytest.raises(Invalid) as missing:
        records.insert(
            "odd.payout",
            {"state": "open", "allow_update": True, "allow_delete": True},
            unrestricted("odd.payout"),
        )
    assert missing.value.details == [{"field": "id", "reason": "ID is needed."}]
    records.delete("odd.payout", "3", {}, unrestricted("odd.payout"))
    assert keys(odd, "odd.payout") == ["1", "2"]


def test_the_ends_of_the_calendar_are_found_shown_and_no_error(odd: Actor) -> None:
    for zone in ("Europe/Vilnius", "America/New_York", "UTC"):
        who = replace(odd, zone=zone)
        assert keys(who, "odd.contract", q="signed_on:0001") == ["3"], zone
        assert keys(who, "odd.contract", q="seen_at:9999") == ["2"], zone
        assert "3" in keys(who, "odd.contract", q="valid_to:0001") or zone == "America/New_York"
        assert len(keys(who, "odd.contract")) == 6
        for field in ("signed_on", "valid_to", "seen_at"):
            for word in ("0001", "9999", "0001-01-01", "9999-12-31", "<0001", ">9999"):
                keys(who, "odd.contract", q=f"{field}:{word}")
            keys(who, "odd.contract", sort=field)
    told = records.get("odd.contract", "5", unrestricted("odd.contract")).values
    assert "BC" in told["signed_on"]
    assert "BC" in told["seen_at"]


def test_a_number_that_a_column_of_yes_and_no_holds_is_that_number(company: Company, tmp_path: Path) -> None:
    with running(tmp_path) as server:
        first = connect.create(connect.address(server))
        with first.connect() as connection:
            connection.exec_driver_sql("create or replace database odd_bools")
        first.dispose()
        url = make_url(server).set(database="odd_bools").render_as_string(hide_password=False)
        made = connect.create(connect.address(url))
        with made.begin() as connection:
            connection.exec_driver_sql(
                "create table member (id int primary key, level tinyint(1) not null, flag bit(1) not null)"
            )
            connection.exec_driver_sql(
                "insert into member values (1, 0, b'0'), (2, 1, b'1'), (3, 2, b'1'), (4, 7, b'0')"
            )
        made.dispose()
        sources.add(
            "bools",
            url,
            documents=[{"id": "bools.member", "source": "bools", "table": "member"}],
            role="operations_lead",
        )
        granted("bools.member")
        assert [
            records.get("bools.member", key, unrestricted("bools.member")).values["level"] for key in "1234"
        ] == [False, True, 2, 7]
        assert keys(company.mona, "bools.member", filter='{"field": "level", "op": "eq", "value": true}') == [
            "2"
        ]
        assert keys(company.mona, "bools.member", filter='{"field": "flag", "op": "eq", "value": true}') == [
            "2",
            "3",
        ]
        browse.change(company.mona, "bools.member", "4", {"flag": True}, {"level": 7})
        assert records.get("bools.member", "4", unrestricted("bools.member")).values == {
            "id": 4,
            "level": 7,
            "flag": True,
        }
        assert (
            browse.change(company.mona, "bools.member", "4", {"level": True}, {"level": 7}).values["level"]
            is True
        )
        connect.dispose()


def test_a_file_tells_the_key_that_the_database_does_not_give(company: Company, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "parts.db")) as connection, connection:
        connection.executescript(
            "create table part (id varchar(9) primary key not null, code text not null); create table counted (id integer primary key, code text)"
        )
    documents = [{"id": f"parts.{name}", "source": "parts", "table": name} for name in ("part", "counted")]
    sources.add("parts", f"sqlite:///{tmp_path}/parts.db", documents=documents, role="operations_lead")
    granted("parts.part", "parts.counted")
    told, given = (
        dict(imports.choices(company.mona, records.collection(f"parts.{name}")))
        for name in ("part", "counted")
    )
    assert ({"id", "code"} <= told.keys(), "id" in given) == (True, False)
    looked = import_batches.keep(company.mona, "parts.part", io.BytesIO(b"ID,Code\nA1,one\nA2,two\n"))
    done = import_batches.confirm(company.mona, looked.id)
    assert (looked.new, done.new, keys(company.mona, "parts.part")) == (2, 2, ["A1", "A2"])
