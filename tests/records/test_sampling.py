"""What the rows of a table say of its columns: days, secrets among settings, names where codes could be."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.records import sampling
from tests.records.files import assembled
from tests.tables import cases


@pytest.mark.parametrize(("last", "stored"), [("2026-05-09", "date"), ("2026-05-09 14:30:00", "datetime")])
def test_moments_that_are_written_as_days_are_days(tmp_path: Path, last: str, stored: str) -> None:
    rows = "insert into t with r(n) as (select 1 union all select n + 1 from r where n < 300) select n, '2026-05-01' from r"
    made = assembled(
        tmp_path,
        f"create table t (id integer primary key, due datetime);{rows};insert into t values (301, '{last}')",
    )
    assert made["t"].by_name["due"].stored == stored


def test_a_column_of_names_of_countries_is_none_of_their_codes(tmp_path: Path) -> None:
    """A form that offers codes would write them among the names."""
    script = "create table t (id integer primary key, country text, ship_country text, currency text, lang_language text, empty_country text);"
    made = assembled(
        tmp_path,
        script
        + "insert into t values (1, 'France', 'FR', 'Euro', 'de_DE', null), (2, 'UK', 'GB', 'Dollar', 'en', '')",
    )["t"]
    assert [
        made.by_name[name].widget
        for name in ("country", "ship_country", "currency", "lang_language", "empty_country")
    ] == [
        None,
        "country",
        None,
        "language",
        "country",
    ]


def test_the_values_of_settings_are_hidden_where_a_row_is_called_as_a_secret(tmp_path: Path) -> None:
    made = assembled(
        tmp_path,
        "create table options (name text primary key, value text); insert into options values ('theme', 'boost'), ('smtppass', 'hunter2');"
        "create table sizes (name text primary key, value text); insert into sizes values ('small', '38 cm'), ('passage', 'wide')",
    )
    assert {name: table.by_name["value"].hidden for name, table in made.items()} == {
        "options": True,
        "sizes": False,
    }
    assert (
        made["options"].by_name["value"].hidden_because
        == "Rows of it hold passwords, keys or tokens, by what they are called."
    )


DAYS = [f"2026-11-{day:02d}" for day in range(1, 21)]
SECONDS = [1_796_000_000 + 86_400 * number for number in range(20)]


@cases(
    ("stored", "name", "values", "found"),
    [
        ("date", "due", [*DAYS, *["0001-01-01"] * 5], ("0001-01-01", 5)),
        ("date", "due", [*DAYS, *["9999-12-31"] * 5], ("9999-12-31", 5)),
        ("date", "due", [*DAYS, *["0000-00-00"] * 5], ("0000-00-00", 5)),
        (
            "date",
            "due",
            [date.fromisoformat(day) for day in DAYS] + [date(1970, 1, 1)] * 5,
            ("1970-01-01", 5),
        ),
        (
            "datetime",
            "at",
            [datetime(2026, 11, day, 9, tzinfo=UTC) for day in range(1, 21)]
            + [datetime(1970, 1, 1, tzinfo=UTC)] * 5,
            ("1970-01-01 00:00:00+00:00", 5),
        ),
        ("date", "due", [*DAYS, "0001-01-01"], None),
        ("date", "due", [*DAYS, *["2026-10-30"] * 5], None),
        ("date", "due", ["0001-01-01"] * 5, None),
        ("date", "due", [*DAYS, *[None] * 5], None),
        ("integer", "seen_at", [*SECONDS, *[-1] * 5], (-1, 5)),
        ("decimal", "seen_at", [*map(Decimal, SECONDS), *[Decimal("0.00")] * 5], (0, 5)),
        ("integer", "seen_at", [*SECONDS, *[-1] * 5, *[0] * 3], (-1, 5)),
        ("integer", "year", [2010, 2012, 2013, 2020, 2026, *[0] * 5], (0, 5)),
        ("integer", "quantity", [1, 2, 3, 4, 5, 6, *[0] * 5], None),
        ("decimal", "rate", [Decimal("NaN"), *map(Decimal, range(20))], None),
    ],
)
def test_a_value_far_outside_the_others_may_mean_none(
    stored: str, name: str, values: list[object], found: tuple[object, int] | None
) -> None:
    column: dict[str, Any] = {"name": name, "stored": stored}
    sampling.note(column, values)
    told = found and {"value": found[0], "rows": found[1], "of": len(values)}
    assert column.get("outlier") == told
    assert name != "seen_at" or column["form"] == "unix", "the others are moments still"
