"""What people type above a list: what it means, and that nothing typed is ever an error."""

from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from console.core.documents.collections import Collection, Stored, assemble
from console.core.expressions.search_syntax import (
    LONGEST,
    MOST_TERMS,
    Several,
    Sought,
    Through,
    Way,
    Without,
    Words,
    read,
)
from console.core.filters import Test as Asked
from console.core.scopes import Scope, unrestricted
from console.formats import Look, sought_value


def structure(table: str, columns: dict[str, str]) -> dict[str, Any]:
    told = [
        {"name": name, "stored": stored, "nullable": True, **({"items": "text"} if stored == "array" else {})}
        for name, stored in columns.items()
    ]
    return {
        "schema": None,
        "table": table,
        "kind": "table",
        "dialect": "postgresql",
        "key": ["id"],
        "columns": told,
        "foreign_keys": [],
    }


ORDER = {
    "id": "integer",
    "ship_to": "text",
    "status": "text",
    "paid": "boolean",
    "amount": "decimal",
    "due": "date",
    "made_at": "datetime",
    "ref": "uuid",
    "tags": "array",
    "customer_id": "integer",
    "secret": "text",
    "mystery": "binary",
}
DOCUMENT = {
    "fields": {
        "ship_to": {"label": "Where to"},
        "status": {"options": [{"value": "wip", "label": "In work"}, {"value": "done", "label": "Done"}]},
        "secret": {"hidden": True},
    },
    "relations": [
        {
            "name": "buyer",
            "label": "Bought by",
            "collection": "customer",
            "via": "customer_id",
            "kind": "to_one",
        }
    ],
}
CUSTOMER = {"id": "integer", "name": "text", "born": "date", "tax_no": "text"}
COLLECTIONS = assemble(
    [
        Stored("order", "x", structure("order", ORDER), DOCUMENT),
        Stored("customer", "x", structure("customer", CUSTOMER), {}),
    ]
)
HERE: Collection = COLLECTIONS["order"]
BUYER = HERE.relation("buyer")
SCOPE = Scope("customer", everything=True, hidden=frozenset({"tax_no"}))


def way(name: str) -> Way | None:
    return Way(BUYER, COLLECTIONS["customer"], SCOPE) if name == "buyer" and BUYER else None


def sought(text: str, **more: Any) -> Sought | None:
    return read(text, HERE, frozenset({"ref"}), way, **more)


def asked(field: str, op: str, value: Any) -> Asked:
    return Asked(field, op, value)


def all_of(*items: Sought) -> Several:
    return Several("and", items)


def one_of(*items: Sought) -> Several:
    return Several("or", items)


def through(item: Sought) -> Through:
    assert BUYER is not None
    return Through(BUYER, SCOPE, item)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", None),
        (" \t\n ", None),
        ("ana", Words("ana")),
        ("ana ilić", one_of(Words("ana ilić"), all_of(Words("ana"), Words("ilić")))),
        ("ana AND ilić", one_of(Words("ana ilić"), all_of(Words("ana"), Words("ilić")))),
        ('"ana ilić"', Words("ana ilić")),
        ('"ana" ilić', all_of(Words("ana"), Words("ilić"))),
        ("ana OR tom", one_of(Words("ana"), Words("tom"))),
        ("ana or tom", one_of(Words("ana or tom"), all_of(Words("ana"), Words("or"), Words("tom")))),
        ("status=done or amount>20", one_of(asked("status", "eq", "done"), asked("amount", "gt", "20"))),
        (
            "status:done and amount<=20 or (ana)",
            one_of(all_of(asked("status", "eq", "done"), asked("amount", "lte", "20")), Words("ana")),
        ),
        (
            "due>=2026-03 ana or tom",
            all_of(asked("due", "gte", "2026-03-01"), Words("ana"), Words("or"), Words("tom")),
        ),
        ("a b OR c", one_of(one_of(Words("a b"), all_of(Words("a"), Words("b"))), Words("c"))),
        ("ANDERSON ORLY", one_of(Words("ANDERSON ORLY"), all_of(Words("ANDERSON"), Words("ORLY")))),
        ("-ana", Without(Words("ana"))),
        ("-(a OR b)", Without(one_of(Words("a"), Words("b")))),
        ("OR a", one_of(Words("OR a"), all_of(Words("OR"), Words("a")))),
        ("well-known", Words("well-known")),
        ("-", Words("-")),
        ("status:wip", asked("status", "eq", "wip")),
        ("status:DONE", asked("status", "eq", "done")),
        ('status:"in work"', asked("status", "eq", "wip")),
        ("status:lost", asked("status", "eq", "lost")),
        ("Ship-To:graz", asked("ship_to", "contains", "graz")),
        ("SHIP_TO:graz", asked("ship_to", "contains", "graz")),
        ("whereto:graz", asked("ship_to", "contains", "graz")),
        ("ship_to:NULL", asked("ship_to", "is_null", True)),
        ('ship_to:"NULL"', asked("ship_to", "contains", "NULL")),
        ("-ship_to:NULL", Without(asked("ship_to", "is_null", True))),
        ("paid:yes", asked("paid", "eq", True)),
        ("paid:False", asked("paid", "eq", False)),
        ("id:17", asked("id", "eq", "17")),
        ("amount:-3.50", asked("amount", "eq", "-3.50")),
        ("amount:>20", asked("amount", "gt", "20")),
        ("amount:>=20", asked("amount", "gte", "20")),
        ("amount:<20", asked("amount", "lt", "20")),
        ("amount:<=20", asked("amount", "lte", "20")),
        ("tags:vip", asked("tags", "contains", "vip")),
        ("due:2026", all_of(asked("due", "gte", "2026-01-01"), asked("due", "lt", "2027-01-01"))),
        ("due:2026-12", all_of(asked("due", "gte", "2026-12-01"), asked("due", "lt", "2027-01-01"))),
        ("due:2024-02", all_of(asked("due", "gte", "2024-02-01"), asked("due", "lt", "2024-03-01"))),
        ("due:2024-02-29", all_of(asked("due", "gte", "2024-02-29"), asked("due", "lt", "2024-03-01"))),
        ("due:>2026-01", asked("due", "gte", "2026-02-01")),
        ("due:>=2026-01", asked("due", "gte", "2026-01-01")),
        ("due:<2026-01", asked("due", "lt", "2026-01-01")),
        ("due:<=2026-01", asked("due", "lt", "2026-02-01")),
        ("made_at:>2026-01-02T03:04:05Z", asked("made_at", "gt", "2026-01-02T03:04:05Z")),
        ("buyer.name:ana", through(asked("name", "contains", "ana"))),
        ("Bought-By.NAME:ana", through(asked("name", "contains", "ana"))),
        (
            "buyer.born:1980",
            through(all_of(asked("born", "gte", "1980-01-01"), asked("born", "lt", "1981-01-01"))),
        ),
        ("buyer:ana", through(Words("ana"))),
        ("customer_id:ana", through(Words("ana"))),
        ("customer_id:7", asked("customer_id", "eq", "7")),
        ("-buyer.name:NULL", Without(through(asked("name", "is_null", True)))),
        ("(a OR b) status:done", all_of(one_of(Words("a"), Words("b")), asked("status", "eq", "done"))),
    ],
)
def test_what_it_means(text: str, meant: Sought | None) -> None:
    assert sought(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        *('"ana', "(ana", "ana)", "()", "a AND", "-()", "a OR", '""', 'a ""'),
        *(
            "x" * 3 + " (" * 3,
            "(" * 400 + "a" + ")" * 400,
            " ".join(["a"] * (MOST_TERMS + 1)),
            "-(" * 60 + "a" + ")" * 60,
        ),
    ],
)
def test_what_cannot_be_read_is_looked_for_as_it_stands(text: str) -> None:
    assert sought(text) == Words(text.strip()[:LONGEST])


@pytest.mark.parametrize(
    "text",
    [
        *(
            "nothing:here",
            "https://x.example/a?b=c",
            "a=b",
            "x->y",
            "<b>bold</b>",
            "12:30",
            "amount:lots",
            "amount:>lots",
            "due:2026-13",
            "due:2026-02-30",
            "paid:perhaps",
            "ship_to:>m",
        ),
        *(
            "secret:x",
            "ref:6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e",
            "mystery:x",
            "buyer.tax_no:1",
            "buyer.nowhere:1",
            "nobody.name:ana",
            "buyer:>ana",
            "due:0000",
        ),
    ],
)
def test_a_field_or_value_that_is_none_is_looked_for_as_it_stands(text: str) -> None:
    """Hidden fields, here and where a relation leads, are as if they were not there."""
    assert sought(text) == Words(text)


@pytest.mark.parametrize(
    ("zone", "first", "after"),
    [
        ("UTC", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ("Europe/Vilnius", "2026-02-28T22:00:00Z", "2026-03-31T21:00:00Z"),
    ],
)
def test_days_are_those_of_the_reader(zone: str, first: str, after: str) -> None:
    assert sought("made_at:2026-03", zone=zone) == all_of(
        asked("made_at", "gte", first), asked("made_at", "lt", after)
    )


def test_an_extended_search_looks_where_the_record_refers_to() -> None:
    assert sought("ana", extended=True) == one_of(Words("ana"), through(Words("ana")))
    assert sought("status:done", extended=True) == asked("status", "eq", "done")
    assert read("ana", HERE, extended=True) == Words("ana")


def test_a_relation_over_a_hidden_column_leads_nowhere() -> None:
    assert read("buyer.name:ana", HERE, frozenset({"customer_id"}), way) == Words("buyer.name:ana")
    assert read("ana", HERE, frozenset({"customer_id"}), way, extended=True) == Words("ana")


PIECES = st.sampled_from(
    [
        *'()"-:<>= ',
        "AND",
        "OR",
        "NULL",
        "status:",
        "due:",
        "buyer.",
        "2026-01",
        "ana",
        "ñ",
        "\0",
        "\u202e",
        "💥",
        "a" * 50,
        "\n",
    ]
)


@settings(max_examples=300)
@given(text=st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=80))
def test_whatever_is_typed_means_something(text: str) -> None:
    found = sought(text)
    assert (found is None) == (not text.strip()[:LONGEST])
    assert sought(text) == found


def test_a_scope_comes_with_the_relation() -> None:
    narrow = unrestricted("customer")
    found = read(
        "buyer:ana", HERE, ways=lambda _name: Way(BUYER, COLLECTIONS["customer"], narrow) if BUYER else None
    )
    assert isinstance(found, Through)
    assert found.scope is narrow


SHOWN = {
    "fields": {
        "amount": {"widget": "money", "minor": True, "currency": "EUR"},
        "yen": {"widget": "money", "minor": True, "currency": "JPY"},
        "any_amount": {"widget": "money", "minor": True, "currency": "of"},
        "share": {"widget": "fraction"},
        "seen": {"widget": "unix"},
        "country": {"widget": "country"},
    }
}
BOOKED = assemble(
    [
        Stored(
            "booked",
            "x",
            structure(
                "booked",
                {
                    "id": "integer",
                    "amount": "integer",
                    "yen": "integer",
                    "any_amount": "integer",
                    "of": "text",
                    "share": "decimal",
                    "seen": "integer",
                    "country": "text",
                },
            ),
            SHOWN,
        )
    ]
)["booked"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("amount:>300", asked("amount", "gt", 30000)),
        ("amount:45.99", asked("amount", "eq", 4599)),
        ("amount:<=1,200.50", asked("amount", "lte", 120050)),
        ("yen:>=5443", asked("yen", "gte", 5443)),
        ("any_amount:>300", Asked("any_amount", "gt", "300", whole="of")),
        ("amount:lots", Words("amount:lots")),
        ("share:>5", asked("share", "gt", "0.05")),
        ("share:3.9%", asked("share", "eq", "0.039")),
        ("seen:1970-01-02", all_of(asked("seen", "gte", 86400), asked("seen", "lt", 172800))),
        ("country:lithuania", asked("country", "eq", "LT")),
        ("country:LT", asked("country", "contains", "LT")),
    ],
)
def test_a_field_is_asked_for_what_people_read_in_it(text: str, meant: Sought) -> None:
    """Amounts in whole units, parts of one in per cent, moments by their day, codes by their names."""
    assert read(text, BOOKED, kept=partial(sought_value, Look())) == meant
