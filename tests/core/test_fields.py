"""Fields as documents define them: computed, needed sometimes, looking at each other."""

from datetime import UTC, datetime
from typing import Any

import pytest

from console.core.documents.field_expressions import texts_of_definitions
from console.core.documents.fields import (
    FieldDefinition,
    FieldRule,
    coerce_computed,
    fields_with_values,
    names_of,
    submitted_values,
    wrong_rules,
)
from console.core.forms import FormField
from tests.tables import cases

ROOTS: dict[str, Any] = {
    "record": {"age": 30},
    "steps": {"load": {"n": "12.5"}},
    "variables": {"limit": 10},
    "now": datetime(2026, 11, 20, tzinfo=UTC),
}


def define(*fields: dict[str, Any]) -> list[FieldDefinition]:
    return [
        FieldDefinition.model_validate({"label": str(field["name"]).title(), **field}) for field in fields
    ]


def values(definitions: list[FieldDefinition], former: dict[str, Any] | None = None) -> dict[str, Any]:
    return {field.name: field.value for field in fields_with_values(definitions, ROOTS, former or {}, "me")}


def test_former_values_come_before_computed_ones_before_defaults() -> None:
    form = define(
        {"name": "a", "value": "record.age", "default": "x"}, {"name": "b", "default": "y"}, {"name": "c"}
    )
    assert values(form) == {"a": "30", "b": "y", "c": None}
    assert values(form, {"a": "typed", "b": None, "c": "z"}) == {"a": "typed", "b": None, "c": "z"}


def test_a_field_sees_those_before_it_and_not_those_after() -> None:
    form = define(
        {"name": "a", "type": "integer", "value": "2"},
        {"name": "b", "type": "integer", "value": "steps.me.a * 10"},
        {"name": "c", "type": "integer", "value": "steps.me.d"},
        {"name": "d", "type": "integer", "value": "1"},
    )
    assert values(form) == {"a": 2, "b": 20, "c": None, "d": 1}


@cases(
    ("kind", "value", "kept"),
    [
        ("text", 3, "3"),
        ("text", True, None),
        ("decimal", 3, "3"),
        ("decimal", "0.3333333333333333333333333333", "0.3333333333333333333333333333"),
        ("integer", "3", 3),
        ("integer", "3.5", None),
        ("date", "2026-11-20", "2026-11-20"),
        ("datetime", "2026-11-20", "2026-11-20T00:00:00Z"),
        ("boolean", "yes", None),
        ("multi_enum", ["a"], ["a"]),
        ("text", None, None),
    ],
)
def test_a_computed_value_fits_its_field_or_is_none(kind: str, value: Any, kept: Any) -> None:
    assert coerce_computed(FormField("x", "X", kind), value) == kept


def test_what_is_needed_is_judged_by_what_was_typed() -> None:
    said = 'Of {{ steps.me.result }}{{ if steps.me.result == "bad" }}: say why{{ end }}'
    form = define(
        {"name": "result", "default": "good"},
        {"name": "why", "required_if": 'steps.me.result == "bad"', "help": said},
    )
    assert [field.required for field in fields_with_values(form, ROOTS, {"result": "bad"}, "me")] == [
        False,
        True,
    ]
    assert [fields_with_values(form, ROOTS, former, "me")[1].help for former in ({"result": "bad"}, {})] == [
        "Of bad: say why",
        "Of good",
    ]
    assert submitted_values(form, ROOTS, {"result": "bad"}, "me", {"result": "good"}) == (
        {"result": "good", "why": None},
        [],
    )
    kept, details = submitted_values(form, ROOTS, {}, "me", {"result": "bad"})
    assert [detail["field"] for detail in details] == ["why"]
    assert kept["result"] == "bad"


def test_a_wrong_field_is_told_once() -> None:
    form = define({"name": "n", "type": "integer", "required_if": "1 == 1"})
    assert [detail["field"] for detail in submitted_values(form, ROOTS, {}, "me", {"n": "x"})[1]] == ["n"]


def test_read_only_fields_are_computed_anew_from_what_was_typed() -> None:
    form = define(
        {"name": "n", "type": "integer"},
        {"name": "twice", "type": "integer", "readonly": True, "value": "steps.me.n * 2"},
        {"name": "more", "type": "integer", "readonly": True, "value": "steps.me.twice + 1"},
    )
    assert submitted_values(form, ROOTS, {"twice": 99}, "me", {"n": 4, "twice": 7})[0] == {
        "n": 4,
        "twice": 8,
        "more": 9,
    }


def test_a_choice_that_does_not_apply_is_neither_offered_nor_taken() -> None:
    young = [{"value": "all", "label": "All"}, {"value": "young", "label": "Young", "if": "record.age < 30"}]
    form = define({"name": "of", "type": "checklist", "options": young})
    assert [option["value"] for option in fields_with_values(form, ROOTS, {}, "me")[0].options] == ["all"]
    assert [
        option["value"]
        for option in fields_with_values(form, {**ROOTS, "record": {"age": 29}}, {}, "me")[0].options
    ] == ["all", "young"]
    assert [detail["field"] for detail in submitted_values(form, ROOTS, {}, "me", {"of": ["young"]})[1]] == [
        "of"
    ]
    assert [(located.field, located.text) for located in texts_of_definitions("form", form)] == [
        ("form[0].options[1].if", "record.age < 30")
    ]
    with pytest.raises(ValueError, match="leave one without"):
        define({"name": "of", "type": "enum", "options": young[1:]})


def test_the_largest_value_may_depend_on_the_run() -> None:
    form = define(
        {
            "name": "n",
            "type": "decimal",
            "at_most": [{"if": "record.age > 60", "value": "1"}, {"value": "steps.load.n"}],
        }
    )
    assert fields_with_values(form, ROOTS, {}, "me")[0].max == "12.5"
    assert submitted_values(form, ROOTS, {}, "me", {"n": "12.50"}) == ({"n": "12.50"}, [])
    assert submitted_values(form, ROOTS, {}, "me", {"n": "12.51"})[1] == [
        {"field": "n", "reason": "This is too high: at most 12.5."}
    ]
    form = define(
        {"name": "n", "type": "integer", "at_most": "record.nothing"},
        {"name": "m", "type": "integer", "at_most": '"no number"'},
    )
    assert submitted_values(form, ROOTS, {}, "me", {"n": 99, "m": 99}) == ({"n": 99, "m": 99}, [])


@pytest.mark.parametrize(
    ("typed", "details"),
    [
        ({"n": "12.5"}, []),
        ({"n": "13"}, [{"field": "n", "reason": "13 is more than the 12.5 that are left."}]),
        ({"n": "1.25"}, [{"field": "n", "reason": "One decimal."}]),
        ({}, []),
        ({"n": "x"}, [{"field": "n"}]),
    ],
)
def test_what_must_hold_is_said_in_the_documents_own_words(
    typed: dict[str, Any], details: list[dict[str, str]]
) -> None:
    must = [
        {"if": "steps.me.n == round_half_up(steps.me.n, 1)", "message": "One decimal."},
        {
            "if": "steps.me.n <= steps.load.n",
            "message": "{{ steps.me.n }} is more than the {{ steps.load.n }} that are left.",
        },
    ]
    form = define({"name": "n", "type": "decimal", "must": must})
    found = submitted_values(form, ROOTS, {}, "me", typed)[1]
    assert [{**detail, **wanted} for detail, wanted in zip(found, details, strict=True)] == found


def test_what_cannot_be_told_does_not_hold() -> None:
    form = define(
        {
            "name": "n",
            "type": "integer",
            "must": [{"if": "steps.me.n < record.nothing", "message": "Not known."}],
        }
    )
    assert submitted_values(form, ROOTS, {}, "me", {"n": 1})[1] == [
        {"field": "n", "reason": "Not known.", "severity": "refuse"}
    ]
    assert [tuple(text)[:2] for text in texts_of_definitions("form", form)] == [
        ("form[0].must[0].if", "steps.me.n < record.nothing")
    ]


CONTRADICTION = {
    "if": "steps.me.because != 'age' || record.age != 30",
    "message": "Not possible: both ages are {{ record.age }}.",
    "why": "Ours is {{ record.age }}.",
    "ways": [
        {"label": "Set to same", "set": {"verdict": "same"}},
        {"label": "Another reason", "set": {"because": None}},
    ],
}
UNSEEN = {
    "if": "steps.me.verdict != 'other'",
    "message": "Nobody opened it.",
    "severity": "explain",
    "ask": "Why all the same?",
}


def test_a_contradiction_says_what_why_and_the_ways_out() -> None:
    form = define({"name": "verdict"}, {"name": "because", "must": [CONTRADICTION]})
    assert [text.field for text in texts_of_definitions("form", form)] == [
        f"form[1].must[0].{part}" for part in ("if", "message", "why")
    ]
    assert submitted_values(form, ROOTS, {}, "me", {"verdict": "other", "because": "age"})[1] == [
        {
            "field": "because",
            "reason": "Not possible: both ages are 30.",
            "severity": "refuse",
            "why": "Ours is 30.",
            "ways": CONTRADICTION["ways"],
        }
    ]
    assert submitted_values(form, ROOTS, {}, "me", {"verdict": "other", "because": "place"})[1] == []


def test_a_sentence_is_asked_for_only_where_the_rule_does_not_hold_and_is_kept() -> None:
    form = define({"name": "verdict", "must": [UNSEEN]}, {"name": "note"})
    fields = fields_with_values(form, ROOTS, {}, "me")
    assert [(field.name, field.label, field.explains) for field in fields[1:]] == [
        ("verdict_because", "Why all the same?", "verdict"),
        ("note", "Note", None),
    ]
    assert names_of(form) == {"verdict", "verdict_because", "note"}
    asked = submitted_values(form, ROOTS, {}, "me", {"verdict": "other"})[1]
    assert asked == [
        {
            "field": "verdict_because",
            "reason": "Nobody opened it.",
            "severity": "explain",
            "ask": "Why all the same?",
        }
    ]
    two = define(
        {"name": "verdict", "must": [{**UNSEEN, "if": "1 == 1", "ask": "Who opened it?"}, UNSEEN]},
        {"name": "note"},
    )
    assert fields_with_values(two, ROOTS, {}, "me")[1].label == "Verdict: why all the same?", (
        "no question of a rule that was not broken"
    )
    assert submitted_values(two, ROOTS, {}, "me", {"verdict": "other"})[1] == asked
    told = {"verdict": "other", "verdict_because": "It came by hand."}
    assert submitted_values(form, ROOTS, {}, "me", told) == ({**told, "note": None}, [])
    assert submitted_values(form, ROOTS, {}, "me", {"verdict": "same"}) == (
        {"verdict": "same", "note": None},
        [],
    )
    written_all_the_same = {**told, "verdict": "same"}
    assert submitted_values(form, ROOTS, {}, "me", written_all_the_same) == (
        {**written_all_the_same, "note": None},
        [],
    ), "no typed word is lost"
    assert submitted_values(form, ROOTS, told, "me", {}) == ({**told, "note": None}, [])


def test_a_column_may_have_rules_too() -> None:
    column = FormField("state", "State", value="bad", now="bad")
    rule = FieldRule.model_validate(
        {
            "field": "state",
            "if": "steps.me.state != 'bad' || record.age < 18",
            "message": "Too old to be bad.",
        }
    )
    form = define({"name": "why"})
    assert [
        detail["field"] for detail in submitted_values(form, ROOTS, {}, "me", {}, [column], [rule])[1]
    ] == ["state"]
    assert submitted_values(form, ROOTS, {}, "me", {"state": "good"}, [column], [rule])[1] == []
    asks = rule.model_copy(update={"severity": "explain"})
    assert [field.name for field in fields_with_values(form, ROOTS, {}, "me", [column], [asks])] == [
        "state_because",
        "why",
    ]
    assert [
        detail["field"] for detail in submitted_values(form, ROOTS, {}, "me", {}, [column], [asks])[1]
    ] == ["state_because"]
    assert submitted_values(form, ROOTS, {}, "me", {"state_because": "So."}, [column], [asks])[1] == []


@cases(
    ("fields", "rules", "said"),
    [
        ([{"name": "a", "must": [CONTRADICTION]}], [], "sets what is no field of the form: because, verdict"),
        (
            [{"name": "a"}],
            [{"field": "b", "if": "1 == 1", "message": "x"}],
            "must names what is no field of the form: b",
        ),
        ([{"name": "a", "must": [UNSEEN]}, {"name": "a_because"}], [], "cannot be named a_because"),
        ([{"name": "a", "must": [UNSEEN]}], [], None),
    ],
)
def test_rules_that_do_not_fit_their_form_are_named(
    fields: list[dict[str, Any]], rules: list[dict[str, Any]], said: str | None
) -> None:
    found = wrong_rules(define(*fields), [], [FieldRule.model_validate(rule) for rule in rules])
    assert found is None if said is None else said in str(found)


def test_columns_beside_the_definitions_are_seen_by_them() -> None:
    form = define({"name": "why", "required_if": 'steps.me.state == "bad"'})
    column = FormField("state", "State", value="bad", now="bad")
    assert fields_with_values(form, ROOTS, {}, "me", [column])[0].required
    assert [detail["field"] for detail in submitted_values(form, ROOTS, {}, "me", {}, [column])[1]] == ["why"]
    assert submitted_values(form, ROOTS, {}, "me", {"state": "good"}, [column])[1] == []


def test_a_field_whose_condition_does_not_hold_is_not_asked_for_and_stays_empty() -> None:
    form = define(
        {
            "name": "result",
            "type": "enum",
            "options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
        },
        {"name": "reason", "required": True, "if": 'steps.me.result == "no"'},
        {"name": "detail", "required": True, "if": 'steps.me.reason == "other"'},
    )
    drawn = {
        field.name: (field.asked, field.required)
        for field in fields_with_values(form, ROOTS, {"result": "no"}, "me")
    }
    assert drawn == {"result": (None, False), "reason": (True, True), "detail": (False, False)}
    values, details = submitted_values(
        form, ROOTS, {}, "me", {"result": "yes", "reason": "other", "detail": "kept"}
    )
    assert (values, details) == ({"result": "yes", "reason": None, "detail": None}, [])
    _, details = submitted_values(form, ROOTS, {}, "me", {"result": "no", "reason": "other"})
    assert [detail["field"] for detail in details] == ["detail"]
