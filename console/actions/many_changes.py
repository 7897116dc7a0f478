"""Changing fields of many records of a list by hand, or deleting the records: each as from its own page, and only as it was when it was looked at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from console import browse, records
from console.actions import hand_forms, record_changes, untouched_records
from console.auth import access
from console.browse import evidence
from console.core.actor import Actor
from console.core.documents.collections import Collection, Field
from console.core.errors import NotFound
from console.core.scopes import Scope
from console.formats import SHOWN_ONLY
from console.infra import subjects
from console.records import Record

CHANGE, DELETE, TAKE_BACK = "hand:change", "hand:delete", "hand:take_back"
PUT_TAG, TAKE_TAG = "hand:put_tag", "hand:take_tag"
"""Done by `many_tags`."""
IMPORT = "import"
"""Of what is taken back: the value that says which import added the records."""
WORDS: Mapping[str, tuple[str, str, str]] = {
    CHANGE: ("Change fields", "Change", "changed"),
    DELETE: ("Delete", "Delete", "deleted"),
    TAKE_BACK: ("Take an import back", "Delete", "deleted"),
    PUT_TAG: ("Put a tag", "Tag", "tagged"),
    TAKE_TAG: ("Take a tag away", "Untag", "untagged"),
}
"""Change → (its title, the word on its button, what becomes of a record by it)."""
MOST = 100_000
MOVED = "It was changed since it was looked at: nothing was done to it."
GONE = "It is not there any more."


@dataclass(frozen=True, slots=True)
class ManyChanges:
    """A change by hand of several records: `id` says whether fields get new values, a tag is put or taken away, or the records go, all or only what an import added and nothing has touched since."""

    id: str
    later: int = MOST

    @property
    def deletes(self) -> bool:
        """Whether the records are deleted."""
        return self.id in (DELETE, TAKE_BACK)

    @property
    def tags(self) -> bool:
        """Whether a tag is put or taken away."""
        return self.id in (PUT_TAG, TAKE_TAG)

    @property
    def puts_tag(self) -> bool:
        """Whether a tag is put."""
        return self.id == PUT_TAG

    @property
    def title(self) -> str:
        """What the list offers."""
        return WORDS[self.id][0]

    @property
    def button(self) -> str:
        """The word on the button."""
        return WORDS[self.id][1]

    @property
    def done_word(self) -> str:
        """What becomes of a record by it."""
        return WORDS[self.id][2]


@dataclass(frozen=True, slots=True)
class Looked:
    """What would become of one record: nothing (`same`), or it is refused (`why`); else `seen` stands for what it was looked at with."""

    same: bool = False
    why: str = ""
    seen: str | None = None


def change_by_id(action: str) -> ManyChanges | None:
    """The change of this id; None for the id of an action or of a start."""
    return ManyChanges(action) if action in WORDS else None


def offered(actor: Actor, collection: Collection) -> list[ManyChanges]:
    """What the actor may do by hand to several records of the collection."""
    changed = [ManyChanges(CHANGE)] if fields(actor, collection) else []
    return [*changed, *([ManyChanges(DELETE)] if hand_forms.may_delete(actor, collection) else [])]


def fields(actor: Actor, collection: Collection) -> list[Field]:
    """The fields that the actor may give a new value, the same for all records; an amount whose currency stands beside it is none."""
    scope = access.scope_for(actor, collection.id, "update")
    if scope.nothing or collection.kind != "table" or not collection.key:
        return []
    shut = scope.hidden | scope.fixed | set(collection.key)
    own = [
        field
        for field in collection.stored_fields
        if field.name not in shut and not field.hidden and not field.readonly
    ]
    asked = [field for field in own if collection.form is None or field.name in collection.form]
    return [
        field
        for field in asked
        if not field.governed
        and field.type not in SHOWN_ONLY
        and not (field.minor and field.currency in collection.by_name)
    ]


def preview_changes(
    actor: Actor, deed: ManyChanges, collection_id: str, keys: Sequence[str], values: Mapping[str, Any]
) -> dict[str, Looked]:
    """Key → what would become of the record now. Raises NotFound, SourceDown."""
    collection, _ = browse.browsed_collection(actor, collection_id)
    found = records.records_by_key(collection_id, keys, browse.view_scope(actor, collection), None)
    scope = access.scope_for(actor, collection_id, "delete" if deed.deletes else "update")
    allowed = (
        set(found)
        if scope.unlimited
        else set()
        if scope.nothing
        else records.visible_keys(collection_id, list(found), scope)
    )
    nowhere = evidence.wrong_columns(actor, collection, values)
    judge = (
        _deletable(actor, collection, values.get(IMPORT))
        if deed.deletes
        else lambda record: _changeable(collection, record, values, scope, nowhere)
    )
    shut = Looked(why=f"You may see this record, but not {'delete' if deed.deletes else 'change'} it.")
    touched = _touched(collection, found, values) if deed.id == TAKE_BACK else {}
    return {
        key: Looked(why=GONE)
        if key not in found
        else shut
        if key not in allowed
        else Looked(why=touched[key])
        if key in touched
        else judge(found[key])
        for key in keys
    }


def _touched(
    collection: Collection, found: Mapping[str, Record], values: Mapping[str, Any]
) -> Mapping[str, str]:
    """Key → why a record stays that an import added, of those that something has touched since."""
    seen = {key: _seen(collection, record, None) for key, record in found.items()}
    touched = untouched_records.why_touched(collection, str(values.get(IMPORT)), seen)
    led = [
        each
        for each in collection.relations
        if each.kind == "to_many" and records.on_delete(collection, each) == "deleted"
    ]
    for relation in led:
        for key in found.keys() - touched.keys():
            if why := untouched_records.why_followed(str(values.get(IMPORT)), relation, found[key]):
                touched[key] = why
    return touched


def _changeable(
    collection: Collection,
    record: Record,
    values: Mapping[str, Any],
    scope: Scope,
    nowhere: Sequence[Mapping[str, str]],
) -> Looked:
    moved = _moved(collection, record, values)
    if not moved:
        return Looked(same=True)
    reasons = [each["reason"] for each in nowhere if each["field"] in moved]
    reasons += records.refusals_of_change(collection, record.values, moved, scope)
    return (
        Looked(why=" ".join(dict.fromkeys(reasons)))
        if reasons
        else Looked(seen=_seen(collection, record, values))
    )


def _deletable(actor: Actor, collection: Collection, import_id: str | None) -> Callable[[Record], Looked]:
    """What is asked of each record that is to be deleted: whether others refer to it that the database keeps, but for those that go with the import that brought them."""
    led = [relation for relation in collection.relations if relation.kind == "to_many"]
    kept = [
        (relation, access.scope_for(actor, relation.collection, "read"))
        for relation in led
        if records.on_delete(collection, relation) == "refused"
    ]

    def judge(record: Record) -> Looked:
        for relation, scope in kept:
            came = (
                untouched_records.related_imports(import_id, relation, record)
                if import_id is not None
                else None
            )
            if came and access.scope_for(actor, relation.collection, "delete").nothing:
                return Looked(
                    why=f"{records.collection(relation.collection).label} came with it, which you may not delete."
                )
            if came is not None:
                continue
            if count := records.related_count(
                collection.id, str(record.key), relation.name, scope, hand_forms.MOST_COUNTED
            ):
                many = (
                    f"{count:,}"
                    if count <= hand_forms.MOST_COUNTED
                    else f"more than {hand_forms.MOST_COUNTED:,}"
                )
                return Looked(
                    why=f"It cannot be deleted while records of {records.collection(relation.collection).label} refer to it ({many})."
                )
        return Looked(seen=_seen(collection, record, None))

    return judge


def perform(
    actor: Actor,
    deed: ManyChanges,
    collection_id: str,
    key: str,
    seen: str | None,
    values: Mapping[str, Any],
    *,
    again: bool,
) -> str:
    """Do it to one record; why it was not done, "" where it was. `again`: a process died over it, and may have done it.

    Raises what a change from the record's own page raises.
    """
    collection, _ = browse.browsed_collection(actor, collection_id)
    try:
        record = records.get(collection_id, key, browse.view_scope(actor, collection))
    except NotFound:
        return "" if again and deed.deletes else GONE
    moved = {} if deed.deletes else _moved(collection, record, values)
    if not deed.deletes and not moved:
        return ""
    if seen != _seen(collection, record, None if deed.deletes else values):
        return MOVED
    if deed.id == TAKE_BACK and (why := _touched(collection, {key: record}, values).get(key)):
        return why
    if deed.id == TAKE_BACK:
        _take_along(actor, collection, record, str(values.get(IMPORT)))
    if deed.deletes:
        record_changes.delete(actor, collection_id, key, _compared(collection, record))
    else:
        browse.change(actor, collection_id, key, moved, {name: record.values[name] for name in moved})
    return ""


def _take_along(actor: Actor, collection: Collection, record: Record, import_id: str) -> None:
    """Delete what the import brought with the record, its consents, where the database would not let the record go before them. Raises what deleting by hand raises."""
    for relation in collection.relations:
        if relation.kind == "to_many" and records.on_delete(collection, relation) == "refused":
            there = records.collection(relation.collection)
            for each in untouched_records.related_imports(import_id, relation, record) or ():
                record_changes.delete(actor, there.id, str(each.key), _compared(there, each))


def _moved(collection: Collection, record: Record, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the record does not have yet."""
    by_name = collection.by_name
    return {
        name: new
        for name, new in values.items()
        if not records.alike(collection, by_name[name], new, record.values.get(name))
    }


def _compared(collection: Collection, record: Record) -> dict[str, Any]:
    """What is compared before a record is deleted: everything that the actor reads of it, except what is worked out or only shown."""
    return {
        field.name: record.values[field.name]
        for field in collection.stored_fields
        if field.name in record.values and field.type not in SHOWN_ONLY
    }


def seen_as(collection: Collection, record: Record) -> str:
    """What stands for the record as it is now, by all that the actor reads of it: it is another once anybody has changed that."""
    return _seen(collection, record, None)


def _seen(collection: Collection, record: Record, values: Mapping[str, Any] | None) -> str:
    """What stands for the record as it is now: the fields that are to change, or all. Nobody can read the values in it."""
    of_record = (
        _compared(collection, record)
        if values is None
        else {name: record.values.get(name) for name in values}
    )
    text = orjson.dumps(of_record, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
    return subjects.digest(text, f"{collection.id} {record.key} as it was looked at").hex()
