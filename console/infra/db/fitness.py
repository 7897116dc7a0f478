"""Whether the console can work with the server behind DATABASE_URL: asked once at each start."""

from typing import Any

import psycopg
import sqlalchemy as sa

from console.core.errors import ConsoleError
from console.infra import settings
from console.infra.db import release, timelines
from console.infra.db.engine import app_url, fetch, read_row
from console.infra.db.troubles import NO_RIGHT

ROUNDS = 3
ROLE = sa.text(
    "select r.rolsuper, coalesce(pg_has_role(current_user, c.relowner, 'member'), false) from pg_roles r"
    " left join pg_class c on c.oid = to_regclass('console.event') where r.rolname = current_user"
)
"""Whether the role is superuser, and whether it owns the log."""


class Unfit(ConsoleError):
    """The server cannot be worked with as it is set up; the message says what to set."""

    status = 503
    default_code = "unfit_server"


class RoleError(ConsoleError):
    """The application's role may do more than it should; the message says which, and what to run."""

    default_code = "role"


def require() -> None:
    """Nothing where all is well. Raises `Unfit`, `NewerData`, and psycopg's errors where the server does not answer."""
    with _connected() as first, _connected() as second:
        if pooled(first, second):
            raise Unfit(
                "DATABASE_URL leads to a pooler that changes the connection with each transaction (pgbouncer: pool_mode = transaction or statement);"
                " the console keeps locks and listens on its connections. Set pool_mode = session for its database, or give the address of PostgreSQL itself."
            )
        try:
            row = first.execute("select version_num from console.alembic_version").fetchone()
        except psycopg.errors.InsufficientPrivilege as error:
            role = first.info.user
            raise Unfit(
                f"{NO_RIGHT.message} DATABASE_URL signs in as {role}: use the role console of `console migrate --print-roles`, which has them."
            ) from error
        release.refuse_newer(row[0] if row else None)


def refuse_one_role() -> None:
    """With two URLs the application must not be able to rewrite the log. Raises `RoleError` where its role owns the tables or is superuser."""
    if settings.current().database_migration_url is None:
        return
    superuser, owner = read_row(ROLE)
    if superuser or owner:
        raise RoleError(
            f"The role of DATABASE_URL {'is superuser' if superuser else 'owns the log'}: it could rewrite what it is to prove."
            " Run `console migrate --print-roles` for two roles, or leave DATABASE_MIGRATION_URL away."
        )


def refuse_newer() -> None:
    """Nothing where the tables are of a form that this release knows. Raises `NewerData`."""
    release.refuse_newer(str(fetch("select version_num from console.alembic_version")[0][0]))


def pooled(first: "psycopg.Connection[Any]", second: "psycopg.Connection[Any]") -> bool:
    """Whether two connections (autocommit) are not each a session of the server of their own."""
    for _ in range(ROUNDS):
        before = _backend(first)
        with second.transaction():
            other = _backend(second)
            if other == before or _backend(first) != before:
                return True
    return False


def _backend(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute("select pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0


def _connected() -> "psycopg.Connection[Any]":
    return timelines.connect_url(app_url(), autocommit=True, prepare_threshold=None)
