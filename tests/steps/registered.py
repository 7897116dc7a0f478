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
    settings: dict[str, Any] | None = getattr(own_test(name), "SMALLEST", None)
    assert settings is not None, WANTED.format(name)
    return settings


def handed_in(name: str) -> tuple[dict[str, Any], str | None]:
    """What a person hands in at the step with its smallest settings for customer 1 of the small company: HANDED_IN of the type's test; nothing without it."""
    values: dict[str, Any]
    values, outcome = getattr(own_test(name), "HANDED_IN", ({}, None))
    return values, outcome


def further(name: str) -> list[dict[str, Any]]:
    """FURTHER of the type's test: settings that it takes beside the smallest ones."""
    rows: list[dict[str, Any]] = getattr(own_test(name), "FURTHER", [])
    return rows


def texts(name: str) -> list[tuple[dict[str, Any], list[str], list[str]]]:
    """TEXTS of the type's test: further settings, the places of their expressions, and those of their templates."""
    rows: list[tuple[dict[str, Any], list[str], list[str]]] = getattr(own_test(name), "TEXTS", [])
    return rows


def masked(name: str) -> dict[str, Any] | None:
    """MASKED of the type's test: settings with `record.tax_id` in every place that takes an expression or a template. None without it."""
    settings: dict[str, Any] | None = getattr(own_test(name), "MASKED", None)
    return settings
