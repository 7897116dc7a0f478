"""Documents of collections before any database is asked: keys, ids, the source they are about, and the tables that they name."""

from typing import Any

import pytest

from console import sources
from console.core.documents.collections import Stored
from console.errors import DefinitionError, Invalid, NotFound
from console.sources import DOCUMENT_KEYS, ID, NAME, keeping
from tests.tables import cases

GOOD = {"id": "shop.orders", "source": "shop", "table": "orders"}


def document(**more: Any) -> dict[str, Any]:
    return {key: value for key, value in {**GOOD, **more}.items() if value is not ...}


def structure(table: str, schema: str | None = "public") -> dict[str, Any]:
    return {"schema": schema, "table": table, "columns": []}


def refused(given: dict[str, Any], name: str = "shop") -> tuple[str, str, str]:
    """(message, field, reason) of the refusal of a document."""
    with pytest.raises(DefinitionError) as caught:
        keeping._check_document(name, given)
    (detail,) = caught.value.details
    return caught.value.message, str(detail["field"]), str(detail["reason"])


@cases("name", ["a", "Z", "shop", "Shop2", "shop-east", "shop_east", "a-", "a_", "A" * 63, "x0123456789"])
def test_a_name_of_a_source_may_be(name: str) -> None:
    assert NAME.fullmatch(name)


@cases(
    "name",
    [
        "", " ", "1shop", "-shop", "_shop", ".shop", "shop.east", "shop east", "shop/east", "shop:east", "shop\n", "\nshop", "shop\t", "shöp",
        "ünder", "shop\0", "a" * 64, "shop'", 'shop"', "shop;", "магазин", "shop%20", "~",
    ],
    ids=str.__repr__,
)  # fmt: skip
def test_a_name_of_a_source_may_not_be(name: str) -> None:
    assert not NAME.fullmatch(name)


@cases("name", ["", "1shop", "shop.east", "a" * 64, "shop\n", "../etc"], ids=str.__repr__)
def test_a_name_is_refused_before_the_url_is_looked_at(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        sources.add(name, "no url at all")
    assert [detail["field"] for detail in caught.value.details] == ["name"]
    assert caught.value.details[0]["reason"] == caught.value.message
    assert "at most 63" in caught.value.message


@cases("id_", ["a", "Z9", "shop.orders", "shop.public.orders", "shop-1.a_b", "a..b", "a.", "a-", "x" * 200], ids=str.__repr__)
def test_an_id_may_be(id_: str) -> None:
    keeping._check_document("shop", document(id=id_))
    assert ID.fullmatch(id_)


@cases(
    "id_",
    [
        "", " ", "1orders", ".orders", "-orders", "_orders", "shop/orders", "shop orders", "shop.orders\n", "shop:orders", "shop.örders",
        "x" * 201, "shop\0", "shop.orders?", "shop#orders", "<b>", "заказы", "shop.orders'", "*", "..", "a\\b", "a%2Fb",
    ],
    ids=str.__repr__,
)  # fmt: skip
def test_an_id_may_not_be(id_: str) -> None:
    message, field, reason = refused(document(id=id_))
    assert field == "id"
    assert reason.startswith("An id begins with a letter")
    assert message == f"{id_}: {reason}"


@cases("key", sorted(DOCUMENT_KEYS - {"id", "source", "table", "clearance"}))
@cases("value", [None, "", "words", [], {}, 0], ids=repr)
def test_what_a_known_key_holds_is_not_looked_at_here(key: str, value: Any) -> None:
    keeping._check_document("shop", document(**{key: value}))


@cases(
    "key",
    [
        "Id", "ID", " id", "id ", "tabel", "Table", "tables", "collection", "name", "labels", "field", "column", "segment", "relation", "keys",
        "permissions", "role", "url", "", "_", "__class__", "sql", "query", "where", "filter", "formats", "sumary", "subjects", "help ",
    ],
    ids=str.__repr__,
)  # fmt: skip
def test_a_key_that_means_nothing_is_refused_by_name(key: str) -> None:
    message, field, reason = refused(document(**{key: "x"}))
    assert field == key
    assert reason == f"A collection has no '{key}'."
    assert message == f"shop.orders: {reason}"


@pytest.mark.parametrize(
    ("strange", "first"),
    [
        (["zeta", "alpha"], "alpha"),
        (["b", "a", "c"], "a"),
        (["a", "B"], "B"),
        (["z", "label_two"], "label_two"),
    ],
    ids=["two", "three", "capitals first", "beside a known one"],
)
def test_of_several_the_first_by_name_is_told_whatever_their_order(strange: list[str], first: str) -> None:
    assert refused(document(**dict.fromkeys(strange, 1)))[1] == first
    assert refused(document(**dict.fromkeys(reversed(strange), 1)))[1] == first


@cases("key", ["id", "source", "table"])
@cases("value", [..., None, 0, 1, 1.5, True, False, [], ["shop"], {}, {"a": 1}, b"shop"], ids=repr)
def test_the_three_needed_keys_are_words(key: str, value: Any) -> None:
    message, field, reason = refused(document(**{key: value}))
    assert field == key
    assert reason == f"The document of a collection needs '{key}'."
    assert message.endswith(reason)


@cases(
    ("given", "message"),
    [
        ({}, "?: The document of a collection needs 'id'."),
        ({"table": "orders"}, "?: The document of a collection needs 'id'."),
        ({"nonsense": 1}, "?: A collection has no 'nonsense'."),
        ({"id": None}, "None: The document of a collection needs 'id'."),
        ({"id": 7, "source": "shop", "table": "orders"}, "7: The document of a collection needs 'id'."),
        ({"id": "a"}, "a: The document of a collection needs 'source'."),
        ({"id": "a", "source": "shop"}, "a: The document of a collection needs 'table'."),
        ({"id": "a", "source": "else"}, "a: The document of a collection needs 'table'."),
        ({"id": "1", "source": "else", "table": "t"}, "1: An id begins with a letter and has letters, digits, '.', '-' and '_' only."),
        ({"id": "a", "source": "else", "table": "t"}, "a: This document is about the data source else, not shop."),
        ({"id": "a", "source": "else", "tabel": "t"}, "a: A collection has no 'tabel'."),
    ],
    ids=["empty", "no id", "strange", "null id", "number id", "no source", "no table", "table first", "id first", "source", "key first"],
)
def test_the_message_names_the_document_and_one_thing_at_a_time(given: dict[str, Any], message: str) -> None:
    assert refused(given)[0] == message


@cases("source", ["", "Shop", "SHOP", "shop ", " shop", "shop2", "sho", "shop.orders", "shop\n"], ids=str.__repr__)
def test_a_document_is_about_exactly_this_source(source: str) -> None:
    _, field, reason = refused(document(source=source))
    assert field == "source"
    assert reason == f"This document is about the data source {source}, not shop."


def test_checking_leaves_the_document_as_it_was() -> None:
    given = document(label="Orders", fields={"a": {"label": "A"}})
    before = {**given, "fields": {"a": {"label": "A"}}}
    keeping._check_document("shop", given)
    assert given == before


# -- documents and the tables of the database together


def stored(tables: list[dict[str, Any]], *documents: dict[str, Any], schema: str | None = "public") -> list[Stored]:
    return keeping.stored_collections("shop", keeping.Look(tables, schema, ""), documents)


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
    ids=["none", "one", "two keep their order", "other schema", "both", "no schemas", "unnamed", "another default", "no default"],
)
def test_a_table_without_a_document_is_a_collection(schema: str | None, tables: list[tuple[str | None, str]], ids: list[str]) -> None:
    kept = stored([structure(table, of) for of, table in tables], schema=schema)
    assert [item.id for item in kept] == ids
    assert [item.position for item in kept] == list(range(len(ids)))
    assert all(item.source == "shop" and item.document == {} for item in kept)


def test_tables_without_a_letter_of_english_have_ids_of_their_own_and_keep_them() -> None:
    names = ["客户", "订单", "العملاء", "Żółć", "Заказы 2026"]
    ids = [item.id for item in stored([structure(name) for name in names])]
    assert len(set(ids)) == len(names)
    assert all(keeping.ID.fullmatch(each) and each.removeprefix("shop.").strip("_") for each in ids)
    assert ids == [stored([structure(name)])[0].id for name in names], "whatever else is there"


def test_a_stored_table_keeps_its_id_whatever_comes_before_it() -> None:
    """Rights and runs name collections by it: what is granted on one table must never open another."""
    seen = keeping.Look([structure("a b"), structure("a-b"), structure("a/b")], "public", "")
    known: dict[tuple[str | None, str], str] = {("public", "a/b"): "shop.a_b", ("public", "gone"): "shop.gone"}
    kept = {item.structure["table"]: item.id for item in keeping.stored_collections("shop", seen, [], known)}
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
    [{"table": "order"}, {"table": "Orders"}, {"table": ""}, {"schema": "sales"}, {"schema": "PUBLIC"}, {"table": "public.orders"}],
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


def test_what_is_kept_is_a_copy_of_the_document() -> None:
    given = document(label="Orders")
    (item,) = stored([structure("orders")], given)
    given["label"] = "changed"
    assert item.document["label"] == "Orders"


@pytest.mark.parametrize(
    ("schema", "table", "place"),
    [("public", "orders", "public.orders"), (None, "orders", "orders"), ("", "orders", "orders"), ("a.b", "c d", "a.b.c d")],
    ids=["with", "without", "empty", "odd"],
)
def test_the_place_of_a_table(schema: str | None, table: str, place: str) -> None:
    assert keeping.place(structure(table, schema)) == place


@pytest.mark.parametrize(
    ("error", "kind"),
    [(keeping._invalid("f", "why"), Invalid), (keeping._definition("c", "f", "why"), DefinitionError)],
    ids=["invalid", "definition"],
)
def test_a_refusal_names_field_and_reason(error: Invalid | DefinitionError, kind: type[Exception]) -> None:
    assert isinstance(error, kind)
    assert not isinstance(error, NotFound)
    assert error.details == [{"field": "f", "reason": "why"}]
