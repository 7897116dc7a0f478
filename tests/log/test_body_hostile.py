"""Bodies of events for whatever a database or a person put into them: nothing keeps an event from being written, nothing sealed leaks."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given, strategies as st

from console.log import body
from console.log.body import DEEPEST, TOO_DEEP, Fact, Frame
from console.log.masking import mask, tree
from tests.tables import cases

AT = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
FRAME = Frame({"kind": "user", "id": "usr_1"}, 1)
HALF, SMILE = chr(0xD800), "\U0001f600"


def linked(sealed: dict[str, Any], opened: dict[str, Any] | None = None) -> body.Link:
    return body.link(Fact("id", "run_saved", AT, opened or {}, sealed), "run_1", 1, b"", FRAME)


def nested(levels: int, kind: type) -> Any:
    value: Any = "deep"
    for _ in range(levels):
        value = [value] if kind is list else {"a": value}
    return value


PLAIN: list[tuple[str, Any, Any]] = [
    ("a decimal keeps its noughts", Decimal("1.500"), "1.500"),
    ("a large exponent is written out", Decimal("1E+5"), "100000"),
    ("a signalling NaN is a word", Decimal("sNaN"), "sNaN"),
    ("a float as its shortest text", 0.1, "0.1"),
    ("a small float without an exponent", 1e-7, "0.0000001"),
    ("no number", float("nan"), "nan"),
    ("the largest exact integer", 2**53 - 1, 2**53 - 1),
    ("one more", 2**53, str(2**53)),
    ("far below", -(2**70), str(-(2**70))),
    ("true is no number", True, True),
    (
        "a moment elsewhere",
        datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        "2026-01-01T10:00:00.000000Z",
    ),
    ("a day", date(2026, 1, 1), "2026-01-01"),
    ("a UUID", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ("bytes", b"\xff", "b'\\xff'"),
    ("a set in the order of its texts", {"b", "a"}, ["a", "b"]),
    ("a set of different kinds", {1, "a"}, [1, "a"]),
    ("a tuple", (1, (2,)), [1, [2]]),
    ("half a character", f"a{HALF}b", "a?b"),
    ("a NUL", {"k\x00": "a\x00b"}, {"k\ufffd": "a\ufffdb"}),
    ("a mark that reorders", "a\u202eb", "a\u202eb"),
    ("a key that is a number", {1: "x"}, {"1": "x"}),
    ("a key outside the basic plane", {SMILE: 1}, {SMILE: 1}),
    ("half a character as a key", {HALF: 1}, {"\ufffd": 1}),
    ("an object of another package", object, "<class 'object'>"),
]


@cases(("name", "value", "plain"), PLAIN, ids=[row[0] for row in PLAIN])
def test_plain(name: str, value: Any, plain: Any) -> None:
    made = body.canonical_value(value)
    assert made == plain
    assert type(made) is type(plain)
    assert json.loads(body.canonical({"x": made})) == {"x": plain}


@cases("kind", [list, dict])
@cases(("levels", "kept"), [(10, True), (DEEPEST + 1, True), (DEEPEST + 2, False), (900, False)])
def test_what_is_nested_too_deep_is_named_and_the_event_is_written(
    kind: type, levels: int, kept: bool
) -> None:
    made = body.canonical_value(nested(levels, kind))
    text = json.dumps(made)
    assert ("deep" in text.replace(TOO_DEEP, "")) is kept
    assert (TOO_DEEP in text) is not kept
    assert linked({"values": {"json": nested(levels, kind)}}).body


@cases(
    ("sealed", "names"),
    [
        ({}, []),
        ({"reason": "x"}, ["reason"]),
        ({"values": {}}, ["values"]),
        ({"values": {"a": 1, "b": {"c": 2}}}, ["values/a", "values/b/c"]),
        ({"values": {"a": {"b": {"c": {"d": 1}}}}}, ["values/a/b"]),
        ({"screen": {"title": "x"}}, ["screen"]),
        ({"values": {"screen": {"a": 1}}}, ["values/screen"]),
        ({"values": {"a/b": 1, "a~b": 2, "~1": 3}}, ["values/a~1b", "values/a~0b", "values/~01"]),
        ({"values": {"": 1}}, ["values/"]),
        ({"errors": [{"field": "a"}]}, ["errors"]),
        ({"values": {HALF: 1}}, ["values/\ufffd"]),
        ({"values": {"json": {SMILE: 1}}}, [f"values/json/{SMILE}"]),
        ({"values": {7: "x"}}, ["values/7"]),
        ({"values": {"__proto__": 1, "constructor": 2}}, ["values/__proto__", "values/constructor"]),
    ],
)
def test_names_of_sealed_values(sealed: dict[str, Any], names: list[str]) -> None:
    made = linked(sealed)
    assert sorted(made.values) == sorted(names)
    told = json.loads(made.body)["data"]["sealed"]
    assert sorted(told) == sorted(names)
    assert rfc8785.dumps(json.loads(made.body)) == made.body
    for name, (salt, value) in made.values.items():
        assert told[name] == hashlib.sha256(salt + body.canonical(value)).hexdigest()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.decimals()
    | st.dates()
    | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values)
def test_whatever_a_value_is_its_event_is_canonical(value: Any) -> None:
    made = linked({"values": {"x": value}}, {"y": value})
    assert rfc8785.dumps(json.loads(made.body)) == made.body
    assert made.leaf == hashlib.sha256(b"\x00" + made.body).digest()


@given(json_values)
def test_making_plain_twice_is_making_it_once(value: Any) -> None:
    once = body.canonical_value(value)
    assert body.canonical_value(once) == once
    assert body.canonical(once) == rfc8785.dumps(once)


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=12, max_size=40))
def test_a_sealed_value_never_stands_in_the_body(secret: str) -> None:
    made = linked(
        {"values": {"note": secret, "list": [secret], "object": {"a": {"b": secret}}}, "reason": secret}
    )
    assert secret.encode() not in made.body


@pytest.mark.parametrize(
    ("previous", "number", "cause", "step"),
    [(b"", 1, None, None), (b"\x00" * 32, 2, "evt", ("check", 3)), (b"\xff" * 32, 10**6, "", ("a", 1))],
)
def test_the_place_in_the_chain_stands_in_the_body(
    previous: bytes, number: int, cause: Any, step: Any
) -> None:
    made = body.link(Fact("id", "run_saved", AT, {}, {}, step, cause), "run_9", number, previous, FRAME)
    told = json.loads(made.body)
    assert (told["prev"], told["run"], told["run_seq"], told["cause"]) == (
        previous.hex(),
        "run_9",
        number,
        cause,
    )
    assert told["step"] == ({"id": step[0], "attempt": step[1]} if step else None)


def test_any_change_of_a_body_is_another_leaf() -> None:
    first = linked({}, {"n": 1})
    for other in (first.body.replace(b'"n":1', b'"n":2'), first.body + b" ", first.body[:-1], b""):
        assert body.leaf(other) != first.leaf


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00.000000Z"),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
        (datetime(2026, 3, 29, 3, 0, tzinfo=timezone(timedelta(hours=2))), "2026-03-29T01:00:00.000000Z"),
    ],
)
def test_moments_have_six_decimals_and_are_utc(at: datetime, text: str) -> None:
    assert body.moment(at) == text


# -------------------------------------------------------------------------------------------------------------------- masking


def hidden(collection: str | None) -> frozenset[str]:
    return {"customer": frozenset({"tax_id", "values", "name"}), "account": frozenset({"iban"})}.get(
        collection or "", frozenset()
    )


MASKED: list[tuple[str, Any, str | None, bool, list[str]]] = [
    ("a hidden key at any depth", {"a": [{"b": {"tax_id": 1}}]}, "customer", False, ["p.a.0.b.tax_id"]),
    ("nothing of no collection", {"tax_id": 1}, None, False, []),
    ("null is not masked", {"tax_id": None}, "customer", False, []),
    (
        "nought, false and empty are",
        {"tax_id": 0, "list": [{"tax_id": False}, {"tax_id": ""}]},
        "customer",
        False,
        ["p.tax_id", "p.list.0.tax_id", "p.list.1.tax_id"],
    ),
    ("a whole object under a hidden name", {"tax_id": {"a": {"b": 1}}}, "customer", False, ["p.tax_id"]),
    (
        "a form field of the name",
        {"fields": [{"name": "tax_id", "value": 1, "now": 2, "label": "Tax"}]},
        "customer",
        True,
        ["p.fields.0.value", "p.fields.0.now"],
    ),
    (
        "an error of the field",
        [{"field": "tax_id", "reason": "x", "theirs": 3, "old": 1, "new": 2}],
        "customer",
        True,
        ["p.0.theirs", "p.0.old", "p.0.new"],
    ),
    ("a name that is no text", {"fields": [{"name": ["tax_id"], "value": 1}]}, "customer", True, []),
    ("the key of the screen itself", {"name": "Ana", "values": {"email": "a"}}, "customer", True, []),
    (
        "values below the screen",
        {"values": {"tax_id": 1, "name": 2, "email": 3}},
        "customer",
        True,
        ["p.values.tax_id", "p.values.name"],
    ),
    (
        "another collection inside",
        {"tables": [{"collection": "account", "rows": [{"values": {"iban": 1, "tax_id": 2}}]}]},
        "customer",
        True,
        ["p.tables.0.rows.0.values.iban"],
    ),
    ("a collection that is no text", {"collection": 5, "tax_id": 1}, "customer", False, ["p.tax_id"]),
    ("a number", 5, "customer", False, []),
    ("an empty list", [], "customer", True, []),
]


def holes(value: Any, path: str) -> set[str]:
    """Paths of what is null."""
    if isinstance(value, dict):
        return set().union(*(holes(item, f"{path}.{key}") for key, item in value.items()))
    if isinstance(value, list):
        return set().union(*(holes(item, f"{path}.{number}") for number, item in enumerate(value)))
    return {path} if value is None else set()


@cases(("name", "value", "collection", "screen", "paths"), MASKED, ids=[row[0] for row in MASKED])
def test_what_is_masked_is_null_and_named_and_nothing_else_changes(
    name: str, value: Any, collection: str | None, screen: bool, paths: list[str]
) -> None:
    before = json.dumps(value)
    left, masked = mask(value, "p", hidden, collection, screen=screen)
    assert masked == paths
    assert holes(left, "p") - holes(value, "p") == set(paths)
    assert json.dumps(value) == before, "the value itself is not changed"


@cases(
    ("sealed", "missing", "whole", "masked"),
    [
        ({}, {}, {}, []),
        ({"values/email": "a"}, {}, {"values": {"email": "a"}}, []),
        (
            {"values/email": "a"},
            {"values/tax_id": "erased"},
            {"values": {"email": "a", "tax_id": None}},
            ["d.values.tax_id"],
        ),
        ({}, {"reason": "expired"}, {"reason": None}, ["d.reason"]),
        ({"a~1b/c~0d": 1}, {"a~1b/e"}, {"a/b": {"c~d": 1, "e": None}}, ["d.a/b.e"]),
        ({"x": None}, {}, {"x": None}, []),
    ],
)
def test_what_could_not_be_opened_is_null_and_named(
    sealed: Any, missing: Any, whole: Any, masked: list[str]
) -> None:
    assert tree(sealed, missing, "d") == (whole, masked)


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.integers() | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
        max_size=4,
    )
)
def test_flattening_and_nesting_agree(values: dict[str, Any]) -> None:
    clean = json.loads(json.dumps(body.canonical_value(values)))
    assert tree(body.flatten({"values": clean}), {}, "d")[0] == {"values": clean}
    assert body.unflatten(body.flatten({"values": clean})) == {"values": clean}
