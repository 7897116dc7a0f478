"""Forms as a whole: absent and read-only fields, and everything wrong at once. Each type: test_forms_matrix.py."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from console.core.errors import Invalid
from console.core.forms import FIELD_TYPES, FormField, clean, examine

OPTIONS = [
    {"value": "new", "label": "New"},
    {"value": "old", "label": "Old"},
    {"value": "event", "label": "Event"},
]


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


def test_an_absent_field_keeps_its_value_and_is_needed_all_the_same() -> None:
    assert clean([field("text", value="as before", required=True)], {}) == {"x": "as before"}
    with pytest.raises(Invalid):
        clean([field("text", required=True)], {})
    assert clean([field("boolean", required=True, value=False)], {}) == {"x": False}


def test_a_read_only_field_keeps_its_value_whatever_is_submitted() -> None:
    assert clean([field("text", value="fixed", readonly=True, required=True)], {"x": "other"}) == {
        "x": "fixed"
    }
    assert clean([field("text", readonly=True, required=True)], {}) == {"x": None}


def test_what_is_only_shown_may_be_sent_back_unchanged() -> None:
    assert value_of(field("file", value="report.pdf"), "report.pdf") == "report.pdf"


def test_everything_wrong_is_said_at_once_unknown_names_first() -> None:
    fields = [
        FormField("a", "A", "integer"),
        FormField("b", "B", "email"),
        FormField("c", "C", required=True),
    ]
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


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.sampled_from(FIELD_TYPES), JSON_VALUES, st.booleans())
def test_whatever_is_typed_is_refused_or_kept_as_it_will_be_read_again(
    kind: str, typed: Any, listed: bool
) -> None:
    made = field(kind, options=OPTIONS if listed else None)
    values, details = examine([made], {"x": typed})
    if details:
        assert values == {"x": None}
    else:
        assert examine([made], values) == (values, [])
        json.dumps(values, allow_nan=False).encode()
