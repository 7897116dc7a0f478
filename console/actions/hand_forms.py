"""What somebody may fill in on a new record, and what deleting a record would bring with it; both before anything is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from console import browse, log, records, runs
from console.auth import access
from console.browse import Governor, RecordPage
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field, Relation, field_guesses
from console.core.errors import ConsoleError, NotAllowed
from console.core.forms import refusal
from console.core.plain_words import uncapitalised
from console.formats import SHOWN_ONLY
from console.records.delete import Follows
from console.runs import RunHead

MOST_COUNTED = 1_000
MOST_FURTHER = 20


@dataclass(frozen=True, slots=True)
class NewRecord:
    """The form of a new record: its fields in order, the values that it begins with, and the fields that only workflows fill in.

    `filled`: the fields for which the database has a value of its own where they are left empty.
    """

    collection: Collection
    fields: tuple[Field, ...]
    values: Mapping[str, Any]
    governed: tuple[tuple[Field, Governor], ...]
    filled: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Referring:
    """Records that refer to one that is to be deleted. `count` above `MOST_COUNTED` means more; `follows` None: no foreign key binds them.

    `through`: they refer to records of this collection, which are deleted with the one.
    """

    relation: Relation
    collection: Collection
    count: int
    follows: Follows | None
    through: Collection | None = None


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting the record brings with it, as far as its reader may know. `unseen`: others may refer to it that they may not see.

    `deletes_unseen`: the database deletes such records with it, if there are any.
    """

    page: RecordPage
    referring: tuple[Referring, ...]
    live: tuple[RunHead, ...]
    unseen: bool
    deletes_unseen: bool = False

    @property
    def refused(self) -> bool:
        """Whether the database refuses it as long as records refer to this one."""
        return any(
            relation.count and relation.follows == "refused" and relation.through is None
            for relation in self.referring
        )


def may_create(actor: Actor, collection: Collection) -> bool:
    """Whether the actor may add records by hand."""
    return (
        collection.kind == "table"
        and bool(collection.key)
        and access.can(actor, None, f"collection:{collection.id}", "create")
    )


def may_delete(actor: Actor, collection: Collection) -> bool:
    """Whether the actor may delete some records by hand; of one record `deletion` decides."""
    return (
        collection.kind == "table"
        and bool(collection.key)
        and access.can(actor, None, f"collection:{collection.id}", "delete")
    )


def new_record(actor: Actor, collection_id: str, like: str | None = None) -> NewRecord:
    """The form of a new record, with the values of the record `like` where the actor reads them; its key, and when it was written where the database notes that, are never repeated.

    Raises NotFound, NotAllowed, SourceDown.
    """
    collection, scope = browse.browsed_collection(actor, collection_id)
    need = (f"collection:{collection_id}", "create")
    access.require(actor, None, *need)
    if not may_create(actor, collection):
        raise NotAllowed(
            f"{collection.label} cannot be added to here: this is a view, or has no key.", need=need
        )
    allowed = access.scope_for(actor, collection_id, "create")
    shut = scope.hidden | allowed.hidden | allowed.fixed
    shown = [
        field
        for field in collection.stored_fields
        if not field.hidden and field.name not in shut and field.type not in SHOWN_ONLY
    ]
    filled = records.filled_by_database(collection)
    fields = [field for field in shown if _offered(collection, field, filled)]
    _require_reachable(collection, filled, need)
    named = _named(collection)
    if named is not None:
        place = {name: at for at, name in enumerate((*collection.key, *named))}
        fields.sort(key=lambda field: place.get(field.name, len(place)))
    governed_by = browse.governors(actor, shown)
    governed = tuple((field, governed_by[field.name]) for field in shown if field.name in governed_by)
    begun = collection.begins_with({"currentUser": actor.attributes, "now": log.now()})
    values = browse.record(actor, collection_id, like).record.values if like is not None else begun
    anew = set(collection.key) | {
        name
        for name in filled
        if like is not None and field_guesses.WRITTEN & set(field_guesses.parts_of(name))
    }
    repeated = {field.name: values.get(field.name) for field in fields if field.name not in anew}
    return NewRecord(collection, tuple(fields), repeated, governed, filled)


def require_filled(form: NewRecord, given: Mapping[str, Any]) -> None:
    """Raises Invalid with a detail for each field that is empty, must not be, and is not filled in by the database."""
    needed = [field for field in form.fields if field.needed and field.name not in form.filled]
    if empty := [field for field in needed if given.get(field.name) in (None, "")]:
        raise refusal(
            [{"field": field.name, "reason": f"{field.label} is needed."} for field in empty], empty
        )


def _require_reachable(collection: Collection, filled: Mapping[str, str], need: tuple[str, str]) -> None:
    """Raises NotAllowed where the database demands a value in a column that nobody is shown."""
    hidden = [
        field.label
        for field in collection.stored_fields
        if field.hidden and not (field.nullable or field.name in {*filled, *collection.key})
    ]
    if hidden:
        one = uncapitalised(collection.label_one)
        raise NotAllowed(
            f"The database demands a value for {' and '.join(hidden)} of each {one}, and nobody is shown that here: a new {one} is made in the program that "
            "owns it, unless who shapes the collection says otherwise under Settings, Collections.",
            need=need,
        )


def blanks(form: NewRecord) -> dict[str, str]:
    """Texts of the form that must not be null and are empty where nothing was typed."""
    return {field.name: "" for field in form.fields if field.blank and field.name not in form.filled}


def _offered(collection: Collection, field: Field, filled: Mapping[str, str]) -> bool:
    """Whether a new record's form asks for the field."""
    if field.governed:
        return False
    if field.name in collection.key:
        return field.name not in filled
    needed = field.needed and field.name not in filled
    named = _named(collection)
    return not field.readonly and (named is None or field.name in named or needed)


def _named(collection: Collection) -> tuple[str, ...] | None:
    """The fields of a new record's form that the collection's document names, in order; None: all."""
    return collection.new if collection.new is not None else collection.form


def deletion(actor: Actor, collection_id: str, key: str) -> Deletion:
    """What deleting the record brings with it. Raises NotFound, NotAllowed, SourceDown."""
    page = browse.record(actor, collection_id, key, labels=True)
    need = (f"collection:{collection_id}", "delete")
    access.require(actor, None, *need)
    allowed = access.scope_for(actor, collection_id, "delete")
    if allowed.nothing or (
        not allowed.unlimited and key not in records.visible_keys(collection_id, [key], allowed)
    ):
        raise NotAllowed("You may see this record, but not delete it. An admin can grant it.", need=need)
    if not may_delete(actor, page.collection):
        raise NotAllowed(
            f"{page.collection.label} cannot be deleted here: this is a view, or has no key.", need=need
        )
    led = [relation for relation in page.collection.relations if relation.kind == "to_many"]
    seen = [relation for relation in page.relations if relation.kind == "to_many"]
    referring = [_referring(actor, page.collection, key, relation) for relation in seen]
    live = runs.live_on(actor, collection_id, [key]).get(key, [])
    further, untold = _further(actor, page.collection, key, referring)
    untold += [_follows(page.collection, relation) for relation in led if relation not in seen]
    return Deletion(
        page,
        (*referring, *further),
        tuple(live),
        bool(untold) or any(relation.count < 0 for relation in referring),
        "deleted" in untold,
    )


def _further(
    actor: Actor, collection: Collection, key: str, referring: Sequence[Referring]
) -> tuple[list[Referring], list[Follows | None]]:
    """What refers to records that are deleted with this one, and so on; and what becomes of those that the actor may not see.

    Where something is deleted by one way and refused by another, databases differ in what they do: only that it is deleted is told.
    """
    found: list[Referring] = []
    untold: list[Follows | None] = []
    paths: list[tuple[Relation, ...]] = [
        (each.relation,) for each in referring if each.follows == "deleted" and each.count > 0
    ]
    deleted = {path[-1].collection for path in paths}
    for path in paths:
        holder = records.collection(path[-1].collection)
        for relation in holder.relations:
            follows = (
                _follows(holder, relation) if relation.kind == "to_many" and relation not in path else None
            )
            if follows not in ("deleted", "refused") or len(found) >= MOST_FURTHER:
                continue
            try:
                target, scope = browse.browsed_collection(actor, relation.collection)
                count = records.related_count(collection.id, key, (*path, relation), scope, MOST_COUNTED)
            except ConsoleError:
                untold.append(follows)
                continue
            if count:
                found.append(Referring(relation, target, count, follows, through=holder))
            if count and follows == "deleted":
                deleted.add(target.id)
                paths.append((*path, relation))
    return [each for each in found if each.follows == "deleted" or each.collection.id not in deleted], untold


def _follows(collection: Collection, relation: Relation) -> Follows | None:
    """What becomes of the records of a relation; None where nothing does, or where that is not told."""
    try:
        return records.on_delete(collection, relation)
    except ConsoleError:
        return None


def _referring(actor: Actor, collection: Collection, key: str, relation: Relation) -> Referring:
    """The records of one relation; a count of -1 says that their source does not tell."""
    target, scope = browse.browsed_collection(actor, relation.collection)
    try:
        count = records.related_count(collection.id, key, relation.name, scope, MOST_COUNTED)
        return Referring(relation, target, count, records.on_delete(collection, relation))
    except ConsoleError:
        return Referring(relation, target, -1, None)
