"""Columns that look, by their names and kinds, as if they held the keys of another table, in databases without foreign keys."""

from collections.abc import Iterable, Mapping, Sequence

from console.core.documents.collections import field_guesses
from console.core.documents.collections.labels import KEY_WORDS, one_of
from console.core.documents.collections.model import Collection, Field

KINDS = frozenset({"integer", "text", "uuid"})
PLAIN_KEYS = frozenset(
    {"id", "uuid", "guid", "code", "name", "key", "no", "number", "entity_id", "row_id", "value_id", "sid"}
)
"""Names of keys that say nothing of their table."""
SUFFIXES = frozenset(word.lower() for word in KEY_WORDS) | {"ref", "uid"}
FILLING = frozenset({"entity", "table", "data", "master", "tbl"})
"""Last words of tables that say nothing of what they hold."""
UP = frozenset({"parent", "root", "ancestor"})
PEOPLE = ("user", "account", "person", "people", "employee", "staff", "member")
WHO = frozenset(
    {
        "author",
        "assignee",
        "assigned",
        "owner",
        "creator",
        "create",
        "write",
        "modifier",
        "editor",
        "reviewer",
        "approver",
        "manager",
    }
)


class Targets:
    """The tables of a source by the words that a column which leads to one has of it: with thousands of tables, not every pair can be looked at."""

    def __init__(self, tables: Sequence[Collection]) -> None:
        self._tables: dict[str, dict[str, Collection]] = {}
        for table in tables:
            if table.kind == "table" and len(table.key) == 1:
                words = _named(table)
                for word in {words[-1] if words else "", "".join(words), table.key[0].lower()}:
                    self._tables.setdefault(word, {})[table.id] = table

    def called(self, words: Iterable[str]) -> list[Collection]:
        """The tables that one of the words stands for."""
        found: dict[str, Collection] = {}
        for word in words:
            found |= self._tables.get(word, {})
        return list(found.values())


def likely(own: Collection, others: Targets) -> list[tuple[Field, list[Collection]]]:
    """Each such column with the tables of the same source that it may lead to, the likeliest first. `others` may hold `own`."""
    led = {here for relation in own.relations if relation.kind == "to_one" for here, _ in relation.columns}
    kinds = {"".join(field_guesses.parts_of(field.name)) for field in own.stored_fields}
    words = field_guesses.column_words([{"name": field.name} for field in own.stored_fields])
    found = []
    for field in own.stored_fields:
        open_ = field.stored in KINDS and not (
            field.hidden or field.options or field.references or (field.name,) == own.key
        )
        stem = _stem(words[field.name])
        if (
            not open_
            or field.name in led
            or not stem
            or {f"{''.join(stem)}type", f"{''.join(stem)}model"} & kinds
        ):
            continue  # with its kind beside it, it leads to several tables
        joined = {"".join((*stem[start:-1], one_of(stem[-1]))) for start in range(len(stem))}
        near = (
            [own]
            if stem[-1] in UP
            else others.called({field.name.lower(), *joined, *(PEOPLE if _of_people(stem) else ())})
        )
        ranked = [
            (rank, other)
            for other in near
            if other.kind == "table"
            and len(other.key) == 1
            and other.by_name[other.key[0]].stored == field.stored
            and (rank := _rank(field.name, stem, own, other)) is not None
        ]
        if ranked:
            found.append(
                (
                    field,
                    [
                        other
                        for _, other in sorted(ranked, key=lambda pair: (pair[0], pair[1].table, pair[1].id))
                    ],
                )
            )
    return found


def document_of(field: Field, target: Collection, taken: Sequence[str]) -> Mapping[str, str]:
    """The relation as a collection's document says it."""
    plain = "_".join(_stem(field.name)) or "relation"
    plain = plain if plain[:1].isalpha() and plain.isascii() else f"to_{target.table.lower()}"
    name = next(
        each
        for each in (plain, *(f"{plain}_{number}" for number in range(2, len(taken) + 3)))
        if each not in taken
    )
    return {"name": name, "collection": target.id, "kind": "to_one", "via": field.name}


def _of_people(stem: Sequence[str]) -> bool:
    """Whether the words of a column say who did something."""
    return bool(WHO & set(stem)) or stem[-1] == "by"


def _named(table: Collection) -> tuple[str, ...]:
    """The words of a table that say what one of its records is."""
    words = field_guesses.parts_of(field_guesses.table_words(table.table))
    words = words[:-1] if len(words) > 1 and words[-1] in FILLING else words
    return (*words[:-1], one_of(words[-1])) if words else words


def _stem(name: str) -> tuple[str, ...]:
    """The words of a column that name what it leads to: `customer` of `customer_id`, `customerid` and `id_customer`."""
    words = field_guesses.parts_of(name)
    if len(words) == 1 and words[0].endswith("id") and len(words[0]) > len("void"):
        return (words[0][:-2],)
    if len(words) > 1 and words[-1] in SUFFIXES:
        return words[:-1]
    return words[1:] if len(words) > 1 and words[0] in ("id", "fk") else words


def _rank(column: str, stem: tuple[str, ...], own: Collection, other: Collection) -> tuple[int, int] | None:
    """How likely the column leads there, smaller is likelier: (kind of likeness, words of the table that the column does not say); None if not."""
    table = _named(other)
    if column.lower() == other.key[0].lower() and column.lower() not in PLAIN_KEYS:
        return (1, len(table)) if other.id != own.id else None
    if stem[-1] in UP:
        return (1, 0) if other.id == own.id else None
    for start in range(len(stem)):
        last = (*stem[start:-1], one_of(stem[-1]))
        if table[-len(last) :] == last or "".join(table) == "".join(last):
            rest = set(table[: -len(last)])
            if stem == field_guesses.parts_of(column) and not rest <= set(field_guesses.parts_of(own.table)):
                return None  # only a word, as `status`: of something else
            return (0 if start == 0 else 2, len(rest))
    if _of_people(stem) and table[-1:] and table[-1] in PEOPLE:
        return (3, len(table) + PEOPLE.index(table[-1]))
    return None
