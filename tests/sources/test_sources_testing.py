"""Trying a connection on real servers: each thing that can be wrong is told apart, with what to do about it; and the commands."""

import socket
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.engine import URL, make_url

from console import records, sources
from console.cli import console
from console.core.documents.collections import Collection, assemble
from console.core.errors import Invalid
from console.infra.postgres import Embedded
from console.records import connect, preview, reflect
from console.sources import source_store
from tests.conftest import lent
from tests.databases import Server
from tests.records.files import assembled
from tests.servers import mariadb

SECRET = "hush-hush"
FAR_SECRET = "pä/ss, пароль"


@pytest.fixture(scope="module")
def house(pg: Embedded, server: Server, template: str, suite_folder: Path) -> Iterator[None]:
    with lent(pg, server, "sources_testing", suite_folder, of=template):
        yield
        connect.dispose()


@pytest.fixture(scope="module")
def shop(pg: Embedded) -> Iterator[URL]:
    """A database with a table that one user may read, another change, and a third not see."""
    pg.drop_database("trial")
    pg.sql("create database trial")
    script = "create table item (id int primary key); create schema more; create table more.thing (id int primary key);"
    users = {
        "reader": "grant select on item to reader",
        "writer": "grant select, update on item to writer",
        "blind": "select 1",
    }
    for user, grant in users.items():
        script += f"drop role if exists {user}; create role {user} login password '{SECRET}'; {grant};"
    pg.sql(script, database="trial")
    yield make_url(pg.url("postgres", "trial"))
    pg.drop_database("trial")
    pg.sql("; ".join(f"drop role {user}" for user in users))


def url(of: URL, **changes: Any) -> str:
    return of.set(**changes).render_as_string(hide_password=False)


def test_what_answers_and_what_may_be_done_there(shop: URL) -> None:
    found = sources.attempt(url(shop))
    assert found.ok
    assert found.server.startswith("PostgreSQL ")
    assert [(table.place, table.kind) for table in found.tables] == [
        ("more.thing", "table"),
        ("item", "table"),
    ]
    assert (found.read_only, found.schemas) == (False, ["more", "public"])
    assert "superuser" in found.notes[0] or "may do everything" in found.notes[0]
    for user, read_only in (("reader", True), ("writer", False)):
        found = sources.attempt(url(shop, username=user, password=SECRET))
        assert ([table.place for table in found.tables], found.read_only, list(found.notes)) == (
            ["item"],
            read_only,
            [],
        )
        assert SECRET not in found.place


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"password": "wrong"}, "wrong_password", "password"),
        ({"database": "nope"}, "no_database", "database"),
        ({"username": "blind", "password": SECRET}, "nothing_to_read", "user"),
        ({"host": "127.0.0.1", "port": 1, "query": {}}, "refused", "port"),
        ({"host": "nowhere.invalid", "query": {}}, "wrong_host", "host"),
    ],
)
def test_why_postgresql_cannot_be_connected(
    shop: URL, changes: dict[str, Any], code: str, field: str
) -> None:
    trouble = sources.attempt(url(shop, **changes)).trouble
    assert trouble is not None
    assert (trouble.code, trouble.field) == (code, field), trouble.words
    assert trouble.mend
    assert str(shop.password) not in trouble.words


@pytest.fixture(scope="module")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    with mariadb.running(tmp_path_factory.mktemp("maria")) as server:
        engine = sa.create_engine(connect.address(server.replace("?", "/mysql?", 1)))
        with engine.begin() as connection:
            connection.exec_driver_sql("create or replace database trial")
            connection.exec_driver_sql("create table trial.item (id int primary key)")
            connection.exec_driver_sql("create table trial.gone (id int)")
            connection.exec_driver_sql(
                "create view trial.`one 1%%` as select id, 'x' as word from trial.item"
            )
            connection.exec_driver_sql("create view trial.torn as select id from trial.gone")
            connection.exec_driver_sql("drop table trial.gone")
            for user, grant in (
                ("reader", "select on trial.*"),
                ("blind", "usage on *.*"),
                ("abroad", "select on trial.*"),
            ):
                password = FAR_SECRET if user == "abroad" else SECRET
                connection.exec_driver_sql(
                    f"create or replace user {user}@localhost identified by '{password}'"
                )
                connection.exec_driver_sql(f"grant {grant} to {user}@localhost")
        engine.dispose()
        yield make_url(server.replace("?", "/trial?", 1))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"username": "reader", "password": SECRET}, None),
        ({"username": "abroad", "password": FAR_SECRET}, None),
        ({"username": "reader", "password": "wrong"}, "wrong_password"),
        ({"username": "blind", "password": SECRET}, "no_right"),
        ({"database": "nope"}, "no_database"),
        ({"host": "127.0.0.1", "port": 1, "query": {}}, "refused"),
        ({"host": "nowhere.invalid", "query": {}}, "wrong_host"),
    ],
)
def test_why_mariadb_cannot_be_connected(maria: URL, changes: dict[str, Any], code: str | None) -> None:
    found = sources.attempt(url(maria, **changes))
    assert (found.trouble.code if found.trouble else None) == code, found
    if found.ok:
        assert found.server.startswith("MariaDB ")
        assert [table.place for table in found.tables] == ["item", "one 1%", "torn"]
        assert (found.read_only, bool(found.notes)) == ("username" in changes, "username" not in changes)


def first_of(address: str, table: str) -> tuple[Collection, dict[str, Any]]:
    """The collection that a table would be, and its first record."""
    seen = source_store.look("odd", address, {})
    made = assemble(source_store.stored_collections("odd", seen, []))
    engine = connect.create(connect.address(address), sources.Terms(read_only=True))
    wide = {one: replace(collection, columns=tuple(collection.by_name)) for one, collection in made.items()}
    with engine.connect() as connection:
        ((record,), _) = preview.first_records(connection, wide, f"odd.{table}", 1)
    engine.dispose()
    return made[f"odd.{table}"], record.values


def test_odd_types_of_mariadb_are_read_in_words(maria: URL) -> None:
    engine = sa.create_engine(connect.address(url(maria)))
    with engine.begin() as connection:
        connection.exec_driver_sql("create or replace database odd")
        connection.exec_driver_sql(
            "create table odd.thing (id int primary key, skills set('sql', 'go'), spot point, meta json, pw varchar(80), made int as (id + 1) stored)"
        )
        connection.exec_driver_sql(
            "insert into odd.thing (id, skills, spot, meta, pw) values (1, 'go,sql', point(13.4, 52.5), '{}', '$2b$12$abcdefghijklmnopqrstuv')"
        )
    engine.dispose()
    found, values = first_of(url(maria, database="odd"), "thing")
    assert values["skills"] == ["sql", "go"]
    assert (found.by_name["meta"].widget, found.by_name["made"].readonly, found.title) == (
        "json",
        True,
        "Thing {{ record.id }}",
    )
    assert found.by_name["pw"].hidden_because == "Its values look like hashes of passwords, keys or tokens."
    assert "pw" not in values


def test_odd_types_of_postgresql_are_read_in_words(shop: URL, pg: Embedded) -> None:
    script = """create table odd (id int primary key, days daterange, ages int4range, since tsrange, words tsvector, spot point, win_share numeric(3, 2));
    insert into odd values (1, '[2026-01-01,2026-02-01)', '[5,)', 'empty', to_tsvector('simple', 'red tent'), '(1,2)', 0.25)"""
    pg.sql(script, database="trial")
    try:
        found, values = first_of(url(shop), "odd")
    finally:
        pg.sql("drop table odd", database="trial")
    assert [values[name] for name in ("days", "ages", "since")] == [
        "2026-01-01 to before 2026-02-01",
        "from 5",
        "none",
    ]
    assert found.by_name["win_share"].widget == "fraction"


@pytest.mark.parametrize("changes", [{}, {"username": "reader", "password": SECRET}])
def test_views_of_mariadb_are_looked_at_without_the_right_to_show_them_and_a_torn_one_is_left_out(
    maria: URL, changes: dict[str, Any]
) -> None:
    engine = connect.create(connect.address(url(maria, **changes)), sources.Terms())
    with engine.connect() as connection:
        found = [
            (one["table"], one["kind"], [column["name"] for column in one["columns"]])
            for one in reflect.structures(connection)
        ]
        alone = reflect.structures(connection, lambda _, table: table == "one 1%")
    engine.dispose()
    assert [one["table"] for one in alone] == ["one 1%"], (
        "a view that cannot be shown is looked at without the others"
    )
    assert found == [("item", "table", ["id"]), ("one 1%", "view", ["id", "word"])]


def test_a_read_only_session_of_mariadb_takes_no_change(maria: URL) -> None:
    engine = connect.create(connect.address(url(maria)), sources.Terms(read_only=True))
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as error:
        connection.exec_driver_sql("insert into item values (1)")
    engine.dispose()
    assert "read-only" in connect.driver_refusal(error.value, "shop").message


def test_another_server_on_that_port_is_told_apart() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for _ in range(2):
            caller, _ = server.accept()
            with caller:
                caller.sendall(b"SSH-2.0-something else entirely\r\n" * 3)
                caller.recv(100)

    thread = threading.Thread(target=serve)
    thread.start()
    port = server.getsockname()[1]
    codes = [
        sources.attempt(f"{kind}://u:{SECRET}@127.0.0.1:{port}/d").trouble for kind in ("postgresql", "mysql")
    ]
    thread.join()
    server.close()
    assert [trouble.code if trouble else None for trouble in codes] == ["other_server", "other_server"], codes


def test_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database, " * 400)
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "empty.db").touch()
    codes = {}
    for name in ("missing.db", "no/folder.db", "text.db", "empty.db", ""):
        trouble = sources.attempt(f"sqlite:///{tmp_path}/{name}").trouble
        codes[name] = trouble.code if trouble else None
    assert codes == {
        "missing.db": "no_file",
        "no/folder.db": "no_file",
        "text.db": "no_database",
        "empty.db": "nothing_to_read",
        "": "no_file",
    }


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (
            {"kind": "postgresql", "host": "h", "database": "d b", "user": "u", "password": "p@:/"},
            "postgresql+psycopg://u:p%40%3A%2F@h:5432/d b",
        ),
        (
            {"kind": "mysql", "host": "::1", "port": "3307", "database": "d", "user": "u"},
            "mysql+pymysql://u@[::1]:3307/d",
        ),
        (
            {"kind": "postgresql", "host": "h", "database": "d", "user": "u", "encrypted": "1"},
            "postgresql+psycopg://u@h:5432/d?sslmode=require",
        ),
        (
            {
                "kind": "postgresql",
                "host": "/tmp/.s.PGSQL.5433",
                "port": "5433",
                "database": "d",
                "user": "u",
            },
            "postgresql+psycopg://u@/d?host=%2Ftmp&port=5433",
        ),
        (
            {"kind": "mysql", "host": "/run/mysqld.sock", "database": "d", "user": "u"},
            "mysql+pymysql://u@/d?unix_socket=%2Frun%2Fmysqld.sock",
        ),
        ({"kind": "sqlite", "database": ' "/x/y z.db" '}, "sqlite+pysqlite:////x/y z.db"),
        ({"kind": "sqlite", "database": "sqlite:////x/y.db"}, "sqlite+pysqlite:////x/y.db"),
        ({"kind": "sqlite", "database": "file:///x/y.db"}, "sqlite+pysqlite:////x/y.db"),
        ({"url": " mysql://u:p@h/d "}, "mysql+pymysql://u:p@h/d"),
    ],
)
def test_fields_become_an_address(given: dict[str, str], made: str) -> None:
    assert sources.composed(given) == made
    assert "host" not in given or sources.composed(given | sources.fields_of(made)) == made, (
        "as the form shows it"
    )


def test_a_password_is_kept_for_the_same_place_and_user_alone() -> None:
    former = "postgresql://u:hush@h:5432/d"
    same = {"kind": "postgresql", "host": "h", "database": "other", "user": "u"}
    assert make_url(sources.composed(same, former)).password == "hush"
    for changes in ({"host": "evil"}, {"user": "x"}, {"port": "6543"}):
        assert make_url(sources.composed({**same, **changes}, former)).password is None
    assert sources.fields_of(former) == {
        "kind": "postgresql",
        "host": "h",
        "port": "5432",
        "database": "d",
        "user": "u",
        "encrypted": "",
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "oracle", "host": "h", "database": "d", "user": "u"}, "kind"),
        ({"kind": "postgresql", "host": "h/x", "database": "d", "user": "u"}, "host"),
        ({"kind": "postgresql", "host": "u@h", "database": "d", "user": "u"}, "host"),
        ({"kind": "postgresql", "host": "h", "port": "-1", "database": "d", "user": "u"}, "port"),
        ({"kind": "sqlite", "database": ""}, "database"),
        ({"url": "postgresql://h/d?passfile=/etc/passwd"}, "url"),
        ({"url": "mysql://h/d?read_default_file=/etc/my.cnf"}, "url"),
        ({"url": "mysql://h"}, "url"),
    ],
)
def test_fields_that_cannot_be_an_address(given: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as error:
        sources.composed(given)
    assert field in [detail["field"] for detail in error.value.details]


# ---------------------------------------------------------------------------------------------------- the first workflow


def made(tmp_path: Path, script: str) -> Collection:
    return next(iter(assembled(tmp_path, script).values()))


# ---------------------------------------------------------------------------------------------------------- the commands


def run(*words: str) -> Result:
    return CliRunner().invoke(console, ["source", *words])


@pytest.mark.usefixtures("house")
def test_a_source_by_commands_from_first_to_last(tmp_path: Path, shop: URL) -> None:
    file = tmp_path / "club.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(
            "create table team (id integer primary key, name text); create table fee (id integer primary key); create view v as select 1 as x"
        )
    connection.close()
    at = f"sqlite:///{file}"
    assert "3 tables and views may be read; changes are possible" in run("test", at).output
    assert run("test", f"sqlite:///{tmp_path}/no.db").exit_code == 1
    assert run("add", "club", at, "--tables", "nope").exit_code == 1
    added = run("add", "club", at, "--tables", "team, fee", "--read-only", "--statement-seconds", "9")
    assert added.output.endswith("2 collections of club, for the role admin, read-only\n")
    assert sources.source_of("club").terms == sources.Terms(statement_s=9, read_only=True)
    assert "club  sqlite" in run("list").output
    assert "read-only" in run("list").output
    assert "answers after" in run("test", "club").output
    assert run("change", "club", "--read-write", "--pool", "2").output == "club: limits, read_only changed\n"
    assert run("change", "club").output == "club: nothing changed\n"
    assert run("change", "club", "--url", f"sqlite:///{tmp_path}/no.db").exit_code == 1
    assert "source refresh club" in run("change", "club", "--all-tables").output
    assert run("refresh", "club").output == "3 collections of club\n"
    assert run("change", "club", "--pause").output == "club: paused changed\n"
    assert "paused" in run("list").output
    assert run("change", "club", "--resume").exit_code == 0
    assert run("change", "nope", "--pause").exit_code == 1
    with sqlite3.connect(file) as connection:
        connection.execute("drop table fee")
    connection.close()
    assert "gone in the database: fee" in run("inspect", "club").output
    assert run("refresh", "club", "--leave-out", "--documents", str(tmp_path)).exit_code == 2
    assert run("refresh", "club", "--leave-out").output == "2 collections of club\n"
    assert run("remove", "club").exit_code == 1
    assert run("remove", "club", "--yes").output.endswith("club is removed\n")
    assert run("list").output == ""
    only = run("add", "shop", url(shop), "--schemas", "more")
    assert only.output.startswith("shop.more.thing  ")
    assert run("add", "other", url(shop), "--schemas", "nope").exit_code == 1
    assert [one.id for one in records.collections()] == ["shop.more.thing"]
    assert run("remove", "shop", "--yes", "--force").exit_code == 0
