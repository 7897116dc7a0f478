"""Machine-readable zones: the examples of ICAO 9303, every digit that can be wrong, what is no zone, and several readings of one."""

from datetime import date

from hypothesis import given, strategies as st

from console.core.papers import mrz
from tests.tables import cases

PASSPORT = ("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10")
CARD = ("I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<")
LARGE = ("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6")
TODAY = date(2026, 11, 20)


def spoiled(lines: tuple[str, ...], line: int, at: int, sign: str) -> list[str]:
    made = list(lines)
    made[line] = made[line][:at] + sign + made[line][at + 1 :]
    return made


@cases(
    ("lines", "kind", "number"),
    [(PASSPORT, "TD3", "L898902C3"), (CARD, "TD1", "D23145890"), (LARGE, "TD2", "D23145890")],
)
def test_the_examples_of_the_standard(lines: tuple[str, ...], kind: str, number: str) -> None:
    zone = mrz.parse(lines)
    assert zone is not None
    assert (zone.format, zone.number, zone.valid, zone.wrong) == (kind, number, True, ())
    assert (zone.family_name, zone.given_names, zone.issuer, zone.nationality, zone.sex) == (
        "ERIKSSON",
        "ANNA MARIA",
        "UTO",
        "UTO",
        "F",
    )
    assert (zone.birth_date, zone.expires_on) == (date(1974, 8, 12), date(2012, 4, 15))


@cases(
    ("lines", "line", "at", "wrong"),
    [
        (PASSPORT, 1, 9, ("number", "composite")),
        (PASSPORT, 1, 19, ("birth_date", "composite")),
        (PASSPORT, 1, 27, ("expires_on", "composite")),
        (PASSPORT, 1, 42, ("optional", "composite")),
        (PASSPORT, 1, 43, ("composite",)),
        (LARGE, 1, 9, ("number", "composite")),
        (LARGE, 1, 19, ("birth_date", "composite")),
        (LARGE, 1, 27, ("expires_on", "composite")),
        (LARGE, 1, 35, ("composite",)),
        (CARD, 0, 14, ("number", "composite")),
        (CARD, 1, 6, ("birth_date", "composite")),
        (CARD, 1, 14, ("expires_on", "composite")),
        (CARD, 1, 29, ("composite",)),
    ],
)
def test_each_check_digit_is_judged_by_itself(
    lines: tuple[str, ...], line: int, at: int, wrong: tuple[str, ...]
) -> None:
    digit = str((int(lines[line][at]) + 3) % 10)
    zone = mrz.parse(spoiled(lines, line, at, digit))
    assert zone is not None
    assert zone.wrong == wrong


@cases(
    ("text", "digit"),
    [
        ("D23145890", 7),
        ("740812", 2),
        ("120415", 9),
        ("ZE184226B<<<<<", 1),
        ("", 0),
        ("<<<<", 0),
        ("520727", 3),
        ("AB2134<<<", 5),
        ("a", None),
        ("Ä", None),
    ],
)
def test_a_check_digit(text: str, digit: int | None) -> None:
    assert mrz.check_digit(text) == digit


@cases(
    "text",
    [
        "",
        "Dear customer, please find enclosed",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "X<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO74O8122F1204159ZE184226B<<<<<10",
        "P<1TOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
        "<" * 44 + "\n" + "<" * 44,
    ],
)
def test_what_is_no_zone(text: str) -> None:
    assert mrz.parse(text) is None


@cases(
    "text",
    [
        "Passport\n" + "\n".join(PASSPORT) + "\nSignature",
        "\n".join(PASSPORT).lower(),
        "\n".join(" ".join(line) for line in PASSPORT),
        "\n".join(line.replace("<<", "«") for line in PASSPORT),
        PASSPORT[0][:-2] + "\n" + PASSPORT[1],
        "\r\n\r\n".join(PASSPORT),
    ],
)
def test_a_zone_is_found_however_it_was_written_down(text: str) -> None:
    zone = mrz.parse(text)
    assert zone is not None
    assert zone.valid


def test_only_what_was_seen_in_a_picture_is_put_right_and_never_a_digit_that_is_one() -> None:
    looks_like = spoiled(PASSPORT, 1, 13, "7".replace("7", "Z"))  # Z is 2: a birth year that its digit denies
    assert mrz.parse(looks_like) is None
    zone = mrz.parse(looks_like, seen=True)
    assert zone is not None
    assert zone.wrong == ("birth_date", "composite")
    right = mrz.parse(spoiled(PASSPORT, 1, 43, "O"), seen=True)
    assert right is not None
    assert right.valid
    issuer = mrz.parse(spoiled(PASSPORT, 0, 4, "0"), seen=True)
    assert issuer is not None
    assert issuer.issuer == "UTO"


@cases(
    ("text", "today", "year"),
    [
        ("740812", TODAY, 1974),
        ("260101", TODAY, 2026),
        ("270101", TODAY, 1927),
        ("000229", TODAY, 2000),
        ("010229", TODAY, None),
        ("<<<<<<", TODAY, None),
    ],
)
def test_the_century_of_a_birth(text: str, today: date, year: int | None) -> None:
    second = f"L898902C36UTO{text}{mrz.check_digit(text)}F1204159ZE184226B<<<<<10"
    zone = mrz.parse([PASSPORT[0], second], today)
    assert zone is not None
    assert (zone.birth_date.year if zone.birth_date else None) == year


GOOD, OTHER, BAD = list(PASSPORT), list(CARD), spoiled(PASSPORT, 1, 9, "9")
WORSE = spoiled(PASSPORT, 1, 9, "8")


@cases(
    ("readings", "seen", "valid", "sure"),
    [
        ([], True, None, False),
        ([["nothing"]], True, None, False),
        ([GOOD], True, True, True),
        ([BAD], True, False, False),
        ([BAD], False, False, True),
        ([BAD, BAD], True, False, True),
        ([BAD, WORSE], True, False, False),
        ([BAD, GOOD], True, True, True),
        ([BAD, BAD, GOOD], True, True, False),
        ([GOOD, GOOD, BAD], True, True, True),
        ([["x"], GOOD], True, True, True),
    ],
)
def test_what_several_readings_come_to(
    readings: list[list[str]], seen: bool, valid: bool | None, sure: bool
) -> None:
    zone, certain = mrz.settled(readings, seen=seen)
    assert ((zone.valid if zone else None), certain) == (valid, sure)


@given(st.text(max_size=200))
def test_no_text_upsets_it(text: str) -> None:
    mrz.parse(text)
    mrz.parse(text, seen=True)
    list(mrz.zone_lines(text.splitlines()))
