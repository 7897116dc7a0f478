"""A defined action as a step: what is said before, what is filled in and held fast, and what handing in asks for."""

from dataclasses import replace
from typing import Any

import pytest

from console import steps
from console.core.documents.approval_rules import required_approval
from console.core.errors import Conflict, Invalid, NotAllowed
from console.steps.base import Act, AsksPerson, Completion, Context, Prompt
from tests.steps.acts import act
from tests.steps.walk import context, view
from tests.tables import cases

SMALLEST: dict[str, Any] = {"action": "thing.mend"}
FURTHER: list[dict[str, Any]] = [
    {"related": [{"name": "docs", "relation": "document", "fields": ["type"]}]},
    {"actions": [{"action": "thing.sell", "record": "'7'", "values": {"amount": "1"}}]},
]

FORM = [
    {"name": "amount", "label": "Amount", "type": "integer", "required": True},
    {"name": "double", "label": "Twice", "type": "integer", "readonly": True, "value": "input.amount * 2"},
]


def before(made: Act, **more: Any) -> Context:
    return replace(context(**more), acts={"thing.mend": made}, key="k1")


def shown(made: Act, config: dict[str, Any] | None = None, **more: Any) -> Prompt:
    here = view("trigger_action", {"action": "thing.mend", **(config or {})})
    return steps.get("trigger_action").prepare(here, before(made, **more))


def done(
    made: Act, typed: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **more: Any
) -> Completion:
    here = view("trigger_action", {"action": "thing.mend", **(config or {})})
    return steps.get("trigger_action").complete(here, before(made, **more), typed or {}, None)


def test_who_may_only_ask_is_told_so_and_an_approval_is_asked_for() -> None:
    prompt = shown(act(may="request"))
    assert (prompt.button, [label for label, _ in prompt.notes]) == (
        "Request approval",
        ["Does", "Key", "Approval"],
    )
    wanted = done(act(may="request")).approval
    assert wanted is not None
    assert (wanted.action, wanted.record, wanted.not_by) == ("thing.mend", "7", ("requester",))


def test_the_step_fills_in_and_holds_fast() -> None:
    config = {"values": {"amount": "steps.choose.amount"}, "locked": ["amount"]}
    prompt = shown(act({"form": FORM}), config, steps={"choose": {"amount": 6}})
    assert [(field.name, field.value, field.readonly) for field in prompt.fields] == [
        ("amount", 6, True),
        ("double", 12, True),
    ]
    completion = done(act({"form": FORM}), {}, config, steps={"choose": {"amount": 6}})
    assert completion.values == {"amount": 6, "double": 12}
    assert (
        done(act({"form": FORM}), {"amount": 7}, config, steps={"choose": {"amount": 6}}).values["amount"]
        == 6
    )
    with pytest.raises(Invalid):
        done(act({"form": FORM}), {"amount": "many"})


def test_handing_in_asks_for_each_effect_with_all_that_it_needs() -> None:
    completion = done(act({"form": FORM, "variables": {"x": 1}}, state="broken"), {"amount": 7})
    told = completion.effects[0].request(None)  # type: ignore[arg-type]
    assert told["define"] == {
        "kind": "sql_write",
        "name": "thing",
        "summary": "Mends it",
        "set": {"state": "'mended'"},
    }
    assert {
        name: told[name] for name in ("action", "collection", "record", "input", "seen", "index", "variables")
    } == {
        "action": "thing.mend",
        "collection": "thing",
        "record": "7",
        "input": {"amount": 7, "double": 14},
        "seen": {"state": "broken"},
        "index": 0,
        "variables": {"x": 1},
    }
    assert completion.output == {"amount": 7, "double": 14, "action": "thing.mend", "key": "k1"}


@pytest.mark.parametrize(
    ("document", "record", "reason"),
    [
        (
            {"if": "record.state == 'broken'", "why_not": "It is {{ record.state }}."},
            {"state": "whole"},
            "It is whole.",
        ),
        (
            {"require": [{"if": "record.state == 'broken'", "message": "Not {{ record.state }}."}]},
            {"state": "whole"},
            "Not whole.",
        ),
        (
            {"require": [{"if": "record.lacks == 1", "message": "Unknown is not enough."}]},
            {},
            "Unknown is not enough.",
        ),
    ],
)
def test_what_must_hold_is_said_and_refused(
    document: dict[str, Any], record: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Conflict) as error:
        done(act(document, **record))
    assert (error.value.code, error.value.message) == ("require", reason)


def test_without_the_right_nothing_is_asked_for() -> None:
    with pytest.raises(NotAllowed, match=r"action\.execute on thing\.mend"):
        done(act(may=""))


def test_a_record_that_is_not_there_stands_in_the_way() -> None:
    assert "There is no thing" in str(shown(act(problem="There is no thing here.")).text)
    with pytest.raises(Conflict, match="There is no thing"):
        done(act(problem="There is no thing here."))


def test_by_itself_it_goes_on_unless_something_has_to_be_filled_in() -> None:
    kind, here = steps.get("trigger_action"), view("trigger_action", {"action": "thing.mend"})
    assert kind.complete_by_itself(here, before(act())).outcome == "succeeded"
    with pytest.raises(AsksPerson, match="needs Amount"):
        kind.complete_by_itself(here, before(act({"form": FORM})))


def test_the_record_may_be_another_one() -> None:
    kind = steps.get("trigger_action")
    assert kind.acts(view("trigger_action", {"action": "thing.mend"}), {}) == {"thing.mend": None}
    here = view("trigger_action", {"action": "thing.mend", "record": "steps.a.key"})
    assert kind.acts(here, {"steps": {"a": {"key": 12}}}) == {"thing.mend": "12"}
    assert kind.acts(here, {"steps": {}}) == {"thing.mend": ""}


def test_outcomes_are_those_that_are_told_apart() -> None:
    kind = steps.get("trigger_action")
    config = kind.Config.model_validate(
        {"action": "thing.mend", "outcomes": ["pending"], "compensation": "thing.undo"}
    )
    assert kind.outcomes(config) == ("succeeded", "pending")
    assert [use.column for use in kind.actions(config)] == ["thing.mend", "thing.undo"]


@cases(
    ("rules", "roots", "expected"),
    [
        ([], {}, None),
        ([{"roles": ["a", "b"]}], {}, (1, ("a", "b"))),
        (
            [{"if": "input.n > 1", "roles": ["a", "b"]}, {"if": "input.n > 5", "roles": ["b"], "needs": 2}],
            {"n": 9},
            (2, ("b",)),
        ),
        (
            [{"if": "input.n > 1", "roles": ["a"]}, {"if": "input.n > 5", "roles": ["c"]}],
            {"n": 9},
            (1, ("c",)),
        ),
        ([{"if": "input.n > 5", "roles": ["a"]}], {"n": 2}, None),
        ([{"if": "input.n > 5", "roles": ["a"]}], {}, (1, ("a",))),
    ],
)
def test_rules_that_hold_apply_together(
    rules: list[dict[str, Any]], roots: dict[str, Any], expected: tuple[int, tuple[str, ...]] | None
) -> None:
    form = [{"name": "n", "label": "N", "type": "integer"}]
    wanted = required_approval(act({"approval": rules, "form": form}).action, None, {}, {"input": roots})
    assert (None if wanted is None else (wanted.needs, tuple(wanted.roles))) == expected


def test_who_entered_it_may_be_ruled_out_by_name() -> None:
    rules = [{"roles": ["a"], "not": ["requester", "record.entered_by", "step:call", "record.nobody"]}]
    wanted = required_approval(
        act({"approval": rules}).action, None, {}, {"record": {"entered_by": "ana@x.example"}}
    )
    assert wanted is not None
    assert wanted.not_by == ("requester", "person:ana@x.example", "step:call")


# ------------------------------------------------------------------------------------------------------------ several actions

SELL = {
    "id": "thing.sell",
    "title": "Sell the thing",
    "form": [{"name": "amount", "label": "Price", "type": "integer", "required": True}],
}
BOTH: dict[str, Any] = {
    "action": "thing.mend",
    "actions": [{"action": "thing.sell", "values": {"amount": "steps.choose.price"}}],
}
STEPS = {"choose": {"price": 9}}


def several(mend: Act, sell: Act, **more: Any) -> Context:
    acts = {"thing.mend": mend, "thing.sell": sell}
    return replace(context(steps=STEPS, **more), acts=acts, key="k1")


def chosen(
    outcome: str | None, typed: dict[str, Any], mend: Act | None = None, sell: Act | None = None, **more: Any
) -> Completion:
    made = several(mend or act({"form": FORM}), sell or act(SELL), **more)
    return steps.get("trigger_action").complete(view("trigger_action", BOTH), made, typed, outcome)


def test_of_several_actions_each_has_its_own_form() -> None:
    prompt = steps.get("trigger_action").prepare(
        view("trigger_action", BOTH), several(act({"form": FORM}), act(SELL))
    )
    assert [(field.name, field.value, field.required) for field in prompt.fields] == [
        ("thing__mend__amount", None, False),
        ("thing__mend__double", None, False),
        ("thing__sell__amount", 9, False),
    ]
    assert [(each.value, each.label, each.fields, each.required) for each in prompt.outcomes] == [
        (
            "thing.mend",
            "Mend the thing",
            ("thing__mend__amount", "thing__mend__double"),
            ("thing__mend__amount",),
        ),
        ("thing.sell", "Sell the thing", ("thing__sell__amount",), ("thing__sell__amount",)),
    ]
    assert prompt.withheld == ()


def test_the_chosen_action_alone_is_asked_for_whatever_was_typed_for_the_others() -> None:
    done_so = chosen("thing.sell", {"thing__mend__amount": 3, "thing__sell__amount": 8})
    assert (done_so.outcome, done_so.values) == ("succeeded", {"thing__sell__amount": 8})
    assert done_so.output == {"amount": 8, "action": "thing.sell", "key": "k1"}
    assert [effect.request(None)["input"] for effect in done_so.effects] == [{"amount": 8}]  # type: ignore[arg-type]
    mended = chosen("thing.mend", {"thing__mend__amount": 3})
    assert mended.values == {"thing__mend__amount": 3, "thing__mend__double": 6}
    kind, config = steps.get("trigger_action"), view("trigger_action", BOTH).config
    assert kind.chosen(mended.outcome, mended.output or {}) == "thing.mend"
    assert kind.form_names(config, frozenset({"amount"})) == {
        "amount",
        "thing__mend__amount",
        "thing__sell__amount",
    }


@cases(
    ("outcome", "typed", "details"),
    [
        (None, {}, [("outcome", "No action was chosen: choose one of “Mend the thing”, “Sell the thing”.")]),
        (
            "succeeded",
            {},
            [("outcome", "succeeded cannot be done here: choose one of “Mend the thing”, “Sell the thing”.")],
        ),
        ("thing.mend", {}, [("thing__mend__amount", "")]),
        ("thing.sell", {"thing__sell__amount": "much"}, [("thing__sell__amount", "")]),
        ("thing.sell", {"amount": 1}, [("amount", "There is no such field in this form.")]),
        (
            "thing.sell",
            {"thing__sell__weight": 1},
            [("thing__sell__weight", "There is no such field in this form.")],
        ),
        (None, {"thing__sell__amount": "much"}, [("outcome", ""), ("thing__sell__amount", "")]),
    ],
)
def test_what_is_wrong_is_said_at_the_field_of_the_whole_form(
    outcome: str | None, typed: dict[str, Any], details: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as error:
        chosen(outcome, typed)
    found = [(each["field"], each["reason"]) for each in error.value.details]
    assert [field for field, _ in found] == [field for field, _ in details]
    assert all(reason in said for (_, reason), (_, said) in zip(details, found, strict=True))


@cases(
    ("made", "why"),
    [
        (
            act(
                {**SELL, "if": "record.state == 'broken'", "why_not": "It is {{ record.state }}."},
                state="whole",
            ),
            "It is whole.",
        ),
        (act(SELL, may=""), "You may not do “Sell the thing”. An admin can grant it."),
        (act(SELL, problem="There is no thing here."), "There is no thing here."),
        (
            act(
                {**SELL, "require": [{"if": "record.state == 'broken'", "message": "Not now."}]},
                state="whole",
            ),
            "Not now.",
        ),
    ],
)
def test_what_cannot_be_done_is_not_offered_and_refused(made: Act, why: str) -> None:
    kind, here = steps.get("trigger_action"), view("trigger_action", BOTH)
    prompt = kind.prepare(here, several(act({"form": FORM}), made))
    assert [each.value for each in prompt.outcomes] == ["thing.mend"]
    assert [(each.value, each.reason) for each in prompt.withheld] == [("thing.sell", why)]
    assert not any(field.name.startswith("thing__sell") for field in prompt.fields)
    assert [each.name for each in kind.proposes(here, several(act({"form": FORM}), made), prompt).fields] == [
        "thing__mend__amount"
    ]
    with pytest.raises(Invalid) as error:
        chosen("thing.sell", {"thing__sell__amount": 1}, sell=made)
    assert [each["reason"] for each in error.value.details] == [
        f"“Sell the thing” cannot be done here: choose one of “Mend the thing”. {why}"
    ]


def test_revise_begins_with_the_values_of_the_action_that_was_done() -> None:
    prompt = steps.get("trigger_action").prepare(
        view("trigger_action", BOTH),
        several(act({"form": FORM}), act(SELL), former={"thing__mend__amount": 4, "thing__mend__double": 8}),
    )
    assert {field.name: field.value for field in prompt.fields} == {
        "thing__mend__amount": 4,
        "thing__mend__double": 8,
        "thing__sell__amount": 9,
    }


def test_every_setting_of_every_action_is_listed() -> None:
    kind = steps.get("trigger_action")
    config = kind.Config.model_validate(
        {
            "action": "thing.mend",
            "values": {"a": "steps.x.a"},
            "actions": [
                {
                    "action": "thing.sell",
                    "record": "steps.x.key",
                    "values": {"b": "steps.x.b"},
                    "compensation": "thing.undo",
                }
            ],
        }
    )
    assert [(text.field, text.text) for text in kind.expressions(config)] == [
        ("values.a", "steps.x.a"),
        ("actions[0].record", "steps.x.key"),
        ("actions[0].values.b", "steps.x.b"),
    ]
    assert [(use.field, use.column) for use in kind.actions(config)] == [
        ("action", "thing.mend"),
        ("actions[0].action", "thing.sell"),
        ("actions[0].compensation", "thing.undo"),
    ]
    assert kind.asks(config)
    assert kind.choices(config) == ("thing.mend", "thing.sell")
    with pytest.raises(ValueError, match="offered more than once: thing.mend"):
        kind.Config.model_validate({"action": "thing.mend", "actions": [{"action": "thing.mend"}]})
    with pytest.raises(AsksPerson):
        kind.complete_by_itself(view("trigger_action", BOTH), several(act(), act(SELL)))
