"""Condition: the first branch that holds, with what it was judged by."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.steps.condition import ConditionConfig
from tests.steps.walk import complete, context

SMALLEST: dict[str, Any] = {"branches": [{"if": "1 == 1", "outcome": "sure"}]}

CONFIG: dict[str, Any] = {
    "branches": [
        {"if": 'steps.check.status == "rejected" && record.age > 30', "outcome": "refuse"},
        {"if": "steps.check.missing_documents == []", "outcome": "ok"},
        {"if": '"operator" in $currentUser.roles', "outcome": "person"},
    ]
}


@pytest.mark.parametrize(
    ("found", "record", "branch"),
    [
        ({"status": "rejected", "missing_documents": []}, {"age": 31}, "refuse"),
        ({"status": "rejected", "missing_documents": []}, {"age": 30}, "ok"),
        ({"status": "rejected", "missing_documents": []}, {}, "ok"),
        ({"status": None}, {"age": 31}, "person"),
        ({"missing_documents": ["passport"]}, {}, "person"),
    ],
)
def test_the_first_branch_that_is_certainly_true_wins(
    found: dict[str, Any], record: dict[str, Any], branch: str
) -> None:
    done = complete("condition", CONFIG, context(steps={"check": found}, record=record))
    assert done.outcome == branch
    assert done.output is not None
    assert done.output["branch"] == branch
    assert done.output["rule"] == next(
        entry["if"] for entry in CONFIG["branches"] if entry["outcome"] == branch
    )


def test_otherwise_is_taken_where_none_holds() -> None:
    done = complete("condition", {"branches": CONFIG["branches"][:2]}, context())
    assert (done.outcome, done.values) == ("default", {})
    assert done.output == {
        "branch": "default",
        "rule": None,
        "compared": {"record.age": None, "steps.check.missing_documents": None, "steps.check.status": None},
    }


def test_branches_may_share_an_outcome() -> None:
    config = ConditionConfig.model_validate(
        {"branches": [{"if": "1 == 2", "outcome": "a"}, {"if": "1 == 1", "outcome": "a"}]}
    )
    assert steps.get("condition").outcomes(config) == ("a", "default")


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"branches": []},
        {"branches": [{"if": "1 == 1", "outcome": "default"}]},
        {"branches": [{"outcome": "a"}]},
        {"branches": [{"if": "1 == 1", "outcome": "A b"}]},
    ],
)
def test_settings_without_a_branch_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ConditionConfig.model_validate(config)
