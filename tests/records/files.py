"""A SQLite file as a data source of this process alone: reflected and assembled as a source is, without the console's own database."""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from console.core.documents.collections import Collection, Stored, assemble
from console.infra import settings, subjects
from console.records import catalogue, connect, reflect
from console.records.catalogue import Catalogue, Source

KEYS = {
    name: secrets.token_urlsafe(32)
    for name in ("CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY")
}


@contextmanager
def keyed() -> Iterator[None]:
    """Keys of this test's own, so that cursors can be signed and addresses sealed."""
    with patch.dict(os.environ, KEYS):
        _forget()
        yield
    _forget()


def _forget() -> None:
    settings.current.cache_clear()


def structures(folder: Path, script: str) -> dict[str, dict[str, Any]]:
    """What reflection finds in a new file that the script filled, by table."""
    made = connect.create(connect.address(write(folder, script)))
    with made.connect() as connection:
        found = reflect.structures(connection)
    made.dispose()
    return {item["table"]: item for item in found}


def write(folder: Path, script: str) -> str:
    """The URL of a new file that the script filled."""
    file = folder / f"{secrets.token_hex(4)}.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(script)
    connection.close()
    return f"sqlite:///{file}"


def assembled(
    folder: Path, script: str, documents: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Collection]:
    """The collections of a new file by table; `documents` by table."""
    found = structures(folder, script)
    return assemble(
        [Stored(table, "file", item, (documents or {}).get(table, {})) for table, item in found.items()]
    )


@contextmanager
def opened(
    folder: Path,
    script: str,
    documents: Mapping[str, Mapping[str, Any]] | None = None,
    rows: Mapping[str, Sequence[Sequence[Any]]] | None = None,
) -> Iterator[dict[str, Collection]]:
    """The same, ready to be listed and read by `console.records`; `rows` are put into their tables first."""
    url = write(folder, script)
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        for table, many in (rows or {}).items():
            if many:
                connection.executemany(
                    f'insert into "{table}" values ({", ".join("?" * len(many[0]))})', many
                )
    connection.close()
    with connected(url, documents) as found:
        yield found


@contextmanager
def connected(
    url: str, documents: Mapping[str, Mapping[str, Any]] | None = None
) -> Iterator[dict[str, Collection]]:
    """The tables of a database of whatever kind, ready to be listed and read by `console.records`."""
    with keyed():
        made = connect.create(connect.address(url))
        with made.connect() as reflected:
            found = {item["table"]: item for item in reflect.structures(reflected)}
            dialect = next(iter(found.values()))["dialect"]
        made.dispose()
        kept = [
            Stored(table, "file", item, (documents or {}).get(table, {})) for table, item in found.items()
        ]
        place = catalogue.sealed_at("file")
        sources = {"file": Source("file", dialect, subjects.wrap(url.encode(), place), place)}
        known = Catalogue(1, sources, assemble(kept))
        with patch.object(catalogue, "current", lambda: known):
            try:
                yield dict(known.collections)
            finally:
                connect.dispose()
