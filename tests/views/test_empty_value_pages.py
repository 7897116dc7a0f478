"""A value that seems to mean "none": named when a database is connected, asked on the page of its field, answered once, and then read so by every page."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from console import records, sources
from console.browse import BrowseQuery, list_export, list_tables
from console.core.scopes import unrestricted
from console.formats import Look
from console.sources import collections
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy

NEVER = {"sqlite": "1900-01-01", "postgresql": "0001-01-01", "mysql": "0000-00-00"}
ROWS, EMPTY = 30, 10


@pytest.fixture(params=KINDS)
def orders(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Orders, a third of them without a due date (seconds since 1970), without a day that it is due on, and never seen."""
    never = NEVER[request.param]
    made = [
        "create table thing (id int primary key, name varchar(40), duedate bigint not null default 0, due_on date not null, seen_at int not null)"
    ]
    for key in range(1, ROWS + 1):
        due, day, end = (
            (0, never, -1)
            if key % 3 == 0
            else (1_796_000_000 + key * 86_400, f"2096-11-{key:02d}", 1_796_000_000 + key)
        )
        made.append(f"insert into thing values ({key}, 'Order {key}', {due}, '{day}', {end})")
    with connected(request, pages, tmp_path, "never", made) as found:
        yield found


def listed(orders: Odd, name: str, op: str, value: Any) -> int:
    """How many records of the list meet the condition."""
    asked = quote(json.dumps({"field": name, "op": op, "value": value}))
    return orders.pages.olivia.get(f"{orders.things}?segment=&size=100&filter={asked}").html.count(
        "<tr data-record"
    )


def field_page(orders: Odd, name: str) -> str:
    return f"/settings/collections/{orders.name}.thing/fields/{name}"


def answered(orders: Odd, name: str, do: str) -> "Page":
    """The page of the field after its question was answered and that was published."""
    ines, here = orders.pages.ines, f"/settings/collections/{orders.name}.thing"
    ines.send(ines.get(field_page(orders, name)), f"/fields/{name}", do=do)
    ines.send(ines.get(f"{here}/changes"), "/changes", do="publish")
    return ines.get(field_page(orders, name))


def test_what_the_sample_finds_is_asked_and_counts_once_somebody_says_yes(orders: Odd) -> None:
    never, collection = NEVER[orders.kind], f"{orders.name}.thing"
    found = orders.pages.ines.get(f"/settings/sources/{orders.name}/connected").text
    assert f"Due on {never} in 10 of 30 rows" in found
    assert "Seen at -1 in 10 of 30 rows" in found
    assert "Duedate" not in found.partition("Does this mean")[2].partition("Collections")[0], (
        "of counted moments 0 is none without a question"
    )
    assert listed(orders, "duedate", "is_null", True) == EMPTY
    assert listed(orders, "duedate", "lt", 1_796_000_000) == 0
    assert listed(orders, "due_on", "is_null", False) == ROWS, "nothing changes unasked"
    assert (
        f"{never}, in 10 of 30 rows of a sample" in orders.pages.ines.get(field_page(orders, "due_on")).text
    )
    page = answered(orders, "due_on", "empty")
    assert "of a sample" not in page.text
    assert page.form("/fields/due_on")["fields"]["empty_values"] == never
    assert listed(orders, "due_on", "is_null", True) == EMPTY
    assert listed(orders, "due_on", "lt", "2090-01-01") == 0
    assert records.get(collection, "3", unrestricted(collection)).values["due_on"] is None
    query = BrowseQuery(fields=("id", "due_on", "duedate"), sort="id")
    taken = b"".join(
        list_tables.csv_parts(
            list_export.require_list(orders.pages.company.olivia, collection, query), Look()
        )
    ).decode()
    assert [line for line in taken.splitlines() if line.endswith(",3,,")], taken
    assert never not in taken
    assert "1970" not in taken


def test_a_no_is_remembered(orders: Odd) -> None:
    page = answered(orders, "seen_at", "filled")
    assert "of a sample" not in page.text
    assert json.loads(collections.export(f"{orders.name}.thing"))["fields"]["seen_at"] == {"empty_values": []}
    orders.pages.ines.send(page, "/fields/seen_at")
    assert (
        collections.open_collection(orders.pages.company.ines, f"{orders.name}.thing").draft.document is None
    )
    sources.refresh(orders.name)
    assert "of a sample" not in orders.pages.ines.get(field_page(orders, "seen_at")).text
    assert "Seen at" not in orders.pages.ines.get(f"/settings/sources/{orders.name}/connected").text
    assert listed(orders, "seen_at", "is_null", True) == 0


def test_an_emptied_field_gets_what_its_own_program_expects(orders: Odd) -> None:
    answered(orders, "due_on", "empty")
    collection = f"{orders.name}.thing"
    for name in ("duedate", "due_on"):
        made = records.write(collection, "4", {name: {"new": None}}, unrestricted(collection))
        assert made.values[name] is None
    assert listed(orders, "due_on", "is_null", True) == EMPTY + 1
    orders.run("update thing set name = 'As its program finds it' where id = 4 and duedate = 0")
    assert records.get(collection, "4", unrestricted(collection)).values["name"] == "As its program finds it"
