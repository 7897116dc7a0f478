"""To-one relations: which can be followed, how they are joined in SQL, and reading the related record.

Only relations to at most one record of the same data source are followed. A condition whose answer would depend on which of several
records is used, or that one database alone cannot answer, is refused when it is saved.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from console.core.documents.collections import Collection, Relation
from console.core.errors import DefinitionError
from console.records.dialects import Condition, Dialect

FAMILIES = {"integer": "number", "decimal": "number", "date": "moment", "datetime": "moment"}


Find: TypeAlias = Callable[[str], Collection | None]
"""Returns the collection of an id, to follow a relation. Without it relations are not followed: that would read past the reader's scopes."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A to-one relation and the collection that it leads to."""

    relation: Relation
    target: Collection


def hop(collection: Collection, name: str, find: Find) -> Hop | None:
    """The relation of that name; None without one. `find` gives the collection of an id.

    Raises DefinitionError with the reason if it cannot be followed.
    """
    relation = collection.relation(name)
    if relation is None:
        return None
    target = find(relation.collection)
    if target is None:
        raise condition_error(
            f"{collection.label}: {relation.label} leads to {relation.collection}, which is not connected."
        )
    if relation.kind != "to_one":
        raise condition_error(
            f"{collection.label}: {relation.label} ({name}) leads to many records. A condition follows relations to one record only; "
            f"make it a rule of {target.label}."
        )
    if target.source != collection.source:
        raise condition_error(
            f"{collection.label}: {relation.label} ({name}) leads into another data source ({target.source}). A condition follows relations "
            "within one data source, because no database can look into the other."
        )
    if not relation.exact:
        named = ", ".join(there for _, there in relation.columns)
        raise condition_error(
            f"{collection.label}: {relation.label} ({name}) leads by {named}, which is not the key of {target.label}: there may be several. "
            "Lead the relation to the key, or give the table a foreign key."
        )
    for here, there in relation.columns:
        kinds = [field.stored for field in (collection.by_name[here], target.by_name[there])]
        if len({FAMILIES.get(kind, kind) for kind in kinds}) > 1:
            raise condition_error(
                f"{collection.label}: {relation.label} ({name}) compares {here} ({kinds[0]}) with {there} ({kinds[1]}): different kinds."
            )
    return Hop(relation, target)


def hops(collection: Collection, path: tuple[str, ...], find: Find) -> list[Hop]:
    """The relations of a path, in order. Raises DefinitionError for one that is unknown or cannot be followed."""
    made: list[Hop] = []
    for name in path:
        step = hop(collection, name, find)
        if step is None:
            raise condition_error(f"There is no relation {name} in {collection.label}.")
        made.append(step)
        collection = step.target
    return made


def joined(
    dialect: Dialect, one: Hop, here: Mapping[str, Any], own: Collection, there: Mapping[str, Any]
) -> list[Condition]:
    """Join condition between the columns on both sides. Texts are compared letter by letter, whatever the collation."""
    found: list[Condition] = []
    for column, target in one.relation.columns:
        found.append(here[column] == there[target])  # this one can use an index
        if own.by_name[column].stored == "text":
            found.append(
                dialect.same(here[column], own.by_name[column], there[target], one.target.by_name[target])
            )
    return found


def condition_error(reason: str) -> DefinitionError:
    """The error for a condition that is not possible."""
    return DefinitionError(reason, code="expression", at="expression")
