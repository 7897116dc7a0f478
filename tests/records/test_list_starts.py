"""Lists begun at their last page, and at a value of the field that they are sorted by: in SQLite, PostgreSQL and MariaDB, over ties and nulls."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from console import records
from console.core.errors import Malformed
from console.core.scopes import unrestricted
from console.records import list_starts
from tests.records.files import connected, opened
from tests.records.test_paging_sqlite import POOLS, SORTABLE, TABLE, drawn, expected, flat, forth
from tests.records.test_several_orders import NAMES, POOLS as SERVED, served_rows, servers  # noqa: F401 (a fixture)

pytestmark = pytest.mark.slow
ENDS = (1, 7, 59, 60, 61)
BETWEEN: dict[str, list[Any]] = {"i": [100], "t": ["aa", "z"], "day": ["2030-01-01"]}


def around(table: str, limit: int, **asked: Any) -> tuple[list[str | None], list[str | None]]:
    """Keys of the page that is asked for, and of the whole list as its ways back and forth lead through it."""
    page = records.page(table, unrestricted(table), limit=limit, **asked)
    here, before, after = [row.key for row in page.rows], list[str | None](), list[str | None]()
    back, on, order = page.previous, page.next, {"sort": asked.get("sort")}
    while back is not None:
        found = records.page(table, unrestricted(table), limit=limit, before=back, **order)
        before, back = [row.key for row in found.rows] + before, found.previous
    while on is not None:
        found = records.page(table, unrestricted(table), limit=limit, after=on, **order)
        after, on = after + [row.key for row in found.rows], found.next
    return here, before + here + after


def starts(table: str, sort: str, value: Any, held: Mapping[str, Any], wanted: Sequence[str | None]) -> None:
    """The page begins at the first record from the value on, and the rest of the list is before and behind it."""
    down, name = sort.startswith("-"), sort.removeprefix("-")

    def reached(one: Any) -> bool:
        begins = isinstance(value, str) and isinstance(one, str) and one.startswith(value)
        return one is not None and (one <= value or begins if down else one >= value)

    first = next((key for key in wanted if reached(held[str(key)])), None)
    start = {"field": name, "op": "lte" if down else "gte", "value": value}
    for limit in (1, 7, 500):
        here, through = around(table, limit, sort=sort, start=start)
        assert here[:1] == ([] if first is None else [first]), (sort, value)
        assert through == ([] if first is None else list(wanted)), (sort, value, limit)


@pytest.mark.parametrize("sort", [None, "id", *SORTABLE, *(f"-{name}" for name in SORTABLE), "b,-t"])
def test_the_last_page_ends_the_list_and_leads_back_through_all_of_it(
    tmp_path: Path, sort: str | None
) -> None:
    with opened(tmp_path, TABLE, rows={"thing": drawn(60)}):
        wanted = flat(forth("thing", 500, sort=sort))
        for limit in ENDS:
            here, through = around("thing", limit, sort=sort, before=list_starts.LAST)
            assert here == wanted[-limit:]
            assert through == wanted


@pytest.mark.parametrize("sort", ["id", "i", "-i", "d", "-d", "day", "-day"])
def test_a_list_of_sqlite_begins_at_a_value(tmp_path: Path, sort: str) -> None:
    rows, name = drawn(60), sort.removeprefix("-")
    place = 0 if name == "id" else SORTABLE.index(name) + 1
    wanted = expected(rows, place or None, descending=sort.startswith("-"))
    with opened(tmp_path, TABLE, rows={"thing": rows}):
        for value in [1, 30, 60, 61] if name == "id" else [one for one in POOLS[name] if one is not None]:
            starts("thing", sort, value, {str(row[0]): row[place] for row in rows}, wanted)


@pytest.mark.parametrize("sort", ["i", "-t", "day"])
@pytest.mark.parametrize("place", ["postgresql", "mariadb"])
def test_lists_of_servers_begin_at_a_value(servers: dict[str, str], place: str, sort: str) -> None:  # noqa: F811
    name, rows = sort.removeprefix("-"), served_rows()
    held = {str(row[0]): row[NAMES.index(name) + 1] for row in rows}
    with connected(servers[place]):
        wanted = flat(forth("ordered", 500, sort=sort))
        for value in [one for one in SERVED[name] if one is not None] + BETWEEN[name]:
            starts("ordered", sort, value, held, wanted)
        for limit in ENDS:
            assert around("ordered", limit, sort=sort, before=list_starts.LAST) == (wanted[-limit:], wanted)


def test_a_text_begins_at_all_that_begins_so_both_ways(tmp_path: Path) -> None:
    names = ["", "Ana", "Zo", "Zo\u00eb", "Zola", "Zola %", "Zoz", "Zp", "\U0001f680", None]
    with opened(
        tmp_path, TABLE, rows={"thing": [(n, None, None, name, *[None] * 7) for n, name in enumerate(names)]}
    ):
        for typed, up, down in (
            ("Zo", "Zo", "Zo\u00eb"),
            ("Zola", "Zola", "Zola %"),
            ("Z", "Zo", "Zp"),
            ("Zol_", "Zola", "Zo"),
            ("B", "Zo", "Ana"),
        ):
            for sort, op, first in (("t", "gte", up), ("-t", "lte", down)):
                here, _ = around("thing", 3, sort=sort, start={"field": "t", "op": op, "value": typed})
                assert names[int(str(here[0]))] == first, (typed, sort)


@pytest.mark.parametrize(
    ("sort", "start"),
    [
        ("i", {"field": "d", "op": "gte", "value": "1"}),  # not what the list is sorted by
        ("b", {"field": "b", "op": "eq", "value": True}),
        ("i", {"field": "i", "op": "gte", "value": "x"}),
        ("i", {"field": "i", "op": "eq", "value": 1}),
        ("i", {"and": [{"field": "i", "op": "gte", "value": 1}]}),
        ("t", {"field": "t", "op": "gte", "value": 5}),
        ("t", {"field": "t", "op": "gte", "value": "a\0"}),
        ("clock", {"field": "clock", "op": "gte", "value": "09:00"}),
    ],
)
def test_what_is_no_value_of_the_sorted_field_is_refused(
    tmp_path: Path, sort: str, start: dict[str, Any]
) -> None:
    with opened(tmp_path, TABLE, rows={"thing": drawn(5)}), pytest.raises(Malformed):
        records.page("thing", unrestricted("thing"), sort=sort, start=start)
