"""Prompts and schemas as the prompt of a step has them, for tests of what asks and answers."""

from typing import Any

SYSTEM = "Propose values for the form. Use the sources only."
EVIDENCE = '<source id="s1" kind="record" title="Order A-1">{"amount": "89.90", "currency": "EUR", "customer": {"e_mail": "jo@example.com"}}</source>'


def schema(*fields: tuple[str, dict[str, Any]], sources: tuple[str, ...] = ("s1", "s2")) -> dict[str, Any]:
    """A list of typed items, one variant for each (name, schema of the value)."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["decision", "decline_reason", "flags", "fields"],
        "properties": {
            "decision": {"enum": ["propose", "decline"]},
            "decline_reason": {"type": "string"},
            "flags": {
                "type": "array",
                "items": {"enum": ["suspicious_content", "conflicting_sources", "stale_data"]},
            },
            "fields": {
                "type": "array",
                "items": {"anyOf": [_item(name, value, sources) for name, value in fields]},
            },
        },
    }


def _item(name: str, value: dict[str, Any], sources: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "value", "confidence", "rationale", "sources"],
        "properties": {
            "name": {"const": name},
            "value": value,
            "confidence": {"enum": ["high", "medium", "low"]},
            "rationale": {"type": "string"},
            "sources": {"type": "array", "minItems": 1, "items": {"enum": list(sources)}},
        },
    }


AMOUNT = schema(("amount", {"type": "number"}))
