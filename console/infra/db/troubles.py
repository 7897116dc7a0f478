"""Problems of the console's own database in words: for pages, `/health`, `doctor` and the command line."""

import errno
import os
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa
from psycopg import errors

from console.infra.db.timelines import StalePrimary
from console.infra.postgres import PostgresError


@dataclass(frozen=True, slots=True)
class Trouble:
    """`code` for programs, `message` for anybody, `fix` for who runs the console."""

    code: str
    message: str
    fix: str


FULL = Trouble(
    "disk_full",
    "The disk of the console is full: nothing can be saved at the moment.",
    "Make room on the disk of the database and of the data folder; work goes on by itself when there is some",
)
READ_ONLY = Trouble(
    "read_only",
    "The console's database takes no changes at the moment: nothing can be saved.",
    "Let it be written: default_transaction_read_only off for the database and its roles, and DATABASE_URL at the primary, not a standby",
)
STALE = Trouble(
    "stale_primary",
    "The console's database is a former primary, in whose place another server was promoted: nothing is saved in it.",
    "Stop this server and let DATABASE_URL name the promoted one; where this one was restored on purpose, delete the file timelines in the data folder of each machine",
)
READ_ONLY_FOLDER = Trouble(
    "read_only",
    "The data folder of the console takes no changes at the moment: nothing can be saved.",
    "Mount its disk so that it can be written, or give another folder with CONSOLE_DATA_DIR",
)
NO_RIGHT = Trouble(
    "no_right",
    "The console's role lacks a right in its own database.",
    "console migrate, with a DATABASE_MIGRATION_URL whose role owns the tables",
)
OTHER_TABLES = Trouble(
    "other_tables", "The console's tables are not there yet, or of another release.", "console migrate"
)
UNSTORABLE = "A value in it cannot be stored. Who runs the console finds the job under Operations, and the error in the log of the worker."
"""Of work that ends because the database refused what it was given."""
DOWN = Trouble("store_down", "The console's database does not answer.", "Start it, or correct DATABASE_URL")


def trouble_of(error: BaseException) -> Trouble | None:
    """The problem behind an error of a driver or the system; None if it is another kind of error."""
    cause = getattr(error, "orig", None) or (isinstance(error, PostgresError) and error.__cause__) or error
    if isinstance(cause, errors.DiskFull) or _is_of_system(cause, errno.ENOSPC, errno.EDQUOT):
        return FULL
    if isinstance(cause, StalePrimary):
        return STALE
    if isinstance(cause, errors.ReadOnlySqlTransaction):
        return READ_ONLY
    if _is_of_system(cause, errno.EROFS):
        return READ_ONLY_FOLDER
    if isinstance(cause, errors.InsufficientPrivilege):
        return NO_RIGHT
    if isinstance(
        cause,
        errors.UndefinedTable | errors.UndefinedFunction | errors.InvalidSchemaName | errors.UndefinedColumn,
    ):
        return OTHER_TABLES
    down = (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        sa.exc.OperationalError,
        sa.exc.InterfaceError,
        sa.exc.TimeoutError,
    )
    return DOWN if isinstance(error, down) or isinstance(cause, down) else None


def passes(error: BaseException) -> bool:
    """Whether the same may succeed later: the database is in trouble. A value that cannot be stored stays one."""
    return trouble_of(error) is not None or getattr(error, "connection_invalidated", False)


def _is_of_system(cause: BaseException, *numbers: int) -> bool:
    """Whether the system gave this reason. A server that could not even greet for want of room tells it as text only."""
    if isinstance(cause, OSError):
        return cause.errno in numbers
    return isinstance(cause, psycopg.OperationalError) and any(
        os.strerror(number) in str(cause) for number in numbers
    )
