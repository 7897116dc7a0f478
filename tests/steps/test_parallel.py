"""Parallel: a child for each branch, and what its settings refuse."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.steps.base import Child
from console.steps.parallel import ParallelConfig
from tests.steps.walk import complete, context, view

SMALLEST: dict[str, Any] = {"branches": [{"id": "left", "start": "one"}, {"id": "right", "start": "two"}]}

FURTHER: list[dict[str, Any]] = [{"until": "any"}]


@pytest.mark.parametrize("until", ["all", "any"])
def test_each_branch_is_a_run(until: str) -> None:
    done = complete("parallel", SMALLEST | {"until": until}, context())
    assert (done.children, done.joins) == ((Child("left", start="one"), Child("right", start="two")), until)
    assert [Child.of(child.to_json()) for child in done.children] == list(done.children)
    kind = steps.get("parallel")
    assert kind.begins(ParallelConfig.model_validate(SMALLEST)) == ("one", "two")
    assert kind.by_hand(view("parallel", SMALLEST), context()).children == ()


@pytest.mark.parametrize(
    ("branches", "reason"),
    [
        ([{"id": "a", "start": "x"}, {"id": "a", "start": "y"}], "two branches are named a"),
        ([{"id": "attempt", "start": "x"}, {"id": "b", "start": "y"}], "cannot be named attempt"),
        ([{"id": "a", "start": "x"}], "at least 2"),
    ],
)
def test_what_its_settings_refuse(branches: list[dict[str, str]], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        ParallelConfig.model_validate({"branches": branches})
