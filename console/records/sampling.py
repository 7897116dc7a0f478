"""What a sample of a table says of its columns: the form of their values, and whether a text tells records apart.

A sample is read when a source is connected or looked at again. What is kept is one word for a column, and the one value of a column that lies far
outside the others and seems to mean "none".
"""

import logging
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import (
    Collection,
    Field,
    field_guesses,
    polymorphic_references,
    secret_fields,
)
from console.core.expressions.operands import moment_of
from console.records import catalogue, connect

SAMPLE = 200
LONGEST, LONGEST_JSON = 300, 4000
"""Rows of a sample, and letters read of a text, and of JSON."""
FEWEST, DISTINCT, FILLED = 5, 0.6, 0.5
"""Values that show repetition, and the parts of them that are distinct and not empty where a column tells records apart."""
FEWEST_ALIKE, PART_ALIKE = 3, 0.02
"""Rows, and the part of a sample, that hold a value far outside the others where it seems to mean "none"."""
OBSERVED = (
    "single",
    "form",
    "repeats",
    "kinds",
    "blank",
    "utc",
    "uncoded",
    field_guesses.OUTLIER,
    secret_fields.SOUGHT,
)
"""Keys of a column that come from a sample, or change nothing of its values: they may differ from one look to the next without any change of the table."""
KINDS_SAMPLE, MOST_KINDS = 20_000, 50
SETTINGS_SAMPLE, LONGEST_SETTING = 5_000, 1_000
KIND = re.compile(r"[0-9]+|[A-Za-z]\w*(?:(?:::|\\|\.)\w+)*")
"""Rows in which kinds of records are sought, how many a column has at most; rows and letters in which secret settings are; how kinds are written: `7`, `Admin::User`, `App\\Models\\Post`."""
_log = logging.getLogger(__name__)


def observed(
    connection: Connection, structure: dict[str, Any], known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The structure with what a sample says of its columns; of a table that is as it was `known`, what is known of it."""
    if known is not None and shape(known) == structure and is_sampled(known):
        return sought(connection, known)
    _observe(connection, structure)
    note_kinds(connection, structure)
    note_secrets(connection, structure)
    return structure


def sought(connection: Connection, known: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a table; of settings that nobody has looked at for secrets yet, with what they hold."""
    made = {**known, "columns": [dict(column) for column in known["columns"]]}
    if any(secret_fields.unknown(known, column) for column in known["columns"]):
        note_secrets(connection, made)
    return made


def _observe(connection: Connection, structure: dict[str, Any]) -> None:
    """Add what a sample of the table says to its columns. Views are not sampled: that may cost a whole table."""
    columns = [column for column in structure["columns"] if _worth(column)]
    if structure["kind"] != "table" or not columns:
        return
    table = sa.table(
        structure["table"], *(sa.column(column["name"]) for column in columns), schema=structure["schema"]
    )
    short = [_shortened(table.c[column["name"]], column) for column in columns]
    try:
        rows = connection.execute(sa.select(*short).limit(SAMPLE)).all()
    except sa.exc.DBAPIError as error:
        _log.info("no sample of %s: %s", structure["table"], type(error.orig).__name__)
        return
    for place, column in enumerate(columns):
        note(column, [row[place] for row in rows])
    keep_days(connection, structure)


def keep_days(connection: Connection, structure: Mapping[str, Any]) -> None:
    """Take back that a column holds days only where the newest records, those with the highest keys, have a time of day; and of keys."""
    for column in structure["columns"]:
        if column["name"] in structure["key"] and column.get("form") == field_guesses.DAYS:
            del column["form"]
    columns = [column for column in structure["columns"] if column.get("form") == field_guesses.DAYS]
    if not columns or not structure["key"]:
        return
    names = [column["name"] for column in columns]
    table = sa.table(
        structure["table"],
        *(sa.column(name) for name in {*names, *structure["key"]}),
        schema=structure["schema"],
    )
    newest = (
        sa.select(*(table.c[name] for name in names))
        .order_by(*(table.c[name].desc() for name in structure["key"]))
        .limit(SAMPLE)
    )
    try:
        rows = connection.execute(newest).all()
    except sa.exc.DBAPIError:
        rows = []
    for place, column in enumerate(columns):
        if any(
            row[place] is not None and not field_guesses.all_midnights([row[place]] * SAMPLE) for row in rows
        ):
            del column["form"]


def note(column: dict[str, Any], values: Sequence[Any]) -> None:
    """Add what these values say to the column."""
    known = [value for value in values if value is not None]
    if form := field_guesses.form_of(known, column["name"]):
        column["form"] = form
    if column["stored"] in PLACED:
        _note_outlier(column, known, len(values))
    if column["stored"] == "datetime" and not column.get("utc") and field_guesses.all_midnights(known):
        column["form"] = field_guesses.DAYS
    repeated = len(known) >= FEWEST and len({str(value) for value in known}) < DISTINCT * len(known)
    if column["stored"] == "text" and field_guesses.uncoded(column, [str(value).strip() for value in known]):
        column["uncoded"] = True
    if column["stored"] == "text" and any(value == "" for value in known):
        column["blank"] = True
    if column["stored"] == "text" and (repeated or len(known) < FILLED * len(values)):
        column["repeats"] = True


PLACED = frozenset({"integer", "decimal", "date", "datetime"})
"""Kinds of columns whose values lie on an axis."""


def is_sampled(known: Mapping[str, Any]) -> bool:
    """Whether a sample has looked for values that may mean "none", as those of earlier releases did not. Views are not sampled."""
    return known["kind"] != "table" or all(
        field_guesses.OUTLIER in column or column["stored"] not in PLACED for column in known["columns"]
    )


def _note_outlier(column: dict[str, Any], known: Sequence[Any], sampled: int) -> None:
    """Add the value of many rows that has no place among the others, or lies further from them than they from each other; 0 is none of these others."""
    column[field_guesses.OUTLIER] = None
    counted, places = Counter(known), {value: _place(value) for value in known}
    placed = sorted(
        (value for value in places if places[value] is not None), key=lambda value: places[value] or 0
    )
    for value in (*(value for value in places if places[value] is None), *placed[:1], *placed[-1:]):
        there = [place for other in placed if other != value and (place := places[other])]
        place, rows = places[value], counted[value]
        if rows < max(FEWEST_ALIKE, PART_ALIKE * len(known)) or len(there) < FEWEST:
            continue
        if place is None or max(there[0] - place, place - there[-1]) > there[-1] - there[0]:
            form = field_guesses.form_of([other for other in known if other != value], column["name"])
            column |= {"form": form} if form in field_guesses.COUNTED else {}
            said = (
                int(place)
                if column["stored"] in ("integer", "decimal") and place is not None and place.is_integer()
                else str(value)
            )
            column[field_guesses.OUTLIER] = {"value": said, "rows": rows, "of": sampled}
            return


def _place(value: Any) -> float | None:
    """Where on an axis a number, day or moment lies; None for what is none of these."""
    if isinstance(value, int | float | Decimal):
        return float(value) if math.isfinite(value) else None
    moment = moment_of(value) if isinstance(value, str | date) else None
    return None if moment is None else moment.toordinal() + (moment.hour * 60 + moment.minute) / 1440


def note_kinds(connection: Connection, structure: dict[str, Any]) -> None:
    """Add the kinds of records that the table's columns name, as `console.core.documents.collections.polymorphic_references` has it; names of classes, nothing else."""
    by_name = {column["name"]: column for column in structure["columns"]}
    every = {field_guesses.parts_of(name) for name in by_name}
    held = [
        name
        for name, column in by_name.items()
        if column["stored"] in ("text", "integer") and polymorphic_references.key_words(name) in every
    ]
    if structure["kind"] != "table":
        return
    for name in held:
        if kinds := _read(connection, structure, [name], KINDS_SAMPLE):
            known = {str(row[0]): str(row[0]) for row in kinds if row[0] not in (None, "")}
            if 0 < len(known) <= MOST_KINDS and all(KIND.fullmatch(kind) for kind in known):
                by_name[name]["kinds"] = known


def note_secrets(connection: Connection, structure: Mapping[str, Any]) -> None:
    """Mark the values of a table of settings where those of any row are a secret, as `named_secrets` has it. Nothing of them is kept."""
    found = secret_fields.pair_of(structure)
    if found is None:
        return
    texts = (sa.func.substr(sa.cast(sa.column(name), sa.Text), 1, LONGEST_SETTING) for name in found)
    try:
        rows = connection.execute(
            sa.select(*texts)
            .select_from(sa.table(structure["table"], schema=structure["schema"]))
            .limit(SETTINGS_SAMPLE)
        ).all()
    except sa.exc.DBAPIError:
        return
    values = next(column for column in structure["columns"] if column["name"] == found[1])
    values[secret_fields.SOUGHT] = True
    if secret_fields.holds_secret(tuple(row) for row in rows):
        values["form"] = field_guesses.TELLING_ROWS


def _read(
    connection: Connection, structure: Mapping[str, Any], names: Sequence[str], most: int | None
) -> Sequence[Any]:
    """The distinct values of these columns among the first rows; nothing where the table cannot be read."""
    table = sa.table(structure["table"], *(sa.column(name) for name in names), schema=structure["schema"])
    first = sa.select(table).limit(most).subquery()
    try:
        return connection.execute(sa.select(first).distinct().limit(MOST_KINDS * 10)).all()
    except sa.exc.DBAPIError:
        return ()


def shape(structure: Mapping[str, Any]) -> dict[str, Any]:
    """The structure without what a sample said, to be compared with another."""
    columns = [
        {name: value for name, value in column.items() if name not in OBSERVED}
        for column in structure["columns"]
    ]
    return {**structure, "columns": columns}


def keep_secrets(structure: dict[str, Any], former: Mapping[str, Any] | None) -> None:
    """What once looked like a secret stays one, whatever the newest sample holds."""
    columns = (former or {}).get("columns", ())
    secret = {
        column["name"]: column["form"]
        for column in columns
        if column.get("form") in secret_fields.SECRET_FORMS
    }
    for column in structure["columns"]:
        if column["name"] in secret:
            column["form"] = secret[column["name"]]


def _worth(column: Mapping[str, Any]) -> bool:
    return column["stored"] in PLACED or (column["stored"] in ("text", "json") and "options" not in column)


def _shortened(column: sa.ColumnClause[Any], said: Mapping[str, Any]) -> sa.ColumnElement[Any]:
    if said["stored"] == "text" and said.get("native") != "json":
        return sa.func.left(sa.cast(column, sa.Text), LONGEST)
    return (
        sa.func.left(sa.cast(column, sa.Text), LONGEST_JSON) if said["stored"] in ("text", "json") else column
    )


def share_of_keys(own: Collection, field: Field, target: Collection) -> tuple[int, int]:
    """(how many are keys of `target`, how many) of the distinct values in a sample of the column, without the 0 that stands for none.

    Raises SourceDown, TooSlow.
    """

    def work(connection: Connection) -> tuple[int, int]:
        here: sa.ColumnClause[Any] = sa.column(field.name)
        there: sa.ColumnClause[Any] = sa.column(target.key[0])
        none = 0 if field.stored == "integer" else "" if field.stored == "text" else None
        table = sa.table(own.table, here, schema=own.schema)
        sample = (
            sa.select(here)
            .select_from(table)
            .where(here.is_not(None), *([here != none] if none is not None else ()))
            .limit(SAMPLE * 5)
        )
        values = list(
            connection.execute(sa.select(sample.subquery().c[field.name]).distinct().limit(SAMPLE)).scalars()
        )
        keys = (
            sa.select(there)
            .select_from(sa.table(target.table, there, schema=target.schema))
            .where(there.in_(values))
        )
        return len(connection.execute(keys).all()) if values else 0, len(values)

    return connect.read(catalogue.engine_of(own), own.source, work)
