"""What a typed value stands for, where nobody chose that it is a text or an expression."""

import pytest

from console.views.editor.value_form import read_value, written


@pytest.mark.parametrize(
    "text",
    [
        "record.amount * 2",
        "today()",
        "steps.load.one.status",
        'record["odd name"]',
        '["a", "b"]',
        "null",
        "12.5",
        '"x"',
    ],
)
def test_what_reads_or_calls_something_and_literals_are_expressions(text: str) -> None:
    assert written(text) == text


@pytest.mark.parametrize(
    "text", ["Hello, it is me", "found", "event", "2026-12-31", "12-34", "1/2", "Call me (again)", "record.("]
)
def test_anything_else_is_text(text: str) -> None:
    assert written(text) == f'"{text}"'


@pytest.mark.parametrize(
    ("stored", "taken", "strict"),
    [
        ("record.amount", "expression", ""),
        ('"record.amount"', "text", "text"),
        ('"Hello"', "text", ""),
        ("Hello", "expression", "expression"),
        ("", "", ""),
    ],
)
def test_the_document_says_how_a_value_is_taken(stored: str, taken: str, strict: str) -> None:
    value = read_value(stored, None, {})
    assert (value.taken, value.strict) == (taken, strict)
