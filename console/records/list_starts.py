"""Where in a list a page begins without a cursor: at the list's end, or at a value of the field that it is sorted by first."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from console.core import filters
from console.core.documents.collections import Collection, Field
from console.core.errors import Malformed
from console.core.filters import Test
from console.core.scopes import Scope
from console.records import filter_conditions, values
from console.records.dialects import Condition
from console.records.sql_tables import Table

if TYPE_CHECKING:
    from console.records.record_pages import Order

LAST = "last"
"""Stands for the cursor before which the last page is."""
STORED = frozenset({"integer", "decimal", "date", "datetime", "text"})


def starting_field(collection: Collection, order: "Order") -> Field | None:
    """The field at whose values a list in this order can be started: the first that it is sorted by, else the key. None where its values have no order that people know."""
    alone = collection.key[0] if len(collection.key) == 1 else ""
    field = collection.by_name.get(order.field.name if order.field is not None else alone)
    if field is None or order.implied or not collection.key:
        return None
    return (
        field
        if field.stored in STORED
        and field.native != "enum"
        and field.options is None
        and field.references is None
        else None
    )


def starting_test(given: Mapping[str, Any], collection: Collection, order: "Order", scope: Scope) -> Test:
    """The condition `{"field", "op", "value"}` on the starting field that the records from there on meet. Raises Malformed, naming the field."""
    field = starting_field(collection, order)
    if field is None or field.name in scope.hidden or given.get("field") != field.name:
        raise _wrong("This list is not sorted by a field at whose values it can be started.")
    if field.stored == "text":
        text = given.get("value")
        if not isinstance(text, str) or not values.storable(text) or len(text) > filters.LONGEST_TEXT:
            raise _wrong(f"{field.label} is a text: start the list at its first letters.")
        return Test(field.name, "lte" if order.descending else "gte", text)
    made = filters.read(given, collection, scope.hidden)
    if not isinstance(made, Test) or made.op not in filters.ORDERINGS:
        raise _wrong(f"A list sorted by {field.label} is started at one value of it.")
    return made


def starting_condition(test: Test, table: Table) -> Condition:
    """The condition as SQL; a text is compared in the order in which the database sorts the column."""
    if table.field(test.field).stored != "text":
        return filter_conditions.filter_condition(test, table.collection, table.columns)
    (text,) = table.anchored([test.field], [test.value])
    column, bound = table.place(test.field), sa.bindparam("console_start", text, sa.types.NullType())
    if test.op == "gte":
        return column >= bound
    return sa.or_(
        column <= bound, sa.func.substr(column, 1, len(test.value)) == bound
    )  # what begins so is sorted behind it


def _wrong(reason: str) -> Malformed:
    return Malformed(reason, at="start")
