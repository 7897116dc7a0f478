"""Screens as values: what tells two apart, what is kept of one that is too large, and which fields of the record were on it."""

import copy
import hashlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, strategies as st

from console.runs.showing.screens import LONG_TEXT, MOST_BYTES, digest, fit_size, seen_fields, shorten_texts
from tests.tables import cases

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


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
    return {"name": name, "label": name.title(), "rows": [{"id": number, "note": "x" * width} for number in range(count)], "more": False}


def size(value: Any) -> int:
    return len(orjson.dumps(value))


def test_digest_is_sha_256_of_the_canonical_bytes() -> None:
    assert digest({"b": 1, "a": "é"}) == hashlib.sha256('{"a":"é","b":1}'.encode()).digest()


SAME: list[tuple[str, Any, Any]] = [
    ("equal", "a", "a"),
    ("order of keys", {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ("order of keys inside a list", [{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
    ("tuple and list", (1, 2), [1, 2]),
    ("decimal and its text", Decimal("1.50"), "1.50"),
    ("float and its text", 0.1, "0.1"),
    ("set and sorted list", {"b", "a"}, ["a", "b"]),
    ("large integer and its text", 2**53, str(2**53)),
    ("moment and its text", AT, "2026-11-20T09:00:00.000000Z"),
    ("moment in another zone", AT, AT.astimezone(timezone(timedelta(hours=2)))),
    ("NUL and its replacement", "a\x00b", "a\ufffdb"),
    ("number as key and its text", {1: "x"}, {"1": "x"}),
]


@cases(("one", "other"), [row[1:] for row in SAME], ids=[row[0] for row in SAME])
def test_screens_that_read_alike_have_one_digest(one: Any, other: Any) -> None:
    assert digest(screen(record=one)) == digest(screen(record=other))


OTHER: list[tuple[str, dict[str, Any]]] = [
    ("step", {"step": "check"}),
    ("attempt", {"attempt": 2}),
    ("type", {"type": "settle"}),
    ("title", {"title": "Read the rules "}),
    ("button", {"button": "Settle"}),
    ("text", {"text": "look at the passport."}),
    ("text gone", {"text": None}),
    ("table", {"tables": [table("orders", 0)]}),
    ("field", {"fields": [{"name": "email"}]}),
    ("outcome", {"outcomes": [{"value": "yes", "label": "Yes"}]}),
    ("error", {"errors": [{"field": "email", "reason": "Changed."}]}),
    ("missing", {"missing": [{"step": "a", "title": "A", "text": "Gone."}]}),
    ("record", {"record": {"values": {}}}),
    ("document", {"documents": [{"id": "doc_1"}]}),
    ("take-over", {"take_over": {"code": "down", "message": ""}}),
    ("locale", {"locale": "et-EE"}),
    ("zone", {"zone": "Europe/Helsinki"}),
    ("part that was not there", {"proposal": None}),
]


@cases("change", [row[1] for row in OTHER], ids=[row[0] for row in OTHER])
def test_any_part_that_differs_makes_another_digest(change: dict[str, Any]) -> None:
    assert digest(screen(**change)) != digest(screen())


UNLIKE: list[tuple[str, Any, Any]] = [
    ("no value and empty text", None, ""),
    ("no value and no list", None, []),
    ("zero and false", 0, False),
    ("one and true", 1, True),
    ("number and text", 1, "1"),
    ("order of a list", [1, 2], [2, 1]),
    ("trailing zero of a decimal", Decimal("1.5"), Decimal("1.50")),
    ("case", "a", "A"),
    ("composed and decomposed", "\u00e9", "e\u0301"),
    ("microsecond", AT, AT + timedelta(microseconds=1)),
    ("nested deeper", {"a": [1]}, {"a": [[1]]}),
]


@cases(("one", "other"), [row[1:] for row in UNLIKE], ids=[row[0] for row in UNLIKE])
def test_values_that_read_otherwise_have_two_digests(one: Any, other: Any) -> None:
    assert digest(screen(record=one)) != digest(screen(record=other))


def test_digest_tells_long_screens_apart_that_are_kept_alike() -> None:
    one, other = (screen(tables=[table("orders", 9000)], text=text) for text in ("x" * 9000 + "a", "x" * 9000 + "b"))
    assert digest(one) != digest(other)
    assert fit_size(one)["text"] != fit_size(other)["text"]


SMALL: list[tuple[str, Any, Any]] = [
    ("nothing to do", "a", "a"),
    ("long text stays where there is room", "x" * (LONG_TEXT + 1), "x" * (LONG_TEXT + 1)),
    ("decimal", Decimal("1.50"), "1.50"),
    ("moment", AT, "2026-11-20T09:00:00.000000Z"),
    ("tuple", ("a", "b"), ["a", "b"]),
    ("set", {"b", "a"}, ["a", "b"]),
    ("NUL", "a\x00", "a\ufffd"),
    ("number", 17, 17),
    ("no value", None, None),
]


@cases(("given_value", "kept"), [row[1:] for row in SMALL], ids=[row[0] for row in SMALL])
def test_small_screen_is_kept_whole_as_json(given_value: Any, kept: Any) -> None:
    assert fit_size(screen(record=given_value)) == screen(record=kept)


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


def test_table_of_one_enormous_row_is_emptied() -> None:
    wide = {f"column_{number}": "x" * 1900 for number in range(60)}
    kept = fit_size(screen(tables=[{"name": "t", "rows": [wide], "more": False}]))
    assert kept["tables"] == [{"name": "t", "rows": [], "more": True}]


def test_table_that_had_more_still_says_so() -> None:
    kept = fit_size(screen(tables=[table("a", 4000) | {"more": True}, table("b", 1) | {"more": True}]))
    assert [one["more"] for one in kept["tables"]] == [True, True]


def test_fitting_changes_neither_the_screen_nor_a_fitted_one() -> None:
    whole = screen(text="x" * 70_000, tables=[table("orders", 4000)])
    before = copy.deepcopy(whole)
    kept = fit_size(whole)
    assert whole == before
    assert fit_size(kept) == kept


@given(counts=st.lists(st.integers(0, 900), max_size=4), width=st.integers(0, 200), text=st.integers(0, 100_000))
def test_any_tables_and_texts_fit(counts: list[int], width: int, text: int) -> None:
    kept = fit_size(screen(text="é" * text, tables=[table(f"t{place}", count, width) for place, count in enumerate(counts)]))
    assert size(kept) <= MOST_BYTES
    assert [one["name"] for one in kept["tables"]] == [f"t{place}" for place in range(len(counts))]


def cut(text: str) -> str:
    """How a long text is kept."""
    return f"{text[:LONG_TEXT]}… ({len(text)} characters, SHA-256 {hashlib.sha256(text.encode()).hexdigest()})"


LONG = "y" * (LONG_TEXT + 1)
SHORTENED: list[tuple[str, Any, Any]] = [
    ("short text", "abc", "abc"),
    ("empty text", "", ""),
    ("text at the limit", "y" * LONG_TEXT, "y" * LONG_TEXT),
    ("text over the limit", LONG, cut(LONG)),
    ("characters are counted, not bytes", "é" * LONG_TEXT, "é" * LONG_TEXT),
    ("text outside ASCII over the limit", "é" * 3000, cut("é" * 3000)),
    ("number", 10**9, 10**9),
    ("no value", None, None),
    ("truth", True, True),
    ("list", ["a", LONG], ["a", cut(LONG)]),
    ("empty list", [], []),
    ("object", {"a": LONG, "b": 1}, {"a": cut(LONG), "b": 1}),
    ("empty object", {}, {}),
    ("a long key stays", {LONG: "a"}, {LONG: "a"}),
    ("deep", {"a": [{"b": [LONG]}]}, {"a": [{"b": [cut(LONG)]}]}),
]


@cases(("value", "kept"), [row[1:] for row in SHORTENED], ids=[row[0] for row in SHORTENED])
def testshortened(value: Any, kept: Any) -> None:
    assert shorten_texts(value) == kept


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
    ("field counts before the record", {"record": {"values": {"email": "a"}}, "fields": [field("email", "b")]}, {"email": "b"}),
    ("empty field leaves the record", {"record": {"values": {"email": "a"}}, "fields": [field("email")]}, {"email": "a"}),
    ("empty text is a value", {"record": {"values": {"email": "a"}}, "fields": [field("email", "")]}, {"email": ""}),
    ("zero is a value", {"fields": [field("limit", 0)]}, {"limit": 0}),
    ("false is a value", {"fields": [field("pep", now=False)]}, {"pep": False}),
    ("both add up", {"record": {"values": {"a": 1}}, "fields": [field("b", 2), field("c", 3)]}, {"a": 1, "b": 2, "c": 3}),
    ("the later of two fields", {"fields": [field("a", 1), field("a", 2)]}, {"a": 2}),
]


@cases(("parts", "found"), [row[1:] for row in SEEN], ids=[row[0] for row in SEEN])
def test_fields_as_they_were_seen(parts: dict[str, Any], found: dict[str, Any]) -> None:
    assert seen_fields(screen(**parts)) == found


def test_nothing_was_seen_without_a_screen() -> None:
    assert seen_fields(None) is None


def test_seen_fields_leave_the_screen_alone() -> None:
    shown = screen(record={"values": {"email": "a"}}, fields=[field("email", "b")])
    before = copy.deepcopy(shown)
    seen_fields(shown)
    assert shown == before
