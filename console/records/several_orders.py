"""The order of a list by several columns, each up or down, as SQL: what to order by, and what lies beyond a record.

A nullable column is two terms: whether it is null, where the database itself puts nulls, and its value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from console.records.dialects import Condition
from console.records.sql_tables import Table


@dataclass(frozen=True, slots=True)
class Term:
    """A part of the order. `bound` is the value of the record from which a page goes on; None: it is null there, and only its rank counts."""

    by: ColumnElement[Any]
    compared: ColumnElement[Any]
    bound: ColumnElement[Any] | None
    down: bool


def terms(
    table: Table,
    places: Sequence[tuple[str, bool]],
    anchor: Sequence[tuple[Any, ColumnElement[Any]]] | None,
    *,
    backwards: bool,
) -> list[Term]:
    """The terms of the order by these (column, descending), read backwards or not; `anchor` has value and parameter of each column."""
    found = []
    for number, (name, descending) in enumerate(places):
        field, column = table.field(name), table.columns[name]
        value, bound = anchor[number] if anchor is not None else (None, None)
        if field.may_be_empty and name not in table.collection.key:
            first = table.dialect.nulls_first(descending=descending)
            rank = sa.case(
                (column.is_(None), sa.literal_column("0" if first else "1")),
                else_=sa.literal_column("1" if first else "0"),
            )
            at: Any = None if anchor is None else sa.literal_column("0" if (value is None) == first else "1")
            found.append(Term(rank, rank, at, backwards))
        found.append(
            Term(
                table.dialect.sorted(column, field),
                table.place(name),
                None if value is None else bound,
                descending != backwards,
            )
        )
    return found


def directed(order: Sequence[Term]) -> list[ColumnElement[Any]]:
    """What to order by."""
    return [term.by.desc() if term.down else term.by.asc() for term in order]


def beyond(order: Sequence[Term]) -> Condition:
    """Condition for the rows after the record of the bounds: equal in the first terms, and past it in the next."""
    equal: list[Condition] = []
    found: list[Condition] = []
    for term in order:
        if term.bound is None:  # null there, and so in every row of the same rank
            continue
        found.append(sa.and_(*equal, term.compared < term.bound if term.down else term.compared > term.bound))
        equal.append(term.compared == term.bound)
    return sa.or_(*found)
