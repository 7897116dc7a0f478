"""The search box of a list: what each kind of field answers, and which fields are never looked at."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console import records
from console.core.scopes import Scope, unrestricted
from console.records.search import searched_fields
from tests.records.files import opened

SHOP = """
create table customer (
    id integer primary key, name text, email text, mood text check (mood in ('open', 'on hold', 'closed')), balance numeric(10, 2), ref uuid,
    born date, vip boolean, secret text, place json, rank integer
);
insert into customer values
 (1, 'Ada Lovelace', 'ada@x.example', 'open', 12.50, '6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e', '1815-12-10', 1, 's1', '{"city": "London"}', 21),
 (2, 'Zoë "Quote" O''Neil', null, 'on hold', null, null, null, 0, 'Ada', null, 22),
 (3, '100%_sure', 'z@x.example', 'closed', -3, null, '2001-02-03', null, 'hush', '[]', 22),
 (4, 'ÄNNE', 'a@x.example', 'open', 1000000, null, null, 1, null, null, 21),
 (5, 'wholly open-minded', null, 'closed', 17, null, null, null, null, null, 9),
 (17, 'a/b\\c', null, null, 1, null, null, null, null, null, null);
"""
DOCUMENT = {
    "fields": {
        "secret": {"hidden": True},
        "rank": {
            "options": [{"value": "21", "label": "First class"}, {"value": "22", "label": "Second class"}]
        },
        "mood": {
            "options": [
                {"value": "open", "label": "Open"},
                {"value": "on hold", "label": "Waiting"},
                {"value": "closed"},
            ]
        },
    }
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with opened(tmp_path_factory.mktemp("search"), SHOP, {"customer": DOCUMENT}) as found:
        yield found["customer"]


def found(q: str, scope: Scope | None = None) -> list[str | None]:
    rows = [row.key for row in records.page("customer", scope or unrestricted("customer"), q=q).rows]
    assert records.count("customer", scope or unrestricted("customer"), q=q) == len(rows)
    return rows


EVERY = ["1", "2", "3", "4", "5", "17"]


@pytest.mark.parametrize(
    ("q", "keys"),
    [
        ("ada", ["1"]),
        ("ADA", ["1"]),
        ("second class", ["2", "3"]),
        ("22", ["2", "3"]),
        ("9", ["5"]),
        ("class", []),
        ("  ada  ", ["1"]),
        ("lovelace ada", []),
        ("a love", ["1"]),
        ("", EVERY),
        ("   ", EVERY),
        ("\t\n", EVERY),
        ("zoë", ["2"]),
        ("ZOË", ["2"]),
        ("zoe", []),
        ("änne", ["4"]),
        ("o'neil", ["2"]),
        ('"quote"', ["2"]),
        ("%", ["3"]),
        ("_", ["3"]),
        ("0%_S", ["3"]),
        ("a%e", []),
        ("a/b", ["17"]),
        ("b\\c", ["17"]),
        ("' or 1=1 --", []),
        ("x.example", ["1", "3", "4"]),
        ("open", ["1", "4", "5"]),
        ("Open", ["1", "4", "5"]),
        ("ope", ["5"]),
        ("waiting", ["2"]),
        ("on hold", ["2"]),
        ("wait", []),
        ("17", ["5", "17"]),
        ("1", ["1", "3", "17"]),
        ("017", ["5", "17"]),
        ("12.5", ["1"]),
        ("12.50", ["1"]),
        ("-3", ["3"]),
        ("1000000", ["4"]),
        ("1,000,000", []),
        ("999999999999999999999999999", []),
        ("6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e", ["1"]),
        ("6F1C3CBE-3C0F-4B52-8F1E-3C0F4B528F1E", ["1"]),
        ("6f1c3cbe", []),
        ("1815-12-10", []),
        ("true", []),
        ("London", []),
        ("s1", []),
        ("hush", []),
        ("null", []),
        ("NaN", []),
        ("\x00", []),
        ("ada\x00", []),
        ("\ud800", []),
        ("😀", []),
        ("x" * 10_000, []),
    ],
    ids=lambda item: ascii(item)[:30],
)
def test_what_a_search_finds(shop: Any, q: str, keys: list[str]) -> None:
    assert found(q) == keys


@pytest.mark.parametrize(
    ("hidden", "fields"),
    [
        (set(), ["id", "name", "email", "mood", "balance", "ref", "rank"]),
        ({"name", "mood"}, ["id", "email", "balance", "ref", "rank"]),
        ({"id", "name", "email", "mood", "balance", "ref", "rank"}, []),
    ],
)
def test_fields_that_a_reader_may_not_see_are_not_looked_at(
    shop: Any, hidden: set[str], fields: list[str]
) -> None:
    assert [field.name for field in searched_fields(shop, frozenset(hidden))] == fields
    scope = Scope("customer", everything=True, hidden=frozenset(hidden))
    assert ("1" in found("Ada Lovelace", scope)) == ("name" in fields)


def test_a_document_names_what_is_searched_and_never_more_than_may_be_seen(tmp_path: Path) -> None:
    with opened(tmp_path, SHOP, {"customer": DOCUMENT | {"search": ["email", "secret", "born"]}}) as made:
        assert [field.name for field in searched_fields(made["customer"], frozenset())] == ["email"]
        assert found("ada") == ["1"]
        assert found("Lovelace") == []
        assert found("hush") == []


def test_bytes_that_are_no_text_close_no_list(tmp_path: Path) -> None:
    """A SQLite file takes any bytes into a text column; they are shown as they can be."""
    script = "create table thing (id integer primary key, name text); insert into thing values (1, 'fine'), (2, cast(x'ff41fe' as text));"
    with opened(tmp_path, script):
        rows = records.page("thing", unrestricted("thing"), sort="id").rows
        assert [row.values["name"] for row in rows] == ["fine", "\ufffdA\ufffd"]
