"""Records that a record leads to: one relation page by page, or the first of every relation with how many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console import records
from console.auth import access
from console.browse import naming
from console.browse.record_lists import (
    MOST_IN_TAB,
    browsed_collection,
    label_on_collection,
    named_records,
    note_view,
    read_columns,
    shown_columns,
)
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, Relation, field_guesses
from console.core.errors import NotFound, SourceDown
from console.core.scopes import Scope
from console.formats import Named
from console.records import MOST_SORTED, Page, Record
from console.records.related_lists import Wanted


@dataclass(frozen=True, slots=True)
class RelatedPage:
    """Related records of one relation. `total` is their number, above `MOST_IN_TAB` as that and one more; None: not counted. `down`: why its source does not answer."""

    relation: Relation
    collection: Collection
    columns: tuple[Field, ...]
    rows: list[Record]
    next: str | None
    previous: str | None
    named: Mapping[naming.Reference, Named] = field(default_factory=dict)
    total: int | None = None
    down: str = ""


def related(
    actor: Actor,
    collection_id: str,
    key: str,
    relation: str,
    limit: int = 50,
    after: str | None = None,
    *,
    before: str | None = None,
) -> RelatedPage:
    """A page of related records. Raises NotFound if the record, relation or other collection is invisible to the actor."""
    collection, scope = browsed_collection(actor, collection_id)
    link = collection.relation(relation)
    if link is None:
        raise NotFound
    target, target_scope = browsed_collection(actor, link.collection)
    records.get(collection_id, key, scope, fields=())
    sort = newest_first(target, target_scope, link)
    found = records.related(
        collection_id, key, relation, target_scope, limit, after, before=before, sort=sort
    )
    _note_related(actor, collection, key, [link])
    columns = shown_columns(
        target, target_scope, related_columns(collection, relation) or _without_near_end(target, link)
    )
    named = named_records(actor, columns, found.rows)
    return RelatedPage(
        link,
        target,
        columns,
        naming.called(actor, target, found.rows, named),
        found.next,
        found.previous,
        named,
    )


def related_lists(actor: Actor, collection_id: str, key: str, limit: int) -> list[RelatedPage]:
    """The first records of each relation of the summary, with how many there are: few statements for all of them.

    Relations that the actor may not see are left out.

    Raises NotFound, SourceDown.
    """
    collection, scope = browsed_collection(actor, collection_id)
    found = []
    for link in summary_relations(collection):
        if access.can(actor, None, f"collection:{link.collection}", "browse"):
            target, target_scope = browsed_collection(actor, link.collection)
            columns = shown_columns(
                target,
                target_scope,
                related_columns(collection, link.name) or _without_near_end(target, link),
            )
            found.append(
                (
                    target,
                    columns,
                    Wanted(
                        link,
                        target_scope,
                        read_columns(target, columns),
                        newest_first(target, target_scope, link),
                    ),
                )
            )
    read = records.related_lists(
        collection_id, key, scope, [wanted for _, _, wanted in found], limit, MOST_IN_TAB
    )
    pages = [Page([], None, None) if isinstance(page, SourceDown) else page for page, _ in read]
    references = {
        reference
        for (target, columns, _), page in zip(found, pages, strict=True)
        for reference in naming.references(_leading(target, columns), (row.values for row in page.rows))
    }
    named = naming.names_of(actor, references)
    _note_related(actor, collection, key, [wanted.relation for _, _, wanted in found])
    return [
        RelatedPage(
            *(
                wanted.relation,
                target,
                columns,
                naming.with_joined_titles(target, page.rows, named),
                page.next,
                page.previous,
                named,
                total,
            ),
            down=count.words if isinstance(count, SourceDown) else "",
        )
        for (target, columns, wanted), page, (count, total) in zip(found, pages, read, strict=True)
    ]


def _leading(target: Collection, columns: Sequence[Field]) -> list[tuple[str, str | None]]:
    """Fields of a related list whose records are to be named: those of its columns, and those that its titles are made of."""
    return [
        (item.name, item.references)
        for item in (*columns, *(target.by_name[name] for name in naming.joined(target)))
    ]


def ways_on(actor: Actor, collection_id: str, key: str) -> list[tuple[Relation, int | None]]:
    """Every relation of the record to collections that the actor may browse, with how many records it leads to, as in `RelatedPage.total`.

    Raises NotFound, SourceDown.
    """
    collection, scope = browsed_collection(actor, collection_id)
    seen = [
        link
        for link in collection.relations
        if access.can(actor, None, f"collection:{link.collection}", "browse")
    ]
    if not seen:
        records.get(collection_id, key, scope, fields=())
        return []
    wanted = [Wanted(link, browsed_collection(actor, link.collection)[1], (), None) for link in seen]
    return list(
        zip(seen, records.related_numbers(collection_id, key, scope, wanted, MOST_IN_TAB), strict=True)
    )


def newest_first(target: Collection, scope: Scope, link: Relation) -> str | None:
    """The order of a related list that nobody chose: what has days or moments begins with the newest; None for the order of the other list.

    By the moment that names its records, else by a key of numbers, else by the moment at which each was written. Parts of a record, whose key begins
    with its key, stay as they follow one another.
    """
    if target.sort or not target.key or {there for _, there in link.columns} & set(target.key):
        return None
    dated = [
        item
        for item in target.readable(scope)
        if item.computed is None and item.stored in ("date", "datetime") and item.sortable
    ]
    certain = [item.name for item in dated if not item.may_be_empty]
    if not dated:
        return None
    naming_it = [name for name in target.title_fields if name in certain]
    key = [target.visible(name, scope.hidden) for name in target.key]
    if not naming_it and all(
        item is not None and item.stored in ("integer", "date", "datetime") for item in key
    ):
        return ",".join(f"-{name}" for name in target.key[:MOST_SORTED])
    written = [name for name in certain if field_guesses.WRITTEN & set(field_guesses.parts_of(name))]
    return next((f"-{name}" for name in (*naming_it, *written, *certain)), None)


def summary_relations(collection: Collection) -> list[Relation]:
    """The relations of the summary in the order of its document; without one, those to many records, and those by several columns whose title no field shows."""
    relations = [
        collection.relation(str(entry["relation"])) for entry in collection.summary.get("related", ())
    ]
    joined = [item.inputs for item in collection.computed_fields if item.pair is not None]
    return list(filter(None, relations)) or [
        relation
        for relation in collection.relations
        if relation.kind == "to_many"
        or (len(relation.columns) > 1 and {here for here, _ in relation.columns} not in joined)
    ]


def _note_related(actor: Actor, collection: Collection, key: str, relations: Sequence[Relation]) -> None:
    """Note the look at these relations: one event, and one for each label that a target as a whole has."""
    by_label: dict[str | None, list[str]] = {}
    for relation in relations:
        by_label.setdefault(label_on_collection(records.collection(relation.collection)), []).append(
            relation.name
        )
    for label, names in by_label.items():
        note_view(actor, collection, key, relation=", ".join(names), label=label)


def _without_near_end(target: Collection, link: Relation) -> tuple[str, ...]:
    """The columns of the list without those that hold the record that it belongs to."""
    near = {there for _, there in link.columns} if link.kind == "to_many" else set()
    near |= {item.name for item in target.computed_fields if item.pair is not None and item.pair.key in near}
    return tuple(name for name in target.columns if name not in near) or target.columns


def related_columns(collection: Collection, relation: str) -> tuple[str, ...] | None:
    """Columns of a related list in the collection's summary; None if the summary does not say."""
    said = next(
        (item for item in collection.summary.get("related", ()) if item.get("relation") == relation), None
    )
    return tuple(said["columns"]) if said and said.get("columns") else None
