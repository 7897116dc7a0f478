"""The statements that would make a large table searchable: to be run by whoever runs the source, never by the console."""

from collections.abc import Sequence

from console.core.documents.collections import Collection, Field
from console.records import indexes

MOST = 4


def statements(collection: Collection, fields: Sequence[Field]) -> list[str]:
    """Statements that index the first of these text fields for searches inside and by beginning; none for views and where all are indexed."""
    if collection.kind != "table":
        return []
    seen = indexes.indexes_of(collection)
    wanted = {"postgresql": {"inside"}, "mysql": {"words"}}.get(collection.dialect, {"nocase"})
    full_text = {name for item in seen.found if item.way == "words" for name in item.columns}
    offered = {
        field.name: seen.ways(field.name) | ({"words"} if field.name in full_text else set())
        for field in fields
    }
    texts = [
        field.name
        for field in fields
        if field.stored == "text" and field.options is None and not offered[field.name] & wanted
    ][:MOST]
    if not texts:
        return []
    table = _named(collection, collection.table)
    if collection.dialect == "postgresql":
        table = f"{_named(collection, collection.schema)}.{table}" if collection.schema else table
        made = [
            f"CREATE INDEX CONCURRENTLY ON {table} USING gin ({_named(collection, name)} gin_trgm_ops);"
            for name in texts
        ]
        return ["CREATE EXTENSION IF NOT EXISTS pg_trgm;", *made]
    if collection.dialect == "mysql":
        return [
            f"CREATE FULLTEXT INDEX search_{place} ON {table} ({_named(collection, name)});"
            for place, name in enumerate(texts, 1)
        ]
    return [
        f"CREATE INDEX {_named(collection, f'{collection.table}_{name}_search')} ON {table} ({_named(collection, name)} COLLATE NOCASE);"
        for name in texts
    ]


def _named(collection: Collection, name: str | None) -> str:
    mark = "`" if collection.dialect == "mysql" else '"'
    return mark + str(name).replace(mark, mark * 2) + mark
