"""What a value of a file is compared by, and how databases may have it."""

from console.messaging.imports import headings
from console.messaging.imports.headings import as_compared, spellings
from tests.tables import cases


@cases(
    "one, other, same",
    [
        ("Ada@Post.example", "ada@post.example ", True),
        ("a@bücher.example", "A@xn--bcher-kva.example", True),
        ("a@b\u0075\u0308cher.example", "a@bücher.example", True),
        ("a@straße.example", "a@strasse.example", False),
        ("a.b@gmail.com", "ab@gmail.com", False),
        ("a@xn--.example", "a@xn--.example", True),
        ("+371 2", "+371 2", True),
    ],
)
def test_one_mailbox_is_compared_as_one_and_two_as_two(one: str, other: str, same: bool) -> None:
    assert (as_compared(one) == as_compared(other)) is same


def test_a_database_is_asked_for_each_way_in_which_it_may_have_an_address() -> None:
    assert spellings("A@Bücher.example") == {
        "A@Bücher.example",
        "a@bücher.example",
        "a@xn--bcher-kva.example",
    }
    assert spellings("a@xn--bcher-kva.example") == {"a@xn--bcher-kva.example", "a@bücher.example"}
    assert (spellings("Ada@post.example"), spellings(7), spellings("a@xn--.example")) == (
        {"Ada@post.example", "ada@post.example"},
        {7},
        {"a@xn--.example"},
    )


@cases(
    ("heading", "part"),
    [
        ("FirstName", "given"),
        ("last_name", "family"),
        ("E-MAIL", "email"),
        ("Lead Status", None),
        ("E-mail 2 - Label", None),
        ("Estado", None),
        ("No.", None),
        ("SMS", None),
        ("Newsletter", None),
    ],
)
def test_a_heading_is_known_by_usual_words(heading: str, part: str | None) -> None:
    assert headings.part_of(heading) == part


@cases(
    "cell, zone",
    [
        ("europe/vilnius", "Europe/Vilnius"),
        ("America/New York", "America/New_York"),
        ("Mars/Olympus", "Mars/Olympus"),
        ("soon", "soon"),
    ],
)
def test_a_time_zone_is_known_however_its_letters_are_written(cell: str, zone: str) -> None:
    assert headings.zone_name(cell) == zone


def test_numbers_of_a_cell_stand_apart_as_where_messages_are_sent() -> None:
    assert headings.numbers_in("0171/5551111 oder 0172/5552222 (Büro)") == ("0171/5551111", "0172/5552222")
    assert headings.numbers_in("+49 171 5551111 / +49 172 5552222; 12") == (
        "+49 171 5551111",
        "+49 172 5552222",
    )
