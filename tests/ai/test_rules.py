"""Rules propose what is certain: one value under the field's own name, fit for it. Nothing else, and never an outcome."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st

from console.ai.providers import rules
from console.core.proposal_types import Ask, FieldSpec, Kind, Source
from tests.tables import cases


def ask(fields: list[FieldSpec], *sources: Source, **more: Any) -> Ask:
    return Ask("propose", "s", "Check", "update_data", "", tuple(fields), sources=sources, **more)


def source(
    data: dict[str, Any], *, id: str = "s1", trusted: bool = True, kind: Kind = "step", **more: Any
) -> Source:
    return Source(id, kind, "Screening", data, trusted, **more)


def fields(told: Ask) -> list[dict[str, Any]]:
    return list(json.loads(rules.answer(told).text)["fields"])


def value(spec: FieldSpec, *sources: Source) -> Any:
    """What is proposed for the one field, None where nothing is."""
    found = fields(ask([spec], *sources))
    return found[0]["value"] if found else None


TEXT = FieldSpec("city", "Place of residence", "text")


def test_where_nothing_is_certain_it_declines() -> None:
    told = json.loads(rules.answer(ask([TEXT], source({"street": "Oude Delft 1"}))).text)
    assert (told["decision"], told["fields"]) == ("decline", [])
    assert told["decline_reason"]


@cases(
    ("key", "labels", "found"),
    [
        ("city", {}, True),
        ("City", {}, True),
        ("CITY", {}, True),
        ("ci_ty", {}, True),
        ("place_of_residence", {}, True),
        ("Place of residence", {}, True),
        ("town", {"town": "City"}, True),
        ("town", {"town": "Place of Residence"}, True),
        ("town", {}, False),
        ("cities", {}, False),
        ("city_name", {}, False),
        ("home_city", {}, False),
        ("", {}, False),
        ("___", {}, False),
        ("cïty", {}, False),
    ],
)
def test_names_that_are_the_same(key: str, labels: dict[str, str], found: bool) -> None:
    assert value(TEXT, source({key: "Delft"}, labels=labels)) == ("Delft" if found else None)


@cases(
    ("one", "other", "proposed"),
    [
        ({"city": "Delft"}, {"city": "Delft"}, "Delft"),
        ({"city": "Delft"}, {"city": "Gouda"}, None),
        ({"city": "Delft"}, {"city": None}, "Delft"),
        ({"city": "Delft"}, {"city": ""}, "Delft"),
        ({"city": "Delft"}, {"city": "  "}, "Delft"),
        ({"city": "Delft"}, {"place_of_residence": "Gouda"}, None),
        ({"city": "Delft"}, {"place_of_residence": "Delft"}, "Delft"),
        ({"city": "Delft"}, {"city": 7}, None),
        ({"city": "Delft"}, {"city": {"name": "Gouda"}}, None),
        ({"city": "Delft", "City": "Gouda"}, {}, None),
        ({}, {}, None),
    ],
)
def test_two_that_differ_are_no_certainty(
    one: dict[str, Any], other: dict[str, Any], proposed: str | None
) -> None:
    assert value(TEXT, source(one), source(other, id="s2")) == proposed


def test_of_equal_values_the_trusted_source_is_cited() -> None:
    (item,) = fields(
        ask([TEXT], source({"city": "Delft"}, trusted=False), source({"city": "Delft"}, id="s2"))
    )
    assert item["sources"] == ["s2"]


def test_a_field_that_wants_trust_gets_it_or_nothing() -> None:
    spec = replace(TEXT, trusted_only=True)
    assert value(spec, source({"city": "Delft"}, trusted=False)) is None
    assert (
        value(spec, source({"city": "Gouda"}, trusted=False), source({"city": "Delft"}, id="s2")) == "Delft"
    )


def test_what_the_record_holds_already_is_no_proposal() -> None:
    spec = replace(TEXT, now="Delft")
    assert value(spec, source({"city": "Delft"})) is None
    assert value(spec, source({"city": "Delft"}), source({"city": "Gouda"}, id="s2")) == "Gouda"


def test_what_must_never_go_to_a_model_is_not_proposed_either() -> None:
    assert value(replace(TEXT, treatment="never"), source({"city": "Delft"})) is None
    assert value(replace(TEXT, treatment="hash"), source({"city": "Delft"})) is None
    assert value(replace(TEXT, treatment="masked"), source({"city": "Delft"})) == "Delft"
    assert value(TEXT, source({"city": "Delft"}, treatments={"city": "never"})) is None
    assert value(TEXT, source({"city": "Delft"}, treatments={"city": "masked"})) == "Delft"


def test_an_outcome_is_never_proposed() -> None:
    told = ask(
        [],
        source({"outcome": "approve", "decision": "approve"}),
        outcomes=(("approve", "Approve"), ("reject", "Reject")),
    )
    assert json.loads(rules.answer(told).text)["decision"] == "decline"


def test_words_inside_a_text_are_no_fields() -> None:
    assert value(TEXT, source({"note": "city: Delft\nset city to Gouda"})) is None


RISK = FieldSpec("risk", "Risk", "enum", options=(("low", "Low risk"), ("high", "High risk")))


@cases(
    ("spec", "held", "proposed"),
    [
        (FieldSpec("x", "X", "text"), "a", "a"),
        (FieldSpec("x", "X", "text"), 7, None),
        (FieldSpec("x", "X", "text"), True, None),
        (FieldSpec("x", "X", "text"), ["a"], None),
        (FieldSpec("x", "X", "text", max_length=3), "abcd", None),
        (FieldSpec("x", "X", "text", max_length=4), "abcd", "abcd"),
        (FieldSpec("x", "X", "text"), "a\x00b", None),
        (FieldSpec("x", "X", "long_text"), "a\nb", "a\nb"),
        (FieldSpec("x", "X", "integer"), 7, 7),
        (FieldSpec("x", "X", "integer"), "7", 7),
        (FieldSpec("x", "X", "integer"), 7.5, None),
        (FieldSpec("x", "X", "integer"), "7.5", None),
        (FieldSpec("x", "X", "integer"), True, None),
        (FieldSpec("x", "X", "integer", minimum="8"), 7, None),
        (FieldSpec("x", "X", "integer", maximum="8"), 7, 7),
        (FieldSpec("x", "X", "decimal"), "12.50", "12.50"),
        (FieldSpec("x", "X", "decimal"), 12, "12"),
        (FieldSpec("x", "X", "decimal"), 12.5, "12.5"),
        (FieldSpec("x", "X", "decimal"), 1e-7, "0.00000010"[:9]),
        (FieldSpec("x", "X", "decimal"), float("nan"), None),
        (FieldSpec("x", "X", "decimal"), "12,50", None),
        (FieldSpec("x", "X", "decimal"), "EUR 12.50", None),
        (FieldSpec("x", "X", "money", minimum="0", maximum="100"), "100.01", None),
        (FieldSpec("x", "X", "money", minimum="0", maximum="100"), "100.00", "100.00"),
        (FieldSpec("x", "X", "boolean"), True, True),
        (FieldSpec("x", "X", "boolean"), False, False),
        (FieldSpec("x", "X", "boolean"), "yes", None),
        (FieldSpec("x", "X", "date"), "2026-11-20", "2026-11-20"),
        (FieldSpec("x", "X", "date"), "20.11.2026", None),
        (FieldSpec("x", "X", "date"), "2026-02-30", None),
        (FieldSpec("x", "X", "date"), "2026-11-20T10:00:00Z", None),
        (FieldSpec("x", "X", "date", minimum="2026-12-01"), "2026-11-20", None),
        (FieldSpec("x", "X", "datetime"), "2026-11-20T10:00:00+01:00", "2026-11-20T09:00:00Z"),
        (FieldSpec("x", "X", "time"), "10:30", "10:30:00"),
        (FieldSpec("x", "X", "email"), "jo@example.com", "jo@example.com"),
        (FieldSpec("x", "X", "email"), "Jo", None),
        (FieldSpec("x", "X", "phone"), "+31 20 794 6000", "+31 20 794 6000"),
        (FieldSpec("x", "X", "phone"), "none", None),
        (FieldSpec("x", "X", "url"), "https://example.com/a", "https://example.com/a"),
        (FieldSpec("x", "X", "url"), "javascript:alert(1)", None),
        (FieldSpec("x", "X", "reference"), "C-1", "C-1"),
        (FieldSpec("x", "X", "reference"), 17, "17"),
        (replace(RISK, name="x"), "low", "low"),
        (replace(RISK, name="x"), "LOW", "low"),
        (replace(RISK, name="x"), "High risk", "high"),
        (replace(RISK, name="x"), "medium", None),
        (replace(RISK, name="x"), 1, None),
        (replace(RISK, name="x", type="multi_enum"), ["high", "low"], ["low", "high"]),
        (replace(RISK, name="x", type="multi_enum"), ["odd"], None),
        (replace(RISK, name="x", type="multi_enum"), [], None),
        (FieldSpec("x", "X", "json"), {"a": 1}, None),
        (FieldSpec("x", "X", "files"), [{"file": "f"}], None),
        (FieldSpec("x", "X", "checklist", options=(("a", "A"),)), ["a"], None),
        (FieldSpec("x", "X", "something_new"), "a", None),
    ],
)
def test_a_value_fits_its_field_or_is_not_proposed(spec: FieldSpec, held: Any, proposed: Any) -> None:
    assert value(spec, source({"x": held})) == proposed


held = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=3)
types = st.sampled_from(
    [
        "text",
        "long_text",
        "integer",
        "decimal",
        "money",
        "boolean",
        "date",
        "datetime",
        "time",
        "enum",
        "multi_enum",
        "email",
        "reference",
    ]
)


@given(types, st.lists(held, min_size=1, max_size=3), held)
def test_whatever_a_source_holds_is_proposed_only_where_all_agree(
    kind: str, values: list[Any], now: Any
) -> None:
    spec = FieldSpec(
        "x", "X", kind, options=(("a", "A"), ("b", "B")) if kind in {"enum", "multi_enum"} else (), now=now
    )
    told = ask([spec], *(source({"x": each}, id=f"s{n}") for n, each in enumerate(values, 1)))
    for item in fields(told):
        fit = [rules.fitting(spec, each) for each in values]
        assert item["value"] in fit
        assert rules.fitting(spec, item["value"]) == item["value"]
