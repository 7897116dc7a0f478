"""Databases of others that are large: three hundred columns, two thousand tables."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from console import records, sources
from console.auth import access
from console.core.scopes import unrestricted
from tests.company import WORKING
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

WIDTH = 300
TYPES = ("varchar(8)", "integer", "date")
VALUES = ("'w{}'", "{}", "'2026-01-0{}'")


@pytest.fixture(params=KINDS)
def wide(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """A table of three hundred columns and nine rows."""
    columns = ", ".join(f"c{number} {TYPES[number % 3]}" for number in range(1, WIDTH))
    rows = ", ".join(
        "(" + ", ".join([str(row), *(VALUES[number % 3].format(row) for number in range(1, WIDTH))]) + ")"
        for row in range(1, 10)
    )
    with connected(
        request,
        pages,
        tmp_path,
        "wide",
        [f"create table thing (id integer primary key, {columns})", f"insert into thing values {rows}"],
    ) as found:
        yield found


def filtered(field: str, op: str, value: Any) -> str:
    return quote(json.dumps({"field": field, "op": op, "value": value}))


def test_a_table_of_three_hundred_columns_is_listed_and_any_of_them_can_be_asked_for(wide: Odd) -> None:
    olivia = wide.pages.olivia
    page = olivia.get(wide.things)
    heads = [told for tag, told in page.attributes if tag == "th" and told.get("scope") == "col"]
    assert 5 < len(heads) < 20, "a list begins with the first few"
    sheet = olivia.get(wide.things, "view-sheet")
    assert {f"c{number}" for number in range(1, WIDTH)} <= {
        told.get("value") for tag, told in sheet.attributes if tag == "input"
    }
    asked = olivia.get(
        f"{wide.things}?columns=c299&columns=c298&sort=-c298&filter={filtered('c298', 'gte', 4)}"
    )
    assert asked.html.count("<tr data-record") == 6
    assert "C299" in asked.text
    assert "9 Jan 2026" in asked.text, "the last column is drawn by its type"
    assert olivia.get(f"{wide.things}?q=w7").html.count("<tr data-record") == 1, (
        "the first text column is searched"
    )


def test_a_record_of_three_hundred_fields_is_shown_changed_and_added(wide: Odd) -> None:
    olivia, of = wide.pages.olivia, f"{wide.name}.thing"
    assert olivia.get(f"{wide.things}/3?tab=details").text.count("w3") >= WIDTH // 3
    edit = f"{wide.things}/3/edit"
    olivia.send(olivia.get(edit), edit, v_c298="77")
    held = records.get(of, "3", unrestricted(of)).values
    assert held["c298"] == 77
    assert [held[name] for name in ("c297", "c295", "c1")] == ["w3", 3, 3], "nothing else was written"
    new = f"/new{wide.things}"
    given: dict[str, Any] = {} if wide.kind == "sqlite" else {"v_id": "50"}
    olivia.send(olivia.get(new), new, v_c297="last", **given)
    added = olivia.answer.headers["Location"].rpartition("/")[2]
    assert records.get(of, added, unrestricted(of)).values["c297"] == "last"


def test_a_file_of_a_wide_list_has_the_columns_that_were_asked_for_in_their_order(wide: Odd) -> None:
    olivia = wide.pages.olivia
    path = f"/export{wide.things}?columns=c299&columns=c298&columns=c297&sort=id"
    olivia.post(path, {"csrf_token": olivia.token, "format": "csv"})
    address = olivia.answer.headers["Location"]
    assert wide.pages.company.work()
    olivia.get(f"{address}/file")
    head, first, *rest = csv.reader(io.StringIO(olivia.answer.data.decode("utf-8-sig")))
    assert head[-3:] == ["C299", "C298", "C297"]
    assert first[-2:] == ["1", "w1"]
    assert len(rest) == 8


TABLES = 2_000


@pytest.fixture
def many(pages: "Pages", tmp_path: Path) -> Iterator[str]:
    """The name of a source of two thousand tables, every third of which leads to another one."""
    file = tmp_path / "many.db"
    with sqlite3.connect(file) as connection:
        for number in range(TABLES):
            led = f", other integer references table_{number * 7 % TABLES} (id)" if number % 3 == 0 else ""
            connection.execute(f"create table table_{number} (id integer primary key, name text, n int{led})")
            connection.execute(f"insert into table_{number} (name, n) values ('Row of {number}', {number})")
    connection.close()
    sources.add("many", f"sqlite:///{file}", may={"operator": WORKING})
    access.refresh()
    yield "many"
    sources.remove("many")


def test_two_thousand_tables_are_found_by_name_and_no_page_draws_all_their_rights(
    pages: "Pages", many: str
) -> None:
    olivia, ines = pages.olivia, pages.ines
    assert "Row of 1999" in olivia.get(f"/c/{many}.table_1999").text
    shelf = olivia.get("/c")
    assert "1–200 of 2,000" in shelf.text
    assert len(shelf.html) < 150 * 1024
    assert "Table 1999" in olivia.get(f"/c?source={many}&from=1800").text
    assert "Table 1999" in olivia.get("/c?name=1999").text
    assert "Table 0" in olivia.get(f"/c?source={many}&from=-1").text
    assert "Table 1999" in olivia.get("/search?q=table%201999").text
    for path, longest in (
        ("/settings/access", 200),
        ("/settings/access?q=table%201999", 24),
        ("/settings/collections", 200),
        ("/settings/roles/operator", 700),
    ):
        page = ines.get(path)
        assert len(page.html) < longest * 1024, path
        assert page.text.count("Table 1") > 0, path
    page = ines.get("/settings/roles/operator")
    assert "more: find them above by a part of their name" in page.text
    found = ines.get("/settings/roles/operator?q=table%201999")
    assert "Table 1999" in found.text
    assert "more: find them" not in found.text
    page = ines.get(f"/settings/sources/{many}/connected")
    assert len(page.html) < 400 * 1024
    assert "1,800 more" in page.text
    assert "Nothing has changed in many" in ines.get(f"/settings/sources/{many}/again").text
    assert "2,000" in ines.get(f"/settings/sources/{many}/tables").text
