"""What rules tell from the text of a document: labels and values, days, account numbers, amounts; and where it stands."""

from typing import Any

from hypothesis import given, strategies as st

from console.core.papers.extracting import amounts_in, days_in, facts_of, places_of
from console.core.papers.pages import Read, Word, lines_of
from tests.tables import cases

HEIGHT, WIDTH = 0.02, 0.012


def words(text: str, top: float, left: float = 0.1) -> list[Word]:
    """The words of a line; two or more blanks are the gap that they would be on paper."""
    found = []
    for part in text.split(" "):
        if part:
            found.append(Word(part, (left, top, left + WIDTH * len(part), top + HEIGHT)))
        left += WIDTH * (len(part) + 1) + (0 if part else 4 * WIDTH)
    return found


def page(*lines: str, number: int = 1) -> Read:
    placed = [word for place, line in enumerate(lines) for word in words(line, 0.1 + 0.04 * place)]
    return Read(number, lines_of(placed), "pdf")


def found(*lines: str) -> dict[str, Any]:
    return {one.name: one.value for one in facts_of([page(*lines)]).found}


@cases(
    ("lines", "name", "value"),
    [
        (("Customer: Tore Lindqvist",), "name", "Tore Lindqvist"),
        (("Surname   Lindquist",), "family_name", "Lindquist"),
        (("Surname / Nom: Lindquist",), "family_name", "Lindquist"),
        (("Date of birth   1979-03-04",), "birth_date", "1979-03-04"),
        (("Date of birth 1979-03-04",), "birth_date", "1979-03-04"),
        (("Date of birth: 4.3.1979",), "birth_date", "1979-03-04"),
        (("Valid until: 5 March 2031",), "expires_on", "2031-03-05"),
        (("Insured until: 31 Dec 2027",), "expires_on", "2027-12-31"),
        (("Date of issue   Date of expiry", "2021-05-06      2031-05-06"), "issued_on", "2021-05-06"),
        (("Sum insured: EUR 5,000,000.00",), "cover", "5000000.00"),
        (("Sum insured: EUR 5,000,000.00",), "cover_currency", "EUR"),
        (("IBAN: DE71 9999 9999 9876 5432 10",), "iban", "DE71999999999876543210"),
        (("Please pay to DE71 9999 9999 9876 5432 10 at once",), "iban", "DE71999999999876543210"),
        (("VAT no.: DE 136 695 976",), "vat_id", "DE136695976"),
        (("our id is DE136695976 as always",), "vat_id", "DE136695976"),
        (("Account holder: Bright Water Logistics GmbH",), "holder", "Bright Water Logistics GmbH"),
        (("Register number: HRB 4711",), "register_no", "HRB 4711"),
        (("Legal name", "Alder & Finch Print GmbH"), "legal_name", "Alder & Finch Print GmbH"),
        (("Favourite colour: blue",), "favourite_colour", "blue"),
        (("Given names   Tore", "Surname   Lindqvist"), "name", "Tore Lindqvist"),
        (("Period   Amount", "2026-09   EUR 118.20"), "period", "2026-09"),
    ],
)
def test_what_stands_after_or_under_a_label(lines: tuple[str, ...], name: str, value: str) -> None:
    assert found(*lines).get(name) == value


@cases(
    ("line", "name"),
    [
        ("Date of birth: unknown", "birth_date"),
        ("Date of birth: 2026-02-30", "birth_date"),
        ("Date: 03/04/2026", "issued_on"),
        ("Valid until: 1 May 2026 or 2 May 2026", "expires_on"),
        ("Sum insured: enough", "cover"),
        ("DE72 9999 9999 9876 5432 10", "iban"),
        ("DE136695975", "vat_id"),
        ("Surname", "family_name"),
        (":", ""),
        ("Customer:", "name"),
    ],
)
def test_what_is_wrong_or_ambiguous_is_left_out(line: str, name: str) -> None:
    assert name not in found(line)


@cases(
    ("text", "days"),
    [
        ("2026-10-20", ["2026-10-20"]),
        ("20.10.2026 and 1. 2. 2026", ["2026-10-20", "2026-02-01"]),
        ("13/04/2026, 04/13/2026", ["2026-04-13"]),
        ("03/04/2026", []),
        ("04/04/2026", ["2026-04-04"]),
        ("20 October 2026", ["2026-10-20"]),
        ("1st May 2026", ["2026-05-01"]),
        ("Oct 5, 2026", ["2026-10-05"]),
        ("20 Foo 2026", []),
        ("2026-13-01 31.02.2026", []),
        ("12026-10-201", []),
    ],
)
def test_days(text: str, days: list[str]) -> None:
    assert days_in(text) == days


@cases(
    ("text", "amounts"),
    [
        ("EUR 118.20", [("118.20", "EUR")]),
        ("1.234,50 €", [("1234.50", "EUR")]),
        ("SEK 31,200", [("31200", "SEK")]),
        ("£5,000,000.00", [("5000000.00", "GBP")]),
        ("1 234,5 EUR", [("1234.5", "EUR")]),
        ("CHF 1'234.00", [("1234.00", "CHF")]),
        ("KWD 31.250", [("31250", "KWD")]),
        ("EUR 12 and USD 7", [("12", "EUR"), ("7", "USD")]),
        ("118.20", []),
        ("EUROPE 5", []),
        ("EUR", []),
    ],
)
def test_amounts(text: str, amounts: list[tuple[str, str]]) -> None:
    assert amounts_in(text) == amounts


@cases(
    ("wanted", "places"),
    [
        ("Tore Lindqvist", 1),
        ("tore  LINDQVIST", 1),
        ("DE71 9999", 1),
        ("de-71 99.99", 1),
        ("Nobody", 0),
        ("", 0),
        ("T", 0),
        ("..", 0),
        ("Lindqvist, Account", 0),
    ],
)
def test_where_a_text_is_printed(wanted: str, places: int) -> None:
    assert len(places_of([page("Name: Tore Lindqvist", "Account DE71 9999 9999")], wanted)) == places


def test_lines_are_made_of_words_wherever_they_stood_in_the_file() -> None:
    upper, lower = words("Surname   Lindquist", 0.1), words("Given   Tore", 0.2)
    assert [line.text for line in lines_of([*lower[::-1], *upper[::-1]])] == [
        "Surname   Lindquist",
        "Given   Tore",
    ]
    assert lines_of([]) == ()


BOXES = st.tuples(*[st.floats(0, 1)] * 4).map(
    lambda box: (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3]))
)
WORDS = st.lists(
    st.builds(
        Word, st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]), min_size=1, max_size=12), BOXES
    ),
    max_size=20,
)


@given(WORDS)
def test_no_page_upsets_it(given_words: list[Word]) -> None:
    lines = lines_of(given_words)
    assert sorted(word for line in lines for word in line.words) == sorted(given_words)
    facts = facts_of([Read(1, lines, "ocr", zones=(tuple(line.text for line in lines),))])
    for one in facts.found:
        assert 0 <= one.box[0] <= one.box[2] <= 1
    places_of([Read(1, lines, "ocr")], "ab")
