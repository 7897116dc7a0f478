"""Noticing that the schema of a SQLite file changed since the console looked at it: no statement fails over a column of another type, and a
filter by it finds nothing.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, cast

from sqlalchemy.engine import Connection

from console.records.refusals import OTHER_TYPE, changed

MIXED = "mixed"
"""Native type of columns that hold texts and numbers, which are shown and typed as texts: how they are declared is not kept."""
TYPES = """
select m.name, c.name, c.type from sqlite_master m, pragma_table_xinfo(m.name) c
where m.type = 'table' and m.sql not like 'create virtual %'
"""
Declared: TypeAlias = Mapping[tuple[str, str], str]
"""(table, column) → declared type."""
_seen: dict[tuple[str, str], tuple[Any, Declared]] = {}
"""(source, path) → (file and number of its schema, what is declared in it)."""


def declared_in(structures: Iterable[Mapping[str, Any]]) -> Declared:
    """What these structures, as the console keeps them, say of declared types."""
    return {
        (each["table"], column["name"]): column["native"]
        for each in structures
        if each["dialect"] == "sqlite"
        for column in each["columns"]
        if column["native"] != MIXED
    }


def require_same_types(connection: Connection, name: str, declared: Callable[[], Declared]) -> None:
    """Raise SourceChanged, once, if a column is of another type than when this process last looked, or than the console keeps of it (`declared`)."""
    place, opened = (
        (name, str(connection.engine.url.database)),
        cast(Any, connection.connection.driver_connection),
    )
    kept = _seen.get(place)
    try:
        version = (opened.file, opened.execute("pragma schema_version").fetchone())
        if kept is not None and kept[0] == version:
            return
        types = {(table, column): str(kind).lower() for table, column, kind in opened.execute(TYPES)}
    except sqlite3.Error:
        return  # the statement that follows says why
    _seen[place] = (version, types)
    told = declared()
    known = {**told, **(kept[1] if kept is not None else {})}
    if any(types.get(column, kind) not in (kind, told.get(column, kind)) for column, kind in known.items()):
        raise changed(name, OTHER_TYPE, passing=True)
