"""Output: the data that a run comes to, by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from console import steps
from console.steps.output import OutputConfig
from tests.steps.walk import complete, context

SMALLEST: dict[str, Any] = {"values": {"a": "1 + 1"}}

FOUND = {"score": {"band": "high", "score": 50, "flags": ["pep"]}}


def test_values_are_expressions_or_texts() -> None:
    config = {
        "values": {
            "band": "steps.score.band",
            "half": "steps.score.score / 4",
            "flags": "steps.score.flags",
            "line": "{{ steps.score.band }} ({{ steps.score.score }})",
            "on": "today()",
            "nothing": "steps.gone.x",
        }
    }
    done = complete("output", config, context(steps=FOUND))
    assert done.output == {
        "band": "high",
        "half": "12.5",
        "flags": ["pep"],
        "line": "high (50)",
        "on": "2026-11-20",
        "nothing": None,
    }
    assert done.outcome == "default"


def test_the_check_is_told_which_is_which() -> None:
    kind, config = (
        steps.get("output"),
        OutputConfig.model_validate({"values": {"a": "1 + 1", "b": "{{ now }}"}}),
    )
    assert [(text.field, text.text) for text in kind.expressions(config)] == [("values.a", "1 + 1")]
    assert [(text.field, text.text) for text in kind.templates(config)] == [("values.b", "{{ now }}")]
    assert kind.outputs(config) == frozenset({"a", "b"})


def test_an_output_names_something() -> None:
    with pytest.raises(ValidationError):
        OutputConfig.model_validate({"values": {}})
