"""Relations of collections: from foreign keys, from documents, and those of tables that only join two others."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.core.documents.collections.labels import led_to
from console.core.documents.collections.model import Collection, Relation
from console.core.errors import DefinitionError
from console.core.plain_words import humanised

if TYPE_CHECKING:
    from console.core.documents.collections.assembling import Stored


def link(
    links: dict[str, list[Relation]],
    made: Mapping[str, Collection],
    here: str,
    there: str,
    foreign: Mapping[str, Any],
) -> None:
    """The two relations of a foreign key: to the referenced record, and back to the referring ones."""
    pairs = tuple(zip(foreign["columns"], foreign["target"], strict=True))
    name = foreign["columns"][0].removesuffix("_id") if len(pairs) == 1 else made[there].table
    links[here].append(Relation(name, made[there].label_one, there, "to_one", pairs, exact=True))
    back = tuple((target, column) for column, target in pairs)
    links[there].append(Relation(made[here].table, made[here].label, here, "to_many", back))


def with_said_keys(own: "Stored", every: Sequence["Stored"]) -> "Stored":
    """The collection, with what its document says leads to the key of a table beside it as foreign keys: it leads back too, and fields show titles."""
    known = {tuple(foreign["columns"]) for foreign in own.structure.get("foreign_keys", ())}
    beside = {other.id: other.structure for other in every if other.source == own.source}
    found = []
    for relation in own.document["relations"]:
        there, via = beside.get(relation["collection"]), relation["via"]
        if (
            there is None
            or relation["kind"] != "to_one"
            or not isinstance(via, str)
            or (via,) in known
            or len(there["key"]) != 1
        ):
            continue
        if relation.get("to") in (None, there["key"][0], there["key"]):
            found.append(
                {"columns": [via], "schema": there["schema"], "table": there["table"], "target": there["key"]}
            )
    return (
        replace(
            own, structure={**own.structure, "foreign_keys": [*own.structure.get("foreign_keys", ()), *found]}
        )
        if found
        else own
    )


def joins(structure: Mapping[str, Any]) -> bool:
    """Whether a table does nothing but join two others: two foreign keys, at most a key of its own, and since when."""
    foreign = structure.get("foreign_keys", ())
    if len(foreign) != 2 or structure["kind"] != "table":
        return False
    ends = {name for key in foreign for name in key["columns"]}
    rest = {column["name"] for column in structure["columns"]} - ends
    own = rest & set(structure["key"])
    dated = {column["name"] for column in structure["columns"] if column["stored"] in ("date", "datetime")}
    return not rest - own - dated and len(own) <= 1 and not (own and set(structure["key"]) & ends)


def label_ends(
    structures: Mapping[str, Mapping[str, Any]],
    links: dict[str, list[Relation]],
    made: Mapping[str, Collection],
) -> None:
    """Call the list of a join table after its other end: "Territories" in an employee, where they stand by their titles."""
    for ident, structure in structures.items():
        ends = [relation for relation in links[ident] if relation.kind == "to_one"]
        if (
            not joins(structure) or len(ends) != 2 or len(ends) < len(links[ident])
        ):  # what others lead to is a thing of its own
            continue
        alike = ends[0].collection == ends[1].collection
        for here, there in (ends, ends[::-1]):
            back = tuple((target, column) for column, target in here.columns)
            links[here.collection] = [
                replace(one, label=humanised(there.name) if alike else made[there.collection].label)
                if one.collection == ident and one.columns == back
                else one
                for one in links[here.collection]
            ]


def relations(
    made: Mapping[str, Collection], own: Collection, found: list[Relation], document: Mapping[str, Any]
) -> tuple[Relation, ...]:
    """Relations from foreign keys and document, each name once: a document's relation replaces the one with the same columns.

    Relations to collections that are not connected are left out.
    """
    said = [
        _declared_relation(made, own, item)
        for item in document.get("relations", ())
        if item["collection"] in made
    ]
    warranted = {(item.collection, item.kind, frozenset(item.columns)) for item in found if item.exact}
    said = [
        replace(item, exact=item.exact or (item.collection, item.kind, frozenset(item.columns)) in warranted)
        for item in said
    ]
    same = {(item.collection, item.kind, frozenset(item.columns)) for item in said}
    result = list(said)
    taken = {item.name for item in said}
    rest = [item for item in found if (item.collection, item.kind, frozenset(item.columns)) not in same]
    for item in sorted(rest, key=lambda item: (item.kind != "to_one", item.name, item.columns)):
        name = _free(item, taken, [other for other in rest if other is not item and other.name == item.name])
        taken.add(name)
        alike = item.kind == "to_one" and (
            item.collection == own.id
            or sum(item.kind == other.kind and item.collection == other.collection for other in rest) > 1
        )
        kept = name == item.name or item.label != made[item.collection].label
        if item.kind == "to_many" and item.collection == own.id and name == item.name:
            by = led_to(humanised(item.columns[0][1]))
            item = replace(  # noqa: PLW2901 - the same one
                item, label=f"{item.label} by {f'“{by}”' if by.endswith((' to', ' by')) else by.lower()}"
            )
        result.append(
            replace(item, name=name, label=item.label if kept and not alike else led_to(humanised(name)))
        )
    return tuple(sorted(result, key=lambda item: item.kind != "to_one"))


def _free(relation: Relation, taken: set[str], rivals: list[Relation]) -> str:
    """A free name: the plain one, else with the referring column, else numbered."""
    column = relation.columns[0][1] if relation.kind == "to_many" else relation.columns[0][0]
    candidates = [relation.name] if not rivals or relation.kind == "to_one" else []
    candidates += [f"{relation.name}_by_{column.removesuffix('_id')}", f"{relation.name}_by_{column}"]
    numbered = (f"{relation.name}_{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (*candidates, *numbered) if name not in taken)


def _declared_relation(made: Mapping[str, Collection], own: Collection, item: Mapping[str, Any]) -> Relation:
    target = made[item["collection"]]
    via = [item["via"]] if isinstance(item["via"], str) else list(item["via"])
    one, many = (own, target) if item["kind"] == "to_one" else (target, own)
    to = item.get("to") or list(many.key)
    to = [to] if isinstance(to, str) else list(to)
    if len(to) != len(via) or not set(via) <= one.by_name.keys() or not set(to) <= many.by_name.keys():
        raise DefinitionError(
            f"{own.id}, relation {item['name']}: {', '.join(via)} does not lead to {', '.join(to) or 'a key'} of {many.id}.",
            at=f"relations.{item['name']}",
        )
    pairs = tuple(zip(via, to, strict=True)) if item["kind"] == "to_one" else tuple(zip(to, via, strict=True))
    return Relation(
        item["name"],
        item.get("label") or (target.label_one if item["kind"] == "to_one" else target.label),
        target.id,
        item["kind"],
        pairs,
        exact=item["kind"] == "to_one" and bool(target.key) and set(target.key) <= set(to),
        tree=item.get("tree"),
    )
