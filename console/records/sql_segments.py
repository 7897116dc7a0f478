"""Segments that are a SELECT: the keys that it gives, as a condition of the list.

Whose list it is decides what the SELECT sees: each of its tables is their part of that collection, so that it tells nothing that they may not
see. It is parsed as every SELECT of ours (`sql_question`): one statement, known tables, harmless functions. It runs as a part of the list's
own statement, under the list's limits of time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection
from console.core.errors import Malformed
from console.core.scopes import Scope
from console.records import catalogue, local_clock, refusals, sql_question, time_limit
from console.records.dialects import Condition
from console.records.record_pages import read
from console.records.sql_tables import Table, table_of

if TYPE_CHECKING:
    from sqlglot import exp

SECONDS = 3.0
MOST_COUNTED = 10_000

Reach: TypeAlias = Callable[[Collection], Scope | None]
"""A reader's scope of a collection; None if they may not browse it."""


@dataclass(frozen=True, slots=True)
class KeySelect:
    """A SELECT of keys, with what its reader may see."""

    sql: str
    reach: Reach

    def condition(self, table: Table) -> Condition:
        """True for the records whose key the SELECT gives. Raises Malformed for a SELECT that is not allowed.

        It stands before the whole statement: inside of it, a column that its reader may not see could be that of the list's own table.
        """
        collection = table.collection
        tree = parsed(self.sql, collection)
        parts = sql_question.visible_parts(_read_from(tree, collection, self.reach))
        wanted = sa.text(
            sql_question.own_parts_first(tree, collection.dialect, "select * from ({}) as segment_keys")
        )
        given = (
            wanted.columns(*(sa.column(name) for name in collection.key))
            .add_cte(*parts, nest_here=True)
            .cte()
        )
        keys = sa.select(*given.c)
        if (
            collection.dialect == "sqlite"
        ):  # which reads a part where it is used, and finds columns of the list there all the same
            _require_own_columns(keys, collection)
        return table.key[0].in_(keys) if len(table.key) == 1 else sa.tuple_(*table.key).in_(keys)


def _require_own_columns(keys: sa.Select[Any], collection: Collection) -> None:
    """Raises Malformed for a SELECT that names columns which no table of its own has."""

    def prepared(connection: Connection) -> None:
        try:
            connection.execute(keys.limit(0))
        except sa.exc.OperationalError as error:
            if "no such column" not in str(error.orig):
                raise
            raise _wrong(
                f"The database does not take this SELECT: {refusals.first_line(error).rstrip('.')}."
            ) from error

    read(collection, prepared)


def parsed(text: str, collection: Collection) -> "exp.Expression":
    """The tree of a SELECT whose columns are the collection's key. Raises Malformed."""
    from sqlglot import exp

    if not collection.key:
        raise _wrong(f"{collection.label} have no key that a SELECT could give.")
    tree = sql_question.parse(text, collection.dialect)
    named = list(tree.named_selects) if isinstance(tree, exp.Query) else []
    if [name.lower() for name in named] != [name.lower() for name in collection.key]:
        gives = ", ".join(name or "a value without a name" for name in named) or "nothing"
        raise _wrong(
            f"The SELECT must give the key, {', '.join(collection.key)}, and nothing else; this one gives {gives}."
        )
    return tree


def reads(text: str, collection: Collection) -> frozenset[str]:
    """Ids of the collections that the SELECT reads. Raises Malformed for tables that are not connected."""
    found = _read_from(parsed(text, collection), collection, lambda _: Scope(collection.id))
    return frozenset(one.id for one, _ in found.values())


def _read_from(
    tree: "exp.Expression", collection: Collection, reach: Reach
) -> dict[str, tuple[Collection, Scope]]:
    """Replace each table of the tree by the name of a sub-select; returns name → (collection, scope). Raises Malformed."""
    known = {item.id: item for item in catalogue.collections() if item.source == collection.source}
    found = sql_question.rewrite(tree, known, reach)
    if not found:
        raise _wrong("The SELECT reads no table.")
    local_clock.spoken(tree, collection.source, collection.dialect)
    return found


def _wrong(reason: str) -> Malformed:
    return Malformed(reason, at="segment")


def count(chosen: KeySelect, collection: Collection, scope: Scope) -> int:
    """How many records of the scope are in the segment, at most `MOST_COUNTED` + 1, in at most `SECONDS`.

    Raises Malformed with the database's words where it does not take the SELECT, TooSlow, SourceDown.
    """
    table = table_of(collection)
    wanted = chosen.condition(table)
    inner: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(table.table)
        .where(table.in_scope(scope), wanted)
        .limit(MOST_COUNTED + 1)
    )
    statement = sa.select(sa.func.count()).select_from(inner.subquery())

    def counted(connection: Connection) -> int:
        try:
            with time_limit.limit(connection, SECONDS):
                return int(connection.execute(statement).scalar_one())
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise
            raise _wrong(
                f"The database does not take this SELECT: {refusals.first_line(error).rstrip('.')}."
            ) from error

    return read(collection, counted)
