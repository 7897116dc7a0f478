"""What a model answers to a wish about a workflow, in the form that is asked for and in that of the editor; what cannot be read is told."""

import json

import pytest

from console.ai.builder_answer import Unusable, read
from tests.tables import cases

STEP = {
    "id": "end",
    "type": "end",
    "title": "End",
    "config_json": '{"label": "Done"}',
    "next": [{"outcome": "default", "to": "x"}],
}


def test_both_forms_of_a_change_are_the_same() -> None:
    asked = {"op": "add_step", "step": STEP, "after": "", "outcome": ""}
    own = {
        "op": "add_step",
        "step": {
            "id": "end",
            "type": "end",
            "title": "End",
            "config": {"label": "Done"},
            "next": {"default": "x"},
        },
    }
    assert (
        read(json.dumps({"text": "", "changes": [asked]})).changes
        == read(json.dumps({"text": "", "changes": [own]})).changes
        == (own,)
    )
    [value, gone, empty] = read(
        json.dumps(
            {
                "changes": [
                    {"op": "set", "step": "a", "field": "x", "value_json": "[1]"},
                    {"op": "set", "step": "a", "field": "x", "value_json": ""},
                    {"op": "set", "step": "a", "field": "x", "value": ""},
                ]
            }
        )
    ).changes
    assert (value["value"], "value" in gone, empty["value"]) == ([1], False, "")


def test_a_change_that_cannot_be_read_is_told_and_the_others_kept() -> None:
    found = read(
        json.dumps(
            {
                "text": "x",
                "changes": [
                    "no",
                    {"op": "set", "step": "a", "field": "b", "value_json": "{"},
                    {"op": "disconnect", "step": "a"},
                ],
            }
        )
    )
    assert [each["op"] for each in found.changes] == ["disconnect"]
    assert len(found.wrong) == 2


@cases(
    "text",
    [
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"changes": {}}',
        '{"text": 7}',
        '{"text": NaN}',
        "[" * 100_000,
        "x" * 1_000_001,
        '[{"text": "a"}]',
        '{"text": "a"} or {"text": "b"}',
    ],
)
def test_nonsense_is_unusable(text: str) -> None:
    with pytest.raises(Unusable):
        read(text)


@cases(
    "around",
    [
        "```json\n{}\n```",
        "Here it is:\n```\n{}\n```\nDo you like it?",
        "<think>They want {this}.</think>\n{}",
        "Sure. {}",
        "\ufeff{}\n\n",
        "The text says {{ record.amount }}:\n{}\nWrite {that} or {{ now }} where it belongs.",
    ],
)
def test_what_a_model_says_around_its_answer_is_no_part_of_it(around: str) -> None:
    assert read(around.replace("{}", '{"text": "Yes {or} no."}')).text == "Yes {or} no."
