"""Finding records of one collection while somebody types: one short statement (two for several words in a large table), through indexes where the table is large."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection, Field, default_titles
from console.core.scopes import Scope
from console.records import catalogue, connect, indexes, time_limit
from console.records.dialects import Condition
from console.records.indexed_search import among, beginning_fields, complete, keys, telephone_number, ways
from console.records.reader import Reader, Record
from console.records.search import field_conditions, telling_fields
from console.records.sql_tables import Table, table_of

MOST_WORDS = 4
CANDIDATES = 1_000
"""Records that one word of several may bring in, through one index; the other words are looked for in these."""
WHOLE_S = 1.5
Member: TypeAlias = tuple[Collection, Scope, Iterable[str]]
"""A collection, what of it the reader may see, and the fields to read."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found in one collection. `more`: not all of it was read.

    `reach`: `everything` was looked at; `beginnings` alone, as far as the table is indexed; `nothing`, because no index of a large table helps;
    `some`, because each of the words fits more than `CANDIDATES` records; or `slow`: it took too long.
    """

    collection: Collection
    records: list[Record]
    more: bool = False
    reach: str = "everything"


def find(
    members: Sequence[Member], text: str, *, limit: int, seconds: float, through: bool = False
) -> list[Hits]:
    """What the text finds in these collections of one source, with the named fields: one statement for each, or two. Raises SourceDown.

    Each statement stops after `seconds`, and after `WHOLE_S` nothing more is asked; what was not searched so is said to be slow.
    `through`: where no index finds anything, a large table is looked through.
    """
    collection = members[0][0]

    def work(connection: Connection) -> list[Hits]:
        until = time.monotonic() + WHOLE_S
        found = []
        with time_limit.limit(connection, seconds):
            for member in members:
                if time.monotonic() > until:
                    found.append(Hits(member[0], [], reach="slow"))
                    continue
                try:
                    words = default_titles.without_label(member[0].title, text).split()[:MOST_WORDS]
                    found.append(_find(connection, member, words, limit, through=through))
                except sa.exc.DBAPIError as error:
                    if not time_limit.stopped(error):
                        raise
                    found.append(Hits(member[0], [], reach="slow"))
        return found

    indexes.indexes_of(collection)  # it takes a connection of its own
    return connect.read(catalogue.engine_of(collection), collection.source, work)


def _find(connection: Connection, member: Member, words: Sequence[str], limit: int, *, through: bool) -> Hits:
    collection, scope, fields = member
    table, seen = table_of(collection), indexes.indexes_of(collection)
    searched = telling_fields(collection, scope.hidden)
    found_by = [field_conditions(table, word, searched) for word in words]
    if not all(found_by):
        return Hits(collection, [])
    reader, wanted, matching = (
        Reader(table, scope, fields),
        table.in_scope(scope),
        [sa.or_(*conditions) for conditions in found_by],
    )

    def read(*conditions: Condition) -> Hits:
        select = reader.select().where(*conditions, wanted)
        if not seen.large and (named := _titled(table, scope)) is not None:  # what begins so comes first
            begins = [
                table.dialect.finds(*named, word, start=start)
                for word in words[:1]
                for start, word in ((True, word), (False, f" {word}"))
            ]
            select = select.order_by(sa.case((sa.or_(*begins), 0), else_=1))
        rows = connection.execute(select.limit(limit + 1)).all()
        return Hits(collection, reader.records(rows[:limit]), len(rows) > limit)

    spelled = " ".join(words)
    together = (
        field_conditions(table, spelled, searched) if len(words) > 1 and telephone_number(spelled) else []
    )
    if not seen.large:
        return read(sa.or_(sa.and_(*matching), *together))
    reach = (
        "everything"
        if complete(collection, searched, seen, [spelled])
        else "beginnings"
        if beginning_fields(searched, seen)
        else "nothing"
    )
    found = Hits(collection, [])
    whole = ways(table, searched, seen, [spelled])
    if whole:
        found = read(among(table, [[way.condition, wanted] for way in whole], limit + 1))
    if not found.records and len(words) > 1 and (single := ways(table, searched, seen, words)):
        each = [
            [
                among(table, [[way.condition, wanted]], CANDIDATES),
                *matching[: way.place],
                *matching[way.place + 1 :],
            ]
            for way in single
        ]
        found = read(among(table, each, limit + 1))
        if not found.more and _brought_too_many(
            connection, [keys(table, [way.condition, wanted], CANDIDATES) for way in single]
        ):
            reach = "some"
    if through and not found.records and reach != "everything":
        return read(sa.or_(sa.and_(*matching), *together))
    return replace(found, reach=reach)


def _brought_too_many(connection: Connection, ways_: Sequence[Any]) -> bool:
    """Whether one of these lists of keys was cut."""
    counts = [sa.select(sa.func.count().label("n")).select_from(way) for way in ways_]
    return any(count >= CANDIDATES for count in connection.execute(sa.union_all(*counts)).scalars())


def _titled(table: Table, scope: Scope) -> tuple[Any, Field] | None:
    """The column and field that the title begins with, where it is a text that this reader may see."""
    names = [name for name in table.collection.title_fields if name not in scope.hidden]
    field = table.collection.by_name[names[0]] if names else None
    return None if field is None or field.stored != "text" else (table.columns[field.name], field)
