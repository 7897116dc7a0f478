"""A file of records that are no contacts: numbers and days as its writer spells them, keys that lead elsewhere, what is there already, and who may."""

import io
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from console import sources
from console.auth import access
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches
from console.messaging.imports.import_batches import Import
from tests.jobs import work_until_idle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.views.conftest import Pages

SQL = """
create table maker (id integer primary key, name text not null);
insert into maker values (7, 'Forge');
create table shop (id integer primary key, name text not null);
insert into shop values (1, 'North'), (2, 'South');
create table shelf (shop_id integer references shop (id), code text, width integer, primary key (shop_id, code));
create table slot (id integer primary key, name text not null, shop_id integer, unique (shop_id, name));
create table part (id integer primary key, sku text not null unique, price numeric(10, 2) not null check (price >= 0), since date, seen timestamp,
    maker_id integer references maker (id), shop_id integer references shop (id), sold boolean not null default 0);
insert into part (sku, price, since) values ('A-1', 5, '2020-01-01');
"""
FILE = (
    "SKU;Price;Since;Maker;Seen;Sold\r\n"
    "B-1;1.234,50 €;31.05.2026;7;31.05.2026 14:30;yes\r\n"
    "B-2;-3;01.02.2026;7;;no\r\n"
    "B-3;7;31.02.2026;7;;no\r\n"
    "B-4;7;;99;;no\r\n"
    "B-5;twelve;;;;no\r\n"
    "A-1;6;;;;no\r\n"
    "B-1;7;;;;no\r\n"
)


@pytest.fixture
def stock(pages: "Pages", tmp_path: "Path") -> "Pages":
    path = tmp_path / "stock.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL)
    sources.add("stock", f"sqlite:///{path}")
    for collection in ("stock.part", "stock.maker", "stock.shelf", "stock.slot"):
        access.grant(
            "operator", f"collection:{collection}", ["browse", "read", "create", "update"], team="operations"
        )
    return pages


def kept(pages: "Pages", text: str, encoding: str = "cp1252") -> Import:
    return import_batches.keep(pages.company.olivia, "stock.part", io.BytesIO(text.encode(encoding)))


def parts(tmp_path: "Path") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(tmp_path / "stock.db")) as connection:
        return connection.execute("select sku, price, since, maker_id, sold from part order by id").fetchall()


def test_lines_of_any_collection_are_shown_judged_and_added(stock: "Pages", tmp_path: "Path") -> None:
    assert "/import/c/stock.part" in stock.olivia.get("/c/stock.part").links
    assert "from a file" in stock.olivia.get("/import/c/stock.part").text
    found = kept(stock, FILE)
    work_until_idle()
    found = import_batches.get(stock.company.olivia, found.id)
    page = stock.olivia.get(f"/imports/{found.id}").text
    why = dict(import_batches.refused(found.id))
    assert (found.new, found.refused) == (2, 5), why
    assert "31 May 2026" in page
    assert "Forge" in page, "a key stands there by the name of what it leads to"
    assert "consent" not in page.lower()
    assert [why[number][0] for number in sorted(why)] == [
        "Since: This must be a day such as 2026-11-20.",
        "Maker: there is no maker 99.",
        "Price: This must be a number, such as 12.50.",
        "Another part with this SKU is there already.",
        "The same part stands on a line before.",
    ]
    assert len(parts(tmp_path)) == 1, "looking at a file adds nothing"
    done = import_batches.confirm(stock.company.olivia, found.id)
    work_until_idle()
    assert "Price" in dict(import_batches.refused(done.id))[3][0], (
        "a rule of the database itself refuses its line alone, in words"
    )
    assert parts(tmp_path)[1:] == [("B-1", 1234.5, "2026-05-31", 7, 1)]
    noted = "select count(*) from console.event where convert_from(body, 'UTF8') like %s"
    assert [
        fetch(noted, (f'%stock.part%"type":"{kind}"%',))[0][0]
        for kind in ("records_imported", "record_changed")
    ] == [1, 1]


def test_what_is_there_gets_what_the_file_says_where_that_is_asked_for(
    stock: "Pages", tmp_path: "Path"
) -> None:
    found = kept(stock, "sku,price\nA-1,6.25\nZ,1\n", "utf-16")
    chosen = {"c.0": "sku", "c.1": "price", "match": "sku", "change": "1", "spelling": "day", "do": "look"}
    stock.olivia.post(f"/imports/{found.id}", {"csrf_token": stock.olivia.token, **chosen})
    for collection, text in (
        ("stock.shelf", "shop_id,code,width\n1,A,2\n2,A,3\n"),
        ("stock.slot", "name,shop_id\nA,1\nA,2\n"),
    ):
        question = import_batches.keep(stock.company.olivia, collection, io.BytesIO(text.encode())).question
        assert question.match is None, "one column of a rule over two tells no records apart"
    again = import_batches.get(
        stock.company.olivia, stock.olivia.answer.headers["Location"].rpartition("/")[2]
    )
    assert (again.new, again.changed) == (1, 1)
    import_batches.confirm(stock.company.olivia, again.id)
    work_until_idle()
    assert [row[:2] for row in parts(tmp_path)] == [("A-1", 6.25), ("Z", 1)]


def test_who_may_not_add_records_imports_none(stock: "Pages") -> None:
    stock.stan.get("/import/c/stock.part", status=404)
    access.grant("reviewer", "collection:stock.part", ["browse", "read"], team="operations")
    assert "/import/c/stock.part" not in stock.rosa.get("/c/stock.part").links
    stock.rosa.get("/import/c/stock.part", status=403)


def test_a_file_tells_nobody_which_hidden_records_are_there(stock: "Pages") -> None:
    """Neither of a new record nor of one to change: what is out of sight is answered like what does not exist."""
    access.grant(
        "operator", "collection:stock.shop", ["browse", "read"], "record.name == 'North'", team="operations"
    )
    found = kept(stock, "SKU,Price,Shop\nC-1,1,2\nC-2,1,99\nA-1,5,2\nC-3,1,1\n")
    changed = [
        replace(kept(stock, f"SKU,Price,Shop\nA-1,5,{shop}\n").question, match="sku", change=True)
        for shop in (2, 99)
    ]
    hidden, nowhere = (
        import_batches.look(stock.company.olivia, "stock.part", question) for question in changed
    )
    work_until_idle()
    new = dict(import_batches.refused(found.id))
    assert new[2] == new[3] == ["Shop: there is no such shop."]
    assert sorted(new) == [2, 3, 4], "the shop that one sees may be named"
    assert (
        dict(import_batches.refused(hidden.id))
        == dict(import_batches.refused(nowhere.id))
        == {2: ["Shop: there is no such shop."]}
    )


def test_a_reference_is_told_by_the_name_of_the_record_where_that_means_one(
    stock: "Pages", tmp_path: "Path"
) -> None:
    with closing(sqlite3.connect(tmp_path / "stock.db")) as connection:
        connection.executescript(
            "insert into maker (id, name) values (20, 'Acme Ltd'), (21, 'Twin'), (22, 'Twin'), (23, '7');"
        )
    found = kept(
        stock,
        "SKU,Price,Maker\nD-1,5,Acme Ltd\nD-2,5,Twin\nD-3,5,Nobody\nD-4,5,7\nD-5,5,Acme  Ltd\nD-6,5,Hidden\n",
    )
    work_until_idle()
    assert {number: why[0] for number, why in import_batches.refused(found.id)} == {
        3: "Maker: 2 records are called Twin. Write the key of one.",
        4: "Maker: no maker is called Nobody.",
        7: "Maker: no maker is called Hidden.",
    }
    page = stock.olivia.get(f"/imports/{found.id}").text
    assert "A maker" not in page, "what leads to no record stands there as the file has it"
    import_batches.confirm(stock.company.olivia, found.id)
    work_until_idle()
    assert [(row[0], row[3]) for row in parts(tmp_path)[1:]] == [("D-1", 20), ("D-4", 7), ("D-5", 20)]
