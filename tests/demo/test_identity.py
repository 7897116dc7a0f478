"""Check digits, zones, account numbers and phones against the published examples of their standards."""

import re
from datetime import date
from random import Random

import pytest

from console.core.papers import iban
from console.demo import paper_numbers
from tests.tables import cases


@cases(
    ("text", "digit"),
    [
        ("L898902C3", 6),  # Doc 9303-4, the specimen of Utopia: number, birth, expiry, personal number, all of them
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


@pytest.mark.parametrize("known", ["GB82 WEST 1234 5698 7654 32", "DE89 3704 0044 0532 0130 00", "LT12 1000 0111 0100 1000"])
def test_iban_of_the_standard_holds_and_is_made_again(known: str) -> None:
    plain = known.replace(" ", "")
    assert iban.holds(known)
    assert paper_numbers.iban(plain[:2], plain[4:]) == plain
    assert not iban.holds(plain[:-1] + str((int(plain[-1]) + 1) % 10))


@pytest.mark.parametrize(
    ("country", "form"),
    [
        ("GB", r"\+44 20 7946 0\d{3}"), ("US", r"\+1 202 555 01\d\d"), ("DE", r"\+49 30 23125 \d{3}"),
        ("SE", r"\+46 70 174 06 (0[5-9]|[1-9]\d)"), ("LT", r"\+(49 30 23125|44 20 7946 0)\s?\d{3}"),
    ],
)  # fmt: skip
def test_phones_are_of_ranges_kept_for_fiction(country: str, form: str) -> None:
    rng = Random(1)
    assert all(re.fullmatch(form, paper_numbers.phone(country, rng)) for _ in range(200))
