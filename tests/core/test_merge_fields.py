"""Which merge fields of a text give nothing."""

from typing import Any

from console.core.merge_fields import empty_fields
from tests.tables import cases

ROOTS: dict[str, Any] = {
    "record": {"name": "Sam", "city": None, "note": "  ", "zero": 0},
    "input": {"why": ""},
    "steps": {"call": {}},
}


@cases(
    "text, empty",
    [
        ("Hello {{ record.name }}", []),
        ("In {{ record.city }} and {{ record.city }}", [(("record", "city"),)]),
        ("{{ record.note }}", [(("record", "note"),)]),
        ("{{ record.zero }}", []),
        ("{{ input.why }}", [(("input", "why"),)]),
        ("{{ steps.call.outcome }}", []),
        ("{{ first(record.city, 'there') }}{{ first(record.city, '') }}", []),
        ("{{ first(record.city, record.note) }}", [(("record", "city"), ("record", "note"))]),
        ("{{ variables.sender }} {{ record.city + variables.sender }}", []),
    ],
)
def test_a_merge_field_that_gives_nothing_is_named_once(text: str, empty: list[Any]) -> None:
    assert list(empty_fields([text, text], ROOTS)) == empty
