"""Lists as each person keeps them: segments, columns, conditions of the sheet."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from console import runs
from console.core.documents.collections import Segment
from console.formats import Look
from console.infra.db.engine import fetch
from console.records import catalogue
from console.views.browse import list_filters
from tests.tables import cases

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages


def keys(page: "Page") -> list[str]:
    return [told["data-record"] for told in page.with_attribute("data-record")]


def heads(page: "Page") -> list[str]:
    table = page.html[page.html.index("<thead>") : page.html.index("</thead>")]
    return [part.split("<")[0].strip() for part in table.split(">") if part.split("<")[0].strip()]


@pytest.fixture
def with_roles() -> Iterator[None]:
    """The segment of the company's customers is where operators begin."""
    known = catalogue.current()
    made = replace(
        known.collections["customer"],
        segments=(Segment("unrated", "Unrated", "record.risk == null", ("operator",)),),
    )
    other = replace(known, collections={**known.collections, "customer": made})
    with patch.object(catalogue, "current", lambda: other):
        yield


def test_a_list_opens_with_the_segment_of_the_role_and_then_of_the_person(
    pages: "Pages", with_roles: None
) -> None:
    olivia, mona = pages.olivia, pages.mona
    olivia.get("/c/customer", status=303)
    assert keys(olivia.follow()) == ["1", "3", "4"]
    assert len(keys(olivia.get("/c/customer?segment="))) == 4, "all records are one click away"
    assert "/c/customer?segment=" in olivia.get("/c/customer?segment=unrated").links
    assert len(keys(mona.get("/c/customer"))) == 4, "her role names no segment"
    olivia.send(olivia.get("/c/customer?segment=&view=1"), "/c/customer/view", segment="", columns="email")
    assert len(keys(olivia.get("/c/customer"))) == 4


def test_columns_their_order_and_the_height_of_rows_are_kept_for_one_person(pages: "Pages") -> None:
    olivia = pages.olivia
    page = olivia.get("/c/customer?view=1")
    token = page.form("/c/customer/view")["fields"]["csrf_token"]
    sent = {"csrf_token": token, "columns": ["risk", "email"], "rows": "roomy", "back": "/c/customer?sort=id"}
    olivia.post("/c/customer/view", sent)
    page = olivia.follow()
    assert heads(page)[1:3] == ["Risk", "Email"]
    assert "roomy" in page.html
    olivia.post("/c/customer/view", {**sent, "columns": ["email", "risk"]})
    assert heads(olivia.get("/c/customer"))[1:3] == ["Email", "Risk"]
    assert heads(olivia.get("/c/customer?columns=balance"))[1] == "Balance", "a link with columns shows those"
    assert heads(pages.tom.get("/c/customer"))[1:3] != ["Email", "Risk"], "nobody else's list changes"
    olivia.post("/c/customer/view", {"csrf_token": token, "reset": "1", "back": "//evil.example"})
    assert olivia.answer.headers["Location"] == "/"
    assert fetch("select 1 from console.list_view where collection = 'customer'") == []


def test_nobody_keeps_columns_that_they_may_not_read(pages: "Pages") -> None:
    for who, collection, columns in (
        (pages.olivia, "customer", ["nope"]),
        (pages.stan, "customer", ["email"]),
        (pages.olivia, "customer", ["tax_id"]),
    ):
        token = who.get("/c").html.split('data-token="')[1].split('"')[0]
        who.post(
            f"/c/{collection}/view",
            {"csrf_token": token, "columns": columns},
            status=404 if who is pages.stan else 422,
        )


def test_a_field_that_leads_to_a_record_is_asked_for_by_what_can_be_said_of_one(pages: "Pages") -> None:
    part = pages.olivia.get("/c/account?add_field=customer_id", "condition")
    assert re.findall(r'<option value="(\w+)">', part.html) == ["eq", "ne", "is_null"]
    assert "data-pick" in part.html
    assert "with commas" not in part.text
    pages.olivia.get("/c/account?add_field=customer_id&add_op=eq&add_value=1", status=303)
    assert "Adaeze Okonkwo-Bell" in pages.olivia.follow().text


LOOK = Look(zone="Europe/Vilnius")
CENTS = {"name": "paid", "label": "Paid", "type": "integer", "widget": "money", "minor": True}
EUROS, MIXED = CENTS | {"currency": "EUR"}, CENTS | {"currency": "currency"}
DATE, MOMENT = (
    {"name": "due", "label": "Due", "type": "date"},
    {"name": "at", "label": "At", "type": "datetime"},
)


@cases(
    ("source", "op", "entries", "condition"),
    [
        (
            DATE,
            "last",
            ["30"],
            {
                "and": [
                    {"field": "due", "op": "gte", "value": {"days": -30}},
                    {"field": "due", "op": "lt", "value": {"days": 1}},
                ]
            },
        ),
        (
            DATE,
            "next",
            ["7"],
            {
                "and": [
                    {"field": "due", "op": "gte", "value": {"days": 0}},
                    {"field": "due", "op": "lt", "value": {"days": 8}},
                ]
            },
        ),
        (DATE, "ago", ["14"], {"field": "due", "op": "lt", "value": {"days": -14}}),
        (DATE, "lt", ["2026-11-20"], {"field": "due", "op": "lt", "value": "2026-11-20"}),
        (
            MOMENT,
            "eq",
            ["2026-11-20"],
            {
                "and": [
                    {"field": "at", "op": "gte", "value": "2026-11-19T22:00:00Z"},
                    {"field": "at", "op": "lt", "value": "2026-11-20T22:00:00Z"},
                ]
            },
        ),
        (MOMENT, "lte", ["2026-11-20"], {"field": "at", "op": "lt", "value": "2026-11-20T22:00:00Z"}),
        (MOMENT, "lte", ["9999-12-31"], {"field": "at", "op": "lte", "value": "9999-12-31"}),
        (MOMENT, "gte", ["0001-01-01"], {"field": "at", "op": "gte", "value": "0001-01-01T00:00:00Z"}),
        (EUROS, "gte", ["1,299.50"], {"field": "paid", "op": "gte", "value": 129950}),
        (MIXED, "in", ["100, 12.5"], {"field": "paid", "op": "in", "value": [10000, 1250]}),
        (CENTS, "lt", ["7"], {"field": "paid", "op": "lt", "value": 700}),
        (
            {"name": "share", "type": "decimal", "widget": "fraction"},
            "gt",
            ["5 %"],
            {"field": "share", "op": "gt", "value": "0.05"},
        ),
        (
            {"name": "land", "type": "text", "widget": "country"},
            "eq",
            ["latvia"],
            {"field": "land", "op": "eq", "value": "LV"},
        ),
        (DATE, "is_null", [], {"field": "due", "op": "is_null", "value": True}),
    ],
)
def test_what_the_sheet_sends_becomes_a_condition(
    source: dict[str, str], op: str, entries: list[str], condition: object
) -> None:
    assert list_filters.condition_of(source, op, entries, LOOK) == condition


@contextmanager
def statements(source: str) -> Iterator[list[str]]:
    """What the source is asked meanwhile."""
    sent: list[str] = []
    engine = catalogue.engine_of(next(item for item in catalogue.collections() if item.source == source))

    def note(_connection: object, _cursor: object, text: str, *_: object) -> None:
        sent.append(text.lower())

    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)


def test_a_page_of_a_list_is_one_statement_wherever_it_begins_and_a_facet_is_one_more(pages: "Pages") -> None:
    with sqlite3.connect(pages.company.path) as connection:
        connection.executemany(
            "insert into customer (id, display_name, desk) values (?, ?, 'retail')",
            [(n, f"N {n}") for n in range(100, 300)],
        )
    first = pages.olivia.get("/c/customer?sort=id")
    address = next(told["href"] for told in first.with_attribute("rel") if told["rel"] == "next")
    for path, part, number in (
        ("/c/customer?sort=id", None, 1),
        (address, None, 1),
        ("/c/customer", "facets", 2),
        ("/c/customer?preview=1", "preview", 2),
    ):
        with statements("company") as sent:
            pages.olivia.get(path, part)
        assert len(sent) <= number, (path, part, sent)


def test_a_saved_run_is_resumed_from_the_preview_of_its_record(pages: "Pages") -> None:
    run = pages.company.started()
    runs.save(pages.company.olivia, run, revision=None)
    page = pages.tom.get("/c/customer?segment=&preview=1")
    pages.tom.send(page, f"/runs/{run}/resume")
    assert pages.company.told(run, "tom")["holder"] == pages.company.tom.id
    assert "/resume" not in pages.tom.get("/c/customer?segment=&preview=1").html
    assert "/resume" not in pages.rosa.get("/c/customer?segment=&preview=1").html, (
        "who only looks is offered nothing"
    )
