"""Texts in several languages in one column: which columns hold them, and which text a reader gets."""

from dataclasses import replace
from typing import Any

from console import formats
from console.core import translations
from console.core.documents.collections import field_guesses
from console.formats import Kind, Look
from tests.tables import cases

TABLE = {"en_US": "Table", "de_DE": "Tisch", "pt-BR": "Mesa"}


@cases(
    ("values", "kept"),
    [
        ([TABLE, {"en_US": "Chair"}], True),
        (['{"en_US": "Table", "de_DE": "Tisch"}', '{"en_US": "Chair"}'], True),
        ([{"en": "One"}, {"de": "Zwei"}], True),
        ([{}, {"sr@latin": "Sto"}, "plain"], True),
        (["plain", "words", TABLE], False),
        ([{"id": "4711"}, {"id": "4712"}], False),
        ([{"to": "a@x.example", "is": "sent"}], False),
        ([{"en": {"title": "deep"}}], False),
        ([{"en": 5}], False),
        ([{"EUR": "5"}], False),
        (["{broken", "[1]"], False),
        ([{}, {}], False),
        ([], False),
    ],
)
def test_columns_that_keep_texts_in_several_languages(values: list[Any], kept: bool) -> None:
    assert translations.kept_in(values) is kept
    assert (field_guesses.form_of(values, "name") == "translations") is kept


@cases(
    ("locale", "text"),
    [
        ("de", "Tisch"),
        ("de_AT", "Tisch"),
        ("de-DE", "Tisch"),
        ("pt", "Mesa"),
        ("en", "Table"),
        ("fr", "Table"),
        ("", "Table"),
    ],
)
def test_the_text_in_the_language_of_the_reader_else_in_english(locale: str, text: str) -> None:
    assert translations.in_language(TABLE, locale) == text


@cases(
    ("value", "text"),
    [
        ({"de_DE": "Nur deutsch"}, "Nur deutsch"),
        ({"en_US": None, "fr_FR": "Table basse"}, "Table basse"),
        ({"en_US": "  ", "fr_FR": "Table"}, "Table"),
        ({"en": "<b>x</b>"}, "<b>x</b>"),
        ("plain", "plain"),
        ('{"en": "cut', '{"en": "cut'),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
        ({}, ""),
        (None, None),
        (7, 7),
    ],
)
def test_else_the_first_one_and_what_is_something_else_as_it_is(value: Any, text: Any) -> None:
    assert translations.in_language(value, "en") == text


@cases(
    ("value", "text"),
    [
        (1_700_000_000, "14 Nov 2023, 22:13"),
        (1_700_000_000_000, "14 Nov 2023, 22:13"),
        (1_700_000_000_000_000, "14 Nov 2023, 22:13"),
        (2_460_263.426, "14 Nov 2023, 22:13"),
        (0, "–"),
        (10**30, str(10**30)),
        ("soon", "soon"),
    ],
)
def test_counts_of_time_are_shown_as_moments(value: Any, text: str) -> None:
    assert formats.text(Kind("at", "At", "integer", widget="unix"), value, Look()) == text


@cases(
    ("widget", "kept", "drawn"),
    [
        ("unix", 1_700_000_000, "2023-11-15T00:13:20"),
        ("unix", 1_700_000_040_000, "2023-11-15T00:14"),
        ("unix_ms", 1_700_000_000_000, "2023-11-15T00:13:20"),
        ("unix_us", 1_700_000_000_000_000, "2023-11-15T00:13:20"),
        ("cocoa", 721_692_800, "2023-11-15T00:13:20"),
        ("cocoa", -86_400, "2000-12-31T02:00"),
        ("unix", "soon", "soon"),
        ("unix", 10**30, str(10**30)),
        ("unix", 0, "0"),
    ],
)
def test_counts_of_time_are_typed_as_moments_in_the_readers_zone(widget: str, kept: Any, drawn: str) -> None:
    what, look = Kind("at", "At", "integer", widget=widget), Look(zone="Europe/Vilnius")
    assert formats.box(what, kept, look) == drawn
    read = replace(what, widget=formats.counting(widget, kept))
    assert formats.typed(read, [drawn], look) == kept


def test_a_day_of_a_julian_calendar_is_typed_as_a_moment() -> None:
    what = Kind("at", "At", "decimal", widget="julian")
    assert formats.box(what, "2460263.25", Look()) == "2023-11-14T18:00"
    assert formats.typed(what, ["2023-11-14T18:00"], Look()) == "2460263.25"
