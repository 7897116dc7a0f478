"""Canonical bytes, leaf and commitments: what an outsider recomputes with SHA-256 alone."""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given, strategies as st

from console.log import body
from console.log.body import Fact, Frame
from tests.tables import cases

# the planes on both sides of the surrogates, where the orders of code points and of UTF-16 differ
basic = st.text(
    st.characters(min_codepoint=1, exclude_categories=["Cs"])
    | st.sampled_from("a\ue000\ufb33\uffff\U0001f600\U00010000"),
    max_size=12,
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(basic, inner, max_size=5),
    max_leaves=20,
)
FRAME = Frame(
    actor={"kind": "user", "id": "usr_1", "session": "ses_1", "team": "operations", "roles": ["operator"]},
    policy=3,
)
AT = datetime(2026, 11, 20, 6, 30, 0, 123456, tzinfo=UTC)


@given(documents)
def test_canonical_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert body.canonical(value) == rfc8785.dumps(value)


@cases("value", [1.5, 2**53, -(2**53), float("nan"), Decimal("1.0"), {1: "x"}, "\ud800", b"x", (1,)])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(body.NotCanonical):
        body.canonical({"x": value} if not isinstance(value, dict) else value)


@cases(
    ("value", "plain"),
    [
        (Decimal("12.50"), "12.50"),
        (1.5, "1.5"),
        (2**60, str(2**60)),
        ({"a": (1, 2)}, {"a": [1, 2]}),
        (chr(0xD800) + "x", "?x"),
        ({"\U0001f600k": 1}, {"\U0001f600k": 1}),
        (AT, "2026-11-20T06:30:00.123456Z"),
        (True, True),
        (None, None),
        ({3, 1}, [1, 3]),
        (float("inf"), "inf"),
    ],
)
def test_plain_makes_it_canonical(value: Any, plain: Any) -> None:
    assert body.canonical_value(value) == plain
    body.canonical(body.canonical_value(value))


def test_the_published_example_of_a_commitment() -> None:
    salt = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
    assert (
        body.commitment(salt, "Priya Raman")
        == "9fd43f1ad17e9454103678e324f36cd796c4423525b4685e4aba7501175bf341"
    )


def test_a_leaf_is_the_hash_of_a_zero_and_the_body() -> None:
    made = body.link(
        Fact("id-1", "run_saved", AT, {"revision": 2}, {"draft": {"note": "half"}}, ("check", 1)),
        "run_1",
        7,
        b"\x01\x02",
        FRAME,
    )
    assert made.leaf == hashlib.sha256(b"\x00" + made.body).digest()
    told = json.loads(made.body)
    assert (told["run"], told["run_seq"], told["prev"], told["v"], told["at"]) == (
        "run_1",
        7,
        "0102",
        1,
        "2026-11-20T06:30:00.123456Z",
    )
    assert told["step"] == {"id": "check", "attempt": 1}
    assert told["data"]["open"] == {"revision": 2}
    salt, value = made.values["draft/note"]
    assert told["data"]["sealed"] == {"draft/note": body.commitment(salt, value)}
    assert b"half" not in made.body
    assert len(salt) == 16


def test_the_same_value_twice_has_two_commitments() -> None:
    facts = [Fact(f"id-{n}", "run_saved", AT, {}, {"draft": "same"}) for n in (1, 2)]
    first, second = (body.link(fact, "run_1", n, b"", FRAME) for n, fact in enumerate(facts, 1))
    assert json.loads(first.body)["data"]["sealed"] != json.loads(second.body)["data"]["sealed"]


@given(st.dictionaries(basic.filter(bool), documents, max_size=5))
def test_flattening_can_be_undone(values: dict[str, Any]) -> None:
    assume("\\u0000" not in json.dumps(values))  # that one character is written as another
    sealed = {"values": values}
    assert body.unflatten(body.flatten(sealed)) == sealed


def test_every_key_of_a_body_is_there_also_when_it_is_empty() -> None:
    told = json.loads(body.link(Fact("id", "signed_in", AT, {}), "ses_1", 1, b"", FRAME).body)
    assert sorted(told) == sorted(
        [
            "v",
            "id",
            "type",
            "at",
            "run",
            "run_seq",
            "prev",
            "actor",
            "policy",
            "wf",
            "step",
            "target",
            "data",
            "cause",
            "req",
        ]
    )
    assert told["prev"] == ""
    assert told["wf"] is None
