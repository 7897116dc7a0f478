"""Screens as values: what tells two apart, what is kept of one that is too large, and which fields of the record were on it."""

import hashlib
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from console.runs.views.screens import MOST_BYTES, digest, fit_size, seen_fields, shorten_texts
from tests.tables import cases


def screen(**more: Any) -> dict[str, Any]:
    """A small screen of a guidance step, with these parts instead."""
    return {
        "step": "read",
        "attempt": 1,
        "type": "guidance",
        "title": "Read the rules",
        "button": "Done",
        "text": "Look at the passport.",
        "tables": [],
        "fields": [],
        "outcomes": [],
        "errors": [],
        "missing": [],
        "record": None,
        "documents": [],
        "take_over": None,
        "locale": "en-GB",
        "zone": "Europe/Tallinn",
    } | more


def table(name: str, count: int, width: int = 10) -> dict[str, Any]:
    """A table on the screen with that many rows, each with a text of that width."""
    return {
        "name": name,
        "label": name.title(),
        "rows": [{"id": number, "note": "x" * width} for number in range(count)],
        "more": False,
    }


def size(value: Any) -> int:
    return len(orjson.dumps(value))


def test_digest_is_sha_256_of_the_canonical_bytes() -> None:
    assert digest({"b": 1, "a": "é"}) == hashlib.sha256('{"a":"é","b":1}'.encode()).digest()


@pytest.mark.parametrize("over", [0, 1], ids=["at the limit", "one byte more"])
def test_limit_is_64_kilobytes_to_the_byte(over: int) -> None:
    room = MOST_BYTES - size(screen(text=""))
    text = "x" * (room + over)
    assert fit_size(screen(text=text))["text"] == (text if not over else shorten_texts(text))


TABLES: list[tuple[str, list[int], list[bool]]] = [
    ("one long table", [4000], [True]),
    ("only the longest is shortened", [4000, 5], [True, False]),
    ("both of two long ones", [4000, 4000], [True, True]),
    ("the empty one stays", [0, 4000], [False, True]),
    ("three", [3, 4000, 3], [False, True, False]),
]


@pytest.mark.parametrize(("counts", "more"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_long_tables_are_cut_from_the_end_and_say_so(counts: list[int], more: list[bool]) -> None:
    whole = screen(tables=[table(f"t{place}", count) for place, count in enumerate(counts)])
    kept = fit_size(whole)
    assert size(kept) <= MOST_BYTES
    assert [one["more"] for one in kept["tables"]] == more
    for one, before in zip(kept["tables"], whole["tables"], strict=True):
        assert one["rows"] == before["rows"][: len(one["rows"])]
    assert kept | {"tables": []} == screen()


@given(
    counts=st.lists(st.integers(0, 900), max_size=4), width=st.integers(0, 200), text=st.integers(0, 100_000)
)
def test_any_tables_and_texts_fit(counts: list[int], width: int, text: int) -> None:
    kept = fit_size(
        screen(
            text="é" * text, tables=[table(f"t{place}", count, width) for place, count in enumerate(counts)]
        )
    )
    assert size(kept) <= MOST_BYTES
    assert [one["name"] for one in kept["tables"]] == [f"t{place}" for place in range(len(counts))]


def field(name: str, now: Any = None) -> dict[str, Any]:
    return {"name": name, "label": name.title(), "now": now}


SEEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("no record, no fields", {}, {}),
    ("record", {"record": {"values": {"email": "a", "phone": None}}}, {"email": "a", "phone": None}),
    ("record without values", {"record": {"title": "Ana"}}, {}),
    ("record whose values are null", {"record": {"values": None}}, {}),
    ("field with a value of now", {"fields": [field("email", "a")]}, {"email": "a"}),
    ("field without one", {"fields": [field("email")]}, {}),
    ("field that never had one", {"fields": [{"name": "note"}]}, {}),
    (
        "field counts before the record",
        {"record": {"values": {"email": "a"}}, "fields": [field("email", "b")]},
        {"email": "b"},
    ),
    (
        "empty field leaves the record",
        {"record": {"values": {"email": "a"}}, "fields": [field("email")]},
        {"email": "a"},
    ),
    (
        "empty text is a value",
        {"record": {"values": {"email": "a"}}, "fields": [field("email", "")]},
        {"email": ""},
    ),
    ("zero is a value", {"fields": [field("limit", 0)]}, {"limit": 0}),
    ("false is a value", {"fields": [field("pep", now=False)]}, {"pep": False}),
    (
        "both add up",
        {"record": {"values": {"a": 1}}, "fields": [field("b", 2), field("c", 3)]},
        {"a": 1, "b": 2, "c": 3},
    ),
    ("the later of two fields", {"fields": [field("a", 1), field("a", 2)]}, {"a": 2}),
]


@cases(("parts", "found"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_fields_as_they_were_seen(parts: dict[str, Any], found: dict[str, Any]) -> None:
    assert seen_fields(screen(**parts)) == found
