"""Searching large tables through their indexes, in PostgreSQL, SQLite and MariaDB: the same is found, in scope, and what was not looked at is said."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy.engine import make_url

from console import records
from console.core import expressions
from console.core.documents.collections import Collection, Stored, assemble
from console.core.expressions import search_syntax
from console.core.scopes import Scope, unrestricted
from console.infra import subjects
from console.infra.postgres import Embedded
from console.records import catalogue, connect, indexed_search, indexes, quick_search, reflect, search
from console.records.catalogue import Catalogue, Source
from console.records.indexes import Index, Indexes
from tests.records.files import keyed
from tests.servers.mariadb import running

TABLE = """create table client (id int primary key, number varchar(20) not null, name varchar(60) not null, email varchar(60), secret varchar(20), desk varchar(10), note varchar(90))"""
ROWS = [
    *(
        (
            n,
            f"C-{10_000 + n}",
            f"Person {n:03} Olsen",
            f"p{n}@example.com",
            f"s{n}",
            "retail" if n % 2 else "corporate",
            "a halogen lamp",
        )
        for n in range(1, 61)
    ),
    (90, "C-90001", "Halcyon Harbour Trading", "office@halcyon.example", "hush", "corporate", None),
    (91, "C-90002", "Halina Wójcik", "halina@example.com", "hush", "retail", None),
    (92, "C-90003", "Signe Halvorsen", "signe@example.com", "shh", "retail", None),
]
LINES = [
    "create table {0} (id int primary key, phone varchar(40))",
    "insert into {0} values (1, '+44 20 7946 0780'), (2, '+442079460781'), (3, '020 7946-0782'), (4, null)",
]
FILLED = "insert into telephones values (11, 'none'), (12, 'none'), (13, 'none')"
MADE = {
    "postgresql": [
        "create index on client (number)",
        "create index on client (name)",
        "create index on client (lower(email) text_pattern_ops)",
        "create index on client (secret)",
        "create table bare (id int primary key, name text)",
        "analyze",
    ],
    "sqlite": [
        "create index a on client (number)",
        "create index b on client (name collate nocase)",
        "create index c on client (email)",
        "create index d on client (secret)",
        "create table bare (id integer primary key, name text)",
    ],
    "mysql": [
        "create index a on client (number)",
        "create fulltext index b on client (name)",
        "create index c on client (email)",
        "create index d on client (secret)",
        "create table bare (id int primary key, name text)",
    ],
}
DOCUMENT = {"title": "{{ record.name }}", "search": ["number", "name", "email", "secret"]}
TELEPHONE = {"search": ["phone"], "fields": {"phone": {"type": "phone"}}}
DOCUMENTS: dict[str, dict[str, Any]] = {"client": DOCUMENT, "numbers": TELEPHONE, "telephones": TELEPHONE}


@pytest.fixture(scope="module")
def places(
    pg: Embedded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, dict[str, Collection]]]:
    """Kind of database → its collections `client` and `bare`, all of them large for the test."""
    folder = tmp_path_factory.mktemp("indexed")
    pg.drop_database("indexed")
    pg.sql("create database indexed")
    Path(folder, "indexed.db").touch()
    with ExitStack() as stack:
        maria = make_url(stack.enter_context(running(folder)))
        with connect.create(
            connect.address(str(maria.render_as_string(hide_password=False)))
        ).connect() as first:
            first.exec_driver_sql("create or replace database indexed character set utf8mb4")
        urls = {
            "postgresql": pg.url("postgres", "indexed"),
            "sqlite": f"sqlite:///{folder}/indexed.db",
            "mysql": maria.set(database="indexed").render_as_string(hide_password=False),
        }
        stack.enter_context(keyed())
        kept, sources = [], {}
        for kind, url in urls.items():
            engine = connect.create(connect.address(url))
            with engine.connect() as connection:
                for statement in (TABLE, *MADE[kind]):
                    connection.exec_driver_sql(statement)
                marks = ", ".join(["?" if kind == "sqlite" else "%s"] * 7)
                for row in ROWS:
                    connection.exec_driver_sql(f"insert into client values ({marks})", row)
                for statement in (
                    *(line.format(name) for name in ("numbers", "telephones") for line in LINES),
                    FILLED,
                    "create index e on telephones (phone)",
                ):
                    connection.exec_driver_sql(statement)
                kept += [
                    Stored(f"{kind}.{item['table']}", kind, item, DOCUMENTS.get(item["table"], {}))
                    for item in reflect.structures(connection)
                ]
                connection.exec_driver_sql("insert into bare values (3, 'Berth 3'), (4, 'Berth 30')")
                if kind == "postgresql":
                    connection.exec_driver_sql("analyze")
            engine.dispose()
            sealed = catalogue.sealed_at(kind)
            sources[kind] = Source(kind, kind, subjects.wrap(url.encode(), sealed), sealed)
        known = Catalogue(1, sources, assemble(kept))
        with patch.object(catalogue, "current", lambda: known), patch.object(indexes, "LARGE", 5):
            indexes.forget()
            yield {
                kind: {
                    name: known.collections[f"{kind}.{name}"]
                    for name in ("client", "bare", "numbers", "telephones")
                }
                for kind in urls
            }
            connect.dispose()
            indexes.forget()
    pg.drop_database("indexed")


KINDS = pytest.mark.parametrize("kind", list(MADE))


def listed(
    collection: Collection, text: str, scope: Scope | None = None, *, inside: bool = False
) -> list[str]:
    sought = search_syntax.read(text, collection)
    sought = (
        search_syntax.with_reach(sought, everywhere=True, shown=frozenset()) if inside and sought else sought
    )
    scope = scope or unrestricted(collection.id)
    rows = [row.title for row in records.page(collection.id, scope, q=sought, sort="name").rows]
    assert records.count(collection.id, scope, q=sought) == len(rows)
    return rows


@pytest.mark.slow
@KINDS
def test_a_large_list_finds_beginnings_and_whole_values_and_looks_inside_when_asked(
    places: dict[str, dict[str, Collection]], kind: str
) -> None:
    client = places[kind]["client"]
    assert listed(client, "hal") == ["Halcyon Harbour Trading", "Halina Wójcik"] + (
        ["Signe Halvorsen"] if kind == "mysql" else []
    )
    assert listed(client, "HALINA") == ["Halina Wójcik"]
    assert listed(client, "halina wójcik") == ["Halina Wójcik"]
    assert listed(client, "C-90001") == ["Halcyon Harbour Trading"]
    assert listed(client, "c-9000") == ["Halcyon Harbour Trading", "Halina Wójcik", "Signe Halvorsen"]
    assert listed(client, "signe@example.com") == ["Signe Halvorsen"]
    assert listed(client, "nobody") == []
    assert listed(client, "arbour") == []
    assert listed(client, "arbour", inside=True) == ["Halcyon Harbour Trading"]
    assert listed(client, "%") == listed(client, "p_1") == []
    narrow = replace(client, search=("name",))
    assert [
        field.name for field in search.searched_fields(narrow, frozenset(), frozenset({"number", "desk"}))
    ] == ["number", "name"], "a shown column is searched where an index finds it"


@KINDS
def test_a_telephone_number_is_found_however_it_is_spelled(
    places: dict[str, dict[str, Collection]], kind: str
) -> None:
    def keys(name: str, text: str, *, inside: bool = False) -> list[str | None]:
        sought = search_syntax.read(text, places[kind][name])
        sought = (
            search_syntax.with_reach(sought, everywhere=True, shown=frozenset())
            if inside and sought
            else sought
        )
        return [
            row.key
            for row in records.page(
                f"{kind}.{name}", unrestricted(f"{kind}.{name}"), q=sought, sort="id"
            ).rows
        ]

    for text in ("+442079460780", "+44 20 7946 0780", "+44 (0)20 7946-0780", "0044 20 79460780"):
        assert keys("numbers", text) == keys("telephones", text) == ["1"], text
        assert keys("telephones", text, inside=True) == ["1"]
    for text in ("020 7946 0780", "(020) 7946-0780", "02079460780", "7946 0780", "79460780"):
        assert keys("numbers", text) == keys("telephones", text, inside=True) == ["1"], text
    assert keys("numbers", "+44 20 7946 0781") == keys("telephones", "+44 20 7946 0781") == ["2"]
    assert keys("numbers", "02079460782") == keys("numbers", "7946 0782") == ["3"]
    assert keys("numbers", "+49 20 7946 0780") == keys("numbers", "0000000") == []


@KINDS
def test_the_scope_holds_and_hidden_fields_are_not_looked_at(
    places: dict[str, dict[str, Collection]], kind: str
) -> None:
    client = places[kind]["client"]
    retail = Scope(client.id, allow=(expressions.parse("record.desk == 'retail'"),))
    assert "Halcyon Harbour Trading" not in listed(client, "hal", retail)
    assert "Halina Wójcik" in listed(client, "hal", retail)
    shut = Scope(client.id, everything=True, hidden=frozenset({"secret"}))
    assert listed(client, "hush", shut) == []
    assert len(listed(client, "hush")) == 2
    told = quick_search.find([(client, shut, ["name"])], "hush", limit=5, seconds=5)
    assert told[0].records == []


def test_trigrams_answer_everything_and_other_indexes_do_not(
    places: dict[str, dict[str, Collection]],
) -> None:
    client = places["postgresql"]["client"]
    fields = search.searched_fields(client, frozenset())
    seen = Indexes(10**6, tuple(Index("inside", (field.name,)) for field in fields))
    assert indexed_search.complete(client, fields, seen)
    assert not indexed_search.complete(client, fields, indexes.indexes_of(client))
