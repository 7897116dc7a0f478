"""A record with the values of related records, to test a condition outside the database. Never for display."""

import re
from collections.abc import Container, Mapping
from typing import Any

import sqlalchemy as sa

from console.core.documents.collections import Collection, Relation
from console.core.errors import DefinitionError
from console.core.expressions.operands import UNKNOWN
from console.core.filters import Test
from console.core.plain_words import uncapitalised
from console.core.related_record import Leading
from console.core.scopes import Scope
from console.records import catalogue, connect, filter_conditions, relations
from console.records.dialects import Condition
from console.records.relations import Hop
from console.records.sql_tables import Table, table_of


def leading(collection_id: str, values: Mapping[str, Any]) -> Leading:
    """The record's JSON values, from which conditions can follow relations. Raises NotFound for an unknown collection."""
    collection = catalogue.collection(collection_id)
    return Leading(collection.typed(values), lambda name: _followed(collection, values, name))


def _followed(collection: Collection, values: Mapping[str, Any], name: str) -> Any:
    """The related record in the form of `core.related_record`. Raises SourceDown."""
    try:
        step = relations.hop(collection, name, catalogue.find)
    except DefinitionError:
        return UNKNOWN
    if step is None:
        return None
    parts = [values.get(here) for here, _ in step.relation.columns]
    found = None if any(part is None for part in parts) else _read(step, parts)
    return UNKNOWN if found is None else leading(step.target.id, found)


def _read(step: Hop, parts: list[Any]) -> dict[str, Any] | None:
    """JSON values of the related record, None without one."""
    there = table_of(step.target)
    names = [field.name for field in step.target.stored_fields]
    linked = [
        named_by(there, column, part) for (_, column), part in zip(step.relation.columns, parts, strict=True)
    ]
    statement = (
        sa.select(*(there.columns[name] for name in names)).select_from(there.table).where(*linked).limit(1)
    )
    row = connect.read(
        catalogue.engine_of(step.target),
        step.target.source,
        lambda connection: connection.execute(statement).first(),
    )
    return None if row is None else there.json(names, row)


def unseen_references(
    collection: Collection, changed: Mapping[str, Any], known: Mapping[str, Any], scope: Scope
) -> list[dict[str, str]]:
    """A detail `{"field", "reason"}` for each changed reference to a record outside the scope owner's sight; `known` has the record's other columns.

    Out of scope is answered like not existing. References to collections without a subject of which the owner may read nothing, such as a
    list of currencies, are left to the database.
    """
    details = []
    for relation in referring(collection, changed):
        target, parts = (
            catalogue.collection(relation.collection),
            [{**known, **changed}.get(here) for here, _ in relation.columns],
        )
        theirs = sight_of(target, scope)
        if theirs is None or any(part is None for part in parts):
            continue
        if theirs.nothing or not _is_there(target, [there for _, there in relation.columns], parts, theirs):
            field = next(here for here, _ in relation.columns if here in changed)
            details.append(
                {
                    "field": field,
                    "reason": f"{collection.by_name[field].label}: there is no such {uncapitalised(target.label_one)}.",
                }
            )
    return details


def sight_of(target: Collection, scope: Scope) -> Scope | None:
    """Which records of a collection the scope's owner may refer to; None where that is left to the database."""
    theirs = scope.elsewhere(target.id) if scope.elsewhere is not None else None
    return None if theirs is None or theirs.unlimited or (theirs.nothing and not target.subject) else theirs


def referring(collection: Collection, names: Container[str]) -> list[Relation]:
    """To-one relations that use any of these columns."""
    return [
        relation
        for relation in collection.relations
        if relation.kind == "to_one" and any(here in names for here, _ in relation.columns)
    ]


def _is_there(target: Collection, columns: list[str], parts: list[Any], scope: Scope) -> bool:
    there = table_of(target)
    linked = [named_by(there, column, part) for column, part in zip(columns, parts, strict=True)]
    statement: sa.Select[Any] = (
        sa.select(sa.literal_column("1"))
        .select_from(there.table)
        .where(*linked, there.in_scope(scope))
        .limit(1)
    )
    return (
        connect.read(
            catalogue.engine_of(target),
            target.source,
            lambda connection: connection.execute(statement).first(),
        )
        is not None
    )


def named_by(there: Table, column: str, part: Any) -> Condition:
    """Condition that the column equals the value by which another record refers to it."""
    field = there.collection.by_name[column]
    if field.stored == "binary":
        return there.dialect.is_raw(there.columns[column], field, bytes.fromhex(part))
    return filter_conditions.filter_condition(
        Test(column, "eq", foreign_form(there.collection, column, part)), there.collection, there.columns
    )


def foreign_form(target: Collection, column: str, part: Any) -> Any:
    """A value as another data source stores it: the number 17 here may be the text "17" there."""
    stored = target.by_name[column].stored
    if stored == "integer" and isinstance(part, str) and re.fullmatch(r"-?[0-9]{1,18}", part):
        return int(part)
    return (
        str(part)
        if stored in {"text", "uuid"} and isinstance(part, int) and not isinstance(part, bool)
        else part
    )
