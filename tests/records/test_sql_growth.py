"""What a SELECT may make out of little, by its text alone."""

import pytest

from console.core.errors import Malformed
from console.records import sql_question
from console.sources import testing
from tests.tables import cases

DIALECTS = ("postgresql", "mysql", "sqlite")


def written(text: str, dialect: str) -> str:
    return sql_question.own_parts_first(sql_question.parse(text, dialect), dialect, "{}")


@cases("dialect", DIALECTS)
def test_a_text_put_together_in_a_part_that_reads_itself_is_cut_and_any_other_is_not(dialect: str) -> None:
    part = "with recursive b as (select id, t as x from thing union all select id, concat(x, x) from b)"
    made = written(f"{part} select x from b", dialect)
    assert made.upper().count("SUBSTRING(") == 1
    assert "SUBSTRING" not in written("select concat(t, t) as x from thing", dialect).upper()


@cases("dialect", DIALECTS)
def test_a_text_of_many_rows_is_cut_where_it_stands(dialect: str) -> None:
    name = "string_agg(t, ',')" if dialect == "postgresql" else "group_concat(t)"
    assert "100000" in written(f"select {name} as x from thing", dialect)
    if dialect != "mysql":
        assert (
            written(f"select {name} over (partition by id) as x from thing", dialect)
            .upper()
            .endswith("AS X FROM THING")
        )


@cases(
    ("text", "told"),
    [
        (f"select a0.id from {', '.join(f'thing a{number}' for number in range(41))}", "at most 40 tables"),
        ("select cast(t as char(10001)) as x from thing", "cannot be turned"),
        ("with a as (select id + id as x from thing), b as (select x + x as y from a) select y from b", None),
        (f"select {' + '.join(['id'] * 1500)} as x from thing", None),
        (
            f"select x + x as y from (select {' + '.join(['id'] * 1001)} as x from thing) a",
            "too many times over",
        ),
    ],
)
def test_what_is_too_much_for_one_select(text: str, told: str | None) -> None:
    if told is None:
        sql_question.parse(text, "sqlite")
        return
    with pytest.raises(Malformed, match=told):
        sql_question.parse(text, "sqlite")


@cases(
    ("database", "name"),
    [
        ("Böckmann Shop", "bockmann_shop"),
        ("ŁÓDŹ", "lodz"),
        ("42", "db_42"),
        ("日本", "db"),
        ("Straße", "strasse"),
    ],
)
def test_a_source_is_named_after_its_database_in_plain_letters(database: str, name: str) -> None:
    assert testing.suggested(f"sqlite:////srv/{database}.db", ()) == name
