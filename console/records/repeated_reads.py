"""The rows of statements that come again and again: their SQL is written once, and only values change.

A plan includes everything that the statement depends on besides these values. The table is part of it as an object, so a new structure is a new plan.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.records.sql_tables import Table

MOST_KEPT = 500
ENDED = (psycopg.errors.AdminShutdown, psycopg.errors.CrashShutdown)
"""What the server says as it ends a connection; the driver may not have seen its end yet."""
ALIKE = {"integer": int, "text": str}
"""Kinds of columns for which "equals this value" is the same SQL for all values of this type."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement's SQL and parameters, and the values that it was made of; `places` are the parameters that hold these, once that is known."""

    text: str
    parameters: dict[str, Any]
    values: tuple[Any, ...]
    places: tuple[str, ...] = ()


_written: dict[Hashable, _Written] = {}


def alike(table: Table, names: Sequence[str], values: Sequence[Any]) -> bool:
    """Whether a condition that these columns equal these values differs from others like it in the values alone."""
    fields = [table.collection.by_name[name] for name in names]
    same = all(type(value) is ALIKE.get(field.stored) and field.native != "enum" for field, value in zip(fields, values, strict=True))
    return same and table.dialect.name == "postgresql"


def rows_again(plan: Hashable, make: Callable[[], Any], values: Sequence[Any]) -> Callable[[Connection], list[Any]]:
    """A function that gives the rows of the statement, in which nothing but these values changes.

    Its SQL is kept once two statements with other values were the same, and differed in just the parameters that hold these.
    """

    def rows(connection: Connection) -> list[Any]:
        kept = _written.get(plan)
        if kept is not None and kept.values == tuple(values):
            return driver_rows(connection, kept.text, kept.parameters)
        if kept is not None and kept.places:
            moved = dict(zip(kept.places, values, strict=True))
            return driver_rows(connection, kept.text, kept.parameters | moved)
        compiled = make().compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        made = _Written(str(compiled), dict(compiled.params), tuple(values))
        if len(_written) >= MOST_KEPT:
            _written.clear()
        _written[plan] = replace(made, places=_places(kept, made)) if kept is not None else made
        return driver_rows(connection, made.text, made.parameters)

    return rows


def driver_rows(connection: Connection, text: str, parameters: dict[str, Any]) -> list[Any]:
    """The rows as the driver gives them, which is what a textual statement has in SQLAlchemy too, for half of the time. Raises SQLAlchemy's errors."""
    if connection._has_events or connection.engine._has_events:  # somebody listens to what is sent
        return list(connection.exec_driver_sql(text, parameters).all())
    driver: Any = connection.connection.driver_connection
    try:
        return list(driver.execute(text, parameters).fetchall())
    except psycopg.Error as error:
        gone = bool(driver.closed or driver.broken) or isinstance(error, ENDED)
        if gone:
            connection.invalidate(error)
            connection.engine.dispose()  # whoever asks again gets a new connection: a server that restarted has ended them all
        raise sa.exc.DBAPIError.instance(
            text, parameters, error, psycopg.Error, connection_invalidated=gone, dialect=connection.dialect
        ) from error


def _places(one: _Written, other: _Written) -> tuple[str, ...]:
    """The parameters in which the two differ, if these are their values in order, and nothing else differs."""
    if one.text != other.text or one.parameters.keys() != other.parameters.keys():
        return ()
    moved = tuple(name for name in one.parameters if one.parameters[name] != other.parameters[name])
    return moved if all(tuple(each.parameters[name] for name in moved) == each.values for each in (one, other)) else ()
