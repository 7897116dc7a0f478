"""Conditions that follow relations, over the same rows: Python, PostgreSQL, SQLite and MariaDB answer alike.

References are null, lead nowhere, lead to the record itself, are made of two columns, and texts that a collation takes for equal are not.
"""

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.engine import Connection, make_url

from console.core import expressions
from console.core.documents.collections import Stored, assemble
from console.core.errors import DefinitionError
from console.core.expressions.operands import UNKNOWN
from console.core.related_record import Leading
from console.core.scopes import Scope, Subject, stands_alone
from console.infra.postgres import Embedded
from console.records import catalogue, connect, reflect, scoping, sql_conditions
from console.records.sql_tables import Table
from tests.servers.mariadb import running

pytestmark = pytest.mark.lengthy

NOW = datetime(2026, 5, 31, 12, 30, tzinfo=UTC)
DDL = """
create table area (a int not null, b varchar(10) not null, desk varchar(20), primary key (a, b));
create table client (id int primary key, name varchar(20), desk varchar(20), active boolean, area_a int, area_b varchar(10), boss_id int references client (id),
    foreign key (area_a, area_b) references area (a, b));
create table paper (id int primary key, kind varchar(20), pages int, client_id int references client (id), other_id int references client (id), area_name varchar(10))
"""
TABLES = ("area", "client", "paper")
AREAS = [(1, "a", "retail"), (1, "b", "corporate"), (2, "a", None), (2, "B", "Retail")]
CLIENTS = [
    (1, "Ada", "retail", True, 1, "a", None),
    (2, "ada", "corporate", False, 1, "b", 1),
    (3, None, None, None, None, None, 3),  # its own boss
    (4, "Bo", "retail", True, 2, "a", 2),
    (5, "retail", "Retail", False, 2, "B", 4),
    (6, "", "", True, 1, None, None),  # half a reference is none
]
PAPERS = [
    (number, kind, pages, client, other, name)
    for number, (client, other, (kind, pages, name)) in enumerate(
        itertools.product(
            (None, 1, 2, 3, 4, 5, 6),
            (None, 1, 2, 5),
            (("id", 1, "a"), ("bill", None, "A"), (None, 3, None), ("retail", 2, "retail")),
        ),
        1,
    )
]
ROWS: Mapping[str, list[tuple[Any, ...]]] = {"area": AREAS, "client": CLIENTS, "paper": PAPERS}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "area": {},
    "client": {"subject": "self"},
    "paper": {
        "subject": "client",
        "relations": [
            {"name": "loose", "collection": "area", "kind": "to_one", "via": "area_name", "to": "b"},
            {"name": "typed", "collection": "client", "kind": "to_one", "via": "kind"},
        ],
    },
}
USER = {"id": "u", "desks": ["retail", "corporate"], "none": [], "one": "retail"}


class Place:
    """One database with the rows in it, and the same rows as Python follows them: from what the tests know, not from the database."""

    def __init__(self, connection: Connection) -> None:
        for statement in DDL.split(";"):
            connection.exec_driver_sql(statement)
        for table in TABLES:
            names = [f"p{number}" for number in range(len(ROWS[table][0]))]
            insert = sa.text(f"insert into {table} values ({', '.join(':' + name for name in names)})")
            connection.execute(insert, [dict(zip(names, row, strict=True)) for row in ROWS[table]])
        connection.commit()
        found = {item["table"]: item for item in reflect.structures(connection)}
        kept = [
            Stored(name, "x", found[name], {"id": name, "source": "x", "table": name, **DOCUMENTS[name]})
            for name in TABLES
        ]
        self.connection, self.all = connection, assemble(kept)
        self.paper = self.all["paper"]
        self.table = Table(self.paper)

    def found(self, condition: Any) -> set[int]:
        """Ids of the papers for which the condition holds, as the database sees it."""
        answer = {
            row[0] for row in self.connection.execute(sa.select(self.table.columns["id"]).where(condition))
        }
        self.connection.commit()
        return answer


COLUMNS = {
    "area": ("a", "b", "desk"),
    "client": ("id", "name", "desk", "active", "area_a", "area_b", "boss_id"),
    "paper": ("id", "kind", "pages", "client_id", "other_id", "area_name"),
}
LINKS = {
    ("paper", "client"): ("client", (("client_id", "id"),)),
    ("paper", "other"): ("client", (("other_id", "id"),)),
    ("client", "boss"): ("client", (("boss_id", "id"),)),
    ("client", "area"): ("area", (("area_a", "a"), ("area_b", "b"))),
}


def led(table: str, row: tuple[Any, ...]) -> Leading:
    """A row as a record whose relations can be followed."""
    values = dict(zip(COLUMNS[table], row, strict=True))

    def follow(name: str) -> Any:
        if (table, name) not in LINKS:
            return None
        target, pairs = LINKS[table, name]
        for other in ROWS[target]:
            there = dict(zip(COLUMNS[target], other, strict=True))
            if all(values[here] is not None and values[here] == there[end] for here, end in pairs):
                return led(target, other)
        return UNKNOWN

    return Leading(values, follow)


RECORDS = {row[0]: led("paper", row) for row in PAPERS}


@pytest.fixture(scope="module")
def places(pg: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Place]]:
    """PostgreSQL, SQLite and MariaDB, each with the rows."""
    folder = tmp_path_factory.mktemp("led")
    pg.drop_database("led")
    pg.sql("create database led")
    Path(folder, "led.db").touch()
    with running(folder) as server:
        first = connect.create(connect.address(server))
        with first.connect() as connection:
            connection.exec_driver_sql("create database led character set utf8mb4")
        first.dispose()
        urls = [
            pg.url("postgres", "led"),
            f"sqlite:///{folder}/led.db",
            make_url(server).set(database="led").render_as_string(hide_password=False),
        ]
        engines = [connect.create(connect.address(url)) for url in urls]
        connections = [engine.connect() for engine in engines]
        yield [Place(connection) for connection in connections]
        for connection, engine in zip(connections, engines, strict=True):
            connection.close()
            engine.dispose()
    pg.drop_database("led")


PATHS = (
    "record",
    "record.client",
    "record.other",
    "record.client.boss",
    "record.client.boss.boss",
    "record.other.boss",
)
TEXTS = [
    "record.kind",
    *(f"{path}.{name}" for path in PATHS[1:] for name in ("desk", "name")),
    "record.client.area.desk",
    "record.client.boss.area.desk",
    "record.client.boss.boss.boss.area.b",
]
NUMBERS = [
    "record.pages",
    "record.client.id",
    "record.client.boss.id",
    "record.other.area.a",
    "record.client_id",
]
GIVEN = ["'retail'", "'Retail'", "'corporate'", "''", "null", "$currentUser.one", "$currentUser.missing"]
LISTS = [
    "$currentUser.desks",
    "$currentUser.none",
    "$currentUser.missing",
    "['retail', null]",
    "['corporate', 'x']",
    "[]",
]
LEAF = st.one_of(
    st.tuples(st.sampled_from(TEXTS), st.sampled_from(["==", "!="]), st.sampled_from([*GIVEN, *TEXTS])).map(
        " ".join
    ),
    st.tuples(st.sampled_from(TEXTS), st.just("in"), st.sampled_from(LISTS)).map(" ".join),
    st.tuples(
        st.sampled_from(NUMBERS),
        st.sampled_from(["==", "!=", "<", ">="]),
        st.sampled_from(["1", "2", "null", *NUMBERS]),
    ).map(" ".join),
    st.tuples(
        st.sampled_from(TEXTS),
        st.sampled_from(["startsWith", "contains"]),
        st.sampled_from(["'re'", "''", "'A'"]),
    ).map(lambda parts: f"{parts[0]}.{parts[1]}({parts[2]})"),
    st.sampled_from(
        [
            "record.client.active",
            "record.client.boss.active",
            "true",
            "false",
            "'retail' in $currentUser.desks",
        ]
    ),
)
EXPRESSION = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        inner.map(lambda text: f"!({text})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda texts: "(" + " && ".join(texts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda texts: "(" + " || ".join(texts) + ")"),
    ),
    max_leaves=5,
)
OF_CLIENT = st.sampled_from(
    [
        "record.desk in $currentUser.desks",
        "record.boss.desk == 'retail'",
        "record.active",
        "!(record.area.desk == 'retail')",
        "record.name == null",
    ]
)
FIXED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]


@settings(suppress_health_check=FIXED)
@given(text=EXPRESSION)
def test_conditions_that_follow_relations_agree(places: list[Place], text: str) -> None:
    made = Scope("paper", allow=(expressions.parse(text),), attributes=USER)
    denied = Scope("paper", everything=True, deny=(expressions.parse(text),), attributes=USER)
    for scope in (made, denied):
        expected = {number for number, record in RECORDS.items() if scope.allows(record, NOW)}
        for place in places:
            found = place.found(
                scoping.scope_condition(scope, place.paper, place.table.columns, NOW, place.all.get)
            )
            assert found == expected, (text, place.paper.dialect)


@settings(suppress_health_check=FIXED)
@given(
    own=st.lists(EXPRESSION, max_size=2),
    deny=st.lists(EXPRESSION, max_size=1),
    everything=st.booleans(),
    clients=st.lists(OF_CLIENT, max_size=2),
    barred=st.lists(OF_CLIENT, max_size=1),
    path=st.sampled_from([("client",), ("client", "boss"), ("other",)]),
)
def test_inherited_scopes_agree(
    places: list[Place],
    own: list[str],
    deny: list[str],
    *,
    everything: bool,
    clients: list[str],
    barred: list[str],
    path: tuple[str, ...],
) -> None:
    parsed = [expressions.parse(text) for text in own]
    inner = Scope(
        "client", tuple(map(expressions.parse, clients)), tuple(map(expressions.parse, barred)), USER
    )
    scope = Scope(
        "paper",
        allow=tuple(one for one in parsed if not stands_alone(one)),
        deny=tuple(map(expressions.parse, deny)),
        attributes=USER,
        everything=everything,
        alone=tuple(one for one in parsed if stands_alone(one)),
        subject=Subject(path, inner),
    )
    expected = {number for number, record in RECORDS.items() if scope.allows(record, NOW)}
    assert not (scope.nothing and expected)
    for place in places:
        found = place.found(
            scoping.scope_condition(scope, place.paper, place.table.columns, NOW, place.all.get)
        )
        assert found == expected, place.paper.dialect


@pytest.mark.parametrize(
    ("text", "papers"),
    [
        (
            "record.client.desk == null",
            lambda row: row[3] == 3,
        ),  # a paper without a client has no desk that could be empty
        ("record.client.desk != 'retail'", lambda row: row[3] in (2, 3, 5, 6)),
        ("!(record.client.desk == 'retail')", lambda row: row[3] in (2, 3, 5, 6)),
        ("record.client.boss.name == 'Ada'", lambda row: row[3] == 2),  # whatever a collation takes for Ada
        ("record.client.area.desk in ['retail', 'corporate']", lambda row: row[3] in (1, 2)),
        ("record.client.boss.boss.boss.id == 3", lambda row: row[3] == 3),
    ],
)
def test_what_they_hold_for(places: list[Place], text: str, papers: Any) -> None:
    expected = {row[0] for row in PAPERS if papers(row)}
    for place in places:
        scope = Scope("paper", allow=(expressions.parse(text),), attributes=USER)
        assert (
            place.found(scoping.scope_condition(scope, place.paper, place.table.columns, NOW, place.all.get))
            == expected
        )
        assert {number for number, record in RECORDS.items() if scope.allows(record, NOW)} == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("record.nobody.desk == 'a'", "no relation nobody"),
        ("record.client.colour == 'a'", "no field colour"),
        ("record.client.nobody.desk == 'a'", "no relation nobody"),
        ("record.client.paper_by_client.kind == 'a'", "leads to many records"),
        ("record.client == 'a'", "leads to a record, and names no field"),
        ("record.client.desk == 12", "is compared with 12"),
        ("record.client.desk < 'a'", "has no order"),
        ("record.client.id == record.client.desk", "of different kinds"),
        ("record.loose.desk == 'a'", "there may be several"),
        ("record.typed.desk == 'a'", "different kinds"),
        ("record.kind.length == 1", "does not name one field"),
        ("record.client[0] == 1", "does not name one field"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_words(places: list[Place], text: str, said: str) -> None:
    for place in places:
        with pytest.raises(DefinitionError, match=said):
            sql_conditions.check(expressions.parse(text), place.paper, place.all.get)


def test_a_write_looks_at_other_rows_of_its_own_table(
    places: list[Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in places:
        monkeypatch.setattr(catalogue, "current", lambda known=place.all: catalogue.Catalogue(1, {}, known))
        table = Table(place.all["client"])
        scope = Scope("client", allow=(expressions.parse("record.boss.desk == 'retail'"),), attributes=USER)
        changed = []
        for client in (1, 2, 3, 4, 5, 6):
            wanted = (table.is_key((client,)), table.in_scope_when_written((client,), scope))
            changed.append(
                place.connection.execute(
                    sa.update(table.table).where(*wanted).values({table.columns["name"]: "moved"})
                ).rowcount
            )
            place.connection.rollback()
        assert changed == [0, 1, 0, 0, 1, 0], place.paper.dialect
