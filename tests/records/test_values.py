"""Values between a driver and JSON, each kind at its edges: what is read never fails, what is written is exact or refused with a reason."""

# ruff: noqa: DTZ001 - drivers give moments without a zone, too
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from console.core.documents.collections import Field, Option
from console.records import values
from console.records.values import Unfit
from tests.tables import cases

UUID_TEXT = "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e"
EAST = timezone(timedelta(hours=14))
WEST = timezone(timedelta(hours=-12))


def column(stored: str, **more: Any) -> Field:
    return Field("f", "Field", stored, stored, **more)


def seen(stored: str, value: Any, dialect: str = "sqlite", **more: Any) -> Any:
    """What the API shows of a driver's value."""
    return values.read(values.reader(column(stored, **more), dialect), value)


def sent(stored: str, value: Any, dialect: str = "sqlite", former: Any = None, **more: Any) -> Any:
    """What the driver is given for a value of the API."""
    return values.written(dialect, column(stored, **more), value, former)


# ------------------------------------------------------------------------------------------------------------- reading


@cases(
    ("stored", "value", "shown"),
    [
        ("integer", 0, 0),
        ("integer", -(2**63), -(2**63)),
        ("integer", 3.0, 3),
        ("integer", Decimal(7), 7),
        ("integer", Decimal("7.5"), "7.5"),
        ("integer", 2.5, "2.5"),
        ("integer", "many", "many"),
        ("integer", float("nan"), "NaN"),
        ("integer", b"\x01", None),
        ("decimal", 5, "5"),
        ("decimal", 2**70, str(2**70)),
        ("decimal", 0.1, "0.1"),
        ("decimal", 1e21, "1000000000000000000000"),
        ("decimal", 1e-7, "0.0000001"),
        ("decimal", -0.0, "-0.0"),
        ("decimal", float("inf"), "Infinity"),
        ("decimal", Decimal("12.50"), "12.50"),
        ("decimal", Decimal("1E+3"), "1000"),
        ("decimal", Decimal("NaN"), "NaN"),
        ("decimal", "about 5", "about 5"),
        ("text", "", ""),
        ("text", 5, 5),
        ("text", "a\x00b", "a\x00b"),
        ("text", "half \ud800", "half ?"),
        ("text", "\u202eabc", "\u202eabc"),
        ("text", b"\xff\xfe", None),
        ("boolean", 1, True),
        ("boolean", 0, False),
        ("boolean", 2, 2),
        ("boolean", True, True),
        ("boolean", b"\x00", False),
        ("boolean", b"\x01", True),
        ("boolean", b"", False),
        ("boolean", "yes", "yes"),
        ("date", "2026-01-31", "2026-01-31"),
        ("date", date(1, 1, 1), "0001-01-01"),
        ("date", date(9999, 12, 31), "9999-12-31"),
        ("date", datetime(2026, 1, 31, 23, 59), "2026-01-31"),
        ("date", "2026-01-31 10:00", "2026-01-31"),
        ("date", "2026-02-30", "2026-02-30"),
        ("date", "infinity", "infinity"),
        ("date", "0044-03-15 BC", "0044-03-15 BC"),
        ("date", 20260131, 20260131),
        ("datetime", "2026-01-31 10:00:00", "2026-01-31T10:00:00Z"),
        ("datetime", "2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00Z"),
        ("datetime", "2026-01-31", "2026-01-31T00:00:00Z"),
        ("datetime", "2026-01-31 10:00:00.123456", "2026-01-31T10:00:00.123456Z"),
        ("datetime", datetime(2026, 1, 31, 10, tzinfo=EAST), "2026-01-30T20:00:00Z"),
        ("datetime", datetime(2026, 1, 31, 10), "2026-01-31T10:00:00Z"),
        ("datetime", datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        ("datetime", "infinity", "infinity"),
        ("datetime", "-infinity", "-infinity"),
        ("datetime", "soon", "soon"),
        ("datetime", 1_700_000_000, 1_700_000_000),
        ("time", time(9), "09:00:00"),
        ("time", time(23, 59, 59, 500_000), "23:59:59.500000"),
        ("time", timedelta(hours=9, minutes=30), "09:30:00"),
        ("time", timedelta(0), "00:00:00"),
        ("time", "24:00", "24:00"),
        ("uuid", UUID(UUID_TEXT), UUID_TEXT),
        ("uuid", "no uuid", "no uuid"),
        ("json", '{"a": [1, 2.5, null]}', {"a": [1, 2.5, None]}),
        ("json", "no json", "no json"),
        ("json", '{"a": NaN, "b": [Infinity]}', {"a": None, "b": [None]}),
        ("json", {"a": Decimal("1.50"), 5: date(2026, 1, 31)}, {"a": "1.50", 5: "2026-01-31"}),
        ("json", b'["bytes"]', ["bytes"]),
        ("json", b"\xff", None),
        ("json", "[" * 100_000, "[" * 100_000),
        ("json", "null", None),
        ("array", ["a", None, Decimal("1.5")], ["a", None, "1.5"]),
        ("array", [], []),
        ("binary", b"\x00\xff", None),
        ("binary", memoryview(b"x"), None),
        ("other", timedelta(days=1), "P1D"),
        ("other", {"a": float("nan")}, {"a": None}),
        ("other", (1, "b"), [1, "b"]),
        ("other", complex(1, 2), "(1+2j)"),
    ],
    ids=lambda item: "memory" if isinstance(item, memoryview) else ascii(item)[:40],
)
def test_what_a_column_holds_is_shown_even_against_its_own_type(stored: str, value: Any, shown: Any) -> None:
    found = seen(stored, value)
    assert found == shown
    assert type(found) is type(shown)


@cases(
    ("value", "scale", "shown"),
    [
        (12.5, 2, "12.50"),
        (12, 2, "12.00"),
        (-3, 2, "-3.00"),
        (0, 3, "0.000"),
        (1e15, 2, "1000000000000000.00"),
        (0.125, 2, "0.125"),
        (1e-8, 2, "0.00000001"),
        (float("inf"), 2, "Infinity"),
        ("many", 2, "many"),
        (True, 2, True),
        (12.5, 0, "12.5"),
        (12, None, "12"),
    ],
)
def test_sqlite_shows_the_places_that_the_column_declares_and_hides_none(
    value: Any, scale: int | None, shown: Any
) -> None:
    assert seen("decimal", value, precision=10, scale=scale) == shown


@cases(
    ("stored", "value", "shown"),
    [
        ("integer", 5, 5),
        ("boolean", True, True),
        ("text", "a", "a"),
        ("uuid", UUID(UUID_TEXT), UUID_TEXT),
        ("decimal", Decimal("1E+3"), "1000"),
        ("decimal", Decimal("-Infinity"), "-Infinity"),
        ("decimal", 0.1, "0.1"),
        ("date", date(2026, 1, 31), "2026-01-31"),
        ("date", "infinity", "infinity"),
        ("datetime", "0044-03-15 00:00:00 BC", "0044-03-15 00:00:00 BC"),
    ],
    ids=str,
)
def test_postgresql_values_are_shown_alike(stored: str, value: Any, shown: Any) -> None:
    assert seen(stored, value, "postgresql") == shown


JSON_LIKE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.decimals()
    | st.dates()
    | st.datetimes()
    | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    JSON_LIKE,
    st.sampled_from([*sorted(values.READERS), "text", "array", "other"]),
    st.sampled_from(["sqlite", "mysql"]),
)
def test_whatever_a_driver_gives_can_be_sent_as_json(value: Any, stored: str, dialect: str) -> None:
    assert isinstance(json.dumps(seen(stored, value, dialect), allow_nan=False), str)


# ------------------------------------------------------------------------------------------------------------- writing


@cases(
    ("stored", "value", "sqlite", "postgresql", "mysql"),
    [
        ("text", "", "", "", ""),
        ("text", "ä😀", "ä😀", "ä😀", "ä😀"),
        ("integer", 5, 5, 5, 5),
        ("integer", "5", 5, 5, 5),
        ("integer", "5.00", 5, 5, 5),
        ("integer", 2**63 - 1, 2**63 - 1, 2**63 - 1, 2**63 - 1),
        ("integer", -(2**63), -(2**63), -(2**63), -(2**63)),
        ("decimal", "12.50", "12.50", "12.50", Decimal("12.50")),
        ("decimal", 5, "5", "5", Decimal(5)),
        (
            "decimal",
            "0.00000000000000000001",
            "0.00000000000000000001",
            "0.00000000000000000001",
            Decimal("1E-20"),
        ),
        ("boolean", True, 1, True, 1),
        ("boolean", False, 0, False, 0),
        ("date", "2026-01-31", "2026-01-31", date(2026, 1, 31), date(2026, 1, 31)),
        ("date", "0001-01-01", "0001-01-01", date(1, 1, 1), date(1, 1, 1)),
        ("date", "9999-12-31", "9999-12-31", date(9999, 12, 31), date(9999, 12, 31)),
        ("time", "09:30", "09:30:00", time(9, 30), time(9, 30)),
        ("time", "23:59:59.5", "23:59:59.500000", time(23, 59, 59, 500_000), time(23, 59, 59, 500_000)),
        ("uuid", UUID_TEXT, UUID_TEXT, UUID(UUID_TEXT), UUID_TEXT),
        ("uuid", UUID_TEXT.upper(), UUID_TEXT, UUID(UUID_TEXT), UUID_TEXT),
        ("json", {"ä": [1, None]}, '{"ä":[1,null]}', '{"ä":[1,null]}', '{"ä":[1,null]}'),
        ("json", "text", '"text"', '"text"', '"text"'),
        ("json", False, "false", "false", "false"),
    ],
    ids=lambda item: ascii(item)[:30],
)
def test_each_kind_is_written_as_its_driver_takes_it(
    stored: str, value: Any, sqlite: Any, postgresql: Any, mysql: Any
) -> None:
    for dialect, wanted in (("sqlite", sqlite), ("postgresql", postgresql), ("mysql", mysql)):
        found = sent(stored, value, dialect)
        expected = str(wanted) if stored == "uuid" and dialect == "mysql" else wanted
        assert (found, type(found)) == (expected, type(expected)), dialect


@cases(
    ("value", "former", "text"),
    [
        ("2026-01-31T10:00:00Z", None, "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00:00Z", "2025-01-01T00:00:00Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00:00Z", "2025-01-01 00:00:00", "2026-01-31 10:00:00"),
        ("2026-01-31T10:00:00Z", "2025-01-01T00:00:00", "2026-01-31T10:00:00"),
        ("2026-01-31T10:00:00Z", "2025-01-01 00:00:00+00:00", "2026-01-31 10:00:00+00:00"),
        ("2026-01-31T10:00:00+02:00", "2025-01-01 00:00:00", "2026-01-31 08:00:00"),
        ("2026-01-31T10:00:00.25Z", "2025-01-01 00:00:00", "2026-01-31 10:00:00.250000"),
        ("2026-01-31", "2025-01-01 00:00:00", "2026-01-31 00:00:00"),
        ("2026-01-31T10:00:00Z", 1_700_000_000, "2026-01-31T10:00:00Z"),
    ],
)
def test_sqlite_moments_keep_the_spelling_that_the_column_had(value: str, former: Any, text: str) -> None:
    assert sent("datetime", value, former=former) == text


@pytest.mark.parametrize(
    ("dialect", "wanted"),
    [("postgresql", datetime(2026, 1, 31, 8, tzinfo=UTC)), ("mysql", datetime(2026, 1, 31, 8))],
)
def test_moments_of_other_databases_are_moments_in_utc(dialect: str, wanted: datetime) -> None:
    found = sent("datetime", "2026-01-31T10:00:00+02:00", dialect)
    assert (found, found.tzinfo) == (wanted, wanted.tzinfo)


OPTIONS = (Option("open", "Open"), Option("on hold", "On hold"))


@cases(
    ("stored", "more", "value", "reason"),
    [
        ("text", {"nullable": False}, None, "This must not be empty."),
        ("text", {}, 5, "This must be a text."),
        ("text", {}, ["a"], "This must be a text."),
        ("text", {}, "a\x00b", "This holds a character that cannot be stored (NUL, or half of one)."),
        ("text", {}, "\udfff", "This holds a character that cannot be stored (NUL, or half of one)."),
        ("text", {"max_length": 3}, "abcd", "This has 4 characters; at most 3 are kept."),
        ("text", {"options": OPTIONS}, "Open", "This must be one of open, on hold."),
        ("text", {"options": OPTIONS}, "", "This must be one of open, on hold."),
        ("text", {}, "x" * 1_000_001, "This has 1000001 characters; at most 1000000 are kept."),
        ("integer", {}, "5.5", "This must be a whole number."),
        ("integer", {}, "five", "This must be a whole number."),
        ("integer", {}, True, "This must be a whole number."),
        ("integer", {}, "", "This must be a whole number."),
        ("integer", {}, " 5", "This must be a whole number."),
        ("integer", {}, "1e3", "This must be a whole number."),
        ("integer", {}, "١٢", "This must be a whole number."),
        ("integer", {}, 2**63, f"This must be between {-(2**63):,} and {2**63 - 1:,}."),
        ("integer", {"least": -32768, "most": 32767}, 32768, "This must be between -32,768 and 32,767."),
        ("integer", {"least": 0, "most": 255}, -1, "This must be between 0 and 255."),
        ("decimal", {}, "NaN", "This must be a number, such as 12.50."),
        ("decimal", {}, "Infinity", "This must be a number, such as 12.50."),
        ("decimal", {}, "1,5", "This must be a number, such as 12.50."),
        ("decimal", {"precision": 10, "scale": 2}, "1.005", "This has 3 decimals; at most 2 are kept."),
        (
            "decimal",
            {"precision": 5, "scale": 2},
            "1000",
            "This number is too large: at most 3 digits stand before the point.",
        ),
        (
            "decimal",
            {"precision": 3, "scale": 0},
            "-1000",
            "This number is too large: at most 3 digits stand before the point.",
        ),
        ("boolean", {}, "true", "This must be true or false."),
        ("boolean", {}, 1, "This must be true or false."),
        ("date", {}, "2026-02-30", "This must be a day such as 2026-11-20."),
        ("date", {}, "2026-01-31T00:00:00Z", "This must be a day such as 2026-11-20."),
        ("date", {}, 20260131, "This must be a day such as 2026-11-20."),
        ("date", {}, "10000-01-01", "This must be a day such as 2026-11-20."),
        ("date", {}, "0000-01-01", "This must be a day such as 2026-11-20."),
        ("datetime", {}, "infinity", "This must be a moment such as 2026-11-20T09:00:00Z."),
        ("datetime", {}, "2026-01-31T25:00:00Z", "This must be a moment such as 2026-11-20T09:00:00Z."),
        ("time", {}, "24:00", "This must be a time such as 09:00."),
        ("time", {}, "9:00", "This must be a time such as 09:00."),
        ("time", {}, "09:00Z", "This must be a time such as 09:00."),
        ("uuid", {}, "6f1c", "This must be a UUID."),
        ("uuid", {}, "{" + UUID_TEXT[:-2] + "}", "This must be a UUID."),
        ("json", {}, float("nan"), "This must be JSON."),
        ("json", {}, {"a": {1, 2}}, "This must be JSON."),
        ("json", {}, {"a": "\x00"}, "This holds a character that cannot be stored (NUL, or half of one)."),
        ("json", {}, {"\ud800": 1}, "This holds a character that cannot be stored (NUL, or half of one)."),
        ("json", {}, "x" * 1_000_000, "This JSON has 1000002 characters; at most 1000000 are kept."),
        ("array", {}, "a", "This must be a list."),
        ("array", {"items": "text"}, ["a"], "Field cannot be changed here."),
        ("binary", {}, "AAAA", "Field cannot be changed here."),
        ("other", {}, "x", "Field cannot be changed here."),
    ],
    ids=lambda item: ascii(item)[:30],
)
def test_what_would_be_rounded_cut_or_refused_is_unfit_with_the_reason(
    stored: str, more: dict[str, Any], value: Any, reason: str
) -> None:
    with pytest.raises(Unfit) as error:
        sent(stored, value, **more)
    assert str(error.value) == reason


@cases(
    ("value", "more"),
    [
        ("999.99", {"precision": 5, "scale": 2}),
        ("-999.99", {"precision": 5, "scale": 2}),
        ("1.500", {"precision": 5, "scale": 2}),
        ("0.10", {"precision": 2, "scale": 2}),
        ("9" * 60, {}),
        ("0." + "0" * 59 + "1", {}),
    ],
)
def test_a_decimal_at_the_edge_of_its_column_is_kept_to_the_last_digit(
    value: str, more: dict[str, Any]
) -> None:
    assert sent("decimal", value, **more) == value


@cases(
    ("items", "value", "wanted"),
    [
        (
            "text",
            ["a", None, "", "b,c", 'd"e', "f\\g", "{h}", "NULL"],
            '{"a",NULL,"","b,c","d\\"e","f\\\\g","{h}","NULL"}',
        ),
        ("integer", ["5", 6], '{"5","6"}'),
        ("boolean", [True], '{"True"}'),
        ("date", ["2026-01-31"], '{"2026-01-31"}'),
        ("uuid", [UUID_TEXT], f'{{"{UUID_TEXT}"}}'),
        ("text", [], "{}"),
    ],
)
def test_a_list_of_postgresql_is_written_item_by_item(items: str, value: list[Any], wanted: str) -> None:
    assert sent("array", value, "postgresql", items=items) == wanted
    if items == "text":
        assert values.reader(column("array", items=items), "postgresql")(wanted) == value  # type: ignore[misc]


# ----------------------------------------------------------------------------------------------------------- comparing


@cases(
    ("value", "sqlite", "postgresql", "mysql"),
    [
        (Decimal("5.00"), 5, 5, 5),
        (Decimal("5.5"), 5.5, Decimal("5.5"), Decimal("5.5")),
        (2**63, float(2**63), 2**63, 2**63),
        (
            datetime(2026, 1, 31, tzinfo=WEST),
            "2026-01-31 12:00:00.000",
            datetime(2026, 1, 31, 12, tzinfo=UTC),
            datetime(2026, 1, 31, 12),
        ),
        (date(2026, 1, 31), "2026-01-31", date(2026, 1, 31), date(2026, 1, 31)),
        (time(9, 0, 0, 5), "09:00:00.000005", time(9, 0, 0, 5), time(9, 0, 0, 5)),
        (UUID(UUID_TEXT), UUID_TEXT, UUID(UUID_TEXT), UUID_TEXT),
        ("a", "a", "a", "a"),
    ],
    ids=str,
)
def test_a_typed_value_in_the_form_of_each_driver(
    value: Any, sqlite: Any, postgresql: Any, mysql: Any
) -> None:
    found = [values.driver_form(dialect, value) for dialect in ("sqlite", "postgresql", "mysql")]
    assert found == [sqlite, postgresql, mysql]
    assert [type(item) for item in found] == [type(item) for item in (sqlite, postgresql, mysql)]


@given(st.integers(-(2**63), 2**63 - 1))
def test_any_whole_number_that_is_written_reads_back(number: int) -> None:
    assert seen("integer", sent("integer", number)) == number


@given(st.decimals(min_value=-(10**8), max_value=10**8, places=2))
def test_any_amount_that_is_written_reads_back_to_the_last_digit(amount: Decimal) -> None:
    written = sent("decimal", str(amount), precision=12, scale=2)
    assert seen("decimal", Decimal(written), "postgresql") == written
    assert Decimal(seen("decimal", float(written), precision=12, scale=2)) == amount


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, EAST, WEST]),
        min_value=datetime(2, 1, 1),
        max_value=datetime(9998, 12, 31),
    )
)
def test_any_moment_that_is_written_reads_back_as_the_same_moment(at: datetime) -> None:
    for former in (None, "2025-01-01 00:00:00", "2025-01-01 00:00:00+00:00"):
        back = seen("datetime", sent("datetime", at.isoformat(), former=former))
        assert datetime.fromisoformat(back) == at


@given(st.text(max_size=100))
def test_any_text_is_written_as_it_is_or_refused(text: str) -> None:
    if values.storable(text):
        assert sent("text", text) == text
    else:
        with pytest.raises(Unfit):
            sent("text", text)
