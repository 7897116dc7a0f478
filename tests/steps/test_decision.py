"""Decision: one of the options that are offered now, with what it needs."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from console import steps
from console.core.errors import Invalid
from console.core.run import proposal_comparison
from console.steps.base import AsksPerson, Completion
from console.steps.decision import DecisionConfig
from tests.steps.walk import complete, context, prepare, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {"options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]}

CODES = [{"value": "sanctions", "label": "Sanctions"}, {"value": "documents", "label": "Documents"}]
CONFIG: dict[str, Any] = {
    "text": "Band {{ steps.score.band }}",
    "form": [
        {"name": "code", "label": "Code", "type": "enum", "options": CODES},
        {"name": "due", "label": "Due", "type": "date"},
        {
            "name": "note",
            "label": "Note",
            "required_if": "steps.here.option == 'reject' && steps.here.code == 'documents'",
        },
        {"name": "evidence", "label": "Evidence"},
    ],
    "options": [
        {
            "value": "approve",
            "label": "Approve",
            "if": 'steps.score.band == "low"',
            "why_not": "The band is {{ steps.score.band }}: <b>ask</b>.",
        },
        {"value": "conditions", "label": "With conditions", "fields": ["due"]},
        {
            "value": "reject",
            "label": "Reject",
            "fields": ["code"],
            "optional": ["evidence"],
            "unless": 'steps.hits.result == "true_match"',
        },
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
    assert [option.value for option in prepare("decision", CONFIG, context()).outcomes] == [
        "conditions",
        "reject",
        "escalate",
    ]
    blocked = {"hits": {"result": "true_match"}}
    assert [option.label for option in prepare("decision", CONFIG, context(steps=blocked)).outcomes] == [
        "With conditions",
        "Pass on",
    ]


def test_fields_of_options_that_are_not_offered_are_not_asked_for() -> None:
    asked = [
        field.name
        for field in prepare("decision", CONFIG, context(steps={"hits": {"result": "true_match"}})).fields
    ]
    assert asked == ["reason", "due", "note"]
    assert [field.name for field in prepare("decision", CONFIG, context(steps=LOW)).fields] == [
        "reason",
        "code",
        "due",
        "note",
        "evidence",
    ]


def test_the_choice_is_the_outcome_and_stands_in_the_output() -> None:
    done = complete("decision", CONFIG, context(steps=LOW), {"note": "fine"}, "approve")
    assert done.outcome == "approve"
    empty = {"code": None, "due": None, "evidence": None}
    assert done.output == {"option": "approve", "note": "fine", "reason": None, **empty}
    assert done.values == {"note": "fine", "reason": None}
    assert done.effects == ()


def test_what_belongs_to_other_options_is_left_out_right_or_wrong() -> None:
    done = complete(
        "decision", CONFIG, context(steps=LOW), {"code": "nonsense", "due": "2026-12-01"}, "approve"
    )
    assert not {"code", "due"} & set(done.values)
    done = complete("decision", CONFIG, context(), {"code": "sanctions", "due": "2026-12-01"}, "conditions")
    assert (done.values.get("code"), done.values["due"]) == (None, "2026-12-01")
    assert "code" not in done.values


@cases(
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
        ("reject", {"code": "documents"}, ["note"]),
        ("escalate", {"reason": "x", "option": "approve"}, ["option"]),
        (None, {"note": 2}, ["outcome", "note"]),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    outcome: str | None, values: dict[str, Any], wrong: list[str]
) -> None:
    assert refusal(outcome, values) == wrong


RULED: dict[str, Any] = {
    **CONFIG,
    "maker": "rule",
    "rules": [
        {"if": "steps.score.points <= 10", "option": "approve"},
        {"if": 'steps.score.band == "medium"', "option": "conditions"},
        {"if": "steps.score.points > 90", "option": "reject"},
    ],
}


def alone(config: dict[str, Any], **found: Any) -> Completion:
    return steps.get("decision").complete_by_itself(view("decision", config), context(steps=found))


def test_the_first_rule_that_holds_decides_and_is_recorded() -> None:
    done = alone(RULED, score={"band": "low", "points": 7})
    assert (done.outcome, done.chosen, done.rule) == ("approve", "Approve", "steps.score.points <= 10")
    assert done.output == {
        "option": "approve",
        **dict.fromkeys(["code", "due", "note", "evidence", "reason"]),
        "maker": "rule",
        "rule": "steps.score.points <= 10",
        "compared": {"steps.score.points": 7},
    }


def test_a_rule_whose_option_is_not_offered_does_not_decide() -> None:
    with pytest.raises(AsksPerson) as asked:
        alone(RULED, score={"band": "high", "points": 7})
    assert (asked.value.code, asked.value.message) == ("no_rule", "No rule applies here: please decide.")


@pytest.mark.parametrize(
    "found", [{}, {"score": {"points": None}}, {"score": {"points": 50}}, {"score": {"points": "many"}}]
)
def test_where_no_rule_holds_for_certain_a_person_is_asked(found: dict[str, Any]) -> None:
    with pytest.raises(AsksPerson, match="No rule applies"):
        alone(RULED, **found)


def test_a_rule_that_lacks_a_field_asks_a_person_and_one_that_has_it_does_not() -> None:
    with pytest.raises(AsksPerson) as asked:
        alone(RULED, score={"band": "medium", "points": 20})
    assert asked.value.code == "asks_person"
    assert asked.value.message == (
        "By its rule this would be “With conditions”, but something is missing: Due is needed. “With conditions” asks for it. Please decide."
    )
    dated = {
        **RULED,
        "form": [
            CONFIG["form"][0],
            {**CONFIG["form"][1], "value": "addDays(today(), 14)"},
            *CONFIG["form"][2:],
        ],
    }
    assert alone(dated, score={"band": "medium", "points": 20}).values["due"] == "2026-12-04"


def test_what_a_person_decides_in_place_of_the_rules_is_recorded_as_theirs() -> None:
    done = complete(
        "decision", RULED, context(steps={"score": {"points": 1}}), {"due": "2026-12-01"}, "conditions"
    )
    assert done.output is not None
    assert (done.output["maker"], done.output["rule"], done.output["compared"], done.chosen) == (
        "user",
        None,
        {},
        None,
    )
    with pytest.raises(Invalid):
        complete("decision", RULED, context(steps={"score": {"band": "low", "points": 1}}), {}, None)


@cases(
    ("change", "said"),
    [
        ({"options": CONFIG["options"][:1]}, "at least 2"),
        ({"options": [CONFIG["options"][1]] * 2}, "same value"),
        ({"options": [CONFIG["options"][0], CONFIG["options"][2]]}, "at least one must always be offered"),
        ({"form": []}, "do not have|does not have"),
        ({"form": [*CONFIG["form"], {"name": "option", "label": "O"}]}, "cannot be named option"),
        ({"form": [*CONFIG["form"], CONFIG["form"][0]]}, "more than one field is named code"),
        ({"maker": "dice"}, "maker"),
        ({"maker": "rule"}, "needs rules"),
        ({"rules": RULED["rules"]}, "only where the maker is rule"),
        ({"maker": "rule", "rules": [{"if": "true", "option": "fly"}]}, "not there: fly"),
        ({"maker": "rule", "rules": [{"if": "true", "option": "escalate"}]}, "gives no reason.*escalate"),
        (
            {
                "maker": "rule",
                "rules": RULED["rules"],
                "form": [*CONFIG["form"], {"name": "rule", "label": "R"}],
            },
            "cannot be named rule here",
        ),
        (
            {"maker": "ai", "form": [*CONFIG["form"], {"name": "rationale", "label": "R"}]},
            "cannot be named rationale here",
        ),
        (
            {"options": [{**CONFIG["options"][1], "optional": ["due"]}, CONFIG["options"][3]]},
            "both need a field and leave it open: due",
        ),
        (
            {"options": [{**CONFIG["options"][1], "optional": ["gone"]}, CONFIG["options"][3]]},
            "does not have: gone|do not have: gone|form does not have: gone",
        ),
        (
            {"options": [{**CONFIG["options"][1], "why_not": "Never."}, CONFIG["options"][3]]},
            "never shown.*conditions",
        ),
    ],
)
def test_settings_that_leave_no_choice_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DecisionConfig.model_validate({**CONFIG, **change})


def test_what_the_choice_hides_is_neither_taken_nor_counted_against_the_proposal() -> None:
    """A browser sends the fields of the other options too: nothing of them is written, wrong, or held against whoever proposed them."""
    proposed = [
        {"name": name, "value": value, "confidence": "high"}
        for name, value in (("code", "sanctions"), ("note", "fine"))
    ]
    proposal = {"status": "ready", "mode": "assist", "fill": "high", "outcome": None, "fields": proposed}
    types = {field.name: field.type for field in prepare("decision", CONFIG, context(steps=LOW)).fields}
    done = complete("decision", CONFIG, context(steps=LOW), {"code": "sanctions", "note": "fine"}, "approve")
    assert proposal_comparison.outcomes(proposal, types, done.values, "approve", manual=False) == {
        "note": "accepted"
    }
    done = complete("decision", CONFIG, context(steps=LOW), {"code": "sanctions", "note": "fine"}, "reject")
    assert proposal_comparison.outcomes(proposal, types, done.values, "reject", manual=False) == {
        "code": "accepted",
        "note": "accepted",
    }


@given(
    of_others=st.sets(st.sampled_from(["a", "b", "c"])),
    typed=st.dictionaries(st.sampled_from(["a", "a_because", "b", "c", "c_because"]), st.integers(0, 9)),
    former=st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 9)),
)
def test_no_rule_and_no_sum_of_the_form_knows_a_field_that_the_choice_hides(
    of_others: set[str], typed: dict[str, int], former: dict[str, int]
) -> None:
    """Neither what was typed before the choice was changed, nor a former value, nor what it starts with."""
    form: list[dict[str, Any]] = [
        {"name": name, "label": name, "type": "integer", "default": 1} for name in "abc"
    ]
    for entry in form[::2]:
        entry["must"] = [{"if": f"steps.here.{entry['name']} < 5", "message": "High", "severity": "explain"}]
    shown = [
        {
            "name": f"now_{name}",
            "label": name,
            "type": "integer",
            "readonly": True,
            "value": f"steps.here.{name}",
        }
        for name in "abc"
    ]
    options = [
        {"value": "all", "label": "All", "optional": sorted(of_others)},
        {"value": "few", "label": "Few"},
    ]
    given = {name: str(value) if name.endswith("because") else value for name, value in typed.items()}
    settings = {"form": [*form, *shown], "options": options}
    wrong: tuple[Any, ...] = ()
    values: dict[str, Any] = dict.fromkeys(f"now_{name}" for name in of_others) | {
        f"now_{name}": 0 for name in set("abc") - of_others
    }
    try:
        values = complete("decision", settings, context(former=former), given, "few").values
    except Invalid as refused:
        wrong = tuple(refused.details)
    assert of_others.isdisjoint(str(detail["field"]).partition("_")[0] for detail in wrong)
    assert of_others.isdisjoint(name.partition("_")[0] for name in values if not name.startswith("now_"))
    assert {name for name in "abc" if values[f"now_{name}"] is not None} == set("abc") - of_others
