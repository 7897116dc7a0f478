"""The statement that a transition is, by libpq's own call: prepared once in a connection, its values sent as they are.

On this one path psycopg's cursor (made anew, its query and its values converted and described each time) takes five times the processor time of
the call itself. What it answers, and what it raises, is what the cursor would.
"""

import functools
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg import pq
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result

_known: WeakKeyDictionary["psycopg.Connection[Any]", set[bytes]] = WeakKeyDictionary()
"""Names of the statements that a connection has prepared."""
UNKNOWN_STATEMENT = b"26000"
Parameter = str | int | bytes | datetime | list[str] | None


def scalar(driver: "psycopg.Connection[Any]", statement: str, parameters: Sequence[str | int | bytes | None]) -> int:
    """The number in the first column of the first row, 0 where there is none. Placeholders are `%s`, and `%b` for bytes.

    It is its own transaction: for a connection that commits by itself, and that nobody else uses meanwhile. Raises psycopg's errors; of a connection that was dead before, nothing was sent.
    """
    wire = driver.pgconn
    if not driver.autocommit:
        raise ValueError("the statement would be committed whatever becomes of the transaction")
    if wire.status != pq.ConnStatus.OK:
        raise psycopg.OperationalError("the connection is closed")
    encoded: list[Any] = [sent(value) for value in parameters]
    formats = _compiled(statement)[2]
    result = wire.exec_prepared(prepared(driver, statement), encoded, formats)
    if forgotten(driver, statement, result):
        result = wire.exec_prepared(prepared(driver, statement), encoded, formats)
    _require(wire, result, pq.ExecStatus.TUPLES_OK)
    return int(result.get_value(0, 0) or 0) if result.ntuples else 0


def rows(driver: "psycopg.Connection[Any]", statement: str, parameters: Sequence[Parameter]) -> list[tuple[Any, ...]]:
    """The rows of the statement, which is its own transaction as with `scalar`. Raises psycopg's errors, OperationalError where the connection broke."""
    wire, (told, forms) = driver.pgconn, encoded(parameters)
    answer = wire.exec_prepared(prepared(driver, statement), told, forms)
    if forgotten(driver, statement, answer):
        answer = wire.exec_prepared(prepared(driver, statement), told, forms)
    return loaded(driver, answer if wire.status == pq.ConnStatus.OK else None)


def encoded(parameters: Sequence[Parameter]) -> tuple[list[Any], list[int]]:
    """The parameters as libpq takes them, and the form of each."""
    told = [sent(text_array(each) if isinstance(each, list) else each) for each in parameters]
    return told, [pq.Format.BINARY if isinstance(each, bytes) else pq.Format.TEXT for each in parameters]


def loaded(driver: "psycopg.Connection[Any]", answer: pq.abc.PGresult | None) -> list[tuple[Any, ...]]:
    """The rows of an answer; None is that of a connection that broke. Raises psycopg's errors."""
    if answer is None or answer.status != pq.ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError("the connection is closed") if answer is None else error_from_result(answer)
    loading = Transformer(driver)
    loading.set_pgresult(answer)
    return loading.load_rows(0, answer.ntuples, tuple)


def text_array(values: Sequence[str]) -> str:
    """The text of an array, as PostgreSQL reads it."""
    parts = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{value}"' for value in parts) + "}"


def prepared(driver: "psycopg.Connection[Any]", statement: str) -> bytes:
    """The name that the connection knows the statement by, which is told once. Its placeholders may be the server's own, `$1`. Raises psycopg's errors."""
    name, text, _ = _compiled(statement)
    names = _known.setdefault(driver, set())
    if name not in names:
        _require(driver.pgconn, driver.pgconn.prepare(name, text), pq.ExecStatus.COMMAND_OK)
        names.add(name)
    return name


def forgotten(driver: "psycopg.Connection[Any]", statement: str, result: pq.abc.PGresult) -> bool:
    """Whether nothing was done since the session knows the statement no more: psycopg deallocates all after a rollback, and so may a pooler. It is told anew then."""
    if result.status != pq.ExecStatus.FATAL_ERROR or result.error_field(pq.DiagnosticField.SQLSTATE) != UNKNOWN_STATEMENT:
        return False
    _known[driver].discard(_compiled(statement)[0])
    return True


@functools.cache
def _compiled(statement: str) -> tuple[bytes, bytes, list[pq.Format]]:
    """(its name in a connection, its text as the server takes it, how each value is sent)."""
    parts = re.split(r"%([sb])", statement)
    text = parts[0] + "".join(f"${n}{after}" for n, after in enumerate(parts[2::2], 1))
    formats = [pq.Format.BINARY if kind == "b" else pq.Format.TEXT for kind in parts[1::2]]
    return b"handrail_" + hashlib.sha256(statement.encode()).hexdigest()[:16].encode(), text.encode(), formats


def sent(value: str | int | bytes | datetime | None) -> bytes | None:
    """The value as libpq takes it. Raises DataError for a text with a NUL, as a cursor does: libpq would take what stands before it for the whole."""
    if value is None or type(value) is bytes:
        return value
    encoded = str(value).encode()
    if b"\x00" in encoded:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return encoded


def _require(wire: pq.abc.PGconn, result: pq.abc.PGresult, wanted: pq.ExecStatus) -> None:
    if result.status == wanted:
        return
    if wire.status != pq.ConnStatus.OK:
        raise psycopg.OperationalError(result.error_message.decode("utf-8", "replace").strip() or "the connection was lost")
    raise error_from_result(result, encoding="utf-8")
