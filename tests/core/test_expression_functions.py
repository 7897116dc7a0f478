"""Every function of the expression language with every kind of value, right and wrong."""

from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from console.core.expressions import ExpressionError, parse
from console.core.expressions.functions import FUNCTIONS, METHODS
from console.core.expressions.operands import UNKNOWN
from tests.core.values import NOW, VALUES, record
from tests.tables import cases

ONE: dict[str, dict[str, Any]] = {
    "size": {
        "text": 4,
        "empty": 0,
        "number": 4,
        "day": 10,
        "moment": 20,
        "list": 2,
        "nothing": 0,
        "object": 1,
    },
    "lower": {
        "text": "anna",
        "empty": "",
        "number": "12.5",
        "day": "2026-01-31",
        "moment": "2026-01-31t10:00:00z",
    },
    "upper": {
        "text": "ANNA",
        "empty": "",
        "number": "12.5",
        "day": "2026-01-31",
        "moment": "2026-01-31T10:00:00Z",
    },
    "trim": {
        "text": "Anna",
        "empty": "",
        "number": "12.5",
        "day": "2026-01-31",
        "moment": "2026-01-31T10:00:00Z",
    },
    "days": {"int": "P3D", "zero": "PT0S", "decimal": "P2DT43200S", "number": "P12DT43200S"},
    "hours": {"int": "PT10800S", "zero": "PT0S", "decimal": "PT9000S", "number": "PT45000S"},
    "minutes": {"int": "PT180S", "zero": "PT0S", "decimal": "PT150S", "number": "PT750S"},
    "date": dict.fromkeys(("day", "moment", "date", "datetime"), "2026-01-31"),
    "round_half_up": {"int": 3, "zero": 0, "decimal": 3, "number": 13},
    "sum": {"int": 3, "zero": 0, "decimal": "2.50", "number": "12.5", "duration": "P2D", "nothing": 0},
    "max": {
        "int": 3,
        "zero": 0,
        "decimal": "2.50",
        "number": "12.5",
        "day": "2026-01-31",
        "moment": "2026-01-31T10:00:00Z",
        "date": "2026-01-31",
        "datetime": "2026-01-31T10:00:00Z",
        "time": "09:30:00",
        "duration": "P2D",
    },
}
ONE["min"] = ONE["max"]


@cases("name", ONE)
@cases("kind", VALUES)
def test_a_function_of_one_value(name: str, kind: str) -> None:
    roots = record(a=VALUES[kind])
    assert parse(f"{name}(record.a)").evaluate(roots) == ONE[name].get(kind)
    if name in METHODS:
        assert parse(f"record.a.{name}()").evaluate(roots) == ONE[name].get(kind)


TWO: list[tuple[str, Any]] = [
    ("addWorkingHours('2026-11-13T15:00:00Z', 2, '08:00-18:00', 'Europe/Vilnius')", "2026-11-16T07:00:00Z"),
    ("addWorkingHours('2026-11-14', '1.5', '09:00-17:00', 'UTC')", "2026-11-16T10:30:00Z"),
    ("addWorkingHours('2026-10-23T12:00:00Z', 4, '08:00-18:00', 'Europe/Vilnius')", "2026-10-26T07:00:00Z"),
    ("addWorkingHours('2026-11-13T15:00:00Z', 0, '08:00-18:00', 'UTC')", "2026-11-13T15:00:00Z"),
    ("addWorkingHours('2026-11-13T15:00:00Z', 10, '08:00-00:00', 'UTC')", "2026-11-16T09:00:00Z"),
    ("addWorkingHours('2026-11-13T15:00:00Z', -1, '08:00-18:00', 'UTC')", None),
    ("addWorkingHours('2026-11-13T15:00:00Z', 10001, '08:00-18:00', 'UTC')", None),
    ("addWorkingHours('2026-11-13T15:00:00Z', 1, '18:00-08:00', 'UTC')", None),
    ("addWorkingHours('2026-11-13T15:00:00Z', 1, 'day', 'UTC')", None),
    ("addWorkingHours('2026-11-13T15:00:00Z', 1, 8, 'UTC')", None),
    ("addWorkingHours('2026-11-13T15:00:00Z', 1, '08:00-18:00', '../x')", None),
    ("addWorkingHours('2026-11-13T15:00:00Z', 1, '08:00+01:00-18:00', 'UTC')", None),
    ("addWorkingHours('9999-12-30', 1, '08:00-18:00', 'UTC')", None),
    ("addWorkingHours('soon', 1, '08:00-18:00', 'UTC')", None),
    ("addDays('2026-01-31', 1)", "2026-02-01"),
    ("addDays('2026-01-31', '1')", "2026-02-01"),
    ("addDays('2026-01-31', '1.0')", "2026-02-01"),
    ("addDays('2026-01-31', 1.5)", None),
    ("addDays('2026-01-31', null)", None),
    ("addDays('2026-01-31', true)", None),
    ("addDays('soon', 1)", None),
    ("addDays(null, 1)", None),
    ("addDays(5, 1)", None),
    ("addDays(record.gone, 1)", None),
    ("addDays('2026-01-31', 10000000)", None),
    ("addDays('9999-12-31', 1)", None),
    ("addMonths('2026-01-31', 1)", "2026-02-28"),
    ("addMonths('2024-01-31', 1)", "2024-02-29"),
    ("addMonths('2026-01-31', -1)", "2025-12-31"),
    ("addMonths('2026-01-31T10:00:00Z', 13)", "2027-02-28T10:00:00Z"),
    ("addMonths('9999-12-01', 1)", None),
    ("addMonths('0001-01-01', -1)", None),
    ("addMonths('2026-01-31', 0.5)", None),
    ("addMonths(7, 1)", None),
    ("round_half_up(0.5)", 1),
    ("round_half_up(-0.5)", -1),
    ("round_half_up(1.005, 2)", "1.01"),
    ("round_half_up(1, 2)", "1.00"),
    ("round_half_up(1.5, -1)", None),
    ("round_half_up(1.5, 0.5)", None),
    ("round_half_up(1.5, null)", None),
    ("round_half_up('12.345', 2)", "12.35"),
    ("minor(12.345, 2)", 1235),
    ("minor(-12.345, 2)", -1235),
    ("minor('12345678901234567890123456789012.50', 2)", 1234567890123456789012345678901250),
    ("minor(1, 7)", None),
    ("minor(1, -1)", None),
    ("minor(null, 2)", None),
    ("minor('x', 2)", None),
    ("minor(1, 6)", 1_000_000),
    ("money('1250', 'EUR')", "€1,250.00"),
    ("money(12500, 'JPY')", "¥12,500"),
    ("money('-31.25', 'KWD')", "-KWD 31.250"),
    ("money('1250.50', 'XXZ')", "1,250.50 XXZ"),
    ("money(1, '')", None),
    ("money('x', 'EUR')", None),
    ("lookup({0}, 'a')", 1),
    ("lookup({0}, 'b')", None),
    ("lookup({0}, 'b', 7)", 7),
    ("lookup({0}, null, 7)", None),
    ("lookup({0}, record.gone, 7)", None),
    ("lookup({0}, [1], 7)", None),
    ("lookup({0}, 3, 7)", "three"),
    ("lookup({0}, true)", "yes"),
    ("lookup({0}, 'True')", None),
    ("lookup([1], 0, 7)", None),
    ("lookup(null, 'a', 7)", None),
    ("similarity('', 'a')", "0.000"),
    ("similarity('---', '...')", "0"),
    ("similarity('ABC', 'abc')", "1.000"),
    ("similarity('Straße', 'STRASSE')", "1.000"),
    ("similarity('a', 1)", None),
    ("similarity(null, null)", None),
    ("vat_valid('DE 136 695 976')", True),
    ("vat_valid('DE136695975')", False),
    ("vat_valid('')", False),
    ("vat_valid(7)", None),
    ("name_match('Jörg Müller', 'MUELLER JOERG')", "match"),
    ("name_match('Tore Lindqvist', 'Tore Lindquist')", "close"),
    ("name_match('Tore', 'Anna')", "no_match"),
    ("name_match('', 'Anna')", None),
    ("name_match(null, 'Anna')", None),
    (
        "mrz_valid('P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\nL898902C36UTO7408122F1204159ZE184226B<<<<<10')",
        True,
    ),
    (
        "mrz_valid('P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\nL898902C37UTO7408122F1204159ZE184226B<<<<<10')",
        False,
    ),
    ("mrz_valid('nothing')", None),
    ("mrz_valid(1)", None),
    (
        "mrz_field('P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\nL898902C36UTO7408122F1204159ZE184226B<<<<<10', 'birth_date')",
        "1974-08-12",
    ),
    (
        "mrz_field('P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\nL898902C36UTO7408122F1204159ZE184226B<<<<<10', 'number')",
        "L898902C3",
    ),
    (
        "mrz_field('P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\\nL898902C36UTO7408122F1204159ZE184226B<<<<<10', 'digits')",
        None,
    ),
    ("mrz_field('nothing', 'number')", None),
    ("days_between('2026-11-01', '2026-11-20')", 19),
    ("days_between('2026-11-20', '2026-11-01T23:00:00Z')", -19),
    ("days_between(null, '2026-11-01')", None),
    ("days_between('x', '2026-11-01')", None),
    ("plain('DE 299-884.104')", "DE299884104"),
    ("plain('')", ""),
    ("plain(7)", None),
    ("last('DE71999', 4)", "1999"),
    ("last('ab', 4)", "ab"),
    ("last('ab', 0)", ""),
    ("last('ab', -1)", None),
    ("last(null, 4)", None),
    ("host('Anna <x@WWW.Example.org')", "example.org"),
    ("host('https://www.bright.example:443/a@b')", "bright.example"),
    ("host('bright.example/x')", "bright.example"),
    ("host(1)", None),
    ("iban('DE71 9999 9999 9876 5432 10')", True),
    ("iban('de71999999999876543210')", True),
    ("iban('DE71 9999 9999 9876 5432 11')", False),
    ("iban('EE992200221000000015')", False),
    ("iban('EE382200221020145685')", True),
    ("iban('DE7199999999987654321')", False),
    ("iban('XX71999999999876543210')", False),
    ("iban('Checked against the file')", False),
    ("iban('')", False),
    ("iban(null)", None),
    ("sha256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ("sha256(null)", None),
    ("sum(1, null)", None),
    ("sum(1, record.gone)", None),
    ("sum([1, [2]])", None),
    ("sum(days(1), hours(12))", "P1DT43200S"),
    ("sum(date('2026-01-01'), days(1))", None),
    ("sum('2026-01-01')", None),
    ("sum(true)", None),
    ("sum(days(1), 1)", None),
    ("max(1, '2')", "2"),
    ("max(1, 'x')", None),
    ("max(1, null)", None),
    ("max([1, [2]])", None),
    ("max(true, false)", None),
    ("min(days(1), hours(1))", "PT3600S"),
    ("min('2026-01-31', '2026-01-31T00:00:01Z')", "2026-01-31"),
    ("'Anna'.startsWith('')", True),
    ("'Anna'.startsWith('an')", False),
    ("'Anna'.endsWith('na')", True),
    ("'Anna'.endsWith(null)", None),
    ("'Anna'.contains('nn')", True),
    ("'Anna'.contains(1)", None),
    ("[1].contains(1)", None),
    ("record.gone.contains('a')", None),
    ("'İ'.lower().size()", 2),
    ("'ß'.upper()", "SS"),
    ("'\\t a \\n'.trim()", "a"),
    ("first('', record.gone, null, 'there')", "there"),
    ("first(0, 1)", 0),
    ("first(null, '')", None),
    ("today()", "2026-05-31"),
]


@cases(("text", "result"), TWO, ids=[row[0] for row in TWO])
def test_functions_with_what_fits_and_what_does_not(text: str, result: Any) -> None:
    roots = record(table={"a": 1, "3": "three", "true": "yes"})
    assert parse(text.replace("{0}", "record.table")).evaluate(roots) == result


def test_every_function_and_method_is_in_these_tables() -> None:
    told = " ".join(row[0] for row in TWO) + " ".join(f"{name}(" for name in ONE)
    lacking = [name for name in FUNCTIONS if f"{name}(" not in told] + [
        name for name in METHODS if f".{name}(" not in told and name not in ONE
    ]
    assert not lacking, (
        f"TWO of this file wants rows for {', '.join(lacking)}, one that fits and one that is unknown: "
        "docs/developers/add-an-expression-function.md shows how"
    )


@cases("name", [*FUNCTIONS, *(f"'x'.{name}" for name in METHODS)])
def test_too_few_and_too_many_values_are_refused_at_once(name: str) -> None:
    known = METHODS[name.partition(".")[2]] if "." in name else FUNCTIONS[name]
    counts = [known.least - 1] * bool(known.least) + ([] if known.most is None else [known.most + 1])
    for count in counts:
        with pytest.raises(ExpressionError, match="takes"):
            parse(f"{name}({', '.join(['1'] * count)})")
    assert parse(f"{name}({', '.join(['1'] * known.least)})")


def test_without_a_clock_what_looks_at_the_time_is_unknown() -> None:
    for text in ("now", "today()", "addDays(today(), 1)", "now > '2026-01-01'"):
        assert parse(text).value({"record": {}}) is UNKNOWN


@pytest.mark.parametrize("zone", [timezone(timedelta(hours=14)), timezone(timedelta(hours=-12)), UTC])
def test_today_is_the_day_in_utc_wherever_the_clock_is_read(zone: timezone) -> None:
    assert parse("today()").evaluate({"now": NOW.astimezone(zone)}) == "2026-05-31"
