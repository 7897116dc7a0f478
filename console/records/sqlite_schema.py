"""Noticing that the schema of a SQLite file changed since this process first read it: no statement fails over a column of another type, and a
filter by it finds nothing.
"""

import sqlite3
from typing import Any, cast

from sqlalchemy.engine import Connection

from console.records.refusals import OTHER_TYPE, changed

TYPES = """
select m.name, c.name, lower(c.type) from sqlite_master m, pragma_table_xinfo(m.name) c
where m.type = 'table' and m.sql not like 'create virtual %'
"""
_seen: dict[str, tuple[Any, dict[tuple[str, str], str]]] = {}
"""Path → (file and number of its schema, (table, column) → declared type)."""


def require_same_types(connection: Connection, name: str) -> None:
    """Raise SourceChanged, once, if a column is of another declared type than when this process last looked."""
    path, opened = str(connection.engine.url.database), cast(Any, connection.connection.driver_connection)
    kept = _seen.get(path)
    try:
        version = (opened.file, opened.execute("pragma schema_version").fetchone())
        if kept is not None and kept[0] == version:
            return
        types = {(table, column): declared for table, column, declared in opened.execute(TYPES)}
    except sqlite3.Error:
        return  # the statement that follows says why
    _seen[path] = (version, types)
    if kept is not None and any(types.get(place, declared) != declared for place, declared in kept[1].items()):
        raise changed(name, OTHER_TYPE, passing=True)
