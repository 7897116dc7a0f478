"""The same expression over the same rows: Python, PostgreSQL, SQLite and MariaDB answer alike, whatever is in the rows."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy.engine import Connection, make_url

from console.core import expressions
from console.core.documents.collections import Collection, Field, Stored, assemble, fields_of
from console.core.expressions import Expression, search_syntax
from console.core.expressions.functions import FUNCTIONS
from console.core.expressions.operands import date_of, moment_of, number_of, uuid_of
from console.core.expressions.search_syntax import Several, Sought, Without, Words
from console.core.filters import Test as Asked
from console.core.scopes import Scope
from console.errors import DefinitionError
from console.postgres import Embedded
from console.records import computed, connect, filter_conditions, reflect, scoping, sql_conditions
from console.records.search import sought_condition
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
MOMENTS = [None, "2026-05-31 12:30:00", "2026-05-31 00:00:00", "1999-12-31 23:59:59", "2026-06-01 00:00:01"]
UUIDS = [None, "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e", "00000000-0000-0000-0000-000000000000"]
COLUMNS = ("t", "s", "e", "n", "m", "d", "b", "day", "due", "at", "u")
POOLS = (TEXTS, TEXTS, MOODS, INTS, INTS, DECIMALS, BOOLS, DAYS, DAYS, MOMENTS, UUIDS)
DDL = {
    "postgresql": "create type feeling as enum ('open', 'closed', 'on hold'); create table thing (id int primary key, t text, s varchar(40), e feeling, n int, m bigint, d numeric(12, 2), b boolean, day date, due date, at timestamptz, u uuid)",
    "sqlite": "create table thing (id integer primary key, t text, s text collate nocase, e text, n int, m int, d numeric(12, 2), b boolean, day date, due date, at datetime, u uuid)",
    "mysql": "create table thing (id int primary key, t text, s varchar(40), e enum('open', 'closed', 'on hold'), n int, m bigint, d numeric(12, 2), b boolean, day date, due date, at datetime, u char(36)) default charset utf8mb4",
}


def _rows() -> list[tuple[Any, ...]]:
    """Every value of every pool at least twice beside others, drawn once."""
    chance = random.Random(20261120)
    rows = [tuple(pool[number % len(pool)] for pool in POOLS) for number in range(60)]
    return [*rows, *(tuple(chance.choice(pool) for pool in POOLS) for _ in range(90)), tuple(None for _ in POOLS)]


class Place:
    """One database with the rows in it, and what Python is to see of them."""

    def __init__(self, connection: Connection) -> None:
        dialect = "mysql" if connection.dialect.name == "mariadb" else connection.dialect.name
        for statement in DDL[dialect].split(";"):
            connection.exec_driver_sql(statement)
        names = ", ".join(("id", *COLUMNS))
        insert = sa.text(f"insert into thing ({names}) values ({', '.join(':' + name for name in ('id', *COLUMNS))})")
        connection.execute(insert, [dict(zip(("id", *COLUMNS), (number, *row), strict=True)) for number, row in enumerate(_rows(), 1)])
        connection.commit()
        structure = next(item for item in reflect.structures(connection) if item["table"] == "thing")
        document = {"id": "thing", "source": "x", "table": "thing", "fields": {"u": {"type": "uuid"}}}
        self.connection = connection
        self.collection: Collection = assemble([Stored("thing", "x", structure, document)])["thing"]
        self.table = Table(self.collection)
        every = ["id", *COLUMNS]
        read = connection.execute(sa.select(*(self.table.columns[name] for name in every)).order_by(self.table.columns["id"])).all()
        self.values = {row[0]: self.collection.typed(self.table.json(every, row)) for row in read}
        connection.commit()

    def found(self, condition: Any) -> set[int]:
        """Ids of the rows for which the condition holds, as the database sees it."""
        answer = {row[0] for row in self.connection.execute(sa.select(self.table.columns["id"]).where(condition))}
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
def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _of(pool: list[Any]) -> st.SearchStrategy[str]:
    return st.sampled_from(["null", *(_quoted(item) if isinstance(item, str) else str(item).lower() for item in pool if item is not None)])


TEXT = st.sampled_from(["record.t", "record.s", "record.e"])
NUMBER = st.sampled_from(["record.n", "record.m", "record.d"])
DAY = st.sampled_from(["record.day", "record.due", "record.at"])
ANY_TEXT = _of([*TEXTS, *MOODS, "on", "o", "%b", "nothing"]) | st.sampled_from(
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
LISTS = st.lists(_of(TEXTS), max_size=4).map(lambda items: f"[{', '.join(items)}]") | st.sampled_from(
    ["$currentUser.teams", "$currentUser.none", "$currentUser.missing", "$currentUser.mixed"]
)
LEAF = st.one_of(
    st.builds("{} {} {}".format, TEXT, EQUALITY, ANY_TEXT),
    st.builds("{1} {0} {2}".format, EQUALITY, ANY_TEXT, TEXT),
    st.builds("{} {} {}".format, TEXT, EQUALITY, TEXT),
    st.builds(
        "{}.{}({})".format, TEXT, st.sampled_from(["startsWith", "endsWith", "contains"]), ANY_TEXT.filter(lambda text: text != "null")
    ),
    st.builds("{} in {}".format, TEXT, LISTS),
    st.builds("{} {} {}".format, NUMBER, ORDERING, ANY_NUMBER),
    st.builds("{1} {0} {2}".format, ORDERING, ANY_NUMBER, NUMBER),
    st.builds("{} {} {}".format, NUMBER, ORDERING, NUMBER),
    st.builds("{} in [{}, {}]".format, NUMBER, ANY_NUMBER, ANY_NUMBER),
    st.builds("{} in $currentUser.mixed".format, NUMBER),
    st.builds("{} {} {}".format, DAY, ORDERING, ANY_DAY),
    st.builds("{} {} {}".format, DAY, ORDERING, DAY),
    st.builds("record.u {} {}".format, EQUALITY, _of([*UUIDS, "6F1C3CBE-3C0F-4B52-8F1E-3C0F4B528F1E"])),
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
FIXED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]


def _expected(place: Place, expression: Expression) -> set[int]:
    return {number for number, values in place.values.items() if expression.test({**ROOTS, "record": values})}


@pytest.mark.rotating
def test_every_database_reads_the_same_values(places: list[Place]) -> None:
    assert places[0].values == places[1].values == places[2].values


@settings(suppress_health_check=FIXED)
@given(text=EXPRESSION)
def test_python_and_every_database_agree(places: list[Place], text: str) -> None:
    expression = expressions.parse(text)
    for place in places:
        condition = sql_conditions.condition(expression, place.collection, place.table.columns, ROOTS)
        assert place.found(condition) == _expected(place, expression), (text, place.collection.dialect)


@settings(max_examples=40, suppress_health_check=FIXED)
@given(allow=st.lists(EXPRESSION, max_size=2), deny=st.lists(EXPRESSION, max_size=2), everything=st.booleans())
def test_scopes_agree(places: list[Place], allow: list[str], deny: list[str], everything: bool) -> None:
    made = Scope("thing", tuple(map(expressions.parse, allow)), tuple(map(expressions.parse, deny)), USER, everything=everything)
    for place in places:
        condition = scoping.scope_condition(made, place.collection, place.table.columns, NOW)
        expected = {number for number, values in place.values.items() if made.allows(values, NOW)}
        assert place.found(condition) == expected, place.collection.dialect


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("record.t == null", lambda row: row[0] is None),
        ("record.t != 'a'", lambda row: row[0] != "a"),
        ("!(record.n > 5)", lambda row: row[3] is not None and row[3] <= 5),
        ("record.t in []", lambda row: False),
        ("record.t in $currentUser.none", lambda row: False),
        ("record.t in $currentUser.missing", lambda row: False),
        ("!(record.t in $currentUser.missing)", lambda row: False),
        ("!(record.t in ['a'])", lambda row: row[0] != "a"),
        ("record.t.contains('%')", lambda row: row[0] is not None and "%" in row[0]),
        ("record.s == 'a'", lambda row: row[1] == "a"),
        ("record.e.startsWith('on')", lambda row: row[2] == "on hold"),
        ("record.e == 'nowhere'", lambda row: False),
        ("record.e != 'nowhere'", lambda row: True),
        ("record.n == 12.0", lambda row: row[3] == 12),
        ("record.day < today()", lambda row: row[7] is not None and row[7] < "2026-05-31"),
    ],
)
def test_the_rules_of_the_language(places: list[Place], text: str, rows: Any) -> None:
    wanted = {number for number, row in enumerate(_rows(), 1) if rows(row)}
    expression = expressions.parse(text)
    for place in places:
        assert (
            place.found(sql_conditions.condition(expression, place.collection, place.table.columns, ROOTS))
            == wanted
            == _expected(place, expression)
        )


@pytest.mark.parametrize(
    "text",
    [
        "record.t < 'b'",
        "record.e >= 'open'",
        "record.t < record.s",
        "record.b > false",
        "record.t == 5",
        "record.n == 'many'",
        "record.n == true",
        "record.day == 'soon'",
        "record.u == 'x'",
        "record.n == record.t",
        "record.n + 1 > 2",
        "lower(record.t) == 'a'",
        "record.t",
        "record.nowhere == 1",
        "record.t.length == 1",
        "record == null",
        "'a'.contains(record.t)",
        "record.n.contains('1')",
        "record.t.contains(5)",
        "(record.n == 1) == true",
        "record.t in 'abc'",
        "record.t in [record.s]",
        "'a' in record.t",
        "today() < now && 5",
    ],
)
def test_what_means_nothing_everywhere_is_refused_when_it_is_saved(places: list[Place], text: str) -> None:
    for place in places:
        with pytest.raises(DefinitionError) as error:
            sql_conditions.check(expressions.parse(text), place.collection)
        assert error.value.details[0]["reason"]


@pytest.mark.parametrize("name", sorted(name for name, known in FUNCTIONS.items() if known.most != 0))
def test_a_function_that_is_asked_of_a_field_is_refused_by_its_name(places: list[Place], name: str) -> None:
    known = FUNCTIONS[name]
    call = f"{name}({', '.join(['record.n', '1', '1'][: max(known.least, 1)])})"
    for place, text in itertools.product(places, (f"{call} == 1", call, f"!({call})")):
        with pytest.raises(DefinitionError) as error:
            sql_conditions.check(expressions.parse(text), place.collection)
        assert name in error.value.details[0]["reason"]


@pytest.mark.parametrize(
    "text",
    [
        "record.t == $currentUser.name",
        "record.n > $currentUser.limit",
        "record.day < today()",
        "record.e in ['open']",
        "true",
        "record.at < now",
    ],
)
def test_what_means_something_passes(places: list[Place], text: str) -> None:
    for place in places:
        sql_conditions.check(expressions.parse(text), place.collection)


def test_every_pair_of_values_is_compared_alike(places: list[Place]) -> None:
    for name, other in itertools.product(("t", "s"), TEXTS):
        expression = expressions.parse(f"record.{name} == {'null' if other is None else _quoted(other)}")
        for place in places:
            assert place.found(sql_conditions.condition(expression, place.collection, place.table.columns, ROOTS)) == _expected(
                place, expression
            )


# What a person types above the list, and what it has to find.
SOUGHT = st.recursive(
    st.sampled_from(
        [
            *(
                "a",
                "A",
                "open",
                "12",
                "12.50",
                "on hold",
                '"on hold"',
                "%",
                "_",
                "O'Neil",
                "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e",
                "nothing at all",
            ),
            *(
                "t:a",
                'T:"a"',
                "s:%",
                "e:open",
                "e:OPEN",
                "e:nowhere",
                "t:NULL",
                't:"NULL"',
                "n:12",
                "n:>0",
                "n:<=-1",
                "n:abc",
                "m:NULL",
                "d:12.5",
                "d:>=12.50",
            ),
            *(
                "b:yes",
                "b:no",
                "b:NULL",
                "day:2026",
                "day:2026-05",
                "day:>2026-05",
                "day:<2026-05-31",
                "due:<=1999",
                "due:>=2026-06",
                "at:2026-05-31",
                "at:NULL",
            ),
            *("u:00000000-0000-0000-0000-000000000000", "u:x", "nofield:a", "12:30"),
        ]
    ),
    lambda inner: st.one_of(
        inner.map(lambda text: f"-({text})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda texts: "(" + " ".join(texts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda texts: "(" + " OR ".join(texts) + ")"),
    ),
    max_leaves=6,
)


def _holds(place: Place, sought: Sought, values: dict[str, Any]) -> bool:
    """What a search means, in words of Python: over the JSON values of a row."""
    match sought:
        case Words():
            return any(_answers(place, name, values[name], sought.text) for name in values)
        case Without():
            return not _holds(place, sought.item, values)
        case Several():
            return (all if sought.kind == "and" else any)(_holds(place, item, values) for item in sought.items)
        case Asked():
            return _fits(sought, values[sought.field])
    raise AssertionError(sought)


def _answers(place: Place, name: str, value: Any, text: str) -> bool:
    if value is None or name in ("b", "day", "due", "at"):
        return False
    if name in ("t", "s") or (name == "e" and place.collection.by_name["e"].options is None):  # SQLite knows no enums
        return _lower(text) in _lower(value)
    if name in ("id", "n", "m", "d"):
        return number_of(text) is not None and number_of(value) == number_of(text)
    return bool(str(value).lower() == text.lower())


def _fits(test: Asked, value: Any) -> bool:
    if test.op == "is_null" or value is None:
        return (value is None) == (test.op == "is_null" and test.value)
    if test.op == "contains":
        return _lower(test.value) in _lower(value)
    typed: dict[str, Any] = {"n": number_of, "m": number_of, "d": number_of, "day": date_of, "due": date_of, "at": moment_of, "u": uuid_of}
    left, right = (typed.get(test.field, lambda each: each)(each) for each in (value, test.value))
    return bool({"eq": left == right, "gt": left > right, "gte": left >= right, "lt": left < right, "lte": left <= right}[test.op])


def _lower(text: str) -> str:
    return text.lower()


@settings(suppress_health_check=FIXED)
@given(text=SOUGHT)
def test_a_search_finds_the_same_everywhere(places: list[Place], text: str) -> None:
    for place in places:
        sought = search_syntax.read(text, place.collection)
        assert sought is not None
        wanted = {number for number, values in place.values.items() if _holds(place, sought, {**values, "id": number})}
        assert place.found(sought_condition(place.table, sought, frozenset())) == wanted, (text, sought, place.collection.dialect)


COMPUTED = (
    "record.n > 0", "record.t == 'a' || record.b", "!(record.d >= 12)", "record.day < record.due", "record.e in ['open', 'on hold']", "record.t.contains('a')",
    "record.u == null", "record.n == null && record.m > 0", "record.at > record.day",
)  # fmt: skip
ASKED: dict[tuple[str, Any], Any] = {
    ("eq", True): lambda value: value is True, ("eq", False): lambda value: value is False, ("ne", True): lambda value: value is not True,
    ("ne", False): lambda value: value is not False, ("is_null", True): lambda value: value is None, ("is_null", False): lambda value: value is not None,
}  # fmt: skip


@pytest.mark.parametrize("text", COMPUTED)
def test_a_computed_condition_is_filtered_by_as_it_is_shown(places: list[Place], text: str) -> None:
    for place in places:
        field = Field("c", "C", "boolean", "boolean", computed=text, inputs=frozenset(fields_of(text)))
        collection = replace(place.collection, computed_fields=(field,))
        shown = {key: computed.value(field, values) for key, values in place.values.items()}
        for (op, wanted), holds in ASKED.items():
            found = place.found(filter_conditions.filter_condition(Asked("c", op, wanted), collection, place.table.columns))
            assert found == {key for key, value in shown.items() if holds(value)}, (collection.dialect, text, op, wanted)
