"""The same expression over the same rows: Python, PostgreSQL, SQLite and MariaDB answer alike, whatever is in the rows."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from console.core import expressions
from console.core.documents.collections import Field, fields_of
from console.core.errors import DefinitionError
from console.core.expressions import Expression, search_syntax
from console.core.expressions.functions import FUNCTIONS
from console.core.expressions.operands import date_of, moment_of, number_of, uuid_of
from console.core.expressions.search_syntax import Several, Sought, Without, Words
from console.core.filter_expressions import expression_of
from console.core.filters import Test as Asked
from console.core.scopes import Scope
from console.formats.words import absent
from console.records import computed, dialects, filter_conditions, scoping, sql_conditions
from console.records.search import sought_condition
from tests.records.agreeing import COLUMNS, EXPRESSION, NOW, POOLS, ROOTS, USER, Place, drawn_rows, quoted

pytestmark = pytest.mark.slow

FIXED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much]


def _expected(place: Place, expression: Expression) -> set[int]:
    return {number for number, values in place.values.items() if expression.test({**ROOTS, "record": values})}


def test_every_database_reads_the_same_values(places: list[Place]) -> None:
    assert places[0].values == places[1].values == places[2].values


@settings(suppress_health_check=FIXED)
@given(text=EXPRESSION)
def test_python_and_every_database_agree(places: list[Place], text: str) -> None:
    expression = expressions.parse(text)
    for place in places:
        condition = sql_conditions.condition(expression, place.collection, place.table.columns, ROOTS)
        assert place.found(condition) == _expected(place, expression), (text, place.collection.dialect)


@settings(max_examples=40, suppress_health_check=FIXED)
@given(
    allow=st.lists(EXPRESSION, max_size=2), deny=st.lists(EXPRESSION, max_size=2), everything=st.booleans()
)
def test_scopes_agree(places: list[Place], allow: list[str], deny: list[str], everything: bool) -> None:
    made = Scope(
        "thing",
        tuple(map(expressions.parse, allow)),
        tuple(map(expressions.parse, deny)),
        USER,
        everything=everything,
    )
    for place in places:
        condition = scoping.scope_condition(made, place.collection, place.table.columns, NOW)
        expected = {number for number, values in place.values.items() if made.allows(values, NOW)}
        assert place.found(condition) == expected, place.collection.dialect


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("record.t == null", lambda row: row[0] is None),
        ("record.t != 'a'", lambda row: row[0] != "a"),
        ("!(record.n > 5)", lambda row: row[3] is not None and row[3] <= 5),
        ("record.t in []", lambda row: False),
        ("record.t in $currentUser.none", lambda row: False),
        ("record.t in $currentUser.missing", lambda row: False),
        ("!(record.t in $currentUser.missing)", lambda row: False),
        ("!(record.t in ['a'])", lambda row: row[0] != "a"),
        ("record.t.contains('%')", lambda row: row[0] is not None and "%" in row[0]),
        ("record.s == 'a'", lambda row: row[1] == "a"),
        ("record.e.startsWith('on')", lambda row: row[2] == "on hold"),
        ("record.e == 'nowhere'", lambda row: False),
        ("record.e != 'nowhere'", lambda row: True),
        ("record.n == 12.0", lambda row: row[3] == 12),
        ("record.day < today()", lambda row: row[7] is not None and row[7] < "2026-05-31"),
        ("record.day < now", lambda row: row[7] is not None and row[7] <= "2026-05-31"),
        ("record.due < now", lambda row: row[8] is not None and row[8][:10] <= "2026-05-31"),
    ],
)
def test_the_rules_of_the_language(places: list[Place], text: str, rows: Any) -> None:
    wanted = {number for number, row in enumerate(drawn_rows(), 1) if rows(row)}
    expression = expressions.parse(text)
    for place in places:
        assert (
            place.found(sql_conditions.condition(expression, place.collection, place.table.columns, ROOTS))
            == wanted
            == _expected(place, expression)
        )


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("most", [0, dialects.MANY])
def test_one_of_many_values_is_what_one_of_a_few_is(
    places: list[Place], monkeypatch: pytest.MonkeyPatch, column: str, most: int
) -> None:
    monkeypatch.setattr(dialects, "MANY", most)
    pool = [each for each in POOLS[COLUMNS.index(column)] if each is not None]
    listed = ", ".join(
        quoted(each) if isinstance(each, str) else str(each).lower() for each in [*pool[::2], *pool[::2]]
    )
    expression = expressions.parse(f"record.{column} in [{listed}]")
    for place in places:
        condition = sql_conditions.condition(expression, place.collection, place.table.columns, ROOTS)
        assert place.found(condition) == _expected(place, expression), (listed, place.collection.dialect)


@pytest.mark.parametrize(
    "text",
    [
        "record.t < 'b'",
        "record.e >= 'open'",
        "record.t < record.s",
        "record.b > false",
        "record.t == 5",
        "record.n == 'many'",
        "record.n == true",
        "record.day == 'soon'",
        "record.u == 'x'",
        "record.n == record.t",
        "record.n + 1 > 2",
        "lower(record.t) == 'a'",
        "record.t",
        "record.nowhere == 1",
        "record.t.length == 1",
        "record == null",
        "'a'.contains(record.t)",
        "record.n.contains('1')",
        "record.t.contains(5)",
        "(record.n == 1) == true",
        "record.t in 'abc'",
        "record.t in [record.s]",
        "'a' in record.t",
        "today() < now && 5",
    ],
)
def test_what_means_nothing_everywhere_is_refused_when_it_is_saved(places: list[Place], text: str) -> None:
    for place in places:
        with pytest.raises(DefinitionError) as error:
            sql_conditions.check(expressions.parse(text), place.collection)
        assert error.value.details[0]["reason"]


@pytest.mark.parametrize("name", sorted(name for name, known in FUNCTIONS.items() if known.most != 0))
def test_a_function_that_is_asked_of_a_field_is_refused_by_its_name(places: list[Place], name: str) -> None:
    known = FUNCTIONS[name]
    call = f"{name}({', '.join(['record.n', '1', '1'][: max(known.least, 1)])})"
    for place, text in itertools.product(places, (f"{call} == 1", call, f"!({call})")):
        with pytest.raises(DefinitionError) as error:
            sql_conditions.check(expressions.parse(text), place.collection)
        assert name in error.value.details[0]["reason"]


# What a person types above the list, and what it has to find.
SOUGHT = st.recursive(
    st.sampled_from(
        [
            *(
                "a",
                "A",
                "open",
                "12",
                "12.50",
                "on hold",
                '"on hold"',
                "%",
                "_",
                "O'Neil",
                "6f1c3cbe-3c0f-4b52-8f1e-3c0f4b528f1e",
                "nothing at all",
            ),
            *(
                "t:a",
                'T:"a"',
                "s:%",
                "e:open",
                "e:OPEN",
                "e:nowhere",
                "t:NULL",
                't:"NULL"',
                "n:12",
                "n:>0",
                "n:<=-1",
                "n:abc",
                "m:NULL",
                "d:12.5",
                "d:>=12.50",
            ),
            *(
                "b:yes",
                "b:no",
                "b:NULL",
                "day:2026",
                "day:2026-05",
                "day:>2026-05",
                "day:<2026-05-31",
                "due:<=1999",
                "due:>=2026-06",
                "at:2026-05-31",
                "at:NULL",
            ),
            *("u:00000000-0000-0000-0000-000000000000", "u:x", "nofield:a", "12:30"),
        ]
    ),
    lambda inner: st.one_of(
        inner.map(lambda text: f"-({text})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda texts: "(" + " ".join(texts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda texts: "(" + " OR ".join(texts) + ")"),
    ),
    max_leaves=6,
)


def _holds(place: Place, sought: Sought, values: dict[str, Any]) -> bool:
    """What a search means, in words of Python: over the JSON values of a row."""
    match sought:
        case Words():
            return any(_answers(place, name, values[name], sought.text) for name in values)
        case Without():
            return not _holds(place, sought.item, values)
        case Several():
            return (all if sought.kind == "and" else any)(
                _holds(place, item, values) for item in sought.items
            )
        case Asked():
            return _fits(sought, values[sought.field])
    raise AssertionError(sought)


def _answers(place: Place, name: str, value: Any, text: str) -> bool:
    if value is None or name in ("b", "day", "due", "at"):
        return False
    if name in ("t", "s") or (
        name == "e" and place.collection.by_name["e"].options is None
    ):  # SQLite knows no enums
        return _lower(text) in _lower(value)
    if name in ("id", "n", "m", "d"):
        return number_of(text) is not None and number_of(value) == number_of(text)
    return bool(str(value).lower() == text.lower())


def _fits(test: Asked, value: Any) -> bool:
    if test.op == "is_null" or value is None:
        return (value in (None, "")) == (test.op == "is_null" and test.value)
    if test.op == "contains":
        return _lower(test.value) in _lower(value)
    typed: dict[str, Any] = {
        "n": number_of,
        "m": number_of,
        "d": number_of,
        "day": date_of,
        "due": date_of,
        "at": moment_of,
        "u": uuid_of,
    }
    left, right = (typed.get(test.field, lambda each: each)(each) for each in (value, test.value))
    return bool(
        {
            "eq": left == right,
            "gt": left > right,
            "gte": left >= right,
            "lt": left < right,
            "lte": left <= right,
        }[test.op]
    )


def _lower(text: str) -> str:
    return text.lower()


@settings(suppress_health_check=FIXED)
@given(text=SOUGHT)
def test_a_search_finds_the_same_everywhere(places: list[Place], text: str) -> None:
    for place in places:
        sought = search_syntax.read(text, place.collection)
        assert sought is not None
        wanted = {
            number
            for number, values in place.values.items()
            if _holds(place, sought, {**values, "id": number})
        }
        assert place.found(sought_condition(place.table, sought, frozenset())) == wanted, (
            text,
            sought,
            place.collection.dialect,
        )


COMPUTED = (
    "record.n > 0",
    "record.t == 'a' || record.b",
    "!(record.d >= 12)",
    "record.day < record.due",
    "record.e in ['open', 'on hold']",
    "record.t.contains('a')",
    "record.u == null",
    "record.n == null && record.m > 0",
    "record.at > record.day",
)
ASKED: dict[tuple[str, Any], Any] = {
    ("eq", True): lambda value: value is True,
    ("eq", False): lambda value: value is False,
    ("ne", True): lambda value: value is not True,
    ("ne", False): lambda value: value is not False,
    ("is_null", True): lambda value: value is None,
    ("is_null", False): lambda value: value is not None,
}


@pytest.mark.parametrize("text", COMPUTED)
def test_a_computed_condition_is_filtered_by_as_it_is_shown(places: list[Place], text: str) -> None:
    for place in places:
        field = Field("c", "C", "boolean", "boolean", computed=text, inputs=frozenset(fields_of(text)))
        collection = replace(place.collection, computed_fields=(field,))
        shown = {key: computed.value(field, values) for key, values in place.values.items()}
        for (op, wanted), holds in ASKED.items():
            found = place.found(
                filter_conditions.filter_condition(Asked("c", op, wanted), collection, place.table.columns)
            )
            assert found == {key for key, value in shown.items() if holds(value)}, (
                collection.dialect,
                text,
                op,
                wanted,
            )


@pytest.mark.parametrize("name", COLUMNS)
def test_empty_and_not_empty_part_the_records_by_what_is_shown(places: list[Place], name: str) -> None:
    for place in places:
        for wanted in (True, False):
            asked = Asked(name, "is_null", wanted)
            shown = {key for key, values in place.values.items() if absent(values[name]) == wanted}
            assert (
                place.found(filter_conditions.filter_condition(asked, place.collection, place.table.columns))
                == shown
            )
            segment = expressions.parse(expression_of(asked, place.collection))
            assert place.found(place.table.holds(segment, {})) == shown, (
                place.collection.dialect,
                segment.text,
            )
            assert {key for key, values in place.values.items() if segment.test({"record": values})} == shown
