"""Where the demo's PostgreSQL database lives: on the embedded server, or beside the console's own on the server of DATABASE_URL."""

from abc import ABC, abstractmethod
from urllib.parse import quote

import psycopg
from psycopg import sql

from console.core.errors import ConsoleError
from console.infra.settings import Settings, keep_secret

ROLE = "fernwick"


class Server(ABC):
    """A PostgreSQL server that holds the console's tables and the demo's database."""

    @abstractmethod
    def console_url(self) -> str:
        """Where the console's own tables are read."""

    @abstractmethod
    def database_url(self, name: str) -> str:
        """The URL by which the console reads the demo's database, as the role that owns it."""

    @abstractmethod
    def new_database(self, name: str) -> str:
        """An empty database of that name, instead of one that may be there; its URL."""

    @abstractmethod
    def clear_console(self) -> None:
        """Empty the console's own tables: people, runs and log are gone."""

    def migrate(self) -> None:
        """The console's own tables in the form of this release."""
        from console.infra.db import engine, migrate

        migrate.upgrade(engine.migration_url())


def server_for(given: Settings) -> Server:
    """The server that the settings point to."""
    return Given(given) if given.database_url else Own(given)


class Own(Server):
    """The embedded server of the data folder."""

    def __init__(self, given: Settings) -> None:
        from console.infra.postgres import Embedded

        self.embedded = Embedded(given.data_dir).acquire()

    def console_url(self) -> str:
        """As the console's own role."""
        return self.embedded.url("console")

    def database_url(self, name: str) -> str:
        """As the role `fernwick`."""
        return self.embedded.url(ROLE, name)

    def new_database(self, name: str) -> str:
        """Dropped and made again by the superuser."""
        self.embedded.drop_database(name)
        return self.embedded.create_database(name, ROLE)

    def clear_console(self) -> None:
        """Drop the console's database and make it again."""
        from console.infra.db import engine

        engine.dispose()
        self.embedded.drop_database("console")
        self.embedded.prepare_database("console")


class Given(Server):
    """The user's server: its role must be allowed to create roles and databases."""

    def __init__(self, given: Settings, role: str = ROLE) -> None:
        self.role = role
        self.url = str(given.database_url)
        self.admin = str(given.database_migration_url or given.database_url)
        self.password = keep_secret(given.data_dir / "demo" / f"{role}.password")

    def console_url(self) -> str:
        """DATABASE_URL as it stands."""
        return self.url

    def database_url(self, name: str) -> str:
        """The same server, another database, as the role of the demo."""
        info = psycopg.conninfo.conninfo_to_dict(self.url)
        place = "&".join(
            f"{key}={quote(str(info[key]), safe='/')}" for key in ("host", "port", "sslmode") if key in info
        )
        return f"postgresql://{self.role}:{quote(self.password, safe='')}@/{quote(name, safe='')}?{place}"

    def new_database(self, name: str) -> str:
        """Dropped and made again by the role of DATABASE_MIGRATION_URL. Raises ConsoleError when it may not."""
        role, database = sql.Identifier(self.role), sql.Identifier(name)
        try:
            with psycopg.connect(self.admin, autocommit=True) as connection:
                connection.execute(sql.SQL("drop database if exists {} with (force)").format(database))
                known = connection.execute(
                    "select 1 from pg_roles where rolname = %s", (self.role,)
                ).fetchone()
                verb = sql.SQL("alter" if known else "create")
                connection.execute(
                    sql.SQL("{} role {} login password {}").format(verb, role, sql.Literal(self.password))
                )
                connection.execute(sql.SQL("grant {} to current_user").format(role))
                connection.execute(sql.SQL("create database {} owner {}").format(database, role))
        except psycopg.errors.InsufficientPrivilege as error:
            raise ConsoleError(
                f"The demo cannot make its database {name} on your server ({error.diag.message_primary}): "
                f"give the role of DATABASE_MIGRATION_URL the rights CREATEDB and CREATEROLE, or leave DATABASE_URL unset for the embedded server."
            ) from error
        return self.database_url(name)

    def clear_console(self) -> None:
        """The schema `console` is dropped; the migration makes it again."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute("drop schema if exists console cascade")
