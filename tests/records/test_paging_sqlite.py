"""Lists of SQLite walked forth and back for every sortable type, over ties and nulls, against an order worked out in Python."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from console import records
from console.core import expressions
from console.core.scopes import Scope, unrestricted
from console.records import catalogue
from tests.records.files import opened

pytestmark = pytest.mark.slow

Row = tuple[Any, ...]
TABLE = """
create table thing (
    id integer primary key, i integer, d numeric(10, 2), t text, b boolean, day date, at datetime, clock time, u uuid, j json, raw blob
);
create table pair (x text, y integer, t text, primary key (y, x));
create table keyless (i integer, t text);
"""
DOCUMENTS = {"thing": {"segments": [{"id": "ticked", "label": "Ticked", "filter": "record.b"}]}}
POOLS: dict[str, list[Any]] = {
    "i": [None, -(2**63), -1, 0, 1, 2**63 - 1],
    "d": [None, -3, 0, 0.1, 12.5, 1e15],
    "t": [None, "", " ", "A", "a", "ä", "a\x01", "aa", "😀", "Z", "שלום"],
    "b": [None, 0, 1],
    "day": [None, "0001-01-01", "2026-01-31", "9999-12-31"],
    "at": [None, "2026-01-31 10:00:00", "2026-01-31 10:00:00.5", "1999-12-31 23:59:59"],
    "clock": [None, "00:00", "09:00", "23:59:59.999999"],
    "u": [None, "00000000-0000-0000-0000-000000000000", "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"],
}
SORTABLE = list(POOLS)


def drawn(many: int, seed: int = 20261120) -> list[Row]:
    """Rows of `thing` with every value of every pool several times, in no order."""
    chance = random.Random(seed)
    rows = [
        (number, *(chance.choice(pool) for pool in POOLS.values()), "{}", None)
        for number in range(1, many + 1)
    ]
    chance.shuffle(rows)
    return rows


def rank(value: Any) -> Any:
    """SQLite's order: nulls first, texts by their bytes."""
    return (value is not None, value.encode() if isinstance(value, str) else 0 if value is None else value)


def expected(rows: list[Row], column: int | None, *, descending: bool) -> list[str]:
    """Keys in the order of that column, ties by the key in the same direction."""
    ordered = sorted(
        rows,
        key=lambda row: (*((rank(row[column]),) if column is not None else ()), row[0]),
        reverse=descending,
    )
    return [str(row[0]) for row in ordered]


def forth(table: str, limit: int, **asked: Any) -> list[list[str | None]]:
    """Keys of each page of the list, by `next` to the end; the way back by `previous` is asserted to be the same."""
    pages: list[list[str | None]] = []
    found = records.page(table, unrestricted(table), limit=limit, **asked)
    while True:
        pages.append([row.key for row in found.rows])
        assert len(pages) < 1_000, "the list does not end"
        if found.next is None:
            break
        found = records.page(table, unrestricted(table), limit=limit, after=found.next, **asked)
    back = [pages[-1]]
    while found.previous is not None:
        found = records.page(table, unrestricted(table), limit=limit, before=found.previous, **asked)
        back.insert(0, [row.key for row in found.rows])
    assert [key for page in back for key in page] == [key for page in pages for key in page]
    return pages


def flat(pages: list[list[str | None]]) -> list[str | None]:
    return [key for page in pages for key in page]


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("name", SORTABLE)
def test_each_sortable_type_forth_and_back_over_ties_and_nulls(
    tmp_path: Path, name: str, *, descending: bool
) -> None:
    rows = drawn(47)
    sort = f"-{name}" if descending else name
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        wanted = expected(rows, SORTABLE.index(name) + 1, descending=descending)
        for limit in (1, 5, 46, 47, 48, 500):
            pages = forth("thing", limit, sort=sort)
            assert flat(pages) == wanted
            assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


def change(sql: str, *values: Any) -> None:
    """Another program writes into the same file."""
    with sqlite3.connect(catalogue.current().sources["file"].url.removeprefix("sqlite:///")) as connection:
        connection.execute(sql, values)
    connection.close()


# ---------------------------------------------------------------------------------------- filters, segments and scopes


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One file with many rows for tests that change nothing."""
    rows = drawn(120)
    with opened(tmp_path_factory.mktemp("things"), TABLE, DOCUMENTS, rows={"thing": rows}) as found:
        yield found["thing"], rows


@pytest.mark.parametrize(
    ("scope", "keeps"),
    [
        (unrestricted("thing"), lambda row: True),
        (Scope("thing"), lambda row: False),
        (Scope("thing", allow=(expressions.parse("record.b"),)), lambda row: row[4] == 1),
        (
            Scope("thing", allow=(expressions.parse("record.i == 0"), expressions.parse("record.t == 'a'"))),
            lambda row: row[1] == 0 or row[3] == "a",
        ),
        (Scope("thing", everything=True, deny=(expressions.parse("record.b"),)), lambda row: row[4] == 0),
        (
            Scope(
                "thing", allow=(expressions.parse("record.t == $currentUser.team"),), attributes={"team": "Z"}
            ),
            lambda row: row[3] == "Z",
        ),
        (Scope("thing", allow=(expressions.parse("record.t == $currentUser.team"),)), lambda row: False),
    ],
    ids=[
        "all",
        "none",
        "one rule",
        "two rules",
        "a denial of the unknown too",
        "by the reader",
        "an unknown reader",
    ],
)
def test_a_scope_is_part_of_each_page(things: Any, scope: Scope, keeps: Callable[[Row], bool]) -> None:
    _, rows = things
    wanted = expected([row for row in rows if keeps(row)], None, descending=False)
    assert [row.key for row in records.page("thing", scope, limit=500).rows] == wanted
    assert records.count("thing", scope) == len(wanted)


cells = st.tuples(*(st.sampled_from(pool) for pool in POOLS.values()))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    many=st.lists(cells, max_size=25),
    name=st.sampled_from(SORTABLE),
    descending=st.booleans(),
    limit=st.integers(1, 9),
)
def test_any_rows_in_any_order_by_any_page(
    tmp_path: Path, many: list[Row], name: str, *, descending: bool, limit: int
) -> None:
    rows: list[Row] = [(number, *row, "{}", None) for number, row in enumerate(many, 1)]
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        wanted = expected(rows, SORTABLE.index(name) + 1, descending=descending)
        assert flat(forth("thing", limit, sort=f"-{name}" if descending else name)) == wanted
