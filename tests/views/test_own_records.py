"""Records of a foreign database by hand: what deleting does, and names for keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from console.auth import access
from tests.views.foreign import Odd, connected

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

GARDEN = [
    "create table supplier (id integer primary key, company_name text not null)",
    "create table thing (sku varchar(20) primary key, name text, gtin bigint, price_cents integer, total_minor integer, supplier_id integer references supplier(id))",
    "create table bill (id integer primary key, thing_sku varchar(20) references thing(sku) on delete set null)",
    "create table note (id integer primary key, thing_sku varchar(20) references thing(sku) on delete cascade)",
    "create table planting (id integer primary key, thing_sku varchar(20) references thing(sku))",
    "create view thing_overview as select sku, name, supplier_id, price_cents from thing",
    "insert into supplier values (1, 'Nursery & Sons')",
    "insert into thing values ('A/1?x', 'Rose', 4006381333931, 1299, 12345678, 1), ('B 2', 'Tulip', null, null, null, null)",
    "insert into bill values (1, 'A/1?x'), (2, 'A/1?x')",
    "insert into note values (1, 'A/1?x')",
]
KEY = "A/1?x"


@pytest.fixture(params=["sqlite", "postgresql"])
def garden(request: pytest.FixtureRequest, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """The garden, whose records operators may add, change and delete."""
    with connected(request, pages, tmp_path, "garden", GARDEN) as made:
        for table in ("thing", "bill", "note", "planting"):
            access.grant(
                "operator",
                f"collection:{made.name}.{table}",
                ["create", "update", "delete"],
                "",
                team="operations",
            )
        access.refresh()
        yield made


def rose(garden: Odd) -> str:
    """The address of the record with signs in its key."""
    return next(
        link
        for link in garden.pages.olivia.get(f"{garden.things}?q=Rose").links
        if link.startswith(f"{garden.things}/")
    )


def test_what_deleting_does_is_what_the_database_says_of_each_foreign_key(garden: Odd) -> None:
    olivia, here = garden.pages.olivia, rose(garden).partition("?")[0]
    text = olivia.get(f"{here}/delete").text
    assert "2 records of Bill stay, and no longer name it" in text
    assert "1 record of Note will be deleted with it" in text
    garden.run(f"insert into planting values (1, '{KEY}')")
    assert (
        "1 record of Planting refers to it: it cannot be deleted while that is so"
        in olivia.get(f"{here}/delete").text
    )
    garden.run("delete from planting")
    olivia.send(olivia.get(f"{here}/delete"), "/delete")
    assert "was deleted" in olivia.follow().text
    assert "Rose" not in olivia.get(garden.things).html
    olivia.get(here, status=404)
    assert (
        "There are none" in olivia.get(f"/c/{garden.name}.note").text
        or "Note 1" not in olivia.get(f"/c/{garden.name}.note").text
    )


def test_a_view_shows_names_where_its_column_leads_as_in_every_table(garden: Odd) -> None:
    page = garden.pages.olivia.get(f"/c/{garden.name}.thing_overview")
    assert "Nursery & Sons" in page.text
    garden.run(
        "create table other (id integer primary key, name text, supplier_id integer references bill(id))"
    )
    assert garden.pages.olivia.get(f"/c/{garden.name}.thing_overview", status=200)
