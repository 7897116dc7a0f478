"""Database errors in words for people: never SQL, never a value."""

import logging
import sqlite3
from typing import Any

import psycopg
import sqlalchemy as sa

from console.core.errors import ConsoleError, Malformed, SourceChanged, SourceDown, TooSlow

IN_A_MOMENT = "Try again in a moment."
TOO_LONG = "took too long to answer, so the question was withdrawn. Narrow it by a filter."
LOCKED = f"has locked this for another program. {IN_A_MOMENT}"
NO_TABLE = "no longer has this table."
NO_COLUMN = "no longer has one of the columns."
OTHER_TYPE = "could not answer this question: a column may be of another type now."
NO_RIGHT = "does not let the console's user do this. Ask its administrator for the right."
READ_ONLY = "is read-only."
NO_PASSWORD = "refuses the console's password. Its address has to be given anew."  # noqa: S105 (a sentence)
NO_USER = "refuses the console's user. Its address has to be given anew."
NO_DATABASE = "has no such database any more."
OWN_PROGRAM = "needs something here that only its own program has: a trigger, view or index of it calls a function of that program."
NOT_THERE = "is a file that is not there, or that the console may not open. What waits for it goes on when it is back."
FULL = f"takes no more connections. {IN_A_MOMENT}"
POSTGRESQL = {
    "57014": TOO_LONG,
    "55P03": LOCKED,
    "40P01": LOCKED,
    "42P01": NO_TABLE,
    "3F000": NO_TABLE,
    "42703": NO_COLUMN,
    "42704": OTHER_TYPE,
    "42883": OTHER_TYPE,
    "42804": OTHER_TYPE,
    "0A000": OTHER_TYPE,
    "42501": NO_RIGHT,
    "25006": READ_ONLY,
    "28P01": NO_PASSWORD,
    "28000": NO_USER,
    "3D000": NO_DATABASE,
    "53300": FULL,
}
MYSQL = {
    1146: NO_TABLE,
    1049: NO_DATABASE,
    1054: NO_COLUMN,
    1356: NO_COLUMN,
    1142: NO_RIGHT,
    1143: NO_RIGHT,
    1044: NO_RIGHT,
    1045: NO_PASSWORD,
    1205: LOCKED,
    1213: LOCKED,
    1969: TOO_LONG,
    3024: TOO_LONG,
    1290: READ_ONLY,
    1792: READ_ONLY,
    1040: FULL,
}
SQLITE = {
    "interrupted": TOO_LONG,
    "database is locked": LOCKED,
    "no such table": NO_TABLE,
    "no such column": NO_COLUMN,
    "has no column named": NO_COLUMN,
    "unable to open": NOT_THERE,
    "readonly": READ_ONLY,
    "not a database": "is no SQLite database.",
    "no such function": OWN_PROGRAM,
    "no such collation": OWN_PROGRAM,
    "no such module": OWN_PROGRAM,
    "malformed": "is damaged: its file has to be restored.",
    "disk is full": "has no space left on its disk.",
}
UNKNOWN_LETTERS = "22P05"
"""PostgreSQL's code for letters that the encoding of a database does not have."""
RESTRICTED = "FOREIGN KEY constraint failed"
"""What SQLite says where ON DELETE or ON UPDATE RESTRICT refuses: with the code of a trigger."""
RAISED, BROKEN = 1644, frozenset({3819, 4025, 1364})
"""Errors of MySQL and MariaDB: a trigger's SIGNAL; a CHECK that does not hold, or no value where there is no default."""
LONGEST = 300
_log = logging.getLogger(__name__)


def raised(original: BaseException | None) -> str | None:
    """What a trigger or function of the database says in its own words and advises, in sentences of one line; None for any other error."""
    said: str | None = None
    if (
        isinstance(original, psycopg.Error) and original.diag.source_function == "exec_stmt_raise"
    ):  # a RAISE, whatever code it chose
        said = original.diag.message_primary or "The database refuses this change"
        if original.diag.message_hint:
            said = f"{_sentence(said)} {original.diag.message_hint}"
    elif isinstance(original, sqlite3.Error):
        by_trigger = getattr(original, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_TRIGGER"
        said = str(original) if by_trigger and str(original) != RESTRICTED else None
    elif original is not None and original.args[:1] == (RAISED,):
        said = str(original.args[1]) if len(original.args) > 1 else "The database refuses this change."
    return None if said is None else _sentence((said.splitlines() or [""])[0][:LONGEST])


def keeps_out(original: BaseException | None) -> bool:
    """Whether a policy of row-level security takes no record with these values; PostgreSQL gives it the code of a right that is missing."""
    return isinstance(original, psycopg.Error) and original.diag.source_function == "ExecWithCheckOptions"


def first_line(error: sa.exc.DBAPIError) -> str:
    """The first line of what the database says of a statement that it does not take, without the number of the error."""
    parts: tuple[Any, ...] = getattr(error.orig, "args", ())
    text = str(parts[1]) if len(parts) > 1 and isinstance(parts[0], int) else str(error.orig)
    return (text.splitlines() or [""])[0][:200]


def _sentence(said: str) -> str:
    text = said.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def breaks_rule(original: BaseException | None) -> bool:
    """Whether a CHECK of MySQL or MariaDB does not hold, or a value is missing, which their driver does not tell from other errors."""
    return original is not None and original.args[:1] != () and original.args[0] in BROKEN


def driver_refusal(error: sa.exc.DBAPIError, name: str) -> ConsoleError:
    """The driver's error as one of ours, to raise: SourceDown, or SourceChanged if a table or column changed."""
    original = error.orig
    code = getattr(original, "sqlstate", None)
    words: str | None = None
    if code == UNKNOWN_LETTERS:
        return Malformed(
            f"The data source {name} has no such letters or signs: nothing in it is written with them."
        )
    if isinstance(original, psycopg.Error):
        words = POSTGRESQL.get(original.sqlstate or "")
    elif isinstance(original, sqlite3.Error):
        words = next((text for part, text in SQLITE.items() if part in str(original)), None)
    elif original is not None and original.args and isinstance(original.args[0], int):
        code = original.args[0]
        words = MYSQL.get(code)
    _log.warning("data source %s: %s %s", name, type(original).__name__, code or "")
    if words in {NO_TABLE, NO_COLUMN, OTHER_TYPE}:
        return changed(name, words)
    if words is TOO_LONG:
        return TooSlow(f"The data source {name} {words}", source=name)
    if words is None:
        broken = isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))
        words = f"does not answer. {IN_A_MOMENT}" if broken else "could not answer this question."
    return SourceDown(
        f"The data source {name} {words}",
        passing=words.endswith(IN_A_MOMENT) or words is NOT_THERE,
        source=name,
    )


_noticed: set[str] = set()


def noticed() -> set[str]:
    """The sources that turned out to have changed in this process since this was asked last."""
    found = set(_noticed)
    _noticed.difference_update(found)
    return found


def changed(name: str, what: str = NO_TABLE, *, passing: bool = False) -> SourceChanged:
    """The error of a source with another structure than the console knows. The worker looks at it again without anybody who loads a page."""
    _noticed.add(name)
    return SourceChanged(
        f"The data source {name} {what} The console looks at it again.", source=name, passing=passing
    )
