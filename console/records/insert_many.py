"""Adding many records with one transaction: each judged like one that is added alone.

Of a file, one that the database refuses keeps no other out; of a record with those that belong to it, all are added or none.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection, Field
from console.core.errors import ConsoleError, DefinitionError, SourceDown
from console.core.scopes import Scope, unrestricted
from console.records import catalogue, changes_made, connect, governing
from console.records.insert import filled_by_database, inserted_records, put, require_new_fields
from console.records.reader import Reader, Record
from console.records.sql_tables import table_of
from console.records.write import commit, rejected

Judged = tuple[int, list[Field], Mapping[str, Any]]


def refusals_of_new(
    collection: Collection, rows: Sequence[Mapping[str, Any]], scope: Scope
) -> list[list[str]]:
    """For each of the rows why no record of these values may be added; nothing for one that may, as far as can be told without its database."""
    filled = cache(lambda: filled_by_database(collection))
    return [_refusals(collection, given, scope, filled) for given in rows]


def _refusals(
    collection: Collection, given: Mapping[str, Any], scope: Scope, filled: Callable[[], Mapping[str, str]]
) -> list[str]:
    try:
        require_new_fields(collection, given, scope, filled=filled)
    except SourceDown:
        raise
    except ConsoleError as error:
        return reasons(error)
    return []


def insert_many(
    collection_id: str, rows: Sequence[Mapping[str, Any]], scope: Scope
) -> list[Record | ConsoleError]:
    """For each of the rows (field → JSON) in their order: the record that was added, with the fields of the rows as they are kept, or the refusal.

    Raises SourceDown, and WriteUnknown where the connection was lost while they were committed.
    """
    collection = catalogue.collection(collection_id)
    catalogue.require_writable(collection)
    answers: dict[int, Record | ConsoleError] = {}
    good: list[Judged] = []
    filled = cache(lambda: filled_by_database(collection))
    for number, given in enumerate(rows):
        try:
            good.append((number, require_new_fields(collection, given, scope, filled=filled), given))
        except SourceDown:
            raise
        except ConsoleError as error:
            answers[number] = error
    if good:
        answers |= _together(collection, good) or _one_by_one(collection, good)
    return [answers[number] for number in range(len(rows))]


def insert_with(
    collection_id: str,
    given: Mapping[str, Any],
    scope: Scope,
    *,
    belonging: tuple[str, str, Sequence[Mapping[str, Any]], Scope],
    workflow: str | None = governing.BY_HAND,
) -> tuple[Record, list[Record]]:
    """The added record, and those that belong to it in their order: (collection, the field that holds the key of the first, rows, scope).

    One transaction, so that whoever finds the first finds all of them. Raises as `insert`, and DefinitionError for collections of two data sources.
    """
    there, link, rows, their_scope = belonging
    first, others = catalogue.collection(collection_id), catalogue.collection(there)
    for collection in (first, others):
        catalogue.require_writable(collection)
    if first.source != others.source or len(first.key) != 1:
        raise DefinitionError(f"Records of {first.id} and {others.id} cannot be added together.")
    fields = require_new_fields(first, given, scope, workflow=workflow)
    theirs = [require_new_fields(others, row, their_scope, workflow=workflow) for row in rows]
    reader, their_reader = Reader(table_of(first), scope, None), Reader(table_of(others), their_scope, None)
    with connect.transaction(catalogue.engine_of(first), first.source) as connection:
        made = put(connection, reader, fields, given)
        refers, key = others.by_name[link], made.values[first.key[0]]
        added = [
            put(connection, their_reader, [refers, *named], {link: key, **row})
            for named, row in zip(theirs, rows, strict=True)
        ]
        [made], added = (
            inserted_records(connection, reader, [made], fields),
            inserted_records(connection, their_reader, added, [refers]),
        )
        _commit(connection, first, [(0, fields, given)])
    for each, names in (
        (made, [*given]),
        *((each, [link, *row]) for each, row in zip(added, rows, strict=True)),
    ):
        changes_made.note_change(
            changes_made.Changed(each.collection, each.key, None, {name: each.values[name] for name in names})
        )
    return reader.finished([made])[0], their_reader.finished(added)


def reasons(error: ConsoleError) -> list[str]:
    """What an error says of its fields, else the error itself."""
    return list(dict.fromkeys(str(detail["reason"]) for detail in error.details if detail.get("reason"))) or [
        error.message
    ]


def _together(collection: Collection, good: Sequence[Judged]) -> dict[int, Record | ConsoleError] | None:
    """All records; None where one is refused, and then nothing was added."""
    reader = _reader(collection, good)
    try:
        with connect.transaction(catalogue.engine_of(collection), collection.source) as connection:
            made = inserted_records(
                connection,
                reader,
                [put(connection, reader, fields, given) for _, fields, given in good],
                _all_fields(good),
            )
            _commit(connection, collection, good)
            return {number: record for (number, _, _), record in zip(good, made, strict=True)}
    except SourceDown:
        raise
    except ConsoleError:
        return None


def _one_by_one(collection: Collection, good: Sequence[Judged]) -> dict[int, Record | ConsoleError]:
    """Add the records one by one, after one of them was refused. Each has a savepoint, so that the others are added."""
    reader, answers = _reader(collection, good), dict[int, Record | ConsoleError]()
    with connect.transaction(catalogue.engine_of(collection), collection.source) as connection:
        for number, fields, given in good:
            try:
                with connection.begin_nested():
                    [answers[number]] = inserted_records(
                        connection, reader, [put(connection, reader, fields, given)], fields
                    )
            except SourceDown:
                raise
            except ConsoleError as error:
                answers[number] = error
        _commit(connection, collection, good)
    return answers


def _reader(collection: Collection, good: Sequence[Judged]) -> Reader:
    return Reader(
        table_of(collection), unrestricted(collection.id), [field.name for field in _all_fields(good)]
    )


def _all_fields(good: Sequence[Judged]) -> list[Field]:
    return list({field.name: field for _, named, _ in good for field in named}.values())


def _commit(connection: Connection, collection: Collection, good: Sequence[Judged]) -> None:
    fields = _all_fields(good)
    commit(
        connection,
        collection,
        collection.id,
        "records were saved. Look which are there",
        lambda error: rejected(error, collection, fields),
    )
