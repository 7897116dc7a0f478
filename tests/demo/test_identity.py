"""Check digits, zones, account numbers and phones against the published examples of their standards."""

from datetime import date

from console.demo import paper_numbers
from tests.tables import cases


@cases(
    ("text", "digit"),
    [
        (
            "L898902C3",
            6,
        ),  # Doc 9303-4, the specimen of Utopia: number, birth, expiry, personal number, all of them
        ("740812", 2),
        ("120415", 9),
        ("ZE184226B<<<<<", 1),
        ("L898902C3674081221204159ZE184226B<<<<<1", 0),
        ("D23145890", 7),  # Doc 9303-5
        ("<<<<<<<<<<<<<<", 0),
        ("520727", 3),
    ],
)
def test_check_digit_of_published_examples(text: str, digit: int) -> None:
    assert paper_numbers.check_digit(text) == digit


def test_passport_zone_has_44_signs_a_line_and_agreeing_digits() -> None:
    first, second = paper_numbers.passport_zone(
        number="L898902C3",
        issuer="DE",
        nationality="DE",
        family="Groß",
        given="Åsa Maria",
        birth=date(1974, 8, 12),
        expires=date(2031, 4, 15),
    )
    assert first == "P<D<<GROSS<<AASA<MARIA".ljust(44, "<")
    assert second == "L898902C36D<<7408122<3104150<<<<<<<<<<<<<<0" + str(
        paper_numbers.check_digit(second[:10] + second[13:20] + second[21:43])
    )
