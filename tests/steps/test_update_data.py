"""Update data: fields of the record, further fields, and what is set by rule."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.core.errors import Invalid
from console.core.forms import FormField
from console.steps.base import FormNeeded, WriteRecord
from console.steps.update_data import UpdateDataConfig, same
from tests.steps.walk import complete, context, prepare, rows, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {"form": [{"name": "note", "label": "Note"}]}
FURTHER: list[dict[str, Any]] = [{"asks_if": "1 == 1"}]

PEP = [{"value": "none", "label": "None"}, {"value": "pep", "label": "PEP"}]
CONFIG: dict[str, Any] = {
    "fields": ["pep_status", "limit"],
    "form": [
        {"name": "role", "label": "Role", "required_if": 'steps.here.pep_status != "none"'},
        {
            "name": "points",
            "label": "Points",
            "type": "integer",
            "readonly": True,
            "value": [{"if": 'steps.here.pep_status == "pep"', "value": "3"}, {"value": "0"}],
        },
    ],
    "set": [{"field": "score", "value": "steps.here.points * 10"}],
}


def forms(**more: Any) -> dict[str, FormField]:
    fields = [
        FormField("pep_status", "PEP", "enum", required=True, value="none", now="none", options=PEP),
        FormField("limit", "Limit", "decimal", value="10.00", now="10.00"),
        FormField("score", "Score", "integer", value=0, now=0, **more),
    ]
    return {field.name: field for field in fields}


def test_the_form_shows_the_record_what_is_asked_and_what_will_be_set() -> None:
    fields = prepare("update_data", CONFIG, context(forms=forms())).fields
    assert [(field.name, field.value, field.now, field.readonly) for field in fields] == [
        ("pep_status", "none", "none", False),
        ("limit", "10.00", "10.00", False),
        ("role", None, None, False),
        ("points", 0, None, True),
        ("score", 0, 0, True),
    ]


def test_a_choice_that_a_rule_refuses_as_it_stands_starts_empty() -> None:
    def start(rule: str, severity: str = "refuse", former: dict[str, Any] | None = None) -> Any:
        config = {
            **CONFIG,
            "must": [{"field": "pep_status", "if": rule, "message": "No.", "severity": severity}],
        }
        return prepare("update_data", config, context(forms=forms(), former=former or {})).fields[0]

    refused = "steps.here.pep_status != 'none'"
    assert (start(refused).value, start(refused).now) == (None, "none")
    assert start(refused, former={"pep_status": "none"}).value == "none"
    assert start(refused, "explain").value == "none"
    assert start("steps.here.role == 'judge'").value == "none", "what is not known yet refuses nothing"


def test_nobody_is_asked_where_the_condition_does_not_hold_and_the_rules_give_every_value() -> None:
    kind, free = steps.get("update_data"), {"name": "owners", "label": "Owners", "value": "1 + 1"}
    for condition, form, asked in (
        ("record.kind == 'company'", free, False),
        ("record.kind == 'person'", free, True),
        ("record.gone == 1", free, True),
        ("record.kind == 'company'", {"name": "owners", "label": "Owners", "required": True}, True),
    ):
        settings = {"form": [form], "asks_if": condition}
        assert kind.by_itself(settings)
        step = view("update_data", settings)
        given = context(record={"kind": "person"})
        if asked:
            with pytest.raises(FormNeeded):
                kind.complete_by_itself(step, given)
        else:
            assert kind.complete_by_itself(step, given).values == {"owners": "2"}


def test_what_differs_is_written_and_compared_with_what_was_there() -> None:
    done = complete("update_data", CONFIG, context(forms=forms()), {"pep_status": "pep", "role": "minister"})
    assert done.outcome == "updated"
    assert done.values == {
        "pep_status": "pep",
        "limit": "10.00",
        "role": "minister",
        "points": 3,
        "score": 30,
    }
    (write,) = done.effects
    assert write == WriteRecord({"pep_status": {"old": "none", "new": "pep"}, "score": {"old": 0, "new": 30}})
    assert write.summary == "Update pep status, score"
    assert write.kind == "sql_write"


def test_nothing_is_written_where_nothing_differs() -> None:
    done = complete("update_data", CONFIG, context(forms=forms()), {"pep_status": "none", "limit": "10.0"})
    assert (done.outcome, done.effects) == ("unchanged", ())
    assert done.values["limit"] == "10.0"


def test_a_write_compares_with_what_the_person_saw() -> None:
    """The record moved to 12.00 while 10.00 stood on the screen: the write expects 10.00 and will be refused."""
    moved = forms()
    moved["limit"] = FormField("limit", "Limit", "decimal", value="12.00", now="12.00")
    done = complete(
        "update_data",
        CONFIG,
        context(forms=moved, shown={"limit": "10.00", "pep_status": "none", "score": 0}),
        {"limit": "11.00"},
    )
    assert isinstance(done.effects[0], WriteRecord)
    assert done.effects[0].changes == {"limit": {"old": "10.00", "new": "11.00"}}


def test_what_is_set_by_rule_cannot_be_typed() -> None:
    done = complete("update_data", CONFIG, context(forms=forms()), {"score": 99, "points": 99})
    assert (done.values["score"], done.values["points"], done.effects) == (0, 0, ())


def test_a_rule_that_comes_to_nothing_leaves_the_field_as_it_is() -> None:
    config = {
        "set": [
            {"field": "score", "value": "steps.nothing.at_all"},
            {"field": "limit", "value": '"no number"'},
        ]
    }
    done = complete("update_data", config, context(forms=forms()))
    assert (done.outcome, done.values) == ("unchanged", {"score": 0, "limit": "10.00"})


def test_rules_see_what_rules_before_them_set() -> None:
    config = {
        "set": [
            {"field": "score", "value": "7"},
            {"field": "limit", "value": [{"if": "steps.here.score == 7", "value": '"1.50"'}]},
        ]
    }
    assert complete("update_data", config, context(forms=forms())).values == {"score": 7, "limit": "1.50"}


def test_a_day_is_its_midnight_where_a_moment_is_asked_for() -> None:
    made = context(forms={"at": FormField("at", "At", "datetime")})
    assert complete("update_data", {"set": [{"field": "at", "value": "today()"}]}, made).values == {
        "at": "2026-11-20T00:00:00Z"
    }


def test_fields_may_be_needed_here_though_the_record_does_without() -> None:
    config = {"fields": ["limit"], "required": ["limit"]}
    empty = {"limit": FormField("limit", "Limit", "decimal")}
    assert prepare("update_data", config, context(forms=empty)).fields[0].required
    with pytest.raises(Invalid):
        complete("update_data", config, context(forms=empty))


def test_a_field_that_the_person_may_not_change_is_shown_and_kept() -> None:
    fixed = {"limit": FormField("limit", "Limit", "decimal", readonly=True, value="1", now="1")}
    done = complete(
        "update_data",
        {"fields": ["limit"], "required": ["limit"]},
        context(forms=fixed, former={"limit": "5"}),
        {"limit": "2"},
    )
    assert (done.values, done.effects) == ({"limit": "1"}, ())


def test_a_field_that_is_gone_is_named_and_nothing_is_written() -> None:
    made = forms()
    del made["score"]
    assert (
        prepare("update_data", CONFIG, context(forms=made)).text
        == "Not there any more, or not permitted for you: `score`."
    )
    with pytest.raises(Invalid) as caught:
        complete("update_data", CONFIG, context(forms=made), {"limit": "11"})
    assert [detail["field"] for detail in caught.value.details] == ["score"]


def test_the_step_goes_on_without_a_field_that_the_table_no_longer_has_unless_it_is_needed_or_set() -> None:
    made = forms()
    del made["limit"]
    config, gone = {**SMALLEST, "fields": ["limit"]}, replace(context(forms=made), gone=frozenset({"limit"}))
    assert str(prepare("update_data", config, gone).text).startswith(
        "Not in the database any more: `limit`. This step goes on without it"
    )
    done = complete("update_data", config, gone, {"note": "Seen"})
    assert (done.outcome, done.values) == ("unchanged", {"note": "Seen"})
    for needed in ({"required": ["limit"]}, {"fields": [], "set": [{"field": "limit", "value": "7"}]}):
        with pytest.raises(Invalid) as caught:
            complete("update_data", config | needed, gone)
        assert "moved to that version" in caught.value.details[0]["reason"]
        assert "This step needs it" in str(prepare("update_data", config | needed, gone).text), (
            "said before anything is typed, with who mends it"
        )
        assert "permitted" not in str(prepare("update_data", config | needed, gone).text), (
            "nobody may: handing it on helps nobody"
        )


@cases(
    ("kind", "left", "right", "equal"),
    [
        ("decimal", "12.5", "12.50", True),
        ("integer", 1, "1", True),
        ("decimal", "1", None, False),
        ("decimal", "x", "1", False),
        ("text", "", None, True),
        ("text", "a", "A", False),
        ("boolean", True, 1, False),
        ("boolean", None, False, False),
        ("multi_enum", ["a", "b"], ["b", "a"], True),
        ("array", ["a", "b"], ["b", "a"], False),
        ("json", {"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ],
)
def test_values_are_the_same_by_what_they_mean(kind: str, left: Any, right: Any, equal: bool) -> None:
    assert same(kind, left, right) is equal


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"fields": ["a", "a"]},
        {"fields": ["a"], "form": [{"name": "a", "label": "A"}]},
        {"fields": ["a"], "set": [{"field": "a", "value": "1"}]},
        {"fields": ["a"], "required": ["b"]},
    ],
)
def test_settings_that_ask_nothing_or_twice_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UpdateDataConfig.model_validate(config)


AMONG: dict[str, Any] = {
    "form": [
        {"name": "paper", "label": "Shown by", "type": "reference", "collection": "paper", "among": "papers"}
    ],
    "related": [{"name": "papers", "relation": "papers", "fields": ["kind"]}],
}


def test_a_reference_among_related_records_takes_only_these() -> None:
    own = context(reads={"papers": rows({"kind": "letter"})})
    (field,) = prepare("update_data", AMONG, own).fields
    assert field.options == [{"value": "0", "label": "0"}]
    assert complete("update_data", AMONG, own, {"paper": "0"}).values == {"paper": "0"}
    with pytest.raises(Invalid):
        complete("update_data", AMONG, own, {"paper": "8"})
