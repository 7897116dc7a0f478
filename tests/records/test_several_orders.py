"""Lists sorted by several columns, walked forth and back over ties and nulls, against an order worked out in Python."""

from pathlib import Path
from typing import Any

import pytest

from console import records
from console.core.scopes import whole
from console.errors import Malformed
from tests.records.files import opened
from tests.records.test_paging_sqlite import SORTABLE, TABLE, drawn, flat, forth, rank

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
