"""Decision: one of the options that are offered now, with what it needs."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.errors import Invalid
from console.steps.decision import DecisionConfig
from tests.steps.walk import complete, context, prepare, rows

CODES = [{"value": "sanctions", "label": "Sanctions"}, {"value": "documents", "label": "Documents"}]
CONFIG: dict[str, Any] = {
    "text": "Band {{ steps.score.band }}",
    "form": [
        {"name": "code", "label": "Code", "type": "enum", "options": CODES},
        {"name": "due", "label": "Due", "type": "date"},
        {"name": "note", "label": "Note"},
    ],
    "options": [
        {"value": "approve", "label": "Approve", "if": 'steps.score.band == "low"'},
        {"value": "conditions", "label": "With conditions", "fields": ["due"]},
        {"value": "reject", "label": "Reject", "fields": ["code"], "unless": 'steps.hits.result == "true_match"'},
        {"value": "escalate", "label": "Pass on", "reason_required": True},
    ],
}
LOW = {"score": {"band": "low"}}


def refusal(outcome: str | None, values: dict[str, Any], **found: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        complete("decision", CONFIG, context(steps=found), values, outcome)
    return [str(detail["field"]) for detail in caught.value.details]


def test_options_are_offered_by_their_conditions() -> None:
    assert [option.value for option in prepare("decision", CONFIG, context(steps=LOW)).outcomes] == [
        "approve",
        "conditions",
        "reject",
        "escalate",
    ]
    assert [option.value for option in prepare("decision", CONFIG, context()).outcomes] == ["conditions", "reject", "escalate"]
    blocked = {"hits": {"result": "true_match"}}
    assert [option.label for option in prepare("decision", CONFIG, context(steps=blocked)).outcomes] == ["With conditions", "Pass on"]


def test_the_form_and_the_text_are_shown() -> None:
    prompt = prepare(
        "decision",
        {**CONFIG, "related": [{"name": "docs", "relation": "d", "fields": ["x"]}]},
        context({"docs": rows(denied=("x",))}, steps=LOW),
    )
    assert prompt.text == "Band low\n\nNot permitted for you: `docs.x`."
    assert [field.name for field in prompt.fields] == ["code", "due", "note", "reason"]
    assert prompt.tables == ("docs",)


def test_the_choice_is_the_outcome_and_stands_in_the_output() -> None:
    done = complete("decision", CONFIG, context(steps=LOW), {"note": "fine"}, "approve")
    assert done.outcome == "approve"
    assert done.values == {"code": None, "due": None, "note": "fine", "reason": None}
    assert done.output == {"option": "approve", **done.values}
    assert done.effects == ()


def test_what_belongs_to_other_options_is_left_out_right_or_wrong() -> None:
    done = complete("decision", CONFIG, context(steps=LOW), {"code": "nonsense", "due": "2026-12-01"}, "approve")
    assert (done.values["code"], done.values["due"]) == (None, None)
    done = complete("decision", CONFIG, context(), {"code": "sanctions", "due": "2026-12-01"}, "conditions")
    assert (done.values["code"], done.values["due"]) == (None, "2026-12-01")


@pytest.mark.parametrize(
    ("outcome", "values", "wrong"),
    [
        (None, {}, ["outcome"]),
        ("approve", {}, ["outcome"]),
        ("fly", {}, ["outcome"]),
        ("conditions", {}, ["due"]),
        ("conditions", {"due": "soon"}, ["due"]),
        ("reject", {"code": ""}, ["code"]),
        ("escalate", {}, ["reason"]),
        ("escalate", {"reason": "  "}, ["reason"]),
        ("reject", {"other": 1, "note": 2}, ["other", "note", "code"]),
        (None, {"note": 2}, ["outcome", "note"]),
    ],
)
def test_what_is_missing_or_wrong_is_named(outcome: str | None, values: dict[str, Any], wrong: list[str]) -> None:
    assert refusal(outcome, values) == wrong


def test_a_choice_that_is_not_offered_is_told_what_is() -> None:
    with pytest.raises(Invalid) as caught:
        complete("decision", CONFIG, context(steps={"hits": {"result": "true_match"}}), {"code": "sanctions"}, "reject")
    assert caught.value.details[0]["reason"] == "reject cannot be chosen here: choose one of conditions, escalate."


def test_former_values_are_the_defaults_of_the_next_attempt() -> None:
    made = context(former={"note": "as before", "option": "approve"})
    assert {field.name: field.value for field in prepare("decision", CONFIG, made).fields}["note"] == "as before"


def test_options_are_the_outcomes_and_every_text_is_named() -> None:
    kind, config = steps.get("decision"), DecisionConfig.model_validate(CONFIG)
    assert kind.outcomes(config) == ("approve", "conditions", "reject", "escalate")
    assert [text.field for text in kind.expressions(config)] == ["options[0].if", "options[2].unless"]
    assert kind.outputs(config) == frozenset({"option", "code", "due", "note", "reason"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"options": CONFIG["options"][:1]}, "at least 2"),
        ({"options": [CONFIG["options"][1]] * 2}, "same value"),
        ({"options": [CONFIG["options"][0], CONFIG["options"][2]]}, "at least one must always be offered"),
        ({"form": []}, "do not have|does not have"),
        ({"form": [*CONFIG["form"], {"name": "option", "label": "O"}]}, "cannot be named option"),
        ({"form": [*CONFIG["form"], CONFIG["form"][0]]}, "more than one field is named code"),
        ({"maker": "ai"}, "maker"),
    ],
)
def test_settings_that_leave_no_choice_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DecisionConfig.model_validate({**CONFIG, **change})
