"""Stored values that mean "none" in somebody's database, such as 0 for a moment that never came: read as null, and written where a field is emptied."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from console.core.documents.collections import Field
from console.core.expressions.operands import number_of

CALENDAR = frozenset({"date", "datetime"})
ZERO_DATE = re.compile(r"0000-00-00.*")
"""What MySQL keeps for no day. Servers that take no such day any more compare it with the number 0 alone."""


def without_none(dialect: str, field: Field, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column, null where its value means "none". As literals: an expression of a grouping must be the same text wherever it stands."""
    marks = [
        column == sa.literal_column(_literal(dialect, field, each))
        for each in field.empty_values
        if each is not None
    ]
    return sa.case((sa.or_(*marks), sa.null()), else_=column) if marks else column


def bare_column(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column itself, as its index knows it, also of one that `without` made."""
    return column.else_ if isinstance(column, sa.Case) and column.else_ is not None else column


def written(dialect: str, field: Field) -> int | str | None:
    """What is stored where the field is emptied, in the driver's form."""
    first = field.empty_values[0] if field.empty_values else None
    return _spelled(dialect, field, first) if isinstance(first, str) else first


def _literal(dialect: str, field: Field, given: int | str) -> str:
    if isinstance(given, int):
        return str(given)
    if field.stored in ("integer", "decimal") and (number := number_of(given)) is not None:
        return format(number, "f")
    if dialect == "mysql" and field.stored in CALENDAR and ZERO_DATE.fullmatch(given):
        return "0"
    text = _spelled(dialect, field, given).replace("'", "''")
    return f"'{text.replace(chr(92), chr(92) * 2) if dialect == 'mysql' else text}'"


def _spelled(dialect: str, field: Field, given: str) -> str:
    """The text as the database reads it: MySQL knows no zone of a moment."""
    return (
        given.replace("T", " ").removesuffix("Z")
        if dialect == "mysql" and field.stored == "datetime"
        else given
    )
