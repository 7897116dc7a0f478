"""Lists sorted by several columns, walked forth and back over ties and nulls, against an order worked out in Python: in SQLite, PostgreSQL, MariaDB."""

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from console import records
from console.core import expressions, filter_expressions, filters
from console.core.documents.collections import condition_rows
from console.core.errors import Malformed
from console.core.expressions import search_syntax
from console.core.scopes import Scope, unrestricted
from console.infra.postgres import Embedded
from console.records import connect, titled_orders
from tests.records.files import connected, opened, write
from tests.records.test_paging_sqlite import SORTABLE, TABLE, drawn, flat, forth, rank
from tests.servers.mariadb import running

pytestmark = pytest.mark.slow


def expected(rows: list[tuple[Any, ...]], sort: str) -> list[str]:
    """Keys in the order of these columns; ties by the key in the direction of the first."""
    orders = sort.split(",")
    ordered = sorted(rows, key=lambda row: row[0], reverse=orders[0].startswith("-"))
    for order in reversed(orders):
        place = SORTABLE.index(order.removeprefix("-")) + 1
        ordered.sort(key=lambda row, place=place: rank(row[place]), reverse=order.startswith("-"))  # type: ignore[misc]
    return [str(row[0]) for row in ordered]


@pytest.mark.parametrize("sort", ["b,t", "-b,t", "b,-i,day", "-day,-b", "i,-t,at,-clock"])
def test_each_page_goes_on_where_the_one_before_ended(tmp_path: Path, sort: str) -> None:
    rows = drawn(60)
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        for limit in (1, 7, 500):
            assert flat(forth("thing", limit, sort=sort)) == expected(rows, sort)


PAID = "create table paid (id integer primary key, amount integer, currency text)"
CHARGES = [
    (1, 48_000, "JPY"),
    (2, 30_000, "EUR"),
    (3, 500, "EUR"),
    (4, 12_500, "JPY"),
    (5, 20, None),
    (6, 31_250, "KWD"),
]


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("-amount", "5 2 3 1 4 6"),
        ("amount", "5 3 2 4 1 6"),
        ("-currency,-amount", "6 1 4 2 3 5"),
        (None, "5 2 3 1 4 6"),
        ("id", "1 2 3 4 5 6"),
    ],
)
def test_amounts_are_sorted_within_each_currency(tmp_path: Path, sort: str | None, keys: str) -> None:
    """48,000 yen are less than 300 euros: what is stored beside each other says nothing."""
    fields = {"amount": {"widget": "money", "currency": "currency", "minor": True}}
    with opened(
        tmp_path, PAID, rows={"paid": CHARGES}, documents={"paid": {"fields": fields, "sort": "-amount"}}
    ):
        for limit in (1, 2, 500):
            assert flat(forth("paid", limit, sort=sort)) == keys.split()
        order = records.order_of(records.collection("paid"), unrestricted("paid"), sort)
        assert order.asked == (sort or "-amount"), "a page says what was asked for"


POOLS: dict[str, list[Any]] = {
    "i": [None, -5, 0, 7],
    "d": [None, "-3.25", "0.00", "12.50"],
    "t": [None, "", "a", "b", "c"],
    "b": [None, False, True],
    "day": [None, "1999-12-31", "2026-01-31"],
    "at": [None, "1999-12-31 23:59:59", "2026-01-31 10:00:00", "2026-01-31 10:00:01"],
}
NAMES = list(POOLS)
SERVED = "create table ordered (id int primary key, i bigint, d numeric(10, 2), t varchar(40), b boolean, day date, at {moment})"


def served_rows() -> list[tuple[Any, ...]]:
    """Rows of the table `ordered`, in which every column has ties and nulls."""
    chance = random.Random(20261121)
    return [(number, *(chance.choice(pool) for pool in POOLS.values())) for number in range(1, 61)]


@pytest.fixture(scope="module")
def servers(pg: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Addresses of a PostgreSQL and a MariaDB database with the rows."""
    folder = tmp_path_factory.mktemp("ordered")
    pg.drop_database("ordered")
    pg.sql("create database ordered")
    with running(folder) as server:
        first = connect.create(connect.address(server))
        with first.connect() as connection:
            connection.exec_driver_sql("create database ordered character set utf8mb4")
        first.dispose()
        urls = {
            "postgresql": pg.url("postgres", "ordered"),
            "mariadb": make_url(server).set(database="ordered").render_as_string(hide_password=False),
        }
        for url in urls.values():
            engine = connect.create(connect.address(url))
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    SERVED.format(moment="timestamp" if engine.dialect.name == "postgresql" else "datetime")
                )
                connection.exec_driver_sql(
                    f"insert into ordered values {', '.join(_literal(row) for row in served_rows())}"
                )
            engine.dispose()
        yield urls
    pg.drop_database("ordered")


def _literal(row: tuple[Any, ...]) -> str:
    return (
        "("
        + ", ".join(
            "null" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
            for value in row
        )
        + ")"
    )


def served_rank(row: tuple[Any, ...], name: str, place: str) -> tuple[bool, Any]:
    """What a column is sorted by: PostgreSQL has its nulls last, MariaDB first."""
    value = row[NAMES.index(name) + 1]
    filled = 0 if value is None else float(value) if name == "d" else value
    return (value is None) == (place == "postgresql"), "" if value is None and name in (
        "t",
        "day",
        "at",
    ) else filled


@pytest.mark.parametrize("sort", ["b,t", "-b,t", "i,-d,day", "-day,-b,at", "t,-at,-i,d"])
@pytest.mark.parametrize("place", ["postgresql", "mariadb"])
def test_servers_walk_several_orders_forth_and_back_too(
    servers: dict[str, str], place: str, sort: str
) -> None:
    orders = sort.split(",")
    ordered = sorted(served_rows(), key=lambda row: row[0], reverse=orders[0].startswith("-"))
    for order in reversed(orders):
        ordered.sort(
            key=partial(served_rank, name=order.removeprefix("-"), place=place), reverse=order.startswith("-")
        )
    with connected(servers[place]):
        for limit in (1, 7, 500):
            assert flat(forth("ordered", limit, sort=sort)) == [str(row[0]) for row in ordered]


LED = """
create table person (id int primary key, first varchar(40), last varchar(40) not null);
create table job (id int primary key, person_id int, state varchar(10), foreign key (person_id) references person (id))
"""
PEOPLE = [
    (1, "Zoe", "Abbot"),
    (2, "Anna", "Young"),
    (3, None, "Moss"),
    (4, "Anna", "Young"),
    (5, "Zoe", "Abbot"),
]
JOBS = [(number, (None, 5, 1, 4, 2, 3)[number % 6], "ab"[number % 2]) for number in range(1, 41)]
NAMED = {"person": {"title": "{{ record.first }} {{ record.last }}"}}


def by_name(place: str, seen: tuple[int, ...] = (1, 2, 3, 4, 5), *, down: bool) -> list[str]:
    """Keys of the jobs by the name of their person, as far as it is seen; none are last in PostgreSQL and first elsewhere, the other way downwards."""
    names = {key: f"{first or ''} {last}".strip() for key, first, last in PEOPLE if key in seen}
    last = place == "postgresql"
    ordered = sorted(
        JOBS,
        key=lambda job: ((job[1] not in names) == last, names.get(job[1] or 0, ""), job[0]),
        reverse=down,
    )
    return [str(job[0]) for job in ordered]


@pytest.mark.parametrize("place", ["sqlite", "postgresql", "mariadb"])
def test_a_reference_is_sorted_by_the_title_that_people_read(
    tmp_path: Path, servers: dict[str, str], place: str
) -> None:
    url = servers.get(place) or write(tmp_path, "")
    engine = connect.create(connect.address(url))
    with engine.begin() as connection:
        for line in ("drop table if exists job", "drop table if exists person", *LED.split(";")):
            connection.exec_driver_sql(line)
        for table, many in (("person", PEOPLE), ("job", JOBS)):
            connection.exec_driver_sql(
                f"insert into {table} values {', '.join(_literal(row) for row in many)}"
            )
    engine.dispose()
    with connected(url, NAMED):
        for limit in (1, 7, 500):
            assert flat(forth("job", limit, sort="person_id.title")) == by_name(place, down=False)
            assert flat(forth("job", limit, sort="-person_id.title")) == by_name(place, down=True)
        by_state = sorted(by_name(place, down=True), key=lambda key: JOBS[int(key) - 1][2], reverse=True)
        assert flat(forth("job", 3, sort="-state,-person_id.title")) == by_state
        every = records.every(
            "job", unrestricted("job"), unrestricted("job"), sort="-person_id.title", size=7
        )
        assert [row.key for rows in every for row in rows] == by_name(place, down=True)
        hidden = partial(Scope, everything=True, hidden=frozenset({"last"}))
        for more in ({"elsewhere": Scope}, {"hidden": frozenset({"person_id"})}, {"elsewhere": hidden}):
            scope = replace(unrestricted("job"), **more)
            assert not titled_orders.by_title(
                records.collection("job"), scope, records.collection("job").fields
            ), "an order would tell what its reader may not see"
            with pytest.raises(Malformed):
                records.page("job", scope, sort="person_id.title")
        scope = replace(
            unrestricted("job"),
            elsewhere=partial(Scope, allow=(expressions.parse("record.last == 'Young'"),)),
        )
        found = [row.key for row in records.page("job", scope, sort="-person_id.title").rows]
        assert found == by_name(place, (2, 4), down=True), "whom its reader does not see sorts as nobody"


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ((">=", "125"), "1 2 4"),
        (("<", "125"), "3 6"),
        (("==", "31.250"), "6"),
        (("!=", "300"), "1 3 4 6"),
    ],
)
def test_an_amount_is_compared_in_the_currency_of_each_record(
    tmp_path: Path, typed: tuple[str, str], keys: str
) -> None:
    """12,500 yen, 125 euros and 125 dinars are stored as 12500, 12500 and 125000; what has no currency is not compared."""
    fields = {"amount": {"widget": "money", "currency": "currency", "minor": True}}
    with opened(tmp_path, PAID, rows={"paid": CHARGES}, documents={"paid": {"fields": fields}}):
        known = {field.name: field for field in records.collection("paid").stored_fields}
        condition = expressions.parse(
            condition_rows.text_of(condition_rows.ConditionRow("amount", *typed), known)
        )
        found = {
            str(row.key)
            for row in records.page(
                "paid", replace(unrestricted("paid"), everything=False, allow=(condition,))
            ).rows
        }
        assert found == set(keys.split())
        rows = {str(row[0]): {"amount": row[1], "currency": row[2]} for row in CHARGES}
        assert found == {key for key, record in rows.items() if condition.test({"record": record})}, (
            "as a single record is judged"
        )


@pytest.mark.parametrize(
    ("op", "amount", "keys"),
    [
        ("gte", "125", "1 2 4"),
        ("lt", 125, "3 6"),
        ("gt", "12499.5", "1 4"),
        ("eq", "31.250", "6"),
        ("in", ["31.25", "300"], "2 6"),
    ],
)
def test_a_list_is_filtered_by_amounts_in_the_currency_of_each_record(
    tmp_path: Path, op: str, amount: object, keys: str
) -> None:
    """The same from the filter's sheet, as a word of the search, and as the expression of a segment that is made of it."""
    fields = {"amount": {"widget": "money", "currency": "currency", "minor": True}}
    with opened(tmp_path, PAID, rows={"paid": CHARGES}, documents={"paid": {"fields": fields}}):
        paid = records.collection("paid")
        given = filters.read({"field": "amount", "op": op, "value": {"whole": amount}}, paid)
        assert filters.read(given.to_json(), paid) == given
        everything = {"1", "2", "3", "4", "5", "6"}
        found = {str(row.key) for row in records.page("paid", unrestricted("paid"), where=given).rows}
        assert found == set(keys.split()) < everything
        if amount != "12499.5":  # an expression rounds to the smallest unit
            said = expressions.parse(filter_expressions.expression_of(given, paid))
            assert found == {
                str(row[0])
                for row in CHARGES
                if said.test({"record": {"amount": row[1], "currency": row[2]}})
            }
        if op == "gte":
            sought = search_syntax.read(
                "amount>=125", paid, frozenset(), lambda _: None, "UTC", kept=lambda _, text: text
            )
            assert found == {
                str(row.key) for row in records.page("paid", unrestricted("paid"), q=sought).rows
            }
            with pytest.raises(Malformed):
                filters.read(given.to_json(), paid, frozenset({"currency"}))
