"""Lists of SQLite walked forth and back for every sortable type, over ties and nulls, against an order worked out in Python."""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from console import records
from console.core import expressions, filters
from console.core.scopes import Scope, whole
from console.errors import Malformed
from console.records import catalogue
from tests.records.files import opened

pytestmark = pytest.mark.rotating

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
    rows = [(number, *(chance.choice(pool) for pool in POOLS.values()), "{}", None) for number in range(1, many + 1)]
    chance.shuffle(rows)
    return rows


def rank(value: Any) -> Any:
    """SQLite's order: nulls first, texts by their bytes."""
    return (value is not None, value.encode() if isinstance(value, str) else 0 if value is None else value)


def expected(rows: list[Row], column: int | None, *, descending: bool) -> list[str]:
    """Keys in the order of that column, ties by the key in the same direction."""
    ordered = sorted(rows, key=lambda row: (*((rank(row[column]),) if column is not None else ()), row[0]), reverse=descending)
    return [str(row[0]) for row in ordered]


def forth(table: str, limit: int, **asked: Any) -> list[list[str | None]]:
    """Keys of each page of the list, by `next` to the end; the way back by `previous` is asserted to be the same."""
    pages: list[list[str | None]] = []
    found = records.page(table, whole(table), limit=limit, **asked)
    while True:
        pages.append([row.key for row in found.rows])
        assert len(pages) < 1_000, "the list does not end"
        if found.next is None:
            break
        found = records.page(table, whole(table), limit=limit, after=found.next, **asked)
    back = [pages[-1]]
    while found.previous is not None:
        found = records.page(table, whole(table), limit=limit, before=found.previous, **asked)
        back.insert(0, [row.key for row in found.rows])
    assert [key for page in back for key in page] == [key for page in pages for key in page]
    return pages


def flat(pages: list[list[str | None]]) -> list[str | None]:
    return [key for page in pages for key in page]


@pytest.mark.parametrize("descending", [False, True], ids=["up", "down"])
@pytest.mark.parametrize("name", SORTABLE)
def test_each_sortable_type_forth_and_back_over_ties_and_nulls(tmp_path: Path, name: str, *, descending: bool) -> None:
    rows = drawn(47)
    sort = f"-{name}" if descending else name
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        wanted = expected(rows, SORTABLE.index(name) + 1, descending=descending)
        for limit in (1, 5, 46, 47, 48, 500):
            pages = forth("thing", limit, sort=sort)
            assert flat(pages) == wanted
            assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)


@pytest.mark.parametrize("sort", [None, "id", "-id"])
def test_by_the_key_alone(tmp_path: Path, sort: str | None) -> None:
    rows = drawn(20)
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        assert flat(forth("thing", 3, sort=sort)) == expected(rows, None, descending=sort == "-id")


@pytest.mark.parametrize(
    ("sort", "order"), [(None, (1, 0)), ("y", (1, 0)), ("-y", (1, 0)), ("x", (0, 1)), ("t", (2, 1, 0)), ("-t", (2, 1, 0))]
)
def test_a_key_of_two_columns_breaks_the_ties(tmp_path: Path, sort: str | None, order: tuple[int, ...]) -> None:
    rows: list[Row] = [(x, y, t) for x, t in (("a", "same"), ("B", None), ("", "same"), ("ä", "other")) for y in (3, 1, 2)]
    with opened(tmp_path, TABLE, rows={"pair": rows}):
        ordered = sorted(rows, key=lambda row: [rank(row[place]) for place in order], reverse=(sort or "").startswith("-"))
        found = forth("pair", 4, sort=sort)
        by_key = {row.key: (row.values["x"], row.values["y"], row.values["t"]) for row in records.page("pair", whole("pair")).rows}
        assert [by_key[key] for key in flat(found)] == ordered


def test_a_table_without_a_key_is_walked_by_number(tmp_path: Path) -> None:
    rows = [(number % 3, f"t{number}") for number in range(10)]
    with opened(tmp_path, TABLE, rows={"keyless": rows}):
        seen, found = [], records.page("keyless", whole("keyless"), limit=4, sort="i")
        while True:
            seen += [(row.values["i"], row.values["t"]) for row in found.rows]
            assert {row.key for row in found.rows} == {None}
            if found.next is None:
                break
            found = records.page("keyless", whole("keyless"), limit=4, sort="i", after=found.next)
        assert seen == sorted(rows)
        assert found.previous is not None
        back = records.page("keyless", whole("keyless"), limit=4, sort="i", before=found.previous)
        assert [(row.values["i"], row.values["t"]) for row in back.rows] == sorted(rows)[4:8]


@pytest.mark.parametrize(
    ("table", "many", "limit", "sizes"),
    [
        ("thing", 0, 5, [0]),
        ("thing", 1, 1, [1]),
        ("thing", 5, 5, [5]),
        ("thing", 6, 5, [5, 1]),
        ("keyless", 0, 5, [0]),
        ("keyless", 6, 5, [5, 1]),
    ],
)
def test_a_full_last_page_has_no_empty_one_behind_it(tmp_path: Path, table: str, many: int, limit: int, sizes: list[int]) -> None:
    rows: list[Row] = drawn(many) if table == "thing" else [(number, "x") for number in range(many)]
    with opened(tmp_path, TABLE, rows={table: rows}):
        assert [len(page) for page in forth(table, limit)] == sizes


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-5, 1), (1, 1), (500, 500), (501, 500), (10**9, 500)])
def test_a_page_has_between_one_and_five_hundred_records(tmp_path: Path, asked: int, given: int) -> None:
    with opened(tmp_path, TABLE, rows={"thing": drawn(510)}):
        assert len(records.page("thing", whole("thing"), limit=asked).rows) == given


@pytest.mark.parametrize("name", ["j", "raw", "-j", "nope", "-", "--i", "i desc", "I", "record.i", "", " i"])
def test_what_is_no_order_is_refused_by_its_name(tmp_path: Path, name: str) -> None:
    with opened(tmp_path, TABLE, rows={"thing": drawn(3)}):
        if name == "":
            assert len(records.page("thing", whole("thing"), sort=name).rows) == 3
            return
        with pytest.raises(Malformed) as error:
            records.page("thing", whole("thing"), sort=name)
        assert error.value.status == 400
        assert name.removeprefix("-").casefold() in error.value.message.casefold()


@pytest.mark.parametrize("sort", ["t", "-t"])
def test_a_hidden_field_orders_nothing(tmp_path: Path, sort: str) -> None:
    scope = Scope("thing", everything=True, hidden=frozenset({"t"}))
    with opened(tmp_path, TABLE, {"thing": {"sort": sort}}, rows={"thing": drawn(9)}):
        assert [row.key for row in records.page("thing", scope).rows] == [str(number) for number in range(1, 10)]
        assert all("t" not in row.values for row in records.page("thing", scope).rows)
        with pytest.raises(Malformed):
            records.page("thing", scope, sort=sort)


def test_the_collections_own_order_stands_where_none_is_asked_for(tmp_path: Path) -> None:
    rows = drawn(15)
    with opened(tmp_path, TABLE, {"thing": {"sort": "-i"}}, rows={"thing": rows}):
        assert flat(forth("thing", 4)) == expected(rows, 1, descending=True)
        assert flat(forth("thing", 4, sort="id")) == expected(rows, None, descending=False)


def change(sql: str, *values: Any) -> None:
    """Another program writes into the same file."""
    with sqlite3.connect(catalogue.current().sources["file"].url.removeprefix("sqlite:///")) as connection:
        connection.execute(sql, values)
    connection.close()


@pytest.mark.parametrize(
    ("sql", "then"),
    [
        ("delete from thing where id = 3", ["4", "5", "6"]),
        ("delete from thing where id <= 3", ["4", "5", "6"]),
        ("insert into thing (id, i) values (0, 0)", ["4", "5", "6"]),
        ("delete from thing where id > 3", []),
        ("delete from thing where id = 4", ["5", "6", "7"]),
        ("update thing set t = 'changed'", ["4", "5", "6"]),
        ("insert into thing (id, i) values (100, 3)", ["100", "4", "5"]),
        ("update thing set i = 50 where id = 3", ["4", "5", "6"]),
    ],
)
def test_a_cursor_survives_what_others_do_meanwhile(tmp_path: Path, sql: str, then: list[str]) -> None:
    rows: list[Row] = [(number, number, *[None] * 7, "{}", None) for number in range(1, 10)]
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        first = records.page("thing", whole("thing"), sort="i", limit=3)
        change(sql)
        assert [row.key for row in records.page("thing", whole("thing"), sort="i", limit=3, after=first.next).rows] == then


# ---------------------------------------------------------------------------------------- filters, segments and scopes

CONDITIONS: dict[str, Callable[[Row], bool]] = {
    '{"field": "i", "op": "eq", "value": 0}': lambda row: row[1] == 0,
    '{"field": "i", "op": "ne", "value": 0}': lambda row: row[1] != 0,
    '{"field": "i", "op": "in", "value": [1, -1, null]}': lambda row: row[1] in (1, -1, None),
    '{"field": "i", "op": "gte", "value": 9223372036854775807}': lambda row: row[1] is not None and row[1] >= 2**63 - 1,
    '{"field": "i", "op": "lt", "value": "0.5"}': lambda row: row[1] is not None and row[1] < 0.5,
    '{"field": "i", "op": "eq", "value": "0.5"}': lambda row: False,
    '{"field": "d", "op": "eq", "value": "12.50"}': lambda row: row[2] == 12.5,
    '{"field": "d", "op": "gt", "value": "0"}': lambda row: row[2] is not None and row[2] > 0,
    '{"field": "t", "op": "eq", "value": ""}': lambda row: row[3] == "",
    '{"field": "t", "op": "ne", "value": "a"}': lambda row: row[3] != "a",
    '{"field": "t", "op": "contains", "value": "A"}': lambda row: row[3] is not None and "a" in row[3].lower(),
    '{"field": "t", "op": "contains", "value": "Ä"}': lambda row: row[3] == "ä",
    '{"field": "t", "op": "contains", "value": "%"}': lambda row: False,
    '{"field": "t", "op": "starts_with", "value": "A"}': lambda row: row[3] is not None and row[3].lower().startswith("a"),
    '{"field": "t", "op": "is_null", "value": true}': lambda row: not row[3],
    '{"field": "t", "op": "is_null", "value": false}': lambda row: bool(row[3]),
    '{"field": "t", "op": "eq", "value": null}': lambda row: row[3] is None,
    '{"field": "t", "op": "ne", "value": null}': lambda row: row[3] is not None,
    '{"field": "b", "op": "eq", "value": true}': lambda row: row[4] == 1,
    '{"field": "b", "op": "ne", "value": true}': lambda row: row[4] != 1,
    '{"field": "day", "op": "lte", "value": "2026-01-31"}': lambda row: row[5] is not None and row[5] <= "2026-01-31",
    '{"field": "day", "op": "in", "value": ["9999-12-31"]}': lambda row: row[5] == "9999-12-31",
    '{"field": "at", "op": "eq", "value": "2026-01-31T12:00:00+02:00"}': lambda row: row[6] == "2026-01-31 10:00:00",
    '{"field": "at", "op": "gt", "value": "2026-01-31T10:00:00Z"}': lambda row: row[6] == "2026-01-31 10:00:00.5",
    '{"field": "at", "op": "lt", "value": "2026-01-31"}': lambda row: row[6] is not None and row[6] < "2026",
    '{"field": "u", "op": "eq", "value": "6F1C3CBE-3C0F-4B52-8F1E-3C0F4B528F1E"}': lambda row: row[8] is not None and row[8].startswith("6f1c"),
    '{"field": "j", "op": "is_null", "value": false}': lambda row: True,
    '{"field": "raw", "op": "is_null", "value": true}': lambda row: True,
    '{"and": []}': lambda row: True,
    '{"or": []}': lambda row: False,
    '{"and": [{"field": "b", "op": "eq", "value": true}, {"or": [{"field": "i", "op": "eq", "value": 0}, {"field": "i", "op": "eq", "value": 1}]}]}':
        lambda row: row[4] == 1 and row[1] in (0, 1),
}  # fmt: skip


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One file with many rows for tests that change nothing."""
    rows = drawn(120)
    with opened(tmp_path_factory.mktemp("things"), TABLE, DOCUMENTS, rows={"thing": rows}) as found:
        yield found["thing"], rows


@pytest.mark.parametrize("text", CONDITIONS)
def test_a_filter_finds_the_rows_that_python_finds(things: Any, text: str) -> None:
    collection, rows = things
    where = filters.parse(text, collection)
    wanted = expected([row for row in rows if CONDITIONS[text](row)], None, descending=False)
    assert flat(forth("thing", 7, where=where)) == wanted
    assert records.count("thing", whole("thing"), where) == len(wanted)


def test_a_segment_a_search_and_a_filter_hold_together(things: Any) -> None:
    collection, rows = things
    where = filters.parse('{"field": "i", "op": "ne", "value": 0}', collection)
    segment = expressions.parse(collection.segment("ticked").filter)
    wanted = [row for row in rows if row[4] == 1 and row[1] != 0 and row[3] and "a" in row[3].lower()]
    assert flat(forth("thing", 3, where=where, segment=segment, q="a", sort="-t")) == expected(wanted, 3, descending=True)


def test_a_count_stops_at_its_cap(things: Any) -> None:
    _, rows = things
    counted = [records.count("thing", whole("thing"), cap=cap) for cap in (0, 5, 119, 120, 121, None)]
    assert counted == [1, 6, 120, 120, 120, 120]
    assert len(rows) == 120


@pytest.mark.parametrize(
    ("scope", "keeps"),
    [
        (whole("thing"), lambda row: True),
        (Scope("thing"), lambda row: False),
        (Scope("thing", allow=(expressions.parse("record.b"),)), lambda row: row[4] == 1),
        (
            Scope("thing", allow=(expressions.parse("record.i == 0"), expressions.parse("record.t == 'a'"))),
            lambda row: row[1] == 0 or row[3] == "a",
        ),
        (Scope("thing", everything=True, deny=(expressions.parse("record.b"),)), lambda row: row[4] == 0),
        (Scope("thing", allow=(expressions.parse("record.t == $currentUser.team"),), attributes={"team": "Z"}), lambda row: row[3] == "Z"),
        (Scope("thing", allow=(expressions.parse("record.t == $currentUser.team"),)), lambda row: False),
    ],
    ids=["all", "none", "one rule", "two rules", "a denial of the unknown too", "by the reader", "an unknown reader"],
)
def test_a_scope_is_part_of_each_page(things: Any, scope: Scope, keeps: Callable[[Row], bool]) -> None:
    _, rows = things
    wanted = expected([row for row in rows if keeps(row)], None, descending=False)
    assert [row.key for row in records.page("thing", scope, limit=500).rows] == wanted
    assert records.count("thing", scope) == len(wanted)


cells = st.tuples(*(st.sampled_from(pool) for pool in POOLS.values()))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(many=st.lists(cells, max_size=25), name=st.sampled_from(SORTABLE), descending=st.booleans(), limit=st.integers(1, 9))
def test_any_rows_in_any_order_by_any_page(tmp_path: Path, many: list[Row], name: str, *, descending: bool, limit: int) -> None:
    rows: list[Row] = [(number, *row, "{}", None) for number, row in enumerate(many, 1)]
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        wanted = expected(rows, SORTABLE.index(name) + 1, descending=descending)
        assert flat(forth("thing", limit, sort=f"-{name}" if descending else name)) == wanted
