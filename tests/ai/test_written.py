from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, strategies as st

from console.ai.safety import written_values
from tests.tables import cases


def amounts_in(text: str) -> list[set[str]]:
    return [{f"{value:f}" for value in reading.values} for reading in written_values.numbers(text)]


@cases(
    "text, found",
    [
        ("49", [{"49"}]),
        ("49.00", [{"49.00"}]),
        ("1,234.50", [{"1234.50"}]),
        ("1.234,50", [{"1234.50"}]),
        ("1 234,50", [{"1234.50"}]),
        ("1\u00a0234,50", [{"1234.50"}]),
        ("1\u202f234.50", [{"1234.50"}]),
        ("1'234.50", [{"1234.50"}]),
        ("1’234.50", [{"1234.50"}]),
        ("1,234", [{"1234", "1.234"}]),
        ("1.234", [{"1234", "1.234"}]),
        ("0,234", [{"0.234"}]),
        ("1,234,567", [{"1234567"}]),
        ("1.234.567,8", [{"1234567.8"}]),
        ("1,00,000", [{"100000"}]),
        ("12,5", [{"12.5"}]),
        ("1234.5", [{"1234.5"}]),
        ("12345,678", [{"12345.678"}]),
        ("-49.00", [{"-49.00"}]),
        ("−49", [{"-49"}]),
        ("+49", [{"49"}]),
        ("EUR -49", [{"-49"}]),
        ("(49)", [{"49"}]),
        ("49.", [{"49"}]),
        ("49, please", [{"49"}]),
        ("is 49.Then", [{"49"}]),
        ("€49", [{"49"}]),
        ("49€", [{"49"}]),
        ("49 €", [{"49"}]),
        ("EUR49.00", [{"49.00"}]),
        ("49.00EUR", [{"49.00"}]),
        ("$1,000", [{"1000", "1.000"}]),
        ("5%", [{"5"}]),
        ("12kg", [{"12"}]),
        ("#10412", [{"10412"}]),
        ("amount=49;", [{"49"}]),
        ("amount:49", [{"49"}]),
        ("2 of 3", [{"2"}, {"3"}]),
        ("10 1000", [{"10"}, {"1000"}]),
        ("2 100", [{"2100"}]),
        ("49,-", [{"49"}]),
        ("10412", [{"10412"}]),
        ("007", [{"7"}]),
        ("3x", [{"3"}]),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, found: list[set[str]]) -> None:
    assert amounts_in(text) == found


@cases(
    "text",
    [
        "C-10412",
        "INV-2026-001",
        "v1.2",
        "1.2.3",
        "20.11.2026",
        "20/11/2026",
        "2026-11-20",
        "12:30",
        "192.168.1.100",
        "A49",
        "49A",
        "abc49",
        "49abc",
        "a/5",
        "5/a",
        "10-20",
        "x@49",
        "49@x",
        "order_49",
        "49_1",
        "1,234,56",
        "12.34.567",
        "1,2,3",
        "a\\49",
        "٤٩",
        "²",
        "DE89370400440532013000",
        "9" * 61,
        "0193463c-0000-7000-8000-000000000001",
    ],
)
def test_digits_of_something_else_are_no_number(text: str) -> None:
    assert amounts_in(text) == []


@cases(
    "value, made",
    [
        (49, "49"),
        (49.5, "49.5"),
        ("49.50", "49.50"),
        ("-3", "-3"),
        (Decimal("1.10"), "1.10"),
        (" 49 ", "49"),
        ("1e3", None),
        ("1,5", None),
        ("", None),
        ("x", None),
        (True, None),
        (None, None),
        ([1], None),
        (float("nan"), None),
        (float("inf"), None),
        (10**100, None),
        (Decimal("1e999999"), None),
        (Decimal("1e-999999"), None),
        (Decimal("NaN"), None),
        ("٤", None),
    ],
)
def test_a_value_is_a_number_or_none(value: Any, made: str | None) -> None:
    read = written_values.decimal(value)
    assert (None if read is None else f"{read:f}") == made


@cases(
    "text, only",
    [
        ("49", "49"),
        ("1,234.50", "1234.50"),
        ("EUR 49.00", "49.00"),
        ("49 €", "49"),
        ("1,234", None),
        ("1.234", "1.234"),
        ("49 and 50", None),
        ("C-49", None),
        ("", None),
        ("12,5", "12.5"),
        ("1 234,5", "1234.5"),
        ("-7", "-7"),
        ("€ 12", "12"),
        ("forty", None),
        ("20.11.2026", None),
    ],
)
def test_a_number_with_two_readings_is_not_taken(text: str, only: str | None) -> None:
    read = written_values.only_number(text)
    assert (None if read is None else f"{read:f}") == only


@cases(
    "text, found",
    [
        ("2026-11-20", {"2026-11-20"}),
        ("2026/11/20", {"2026-11-20"}),
        ("2026.11.20", {"2026-11-20"}),
        ("2026-1-2", {"2026-01-02"}),
        ("20.11.2026", {"2026-11-20"}),
        ("20. 11. 2026", {"2026-11-20"}),
        ("20/11/2026", {"2026-11-20"}),
        ("11/20/2026", {"2026-11-20"}),
        ("03/04/2026", {"2026-04-03", "2026-03-04"}),
        ("03.04.2026", {"2026-04-03"}),
        ("20-11-2026", {"2026-11-20"}),
        ("20 Nov 2026", {"2026-11-20"}),
        ("20 November 2026", {"2026-11-20"}),
        ("20th November 2026", {"2026-11-20"}),
        ("20th of November, 2026", {"2026-11-20"}),
        ("1st March 2026", {"2026-03-01"}),
        ("November 20, 2026", {"2026-11-20"}),
        ("Nov. 20 2026", {"2026-11-20"}),
        ("March 3rd, 2026", {"2026-03-03"}),
        ("20-NOV-2026", {"2026-11-20"}),
        ("20NOV2026", {"2026-11-20"}),
        ("Sept. 5, 2026", {"2026-09-05"}),
        ("20. November 2026", {"2026-11-20"}),
        ("3. März 2026", {"2026-03-03"}),
        ("20. Jan. 2026", {"2026-01-20"}),
        ("20 novembre 2026", {"2026-11-20"}),
        ("1er août 2026", {"2026-08-01"}),
        ("20 févr. 2026", {"2026-02-20"}),
        ("20 de noviembre de 2026", {"2026-11-20"}),
        ("3 de enero del 2026", {"2026-01-03"}),
        ("20 dicembre 2026", {"2026-12-20"}),
        ("3 maja 2026", {"2026-05-03"}),
        ("20 listopada 2026 r.", {"2026-11-20"}),
        ("2026 m. lapkričio 20 d.", {"2026-11-20"}),
        ("2026 m. sausio 3 d.", {"2026-01-03"}),
        ("2026. gada 20. novembris", {"2026-11-20"}),
        ("20 november 2026", {"2026-11-20"}),
        ("20 de maio de 2026", {"2026-05-20"}),
        ("20261120", {"2026-11-20"}),
        ("20.11.26", {"2026-11-20", "1926-11-20"}),
        ("on 2026-11-20, at noon", {"2026-11-20"}),
        ("2026-11-20T09:30:00Z", {"2026-11-20"}),
        ("29.02.2024", {"2024-02-29"}),
        ("Due: 5 May 2026.", {"2026-05-05"}),
    ],
)
def test_days_are_read_in_many_forms(text: str, found: set[str]) -> None:
    assert {value for reading in written_values.days(text) for value in reading.values} == found


@cases(
    "text",
    [
        "31.02.2026",
        "29.02.2026",
        "2026-13-01",
        "00.11.2026",
        "99/99/2026",
        "INV-2026-11-20-5",
        "20.11.20260",
        "1.2.3.2026",
        "20 blue 2026",
        "May 2026",
        "20261320",
        "12026-11-20",
        "2026-11-200",
        "20 Nov",
        "0026-11-20",
        "9999-01-01",
        "20261120-1",
        "x20261120",
        "192.168.1.10",
        "the 20th",
        "",
    ],
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert list(written_values.days(text)) == []


@cases(
    "text, day",
    [
        ("20.11.2026", "2026-11-20"),
        (" 2026-11-20 ", "2026-11-20"),
        ("03/04/2026", None),
        ("20.11.26", None),
        ("on 20.11.2026", None),
        ("2026-11-20T09:30", None),
        ("x", None),
        ("2026 m. lapkričio 20 d.", "2026-11-20"),
        ("x" * 500, None),
    ],
)
def test_a_day_with_two_readings_is_not_taken(text: str, day: str | None) -> None:
    assert written_values.only_day(text) == day


@cases(
    "text, found",
    [
        ("09:30", "09:30:00"),
        ("9:30", "09:30:00"),
        ("9:30 am", "09:30:00"),
        ("9:30 PM", "21:30:00"),
        ("12:05 a.m.", "00:05:00"),
        ("12:15pm", "12:15:00"),
        ("23:59:58", "23:59:58"),
        ("9h30", "09:30:00"),
        ("at 14:00.", "14:00:00"),
        ("24:00", None),
        ("12:60", None),
        ("1:2", None),
        ("112:30", None),
        ("12:30:99", None),
        ("13:30 pm", None),
        ("2026", None),
        ("12.30", None),
    ],
)
def test_times_of_day_are_read(text: str, found: str | None) -> None:
    assert {value for reading in written_values.clocks(text) for value in reading.values} == (
        {found} if found else set()
    )


@cases(
    "text, moment",
    [
        ("2026-11-20T09:30:00Z", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026-11-20 09:30", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026-11-20T10:30:00+01:00", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026-11-20 09:30 UTC", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026-11-20T09:30:00.25Z", datetime(2026, 11, 20, 9, 30, 0, 250000, tzinfo=UTC)),
        ("2026-11-20", None),
        ("2026-13-20T09:30Z", None),
        ("0001-01-01T00:00+14:00", None),
    ],
)
def test_moments_are_read_in_utc(text: str, moment: datetime | None) -> None:
    assert [value for reading in written_values.moments(text) for value in reading.values] == (
        [moment] if moment else []
    )


@given(st.text(max_size=200))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (written_values.numbers, written_values.days, written_values.clocks, written_values.moments):
        for reading in read(text):
            assert 0 <= reading.start < reading.end <= len(text)
            assert reading.values
    written_values.only_day(text)
    written_values.only_number(text)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2))
def test_a_number_is_found_again_in_the_forms_of_many_countries(value: Decimal) -> None:
    plain = f"{value:,.2f}"
    german = plain.replace(",", "_").replace(".", ",").replace("_", ".")
    for text in (f"{value}", plain, german, plain.replace(",", "'"), german.replace(".", "\u00a0")):
        assert value in {
            read for reading in written_values.numbers(f"The sum is {text} in all") for read in reading.values
        }
