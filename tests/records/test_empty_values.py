"""Stored values that mean "none": every reader, in every dialect and kind of column, agrees that there is no value, and emptying writes the mark."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from console import records
from console.core import expressions, filters
from console.core.expressions import search_syntax
from console.core.filters import Test as Asked
from console.core.scopes import unrestricted
from console.infra.postgres import Embedded
from console.records import Figure, connect, grouped, sql_question
from console.records.grouped import By
from console.records.indexes import Indexes
from tests.records.files import connected
from tests.servers.mariadb import running

pytestmark = pytest.mark.lengthy

MARKS: dict[str, dict[str, Any]] = {
    "postgresql": {
        "due": 0,
        "n": -1,
        "d": "-1.00",
        "day": "0001-01-01",
        "at": "1970-01-01 00:00:00",
        "zoned": "-infinity",
        "word": "n/a'\\",
    },
    "sqlite": {
        "due": 0,
        "n": -1,
        "d": "-1.00",
        "day": "0000-00-00",
        "at": "1970-01-01 00:00:00",
        "zoned": "",
        "word": "n/a'\\",
    },
    "mysql": {
        "due": 0,
        "n": -1,
        "d": "-1.00",
        "day": "0000-00-00",
        "at": "0000-00-00 00:00:00",
        "zoned": "1970-01-02T00:00:00Z",
        "word": "n/a'\\",
    },
}
"""What means "none" in each column, as the document says it. Of `due`, which counts seconds, nothing has to be said."""
NAMES = list(MARKS["sqlite"])
KINDS = {
    "postgresql": ("timestamp", "timestamptz"),
    "sqlite": ("datetime", "datetime"),
    "mysql": ("datetime", "datetime"),
}
TABLE = (
    "create table thing (id int primary key, due bigint not null, n int not null, d numeric(9, 2) not null, day date not null, at {} not null,"
    " zoned {} not null, word varchar(40) not null, spare date)"
)
SET = {
    "due": 1_796_000_000,
    "n": 7,
    "d": "7.50",
    "day": "2026-11-20",
    "at": "2026-11-20 09:00:00",
    "zoned": "2026-11-20 09:00:00",
    "word": "said",
}
EARLY, LATE = 1, 20
"""Every third of these records has no value in any column."""
EMPTY = {str(key) for key in range(EARLY, LATE + 1) if key % 3 == 0}
EVERY = {str(key) for key in range(EARLY, LATE + 1)}


def rows(dialect: str) -> list[dict[str, Any]]:
    spelled = {"at": "2026-11-20T09:00:00Z", "zoned": "2026-11-20T09:00:00Z"} if dialect == "sqlite" else {}
    marks = {
        name: mark.replace("T", " ").removesuffix("Z") if isinstance(mark, str) else mark
        for name, mark in MARKS[dialect].items()
    }
    return [
        {
            "id": key,
            **(marks if str(key) in EMPTY else SET | spelled),
            "spare": marks["day"] if str(key) in EMPTY else None,
        }
        for key in range(EARLY, LATE + 1)
    ]


def documents(dialect: str) -> dict[str, Any]:
    said = {name: {"empty_values": [mark]} for name, mark in MARKS[dialect].items() if name != "due"}
    return {
        "thing": {
            "fields": said
            | {"due": {"widget": "unix"}, "spare": {"empty_values": [None, MARKS[dialect]["day"]]}}
        }
    }


@pytest.fixture(scope="module", params=["postgresql", "sqlite", "mysql"])
def source(
    request: pytest.FixtureRequest, pg: Embedded, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """(dialect, address of a database with the rows)."""
    folder = tmp_path_factory.mktemp("empty")
    match request.param:
        case "postgresql":
            pg.drop_database("empties")
            pg.sql("create database empties")
            yield request.param, filled(request.param, pg.url("postgres", "empties"))
            pg.drop_database("empties")
        case "sqlite":
            Path(folder, "empty.db").touch()
            yield request.param, filled(request.param, f"sqlite:///{folder}/empty.db")
        case _:
            with running(folder) as server:
                first = connect.create(connect.address(server))
                with first.connect() as connection:
                    connection.exec_driver_sql("create or replace database empties")
                first.dispose()
                yield (
                    request.param,
                    filled(
                        request.param,
                        make_url(server).set(database="empties").render_as_string(hide_password=False),
                    ),
                )


def filled(dialect: str, url: str) -> str:
    engine = connect.create(connect.address(url))
    with engine.begin() as connection:
        connection.exec_driver_sql(TABLE.format(*KINDS[dialect]))
        connection.exec_driver_sql(
            f"create {'fulltext ' if dialect == 'mysql' else ''}index thing_word on thing (word)"
        )
        connection.exec_driver_sql("create index thing_n on thing (n)")
        names = ["id", *NAMES, "spare"]
        connection.execute(
            sa.text(
                f"insert into thing ({', '.join(names)}) values ({', '.join(':' + name for name in names)})"
            ),
            rows(dialect),
        )
    engine.dispose()
    return url


@pytest.fixture
def thing(source: tuple[str, str]) -> Iterator[str]:
    """The dialect, with the table ready to be read."""
    dialect, url = source
    with connected(url, documents(dialect)):
        yield dialect


def keys(**asked: Any) -> list[str]:
    found, after = [], None
    while True:
        page = records.page("thing", unrestricted("thing"), limit=4, after=after, **asked)
        found += [str(row.key) for row in page.rows]
        if (after := page.next) is None:
            return found


def raw(url: str, key: int) -> dict[str, Any]:
    """What the database itself says."""
    engine = connect.create(connect.address(url))
    with engine.connect() as connection:
        row = connection.execute(
            sa.text(f"select {', '.join(NAMES)}, spare from thing where id = :key"), {"key": key}
        ).one()
    engine.dispose()
    return {name: None if value is None else str(value) for name, value in row._mapping.items()}


def test_no_reader_sees_a_value(thing: str) -> None:
    for row in records.page("thing", unrestricted("thing"), limit=50).rows:
        assert {row.values[name] is None for name in NAMES} == {row.key in EMPTY}, row.values
        assert row.values["spare"] is None


@pytest.mark.parametrize("name", NAMES)
def test_filters_search_and_conditions_agree(thing: str, name: str) -> None:
    collection = records.collection("thing")
    assert {*keys(where=Asked(name, "is_null", True))} == EMPTY
    assert {*keys(where=Asked(name, "is_null", False))} == EVERY - EMPTY
    assert {*keys(where=Asked(name, "eq", None))} == EMPTY
    assert {*keys(q=search_syntax.read(f"{name}:NULL", collection))} == EMPTY
    for text, wanted in ((f"record.{name} == null", EMPTY), (f"record.{name} != null", EVERY - EMPTY)):
        assert {*keys(segment=expressions.parse(text))} == wanted
    value = records.page("thing", unrestricted("thing"), limit=1).rows[0].values[name]
    assert {*keys(where=Asked(name, "eq", value))} == EVERY - EMPTY
    assert {*keys(where=Asked(name, "in", [value]))} == EVERY - EMPTY
    assert {*keys(where=Asked(name, "ne", value))} == EMPTY
    if collection.by_name[name].comparable:
        if name in ("due", "day", "at", "zoned"):
            assert {*keys(q=search_syntax.read(f"{name}:<2027", collection))} == EVERY - EMPTY
        later = {
            "date": "9000-01-01",
            "datetime": "9000-01-01T00:00:00Z",
            "integer": 4_000_000_000,
            "decimal": "5000",
        }[collection.by_name[name].stored]
        below = filters.read({"field": name, "op": "lt", "value": later}, collection, frozenset())
        assert {*keys(where=below)} == EVERY - EMPTY
        assert (
            keys(where=filters.read({"field": name, "op": "gt", "value": later}, collection, frozenset()))
            == []
        )


@pytest.mark.parametrize("large", [False, True])
def test_words_are_not_found_in_what_means_none(thing: str, large: bool) -> None:
    with patch.object(Indexes, "large", property(lambda _: large)):
        assert {*keys(q="said")} == {*keys(q="7")} == EVERY - EMPTY
        assert keys(q="n/a") == keys(q="-1") == []


@pytest.mark.parametrize("name", NAMES)
def test_lists_are_sorted_as_if_the_column_were_null(thing: str, name: str) -> None:
    for sort, last in (
        (name, thing == "postgresql"),
        (f"-{name}", thing != "postgresql"),
        (f"{name},-id", thing == "postgresql"),
    ):
        found = keys(sort=sort)
        assert {*found} == EVERY
        assert {*(found[-len(EMPTY) :] if last else found[: len(EMPTY)])} == EMPTY, sort


@pytest.mark.parametrize("name", NAMES)
def test_figures_and_charts_leave_them_out(thing: str, name: str) -> None:
    scope, field = unrestricted("thing"), records.collection("thing").by_name[name]
    counted = records.value_counts("thing", scope, name).counts
    assert sorted(number for _, number in counted) == [len(EMPTY), len(EVERY - EMPTY)]
    assert dict(counted)[None] == len(EMPTY)
    if field.comparable:
        least = (
            grouped.grouped("thing", scope, measure="lowest", field=name)[0].value
            if field.stored in ("integer", "decimal")
            else None
        )
        assert least is None or float(least) > 0
    if name in ("due", "day", "at", "zoned"):
        days = grouped.grouped("thing", scope, measure="count", by=[By(name, "day")])
        assert {each.keys[0]: each.value for each in days}[None] == len(EMPTY)
        assert len(days) == 2
    if field.comparable:
        assert records.totals("thing", scope, [Figure("most", "max", name)])["most"] is not None


def test_a_question_in_sql_sees_nothing_either(thing: str) -> None:
    for name in [*NAMES, "spare"]:
        found = sql_question.ask(
            "file",
            f"select count(*) from thing where {name} is null",
            lambda collection: unrestricted(collection.id),
        )
        assert found.rows == ((len(EMPTY) if name != "spare" else len(EVERY),),)


def test_emptying_writes_the_mark_and_nothing_that_nobody_changed(
    source: tuple[str, str], thing: str
) -> None:
    """The record's values as they are read are what the log gets; the database holds what its own program expects."""
    _, url = source
    empty, full = raw(url, 3), raw(url, 4)
    made = records.write(
        "thing", "4", {name: {"new": None} for name in [*NAMES, "spare"]}, unrestricted("thing")
    )
    assert {made.values[name] for name in [*NAMES, "spare"]} == {None}
    assert raw(url, 4) == empty | {"spare": None}, "null stands first for the last one"
    made = records.write(
        "thing",
        "4",
        {name: {"old": None, "new": value} for name, value in read_of("5").items()},
        unrestricted("thing"),
    )
    assert {name: made.values[name] for name in NAMES} == read_of("5")
    assert raw(url, 4) == full
    records.write("thing", "3", {name: {"new": None} for name in [*NAMES, "spare"]}, unrestricted("thing"))
    records.write(
        "thing",
        "3",
        {"n": {"old": None, "new": -1}, "word": {"new": MARKS[thing]["word"]}},
        unrestricted("thing"),
    )
    assert raw(url, 3) == empty, "a mark that somebody types is no change either"
    added = records.insert("thing", {"id": 90, **dict.fromkeys(NAMES)}, unrestricted("thing"))
    assert {added.values[name] for name in NAMES} == {None}
    assert raw(url, 90) == empty | {"spare": None}
    engine = connect.create(connect.address(url))
    with engine.begin() as connection:
        connection.exec_driver_sql("delete from thing where id = 90")
    engine.dispose()


def read_of(key: str) -> dict[str, Any]:
    found = records.get("thing", key, unrestricted("thing")).values
    return {name: found[name] for name in NAMES}
