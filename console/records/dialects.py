"""Differences between databases, each with the same meaning everywhere: that of the expression language.

A condition built here is true exactly when the expression is true. For null, or a value of another kind than its column, it is null or
false. Columns are plain names, values are in the driver's form (`console.records.values`).
"""

# ruff: noqa: ARG002 - the three databases share one signature; each uses a different part of it
import json
import math
import struct
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import NullType
from typing_extensions import override

from console.core.documents.collections import Field
from console.core.documents.collections.field_guesses import MIDNIGHT
from console.core.expressions.operands import number_of

Condition = ColumnElement[bool]
Column = ColumnElement[Any]
LOOSE_NUMBERS = frozenset({"float4", "float8", "numeric"})
INT64 = 2**63
GREATEST = {"float4": "3.4028235e38"}
"""Largest number of a kind, where it is below the general limit."""
FIRST_DAY: Column = sa.literal_column("'0001-01-02'")
DAY_AFTER_LAST: Column = sa.literal_column("'9999-01-01'")
"""The days between which an axis is drawn: 1 January 0001 stands for no day and 31 December 9999 for no end in many databases."""


MANY = 1_000
"""Values that a statement gets one by one; PostgreSQL gets more in one array, SQLite in one list of JSON."""
ARRAYS: Mapping[str | None, Any] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "enum", "citext", "name"), sa.ARRAY(sa.Text)),
    "uuid": sa.ARRAY(sa.Uuid(as_uuid=False)),
}
"""Native type of a column whose values are texts here → what an array of them is."""
FEW = 200
"""Rows that a statement names one by one: SQLite takes no more than a thousand alternatives, and PostgreSQL needs a third of a millisecond for each."""
BETWEEN_DIGITS = " -/().\u00a0"
"""What people write between the digits of a telephone number."""


def without_blanks(column: Column) -> Column:
    """The telephone number of the column without what people write between its digits."""
    for sign in BETWEEN_DIGITS:
        column = sa.func.replace(column, sign, "")
    return column


def value(given: Any) -> Column:
    """A bound parameter whose type the database infers."""
    return sa.literal(given, NullType())


class Dialect:
    """The common behaviour, as in PostgreSQL."""

    name = "postgresql"

    def sound(self, column: Column, field: Field) -> Condition | None:
        """Condition that the column has a value of its kind; None if its type guarantees it."""
        if field.native in LOOSE_NUMBERS and field.precision is None:
            most = GREATEST.get(field.native, "1e300")
            return column.between(
                value(f"-{most}"), value(most)
            )  # without NaN and infinity, which cannot be calculated with
        return None

    def anchored(self, field: Field, given: Any) -> Any:
        """A driver's value in the form in which it is compared with a column of this kind."""
        return (
            _single(given) if field.native == "float4" and isinstance(given, (int, float, Decimal)) else given
        )

    def place(self, column: Column, field: Field) -> Column:
        """The sort column as it is compared with the value of a cursor."""
        return column

    def told_apart(self, column: Column, field: Field) -> Column:
        """The column as its values are counted: two are one only where `equals` takes them for one."""
        return day_shown(column, field)

    def sorted(self, column: Column, field: Field) -> Column:
        """The column as a list is sorted by it."""
        return column

    def text(self, column: Column, field: Field) -> Column:
        """The column as text compared letter by letter."""
        return sa.cast(column, sa.Text) if field.native in {"enum", "citext", "name"} else column

    def equals(self, column: Column, field: Field, given: Any) -> Condition:
        """Condition that the column equals a value that is not null."""
        if field.native == "enum":
            listed = field.options is None or any(option.value == given for option in field.options)
            return column == value(given) if listed else self.no_row()
        if field.stored == "text":
            return self.text(column, field) == value(given)
        if isinstance(given, str | date) and field.native == MIDNIGHT:
            return sa.and_(column >= value(given), column < value(_next_day(given)))
        given = self.anchored(field, given)
        return self.no_row() if isinstance(given, float) and math.isinf(given) else column == value(given)

    def nothing(self, column: Column, field: Field) -> Condition:
        """Condition that there is nothing to show: no value, or a text without a letter. An index of the column finds both."""
        return sa.or_(column.is_(None), column == value("")) if self.may_be_blank(field) else column.is_(None)

    def something(self, column: Column, field: Field) -> Condition:
        """The opposite of `nothing`."""
        return (
            sa.and_(column.is_not(None), column != value(""))
            if self.may_be_blank(field)
            else column.is_not(None)
        )

    def may_be_blank(self, field: Field) -> bool:
        """Whether the column may hold a text without a letter."""
        return field.stored == "text" and field.native != "enum"

    def is_raw(self, column: Column, field: Field, given: str | bytes) -> Condition:
        """Condition that the column's value is shown as this text, or has these bytes."""
        shown = (
            column if isinstance(given, bytes) else sa.func.format(sa.literal_column("'%s'"), column)
        )  # some kinds need more precise casts
        return shown == value(given)

    def no_row(self) -> Condition:
        """False, in a form allowed wherever a comparison is."""
        return sa.literal(0, sa.Integer) == sa.literal(1, sa.Integer)

    def one_of(self, column: Column, field: Field, given: list[Any]) -> Condition:
        """Condition that the column equals one of the values."""
        if field.native == "enum":
            given = [
                item
                for item in given
                if field.options is None or any(option.value == item for option in field.options)
            ]
        if field.native == "float4":
            given = [item for item in (self.anchored(field, item) for item in given) if not math.isinf(item)]
        if not given:
            return self.no_row()
        compared = column if field.native == "enum" else self.text(day_shown(column, field), field)
        if len(given) > MANY and len(set(map(type, given))) == 1:  # a statement has at most 65,535 parameters
            return compared == sa.func.any(value(given))
        return compared.in_([value(item) for item in given])

    def rows_of(
        self, columns: Sequence[Column], fields: Sequence[Field], given: Sequence[tuple[Any, ...]]
    ) -> Condition:
        """Condition that the columns together have the values of one of these rows, as a key of several columns has."""
        each = [list(of_one) for of_one in zip(*given, strict=True)]
        known = [
            ARRAYS.get(field.native) if isinstance(of_one[0], str) else NullType()
            for field, of_one in zip(fields, each, strict=False)
        ]
        if len(given) <= FEW or None in known or any(len(set(map(type, of_one))) > 1 for of_one in each):
            return self.any_row(columns, fields, given)
        compared = [
            self.text(day_shown(column, field), field) for column, field in zip(columns, fields, strict=True)
        ]
        return sa.tuple_(*compared).in_(
            sa.select(*(sa.func.unnest(sa.literal(*pair)) for pair in zip(each, known, strict=True)))
        )

    def any_row(
        self, columns: Sequence[Column], fields: Sequence[Field], given: Sequence[tuple[Any, ...]]
    ) -> Condition:
        """The same, row for row: for few of them."""
        rows = (zip(columns, fields, row, strict=True) for row in given)
        return sa.or_(
            sa.false(),
            *(sa.and_(*(self.equals(column, field, item) for column, field, item in row)) for row in rows),
        )

    def same(self, left: Column, left_field: Field, right: Column, right_field: Field) -> Condition:
        """Condition that two columns are equal, or both null."""
        if left_field.stored == "text":
            return self.text(left, left_field).is_not_distinct_from(self.text(right, right_field))
        return self.day(left, left_field, right_field).is_not_distinct_from(
            self.day(right, right_field, left_field)
        )

    def day(self, column: Column, field: Field, other: Field) -> Column:
        """The column as it is compared with the other one: a day is its midnight in UTC also where the session has another zone."""
        column = day_shown(column, field)
        placed = field.stored == "date" and other.zone and self.name == "postgresql"
        return sa.func.timezone("UTC", sa.cast(column, sa.DateTime(timezone=False))) if placed else column

    def ordered(self, left: Column, operator: str, right: Column) -> Condition:
        """`left operator right` for one of < <= > >=."""
        match operator:
            case "<":
                return left < right
            case "<=":
                return left <= right
            case ">":
                return left > right
        return left >= right

    def order(self, column: Column, field: Field, operator: str, given: Any) -> Condition:
        """`column operator value`, the value in the driver's form."""
        if isinstance(given, datetime):  # untyped, else the driver would make a day of the moment
            column = sa.type_coerce(day_shown(column, field), NullType())
        elif field.native == MIDNIGHT and operator in (">", "<="):
            return self.ordered(column, {">": ">=", "<=": "<"}[operator], value(_next_day(given)))
        return self.ordered(column, operator, value(self.anchored(field, given)))

    def order_columns(
        self, left: Column, left_field: Field, operator: str, right: Column, right_field: Field
    ) -> Condition:
        """`left operator right` of two columns."""
        return self.ordered(
            self.day(left, left_field, right_field), operator, self.day(right, right_field, left_field)
        )

    def starts(self, column: Column, field: Field, given: str) -> Condition:
        """Condition that the text begins with this, case-sensitive."""
        return self.text(column, field).startswith(given, autoescape=True)

    def ends(self, column: Column, field: Field, given: str) -> Condition:
        """Condition that the text ends with this, case-sensitive."""
        return self.text(column, field).endswith(given, autoescape=True)

    def contains(self, column: Column, field: Field, given: str) -> Condition:
        """Condition that the text contains this, case-sensitive."""
        return self.text(column, field).contains(given, autoescape=True)

    def finds(self, column: Column, field: Field, given: str, *, start: bool = False) -> Condition:
        """Condition that the text contains (`start`: begins with) this, ignoring case: for searches."""
        pattern = given.replace("/", "//").replace("%", "/%").replace("_", "/_")
        return self.text(column, field).ilike(value(f"{pattern}%" if start else f"%{pattern}%"), escape="/")

    def in_any_case(self, column: Column, field: Field, given: list[str]) -> Condition:
        """Condition that the text is one of these, which are in small letters, ignoring case."""
        return sa.func.lower(self.text(column, field)).in_([value(item) for item in given])

    def ending_in(self, column: Column, field: Field, length: int, given: list[str]) -> Condition:
        """Condition that the last so many digits of the telephone number are one of these, whatever stands between them."""
        return self.last(without_blanks(self.text(column, field)), length).in_(
            [value(item) for item in given]
        )

    def last(self, column: Column, length: int) -> Column:
        """The last letters of the text."""
        return sa.func.right(column, length)

    def holds(self, column: Column, field: Field, given: Any) -> Condition:
        """Condition that a list column contains this value."""
        if (
            field.native == "enum[]"
            and field.options is not None
            and all(option.value != given for option in field.options)
        ):
            return self.no_row()
        if given is None:
            return sa.func.array_position(column, value(given)).is_not(None)
        return sa.func.coalesce(
            value(given) == sa.func.any(column), sa.false()
        )  # unlike `array_position`, also in lists of lists

    def comparable(self, column: Column, field: Field) -> Column:
        """The column in the form in which `order` compares it."""
        return column

    def nulls_first(self, *, descending: bool) -> bool:
        """Whether nulls come first in this order. Each database's default, which its indexes follow."""
        return descending


def day_shown(column: Column, field: Field) -> Column:
    """The column as what is shown of it: of moments that are days their day, should one have a time after all."""
    return sa.cast(column, sa.Date) if field.native == MIDNIGHT else column


def _next_day(given: str | date) -> str | date:
    """The day after this one, in the same form; of the last one its end."""
    day = given if isinstance(given, date) else date.fromisoformat(given)
    if day == date.max:
        return "9999-12-31 23:59:59.999999"
    return day + timedelta(days=1) if isinstance(given, date) else (day + timedelta(days=1)).isoformat()


def _single(given: float | Decimal) -> float:
    """The single-precision number closest to this one: 0.1 in such a column differs from 0.1 in double precision."""
    try:
        return float(struct.unpack("f", struct.pack("f", given))[0])
    except OverflowError:
        return math.copysign(math.inf, given)


class WithoutLists(Dialect):
    """What SQLite and MySQL have in common: no column holds a list, and nulls come first in ascending order."""

    @override
    def holds(self, column: Column, field: Field, given: Any) -> Condition:
        return self.no_row()

    @override
    def nulls_first(self, *, descending: bool) -> bool:
        return not descending


class SQLite(WithoutLists):
    """Column types do not constrain values there, so values are checked before they are compared."""

    name = "sqlite"

    @override
    def told_apart(self, column: Column, field: Field) -> Column:
        return column.collate("BINARY") if field.stored == "text" else self._day(column, field)

    @override
    def anchored(self, field: Field, given: Any) -> Any:
        return given

    @override
    def sound(self, column: Column, field: Field) -> Condition | None:
        if field.stored in {"integer", "decimal"}:
            return sa.func.typeof(column).in_(["integer", "real"])
        if field.stored == "date":
            return column.op("GLOB")(value("[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"))
        return (
            sa.func.typeof(column) == "text"
            if field.stored in {"text", "datetime", "time"} and field.native != "mixed"
            else None
        )

    @override
    def text(self, column: Column, field: Field) -> Column:
        if field.native == "mixed":
            column = sa.cast(column, sa.Text)
        return sa.func.lower(column) if field.stored == "uuid" else column.collate("BINARY")

    @override
    def comparable(self, column: Column, field: Field) -> Column:
        if field.stored == "datetime":
            return (
                sa.func.console_utc(_as_bytes(column), field.zone)
                if field.zone
                else sa.func.strftime("%Y-%m-%d %H:%M:%f", column)
            )
        return sa.func.substr(column, 1, 10) if field.stored == "date" else column

    @override
    def equals(self, column: Column, field: Field, given: Any) -> Condition:
        if field.stored in {"date", "datetime"}:
            return self.comparable(column, field) == value(given)
        return (self.text(column, field) if field.stored in {"text", "uuid"} else column) == value(given)

    @override
    def is_raw(self, column: Column, field: Field, given: str | bytes) -> Condition:
        number = number_of(given) if isinstance(given, str) else None
        if number is None:
            return column == value(given)
        small = number == int(number) and -INT64 <= number < INT64
        same = column == value(int(number) if small else float(number))
        return sa.or_(column == value(given), sa.and_(sa.func.typeof(column) != "text", same))

    @override
    def one_of(self, column: Column, field: Field, given: list[Any]) -> Condition:
        if not given:
            return self.no_row()
        if field.stored == "decimal" and field.scale:
            return sa.or_(*(self.equals(column, field, item) for item in given))
        compared = (
            self.text(column, field) if field.stored in {"text", "uuid"} else self.comparable(column, field)
        )
        if len(given) > MANY and set(map(type, given)) <= {str, int}:
            return compared.in_(sa.select(sa.func.json_each(json.dumps(given)).table_valued("value").c.value))
        return compared.in_([value(item) for item in given])

    @override
    def rows_of(
        self, columns: Sequence[Column], fields: Sequence[Field], given: Sequence[tuple[Any, ...]]
    ) -> Condition:
        if len(given) <= FEW or not all(type(item) in (str, int) for row in given for item in row):
            return self.any_row(columns, fields, given)
        compared = [
            self.text(column, field) if field.stored in {"text", "uuid"} else self.comparable(column, field)
            for column, field in zip(columns, fields, strict=True)
        ]
        rows = sa.func.json_each(json.dumps(given)).table_valued("value")
        return sa.tuple_(*compared).in_(
            sa.select(*(sa.func.json_extract(rows.c.value, f"$[{place}]") for place in range(len(fields))))
        )

    @override
    def same(self, left: Column, left_field: Field, right: Column, right_field: Field) -> Condition:
        pair = [
            self.text(item, field)
            if field.stored == "text"
            else self._moment(item, field, left_field, right_field)
            for item, field in ((left, left_field), (right, right_field))
        ]
        return pair[0].is_not_distinct_from(pair[1])

    @override
    def order(self, column: Column, field: Field, operator: str, given: Any) -> Condition:
        if field.stored == "date" and isinstance(given, str) and len(given) > 10:
            return self.ordered(
                sa.func.strftime("%Y-%m-%d %H:%M:%f", self._day(column, field)), operator, value(given)
            )
        return self.ordered(self.comparable(column, field), operator, value(given))

    @override
    def order_columns(
        self, left: Column, left_field: Field, operator: str, right: Column, right_field: Field
    ) -> Condition:
        return self.ordered(
            self._moment(left, left_field, left_field, right_field),
            operator,
            self._moment(right, right_field, left_field, right_field),
        )

    def _moment(self, column: Column, field: Field, *both: Field) -> Column:
        """A day compared with a moment counts as its midnight."""
        if field.stored == "date" and {item.stored for item in both} == {"date", "datetime"}:
            return sa.func.strftime("%Y-%m-%d %H:%M:%f", self._day(column, field))
        return self.comparable(column, field)

    def _day(self, column: Column, field: Field) -> Column:
        return self.comparable(column, field) if field.native == MIDNIGHT else column

    @override
    def starts(self, column: Column, field: Field, given: str) -> Condition:
        return sa.func.substr(column, 1, len(given)).collate("BINARY") == value(given)

    @override
    def ends(self, column: Column, field: Field, given: str) -> Condition:
        return sa.and_(
            sa.func.length(column) >= len(given),
            sa.func.substr(column, -len(given)).collate("BINARY") == value(given),
        )

    @override
    def contains(self, column: Column, field: Field, given: str) -> Condition:
        return sa.func.instr(column, value(given)) > 0

    @override
    def finds(self, column: Column, field: Field, given: str, *, start: bool = False) -> Condition:
        found = sa.func.instr(sa.func.console_lower(_as_bytes(column)), value(given.lower()))
        return found == 1 if start else found > 0

    @override
    def last(self, column: Column, length: int) -> Column:
        return sa.func.substr(column, -length)

    @override
    def in_any_case(self, column: Column, field: Field, given: list[str]) -> Condition:
        """Of ASCII letters SQLite knows the other case itself, twenty times as fast: a whole table is read for this."""
        ascii_only, others = ([item for item in given if item.isascii() == plain] for plain in (True, False))
        return sa.or_(
            column.collate("NOCASE").in_([value(item) for item in ascii_only]),
            sa.func.console_lower(_as_bytes(column)).in_([value(item) for item in others])
            if others
            else sa.false(),
        )


def _as_bytes(column: Column) -> Column:
    """The column as it is handed to a function of ours: SQLite's driver refuses a text that is not UTF-8 before it calls one."""
    return sa.cast(column, sa.LargeBinary)
