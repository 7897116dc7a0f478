"""Filters of a list as SQL conditions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from console.core import currencies, filters
from console.core.documents.collections import Collection
from console.core.errors import DefinitionError, Malformed
from console.core.expressions import parse
from console.core.expressions.nodes import Compare, Items, Literal, Node, Path, Within
from console.core.filter_expressions import COMPARED
from console.core.filters import IMPORTED, Filter, Group, Test, tag_field
from console.records import values
from console.records.dialects import Condition
from console.records.sql_conditions import Column, Compiler, Constant
from console.records.tag_filter import import_condition, tag_condition

FILTER_OPS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def filter_condition(given: Filter, collection: Collection, columns: Mapping[str, Any]) -> Condition:
    """The condition for a checked filter."""
    if isinstance(given, Group):
        parts = [filter_condition(item, collection, columns) for item in given.items]
        return sa.and_(sa.true(), *parts) if given.kind == "and" else sa.or_(sa.false(), *parts)
    if given.field == tag_field(collection):
        return tag_condition(given, collection, columns)
    if given.field in IMPORTED and given.field not in collection.by_name:
        return import_condition(given, collection, columns)
    worked_out = next((item for item in collection.computed_fields if item.name == given.field), None)
    if worked_out is not None:
        try:
            return _computed_condition(
                given,
                Compiler(collection, columns, {"now": datetime.now(UTC)}),
                parse(worked_out.computed or "").node,
            )
        except DefinitionError as error:
            reason = f"{worked_out.label} cannot be filtered by. {error.message}"
            raise Malformed(reason, at=given.field) from None
    if given.whole:
        return _of_own_currency(given, Compiler(collection, columns, {}))
    return _test_condition(
        given,
        Compiler(collection, columns, {}),
        Column(collection.by_name[given.field], columns[given.field]),
    )


def _of_own_currency(test: Test, compiler: Compiler) -> Condition:
    """The condition for amounts in whole units: the same once for each number of decimals that currencies have."""
    op, amounts = ("==", test.value) if test.op == "in" else (COMPARED[test.op], [test.value])
    amount, code = (Path("record", (name,), 0) for name in (test.field, test.whole))
    found = []
    for places, codes in currencies.BY_DECIMALS.items():
        of_these = compiler.truth(
            Within(code, Items(tuple(map(Literal, sorted(codes))), 2), 3), positive=True
        )
        stored = [Literal(currencies.whole_units(each, -places)) for each in amounts]
        found += [
            sa.and_(of_these, compiler.truth(Compare(op, amount, each, 0, 2), positive=True))
            for each in stored
        ]
    return sa.or_(sa.false(), *found)


def _computed_condition(test: Test, compiler: Compiler, node: Node) -> Condition:
    """The condition for a filter on a computed true-or-false field. Unknown counts as null."""
    true, false = compiler.truth(node, positive=True), compiler.truth(node, positive=False)
    if test.op == "is_null" or test.value is None:
        known = sa.or_(true, false)
        wanted = bool(test.value) if test.op == "is_null" else test.op == "eq"
        return sa.func.coalesce(known, sa.false()).is_(sa.false()) if wanted else known
    if test.op == "eq":
        return true if test.value else false
    return sa.func.coalesce(true if test.value else false, sa.false()).is_(sa.false())


def _test_condition(test: Test, compiler: Compiler, column: Column) -> Condition:
    constant = Constant(test.value, certain=False)
    match test.op:
        case "is_null":
            known = compiler.dialect.nothing if test.value else compiler.dialect.something
            return known(column.sql, column.field)
        case "eq" | "ne" if column.field.stored == "array" and test.value is not None:
            item = compiler.list_holds(Literal(test.value), column, positive=test.op == "eq")
            return item if test.op == "eq" else sa.or_(item, column.sql.is_(None))
        case "eq" | "ne":
            return compiler.equal(column, constant, wanted=test.op == "eq")
        case "in" if column.field.stored == "array":
            return sa.or_(
                sa.false(),
                *(compiler.list_holds(Literal(item), column, positive=True) for item in test.value),
            )
        case "in":
            null, fit, _ = compiler.split_values(
                column.field, [Constant(item, certain=False) for item in test.value]
            )
            found = compiler.dialect.one_of(column.sql, column.field, fit)
            return sa.or_(found, column.sql.is_(None)) if null else found
        case filters.ANY_CASE if column.field.stored == "text":
            return compiler.dialect.in_any_case(
                column.sql, column.field, [item for item in test.value if values.storable(item)]
            )
        case filters.ENDING if column.field.stored == "text":
            return compiler.dialect.ending_in(column.sql, column.field, filters.LAST_DIGITS, test.value)
        case "contains" if column.field.stored == "array":
            return compiler.list_holds(Literal(test.value), column, positive=True)
        case "contains" | "starts_with":
            if not values.storable(test.value):
                return sa.false()
            return compiler.dialect.finds(
                column.sql, column.field, test.value, start=test.op == "starts_with"
            )
    return compiler.ordered(column, FILTER_OPS[test.op], constant)
