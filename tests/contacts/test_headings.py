"""What a value of a file is compared by, and how databases may have it."""

import pytest

from console.contacts import headings
from console.contacts.headings import as_compared, spellings
from tests.tables import cases


@cases("one, other, same", [
    ("Ada@Post.example", "ada@post.example ", True), ("a@bücher.example", "A@xn--bcher-kva.example", True), ("a@b\u0075\u0308cher.example", "a@bücher.example", True),
    ("a@straße.example", "a@strasse.example", False), ("a.b@gmail.com", "ab@gmail.com", False), ("a@xn--.example", "a@xn--.example", True), ("+371 2", "+371 2", True),
])  # fmt: skip
def test_one_mailbox_is_compared_as_one_and_two_as_two(one: str, other: str, same: bool) -> None:
    assert (as_compared(one) == as_compared(other)) is same


def test_a_database_is_asked_for_each_way_in_which_it_may_have_an_address() -> None:
    assert spellings("A@Bücher.example") == {"A@Bücher.example", "a@bücher.example", "a@xn--bcher-kva.example"}
    assert spellings("a@xn--bcher-kva.example") == {"a@xn--bcher-kva.example", "a@bücher.example"}
    assert (spellings("Ada@post.example"), spellings(7), spellings("a@xn--.example")) == (
        {"Ada@post.example", "ada@post.example"},
        {7},
        {"a@xn--.example"},
    )


@cases(
    "named",
    [
        "Denmark DK",
        "Kosovo XK",
        "DEU DE",
        "Niger NE",
        "lt LT",
        "the Netherlands NL",
    ],
)
def test_a_country_is_known_by_its_letters_and_its_name(named: str) -> None:
    cell, _, code = named.rpartition(" ")
    assert headings.country_code(cell) == code
    assert headings.is_country(code)
    assert not headings.is_country(headings.country_code("Atlantis"))


@cases(
    ("heading", "part"),
    [
        ("FirstName", "given"), ("last_name", "family"), ("E-MAIL", "email"), ("Lead Status", None), ("E-mail 2 - Label", None),
        ("Estado", None), ("No.", None), ("SMS", None), ("Newsletter", None),
    ],
)  # fmt: skip
def test_a_heading_is_known_by_usual_words(heading: str, part: str | None) -> None:
    assert headings.part_of(heading) == part


@cases(
    "cell, number",
    [("whatsapp:+491715551234", "+491715551234"), ("tel:+49 171", "+49 171"), ("p:+49171", "+49171"), ("Mobil: 0171 5551234", "0171 5551234"), ("+49 171 tel:5", "+49 171 tel:5")],
)  # fmt: skip
def test_what_kind_of_number_it_is_does_not_stay_in_it(cell: str, number: str) -> None:
    assert headings.number(cell) == number


@cases(
    "cell, code",
    [
        ("he-IL", "he"), ("en-US", "en"), ("pt_BR", "pt"), ("zh-Hans-CN", "zh"), ("EN", "en"), ("de_DE.UTF-8", "de"),
        ("German", "de"), ("Klingonese", "Klingonese"), ("xx", "xx"), ("", ""),
    ],
)  # fmt: skip
def test_a_language_is_known_by_its_letters_with_a_region_too(cell: str, code: str) -> None:
    assert headings.language_code(cell) == code


@cases(
    "cell, zone",
    [("europe/vilnius", "Europe/Vilnius"), ("America/New York", "America/New_York"), ("Mars/Olympus", "Mars/Olympus"), ("soon", "soon")],
)
def test_a_time_zone_is_known_however_its_letters_are_written(cell: str, zone: str) -> None:
    assert headings.zone_name(cell) == zone


@pytest.mark.parametrize(
    "cell", ["a" * 1_001, "a" * 900 + " x@post.example y@post.example" * 4, "1(a)" * 300, "1" * 1_001 + ".0", "a/" * 501, "(" * 1_001]
)
def test_a_very_long_cell_is_looked_through_for_nothing(cell: str) -> None:
    """Somebody may have made it to keep the reading busy."""
    for read in (headings.address, headings.number, headings.zone_name, headings.country_code, headings.language_code):
        assert read(cell) == cell
    assert (headings.several_addresses(cell), headings.numbers_in(cell), headings.addresses_in(cell)) == ([], (cell,), (cell,))


def test_numbers_of_a_cell_stand_apart_as_where_messages_are_sent() -> None:
    assert headings.numbers_in("0171/5551111 oder 0172/5552222 (Büro)") == ("0171/5551111", "0172/5552222")
    assert headings.numbers_in("+49 171 5551111 / +49 172 5552222; 12") == ("+49 171 5551111", "+49 172 5552222")
