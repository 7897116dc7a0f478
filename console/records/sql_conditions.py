"""Expressions as SQL, with the same answer for every row as `Expression.test`.

NOT is pushed down to the comparisons first. Below that, "unknown" and "false" need no distinction: neither is true. Parts that do not use
the record are evaluated beforehand and bound as parameters. What databases answer differently (order of texts, arithmetic, fields inside
JSON) is refused when it is saved (`check`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from console.core.documents.collections import Collection, Field
from console.core.errors import DefinitionError
from console.core.expressions import Expression, compiled
from console.core.expressions.currency_comparisons import for_each_currency
from console.core.expressions.nodes import Call, Compare, Items, Junction, Node, Not, Path, Within, walk
from console.core.expressions.operands import UNKNOWN, date_of, moment_of, number_of
from console.records import empty_values, relations, values
from console.records.dialects import Condition, Dialect
from console.records.known_dialects import DIALECTS
from console.records.relations import Find

ORDERINGS = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
TEXT_METHODS = frozenset({"startsWith", "endsWith", "contains"})
SAMPLE = datetime(2000, 1, 1, tzinfo=UTC)
COMPARED = frozenset({"integer", "decimal", "text", "boolean", "date", "datetime", "time", "uuid"})


class Never(Enum):
    """A value that no column of this kind can equal."""

    NEVER = "never"


NEVER = Never.NEVER


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its field."""

    field: Field
    sql: ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value independent of the record. `certain`: it is the same for every person."""

    value: Any
    certain: bool


def check(expression: Expression, collection: Collection, find: Find | None = None) -> None:
    """Raises DefinitionError with the reason if the expression cannot be a scope or segment of the collection."""
    columns: dict[str, ColumnElement[Any]] = {
        field.name: sa.column(field.name) for field in collection.stored_fields
    }
    Compiler(collection, columns, {"now": SAMPLE}, strict=True, find=find).truth(
        expression.node, positive=True
    )


def condition(
    expression: Expression,
    collection: Collection,
    columns: Mapping[str, Any],
    roots: Mapping[str, Any],
    find: Find | None = None,
) -> Condition:
    """True for the records for which the expression is certainly true. `roots` have currentUser and now."""
    return Compiler(collection, columns, roots, find=find).truth(expression.node, positive=True)


@dataclass(frozen=True, slots=True)
class Led:
    """A related collection: its columns in the statement, its table there, and its join condition."""

    collection: Collection
    columns: Mapping[str, Any]
    table: sa.FromClause
    joined: list[Condition]


def columns_of(collection: Collection, table: sa.FromClause) -> dict[str, sa.ColumnElement[Any]]:
    """The columns as they are read and compared: null where a value means "none".

    PostgreSQL alone tells truth values from the 0 and 1 of a number that a document calls one.
    """
    read: dict[str, sa.ColumnElement[Any]] = {column.name: column for column in table.columns}
    for item in collection.stored_fields:
        if item.empty_values:
            read[item.name] = empty_values.without_none(collection.dialect, item, read[item.name])
        elif (
            item.stored == "boolean" and item.native.startswith("int") and collection.dialect == "postgresql"
        ):
            read[item.name] = read[item.name] != sa.literal_column("0")
    return read


def _with_index(sql: ColumnElement[Any], compared: Callable[[ColumnElement[Any]], Condition]) -> Condition:
    """The comparison; of a column some of whose values mean "none" also that of the plain column, which its index serves."""
    plain = empty_values.bare_column(sql)
    return compared(sql) if plain is sql else sa.and_(compared(plain), compared(sql))


class Compiler:
    """Turns nodes into conditions over the columns of one collection; `strict` also refuses values of the wrong kind.

    A comparison that follows relations becomes one EXISTS. Without a related record it is unknown, so neither it nor its negation is true.
    """

    def __init__(
        self,
        collection: Collection,
        columns: Mapping[str, Any],
        roots: Mapping[str, Any],
        *,
        strict: bool = False,
        find: Find | None = None,
    ) -> None:
        self.find = find
        self._led: dict[tuple[str, ...], Led] = {}
        self.collection = collection
        self.columns = columns
        self.roots = roots
        self.strict = strict
        self.dialect: Dialect = DIALECTS.get(collection.dialect, DIALECTS["postgresql"])

    def truth(self, node: Node, *, positive: bool) -> Condition:
        """A condition that is true where the node certainly is `positive`."""
        match node:
            case Not(item=item):
                return self.truth(item, positive=not positive)
            case Junction(kind=kind, items=items):
                parts = [self.truth(item, positive=positive) for item in items]
                return sa.or_(*parts) if (kind == "any") == positive else sa.and_(*parts)
            case Compare() if (by_currency := for_each_currency(node)) is not None:
                return sa.or_(
                    *(
                        sa.and_(
                            self.truth(of_currency, positive=True), self.truth(compared, positive=positive)
                        )
                        for of_currency, compared in by_currency
                    )
                )
            case _ if not _looks_at_record(node):
                return self._constant_truth(node, positive=positive)
        outer, self._led = self._led, {}
        try:
            return self.closed(self._compared(node, positive=positive))
        finally:
            self._led = outer

    def led(self, path: tuple[str, ...]) -> Led:
        """The record at the end of this path of relations, in the current comparison. Raises DefinitionError."""
        known = self._led.get(path)
        if known is None:
            here = self.led(path[:-1]) if len(path) > 1 else None
            own, columns = (here.collection, here.columns) if here else (self.collection, self.columns)
            if self.find is None:
                raise self._wrong(f"{path[-1]}: only the conditions of rights follow relations.")
            (step,) = relations.hops(own, path[-1:], self.find)
            target = step.target
            alias = sa.table(
                target.table, *(sa.column(field.name) for field in target.stored_fields), schema=target.schema
            ).alias()
            there = columns_of(target, alias)
            known = self._led[path] = Led(
                target, there, alias, relations.joined(self.dialect, step, columns, own, there)
            )
        return known

    def closed(self, compared: Condition) -> Condition:
        """The comparison wrapped in EXISTS over the related records."""
        if not self._led:
            return compared
        first, *more = self._led.values()
        self._led = {}
        table: sa.FromClause = first.table
        for hop_ in more:
            table = sa.join(table, hop_.table, sa.and_(*hop_.joined))
        return sa.exists(sa.select(sa.literal_column("1")).select_from(table).where(*first.joined, compared))

    def _compared(self, node: Node, *, positive: bool) -> Condition:
        """One comparison; `_led` collects the relations that it follows."""
        match node:
            case Path():
                column = self._column(node)
                if column.field.stored != "boolean":
                    raise self._wrong(
                        f"{column.field.name} is neither true nor false; compare it with something."
                    )
                return column.sql.is_(sa.true() if positive else sa.false())
            case Compare():
                return self._compare(node, positive=positive)
            case Within():
                return self._within(node, positive=positive)
            case Call(name=name, method=True) if name in TEXT_METHODS:
                return self._method(node, positive=positive)
        raise self._wrong(
            f"{unsupported_call(node)}Fields can be compared with values, and texts searched by startsWith, endsWith and contains; nothing else is done to them here."
        )

    def _constant_truth(self, node: Node, *, positive: bool) -> Condition:
        value = compiled(node)(self.roots)
        if self.strict and value is not UNKNOWN and not isinstance(value, bool):
            raise self._wrong("A condition must be true or false.")
        return sa.true() if value is positive else sa.false()

    def _operand(self, node: Node) -> Column | Constant:
        if not _looks_at_record(node):
            certain = not any(isinstance(item, Path) and item.root != "now" for item in walk(node))
            return Constant(compiled(node)(self.roots), certain)
        if isinstance(node, Path):
            return self._column(node)
        raise self._wrong(
            f"{unsupported_call(node)}Only a field itself can be compared here, without arithmetic, functions or conditions around it."
        )

    def _column(self, node: Path) -> Column:
        if not node.steps or not all(isinstance(step, str) for step in node.steps):
            raise self._wrong(f"{node.dotted} does not name one field of the record.")
        *path, name = map(str, node.steps)
        collection, columns = self.collection, self.columns
        if path:
            self._need_relations(path, node)
            led = self.led(tuple(path))
            collection, columns = led.collection, led.columns
        field = collection.by_name.get(name)
        if field is None:
            relation = collection.relation(name)
            if relation is not None:
                raise self._wrong(
                    f"{node.dotted} leads to a record, and names no field of it: go on with .<field>."
                )
            raise self._wrong(f"There is no field {name} in {collection.label}.")
        return Column(field, columns[field.name])

    def _need_relations(self, path: list[str], node: Path) -> None:
        """Raises DefinitionError unless the path begins with a relation. Only one database can look into JSON fields."""
        if self.collection.relation(path[0]) is None:
            if path[0] in self.collection.by_name:
                raise self._wrong(f"{node.dotted} does not name one field of the record.")
            raise self._wrong(f"There is no relation {path[0]} in {self.collection.label}.")

    def _compare(self, node: Compare, *, positive: bool) -> Condition:
        left, right, operator = self._operand(node.left), self._operand(node.right), node.operator
        if isinstance(left, Constant):
            left, right, operator = right, left, MIRRORED[operator]
        if not isinstance(left, Column):
            raise self._wrong("Neither side names a field.")
        if operator in {"==", "!="}:
            wanted = (operator == "==") == positive
            return (
                self._equal_columns(left, right, wanted)
                if isinstance(right, Column)
                else self.equal(left, right, wanted=wanted)
            )
        operator = operator if positive else ORDERINGS[operator]
        self._need_order(left.field)
        if isinstance(right, Column):
            self._need_order(right.field)
            self._need_same_family(left.field, right.field)
            compared = self.dialect.order_columns(left.sql, left.field, operator, right.sql, right.field)
            return self._sound(self._sound(compared, left), right)
        return self.ordered(left, operator, right)

    def equal(self, column: Column, constant: Constant, *, wanted: bool) -> Condition:
        """Condition that the column equals the constant, or with `wanted` False that it does not."""
        if constant.value is None:
            return column.sql.is_(None) if wanted else column.sql.is_not(None)
        self._need_comparable(column.field)
        given = self._sent(column.field, constant)
        if given is UNKNOWN or given is NEVER:
            return self._never_equal(column, constant, given, wanted=wanted)
        if wanted:
            return _with_index(column.sql, lambda sql: self.dialect.equals(sql, column.field, given))
        return sa.or_(
            self._sound(sa.not_(self.dialect.equals(column.sql, column.field, given)), column),
            column.sql.is_(None),
        )

    def _never_equal(self, column: Column, constant: Constant, given: Any, *, wanted: bool) -> Condition:
        """Comparison with a value that the column cannot have: unknown if of another kind (but null is unequal), else never equal."""
        if wanted or constant.value is UNKNOWN:
            return sa.false()
        if given is NEVER:
            return sa.or_(self._sound(column.sql.is_not(None), column), column.sql.is_(None))
        return column.sql.is_(None)

    def _equal_columns(self, left: Column, right: Column, wanted: bool) -> Condition:
        self._need_comparable(left.field)
        self._need_comparable(right.field)
        self._need_same_family(left.field, right.field)
        same = self.dialect.same(left.sql, left.field, right.sql, right.field)
        return same if wanted else sa.not_(same)

    def ordered(self, column: Column, operator: str, constant: Constant) -> Condition:
        """Condition for one of < <= > >= between column and constant."""
        if constant.value is None:
            return sa.false()
        given = self._moment_or_sent(column.field, constant)
        if given is UNKNOWN:
            return sa.false()
        return self._sound(
            _with_index(column.sql, lambda sql: self.dialect.order(sql, column.field, operator, given)),
            column,
        )

    def _moment_or_sent(self, field: Field, constant: Constant) -> Any:
        """A moment compared with a day stays a moment; the day counts as its midnight."""
        moment = moment_of(constant.value) if field.stored == "date" else None
        if moment is None or date_of(constant.value) is not None:
            return self._sent(field, constant)
        sent = values.driver_form(self.collection.dialect, moment)
        return (
            sent.replace(tzinfo=None) if isinstance(sent, datetime) else sent
        )  # a day has no zone, whatever that of the session

    def _within(self, node: Within, *, positive: bool) -> Condition:
        items = self._operand_list(node.list)
        if isinstance(items, Column):
            return self.list_holds(node.item, items, positive=positive)
        column = self._operand(node.item)
        if not isinstance(column, Column):
            raise self._wrong("Before 'in' stands a field.")
        if items is None:
            return sa.false()
        self._need_comparable(column.field)
        null, fit, strange = self.split_values(column.field, items)
        found = self.dialect.one_of(column.sql, column.field, fit)
        if positive:
            return sa.or_(found, column.sql.is_(None)) if null else found
        if any(item.value is UNKNOWN for item in items):
            return sa.false()
        if strange:
            return sa.and_(column.sql.is_(None), sa.false() if null else sa.true())
        there = column.sql.is_not(
            None
        )  # explicit: if no value of the list is possible in the column, `found` does not use the column
        missing = self._sound(sa.and_(sa.not_(found), there) if fit else there, column)
        return missing if null else sa.or_(missing, column.sql.is_(None))

    def split_values(self, field: Field, items: list[Constant]) -> tuple[bool, list[Any], bool]:
        """(null is among the values, the values that the column can have, some value is of another kind)."""
        fit: list[Any] = []
        null = strange = False
        for item in items:
            given = None if item.value is None else self._sent(field, item)
            if given is None:
                null = True
            elif given is UNKNOWN:
                strange = True
            elif given is not NEVER:
                fit.append(given)
        return null, fit, strange

    def _operand_list(self, node: Node) -> Column | list[Constant] | None:
        """The list: a list column, constants, or None if it is missing."""
        if isinstance(node, Items) and _looks_at_record(node):
            raise self._wrong("A list holds values, not fields.")
        operand = self._operand(node)
        if isinstance(operand, Column):
            if operand.field.stored != "array" or operand.field.items not in COMPARED:
                raise self._wrong(f"{operand.field.name} holds no list.")
            if self.dialect.name != "postgresql" and operand.field.native != "set":
                raise self._wrong(
                    f"{operand.field.name}: only lists of PostgreSQL and sets of MySQL can be searched."
                )
            return operand
        if not isinstance(operand.value, (list, tuple)):
            if self.strict and operand.certain:
                raise self._wrong("After 'in' stands a list.")
            return None
        return [Constant(item, operand.certain) for item in operand.value]

    def list_holds(self, node: Node, column: Column, *, positive: bool) -> Condition:
        """Condition that a list column contains a value."""
        constant = self._operand(node)
        if not isinstance(constant, Constant):
            raise self._wrong("Before 'in' stands a value where a field holds the list.")
        item = Field(column.field.name, column.field.label, "", column.field.items or "text")
        given = None if constant.value is None else self._sent(item, constant)
        if given is UNKNOWN:
            return sa.false()
        held = self.dialect.holds(column.sql, column.field, given)
        return held if positive else sa.and_(sa.not_(held), column.sql.is_not(None))

    def _method(self, node: Call, *, positive: bool) -> Condition:
        column, constant = self._operand(node.arguments[0]), self._operand(node.arguments[1])
        if not isinstance(column, Column) or not isinstance(constant, Constant):
            raise self._wrong(f"{node.name} is asked of a field, about a value.")
        if column.field.stored != "text":
            raise self._wrong(f"{column.field.name} is no text.")
        if not isinstance(constant.value, str):
            if self.strict and constant.certain:
                raise self._wrong(f"{node.name} takes a text.")
            return sa.false()
        if not values.storable(constant.value):
            return sa.false() if positive else column.sql.is_not(None)
        if not constant.value:  # every text starts with, ends with and contains the empty text
            return self._sound(column.sql.is_not(None), column) if positive else sa.false()
        search = {
            "startsWith": self.dialect.starts,
            "endsWith": self.dialect.ends,
            "contains": self.dialect.contains,
        }[node.name]
        found = search(column.sql, column.field, constant.value)
        return self._sound(found if positive else sa.not_(found), column)

    def _sent(self, field: Field, constant: Constant) -> Any:
        """The value in the driver's form; UNKNOWN if it is of another kind, NEVER if it is of this kind but not possible in the column."""
        given = constant.value
        if given is UNKNOWN:
            return UNKNOWN
        if field.stored == "text" and isinstance(given, str) and not values.storable(given):
            return NEVER
        if field.stored == "date" and (moment := moment_of(given)) is not None:
            midnight = moment.astimezone(UTC)
            return (
                values.driver_form(self.collection.dialect, midnight.date())
                if midnight.time() == time(0)
                else NEVER
            )
        try:
            if (
                field.stored == "integer"
                and (number := number_of(given)) is not None
                and number != int(number)
            ):
                return values.driver_form(self.collection.dialect, number)
            return values.bound(self.collection.dialect, field, given)
        except values.Unfit as reason:
            if self.strict and constant.certain:
                raise self._wrong(f"{field.name} is compared with {given!r}, which is {reason}.") from None
            return (
                NEVER if field.stored == "text" and isinstance(given, str) else UNKNOWN
            )  # a text outside the enum is still a text

    def _sound(self, compared: Condition, column: Column) -> Condition:
        sound = self.dialect.sound(column.sql, column.field)
        return compared if sound is None else sa.and_(compared, sound)

    def _need_order(self, field: Field) -> None:
        if not field.comparable:
            raise self._wrong(f"{field.name} has no order that is the same in every database.")

    def _need_comparable(self, field: Field) -> None:
        if field.stored not in COMPARED:
            raise self._wrong(f"{field.name} can only be compared with null.")

    def _need_same_family(self, left: Field, right: Field) -> None:
        if relations.FAMILIES.get(left.stored, left.stored) != relations.FAMILIES.get(
            right.stored, right.stored
        ):
            raise self._wrong(f"{left.name} and {right.name} are of different kinds.")

    def _wrong(self, reason: str) -> DefinitionError:
        return DefinitionError(reason, code="expression", at="expression")


def unsupported_call(node: Node) -> str:
    """A sentence on the function applied to a field, "" without one: databases compute functions differently."""
    called = next(
        (item.name for item in walk(node) if isinstance(item, Call) and _looks_at_record(item)), None
    )
    return "" if called is None else f"{called} cannot be asked of a field here. "


def _looks_at_record(node: Node) -> bool:
    return any(isinstance(item, Path) and item.root == "record" for item in walk(node))
