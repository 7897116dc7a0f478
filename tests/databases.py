"""Databases lent to one test after another: a copy of a template whose rows are put back after each.

To copy a database for every test took longer than most of them. What a test wrote is found by comparing every table with what the template held,
and put back as rows; a test that changed anything else (tables, functions, rights, roles) gets noticed by the system's catalogues, and its database
is thrown away and copied anew.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import sql

from console.infra.postgres import Embedded

OURS = "n.nspname !~ '^(pg_|information_schema$)'"
TABLES: LiteralString = f"select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and {OURS} order by 1, 2"
SEQUENCES: LiteralString = f"select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'S' and {OURS} order by 1, 2"
STUBBORN: LiteralString = (
    "select t.tgrelid::regclass::text, t.tgname from pg_trigger t where t.tgenabled = 'A'"
)
SHAPE: LiteralString = f"""
with n as (select oid, xmin, nspname from pg_namespace n where {OURS}),
c as (select oid, xmin from pg_class where relnamespace in (select oid from n))
select count(*) || ' ' || sum(hashtextextended(what || id || ' ' || at, 0)) from (
    select 'n' as what, oid::text as id, xmin::text as at from n
    union all select 'c', oid::text, xmin::text from c
    union all select 'a', attrelid || ' ' || attnum, xmin::text from pg_attribute where attrelid in (select oid from c)
    union all select 'd', oid::text, xmin::text from pg_attrdef
    union all select 'i', indexrelid::text, xmin::text from pg_index where indrelid in (select oid from c)
    union all select 'o', oid::text, xmin::text from pg_constraint
    union all select 'p', oid::text, xmin::text from pg_proc where pronamespace in (select oid from n)
    union all select 't', oid::text, xmin::text from pg_trigger
    union all select 'y', oid::text, xmin::text from pg_type where typnamespace in (select oid from n)
    union all select 'r', oid::text, xmin::text from pg_policy
    union all select 'x', oid::text, xmin::text from pg_extension
    union all select 'e', oid::text, xmin::text from pg_event_trigger
    union all select 'l', oid::text, xmin::text from pg_default_acl
    union all select 'v', oid::text, xmin::text from pg_rewrite where ev_class in (select oid from c)
    union all select 'u', oid::text, xmin::text from pg_authid
    union all select 'm', roleid || ' ' || member, xmin::text from pg_auth_members
    union all select 's', setdatabase || ' ' || setrole, xmin::text from pg_db_role_setting
    union all select 'b', oid::text, xmin::text from pg_database where datname = current_database()
) as told"""
OTHERS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
"""
PATIENCE_S = 10

Connection: TypeAlias = "psycopg.Connection[Any]"


class Server:
    """The suite's server as its superuser."""

    def __init__(self, pg: Embedded) -> None:
        self.pg = pg
        self.lent: dict[str, Lent] = {}

    def drop(self, name: str) -> None:
        """The database is gone, and whoever was connected to it."""
        self._do("drop database if exists {name} with (force)", name=name)

    def copy(self, name: str, of: str) -> None:
        """A copy of a database that nobody is connected to. What was lent of an earlier one by this name is lent no more."""
        for lent in [lent for lent, kept in self.lent.items() if kept.of == name]:
            self.lent.pop(lent).leave()
        self._do(
            "drop database if exists {name} with (force)",
            "create database {name} template {of} strategy file_copy owner console_owner",
            name=name,
            of=of,
        )

    def lend(self, name: str, of: str) -> None:
        """A database as its template is, whatever was done in it when it was lent before."""
        kept = self.lent.pop(name, None)
        self.leave()
        if kept is None or not kept.put_back():
            if kept is not None:
                kept.leave()
            self.copy(name, of)
            kept = Lent(self.pg.url("postgres", name), of)
        self.lent[name] = kept

    def leave(self) -> None:
        """Nobody of us is connected to what is lent, until it is lent again: for tests that have to be alone with it."""
        for kept in self.lent.values():
            kept.leave()

    def _do(self, *statements: LiteralString, **names: str) -> None:
        """Statements in which `{name}` is the name of a thing."""
        given = {name: sql.Identifier(value) for name, value in names.items()}
        with psycopg.connect(self.pg.url("postgres", "postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**given))


class Lent:
    """A database that is lent again and again. We stay connected while it is lent: half of putting back would be to find out anew what its tables are."""

    def __init__(self, url: str, of: str) -> None:
        self.url, self.of = url, of
        self.kept: Connection | None = None
        with self._connected() as connection:
            self.tables = [sql.Identifier(*row) for row in connection.execute(TABLES).fetchall()]
            self.sequences = [sql.Identifier(*row) for row in connection.execute(SEQUENCES).fetchall()]
            self.stubborn: dict[str, list[sql.Identifier]] = {}
            for table, trigger in connection.execute(STUBBORN).fetchall():
                self.stubborn.setdefault(table, []).append(sql.Identifier(trigger))
            # rows as a multiset: how many, and the sum of their fingerprints
            one = sql.SQL(
                "select {at}::int, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from {table} as t"
            )
            self.look = sql.SQL(" union all ").join(
                one.format(at=sql.Literal(at), table=table) for at, table in enumerate(self.tables)
            )
            last = sql.SQL("select {at}::int, last_value, is_called from {name}")
            self.count = sql.SQL(" union all ").join(
                last.format(at=sql.Literal(at), name=name) for at, name in enumerate(self.sequences)
            )
            self.sums, self.numbers = self._sums(connection), self._numbers(connection)
            self.rows = {at: self._read(connection, at) for at, (count, _) in self.sums.items() if count}
            self.shape = _shape(connection)

    def put_back(self) -> bool:
        """Make the rows those of the template again; False where more than rows was changed, or nobody answers any more."""
        try:
            with suppress(psycopg.OperationalError):  # a test ended whoever was connected
                if self.kept is not None:
                    return self._put_back(self.kept)
            self.leave()
            self.kept = self._connected()
            return self._put_back(self.kept)
        except psycopg.Error:
            return False

    def leave(self) -> None:
        """End the connection that is kept, if there is one."""
        if self.kept is not None:
            self.kept.close()
        self.kept = None

    def _put_back(self, connection: Connection) -> bool:
        if _others(connection) or _shape(connection) != self.shape:
            return False
        with connection.transaction():
            altered = self._restore(connection)
        if altered:
            self.shape = _shape(connection)
        return True

    def _connected(self) -> Connection:
        # no trigger is asked, but those of the log, which always are
        return psycopg.connect(
            self.url, autocommit=True, options="-c session_replication_role=replica -c search_path="
        )

    def _restore(self, connection: Connection) -> bool:
        """Whether the shape is told anew by that: a trigger that always asks was told not to."""
        altered = False
        for at in [at for at, told in self._sums(connection).items() if told != self.sums[at]]:
            table = self.tables[at]
            stubborn = self.stubborn.get(".".join(table._obj), [])
            altered = altered or bool(stubborn)
            for trigger in stubborn:
                connection.execute(sql.SQL("alter table {} disable trigger {}").format(table, trigger))
            connection.execute(sql.SQL("delete from {}").format(table))
            if rows := self.rows.get(at):
                with connection.cursor().copy(sql.SQL("copy {} from stdin").format(table)) as copy:
                    copy.write(rows)
            for trigger in stubborn:
                connection.execute(sql.SQL("alter table {} enable always trigger {}").format(table, trigger))
        for at, told in self._numbers(connection).items():
            if told != self.numbers[at]:
                name = sql.Literal(self.sequences[at].as_string(connection))
                connection.execute(sql.SQL("select setval({}, {}, {})").format(name, *self.numbers[at]))
        return altered

    def _read(self, connection: Connection, at: int) -> bytes:
        with connection.cursor().copy(sql.SQL("copy {} to stdout").format(self.tables[at])) as copy:
            return b"".join(bytes(part) for part in copy)

    def _sums(self, connection: Connection) -> Mapping[int, tuple[int, Any]]:
        return {at: (count, told) for at, count, told in connection.execute(self.look).fetchall()}

    def _numbers(self, connection: Connection) -> Mapping[int, tuple[int, bool]]:
        return {at: (last, called) for at, last, called in connection.execute(self.count).fetchall()}


def _shape(connection: Connection) -> str:
    """What everything but rows looks like."""
    row = connection.execute(SHAPE).fetchone()
    assert row is not None
    return str(row[0])


def _others(connection: Connection) -> bool:
    """Ends who else is connected, and whether somebody still is after a while."""
    until = time.monotonic() + PATIENCE_S
    while others := connection.execute(OTHERS).fetchone() != (0,):
        if time.monotonic() > until:
            break
        time.sleep(0.002)
    return others
