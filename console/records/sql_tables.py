"""The table of a collection in SQL: untyped columns (drivers and databases know the types), and conditions needed by every statement."""

import copy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from console.core.documents.collections import Collection, Field
from console.core.expressions import Expression
from console.core.scopes import Scope
from console.records import scoping, sql_conditions, values
from console.records.dialects import Condition
from console.records.known_dialects import DIALECTS

MOST_KEPT = 2_000


class KeySegment(Protocol):
    """A segment that says by itself which keys are in it (`sql_segments.KeySelect`)."""

    def condition(self, table: "Table") -> Condition:
        """True for the records that are in it."""


Chosen: TypeAlias = Expression | KeySegment
"""A segment as a list applies it."""


class Table:
    """The table of one collection; `readers` turn a driver's values into JSON (`values.read`)."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.table = sa.table(
            collection.table,
            *(sa.column(field.name) for field in collection.stored_fields),
            schema=collection.schema,
        )
        self.columns: Mapping[str, ColumnElement[Any]] = sql_conditions.columns_of(collection, self.table)
        self.dialect = DIALECTS.get(collection.dialect, DIALECTS["postgresql"])
        self._places = {
            field.name: self.dialect.place(self.columns[field.name], field)
            for field in collection.stored_fields
        }
        known_by = {
            *collection.key,
            *(here for relation in collection.relations for here, _ in relation.columns),
        }
        self.read_from: sa.FromClause = self.table
        self.sorted_by: Mapping[str, Field] = {}
        self.readers = {
            field.name: values.hexadecimal
            if field.stored == "binary" and field.name in known_by
            else values.json_of
            if field.stored == "other"
            and field.name in known_by  # a key is looked up by its own text, not by words for it
            else values.reader(field, collection.dialect)
            for field in collection.stored_fields
        }

    def aliased(self, name: str) -> "Table":
        """The same table under another name in the statement."""
        other = copy.copy(self)
        alias = self.table.alias(name)
        other.read_from = alias
        other.table, other.columns = alias, sql_conditions.columns_of(self.collection, alias)  # type: ignore[assignment]
        return other

    def field(self, name: str) -> Field:
        """The field of a sort column, also of a title (`titled_orders`)."""
        return self.sorted_by.get(name) or self.collection.by_name[name]

    @property
    def key(self) -> list[ColumnElement[Any]]:
        """The key columns, in order."""
        return [self.columns[name] for name in self.collection.key]

    def place(self, name: str) -> ColumnElement[Any]:
        """The sort column as it is compared with a cursor's value."""
        return self._places[name]

    def anchored(self, places: Sequence[str], anchor: Sequence[Any]) -> list[Any]:
        """The values of a cursor in the form in which they are compared with these columns."""
        return [
            self.dialect.anchored(self.field(name), item) for name, item in zip(places, anchor, strict=True)
        ]

    def in_scope(self, scope: Scope) -> Condition:
        """The scope as a condition."""
        return scoping.scope_condition(scope, self.collection, self.columns, datetime.now(UTC))

    def in_scope_when_written(self, parts: Sequence[Any], scope: Scope) -> Condition:
        """Condition for an UPDATE that the record of this key is in the scope. MySQL needs a copy of the table that is being updated."""
        if self.dialect.name != "mysql" or not scope.follows:
            return self.in_scope(scope)
        there = self.aliased("looked_at")
        one: sa.Select[Any] = (
            sa.select(sa.literal_column("1").label("one"))
            .select_from(there.table)
            .where(there.is_key(parts), there.in_scope(scope))
            .limit(1)
        )
        return sa.exists(sa.select(sa.literal_column("1")).select_from(one.subquery("in_scope")))

    def holds(
        self, expression: Expression, attributes: Mapping[str, Any], more: Mapping[str, Any] | None = None
    ) -> Condition:
        """An expression over `record` as a condition; `more` are further roots."""
        roots = {"now": datetime.now(UTC), **(more or {}), "currentUser": attributes}
        return sql_conditions.condition(expression, self.collection, self.columns, roots)

    def is_key(self, parts: Sequence[Any]) -> Condition:
        """Condition for the record with these key values, in the form of `keys.decode`."""
        fields = [self.collection.by_name[name] for name in self.collection.key]
        return sa.and_(
            *(
                self._holds(column, field, part)
                for column, field, part in zip(self.key, fields, parts, strict=True)
            )
        )

    def is_one_of(self, keys: Sequence[tuple[Any, ...]]) -> Condition:
        """Condition for the records with one of these keys, each in the form of `keys.decode`."""
        if len(self.key) == 1 and not any(isinstance(parts[0], values.Raw) for parts in keys):
            field = self.collection.by_name[self.collection.key[0]]
            return self.dialect.one_of(self.key[0], field, [parts[0] for parts in keys])
        return sa.or_(sa.false(), *(self.is_key(parts) for parts in keys))

    def _holds(self, column: ColumnElement[Any], field: Field, part: Any) -> Condition:
        if isinstance(part, values.Raw):
            return self.dialect.is_raw(column, field, part.given)
        return self.dialect.equals(column, field, part)

    def told_apart(self, name: str, column: ColumnElement[Any] | None = None) -> ColumnElement[Any]:
        """The column, or this one in its place, as its values are counted: an empty text is no value, as in lists."""
        field = self.collection.by_name[name]
        told = self.dialect.told_apart(self.columns[name] if column is None else column, field)
        return (
            sa.func.nullif(told, sa.literal("", sa.types.NullType()))
            if self.dialect.may_be_blank(field)
            else told
        )

    def told(self, name: str, value: Any) -> Any:
        """A value of `told_apart` as JSON."""
        as_text = isinstance(value, bytes) and self.collection.by_name[name].stored == "text"
        return values.read(self.readers[name], value.decode(errors="replace") if as_text else value)

    def json(self, names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
        """The driver's row as name → JSON value."""
        return {name: values.read(self.readers[name], value) for name, value in zip(names, row, strict=True)}


_made: dict[int, Table] = {}


def table_of(collection: Collection) -> Table:
    """The table of a collection, made once per catalogue."""
    found = _made.get(id(collection))
    if found is None or found.collection is not collection:
        if len(_made) >= MOST_KEPT:
            _made.clear()
        found = _made[id(collection)] = Table(collection)
    return found
