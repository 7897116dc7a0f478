"""The same rows in PostgreSQL, SQLite and MariaDB, and expressions over them as Hypothesis draws them."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, make_url

from console.core.documents.collections import Collection, Stored, assemble
from console.infra.postgres import Embedded
from console.records import connect, reflect
from console.records.sql_tables import Table
from tests.servers.mariadb import running

NOW = datetime(2026, 5, 31, 12, 30, tzinfo=UTC)
TEXTS = [
    None,
    "",
    "a",
    "A",
    "ä",
    "Ä",
    "e\u0301",
    "é",
    "a%",
    "%",
    "_",
    "a_b",
    "O'Neil",
    '"',
    "\\",
    "a\\%",
    " a",
    "a ",
    "12",
    "12.50",
    "null",
    "😀",
    "ß",
    "ss",
    "line\nbreak",
]
MOODS = [None, "open", "closed", "on hold"]
INTS = [None, 0, 1, -1, 12, 32767, -32768]
DECIMALS = [None, "0.00", "12.50", "-3.25", "1000000.00", "12.00"]
BOOLS = [None, True, False]
DAYS = [None, "2026-05-31", "2026-05-30", "1999-12-31", "2026-06-01"]
MIDNIGHTS = [
    None,
    "2026-05-31 00:00:00",
    "2026-05-31 14:30:00",
    "2026-05-30 00:00:00",
    "1999-12-31 00:00:00",
    "2026-06-01 00:00:00",
]
"""Of a column taken for days after a sample, with one moment that came later."""
MOMENTS = [None, "2026-05-31 12:30:00", "2026-05-31 00:00:00", "1999-12-31 23:59:59", "2026-06-01 00:00:01"]
UUIDS = [None, "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e", "00000000-0000-0000-0000-000000000000"]
COLUMNS = ("t", "s", "e", "n", "m", "d", "b", "day", "due", "at", "u")
POOLS = (TEXTS, TEXTS, MOODS, INTS, INTS, DECIMALS, BOOLS, DAYS, MIDNIGHTS, MOMENTS, UUIDS)
DDL = {
    "postgresql": "create type feeling as enum ('open', 'closed', 'on hold'); create table thing (id int primary key, t text, s varchar(40), e feeling, n int, m bigint, d numeric(12, 2), b boolean, day date, due timestamp, at timestamptz, u uuid)",
    "sqlite": "create table thing (id integer primary key, t text, s text collate nocase, e text, n int, m int, d numeric(12, 2), b boolean, day date, due datetime, at datetime, u uuid)",
    "mysql": "create table thing (id int primary key, t text, s varchar(40), e enum('open', 'closed', 'on hold'), n int, m bigint, d numeric(12, 2), b boolean, day date, due datetime, at datetime, u char(36)) default charset utf8mb4",
}


def drawn_rows() -> list[tuple[Any, ...]]:
    """Every value of every pool at least twice beside others, drawn once."""
    chance = random.Random(20261120)
    rows = [tuple(pool[number % len(pool)] for pool in POOLS) for number in range(60)]
    return [
        *rows,
        *(tuple(chance.choice(pool) for pool in POOLS) for _ in range(90)),
        tuple(None for _ in POOLS),
    ]


class Place:
    """One database with the rows in it, and what Python is to see of them."""

    def __init__(self, connection: Connection) -> None:
        dialect = "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
        for statement in DDL[dialect].split(";"):
            connection.exec_driver_sql(statement)
        names = ", ".join(("id", *COLUMNS))
        insert = sa.text(
            f"insert into thing ({names}) values ({', '.join(':' + name for name in ('id', *COLUMNS))})"
        )
        connection.execute(
            insert,
            [
                dict(zip(("id", *COLUMNS), (number, *row), strict=True))
                for number, row in enumerate(drawn_rows(), 1)
            ],
        )
        connection.commit()
        structure = next(item for item in reflect.structures(connection) if item["table"] == "thing")
        next(column for column in structure["columns"] if column["name"] == "due")["form"] = "days"
        document = {"id": "thing", "source": "x", "table": "thing", "fields": {"u": {"type": "uuid"}}}
        self.connection = connection
        self.collection: Collection = assemble([Stored("thing", "x", structure, document)])["thing"]
        self.table = Table(self.collection)
        every = ["id", *COLUMNS]
        read = connection.execute(
            sa.select(*(self.table.columns[name] for name in every)).order_by(self.table.columns["id"])
        ).all()
        self.values = {row[0]: self.collection.typed(self.table.json(every, row)) for row in read}
        connection.commit()

    def found(self, condition: Any) -> set[int]:
        """Ids of the rows for which the condition holds, as the database sees it."""
        answer = {
            row[0] for row in self.connection.execute(sa.select(self.table.columns["id"]).where(condition))
        }
        self.connection.commit()
        return answer


@pytest.fixture(scope="module")
def places(pg: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Place]]:
    """PostgreSQL, SQLite and MariaDB, each with the rows."""
    folder = tmp_path_factory.mktemp("agree")
    pg.drop_database("agree")
    pg.sql("create database agree")
    Path(folder, "agree.db").touch()
    with running(folder) as server:
        first = connect.create(connect.address(server))
        with first.connect() as connection:
            connection.exec_driver_sql("create database agree character set utf8mb4")
        first.dispose()
        urls = [
            pg.url("postgres", "agree"),
            f"sqlite:///{folder}/agree.db",
            make_url(server).set(database="agree").render_as_string(hide_password=False),
        ]
        engines = [connect.create(connect.address(url)) for url in urls]
        connections = [engine.connect() for engine in engines]
        yield [Place(connection) for connection in connections]
        for connection, engine in zip(connections, engines, strict=True):
            connection.close()
            engine.dispose()
    pg.drop_database("agree")


# What an expression may be made of, per kind of column.
def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def one_of(pool: list[Any]) -> st.SearchStrategy[str]:
    return st.sampled_from(
        [
            "null",
            *(
                quoted(item) if isinstance(item, str) else str(item).lower()
                for item in pool
                if item is not None
            ),
        ]
    )


TEXT = st.sampled_from(["record.t", "record.s", "record.e"])
NUMBER = st.sampled_from(["record.n", "record.m", "record.d"])
DAY = st.sampled_from(["record.day", "record.due", "record.at"])
ANY_TEXT = one_of([*TEXTS, *MOODS, "on", "o", "%b", "nothing"]) | st.sampled_from(
    ["$currentUser.name", "$currentUser.missing", "$currentUser.nul", "lower($currentUser.name)"]
)
ANY_NUMBER = st.sampled_from(
    [
        "0",
        "1",
        "12",
        "12.5",
        "-3.25",
        "99999999999999999999",
        "0.001",
        "null",
        "$currentUser.limit",
        "$currentUser.missing",
        "2 * 6",
        "round_half_up('12.499', 2)",
        "round_half_up('-3.245', 2)",
        "sum([12, '0.5'])",
        "sum($currentUser.none)",
        "max(1, $currentUser.limit)",
        "min([])",
        "minor('0.12', 2)",
        "minor($currentUser.limit, 2) / 100",
        "lookup($currentUser.points, 'high')",
        "lookup($currentUser.points, 'none')",
        "similarity('a', 'a')",
        "12 * similarity($currentUser.name, 'ä')",
        "size($currentUser.teams)",
    ]
)
ANY_DAY = st.sampled_from(
    [
        "today()",
        "now",
        "addDays(today(), -1)",
        '"2026-05-31"',
        '"2026-05-31T12:30:00Z"',
        "null",
        "$currentUser.since",
        "addMonths(today(), -317)",
        "addMonths('2026-03-31', 2)",
        "addDays(now, 0)",
        "addDays('1999-12-31T23:59:59Z', '9648.0')",
        "max(today(), '1999-12-31')",
        "now - hours('12.5')",
        "date(now)",
    ]
)
EQUALITY = st.sampled_from(["==", "!="])
ORDERING = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
LISTS = st.lists(one_of(TEXTS), max_size=4).map(lambda items: f"[{', '.join(items)}]") | st.sampled_from(
    ["$currentUser.teams", "$currentUser.none", "$currentUser.missing", "$currentUser.mixed"]
)
LEAF = st.one_of(
    st.builds("{} {} {}".format, TEXT, EQUALITY, ANY_TEXT),
    st.builds("{1} {0} {2}".format, EQUALITY, ANY_TEXT, TEXT),
    st.builds("{} {} {}".format, TEXT, EQUALITY, TEXT),
    st.builds(
        "{}.{}({})".format,
        TEXT,
        st.sampled_from(["startsWith", "endsWith", "contains"]),
        ANY_TEXT.filter(lambda text: text != "null"),
    ),
    st.builds("{} in {}".format, TEXT, LISTS),
    st.builds("{} {} {}".format, NUMBER, ORDERING, ANY_NUMBER),
    st.builds("{1} {0} {2}".format, ORDERING, ANY_NUMBER, NUMBER),
    st.builds("{} {} {}".format, NUMBER, ORDERING, NUMBER),
    st.builds("{} in [{}, {}]".format, NUMBER, ANY_NUMBER, ANY_NUMBER),
    st.builds("{} in $currentUser.mixed".format, NUMBER),
    st.builds("{} {} {}".format, DAY, ORDERING, ANY_DAY),
    st.builds("{} {} {}".format, DAY, ORDERING, DAY),
    st.builds("record.u {} {}".format, EQUALITY, one_of([*UUIDS, "6F1C3CBE-3C0F-4B52-8F1E-3C0F4B528F1E"])),
    st.sampled_from(
        [
            "record.b",
            "record.b == true",
            "record.b != false",
            "record.b == null",
            "true",
            "false",
            "$currentUser.missing",
            "$currentUser.name == 'ä'",
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
    max_leaves=6,
)
USER = {
    "name": "ä",
    "teams": ["a", "A ", "on hold", "%"],
    "none": [],
    "mixed": ["a", None, True, "12.50"],
    "limit": "12.50",
    "since": "2026-05-31",
    "nul": "a\x00b",
    "points": {"high": 12, "low": "12.50"},
}
ROOTS = {"currentUser": USER, "now": NOW}
