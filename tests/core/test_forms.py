"""What may be typed into each type of field, and what is said of everything else."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console.core.expressions.operands import Spelled
from console.core.forms import CLEANERS, FIELD_TYPES, NEVER_TYPED, FormField, clean, examine
from console.errors import Invalid
from tests.tables import cases

OPTIONS = [{"value": "new", "label": "New"}, {"value": "old", "label": "Old"}, {"value": "event", "label": "Event"}]


def field(kind: str, **more: Any) -> FormField:
    return FormField("x", "The field", kind, **more)


def value_of(made: FormField, typed: Any) -> Any:
    return clean([made], {"x": typed})["x"]


def reason_of(made: FormField, typed: Any) -> str:
    with pytest.raises(Invalid) as caught:
        clean([made], {"x": typed})
    (detail,) = caught.value.details
    assert detail["field"] == "x"
    return str(detail["reason"])


@cases(
    ("kind", "typed", "kept"),
    [
        ("text", "Ana", "Ana"),
        ("text", "  kept as it is ", "  kept as it is "),
        ("text", "e\u0301", "é"),
        ("text", "\u202eabc <b>&amp;", "\u202eabc <b>&amp;"),
        ("text", "", None),
        ("long_text", "one\r\ntwo\rthree\n", "one\ntwo\nthree\n"),
        ("integer", 12, 12),
        ("integer", "-7", -7),
        ("integer", 2**53 - 1, 2**53 - 1),
        ("integer", "", None),
        ("decimal", "12.50", "12.50"),
        ("decimal", 12, "12"),
        ("decimal", -(10**29), "-1" + "0" * 29),
        ("decimal", Spelled("12.50"), "12.50"),
        ("decimal", Spelled("0.1000000000000000055511151231"), "0.1000000000000000055511151231"),
        ("decimal", Spelled("1.5E+3"), "1500"),
        ("decimal", Spelled("25e-2"), "0.25"),
        ("integer", Spelled("12.0"), 12),
        ("integer", Spelled("1.2e1"), 12),
        ("array", [Spelled("12.50"), 1], ["12.50", 1]),
        ("json", {"rate": Spelled("0.10"), "list": [Spelled("1e1")]}, {"rate": "0.10", "list": ["10"]}),
        ("decimal", " -0.001 ", "-0.001"),
        ("money", "100", "100"),
        ("boolean", True, True),
        ("boolean", "false", False),
        ("date", "2026-02-28", "2026-02-28"),
        ("datetime", "2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00Z"),
        ("datetime", "2026-11-20T10:00:00.25Z", "2026-11-20T10:00:00.250000Z"),
        ("datetime", "2026-11-20 10:00z", "2026-11-20T10:00:00Z"),
        ("time", "09:30", "09:30:00"),
        ("uuid", "0193463C-0000-7000-8000-000000000001", "0193463c-0000-7000-8000-000000000001"),
        ("email", " ana@example.org ", "ana@example.org"),
        ("phone", "+31 20 794 6000", "+31 20 794 6000"),
        ("url", "https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("reference", "17", "17"),
        ("reference", 17, 17),
        ("json", {"a": [1, "2.5", None, True]}, {"a": [1, "2.5", None, True]}),
        ("json", "", ""),
        ("array", ["a", 1, None, True], ["a", 1, None, True]),
    ],
)
def test_what_fits_is_kept_in_its_canonical_form(kind: str, typed: Any, kept: Any) -> None:
    assert value_of(field(kind), typed) == kept


@cases(
    ("kind", "typed", "said"),
    [
        ("text", 12, "must be text, in quotes; it is a number"),
        ("text", ["a"], "a list"),
        ("text", {"a": 1}, "an object"),
        ("text", True, "true or false"),
        ("text", "a\x00b", "NUL"),
        ("text", "\ud800", "lone surrogate"),
        ("text", "x" * 10_001, "at most 10000"),
        ("long_text", "x" * 100_001, "at most 100000"),
        ("integer", 1.0, "whole number"),
        ("integer", "1.0", "whole number"),
        ("integer", True, "whole number"),
        ("integer", "٣", "whole number"),
        ("integer", 2**53, "too large"),
        ("integer", [1], "whole number"),
        ("decimal", 12.5, "must be a number"),
        ("decimal", True, "must be a number"),
        ("decimal", Spelled("1e-400"), "point"),
        ("decimal", Spelled("1e400"), "point"),
        ("integer", Spelled("12.5"), "whole number"),
        ("integer", Spelled("1e400"), "whole number"),
        ("integer", Spelled("1.0e60"), "whole number"),
        ("text", Spelled("12.5"), "it is a number"),
        ("date", Spelled("12.5"), "it is a number"),
        ("decimal", "12,50", "point"),
        ("decimal", "1e3", "point"),
        ("decimal", "NaN", "point"),
        ("money", "9" * 31, "point"),
        ("boolean", "yes", "true or false"),
        ("boolean", 1, "true or false"),
        ("date", "20.11.2026", "such as 2026-11-20"),
        ("date", "2026-02-30", "no such day"),
        ("date", 20261120, "must be text"),
        ("datetime", "2026-11-20T10:00:00", "time zone is missing"),
        ("datetime", "2026-11-20T25:00:00Z", "no such day or time"),
        ("datetime", "tomorrow", "date and time"),
        ("datetime", "0001-01-01T00:00:00+14:00", "no such day or time"),
        ("time", "25:00", "no such time"),
        ("time", "noon", "such as 09:30"),
        ("uuid", "0193463c", "UUID"),
        ("email", "ana", "name@example.org"),
        ("email", "ana@example", "name@example.org"),
        ("email", "a b@example.org", "name@example.org"),
        ("email", "a..b@example.org", "name@example.org"),
        ("email", "x" * 250 + "@example.org", "too long"),
        ("phone", "call me", "no phone number"),
        ("phone", "+1", "no phone number"),
        ("url", "javascript:alert(1)", "https://"),
        ("url", "https://", "https://"),
        ("url", "https://exa mple.org", "https://"),
        ("url", "http://[::1", "https://"),
        ("reference", True, "must be text"),
        ("json", {"a": 1.5}, "written as text"),
        ("json", ["a\x00"], "cannot be stored"),
        ("json", 2**60, "too large"),
        ("json", "x" * 70_000, "too large"),
        ("array", "a", "must be a list; it is a text"),
        ("array", [{"a": 1}], "one is an object"),
        ("array", list(range(1001)), "at most 1000"),
        ("file", "report.pdf", "cannot be changed"),
        ("other", "x", "cannot be changed"),
        ("binary", "x", "cannot be changed"),
    ],
)
def test_what_does_not_fit_is_named_with_the_way_out(kind: str, typed: Any, said: str) -> None:
    assert said in reason_of(field(kind), typed)


@pytest.mark.parametrize("kind", ["enum", "text"])
def test_an_option_is_chosen_by_its_value(kind: str) -> None:
    assert value_of(field(kind, options=OPTIONS), "old") == "old"
    assert "choose one of new, old, event" in reason_of(field(kind, options=OPTIONS), "Old")


@pytest.mark.parametrize("kind", ["multi_enum", "checklist"])
def test_ticks_are_kept_once_in_the_order_of_the_options(kind: str) -> None:
    ticks = field(kind, options=OPTIONS)
    assert value_of(ticks, ["event", "new", "event"]) == ["new", "event"]
    assert value_of(ticks, []) == []
    assert "choose one of" in reason_of(ticks, ["new", "nothing"])
    assert "must be a list" in reason_of(ticks, "new")
    assert "must be text" in reason_of(ticks, [1])


def test_a_list_without_options_takes_any_text() -> None:
    assert value_of(field("multi_enum"), ["b", "a"]) == ["b", "a"]


def test_a_reference_with_a_few_options_is_one_of_them() -> None:
    assert value_of(field("reference", options=OPTIONS), "new") == "new"
    assert value_of(field("reference", options={"collection": "party"}), "any key/at all") == "any key/at all"
    assert "choose one of" in reason_of(field("reference", options=OPTIONS), "17")


@cases(
    ("made", "fits", "wrong", "said"),
    [
        (field("integer", min=0, max=3), 3, 4, "too high: at most 3"),
        (field("integer", min=0, max=3), 0, -1, "too low: at least 0"),
        (field("decimal", min="0.01", max="120.00"), "120.00", "120.001", "too high: at most 120.00"),
        (field("decimal", min="0.01"), "0.010", "0.009", "too low"),
        (field("date", min="2026-01-01"), "2026-01-01", "2025-12-31", "too low"),
        (field("text", max_length=3), "abc", "abcd", "4 characters, at most 3"),
        (field("long_text", min=20), "x" * 20, "x" * 19 + "  ", "at least 20 characters"),
        (field("multi_enum", options=OPTIONS, min=2), ["new", "old"], ["new"], "Tick at least 2"),
        (field("multi_enum", options=OPTIONS, max=2), ["new"], ["new", "old", "event"], "Tick at most 2"),
    ],
)
def test_bounds_include_themselves(made: FormField, fits: Any, wrong: Any, said: str) -> None:
    assert value_of(made, fits) == fits
    assert said in reason_of(made, wrong)


@pytest.mark.parametrize(
    ("made", "empty", "said"),
    [
        (field("text", required=True), "   ", "is needed."),
        (field("text", required=True), None, "is needed."),
        (field("enum", required=True, options=OPTIONS), "", "choose one"),
        (field("checklist", required=True, options=OPTIONS), [], "tick at least one"),
        (field("integer", required=True), None, "is needed."),
    ],
)
def test_a_needed_field_may_not_be_empty(made: FormField, empty: Any, said: str) -> None:
    assert said in reason_of(made, empty)


def test_an_absent_field_keeps_its_value_and_is_needed_all_the_same() -> None:
    assert clean([field("text", value="as before", required=True)], {}) == {"x": "as before"}
    with pytest.raises(Invalid):
        clean([field("text", required=True)], {})
    assert clean([field("boolean", required=True, value=False)], {}) == {"x": False}


def test_a_read_only_field_keeps_its_value_whatever_is_submitted() -> None:
    assert clean([field("text", value="fixed", readonly=True, required=True)], {"x": "other"}) == {"x": "fixed"}
    assert clean([field("text", readonly=True, required=True)], {}) == {"x": None}


def test_what_is_only_shown_may_be_sent_back_unchanged() -> None:
    assert value_of(field("file", value="report.pdf"), "report.pdf") == "report.pdf"


def test_everything_wrong_is_said_at_once_unknown_names_first() -> None:
    fields = [FormField("a", "A", "integer"), FormField("b", "B", "email"), FormField("c", "C", required=True)]
    with pytest.raises(Invalid) as caught:
        clean(fields, {"a": "x", "zz": 1, "b": "no", "yy": 2})
    assert [detail["field"] for detail in caught.value.details] == ["zz", "yy", "a", "b", "c"]
    assert "zz" in caught.value.message


def test_a_wrong_field_keeps_what_it_had() -> None:
    values, details = examine([field("integer", value=3)], {"x": "three"})
    assert values == {"x": 3}
    assert len(details) == 1


def test_json_is_not_read_deeper_than_it_can_be_shown() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    assert "too deep" in reason_of(field("json"), deep)


def test_every_type_of_the_reference_is_cleaned_or_never_typed() -> None:
    assert set(FIELD_TYPES) == set(CLEANERS) | NEVER_TYPED


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(FIELD_TYPES), JSON_VALUES, st.booleans())
def test_whatever_is_typed_is_refused_or_kept_as_it_will_be_read_again(kind: str, typed: Any, listed: bool) -> None:
    made = field(kind, options=OPTIONS if listed else None)
    values, details = examine([made], {"x": typed})
    if details:
        assert values == {"x": None}
    else:
        assert examine([made], values) == (values, [])
        json.dumps(values, allow_nan=False).encode()
