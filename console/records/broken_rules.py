"""Which columns a refused value is about: of a CHECK those it compares, of a unique constraint or index its own, of a domain those of that type."""

import re
from collections.abc import Iterable
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine.reflection import Inspector

from console.core.documents.collections import Collection, Field
from console.errors import SourceDown
from console.records import catalogue, connect, refusals

DUPLICATE = 1062
"""MySQL's and MariaDB's number for a value that is there already."""


def is_duplicate(original: Any) -> bool:
    """Whether another record has these values where they must be different."""
    unique = getattr(original, "sqlstate", None) == "23505" or "UNIQUE constraint failed" in str(original)
    return unique or (original is not None and original.args[:1] == (DUPLICATE,))


def rule_name(original: Any) -> tuple[str, str | None]:
    """(name of the constraint, name of the column), as far as the driver tells."""
    if isinstance(original, psycopg.Error):
        return original.diag.constraint_name or "", original.diag.column_name
    match = re.search(r"constraint failed: ([\w., ]+)", str(original))
    if match:
        return match[1], match[1].rpartition(".")[2]
    quoted = re.search(r"(?i:constraint) [`']([^`']+)[`']|key '([^']+)'", str(original))
    return (quoted[1] or quoted[2] or "", None) if quoted else ("", None)


def concerned(original: Any, collection: Collection, fields: list[Field]) -> list[Field]:
    """Those of the given fields that the rule is about; none where that cannot be found out."""
    rule, column = rule_name(original)
    by_name = named_in(rule, fields)
    several = {part.strip().removeprefix(f"{collection.table}.") for part in rule.split(",")} if "," in rule else {column}
    told = [field for field in fields if field.name in several]  # SQLite: "UNIQUE constraint failed: tag.name, tag.colour"
    if isinstance(original, psycopg.Error) and original.diag.datatype_name and not told:
        rule = original.diag.datatype_name
    columns = set() if told or not rule else _looked_up(rule, str(original), collection)
    found = told or [field for field in fields if field.name in columns] or by_name
    if not found and column is not None and column in collection.by_name:  # of what was not given at all
        return [collection.by_name[column]]
    return found


def named_in(text: str, fields: Iterable[Field]) -> list[Field]:
    """The fields whose name or label stands in the text as words of their own."""
    return [field for field in fields if any(_stands_in(name, text) for name in (field.name, field.label))]


def raised_about(original: Any, fields: list[Field]) -> list[Field]:
    """The fields that a trigger's own words are about: the column that it names, or those that its sentence names; otherwise all."""
    column = original.diag.column_name if isinstance(original, psycopg.Error) else None
    told = [field for field in fields if field.name == column]
    return told or named_in(refusals.raised(original) or "", fields) or fields


def _stands_in(name: str, text: str) -> bool:
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(name.lower())}(?![a-z0-9])", text.lower()))


def _looked_up(rule: str, said: str, collection: Collection) -> set[str]:
    """The columns of the rule, as the database describes it; none where it does not answer."""
    try:
        return connect.read(
            catalogue.engine_of(collection), collection.source, lambda connection: _columns(sa.inspect(connection), rule, said, collection)
        )
    except (SourceDown, sa.exc.SQLAlchemyError):
        return set()


def _columns(inspector: Inspector, rule: str, said: str, collection: Collection) -> set[str]:
    place: dict[str, Any] = {"table_name": collection.table, "schema": collection.schema}
    last = rule.rpartition(".")[2]  # MySQL 8 names the table before
    if last == "PRIMARY":
        return set(collection.key)
    columns = inspector.get_columns(**place)
    for check in inspector.get_check_constraints(**place):
        if check["name"] in (rule, last) or str(check["sqltext"]) in said:
            return {column["name"] for column in columns if _stands_in(column["name"], str(check["sqltext"]))}
    keys: list[Any] = [inspector.get_pk_constraint(**place), *inspector.get_unique_constraints(**place), *inspector.get_indexes(**place)]
    for key in keys:
        if key and key.get("name") in (rule, last):
            return {name for name in key.get("constrained_columns") or key.get("column_names") or () if name}
    return {column["name"] for column in columns if getattr(column["type"], "name", None) == rule}
