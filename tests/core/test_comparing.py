"""When two values are the same to people, and what became of each value that was proposed."""

from typing import Any

from hypothesis import given, strategies as st

from console.core.run.proposal_comparison import likeness, outcomes
from tests.tables import cases

LONG = "The customer sent a passport that is valid until May and a bank letter that names the same address as the register does."
SAME: list[tuple[str, Any, Any]] = [
    ("text", "Adaeze", " adaeze "),
    ("text", "LT45 9999 0000", "lt4599990000"),
    ("text", "Straße", "STRASSE"),
    ("text", None, ""),
    ("text", "", "  "),
    ("long_text", "Two\nlines", "Two lines"),
    ("decimal", "12.5", "12.50"),
    ("decimal", "12.504", "12.50"),
    ("money", "1000", "1000.00"),
    ("integer", 3, "3"),
    ("integer", 3, 3),
    ("boolean", True, True),
    ("boolean", False, False),
    ("date", "2026-11-20", "2026-11-20"),
    ("datetime", "2026-11-20T09:00:00Z", "2026-11-20T10:00:00+01:00"),
    ("enum", "low", "low"),
    ("reference", "17", "17"),
    ("checklist", ["a", "b"], ["b", "a"]),
    ("multi_enum", [], None),
    ("email", "A@b.example", "a@b.example"),
    ("phone", "+31 20 794 6000", "+31207946000"),
]
OTHER: list[tuple[str, Any, Any]] = [
    ("text", "Adaeze", "Adaeza"),
    ("text", "a", None),
    ("decimal", "12.50", "12.51"),
    ("decimal", "12.5", "nonsense"),
    ("integer", 3, 4),
    ("boolean", True, False),
    ("boolean", True, 1),
    ("date", "2026-11-20", "2026-11-21"),
    ("datetime", "2026-11-20T09:00:00Z", "2026-11-20T09:00:00+01:00"),
    ("datetime", "soon", "later"),
    ("enum", "low", "LOW"),
    ("checklist", ["a"], ["a", "b"]),
    ("checklist", ["a"], "a"),
    ("long_text", "short", "shirt"),
]


@cases(("kind", "left", "right"), SAME)
def test_the_same_to_people(kind: str, left: Any, right: Any) -> None:
    assert likeness(kind, left, right) == likeness(kind, right, left) == "equal"


@cases(("kind", "left", "right"), OTHER)
def test_another_value(kind: str, left: Any, right: Any) -> None:
    assert likeness(kind, left, right) == likeness(kind, right, left) == "different"


@cases(
    ("right", "found"),
    [
        (LONG, "equal"),
        (LONG.upper(), "equal"),
        (LONG.replace("May", "June"), "small"),
        (LONG.replace("does.", "does"), "small"),
        (LONG.replace("passport", "driving licence"), "different"),
        (LONG[: len(LONG) // 2], "different"),
    ],
)
def test_a_long_text_may_be_touched_up(right: str, found: str) -> None:
    assert likeness("long_text", LONG, right) == found
    assert likeness("text", LONG, right) == ("equal" if found == "equal" else "different")


@given(
    st.sampled_from(["text", "long_text", "decimal", "integer", "date", "enum", "checklist"]),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_likeness_is_symmetric_and_a_value_is_like_itself(kind: str, left: str, right: str) -> None:
    assert likeness(kind, left, right) == likeness(kind, right, left)
    assert likeness(kind, left, left) == "equal"


def proposal(*fields: tuple[str, Any, str], **more: Any) -> dict[str, Any]:
    listed = [{"name": name, "value": value, "confidence": level} for name, value, level in fields]
    return {"status": "ready", "mode": "assist", "fill": "medium", "outcome": None, "fields": listed} | more


TYPES = {"note": "long_text", "amount": "decimal", "code": "enum"}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str | None, bool, dict[str, str]]] = [
    ("accepted", proposal(("amount", "1", "high")), {"amount": "1.00"}, None, False, {"amount": "accepted"}),
    ("edited", proposal(("amount", "1", "high")), {"amount": "2"}, None, False, {"amount": "edited"}),
    ("cleared", proposal(("amount", "1", "high")), {"amount": None}, None, False, {"amount": "cleared"}),
    (
        "offered beside and not taken",
        proposal(("amount", "1", "low")),
        {"amount": None},
        None,
        False,
        {"amount": "ignored"},
    ),
    (
        "offered beside and taken",
        proposal(("amount", "1", "low")),
        {"amount": "1"},
        None,
        False,
        {"amount": "accepted"},
    ),
    (
        "offered beside and another typed",
        proposal(("amount", "1", "low")),
        {"amount": "2"},
        None,
        False,
        {"amount": "edited"},
    ),
    (
        "touched up",
        proposal(("note", LONG, "high")),
        {"note": LONG + "."},
        None,
        False,
        {"note": "small_edit"},
    ),
    (
        "by hand and the same",
        proposal(("amount", "1", "high")),
        {"amount": "1"},
        None,
        True,
        {"amount": "ignored"},
    ),
    (
        "by hand and empty",
        proposal(("amount", "1", "high")),
        {"amount": None},
        None,
        True,
        {"amount": "ignored"},
    ),
    (
        "blind and the same",
        proposal(("amount", "1", "high"), mode="blind"),
        {"amount": "1"},
        None,
        False,
        {"amount": "blind_equal"},
    ),
    (
        "blind and by hand",
        proposal(("amount", "1", "high"), mode="blind"),
        {"amount": "1"},
        None,
        True,
        {"amount": "blind_equal"},
    ),
    (
        "shadow and another",
        proposal(("amount", "1", "high"), mode="shadow"),
        {"amount": "3"},
        None,
        False,
        {"amount": "blind_different"},
    ),
    (
        "shadow and touched up",
        proposal(("note", LONG, "high"), mode="shadow"),
        {"note": LONG + "."},
        None,
        False,
        {"note": "blind_equal"},
    ),
    ("a highlight", proposal(("matters", ["a"], "high")), {}, None, False, {}),
    ("a field that is gone", proposal(("amount", "1", "high")), {}, None, False, {}),
    ("the choice", proposal(outcome="yes"), {}, "yes", False, {"outcome": "accepted"}),
    ("another choice", proposal(outcome="yes"), {}, "no", False, {"outcome": "edited"}),
    ("the choice by hand", proposal(outcome="yes"), {}, "yes", True, {"outcome": "ignored"}),
    (
        "the choice blind",
        proposal(outcome="yes", mode="blind"),
        {},
        "no",
        False,
        {"outcome": "blind_different"},
    ),
    ("no choice was asked for", proposal(outcome="yes"), {}, None, False, {}),
    ("nothing was proposed", proposal(status="failed"), {"amount": "1"}, "yes", False, {}),
    (
        "nothing came yet",
        proposal(("amount", "1", "high"), status="pending"),
        {"amount": "1"},
        None,
        False,
        {},
    ),
]


@cases(("name", "proposed", "values", "choice", "manual", "found"), CASES, ids=[case[0] for case in CASES])
def test_what_became_of_it(
    name: str,
    proposed: dict[str, Any],
    values: dict[str, Any],
    choice: str | None,
    manual: bool,
    found: dict[str, str],
) -> None:
    assert name
    assert outcomes(proposed, TYPES, values, choice, manual=manual) == found
