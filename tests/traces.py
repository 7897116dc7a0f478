"""Where a text still stands: every row of every table, the server's samples of columns, the files of a folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_TABLES = "select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'm', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1, 2"
_SAMPLES = "select schemaname || '.' || tablename || '.' || attname, to_jsonb(s)::text from pg_stats s where schemaname in ('console', 'queue')"


def in_tables(connection: Connection, marker: str) -> list[str]:
    """`schema.table: column` of every value that holds the marker, as text or in its bytes."""
    found = set()
    for schema, table in connection.execute(sa.text(_TABLES)).all():
        for (row,) in connection.execute(sa.text(f'select to_jsonb(t) from "{schema}"."{table}" t')):
            found |= {f"{schema}.{table}: {column}" for column, value in row.items() if _holds(value, marker)}
    return sorted(found)


def in_samples(connection: Connection, marker: str) -> list[str]:
    """Columns of which the server shows this role samples that hold the marker."""
    return sorted(name for name, told in connection.execute(sa.text(_SAMPLES)) if _holds(told, marker))


def in_files(folders: Iterable[Path], marker: str) -> list[str]:
    """Files whose name or bytes hold the marker."""
    return sorted(
        str(path)
        for path in _files(folders)
        if _holds(path.name, marker) or marker.encode() in path.read_bytes().lower()
    )


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


def _holds(value: Any, marker: str) -> bool:
    """In any case of letters; bytes come as hexadecimal digits, whatever case the marker had in them."""
    told = str(value).lower()
    spelled = {marker.encode().hex(), marker.upper().encode().hex(), marker.capitalize().encode().hex()}
    return marker in told or any(one in told for one in spelled)
