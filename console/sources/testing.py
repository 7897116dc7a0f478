"""Testing a connection before anything is stored: whether it answers, what can be read, and otherwise why not and what to do."""

import os
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from console import log
from console.auth import access
from console.core.actor import Actor
from console.core.plain_words import slug
from console.infra import settings
from console.records import connect, diagnosis, portable_address, reflect, source_zones
from console.records.connection_terms import Terms
from console.records.diagnosis import Trouble
from console.sources import addresses, bookkeeping

TEST_S = 5
SUPERUSER = "The user may do everything on the server. Give the console one of its own, that may only do what people are to do through it."
KINDS = {"postgresql": "PostgreSQL", "mysql": "MySQL", "sqlite": "SQLite"}


@dataclass(frozen=True, slots=True)
class Table:
    """A readable table or view. `place` is its name, with its schema if that is not the default one."""

    place: str
    schema: str | None
    name: str
    kind: str

    @property
    def kept_by(self) -> str:
        """The tool that keeps it for itself; empty for a table of people's."""
        return bookkeeping.kept_by(self.name)


@dataclass(frozen=True, slots=True)
class Tested:
    """The result of a test. `trouble`: why it failed; otherwise `server` is the database's version and `tables` what can be read.

    `read_only`: nothing can be written there anyway; `notes` are hints; `ms` is the duration; `zone` is that of the server's clock, "" if unknown.
    """

    dialect: str
    place: str
    trouble: Trouble | None = None
    server: str = ""
    tables: Sequence[Table] = ()
    read_only: bool = False
    notes: Sequence[str] = ()
    ms: int = 0
    zone: str = ""

    @property
    def ok(self) -> bool:
        """Whether it can be connected."""
        return self.trouble is None

    @property
    def own(self) -> list[Table]:
        """Tables of people's, without what tools keep for themselves."""
        return [table for table in self.tables if not table.kept_by]

    @property
    def schemas(self) -> list[str]:
        """Schemas with readable tables, in order; empty for databases without schemas."""
        return sorted({table.schema for table in self.tables if table.schema is not None})


def attempt(url: str) -> Tested:
    """Connect once, list readable tables, and disconnect. Raises only Invalid, for an invalid address."""
    address = addresses.read(url)
    begun = time.monotonic()
    made = connect.create(
        address, Terms(pool=1, overflow=0, connect_s=TEST_S, statement_s=TEST_S, read_only=True)
    )
    answer = Tested(address.get_backend_name(), place_of(address))
    try:
        with made.connect() as connection:
            answer = _looked(connection, answer, address)
    except Exception as error:  # noqa: BLE001 - whatever a driver raises, the person is told what it means
        answer = replace(answer, trouble=diagnosis.diagnose(getattr(error, "orig", None) or error, address))
    finally:
        made.dispose()
    return replace(answer, ms=round((time.monotonic() - begun) * 1000))


def try_source(url: str, *, by: Actor, source: str | None = None) -> Tested:
    """`attempt` for somebody who manages data sources, noted in the log. Raises Invalid, NotAllowed."""
    if by.kind != "system":
        access.require(by, None, "source", "manage")
    if source is None:
        portable_address.require_place(addresses.read(url), typed=by.kind != "system")
    found = attempt(url)
    open_ = {
        "source": source,
        "dialect": found.dialect,
        "ok": found.ok,
        "code": found.trouble.code if found.trouble else None,
        "count": len(found.tables),
    }
    log.note(
        by,
        "source_tested",
        open={name: value for name, value in open_.items() if value is not None},
        sealed={"place": found.place},
        chain="sys:config",
    )
    return found


def suggested(url: str, taken: Collection[str]) -> str:
    """A free name for the source, from the name of its database or file."""
    address = connect.address(url)
    text = (
        Path(str(address.database)).stem if address.get_backend_name() == "sqlite" else str(address.database)
    )
    plain = slug(text, "_")[:50]
    first = plain if plain[:1].isalpha() else f"db_{plain}".rstrip("_")
    return next(
        name
        for name in (first, *(f"{first}_{number}" for number in range(2, len(taken) + 3)))
        if name not in taken
    )


def demo_shop() -> str:
    """The path of the shop that the demo brings to be connected; empty without one."""
    configured = settings.current()
    file = configured.data_dir / portable_address.SHOP / "shop.db"
    return str(file) if configured.demo and file.is_file() else ""


def place_of(address: URL) -> str:
    """The URL for display: without password, with the kind of database in words."""
    if address.get_backend_name() == "sqlite":
        return f"sqlite:///{address.database}"  # a path as people type it
    return address.set(drivername=address.get_backend_name()).render_as_string(hide_password=True)


def _looked(connection: Connection, answer: Tested, address: URL) -> Tested:
    kind = answer.dialect
    found = [
        Table(reflect.place(schema, name), schema, name, "view" if view else "table")
        for schema, name, view in reflect.names(connection)
    ]
    read_only, notes = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}[kind](
        connection, address
    )
    zone = _zone(connection) if kind != "sqlite" else ""
    answer = replace(
        answer, server=reflect.server(connection), tables=found, read_only=read_only, notes=notes, zone=zone
    )
    if found:
        return answer
    who = address.username or "The console"
    mend = {
        "postgresql": f"Its administrator runs: GRANT USAGE ON SCHEMA public TO {who}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {who};",
        "mysql": f"Its administrator grants it: GRANT SELECT ON {address.database}.* TO {who};",
        "sqlite": "Look whether this is the file that was meant.",
    }[kind]
    happened = (
        "The file holds no table."
        if kind == "sqlite"
        else f"It answers, but {who} may read no table there, or there is none."
    )
    return replace(
        answer, trouble=Trouble("nothing_to_read", happened, mend, "database" if kind == "sqlite" else "user")
    )


def _zone(connection: Connection) -> str:
    """The zone of the server's clock; empty for one that names no place."""
    if connection.dialect.name == "postgresql":
        names = [
            connection.exec_driver_sql("select reset_val from pg_settings where name = 'TimeZone'").scalar()
        ]
    else:
        names = list(connection.exec_driver_sql("select @@global.time_zone, @@system_time_zone").one())
    return next(
        (str(name) for name in names if name in source_zones.zones() and name not in source_zones.IN_UTC), ""
    )


def _postgresql(connection: Connection, _: URL) -> tuple[bool, list[str]]:
    standby, superuser = connection.execute(
        sa.text("select pg_is_in_recovery(), rolsuper from pg_roles where rolname = current_user")
    ).one()
    writes = connection.execute(reflect.WRITABLE).scalar_one()
    notes = [SUPERUSER] if superuser else []
    return bool(standby or not writes), [
        *notes,
        "The server is a standby: it takes no changes.",
    ] if standby else notes


def _mysql(connection: Connection, address: URL) -> tuple[bool, list[str]]:
    fixed = connection.exec_driver_sql("select @@global.read_only").scalar_one()
    granted = [str(row[0]) for row in connection.exec_driver_sql("show grants")]
    rights = " ".join(line.partition(" ON ")[0] for line in granted)
    writes = any(word in rights for word in ("INSERT", "UPDATE", "DELETE", "ALL PRIVILEGES"))
    everything = any("ALL PRIVILEGES ON *.*" in line for line in granted)
    return bool(fixed) or not writes, ([SUPERUSER] if everything else []) + _clear(connection, address)


def _clear(connection: Connection, address: URL) -> list[str]:
    near = (address.host or "localhost") in {
        "localhost",
        "127.0.0.1",
        "::1",
    } or "unix_socket" in address.query
    cipher = connection.exec_driver_sql("show session status like 'Ssl_cipher'").first()
    if near or (cipher is not None and cipher[1]):
        return []
    return [
        "The connection is not encrypted. Add ?ssl_ca=/path/of/ca.pem where the way to the server is not yours alone."
    ]


def _sqlite(_: Connection, address: URL) -> tuple[bool, list[str]]:
    return not os.access(str(address.database), os.W_OK), []
