"""Decimals of SQLite, kept in binary with rests behind their last digit: shown, found, counted and compared as the decimals that they are."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console import records
from console.core import expressions, filters
from console.core.documents.collections import Collection
from console.core.scopes import whole
from console.records import grouped
from console.records.grouped import By
from console.records.value_counts import value_counts
from tests.records.files import opened

TABLE = """
create table book (id integer primary key, price decimal(10, 6), sum numeric(12, 2), other decimal(10, 6));
with recursive n(i) as (select 0 union all select i + 1 from n where i < 149)
insert into book select i, i % 100 * 0.123456, (0.1 + 0.2) * (i % 7), round(i % 100 * 0.123456, 6) from n;
insert into book values (900, 0.61728049, 0.1 + 0.2 - 0.3, null), (901, null, 12345678901.235, null), (902, 'dear', 123456789012.349999, 0.5);
"""
Row = dict[str, Any]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collection, dict[str, Row]]]:
    folder: Path = tmp_path_factory.mktemp("books")
    with opened(folder, TABLE) as collections:
        yield collections["book"], {str(row.key): row.values for row in records.page("book", whole("book"), limit=200).rows}


def test_they_are_shown_with_the_declared_places(books: Any) -> None:
    _, rows = books
    assert [rows[str(i)]["price"] for i in range(100)] == [f"{i * Decimal('0.123456'):.6f}" for i in range(100)]
    assert {rows[str(i)]["sum"] for i in range(7)} == {"0.00", "0.30", "0.60", "0.90", "1.20", "1.50", "1.80"}
    assert (rows["900"]["price"], rows["900"]["sum"]) == ("0.61728049", "0.00"), "a digit that somebody wrote is not hidden"
    assert (rows["901"]["sum"], rows["902"]["sum"], rows["902"]["price"]) == ("12345678901.235", "123456789012.35", "dear")


@pytest.mark.parametrize("op", ["eq", "ne", "gt", "gte", "lt", "lte", "in"])
def test_they_are_found_by_what_is_shown(books: Any, op: str) -> None:
    collection, rows = books
    for text in ("0.617280", "0.370368", "0.61728049", "12.222144", "0", "5"):
        asked = {"field": "price", "op": op, "value": [text, "0.123456"] if op == "in" else text}
        found = {row.key for row in records.page("book", whole("book"), where=filters.parse(json.dumps(asked), collection), limit=200).rows}
        wanted = {key for key, row in rows.items() if _fits(row["price"], op, Decimal(text))}
        assert found == wanted, text


def _fits(shown: str | None, op: str, given: Decimal) -> bool:
    if shown is None or shown == "dear":
        return op == "ne" and shown is None
    value = Decimal(shown)
    return {
        "eq": value == given, "ne": value != given, "gt": value > given, "gte": value >= given, "lt": value < given, "lte": value <= given,
        "in": value in (given, Decimal("0.123456")),
    }[op]  # fmt: skip


def test_they_are_counted_once_each(books: Any) -> None:
    everyone = whole("book")
    told = value_counts("book", everyone, "price", most=200)
    counts = dict(told.counts)
    assert counts["0.617280"] == 2
    assert len(counts) == len(told.counts) == 102
    found = {each.keys[0]: each.value for each in grouped.grouped("book", everyone, measure="count", by=[By("sum")])}
    assert found["0.30"] == 22
    assert grouped.grouped("book", everyone, measure="distinct", field="price")[0].value == 102  # a text too
    assert grouped.grouped("book", everyone, measure="highest", field="other")[0].value == "12.222144"


def test_a_segment_compares_them_with_a_number_and_with_one_another(books: Any) -> None:
    _, rows = books
    for text, number in (("record.price == 0.61728", 2), ("record.price == record.other", 151), ("record.price < record.other", 0)):
        assert records.totals("book", whole("book"), [records.Figure("n", "count")], where=expressions.parse(text))["n"] == number, text
        assert sum(expressions.parse(text).test({"record": row}) for row in rows.values()) == number, text
