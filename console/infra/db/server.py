"""Databases beside the console's own: made, exchanged for it in one step, dropped. For who restores, with the role that may."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from console.core.errors import Conflict, ConsoleError
from console.infra.db import engine, timelines

MAINTENANCE = ("postgres", "template1")

_MAY = """
select r.rolsuper or (r.rolcreatedb and pg_has_role(current_user, d.datdba, 'usage'))
from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()
"""


@contextmanager
def connected(url: URL) -> Iterator["psycopg.Connection[Any]"]:
    """A connection of its own, each statement its own transaction. Raises ConsoleError where the server does not answer or refuses."""
    try:
        with timelines.connect_url(url, autocommit=True) as connection:
            yield connection
    except psycopg.errors.ObjectInUse as error:
        raise Conflict(
            f"Somebody is connected: {_line(error)}. Stop whatever uses it, then try again.", code="in_use"
        ) from error
    except psycopg.Error as error:
        raise ConsoleError(f"The database server refused: {_line(error)}", code="database") from error


def _line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def administrator() -> URL | None:
    """A database of the server from which databases may be made and renamed, with the role that may; None where no role of ours may."""
    own = engine.migration_url()
    candidates = [engine.admin_url() or own, own, own.difference_update_query(["options"])]
    for url in dict.fromkeys(candidates):
        with connected(url) as connection:
            may = connection.execute(_MAY).fetchone()
        if may and may[0]:
            return _maintenance(url)
    return None


def _maintenance(url: URL) -> URL | None:
    for name in MAINTENANCE:
        try:
            with connected(url.set(database=name)):
                return url.set(database=name)
        except ConsoleError:
            continue
    return None


def exists(name: str) -> bool:
    """Whether the server has a database of this name."""
    with connected(engine.app_url()) as connection:
        return (
            connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is not None
        )


def owner() -> str:
    """To whom the console's database belongs."""
    with connected(engine.app_url()) as connection:
        row = connection.execute(
            "select pg_get_userbyid(datdba) from pg_database where datname = current_database()"
        ).fetchone()
    return str(row[0]) if row else ""


def statements(name: str, belongs_to: str) -> list[sql.Composed]:
    """Statements that create an empty database beside the console's own, with its owner and the same connect rights."""
    logins = {url.username for url in (engine.app_url(), engine.migration_url()) if url.username} - {
        belongs_to
    }
    database = sql.Identifier(name)
    commands = [
        sql.SQL("create database {} owner {} template template0 encoding 'UTF8'").format(
            database, sql.Identifier(belongs_to)
        )
    ]
    if logins:
        commands.append(sql.SQL("revoke all on database {} from public").format(database))
        who = sql.SQL(", ").join(map(sql.Identifier, sorted(logins)))
        commands.append(sql.SQL("grant connect on database {} to {}").format(database, who))
    return commands


def renames(live: str, fresh: str, former: str) -> list[sql.Composed]:
    """Statements that put `fresh` in the place of `live`, which becomes `former`, in one transaction: one of the two always exists."""
    rename = sql.SQL("alter database {} rename to {}")
    return [
        rename.format(sql.Identifier(old), sql.Identifier(new))
        for old, new in ((live, former), (fresh, live))
    ]


def create(admin: URL, name: str, belongs_to: str) -> None:
    """An empty database."""
    with connected(admin) as connection:
        for statement in statements(name, belongs_to):
            connection.execute(statement)


def swap(admin: URL, live: str, fresh: str, former: str) -> None:
    """`fresh` is the live one from now on. Raises Conflict where somebody is connected to one of them: then nothing has changed."""
    with connected(admin) as connection, connection.transaction():
        for statement in renames(live, fresh, former):
            connection.execute(statement)


def drop(admin: URL, name: str) -> None:
    """Without the database, whoever is connected; nothing happens where there is none."""
    with connected(admin) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def spelled(parts: list[sql.Composed]) -> str:
    """The statements as an administrator types them."""
    return "\n".join(f"  {part.as_string()};" for part in parts)
