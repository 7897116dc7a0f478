"""`console migrate`: the console's own tables, brought to the form of this release."""

import contextlib

import click

ROLES = """\
-- Run once as a superuser or as a role that may create roles, on the server of DATABASE_URL. Replace both passwords.
-- Afterwards: DATABASE_URL=postgresql://console:…@host/{database}, DATABASE_MIGRATION_URL=postgresql://console_migrator:…@host/{database}?options=-crole%3Dconsole_owner
create role console_owner nologin;
create role console login password 'REPLACE-ME-1';
create role console_migrator login noinherit password 'REPLACE-ME-2' in role console_owner;
alter role console set idle_in_transaction_session_timeout = '5s';
create database {database} owner console_owner;
revoke all on database {database} from public;
grant connect on database {database} to console, console_migrator;
"""


@click.command("migrate", epilog="Example: console migrate --print-roles > roles.sql")
@click.option(
    "--print-roles",
    is_flag=True,
    help="Print the SQL that a database administrator runs once, and do nothing.",
)
def migrate(*, print_roles: bool) -> None:
    """Make or change the console's own tables so that they fit this release; nothing happens where they do."""
    if print_roles:
        click.echo(ROLES.format(database=_database_name()), nl=False)
        return
    from psycopg.errors import ProgrammingError

    from console.infra import subjects
    from console.infra.db import engine, fitness, migrate as migrations
    from console.operations import copies

    with contextlib.suppress(ProgrammingError):  # there are no tables yet, or rights are missing: told below
        subjects.require_master_key()
    migrations.upgrade(engine.migration_url())
    fitness.require()
    fitness.refuse_one_role()
    copies.look(note=False)  # before the first page is served


def _database_name() -> str:
    from console.infra import settings
    from console.infra.db import engine

    return (settings.current().database_url and engine.app_url().database) or "console"


commands: list[click.Command] = [migrate]
