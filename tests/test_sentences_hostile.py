"""Sentences of events whose ids, titles and open values are anything at all."""

from typing import Any

from hypothesis import given, strategies as st

from console.core.events import KINDS
from console.formats.sentences import Names, one_line, sentence
from tests.tables import cases

HOSTILE = [
    "{",
    "}",
    "{0}",
    "{who}",
    "{x.__class__}",
    "{!r}",
    "%s",
    "<b>",
    "\x00",
    "\u202e",
    "\u2066x",
    "a\r\nb",
    "\u2028",
    "x" * 2_000,
    "“",
    "  ",
]


def body(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    """An event in which everything that may be open is this value."""
    return {
        "type": kind,
        "actor": {"kind": "user", "id": value},
        "wf": {"id": value, "version": 2},
        "step": {"id": value, "attempt": 2},
        "target": {"coll": value, "key": value},
        "data": {"open": dict.fromkeys(KINDS[kind].open, value)},
    } | more


@cases("kind", KINDS)
@cases("value", HOSTILE, ids=[ascii(text[:10]) for text in HOSTILE])
def test_every_kind_with_every_hostile_value_is_one_line_of_text(kind: str, value: str) -> None:
    names = Names(
        {value: value},
        {value: value},
        {value: value},
        {(value, 2, value): value},
        {value: value},
        {(value, value): value},
    )
    for known in (Names(), names):
        line = sentence(body(kind, value), known)
        assert line.splitlines() == [line]
        assert len(line) < 900
        assert not any(mark in line for mark in ("\x00", "\u202e", "\u2066", "\u2028"))


@cases("kind", KINDS)
@cases("field", ["actor", "wf", "step", "target", "data"])
def test_every_kind_reads_without_each_part_of_its_body(kind: str, field: str) -> None:
    absent: tuple[Any, ...] = (None, {})
    for missing in absent:
        line = sentence(body(kind, "x", **{field: missing}))
        assert line
        assert "None" not in line
        assert "  " not in line


@given(
    st.sampled_from(list(KINDS)),
    st.text(max_size=30)
    | st.integers()
    | st.lists(st.text(max_size=5), max_size=6)
    | st.none()
    | st.booleans(),
)
def test_no_open_value_breaks_a_sentence(kind: str, value: Any) -> None:
    told = body(kind, "x") | {"data": {"open": dict.fromkeys(KINDS[kind].open, value)}}
    assert sentence(told).splitlines() == [sentence(told)]


@cases(
    ("text", "line"),
    [
        ("", ""),
        ("  a \t b ", "a b"),
        ("a\nb\rc", "a b c"),
        ("\u202eabc\u2069", "abc"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 78 + " yz", "x" * 78 + "…"),
        ("\x00\x1f\x7f\x85", ""),
        ("{a}", "{a}"),
        ("ä\u0301", "ä\u0301"),
        ("\u200dx", "\u200dx"),
    ],
)
def test_plain_text_on_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


# ----------------------------------------------------------------------------------------------------- errors and actors
