"""What the rows of a table say of its columns: days, secrets among settings, names where codes could be."""

from pathlib import Path

import pytest

from tests.records.files import assembled


@pytest.mark.parametrize(("last", "stored"), [("2026-05-09", "date"), ("2026-05-09 14:30:00", "datetime")])
def test_moments_that_are_written_as_days_are_days(tmp_path: Path, last: str, stored: str) -> None:
    rows = "insert into t with r(n) as (select 1 union all select n + 1 from r where n < 300) select n, '2026-05-01' from r"
    made = assembled(tmp_path, f"create table t (id integer primary key, due datetime);{rows};insert into t values (301, '{last}')")
    assert made["t"].by_name["due"].stored == stored


def test_a_column_of_names_of_countries_is_none_of_their_codes(tmp_path: Path) -> None:
    """A form that offers codes would write them among the names."""
    script = (
        "create table t (id integer primary key, country text, ship_country text, currency text, lang_language text, empty_country text);"
    )
    made = assembled(
        tmp_path, script + "insert into t values (1, 'France', 'FR', 'Euro', 'de_DE', null), (2, 'UK', 'GB', 'Dollar', 'en', '')"
    )["t"]
    assert [made.by_name[name].widget for name in ("country", "ship_country", "currency", "lang_language", "empty_country")] == [
        None, "country", None, "language", "country",
    ]  # fmt: skip


def test_the_values_of_settings_are_hidden_where_a_row_is_called_as_a_secret(tmp_path: Path) -> None:
    made = assembled(
        tmp_path,
        "create table options (name text primary key, value text); insert into options values ('theme', 'boost'), ('smtppass', 'hunter2');"
        "create table sizes (name text primary key, value text); insert into sizes values ('small', '38 cm'), ('passage', 'wide')",
    )
    assert {name: table.by_name["value"].hidden for name, table in made.items()} == {"options": True, "sizes": False}
    assert made["options"].by_name["value"].hidden_because == "Rows of it hold passwords, keys or tokens, by what they are called."
