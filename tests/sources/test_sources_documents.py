"""Documents of collections before any database is asked: keys, ids, the source they are about, and the tables that they name."""

from typing import Any

import pytest

from console.core.documents.collections import Stored
from console.core.errors import DefinitionError
from console.sources import NAME, source_store
from tests.tables import cases

GOOD = {"id": "shop.orders", "source": "shop", "table": "orders"}


def document(**more: Any) -> dict[str, Any]:
    return {key: value for key, value in {**GOOD, **more}.items() if value is not ...}


def structure(table: str, schema: str | None = "public") -> dict[str, Any]:
    return {"schema": schema, "table": table, "columns": []}


def refused(given: dict[str, Any], name: str = "shop") -> tuple[str, str, str]:
    """(message, field, reason) of the refusal of a document."""
    with pytest.raises(DefinitionError) as caught:
        source_store._check_document(name, given)
    (detail,) = caught.value.details
    return caught.value.message, str(detail["field"]), str(detail["reason"])


@cases("name", ["a", "Z", "shop", "Shop2", "shop-east", "shop_east", "a-", "a_", "A" * 63, "x0123456789"])
def test_a_name_of_a_source_may_be(name: str) -> None:
    assert NAME.fullmatch(name)


@cases(
    "name",
    [
        "",
        " ",
        "1shop",
        "-shop",
        "_shop",
        ".shop",
        "shop.east",
        "shop east",
        "shop/east",
        "shop:east",
        "shop\n",
        "\nshop",
        "shop\t",
        "shöp",
        "ünder",
        "shop\0",
        "a" * 64,
        "shop'",
        'shop"',
        "shop;",
        "магазин",
        "shop%20",
        "~",
    ],
    ids=str.__repr__,
)
def test_a_name_of_a_source_may_not_be(name: str) -> None:
    assert not NAME.fullmatch(name)


@cases(
    "id_",
    [
        "",
        " ",
        "1orders",
        ".orders",
        "-orders",
        "_orders",
        "shop/orders",
        "shop orders",
        "shop.orders\n",
        "shop:orders",
        "shop.örders",
        "x" * 201,
        "shop\0",
        "shop.orders?",
        "shop#orders",
        "<b>",
        "заказы",
        "shop.orders'",
        "*",
        "..",
        "a\\b",
        "a%2Fb",
    ],
    ids=str.__repr__,
)
def test_an_id_may_not_be(id_: str) -> None:
    message, field, reason = refused(document(id=id_))
    assert field == "id"
    assert reason.startswith("An id begins with a letter")
    assert message == f"{id_}: {reason}"


@cases(
    "key",
    [
        "Id",
        "ID",
        " id",
        "id ",
        "tabel",
        "Table",
        "tables",
        "collection",
        "name",
        "labels",
        "field",
        "column",
        "segment",
        "relation",
        "keys",
        "permissions",
        "role",
        "url",
        "",
        "_",
        "__class__",
        "sql",
        "query",
        "where",
        "filter",
        "formats",
        "sumary",
        "subjects",
        "help ",
    ],
    ids=str.__repr__,
)
def test_a_key_that_means_nothing_is_refused_by_name(key: str) -> None:
    message, field, reason = refused(document(**{key: "x"}))
    assert field == key
    assert reason == f"A collection has no '{key}'."
    assert message == f"shop.orders: {reason}"


@cases(
    "source",
    ["", "Shop", "SHOP", "shop ", " shop", "shop2", "sho", "shop.orders", "shop\n"],
    ids=str.__repr__,
)
def test_a_document_is_about_exactly_this_source(source: str) -> None:
    _, field, reason = refused(document(source=source))
    assert field == "source"
    assert reason == f"This document is about the data source {source}, not shop."


# -- documents and the tables of the database together


def stored(
    tables: list[dict[str, Any]], *documents: dict[str, Any], schema: str | None = "public"
) -> list[Stored]:
    return source_store.stored_collections("shop", source_store.Look(tables, schema, ""), documents)


@cases(
    ("schema", "tables", "ids"),
    [
        ("public", [], []),
        ("public", [("public", "orders")], ["shop.orders"]),
        ("public", [("public", "b"), ("public", "a")], ["shop.b", "shop.a"]),
        ("public", [("sales", "orders")], ["shop.sales.orders"]),
        ("public", [("public", "orders"), ("sales", "orders")], ["shop.orders", "shop.sales.orders"]),
        (None, [(None, "orders")], ["shop.orders"]),
        ("main", [(None, "orders")], ["shop.orders"]),
        ("sales", [("sales", "orders"), ("public", "orders")], ["shop.orders", "shop.public.orders"]),
        (None, [("sales", "orders")], ["shop.sales.orders"]),
    ],
    ids=[
        "none",
        "one",
        "two keep their order",
        "other schema",
        "both",
        "no schemas",
        "unnamed",
        "another default",
        "no default",
    ],
)
def test_a_table_without_a_document_is_a_collection(
    schema: str | None, tables: list[tuple[str | None, str]], ids: list[str]
) -> None:
    kept = stored([structure(table, of) for of, table in tables], schema=schema)
    assert [item.id for item in kept] == ids
    assert [item.position for item in kept] == list(range(len(ids)))
    assert all(item.source == "shop" and item.document == {} for item in kept)


def test_tables_without_a_letter_of_english_have_ids_of_their_own_and_keep_them() -> None:
    names = ["客户", "订单", "العملاء", "Żółć", "Заказы 2026"]
    ids = [item.id for item in stored([structure(name) for name in names])]
    assert len(set(ids)) == len(names)
    assert all(source_store.ID.fullmatch(each) and each.removeprefix("shop.").strip("_") for each in ids)
    assert ids == [stored([structure(name)])[0].id for name in names], "whatever else is there"


def test_a_stored_table_keeps_its_id_whatever_comes_before_it() -> None:
    """Rights and runs name collections by it: what is granted on one table must never open another."""
    seen = source_store.Look([structure("a b"), structure("a-b"), structure("a/b")], "public", "")
    known: dict[tuple[str | None, str], str] = {
        ("public", "a/b"): "shop.a_b",
        ("public", "gone"): "shop.gone",
    }
    kept = {
        item.structure["table"]: item.id for item in source_store.stored_collections("shop", seen, [], known)
    }
    assert kept == {"a b": "shop.a_b_2", "a-b": "shop.a-b", "a/b": "shop.a_b"}


def test_documents_come_first_in_their_order_and_take_their_tables() -> None:
    tables = [structure("a"), structure("b"), structure("c"), structure("d")]
    kept = stored(tables, document(id="x.c", table="c"), document(id="x.a", table="a"))
    assert [(item.id, item.structure["table"], item.position) for item in kept] == [
        ("x.c", "c", 0),
        ("x.a", "a", 1),
        ("shop.b", "b", 2),
        ("shop.d", "d", 3),
    ]


@pytest.mark.parametrize(
    ("named", "of"),
    [(..., "public"), (None, "public"), ("", "public"), ("public", "public"), ("sales", "sales")],
    ids=["left away", "null", "empty", "the default", "another"],
)
def test_a_document_without_a_schema_means_the_default_one(named: Any, of: str) -> None:
    first = stored([structure("orders", "sales"), structure("orders", "public")], document(schema=named))[0]
    assert first.id == "shop.orders"
    assert first.structure["schema"] == of


@cases(
    "more",
    [
        {"table": "order"},
        {"table": "Orders"},
        {"table": ""},
        {"schema": "sales"},
        {"schema": "PUBLIC"},
        {"table": "public.orders"},
    ],
    ids=["singular", "capital", "empty", "other schema", "schema in capitals", "both in one"],
)
def test_a_table_that_is_not_there_is_told(more: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError) as caught:
        stored([structure("orders")], document(**more))
    assert caught.value.details[0]["field"] == "table"
    assert f"has no table {more.get('table', 'orders')} that" in caught.value.message


def test_a_table_has_one_document() -> None:
    with pytest.raises(DefinitionError, match="has no table orders"):
        stored([structure("orders")], document(id="one"), document(id="two"))
