"""The list that a step goes through or offers: records of a relation or collection, or the entries of a list that the run knows."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import Field, model_validator

from console.core import expressions
from console.core.documents.fields import OWN_ITEM, Definition, Located, Use, condition_holds
from console.core.expressions.operands import ordered
from console.core.speaking import fill_text
from console.steps.base import Context, Item, Progress, Read, Rows

LIST = "items"
MOST = 1000
SHOWN = 40  # lines of the list beside the form
LONGEST_TITLE = 200


class Source(Definition):
    """Where the items come from, in one of three ways."""

    relation: str | None = Field(
        None, min_length=1, max_length=100, description="A relation of the run's collection"
    )
    collection: str | None = Field(
        None, min_length=1, max_length=200, description="In place of a relation: any collection"
    )
    entries: str | None = Field(
        None, description="In place of both: an expression for a list, such as `steps.load.payments`"
    )
    fields: list[str] = Field(
        default_factory=list,
        max_length=40,
        description="What is read and shown of each record, in this order",
    )
    hidden: list[str] = Field(
        default_factory=list, max_length=40, description="Those of the fields that are read and not shown"
    )
    key: str | None = Field(
        None,
        max_length=100,
        description="Of a list: the name in each entry that tells it from others; else its place",
    )
    where: str | None = Field(
        None,
        description="Expression over `record` (of a list: over `item`) and what the run knows; only those for which it holds",
    )
    only: str | None = Field(
        None,
        description="Of records: expression over `item`, judged after reading, for what a database cannot be asked, such as `iban(item.iban)`",
    )
    sort: str | None = Field(
        None, max_length=100, description="Field to sort by, `-` before it for descending"
    )
    limit: int = Field(200, ge=1, le=MOST)
    all: bool = Field(False, description="Of records, in a loop with a body: all of them, `limit` at a time")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [self.relation, self.collection, self.entries].count(None) != 2:
            raise ValueError("name a relation, a collection or entries, one of the three")
        if self.entries is None and not self.fields:
            raise ValueError("nothing is read: name fields")
        if strange := sorted(set(self.hidden) - set(self.fields)):
            raise ValueError(f"hidden names what is not read: {', '.join(strange)}")
        if self.entries is None and self.key is not None:
            raise ValueError("records have keys of their own: key is for a list")
        if self.entries is not None and (self.only is not None or self.all):
            raise ValueError("where says it of a list: only and all are for records")
        return self

    @property
    def shown(self) -> list[str]:
        """The fields that are shown of an item, in order."""
        return [name for name in self.fields if name not in self.hidden]

    def read(self, more: Sequence[str] = ()) -> Read | None:
        """What the service has to read; None where the list is a value of the run."""
        if self.entries is not None:
            return None
        fields = tuple(dict.fromkeys((*self.fields, *more)))
        return Read(LIST, self.relation, fields, self.where, self.sort, self.limit, self.collection)

    def texts(self, place: str) -> list[Located]:
        """Its expressions with their place."""
        texts = [Located(f"{place}.entries", self.entries)] if self.entries is not None else []
        texts += [Located(f"{place}.only", self.only)] if self.only is not None else []
        return texts + (
            [Located(f"{place}.where", self.where, self.relation, self.collection)]
            if self.where is not None
            else []
        )

    def uses(self, place: str) -> list[Use]:
        """The relation or collection, and the columns."""
        if self.entries is not None:
            return []
        named: list[tuple[str, str | None]] = [
            (f"{place}.{'relation' if self.relation else 'collection'}", None)
        ]
        named += [(f"{place}.fields[{number}]", column) for number, column in enumerate(self.fields)]
        named += [(f"{place}.sort", self.sort.removeprefix("-"))] if self.sort else []
        return [Use(at, column, self.relation, collection=self.collection) for at, column in named]


@dataclass(frozen=True, slots=True)
class Listed:
    """An item: its key, title and values."""

    key: str
    title: str
    values: Mapping[str, Any]


def list_items(source: Source, title: str | None, context: Context) -> tuple[list[Listed], bool]:
    """(the items in their order, whether there are more than are gone through). Of several with the same key the first counts."""
    if source.entries is None:
        rows = context.reads.get(LIST)
        found = [
            (str(row["key"]), str(row.get("title") or ""), row["values"])
            for row in (rows.rows if rows else ())
            if row["key"] is not None
            and condition_holds(source.only, {**context.roots, OWN_ITEM: row["values"]})
        ]
        more = rows is not None and rows.more
    else:
        found, more = _entries(source, context)
    made: dict[str, Listed] = {}
    for key, own, values in found:
        name = own
        if title is not None:
            name = (
                fill_text(title, {**context.roots, OWN_ITEM: {"key": key, "title": own, **values}}).strip()
                or own
            )
        made.setdefault(key, Listed(key, (name or key)[:LONGEST_TITLE], values))
    return list(made.values()), more


def _entries(source: Source, context: Context) -> tuple[list[tuple[str, str, Mapping[str, Any]]], bool]:
    """(key, title, values) of the entries of an expression's list; what is no object is one with a `value`."""
    given = expressions.parse(source.entries or "").evaluate(context.roots)
    entries = given if isinstance(given, list) else []
    found: list[tuple[str, str, Mapping[str, Any]]] = []
    for number, entry in enumerate(entries, 1):
        values: Mapping[str, Any] = entry if isinstance(entry, dict) else {"value": entry}
        key = values.get(source.key) if source.key is not None else number
        if (
            key is None
            or isinstance(key, (dict, list))
            or not condition_holds(source.where, {**context.roots, OWN_ITEM: values})
        ):
            continue
        first = next((str(value) for value in values.values() if isinstance(value, (str, int))), "")
        found.append((str(key), first, values))
    if source.sort:
        found = _sorted(found, source.sort)
    return found[: source.limit], len(found) > source.limit


def _sorted(
    found: list[tuple[str, str, Mapping[str, Any]]], sort: str
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """In the order of a name of theirs; those without it, or with one that cannot be compared, come last."""
    name, sign = sort.removeprefix("-"), -1 if sort.startswith("-") else 1

    def place(left: tuple[str, str, Mapping[str, Any]], right: tuple[str, str, Mapping[str, Any]]) -> int:
        one, other = left[2].get(name), right[2].get(name)
        order = ordered(one, other)
        if isinstance(order, int):
            return sign * order
        if isinstance(one, str) and isinstance(other, str):
            return sign * (int(one.casefold() > other.casefold()) - int(one.casefold() < other.casefold()))
        return int(one is None) - int(other is None)

    return sorted(found, key=functools.cmp_to_key(place))


def window(
    items: Sequence[Listed],
    states: Mapping[str, Any],
    key: str | None,
    rows: Rows | None,
    fields: Sequence[str] | None,
    over: int,
) -> Progress:
    """The list around the item at hand, and what is known of that."""
    at = next((place for place, item in enumerate(items) if item.key == key), 0)
    first = max(0, min(at - SHOWN // 2, len(items) - SHOWN))
    shown = items[first : first + SHOWN]
    here = _known(items[at], rows, fields) if key is not None and items else None
    return Progress(
        key,
        tuple(Item(item.key, item.title, states.get(item.key, "todo")) for item in shown),
        len(items),
        over,
        here,
        rows.collection if rows is not None and rows.collection else None,
        items[first - 1].key if first else None,
        items[first + SHOWN].key if first + SHOWN < len(items) else None,
    )


def _known(item: Listed, rows: Rows | None, fields: Sequence[str] | None) -> Rows | None:
    """What is shown of the item: the fields that are named, else (None) all that a list's entry has."""
    if rows is None:
        names = list(item.values) if fields is None else list(fields)
        columns: Sequence[Mapping[str, Any]] = [
            {"name": name, "label": name.replace("_", " ").capitalize(), "type": "json"} for name in names
        ]
        known = {
            name: value
            for name, value in item.values.items()
            if name in names and not isinstance(value, (dict, list))
        }
        return Rows("", item.title, columns, [{"key": None, "title": item.title, "values": known}])
    columns = [field for field in rows.fields if field["name"] in (fields or ())]
    values = {field["name"]: item.values.get(field["name"]) for field in columns}
    return Rows(
        rows.collection, rows.label, columns, [{"key": item.key, "title": item.title, "values": values}]
    )
