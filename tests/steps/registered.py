"""What the tests that go over every step type need of each: it stands in the type's own test, so that a new type edits none of theirs."""

import importlib
from types import ModuleType
from typing import Any

WANTED = "{0}: give tests/steps/test_{0}.py a SMALLEST, the fewest settings with which the type works."


def own_test(name: str) -> ModuleType:
    """The test module of the type. Raises AssertionError with what to do where there is none."""
    try:
        return importlib.import_module(f"tests.steps.test_{name}")
    except ModuleNotFoundError:
        raise AssertionError(WANTED.format(name)) from None


def smallest(name: str) -> dict[str, Any]:
    """The fewest settings with which the type works."""
    found: dict[str, Any] | None = getattr(own_test(name), "SMALLEST", None)
    assert found is not None, WANTED.format(name)
    return found


def handed_in(name: str) -> tuple[dict[str, Any], str | None]:
    """What a person hands in at the step with its smallest settings for customer 1 of the small company: HANDED_IN of the type's test; nothing without it."""
    values: dict[str, Any]
    values, outcome = getattr(own_test(name), "HANDED_IN", ({}, None))
    return values, outcome
