"""Counts, sums and the largest: the same in PostgreSQL, SQLite and MariaDB as reckoned by hand, exact to the last place."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from console.core import expressions
from console.core.expressions.operands import to_json
from console.records import Figure, sql_conditions
from console.records.totals import compute_figures
from tests.records.agreeing import EXPRESSION, ROOTS, Place

WANTED = [
    Figure("n", "count"),
    Figure("ints", "sum", "m"),
    Figure("money", "sum", "d"),
    *(Figure(f"last_{name}", "max", name) for name in ("n", "d", "day", "at")),
]


def by_hand(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def there(name: str) -> list[Any]:
        return [row[name] for row in rows if row[name] is not None]

    money: Decimal = sum(there("d"), Decimal("0.00"))
    last = {f"last_{name}": to_json(max(there(name), default=None)) for name in ("n", "d", "day", "at")}
    return {"n": len(rows), "ints": sum(there("m")), "money": format(money, ".2f"), **last}


@pytest.mark.slow
@settings(
    max_examples=60,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.filter_too_much,
    ],
)
@given(text=EXPRESSION)
def test_every_database_reckons_as_by_hand(places: list[Place], text: str) -> None:
    expression = expressions.parse(text)
    for place in places:
        fields = {
            figure.name: place.collection.by_name[figure.field] if figure.field else None for figure in WANTED
        }
        condition = sql_conditions.condition(expression, place.collection, place.table.columns, ROOTS)
        found = compute_figures(place.connection, place.table, WANTED, fields, [condition])
        place.connection.commit()
        rows = [row for row in place.values.values() if expression.test({**ROOTS, "record": row})]
        assert found == by_hand(rows), (text, place.collection.dialect)
