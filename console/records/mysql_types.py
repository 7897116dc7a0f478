"""Noticing that a column of MySQL or MariaDB is of another kind than the console knows: these compare a number with a text without a word, so that
a filter, an order or a right's condition finds others than it says, also where no value of the column is read.
"""

import re
import time

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection, field_guesses
from console.records.refusals import OTHER_TYPE, changed

EACH_S = 10.0
"""How often a table is looked at while it is read."""
TYPES = sa.text(
    "select column_name, data_type from information_schema.columns where table_schema = database() and table_name = :table"
)
KINDS = {
    kind: re.compile(names)
    for kind, names in (
        (
            "number",
            r"boolean|bit1|int\d|float[48]|numeric|(tiny|small|medium|big)?int|year|bit|decimal|float|double",
        ),
        ("text", r"bpchar|narrow|(var)?char|(tiny|medium|long)?text|enum|set"),
        ("moment", rf"datetime|timestamp|{re.escape(field_guesses.MIDNIGHT)}"),
        ("day", "date"),
        ("time", "time"),
    )
}
"""What values are compared as → types, as fields and as the database call them. Others (JSON, bytes, places) are compared with nothing."""
_looked: dict[str, tuple[Collection, float, frozenset[str]]] = {}
"""Collection → it as it was known when its table was looked at last, and the columns that were of another kind then."""


def require_same_kinds(connection: Connection, collection: Collection) -> None:
    """Raise SourceChanged, once for each change, if a column is of another kind now; one statement in `EACH_S` at most."""
    known, at, told = _looked.get(collection.id, (None, 0.0, frozenset()))
    if known is collection and time.monotonic() - at < EACH_S:
        return
    now = {
        name: _kind(str(kind).lower())
        for name, kind in connection.execute(TYPES, {"table": collection.table})
    }
    pairs = {
        field.name: {_kind(field.native), now.get(field.name)} - {None} for field in collection.stored_fields
    }
    other = frozenset(name for name, kinds in pairs.items() if len(kinds) > 1)
    _looked[collection.id] = (collection, time.monotonic(), other)
    if other - told:
        raise changed(collection.source, OTHER_TYPE)


def _kind(named: str) -> str | None:
    return next((kind for kind, names in KINDS.items() if names.fullmatch(named)), None)
