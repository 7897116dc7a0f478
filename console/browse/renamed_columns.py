"""Columns that were renamed in a database: what people keep for a list (saved segments, columns and their widths) follows."""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.browse.saved_segments import sealed_at
from console.infra import subjects
from console.infra.db import tables


def follow(connection: Connection, collection_id: str, names: Mapping[str, str]) -> None:
    """Put the new names of columns (`names`: former → new) where people keep the former ones."""
    saved, view = tables.saved_segment, tables.list_view
    for row in connection.execute(
        sa.select(saved.c.id, saved.c.query).where(saved.c.collection == collection_id)
    ).all():
        try:
            kept = json.loads(subjects.unwrap(row.query, sealed_at(row.id)))
        except subjects.Unreadable:  # kept under another master key
            continue
        made = _query(kept, names)
        if made != kept:
            sealed = subjects.wrap(json.dumps(made).encode(), sealed_at(row.id))
            connection.execute(sa.update(saved).where(saved.c.id == row.id).values(query=sealed))
    for seen in connection.execute(
        sa.select(view.c.person, view.c.columns, view.c.widths).where(view.c.collection == collection_id)
    ).all():
        columns = [names.get(name, name) for name in seen.columns or ()] or None
        widths = (
            {names.get(name, name): width for name, width in seen.widths.items()}
            if seen.widths
            else sa.null()
        )
        if columns == (seen.columns or None) and (not seen.widths or widths == seen.widths):
            continue
        mine = (view.c.person == seen.person) & (view.c.collection == collection_id)
        connection.execute(sa.update(view).where(mine).values(columns=columns, widths=widths))


def _query(kept: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    made = dict(kept)
    if str(made.get("filter", "")).startswith("{"):
        made["filter"] = json.dumps(
            _condition(json.loads(made["filter"]), names), ensure_ascii=False, separators=(",", ":")
        )
    if made.get("sort"):
        made["sort"] = ",".join(_sorted_by(part, names) for part in str(made["sort"]).split(","))
    if isinstance(made.get("columns"), list):
        made["columns"] = [names.get(name, name) for name in made["columns"]]
    return made


def _sorted_by(part: str, names: Mapping[str, str]) -> str:
    """A column of an order, or the title of the record that it leads to, by its new name."""
    sign, name = "-" * part.startswith("-"), part.removeprefix("-")
    base = name.removesuffix(".title")
    return sign + (names[name] if name in names else names.get(base, base) + name[len(base) :])


def _condition(given: Any, names: Mapping[str, str]) -> Any:
    """A condition with the new names of its fields; values stay."""
    if not isinstance(given, dict):
        return given
    groups = {
        word: [_condition(part, names) for part in given[word]]
        for word in ("and", "or")
        if isinstance(given.get(word), list)
    }
    field = given.get("field")
    return given | groups | ({"field": names.get(field, field)} if isinstance(field, str) else {})
