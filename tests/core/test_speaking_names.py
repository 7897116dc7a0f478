"""Texts for people: a reference is said by the name that the text's people may know, and by its key where nobody says a name."""

from collections.abc import Callable
from typing import Any

import pytest

from console.core.speaking import NAMES, SPOKEN, Say, fill_text
from console.steps.filled_text import fill_template

OWNER = Say({}, references="customer")
RECORDS = {("customer", "7"): "Ana Lima", ("customer", "8"): "Tore & Sons <b>", ("customer", "9"): ""}


class Asked:
    """Somebody who knows each name, and keeps what they were asked for."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, _: str, key: str) -> str:
        self.keys.append(key)
        return "Ana Lima"


def roots(
    value: Any, name: Callable[[str, str], str | None] | None = lambda *which: RECORDS.get(which), **more: Any
) -> dict[str, Any]:
    """The roots of a text whose record has an owner with this key."""
    known: dict[str, Any] = {
        "record": {"owner": value, "note": "7"},
        SPOKEN: {("record", "owner"): OWNER},
        **more,
    }
    return known if name is None else known | {NAMES: name}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (7, "Ana Lima"),
        ("7", "Ana Lima"),
        ([7, 8], "Ana Lima, Tore & Sons <b>"),
        ([], ""),
        (None, ""),
        ("", ""),
        (404, "404"),
        (9, "9"),
        ("••••••", "••••••"),
        ([7, None, 404], "Ana Lima, 404"),
    ],
)
def test_a_reference_is_said_by_its_name(value: Any, said: str) -> None:
    assert fill_text("{{ record.owner }}", roots(value)) == said


def test_what_is_hidden_is_asked_of_nobody() -> None:
    asked: list[tuple[str, str]] = []

    def name(collection: str, key: str) -> str | None:
        asked.append((collection, key))
        return None

    assert fill_text("{{ record.owner }}", roots("••••••", name)) == "••••••"
    assert asked == []


def test_markdown_of_a_name_has_no_effect_where_the_text_leaves_the_console() -> None:
    made = fill_template("Dear {{ record.owner }},", roots(8), links=False)
    assert "<b>" not in made.replace("\\<b\\>", "")
    assert "Tore" in made


@pytest.mark.parametrize("many", [1, 50])
def test_each_record_is_asked_for_once_for_each_place_in_the_text(many: int) -> None:
    asked = Asked()
    fill_text(" ".join(["{{ record.owner }}"] * many), roots(7, asked))
    assert asked.keys == ["7"] * many
