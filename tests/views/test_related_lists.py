"""The related lists of a summary: all of them in few statements, with their numbers, within what the reader sees."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from console import browse, sources
from console.auth import access
from console.records import catalogue
from tests.views.test_list_views import statements

if TYPE_CHECKING:
    from tests.views.conftest import Pages

SIX = [f"t{n}" for n in range(6)]


@pytest.fixture
def six(pages: "Pages") -> Iterator["Pages"]:
    """Six tables more that refer to customers and to a country; one has more than a thousand records."""
    with sqlite3.connect(pages.company.path) as connection:
        connection.execute("create table country (code text primary key, name text)")
        connection.execute("insert into country values ('LV', 'Latvia')")
        for name in SIX:
            connection.execute(
                f"create table {name} (id integer primary key, customer_id integer references customer (id), country text references country (code))"
            )
        connection.executemany("insert into t0 (customer_id, country) values (1, ?)", [("LV",)] * 1200)
        connection.executemany("insert into t1 (customer_id) values (?)", [(1,)] * 3 + [(3,)])
    sources.refresh("company")
    for name in (*SIX[:5], "country"):
        access.grant("operator", f"collection:company.{name}", ["browse", "read"], "", team="operations")
    access.refresh()
    catalogue.forget()
    known = catalogue.current()
    bare = replace(
        known.collections["customer"], summary={}
    )  # every relation to many, as where nothing was arranged
    with patch.object(
        catalogue, "current", lambda: replace(known, collections={**known.collections, "customer": bare})
    ):
        yield pages


def test_six_related_lists_are_at_most_twelve_statements_with_the_record(six: "Pages") -> None:
    with statements("company") as sent:
        page = six.olivia.get("/c/customer/1?tab=summary")
        part = six.olivia.get("/c/customer/1/related", "lists")
    assert len(sent) <= 12, sent
    assert "/c/customer/1/related" in [told["hx-get"] for told in page.with_attribute("hx-get")]
    assert "1,000+" in part.text


def test_each_has_its_number_and_a_relation_that_the_reader_may_not_see_is_not_there(six: "Pages") -> None:
    text = six.olivia.get("/c/customer/1/related").text
    assert "T 1 3" in text or "T1 3" in text, text
    assert "T 5" not in text
    assert "T5" not in text
    assert "None: Country, Country, Country" in text
    six.tom.get("/c/customer/3/related", status=404)
    six.stan.get("/c/customer/1/related", status=404)


NEWEST = {
    "visit": (
        "id integer primary key, customer_id integer references customer (id), on_day date",
        "(1, 1, '2026-01-01'), (2, 1, '2026-01-02')",
        ["2", "1"],
    ),
    "call": (
        "id text primary key, customer_id integer references customer (id), called date, created_at datetime not null",
        "('b', 1, null, '2026-01-02 10:00:00'), ('a', 1, null, '2026-01-01 10:00:00'), ('c', 1, null, '2026-01-01 11:00:00')",
        ["b", "c", "a"],
    ),
    "part": (
        "customer_id integer references customer (id), line integer, added date, primary key (customer_id, line)",
        "(1, 1, '2026-01-01'), (1, 2, '2026-01-02')",
        ["1", "2"],
    ),
    "word": (
        "id integer primary key, customer_id integer references customer (id), name text",
        "(1, 1, 'a'), (2, 1, 'b')",
        ["1", "2"],
    ),
}


def test_related_records_with_days_begin_with_the_newest_and_parts_stay_as_they_follow(
    pages: "Pages",
) -> None:
    with sqlite3.connect(pages.company.path) as connection:
        for name, (columns, rows, _) in NEWEST.items():
            connection.execute(f"create table {name} ({columns})")
            connection.execute(f"insert into {name} values {rows}")
    sources.refresh("company")
    for name in NEWEST:
        access.grant("operator", f"collection:company.{name}", ["browse", "read"], "", team="operations")
    access.refresh()
    for name, (_, _, keys) in NEWEST.items():
        relation = next(
            each
            for each in catalogue.collection("customer").relations
            if each.collection == f"company.{name}"
        )
        first = browse.related(pages.company.olivia, "customer", "1", relation.name, 1)
        then = browse.related(pages.company.olivia, "customer", "1", relation.name, 5, first.next)
        assert [row.values["line" if name == "part" else "id"] for row in (*first.rows, *then.rows)] == [
            int(key) if key.isdigit() else key for key in keys
        ]
        summary = {
            each.relation.name: each
            for each in browse.related_lists(pages.company.olivia, "customer", "1", 5)
        }
        if relation.name in summary:
            assert [row.key for row in summary[relation.name].rows] == [
                row.key for row in (*first.rows, *then.rows)
            ]
