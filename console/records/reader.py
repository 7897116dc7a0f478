"""Which columns a read selects, and how a row becomes a record."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import Select

from console.core.documents.collections import LONGEST_TITLE, Collection
from console.core.scopes import Scope
from console.records import computed, hooks, other_types, record_keys, values
from console.records.sql_tables import Table, table_of


@dataclass(slots=True)
class Record:
    """A record as its reader may see it. `key` is null in collections without a key; `wrong` says why computed fields have no value."""

    collection: str
    key: str | None
    title: str
    values: dict[str, Any]
    wrong: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The record in the shape of the API."""
        return {"collection": self.collection, "key": self.key, "title": self.title, "values": self.values}


class Reader:
    """Selects the columns of a read, and turns rows into records."""

    def __init__(
        self, table: Table, scope: Scope, fields: Iterable[str] | None, more: Iterable[str] = ()
    ) -> None:
        collection = table.collection
        readable = [field.name for field in collection.readable(scope)]
        wanted = None if fields is None else set(fields)
        self.table, self.scope, self._locale = table, scope, scope.locale
        worked_out = [
            item
            for item in collection.readable(scope)
            if item.computed is not None and (wanted is None or item.name in wanted)
        ]
        self.computed = [item for item in worked_out if item.computed]
        self.called = [item for item in worked_out if not item.computed]
        self.shown = [
            name for name in readable if name in collection.by_name and (wanted is None or name in wanted)
        ]
        self._inputs = sorted({name for item in worked_out for name in item.inputs})
        titled = [name for name in collection.title_fields if name in readable]
        self.names = list(dict.fromkeys([*self.shown, *titled, *collection.key, *more, *self._inputs]))
        self._apart = [name for name in more if table.place(name) is not table.columns[name]]
        self._titled = [(name, self.names.index(name), table.readers[name]) for name in titled]
        self._key = [(self.names.index(name), table.readers[name]) for name in collection.key]
        self._converted = [
            (name, reader) for name in self.shown if (reader := table.readers[name]) is not None
        ]
        self._named = self.names.index(titled[0]) if _is_named(collection) and titled else None
        stored = (
            (place, collection.by_name[name])
            for place, name in enumerate(self.names)
            if name in collection.by_name
        )
        kinds = (
            (place, field.name, other_types.foreign(field, collection.dialect)) for place, field in stored
        )
        self._checked = [each for each in kinds if each[2]]

    def select(self) -> Select[Any]:
        """SELECT of the columns; without columns, of a constant."""
        columns = [self.table.columns[name] for name in self.names] or [sa.literal_column("1")]
        apart = [
            self.table.place(name).label(f"console_at_{number}") for number, name in enumerate(self._apart)
        ]
        return sa.select(*columns, *apart).select_from(self.table.read_from)

    def at(self, name: str) -> int:
        """Index in a row of `select` of the value that a cursor keeps for this sort column."""
        return len(self.names) + self._apart.index(name) if name in self._apart else self.names.index(name)

    def record(self, row: Sequence[Any]) -> Record:
        """The record for a row of `select`. Raises SourceChanged."""
        collection = self.table.collection
        for place, name, kinds in self._checked:
            if type(row[place]) in kinds:
                other_types.refuse(collection, name, [row[place]])
        key = record_keys.encode([values.read(reader, row[place]) for place, reader in self._key])
        shown = dict(zip(self.shown, row, strict=False))
        for name, reader in self._converted:
            item = shown[name]
            if item is not None:
                shown[name] = reader(item)
        if not self._inputs and not self.computed and not self.called:
            return Record(collection.id, key, self._title(row, key), shown)
        made_of = collection.typed(
            {
                name: values.read(self.table.readers[name], row[self.names.index(name)])
                for name in self._inputs
            }
        )
        wrong: dict[str, str] = {}
        for item in self.computed:
            shown[item.name] = computed.value(item, made_of)
        for item in self.called:
            shown[item.name] = made_of  # the input of its function, until `finished`
        return Record(collection.id, key, self._title(row, key), shown, wrong)

    def records(self, rows: Sequence[Sequence[Any]]) -> list[Record]:
        """The finished records for rows of `select`; converted column by column if nothing has to be computed. Raises SourceChanged."""
        if not rows or not self.shown or self._inputs or self.computed or self.called:
            return self.finished([self.record(row) for row in rows])
        columns = list(zip(*rows, strict=True))
        for place, name, _ in self._checked:
            other_types.refuse(self.table.collection, name, columns[place])
        shown = [
            _read_column(self.table.readers[name], column)
            for name, column in zip(self.shown, columns, strict=False)
        ]
        parts = [_read_column(reader, columns[place]) for place, reader in self._key]
        named = (
            map(_key_of, parts[0])
            if len(parts) == 1
            else map(record_keys.encode, zip(*parts, strict=True))
            if parts
            else repeat(None)
        )
        collection, found = self.table.collection.id, []
        for row, key, values_ in zip(rows, named, zip(*shown, strict=True), strict=False):
            found.append(
                Record(collection, key, self._title(row, key), dict(zip(self.shown, values_, strict=True)))
            )
        return found

    def finished(self, found: list[Record]) -> list[Record]:
        """The records with the values of the company's own functions, each called once for all records."""
        for item in self.called:
            answers = hooks.compute(
                self.table.collection.id, item.name, [record.values[item.name] for record in found]
            )
            for record, answer in zip(found, answers, strict=True):
                record.values[item.name] = (
                    None if answer.wrong else computed.coerce_computed(item, answer.value)
                )
                if answer.wrong:
                    record.wrong[item.name] = answer.wrong  # type: ignore[index]
        return found

    def _title(self, row: Sequence[Any], key: str | None) -> str:
        if (
            self._named is not None
            and type(name := row[self._named]) is str
            and 0 < len(title := name.strip()) <= LONGEST_TITLE
        ):
            return title
        return self.table.collection.title_of(
            {name: values.read(reader, row[place]) for name, place, reader in self._titled}, key, self._locale
        )


def _read_column(convert: Callable[[Any], Any] | None, column: Sequence[Any]) -> Sequence[Any]:
    """`values.read` for a whole column."""
    return column if convert is None else [None if item is None else convert(item) for item in column]


def _key_of(part: Any) -> str | None:
    """`keys.encode` for one column, fast for numbers."""
    return str(part) if type(part) is int and part >= 0 else record_keys.encode((part,))


def _is_named(collection: Collection) -> bool:
    """Whether the title is simply a text column, so that no template is needed."""
    field = collection.by_name.get(collection.title_fields[0]) if len(collection.title_fields) == 1 else None
    return (
        field is not None
        and field.options is None
        and field.widget != "translations"
        and collection.title == f"{{{{ record.{field.name} }}}}"
        and table_of(collection).readers[field.name] is None
    )
