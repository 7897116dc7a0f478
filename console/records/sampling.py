"""What a sample of a table says of its columns: the form of their values, and whether a text tells records apart.

A sample is read when a source is connected or looked at again. What is kept is one word for a column, never a value.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection, Field, recognising
from console.records import catalogue, connect

SAMPLE = 200
LONGEST, LONGEST_JSON = 300, 4000
"""Rows of a sample, and letters read of a text, and of JSON."""
FEWEST, DISTINCT, FILLED = 5, 0.6, 0.5
"""Values that show repetition, and the parts of them that are distinct and not empty where a column tells records apart."""
OBSERVED = ("form", "repeats")
"""Keys of a column that come from a sample: they may differ from one look to the next without any change of the table."""
_log = logging.getLogger(__name__)


def observed(connection: Connection, structure: dict[str, Any], known: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The structure with what a sample says of its columns; of a table that is as it was `known`, what is known of it."""
    if known is not None and shape(known) == structure:
        return dict(known)
    _observe(connection, structure)
    return structure


def _observe(connection: Connection, structure: dict[str, Any]) -> None:
    """Add what a sample of the table says to its columns. Views are not sampled: that may cost a whole table."""
    columns = [column for column in structure["columns"] if _worth(column)]
    if structure["kind"] != "table" or not columns:
        return
    table = sa.table(structure["table"], *(sa.column(column["name"]) for column in columns), schema=structure["schema"])
    short = [_shortened(table.c[column["name"]], column) for column in columns]
    try:
        rows = connection.execute(sa.select(*short).limit(SAMPLE)).all()
    except sa.exc.DBAPIError as error:
        _log.info("no sample of %s: %s", structure["table"], type(error.orig).__name__)
        return
    for place, column in enumerate(columns):
        note(column, [row[place] for row in rows])


def note(column: dict[str, Any], values: Sequence[Any]) -> None:
    """Add what these values say to the column."""
    known = [value for value in values if value is not None]
    if form := recognising.form_of(known, column["name"]):
        column["form"] = form
    repeated = len(known) >= FEWEST and len({str(value) for value in known}) < DISTINCT * len(known)
    if column["stored"] == "text" and (repeated or len(known) < FILLED * len(values)):
        column["repeats"] = True


def shape(structure: Mapping[str, Any]) -> dict[str, Any]:
    """The structure without what a sample said, to be compared with another."""
    columns = [{name: value for name, value in column.items() if name not in OBSERVED} for column in structure["columns"]]
    return {**structure, "columns": columns}


def keep_secrets(structure: dict[str, Any], former: Mapping[str, Any] | None) -> None:
    """What once looked like a secret stays one, whatever the newest sample holds."""
    secret = {column["name"] for column in (former or {}).get("columns", ()) if column.get("form") == "secret"}
    for column in structure["columns"]:
        if column["name"] in secret:
            column["form"] = "secret"


def _worth(column: Mapping[str, Any]) -> bool:
    if column["stored"] in ("text", "json"):
        return "options" not in column
    return column["stored"] in ("integer", "decimal") and bool(
        recognising.SHARES & set(recognising.parts_of(column["name"])) or recognising.TIMED.search(column["name"])
    )


def _shortened(column: sa.ColumnClause[Any], said: Mapping[str, Any]) -> sa.ColumnElement[Any]:
    if said["stored"] == "text" and said.get("native") != "json":
        return sa.func.left(sa.cast(column, sa.Text), LONGEST)
    return sa.func.left(sa.cast(column, sa.Text), LONGEST_JSON) if said["stored"] in ("text", "json") else column


def led(own: Collection, field: Field, target: Collection) -> tuple[int, int]:
    """(how many are keys of `target`, how many) of the distinct values in a sample of the column, without the 0 that stands for none.

    Raises SourceDown, TooSlow.
    """

    def work(connection: Connection) -> tuple[int, int]:
        here: sa.ColumnClause[Any] = sa.column(field.name)
        there: sa.ColumnClause[Any] = sa.column(target.key[0])
        none = 0 if field.stored == "integer" else "" if field.stored == "text" else None
        table = sa.table(own.table, here, schema=own.schema)
        sample = (
            sa.select(here).select_from(table).where(here.is_not(None), *([here != none] if none is not None else ())).limit(SAMPLE * 5)
        )
        values = list(connection.execute(sa.select(sample.subquery().c[field.name]).distinct().limit(SAMPLE)).scalars())
        keys = sa.select(there).select_from(sa.table(target.table, there, schema=target.schema)).where(there.in_(values))
        return len(connection.execute(keys).all()) if values else 0, len(values)

    return connect.read(catalogue.engine_of(own), own.source, work)
