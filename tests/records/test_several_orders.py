"""Lists sorted by several columns, walked forth and back over ties and nulls, against an order worked out in Python: in SQLite, PostgreSQL, MariaDB."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from console import records
from console.core.scopes import whole
from console.errors import Malformed
from console.postgres import Embedded
from console.records import connect
from tests.records.files import connected, opened
from tests.records.test_paging_sqlite import SORTABLE, TABLE, drawn, flat, forth, rank
from tests.servers.mariadb import running

pytestmark = pytest.mark.rotating


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


def test_a_column_twice_counts_once_and_too_many_or_unknown_ones_are_refused(tmp_path: Path) -> None:
    with opened(tmp_path, TABLE, rows={"thing": drawn(5)}):
        collection = records.collection("thing")
        assert records.order_of(collection, whole("thing"), "i,-i,t").text == "i,t"
        for sort in ("i,nope", "i,j", "i,d,t,b,day", "i,"):
            with pytest.raises(Malformed):
                records.page("thing", whole("thing"), sort=sort)


PAID = "create table paid (id integer primary key, amount integer, currency text)"
CHARGES = [(1, 48_000, "JPY"), (2, 30_000, "EUR"), (3, 500, "EUR"), (4, 12_500, "JPY"), (5, 20, None), (6, 31_250, "KWD")]


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
    with opened(tmp_path, PAID, rows={"paid": CHARGES}, documents={"paid": {"fields": fields, "sort": "-amount"}}):
        for limit in (1, 2, 500):
            assert flat(forth("paid", limit, sort=sort)) == keys.split()
        order = records.order_of(records.collection("paid"), whole("paid"), sort)
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
                connection.exec_driver_sql(SERVED.format(moment="timestamp" if engine.dialect.name == "postgresql" else "datetime"))
                connection.exec_driver_sql(f"insert into ordered values {', '.join(_literal(row) for row in served_rows())}")
            engine.dispose()
        yield urls
    pg.drop_database("ordered")


def _literal(row: tuple[Any, ...]) -> str:
    return "(" + ", ".join("null" if value is None else f"'{value}'" if isinstance(value, str) else str(value) for value in row) + ")"


def served_rank(row: tuple[Any, ...], name: str, place: str) -> tuple[bool, Any]:
    """What a column is sorted by: PostgreSQL has its nulls last, MariaDB first."""
    value = row[NAMES.index(name) + 1]
    filled = 0 if value is None else float(value) if name == "d" else value
    return (value is None) == (place == "postgresql"), "" if value is None and name in ("t", "day", "at") else filled


@pytest.mark.parametrize("sort", ["b,t", "-b,t", "i,-d,day", "-day,-b,at", "t,-at,-i,d"])
@pytest.mark.parametrize("place", ["postgresql", "mariadb"])
def test_servers_walk_several_orders_forth_and_back_too(servers: dict[str, str], place: str, sort: str) -> None:
    orders = sort.split(",")
    ordered = sorted(served_rows(), key=lambda row: row[0], reverse=orders[0].startswith("-"))
    for order in reversed(orders):
        ordered.sort(key=partial(served_rank, name=order.removeprefix("-"), place=place), reverse=order.startswith("-"))
    with connected(servers[place]):
        for limit in (1, 7, 500):
            assert flat(forth("ordered", limit, sort=sort)) == [str(row[0]) for row in ordered]


@pytest.mark.parametrize(
    ("collection", "sort"), [("shop.customer", "-born"), ("shop.order", "line,-select"), ("shop.keyless", "b"), ("shop.keyless", None)]
)
def test_all_records_at_once_are_those_of_the_pages_in_their_order(shops: None, collection: str, sort: str | None) -> None:
    scope = whole(collection)
    paged, after = [], None
    while True:
        page = records.page(collection, scope, sort=sort, limit=4, after=after)
        paged += page.rows
        after = page.next
        if after is None:
            break
    assert [row.values for rows in records.every(collection, scope, scope, sort=sort, size=3) for row in rows] == [
        row.values for row in paged
    ]
