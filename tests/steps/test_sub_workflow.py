"""Sub-workflow: which workflow is run, on which record, with what."""

from typing import Any

import pytest

from console.core.errors import Invalid
from console.steps.base import Child
from tests.steps.walk import complete, context

SMALLEST: dict[str, Any] = {"workflow": "inner"}
FURTHER: list[dict[str, Any]] = [
    {"record": "record.id", "collection": "customer", "input": {"a": "1"}, "wait": False, "alone": True}
]
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [
    ({"record": "record.id", "input": {"level": "input.level"}}, ["record", "input.level"], [])
]
MASKED: dict[str, Any] = {"workflow": "masked-inner", "input": {"first": "record.tax_id"}}
CONTEXT = context(record={"id": 7, "name": "Ada"}, steps={"ask": {"level": "high", "none": None}})


def test_inputs_are_worked_out_and_what_is_missing_is_left_out() -> None:
    done = complete(
        "sub_workflow",
        {
            "workflow": "inner",
            "record": "record.id",
            "input": {"a": "steps.ask.level", "b": "steps.ask.none"},
        },
        CONTEXT,
    )
    assert done.children == (Child("run", "inner", None, "7", {"a": "high"}),)
    assert done.joins == "all"
    assert complete("sub_workflow", SMALLEST | {"wait": False}, CONTEXT).joins == "none"
    assert complete("sub_workflow", SMALLEST, CONTEXT).children == (Child("run", "inner"),)


def test_no_key_is_an_error() -> None:
    with pytest.raises(Invalid, match="gives no key"):
        complete("sub_workflow", {"workflow": "inner", "record": "steps.ask.none"}, CONTEXT)
