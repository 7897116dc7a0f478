"""Keys of records: one text for each, back to the same values, and nothing else is one."""

import base64
import json
import string
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from console import records
from console.core.documents.collections import Collection, Stored, assemble
from console.core.errors import NotFound
from console.core.scopes import unrestricted
from console.records import record_keys, values
from tests.records.files import opened
from tests.tables import cases

UUID_TEXT = "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"


def keyed_by(*kinds: str, dialect: str = "sqlite") -> Collection:
    """A collection whose key columns are of these kinds."""
    columns = [{"name": f"k{number}", "stored": kind, "nullable": False} for number, kind in enumerate(kinds)]
    structure = {
        "schema": None,
        "table": "t",
        "kind": "table",
        "dialect": dialect,
        "key": [item["name"] for item in columns],
    }
    return assemble([Stored("t", "x", structure | {"columns": columns}, {})])["t"]


def packed(value: Any) -> str:
    """`~` and base64url of JSON, as a stranger would make it."""
    return "~" + base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip(
        "="
    )


@cases(
    ("parts", "key"),
    [
        ([17], "17"),
        ([0], "0"),
        ([2**63 - 1], "9223372036854775807"),
        (["ch_0042"], "ch_0042"),
        (["Ab.c:d@e-f"], "Ab.c:d@e-f"),
        ([UUID_TEXT], UUID_TEXT),
        (["2026-01-31"], "2026-01-31"),
        ([True], "true"),
        ([False], "false"),
        (["x" * 255], "x" * 255),
    ],
)
def test_a_harmless_value_is_its_own_key(parts: list[Any], key: str) -> None:
    assert record_keys.encode(parts) == key


@cases(
    "parts",
    [
        [""],
        [" "],
        ["a b"],
        ["a/b"],
        ["a?b#c"],
        ["100%"],
        ["."],
        [".."],
        [".hidden"],
        ["-5"],
        [-5],
        ["~tilde"],
        ["a\\b"],
        ["line\nbreak"],
        ["tab\t"],
        ["plain\n"],
        ["ünï"],
        ["\u202eabc"],
        ["שלום"],
        ["e\u0301"],
        ["😀"],
        ["nul\x00nul"],
        ["half \ud800"],
        ["x" * 256],
        ["a", "b"],
        [1, 2],
        ["", ""],
        ["a,b", '"'],
        ["1", ""],
    ],
    ids=ascii,
)
def test_everything_else_is_packed_into_one_segment_of_a_path(parts: list[Any]) -> None:
    key = record_keys.encode(parts)
    assert key is not None
    assert key.startswith("~")
    assert set(key[1:]) <= set(string.ascii_letters + string.digits + "-_")
    assert record_keys._texts(key) == [str(part) for part in parts]


@cases(
    ("kind", "value", "sqlite", "postgresql"),
    [
        ("integer", 17, 17, 17),
        ("integer", -1, -1, -1),
        ("integer", 2**63 - 1, 2**63 - 1, 2**63 - 1),
        ("integer", -(2**63), -(2**63), -(2**63)),
        ("decimal", "12", 12, 12),
        ("text", "a/b", "a/b", "a/b"),
        ("text", "", "", ""),
        ("text", "017", "017", "017"),
        ("boolean", True, 1, True),
        ("boolean", False, 0, False),
        ("date", "2026-01-31", "2026-01-31", date(2026, 1, 31)),
        ("date", "0001-01-01", "0001-01-01", date(1, 1, 1)),
        (
            "datetime",
            "2026-01-31T10:00:00Z",
            "2026-01-31 10:00:00.000",
            datetime(2026, 1, 31, 10, tzinfo=UTC),
        ),
        ("time", "09:30:00", "09:30:00", time(9, 30)),
        ("uuid", UUID_TEXT, UUID_TEXT, UUID(UUID_TEXT)),
    ],
)
def test_a_key_of_each_kind_becomes_what_the_driver_compares_with(
    kind: str, value: Any, sqlite: Any, postgresql: Any
) -> None:
    key = record_keys.encode([value])
    assert key is not None
    assert record_keys.decode(keyed_by(kind), key) == (sqlite,)
    assert record_keys.decode(keyed_by(kind, dialect="postgresql"), key) == (postgresql,)


def test_a_key_of_several_kinds_keeps_their_order() -> None:
    collection = keyed_by("date", "text", "integer")
    key = record_keys.encode(["2026-01-31", "DE", 7])
    assert key is not None
    assert record_keys.decode(collection, key) == ("2026-01-31", "DE", 7)
    assert record_keys.key_of(collection, {"k2": 7, "k0": "2026-01-31", "k1": "DE", "other": 1}) == key


@cases(
    ("kinds", "key"),
    [
        (("integer",), ""),
        (("integer",), "abc"),
        (("integer",), "1.5"),
        (("integer",), "true"),
        (("boolean",), "1"),
        (("boolean",), "True"),
        (("uuid",), "6f1c3cbe"),
        (("uuid",), "g" * 36),
        (("text",), "a/b"),
        (("text",), "a b"),
        (("text",), "a%2Fb"),
        (("text",), "~"),
        (("text",), "~!!!"),
        (("text",), "~ünï"),
        (("text",), "~AAAA"),
        (("text",), packed("a")),
        (("text",), packed([])),
        (("text",), packed([1])),
        (("text",), packed([None])),
        (("text",), packed([["a"]])),
        (("text",), packed({"0": "a"})),
        (("text",), packed(["a", "b"])),
        (("text",), packed(["nul\x00"])),
        (("text",), packed(["\ud800"])),
        (("text", "text"), "a"),
        (("text", "text"), packed(["a"])),
        (("text", "text"), packed(["a", "b", "c"])),
        (("json",), "1"),
        (("binary",), "abc"),
        (("text",), "~" + base64.urlsafe_b64encode(b"[" * 1200).decode().rstrip("=")),
        (("text",), "x" * 256),
        (("text",), "~" + "A" * 10_000),
    ],
    ids=lambda item: ascii(item)[:40],
)
def test_what_no_record_is_called_is_not_found(kinds: tuple[str, ...], key: str) -> None:
    with pytest.raises(NotFound):
        record_keys.decode(keyed_by(*kinds), key)


def test_what_a_database_shows_in_a_column_of_days_is_its_key_all_the_same() -> None:
    for stored, text in (("date", "0000-00-00"), ("date", "infinity"), ("other", "10.0.0.1")):
        assert record_keys.decode(keyed_by(stored), record_keys.encode([text]) or "") == (values.Raw(text),)
    assert record_keys.decode(keyed_by("binary"), "00ff") == (values.Raw(b"\x00\xff"),)


@given(
    st.lists(st.text(max_size=40), min_size=1, max_size=4).filter(
        lambda parts: all("\x00" not in part for part in parts)
    )
)
def test_any_texts_come_back(parts: list[str]) -> None:
    key = record_keys.encode(parts)
    assert key is not None
    assert record_keys.decode(keyed_by(*["text"] * len(parts)), key) == tuple(parts)


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_records_never_share_a_key(one: str, other: str) -> None:
    assert (record_keys.encode([one]) == record_keys.encode([other])) == (one == other)
    assert record_keys.encode([one, other]) != record_keys.encode([one + other])
    assert (record_keys.encode([one, other]) == record_keys.encode([other, one])) == (one == other)


@given(st.text(max_size=80))
def test_any_text_that_is_asked_for_is_a_key_or_not_found(key: str) -> None:
    try:
        parts = record_keys.decode(keyed_by("text"), key)
    except NotFound:
        return
    assert isinstance(parts[0], str)


# ---------------------------------------------------------------------------------------------- records by their keys

STRANGE = [
    "a/b",
    "",
    " ",
    "..",
    "~x",
    "100%",
    "ünï",
    "שלום",
    "\u202eabc",
    "😀",
    "it's",
    '"',
    "17",
    "017",
    "true",
    "a\nb",
    "x" * 1_400,
]
TABLES = """
create table word (k text primary key, n integer);
create table number (k integer primary key, n text);
create table pair (a text, b integer, n text, primary key (b, a));
insert into number values (17, 'seventeen'), (-5, 'less'), (9223372036854775807, 'most');
insert into pair values ('x/y', 1, 'one'), ('', 0, 'nought');
"""


def test_each_record_of_a_list_is_found_by_the_key_it_has_there(tmp_path: Path) -> None:
    with opened(tmp_path, TABLES, rows={"word": [(word, number) for number, word in enumerate(STRANGE)]}):
        for table, many in (("word", len(STRANGE)), ("number", 3), ("pair", 2)):
            rows = records.page(table, unrestricted(table), limit=100).rows
            assert len({row.key for row in rows}) == many
            assert [records.get(table, str(row.key), unrestricted(table)) for row in rows] == rows


def test_a_null_in_the_key_of_sqlite_leaves_the_row_in_the_list_without_a_key(tmp_path: Path) -> None:
    with opened(
        tmp_path, "create table t (k text primary key, n int); insert into t values (null, 1), ('a', 2)"
    ):
        assert [row.key for row in records.page("t", unrestricted("t")).rows] == [None, "a"]
