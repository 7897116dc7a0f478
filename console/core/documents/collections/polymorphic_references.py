"""Columns that name a record together with what kind of record it is: `commentable_type` and `commentable_id` of Rails.

The kinds are seen in a sample when a source is connected, and kept as `kinds` of the column: stored value → name of the kind. A kind leads to the
table of that name; of one without a table only the name and the key are shown.

And foreign keys of several columns, which only together name a record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from console.core.documents.collections import field_guesses
from console.core.documents.collections.default_titles import path
from console.core.documents.collections.labels import led_to, one_of
from console.core.documents.collections.model import Collection, Field, Relation
from console.core.plain_words import humanised
from console.core.record_links import ANY

if TYPE_CHECKING:
    from console.core.documents.collections.assembling import Stored

Structure: TypeAlias = Mapping[str, Any]
Tables: TypeAlias = Mapping[tuple[str | None, str], tuple[str, Structure]]
"""(schema, table) → (id of its collection, its structure)."""


@dataclass(frozen=True, slots=True)
class Pair:
    """The columns with the kind and the key; `kinds` are (stored kind, its name), `targets` (stored kind, id of the collection that it leads to).

    `seen` are the stored kinds of the sample.
    """

    kind: str
    key: str
    kinds: tuple[tuple[str, str], ...]
    targets: tuple[tuple[str, str], ...]
    seen: frozenset[str]

    def value(self, record: Mapping[str, Any]) -> str | None:
        """What the record names: `shop.product 17`; the name of a kind without a table: `WikiPage 4`."""
        kind, key = record.get(self.kind), record.get(self.key)
        if kind in (None, "") or key in (None, ""):
            return None
        said = str(kind)
        return f"{dict(self.targets).get(said) or dict(self.kinds).get(said, said)} {key}"


@dataclass(frozen=True, slots=True)
class Joined:
    """The columns of a foreign key in the order of the key that they are; `key` is the one that tells most, in whose place the record is shown."""

    columns: tuple[str, ...]
    key: str
    kind: str = ""

    def value(self, record: Mapping[str, Any]) -> list[Any]:
        """The parts of the key of the record that it leads to."""
        return [record.get(name) for name in self.columns]


def joined(item: "Stored", places: Mapping[tuple[str, str | None, str], "Stored"]) -> Iterator[Field]:
    """The fields that show what the foreign keys of several columns lead to."""
    taken = {column["name"] for column in item.structure["columns"]}
    for foreign in item.structure.get("foreign_keys", ()):
        target = places.get((item.source, foreign["schema"], foreign["table"]))
        here = dict(zip(foreign["target"], foreign["columns"], strict=True))
        if target is None or len(here) == 1 or here.keys() != set(target.structure["key"]):
            continue
        telling = [name for name in foreign["columns"] if name not in item.structure["key"]] or foreign[
            "columns"
        ]
        own, there = (
            humanised(telling[-1]),
            one_of(target.document.get("label") or humanised(target.structure["table"])),
        )
        name, label = (
            f"{telling[-1]}_record",
            led_to(own) if led_to(own) != own else str(target.document.get("label_one") or there),
        )
        if name not in taken:
            taken.add(name)
            led = Joined(tuple(here[column] for column in target.structure["key"]), telling[-1])
            inputs = frozenset(foreign["columns"])
            yield Field(
                name,
                label,
                "reference",
                "text",
                readonly=True,
                references=target.id,
                computed=path(led.key),
                inputs=inputs,
                pair=led,
            )


def is_led(field: Field, structure: Structure) -> bool:
    """Whether the columns of the field still lead somewhere in this structure of its table."""
    if isinstance(field.pair, Joined):
        return any(field.inputs == set(foreign["columns"]) for foreign in structure.get("foreign_keys", ()))
    return field.inputs <= {column["name"] for column in structure["columns"]}


def all_pairs(items: Sequence["Stored"]) -> dict[str, list[Pair]]:
    """Collection → its pairs."""
    sources: dict[str, dict[tuple[str | None, str], tuple[str, Structure]]] = {}
    for item in items:
        sources.setdefault(item.source, {})[item.structure["schema"], item.structure["table"]] = (
            item.id,
            item.structure,
        )
    seen = {item.source for item in items if any(column.get("kinds") for column in item.structure["columns"])}
    return {
        item.id: found
        for item in items
        if item.source in seen and (found := _pairs(item.structure, sources[item.source]))
    }


def _pairs(own: Structure, tables: Tables) -> list[Pair]:
    """The pairs of a table; `tables` are those of its source by schema and name, each with the id of its collection."""
    found = []
    for kind, key, kinds in _named(own):
        if targets := {
            stored: target
            for stored, name in kinds.items()
            if (target := _target(name, own["schema"], tables))
        }:
            seen = next(column["kinds"] for column in own["columns"] if column["name"] == kind)
            found.append(Pair(kind, key, tuple(kinds.items()), tuple(targets.items()), frozenset(seen)))
    return found


def fields(item: "Stored", pointed: Mapping[str, Sequence[Pair]]) -> Iterator[Field]:
    """The fields that show what the pairs of a collection lead to."""
    taken = {column["name"] for column in item.structure["columns"]}
    for pair in pointed.get(item.id, ()):
        plain, inputs = "_".join(field_guesses.parts_of(pair.key)[:-1]), frozenset({pair.kind, pair.key})
        name, at = plain if plain not in taken else f"{plain}_record", path(pair.key)
        yield Field(
            name,
            humanised(plain),
            "reference",
            "text",
            readonly=True,
            references=ANY,
            computed=at,
            inputs=inputs,
            pair=pair,
        )


def reverse_relations(
    own: Collection, pointed: Mapping[str, Sequence[Pair]], made: Mapping[str, Collection]
) -> Iterator[tuple[str, Relation]]:
    """(collection, its relation to the records of `own` that name one of its own) for each kind of the sample."""
    for pair in pointed.get(own.id, ()):
        for stored, target in pair.targets:
            if stored in pair.seen and made[target].key:
                columns = ((made[target].key[0], pair.key),)
                yield (
                    target,
                    Relation(own.table, own.label, own.id, "to_many", columns, only=((pair.kind, stored),)),
                )


def instead(columns: Sequence[str], fields: Sequence[Field]) -> list[str]:
    """The columns of a list, with what a pair, or a key of several columns, leads to in the place of its columns."""
    shown = {item.pair.key: item.name for item in fields if item.pair is not None}
    joined_columns = {name for item in fields if isinstance(item.pair, Joined) for name in item.pair.columns}
    hidden = {item.pair.kind for item in fields if item.pair is not None} | (joined_columns - shown.keys())
    return [shown.get(name, name) for name in columns if name not in hidden]


def _named(own: Structure) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """(column with the kind, column with the key, names of the kinds) of columns with kinds."""
    by_words = {field_guesses.parts_of(column["name"]): column["name"] for column in own["columns"]}
    foreign = {key["columns"][0] for key in own.get("foreign_keys", ()) if len(key["columns"]) == 1}
    for column in own["columns"]:
        key = by_words.get(key_words(column["name"]))
        if column.get("kinds") and key is not None and key not in foreign and own["key"] != [column["name"]]:
            yield column["name"], key, column["kinds"]


def key_words(name: str) -> tuple[str, ...]:
    """The words of the column that may hold the key beside a column with this name that says what kind of record it is; none where it says none."""
    words = field_guesses.parts_of(name)
    return (*words[:-1], "id") if words[-1:] == ("type",) and len(words) > 1 else ()


def _target(name: str, schema: str | None, tables: Tables) -> str | None:
    r"""The collection of a kind: `TimeEntry` is the table `time_entries`, `App\Models\Post` the table `posts`, "shop product" `shop_product`."""
    words = field_guesses.parts_of(name)
    by_name = _by_name(schema, tables)
    return next(
        (by_name[sought] for start in range(len(words)) if (sought := "".join(words[start:])) in by_name),
        None,
    )


def _by_name(schema: str | None, tables: Tables) -> dict[str, str]:
    """The collections of a schema whose key is one column, by the names of their tables as one word, in the singular and as they are."""
    found: dict[str, str] = {}
    for (place, table), (ident, structure) in tables.items():
        if place == schema and structure["kind"] == "table" and len(structure["key"]) == 1:
            words = field_guesses.parts_of(table)
            found.setdefault("".join(words), ident)
            if words:
                found.setdefault("".join((*words[:-1], one_of(words[-1]))), ident)
    return found
