"""Check digits, zones, account numbers and phones against the published examples of their standards."""

import re
from datetime import date
from random import Random

import pytest
from hypothesis import given, strategies as st

from console.core.papers import iban
from console.demo import paper_numbers
from tests.tables import cases

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<"


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


@given(st.text(LETTERS, min_size=1, max_size=39), st.integers(0, 38), st.sampled_from("0123456789"))
def test_one_wrong_figure_is_found_unless_it_differs_by_a_multiple_of_ten(text: str, place: int, figure: str) -> None:
    place %= len(text)
    wrong = text[:place] + figure + text[place + 1 :]

    def value(sign: str) -> int:
        return 0 if sign == "<" else int(sign, 36)

    differs = (value(text[place]) - value(figure)) * (7, 3, 1)[place % 3] % 10 != 0
    assert (paper_numbers.check_digit(wrong) != paper_numbers.check_digit(text)) == differs


@cases(
    ("name", "written"),
    [
        ("Anna Maria", "ANNA<MARIA"), ("Müller-Groß", "MUELLER<GROSS"), ("Åberg", "AABERG"), ("Øst", "OEST"), ("O'Brien", "OBRIEN"),
        ("Dvořáček", "DVORACEK"), ("Žygimantas", "ZYGIMANTAS"), ("Łukasz", "LUKASZ"), ("Nguyễn", "NGUYEN"), ("Şahin", "SAHIN"),
    ],
)  # fmt: skip
def test_national_letters_are_written_in_latin(name: str, written: str) -> None:
    assert paper_numbers.transliterate(name) == written


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


def test_passport_zone_can_be_spoiled_in_its_number_alone() -> None:
    facts = {
        "number": "GX1234567",
        "issuer": "SE",
        "nationality": "SE",
        "family": "Ek",
        "given": "Bo",
        "birth": date(1980, 1, 1),
        "expires": date(2030, 1, 1),
    }
    right, wrong = paper_numbers.passport_zone(**facts)[1], paper_numbers.passport_zone(**facts, number_off_by=3)[1]  # type: ignore[arg-type]
    assert int(wrong[9]) == (int(right[9]) + 3) % 10
    assert wrong[:9] == right[:9]
    assert wrong[10:43] == right[10:43]


def test_card_zone_has_three_lines_of_30_signs() -> None:
    lines = paper_numbers.card_zone(
        code="I<",
        number="D23145890",
        issuer="LT",
        nationality="LT",
        family="Vaher",
        given="Siim",
        birth=date(1974, 8, 12),
        expires=date(2012, 4, 15),
    )
    assert [len(line) for line in lines] == [30, 30, 30]
    assert lines[0].startswith("I<LTUD231458907<")
    assert lines[1].startswith("7408122<1204159LTU")
    assert lines[2] == "VAHER<<SIIM".ljust(30, "<")


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
