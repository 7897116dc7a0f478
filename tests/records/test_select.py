"""Lists and single records: pages without gaps or doubles, in order, within the scope, in a fixed number of statements."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from console import records
from console.core import expressions, filters
from console.core.errors import Malformed, NotFound
from console.core.scopes import Scope, none, unrestricted
from console.infra.postgres import Embedded
from console.records import catalogue, indexes

C = "shop.customer"


@pytest.fixture(params=["shop", "file"])
def either(request: pytest.FixtureRequest, shops: None) -> str:
    """The name of the shop in one database, then in the other."""
    return str(request.param)


@contextmanager
def statements(collection_id: str = C) -> Iterator[list[str]]:
    """The SQL that goes to the collection's source meanwhile."""
    seen: list[str] = []
    engine = catalogue.engine_of(records.collection(collection_id))
    indexes.indexes_of(records.collection(collection_id))  # asked once a minute, not by each list

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", note)


def keys(page: records.Page) -> list[str | None]:
    return [row.key for row in page.rows]


def walk(collection_id: str, limit: int, **asked: Any) -> list[str | None]:
    """Every key of the list, forwards in pages; asserts that the way back is the same pages."""
    pages = [records.page(collection_id, unrestricted(collection_id), limit=limit, **asked)]
    while pages[-1].next:
        pages.append(
            records.page(
                collection_id, unrestricted(collection_id), limit=limit, after=pages[-1].next, **asked
            )
        )
        assert len(pages) < 100
    back = [pages[-1]]
    while back[-1].previous:
        back.append(
            records.page(
                collection_id, unrestricted(collection_id), limit=limit, before=back[-1].previous, **asked
            )
        )
    assert [keys(page) for page in reversed(back)] == [keys(page) for page in pages]
    return [key for page in pages for key in keys(page)]


@pytest.mark.parametrize(
    "sort",
    [
        None,
        "id",
        "-id",
        "name",
        "-name",
        "email",
        "-email",
        "mood",
        "balance",
        "-balance",
        "visits",
        "-visits",
        "vip",
        "born",
        "-born",
        "seen_at",
        "-seen_at",
        "opens",
        "-opens",
        "ratio",
    ],
)
@pytest.mark.parametrize("limit", [1, 3])
def test_pages_go_both_ways_without_gap_or_double(either: str, sort: str | None, limit: int) -> None:
    place = f"{either}.customer"
    found = walk(place, limit, sort=sort)
    assert sorted(found, key=str) == ["1", "2", "3", "4"]
    assert found == keys(records.page(place, unrestricted(place), sort=sort))
    assert walk(place, 4, sort=sort) == found


@pytest.mark.parametrize("table", ["order", "keyless", "summary"])
def test_composite_keys_and_lists_without_key(either: str, table: str) -> None:
    collection = f"{either}.{table}"
    found = [row.values for row in records.page(collection, unrestricted(collection)).rows]
    first = records.page(collection, unrestricted(collection), limit=2)
    seen = list(first.rows)
    while first.next:
        first = records.page(collection, unrestricted(collection), limit=2, after=first.next)
        seen += first.rows
    assert [row.values for row in seen] == found
    assert len(found) == records.count(collection, unrestricted(collection))
    if table != "order":
        assert {row.key for row in seen} == {None}
        with pytest.raises(NotFound):
            records.get(collection, "1", unrestricted(collection))


def test_a_list_without_key_goes_back_by_number(shop: Embedded) -> None:
    first = records.page("shop.keyless", unrestricted("x"), limit=10, sort="-a")
    second = records.page("shop.keyless", unrestricted("x"), limit=10, sort="-a", after=first.next)
    assert (
        records.page("shop.keyless", unrestricted("x"), limit=10, sort="-a", before=second.previous).rows
        == first.rows
    )
    assert first.previous is None


def test_cursors_survive_what_comes_and_goes(file: str) -> None:
    first = records.page(C, unrestricted(C), sort="name", limit=2)
    with sqlite3.connect(file.removeprefix("sqlite:///")) as connection:
        connection.execute("delete from customer where id = ?", (first.rows[-1].key,))
        connection.execute("insert into customer (id, name, mood) values (77, '0 comes first', 'open')")
    connection.close()
    rest = records.page(C, unrestricted(C), sort="name", limit=9, after=first.next)
    assert keys(rest) == ["2", "4"]
    assert keys(records.page(C, unrestricted(C), sort="name", limit=9, before=rest.previous)) == ["77", "3"]


@pytest.mark.parametrize(
    ("sort", "named"),
    [
        ("nope", "nope"),
        ("-nope", "nope"),
        ("secret", "secret"),
        ("place", "place"),
        ("tags", "tags"),
        ("photo", "photo"),
        ("name,nope", "nope"),
        ("--name", "-name"),
    ],
)
def test_a_sort_that_is_none_is_named(shop: Embedded, sort: str, named: str) -> None:
    scope = Scope(C, everything=True, hidden=frozenset({"secret"}))
    with pytest.raises(Malformed) as error:
        records.page(C, scope, sort=sort)
    assert named in error.value.message.lower()


def test_hidden_fields_are_not_even_selected(shop: Embedded) -> None:
    scope = Scope(C, everything=True, hidden=frozenset({"secret", "name"}))
    with statements() as seen:
        page = records.page(C, scope, q="s1")
        one = records.get(C, "1", scope)
        records.titles(C, ["1"], scope)
    assert len(seen) == 3
    assert not [sql for sql in seen if "secret" in sql or "customer.name" in sql]
    assert page.rows == []
    assert one.title == "Customer 1"
    assert not {"secret", "name"} & one.values.keys()


def test_a_page_is_one_statement_and_so_is_the_count(shop: Embedded) -> None:
    records.page(C, unrestricted(C), limit=1)
    with statements() as seen:
        first = records.page(C, unrestricted(C), sort="-email", limit=1)
        records.page(
            C,
            unrestricted(C),
            sort="-email",
            limit=1,
            after=first.next,
            q="a",
            where=filters.Test("mood", "ne", "closed"),
        )
        records.count(C, unrestricted(C))
        records.visible_keys(C, ["1", "2", "nope", "017", "99"], unrestricted(C))
    assert len(seen) == 4


def test_what_is_asked_again_is_answered_for_who_asks_now(shop: Embedded) -> None:
    hidden = Scope(C, everything=True, hidden=frozenset({"name"}))
    for _ in range(2):
        assert keys(records.page(C, unrestricted(C), q="lovelace")) == ["1"]
        assert keys(records.page(C, hidden, q="lovelace")) == []
        assert keys(records.page(C, unrestricted(C), where=filters.Test("mood", "eq", "open"))) == ["1", "4"]
        assert keys(records.page(C, unrestricted(C), where=filters.Test("mood", "eq", "closed"))) == ["2"]
        assert keys(records.page(C, scope("record.mood == 'open'"), limit=1)) == ["1"]
        assert keys(records.page(C, scope("record.mood == $currentUser.mood", mood="closed"), limit=1)) == [
            "2"
        ]
        assert keys(records.page(C, none(C))) == []
        for sort in ("email", "-email", None):  # with nulls on both sides of the anchor
            everything = keys(records.page(C, unrestricted(C), sort=sort))
            for limit in (1, 2, 3):
                assert walk(C, limit, sort=sort) == everything


def scope(*allow: str, deny: tuple[str, ...] = (), **attributes: Any) -> Scope:
    return Scope(C, tuple(map(expressions.parse, allow)), tuple(map(expressions.parse, deny)), attributes)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (none(C), []),
        (unrestricted(C), ["1", "2", "3", "4"]),
        (scope("record.mood == 'open'"), ["1", "4"]),
        (scope("record.mood == 'open'", "record.vip == false"), ["1", "2", "4"]),
        (scope("true", deny=("record.vip",)), ["2"]),
        (scope("record.mood in $currentUser.moods", moods=["closed", "on hold"]), ["2", "3"]),
        (scope("record.mood in $currentUser.moods"), []),
        (scope("record.name.contains('%')"), ["3"]),
    ],
)
def test_every_read_is_within_the_scope(either: str, given: Scope, wanted: list[str]) -> None:
    place = f"{either}.customer"
    every = ["1", "2", "3", "4"]
    assert keys(records.page(place, given)) == wanted
    assert records.count(place, given) == len(wanted)
    assert records.visible_keys(place, every, given) == set(wanted)
    assert sorted(records.titles(place, every, given)) == wanted
    for key in every:
        if key in wanted:
            assert records.get(place, key, given).key == key
        else:
            with pytest.raises(NotFound):
                records.get(place, key, given)


@pytest.mark.parametrize("collection", ["shop.back.note", "shop.odd", "shop.order", "shop.pair"])
def test_every_record_opens_by_its_key(shop: Embedded, collection: str) -> None:
    rows = records.page(collection, unrestricted(collection)).rows
    assert rows
    for row in rows:
        assert row.key is not None
        assert "/" not in row.key
        assert row.key not in {".", ".."}
        assert records.get(collection, row.key, unrestricted(collection)) == row
    assert records.visible_keys(collection, [str(row.key) for row in rows], unrestricted(collection)) == {
        row.key for row in rows
    }


@pytest.mark.parametrize(
    ("q", "wanted"),
    [
        ("ada", ["1"]),
        ("ADA", ["1"]),
        ("ÄNN", ["4"]),
        ('zoë "quote" o\'neil', ["2"]),
        ("%", ["3"]),
        ("_", ["3"]),
        ("100%_", ["3"]),
        ("\\", []),
        ("x.example", ["1", "3", "4"]),
        ("on hold", ["3"]),
        ("hold", []),
        ("3", ["1"]),
        ("-7", ["4"]),
        ("6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e", ["1"]),
        ("s1", []),
        ("nul\x00", []),
        ("\ud800", []),
        ("   ", ["1", "2", "3", "4"]),
        ("  ada  ", ["1"]),
    ],
)
def test_quick_search(shop: Embedded, q: str, wanted: list[str]) -> None:
    assert keys(records.page(C, unrestricted(C), q=q)) == wanted
    assert records.count(C, unrestricted(C), q=q) == len(wanted)


@pytest.mark.parametrize(
    ("filter_", "wanted"),
    [
        ({"field": "mood", "op": "eq", "value": "open"}, ["1", "4"]),
        ({"field": "mood", "op": "ne", "value": "open"}, ["2", "3"]),
        ({"field": "email", "op": "eq", "value": None}, ["2"]),
        ({"field": "email", "op": "ne", "value": "ada@x.example"}, ["2", "3", "4"]),
        ({"field": "email", "op": "is_null", "value": False}, ["1", "3", "4"]),
        ({"field": "email", "op": "is_null"}, ["2"]),
        ({"field": "balance", "op": "gt", "value": "-3.00"}, ["1", "4"]),
        ({"field": "balance", "op": "gte", "value": -3}, ["1", "3", "4"]),
        ({"field": "balance", "op": "lt", "value": "12.5"}, ["3"]),
        ({"field": "balance", "op": "lte", "value": "12.50"}, ["1", "3"]),
        ({"field": "name", "op": "contains", "value": "%_"}, ["3"]),
        ({"field": "name", "op": "contains", "value": "LOVE"}, ["1"]),
        ({"field": "name", "op": "starts_with", "value": "Ä"}, ["4"]),
        ({"field": "name", "op": "starts_with", "value": "lace"}, []),
        ({"field": "visits", "op": "in", "value": [0, 3, None]}, ["1", "2", "3"]),
        ({"field": "visits", "op": "in", "value": []}, []),
        ({"field": "vip", "op": "eq", "value": False}, ["2"]),
        ({"field": "born", "op": "lt", "value": "1900-01-01"}, ["1"]),
        ({"field": "seen_at", "op": "gte", "value": "2026-01-01T00:00:00Z"}, ["1", "4"]),
        ({"and": []}, ["1", "2", "3", "4"]),
        ({"or": []}, []),
        (
            {
                "or": [
                    {"field": "id", "op": "eq", "value": 1},
                    {
                        "and": [
                            {"field": "mood", "op": "eq", "value": "closed"},
                            {"field": "vip", "op": "eq", "value": False},
                        ]
                    },
                ]
            },
            ["1", "2"],
        ),
        ({"field": "name", "op": "eq", "value": "nul\x00"}, []),
        ({"field": "name", "op": "contains", "value": "\ud800"}, []),
        ({"field": "id", "op": "eq", "value": 10**30}, []),
        ({"field": "visits", "op": "eq", "value": "3.5"}, []),
    ],
)
def test_filters(either: str, filter_: dict[str, Any], wanted: list[str]) -> None:
    place = f"{either}.customer"
    if either == "shop" and filter_.get("field") in {"born", "seen_at"}:
        wanted = {"born": ["1", "4"], "seen_at": ["1", "3"]}[
            filter_["field"]
        ]  # PostgreSQL keeps years before Christ, and infinity
    where = filters.read(filter_, records.collection(place))
    assert keys(records.page(place, unrestricted(place), where=where)) == wanted
    assert records.count(place, unrestricted(place), where) == len(wanted)


@pytest.mark.parametrize(
    ("filter_", "wanted"),
    [
        ({"field": "tags", "op": "contains", "value": "b"}, ["1", "4"]),
        ({"field": "tags", "op": "in", "value": ["a", "c"]}, ["1", "3"]),
        ({"field": "tags", "op": "eq", "value": "b"}, ["1", "4"]),
        ({"field": "ref", "op": "eq", "value": "6F1C3CBE-3C0F-4B52-8F1E-3C0F4B528F1E"}, ["1"]),
        ({"field": "opens", "op": "gt", "value": "08:00"}, ["1", "3"]),
        ({"field": "half", "op": "eq", "value": "2.5"}, ["4"]),
        ({"field": "ratio", "op": "gt", "value": 0}, ["1", "4"]),
        ({"field": "shelf", "op": "eq", "value": "low"}, ["3"]),
        ({"field": "home", "op": "in", "value": ["GB", "FR"]}, ["1", "4"]),
        ({"field": "code", "op": "eq", "value": "ab"}, ["1"]),
        ({"field": "wait", "op": "is_null", "value": True}, ["2", "4"]),
    ],
)
def test_filters_of_types_that_postgresql_alone_has(
    shop: Embedded, filter_: dict[str, Any], wanted: list[str]
) -> None:
    assert (
        keys(records.page(C, unrestricted(C), where=filters.read(filter_, records.collection(C)))) == wanted
    )


def test_a_count_stops_at_its_cap(shop: Embedded) -> None:
    assert records.count("shop.keyless", unrestricted("x"), cap=10) == 11
    assert records.count("shop.keyless", unrestricted("x"), cap=None) == 30


def test_relations_lead_both_ways_within_the_scope_of_the_other_side(shop: Embedded) -> None:
    notes = records.related(C, "1", "note_by_customer", unrestricted("shop.back.note"), sort="id")
    assert [row.values["id"] for row in notes.rows] == ["", "..", "a/b", "plain"]
    assert [
        row.key for row in records.related("shop.order", notes_key(1, 2), "customer", unrestricted(C)).rows
    ] == ["1"]
    narrow = Scope("shop.back.note", (expressions.parse("record.body == 'slash'"),))
    assert len(records.related(C, "1", "note_by_customer", narrow).rows) == 1
    assert records.related(C, "4", "note_by_customer", unrestricted("x")).rows == []
    where = expressions.parse("record.body.startsWith('d')")
    assert [
        row.values["id"]
        for row in records.related(C, "1", "note_by_customer", unrestricted("x"), where=where).rows
    ] == [".."]
    first = records.related(C, "1", "note_by_customer", unrestricted("x"), 3)
    assert len(records.related(C, "1", "note_by_customer", unrestricted("x"), 3, first.next).rows) == 1
    orphan = next(
        row.key
        for row in records.page("shop.back.note", unrestricted("x")).rows
        if row.values["id"] == "~tilde"
    )
    assert records.related("shop.back.note", str(orphan), "customer", unrestricted(C)).rows == []


def notes_key(customer: int, line: int) -> str:
    rows = records.page("shop.order", unrestricted("shop.order")).rows
    return next(
        str(row.key) for row in rows if (row.values["customer_id"], row.values["line"]) == (customer, line)
    )
