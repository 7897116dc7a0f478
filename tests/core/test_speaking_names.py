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


def roots(value: Any, name: Callable[[str, str], str | None] | None = lambda *which: RECORDS.get(which), **more: Any) -> dict[str, Any]:
    """The roots of a text whose record has an owner with this key."""
    known: dict[str, Any] = {"record": {"owner": value, "note": "7"}, SPOKEN: {("record", "owner"): OWNER}, **more}
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


def test_without_somebody_who_knows_names_the_key_is_said() -> None:
    assert fill_text("Call {{ record.owner }}", roots(7, None)) == "Call 7"


def test_what_is_hidden_is_asked_of_nobody() -> None:
    asked: list[tuple[str, str]] = []

    def name(collection: str, key: str) -> str | None:
        asked.append((collection, key))
        return None

    assert fill_text("{{ record.owner }}", roots("••••••", name)) == "••••••"
    assert asked == []


def test_an_iban_in_a_text_is_in_groups() -> None:
    assert fill_text("To {{ record.note }}", {"record": {"note": "LT459999900012345678"}}) == "To LT45 9999 9000 1234 5678"


def test_only_a_path_that_stands_alone_is_a_name() -> None:
    assert fill_text("{{ record.owner + 1 }}", roots(7)) == "8", "what computes with a key computes with the key"
    assert fill_text("{{ record.owner == 7 }}", roots(7)) == "true"
    assert fill_text("{{ record.note }}", roots(7)) == "7", "a text that looks like a key is a text"


def test_markdown_of_a_name_has_no_effect_where_the_text_leaves_the_console() -> None:
    made = fill_template("Dear {{ record.owner }},", roots(8), links=False)
    assert "<b>" not in made.replace("\\<b\\>", "")
    assert "Tore" in made


def test_on_a_page_a_reference_stays_a_link_that_its_reader_gets_a_name_for() -> None:
    asked = Asked()
    assert fill_template("Of {{ record.owner }}", roots(7, asked)) == "Of [7](/c/customer/7)"
    assert asked.keys == [], "the page names it as its reader may know it"


@pytest.mark.parametrize("many", [1, 50])
def test_each_record_is_asked_for_once_for_each_place_in_the_text(many: int) -> None:
    asked = Asked()
    fill_text(" ".join(["{{ record.owner }}"] * many), roots(7, asked))
    assert asked.keys == ["7"] * many


def test_a_day_and_an_amount_beside_a_name_are_said_as_people_say_them() -> None:
    known = roots(7)
    known["record"] |= {"due": "2026-12-03", "minor": 120050, "currency": "EUR"}
    known[SPOKEN] |= {("record", "minor"): Say({}, "currency", minor=True, money=True)}
    assert fill_text("{{ record.owner }} pays {{ record.minor }} by {{ record.due }}", known) == "Ana Lima pays €1,200.50 by 3 Dec 2026"
