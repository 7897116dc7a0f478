"""The present moment in a SELECT that somebody wrote, as the clocks of its source show it: sessions of MySQL are in UTC, and SQLite knows no other zone."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from console.core.documents.collections import Field
from console.records import catalogue, periods, source_zones
from console.records.sql_tables import Table

if TYPE_CHECKING:
    from sqlglot import exp

FORMS = {"DATETIME": "%Y-%m-%d %H:%M:%S", "DATE": "%Y-%m-%d", "TIME": "%H:%M:%S"}
NAMED = {
    "now": "DATETIME",
    "localtime": "DATETIME",
    "localtimestamp": "DATETIME",
    "current_timestamp": "DATETIME",
    "current_date": "DATE",
    "current_time": "TIME",
}
"""Names of functions as the parser has them → what they give."""


def spoken(tree: "exp.Expression", source: str, dialect: str) -> None:
    """Replace the present moment in the tree by what the clocks of the source's zone show; nothing without a zone, and in PostgreSQL, which does so itself."""
    zone = _zone(source)
    if not zone or dialect == "postgresql":
        return
    from sqlglot import exp

    now = source_zones.on_clocks(datetime.now(UTC), zone)
    for node in list(tree.walk()):
        if isinstance(node, exp.Func) and (kind := NAMED.get(_name(node))):
            text = exp.Literal.string(now.strftime(FORMS[kind]))
            node.replace(exp.cast(text, kind, dialect="mysql") if dialect == "mysql" else text)
        elif (
            isinstance(node, exp.Literal)
            and node.is_string
            and node.this.lower() == "now"
            and dialect == "sqlite"
        ):
            beside = node.parent.find_all(exp.Literal) if isinstance(node.parent, exp.Func) else ()
            if isinstance(node.parent, exp.Func) and not any(
                each.this.lower() in ("localtime", "utc") for each in beside
            ):
                node.replace(exp.Literal.string(now.strftime(FORMS["DATETIME"])))


def column(table: Table, field: Field) -> sa.ColumnElement[object]:
    """The column as the clocks of the source's zone show it, also one that is kept in UTC."""
    own, zone = table.table.columns[field.name], _zone(table.collection.source)
    kept_in_utc = (
        bool(zone) and table.dialect.name != "postgresql" and field.stored == "datetime" and not field.zone
    )
    if kept_in_utc:
        return periods.local(table, field, zone, periods.SINCE).label(field.name)
    return table.columns[field.name].label(field.name) if field.empty_values else own


def _zone(source: str) -> str:
    known = catalogue.current().sources.get(source)
    return known.terms.zone if known is not None else ""


def _name(node: "exp.Func") -> str:
    from sqlglot import exp

    return str(node.name if isinstance(node, exp.Anonymous) else node.sql_names()[0]).lower()
