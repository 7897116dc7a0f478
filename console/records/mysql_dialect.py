"""How MySQL and MariaDB differ (`console.records.dialects`)."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from console.core.documents.collections import Field
from console.core.documents.collections.field_guesses import MIDNIGHT
from console.records.dialects import Column, Condition, WithoutLists, day_shown, value

SORTED_LETTERS = 255


class MySQL(WithoutLists):
    """Default collations treat `a` and `A` as equal and ignore trailing blanks: an exact comparison is added to the one that uses the index."""

    name = "mysql"

    @override
    def holds(self, column: Column, field: Field, given: Any) -> Condition:
        """Condition that a SET has this member. Only a member of the type is asked for: the collation would take `VIP` for `vip`."""
        member = (
            field.native == "set"
            and field.options is not None
            and any(option.value == given for option in field.options)
        )
        return sa.func.coalesce(sa.func.find_in_set(value(given), column), 0) > 0 if member else self.no_row()

    @override
    def sound(self, column: Column, field: Field) -> Condition | None:
        return None

    @override
    def anchored(self, field: Field, given: Any) -> Any:
        return given

    @override
    def place(self, column: Column, field: Field) -> Column:
        """An enum is sorted by number and compared as text; a `float` is shown with six digits but stored with more; bits arrive as bytes."""
        return (
            column + sa.literal_column("0e0")
            if field.native in {"enum", "float4", "bit1"}
            else self.sorted(column, field)
        )

    @override
    def told_apart(self, column: Column, field: Field) -> Column:
        """Text as its bytes, which have to be read as text again; an enum or SET has each of its words once."""
        shown = (
            _bytes(column)
            if field.stored == "text" and field.native not in {"enum", "set"}
            else _as_shown(column, field)
        )
        return day_shown(shown, field)

    @override
    def sorted(self, column: Column, field: Field) -> Column:
        """The beginning of a long text: the server sorts by a prefix only, but compares the whole."""
        long = (
            field.stored == "text"
            and field.native != "enum"
            and (field.max_length is None or field.max_length > SORTED_LETTERS)
        )
        return sa.func.left(column, SORTED_LETTERS) if long else column

    @override
    def text(self, column: Column, field: Field) -> Column:
        return _bytes(column)

    @override
    def equals(self, column: Column, field: Field, given: Any) -> Condition:
        if field.native == MIDNIGHT:
            return super().equals(column, field, given)
        if field.stored != "text":
            return _as_shown(column, field) == value(given)
        if field.native == "narrow" and not given.isascii():
            return _bytes(column) == _letters(given)
        return sa.and_(column == value(given), _bytes(column) == _letters(given))

    @override
    def nothing(self, column: Column, field: Field) -> Condition:
        return (
            sa.or_(column.is_(None), self.equals(column, field, ""))
            if self.may_be_blank(field)
            else column.is_(None)
        )

    @override
    def something(self, column: Column, field: Field) -> Condition:
        return (
            sa.and_(column.is_not(None), sa.not_(self.equals(column, field, "")))
            if self.may_be_blank(field)
            else column.is_not(None)
        )

    @override
    def may_be_blank(self, field: Field) -> bool:
        return field.stored == "text"

    @override
    def is_raw(self, column: Column, field: Field, given: str | bytes) -> Condition:
        return column == value(given)

    @override
    def one_of(self, column: Column, field: Field, given: list[Any]) -> Condition:
        if not given:
            return self.no_row()
        if field.stored != "text":
            return day_shown(_as_shown(column, field), field).in_([value(item) for item in given])
        if field.native == "narrow" and not all(item.isascii() for item in given):
            return _bytes(column).in_([_letters(item) for item in given])
        return sa.and_(
            column.in_([value(item) for item in given]),
            _bytes(column).in_([_letters(item) for item in given]),
        )

    @override
    def rows_of(
        self, columns: Sequence[Column], fields: Sequence[Field], given: Sequence[tuple[Any, ...]]
    ) -> Condition:
        return self.any_row(columns, fields, given)

    @override
    def same(self, left: Column, left_field: Field, right: Column, right_field: Field) -> Condition:
        pair = (
            (_bytes(left), _bytes(right))
            if left_field.stored == "text"
            else (day_shown(left, left_field), day_shown(right, right_field))
        )
        return pair[0].op("<=>", is_comparison=True)(pair[1])

    @override
    def order(self, column: Column, field: Field, operator: str, given: Any) -> Condition:
        return super().order(_as_shown(column, field), field, operator, given)

    @override
    def starts(self, column: Column, field: Field, given: str) -> Condition:
        return sa.func.locate(_letters(given), _bytes(column)) == 1

    @override
    def ends(self, column: Column, field: Field, given: str) -> Condition:
        size = len(given.encode())
        return sa.func.right(_bytes(column), size) == _letters(given)

    @override
    def contains(self, column: Column, field: Field, given: str) -> Condition:
        return sa.func.locate(_letters(given), _bytes(column)) > 0

    @override
    def finds(self, column: Column, field: Field, given: str, *, start: bool = False) -> Condition:
        found = sa.func.locate(sa.func.lower(value(given)), sa.func.lower(_wide(column)))
        return found == 1 if start else found > 0

    @override
    def in_any_case(self, column: Column, field: Field, given: list[str]) -> Condition:
        return _bytes(sa.func.lower(_wide(column))).in_([_letters(item) for item in given])


def _as_shown(column: Column, field: Field) -> Column:
    """A `float` as the number that the server shows: otherwise nobody finds the 0.1 shown in the list."""
    return (
        sa.func.concat(column, type_=sa.Float) + sa.literal_column("0e0")
        if field.native == "float4"
        else column
    )


def _wide(column: Column) -> Column:
    """The text in UTF-8, whatever the column's character set: otherwise letters outside it cannot be compared."""
    return sa.func.convert(column.op("USING")(sa.literal_column("utf8mb4")))


def _letters(given: str) -> Column:
    """The text as bytes. As text the server would take values that differ only in case for the same, and drop one."""
    return value(given.encode("utf-8", "surrogatepass"))


def _bytes(column: Column) -> Column:
    """The text as its UTF-8 bytes, so that only identical letters are equal."""
    return sa.cast(_wide(column), sa.BINARY)
