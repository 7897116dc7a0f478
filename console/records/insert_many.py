"""Adding many records with one transaction: each judged like one that is added alone. One that the database refuses keeps no other out."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.engine import Connection

from console.core.documents.collections import Collection, Field
from console.core.scopes import Scope, whole
from console.errors import ConsoleError, SourceDown
from console.records import catalogue, connect
from console.records.insert import judged, put
from console.records.reader import Reader
from console.records.sql_tables import table_of
from console.records.write import commit, rejected

Judged = tuple[int, list[Field], Mapping[str, Any]]


def refusals_of_new(collection: Collection, given: Mapping[str, Any], scope: Scope) -> list[str]:
    """Why a record of these values may not be added; nothing for one that may, as far as can be told without its database."""
    try:
        judged(collection, given, scope)
    except SourceDown:
        raise
    except ConsoleError as error:
        return reasons(error)
    return []


def insert_many(collection_id: str, rows: Sequence[Mapping[str, Any]], scope: Scope) -> list[str | ConsoleError]:
    """For each of the rows (field → JSON) in their order: the key of the record that was added, or the refusal. All that are good are added, or none.

    Raises SourceDown, and WriteUnknown where the connection was lost while they were committed.
    """
    collection = catalogue.collection(collection_id)
    catalogue.require_writable(collection)
    answers: dict[int, str | ConsoleError] = {}
    good: list[Judged] = []
    for number, given in enumerate(rows):
        try:
            good.append((number, judged(collection, given, scope), given))
        except SourceDown:
            raise
        except ConsoleError as error:
            answers[number] = error
    if good:
        answers |= _together(collection, good) or _one_by_one(collection, good)
    return [answers[number] for number in range(len(rows))]


def reasons(error: ConsoleError) -> list[str]:
    """What an error says of its fields, else the error itself."""
    return list(dict.fromkeys(str(detail["reason"]) for detail in error.details if detail.get("reason"))) or [error.message]


def _together(collection: Collection, good: Sequence[Judged]) -> dict[int, str | ConsoleError] | None:
    """The keys of all; None where one is refused, and then nothing was added."""
    reader = _reader(collection)
    try:
        with connect.transaction(catalogue.engine_of(collection), collection.source) as connection:
            keys: dict[int, str | ConsoleError] = {}
            for number, fields, given in good:
                keys[number] = _key(connection, reader, fields, given)
            _commit(connection, collection, good)
            return keys
    except SourceDown:
        raise
    except ConsoleError:
        return None


def _one_by_one(collection: Collection, good: Sequence[Judged]) -> dict[int, str | ConsoleError]:
    """Add the records one by one, after one of them was refused. Each has a savepoint, so that the others are added."""
    reader, answers = _reader(collection), dict[int, str | ConsoleError]()
    with connect.transaction(catalogue.engine_of(collection), collection.source) as connection:
        for number, fields, given in good:
            try:
                with connection.begin_nested():
                    answers[number] = _key(connection, reader, fields, given)
            except SourceDown:
                raise
            except ConsoleError as error:
                answers[number] = error
        _commit(connection, collection, good)
    return answers


def _reader(collection: Collection) -> Reader:
    return Reader(table_of(collection), whole(collection.id), ())


def _key(connection: Connection, reader: Reader, fields: list[Field], given: Mapping[str, Any]) -> str:
    return reader.record(put(connection, reader, fields, given)).key or ""


def _commit(connection: Connection, collection: Collection, good: Sequence[Judged]) -> None:
    fields = list({field.name: field for _, named, _ in good for field in named}.values())
    commit(
        connection, collection, collection.id, "records were saved. Look which are there", lambda error: rejected(error, collection, fields)
    )
