"""What tells the rows of a table apart that has no primary key: columns that are never empty, and of which the database keeps every value once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Inspector
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import ObjectKind

FIT = frozenset({"text", "integer", "uuid", "date"})
"""How columns of such a key are stored."""
OF_SQLITE = """
select i.name, c.name from pragma_index_list(?) i, pragma_index_xinfo(i.name) c
where i."unique" = 1 and i.partial = 0 and c.key = 1 order by i.name, c.seqno
"""


def find_keys(inspector: Inspector, schema: str | None, structures: Iterable[dict[str, Any]]) -> None:
    """Give the tables without a key one where they have it; asked only where one lacks it."""
    lacking = {
        structure["table"]: structure
        for structure in structures
        if structure["kind"] == "table" and not structure["key"]
    }
    if not lacking:
        return
    indexes = inspector.get_multi_indexes(schema=schema, filter_names=list(lacking), kind=ObjectKind.TABLE)
    for (_, table), listed in indexes.items():
        if table not in lacking:  # MySQL's names with a backtick are returned quoted
            continue
        unique = [index["column_names"] for index in listed if index["unique"] and not _partial(index)]
        lacking[table]["key"] = shortest(lacking[table]["columns"], unique)


def note_single(inspector: Inspector, schema: str | None, structures: Iterable[dict[str, Any]]) -> None:
    """Mark the columns of tables with foreign keys in which the database keeps every value once: `single`."""
    leading = {
        structure["table"]: structure
        for structure in structures
        if structure["kind"] == "table" and structure["foreign_keys"]
    }
    found = (
        inspector.get_multi_indexes(schema=schema, filter_names=list(leading), kind=ObjectKind.TABLE)
        if leading
        else {}
    )
    for (_, table), listed in found.items():
        mark_single(
            leading.get(table),
            (index["column_names"] for index in listed if index["unique"] and not _partial(index)),
        )


def mark_single(structure: Mapping[str, Any] | None, unique: Iterable[Sequence[str | None]]) -> None:
    """Mark the columns that are unique by themselves."""
    alone = {names[0] for names in unique if len(names) == 1}
    for column in structure["columns"] if structure else ():
        if column["name"] in alone:
            column["single"] = True


def single_in_sqlite(connection: Connection, structure: Mapping[str, Any]) -> None:
    """Mark the columns of a table of SQLite with foreign keys in which it keeps every value once."""
    if structure["kind"] == "table" and structure["foreign_keys"]:
        mark_single(structure, _unique_in_sqlite(connection, structure["table"]))


def of_sqlite(connection: Connection, table: str, columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """The key of a table of SQLite that has no primary key; empty where it has none."""
    return shortest(columns, _unique_in_sqlite(connection, table))


def _unique_in_sqlite(connection: Connection, table: str) -> list[list[str | None]]:
    indexes: dict[str, list[str | None]] = {}
    for index, column in connection.exec_driver_sql(OF_SQLITE, (table,)):
        indexes.setdefault(index, []).append(column)
    return list(indexes.values())


def shortest(columns: Sequence[Mapping[str, Any]], unique: Iterable[Sequence[str | None]]) -> list[str]:
    """Of sets of columns that are unique together, the one of fewest columns none of which may be empty; empty without one. None: an expression."""
    fit = {column["name"] for column in columns if not column["nullable"] and column["stored"] in FIT}
    fitting = [[str(name) for name in names] for names in unique if names and fit.issuperset(names)]
    return min(fitting, key=lambda names: (len(names), names), default=[])


def _partial(index: Mapping[str, Any]) -> bool:
    return bool(index.get("expressions") or (index.get("dialect_options") or {}).get("postgresql_where"))
