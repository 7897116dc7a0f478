"""Access by subject: the records of a collection follow the scope of the collection whose data they are.

A collection document names its subject by relations (`charge.customer`). A right on a record applies only if the actor may read its subject,
unless the allowing rule has the condition `true`, which applies to everybody's data.
"""

from typing import TYPE_CHECKING

from console.auth.access.clearance_rules import sees
from console.auth.access.index import Verdict
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.expressions import Expression
from console.core.scopes import Scope, Subject, none, stands_alone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.auth.access.policy_store import Held

READ = "read"


def rows_of(
    held: "Held",
    actor: Actor,
    team: str | None,
    collection_id: str,
    act: str,
    above: frozenset[str] = frozenset(),
) -> Scope:
    """The records of the collection on which the actor may `act` under this policy, ignoring their key; no fields.

    `above`: collections whose scope is being computed. A subject that leads back to one of them adds nothing.
    """
    index, sub = held.index, f"user:{actor.id}"
    verdict: Verdict = index.verdict(sub, team, f"collection:{collection_id}", act)
    label = held.labels.get(f"collection:{collection_id}")
    if label is not None and not sees(index, sub, label.id, actor.attributes):
        verdict |= Verdict(barred=label.when is None, deny=(label.when,) if label.when is not None else ())
    if not verdict.possible:
        return Scope(collection_id, attributes=actor.attributes)
    free, allow = verdict.free, verdict.allow
    alone: tuple[Expression, ...] = ()
    led = _led(collection_id) if collection_id not in above else None
    subject = None
    if led is not None:
        alone = tuple(condition for condition in allow if stands_alone(condition))
        allow = tuple(condition for condition in allow if condition not in alone)
        subject = _subject(held, actor, team, led, above | {collection_id})
        if any(condition.text.strip() == "true" for condition in alone):
            free, allow, alone, subject = True, (), (), None
    return Scope(
        collection_id,
        allow=allow,
        deny=verdict.deny,
        attributes=actor.attributes,
        everything=free,
        alone=alone,
        subject=subject,
    )


def _subject(
    held: "Held",
    actor: Actor,
    team: str | None,
    led: tuple[tuple[str, ...], str | None],
    above: frozenset[str],
) -> Subject | None:
    """The subject and its scope; None if all subjects may be seen."""
    path, collection = led
    scope = none("") if collection is None else rows_of(held, actor, team, collection, READ, above)
    return None if scope.unlimited else Subject(path, scope)


def narrowed(held: "Held", actor: Actor, collection_id: str, team: str | None = None) -> Subject | None:
    """The subject of the collection, with the subjects that the actor may read; None without a subject, or if all may be read."""
    led = _led(collection_id)
    return None if led is None else _subject(held, actor, team, led, frozenset({collection_id}))


def path_of(collection_id: str) -> tuple[str, ...]:
    """Relations from a record of the collection to its subject, in order; empty if it has no subject or is one itself."""
    known = _catalogue().get(collection_id)
    if known is None or not known.subject or known.subject == "self":
        return ()
    return tuple(name.strip() for name in known.subject.split("."))


def subject_of(collection_id: str) -> str | None:
    """The collection that is the subject of this one; None if there is none, it is its own subject, or the path is broken."""
    led = _led(collection_id)
    return None if led is None else led[1]


def subject_collections() -> dict[str, str]:
    """Collection → its subject's collection, for collections with a subject of another collection."""
    led = {name: subject_of(name) for name in _catalogue()}
    return {name: subject for name, subject in led.items() if subject is not None}


def labels() -> dict[str, str]:
    """Collection → what people call it, with its source where several have that name."""
    return {name: item.label for name, item in _catalogue().items()}


def _led(collection_id: str) -> tuple[tuple[str, ...], str | None] | None:
    """(relations to the subject, the subject's collection or None if the path is broken); None without another collection as subject."""
    path, every = path_of(collection_id), _catalogue()
    if not path:
        return None
    here: Collection | None = every[collection_id]
    for name in path:
        relation = here.relation(name) if here is not None else None
        here = every.get(relation.collection) if relation is not None else None
    return path, None if here is None else here.id


def problem(collection: Collection, every: "Mapping[str, Collection]") -> str:
    """What is wrong with the path to the subject; empty if nothing is.

    The path may lead to another data source; then anyone who may see only some of the subjects sees none of these records.
    """
    here, met = collection, {collection.id}
    while here.subject and here.subject != "self":
        for name in here.subject.split("."):
            relation = here.relation(name.strip())
            if relation is None:
                return f"The subject of {collection.label} is {collection.subject}, but there is no relation {name} in {here.label}."
            if relation.kind != "to_one" or not relation.exact:
                return f"The subject of {collection.label} cannot be reached by {relation.label} ({name}): that may lead to several records."
            here = every[relation.collection]
        if here.id in met:
            return f"The subject of {collection.label} leads back to {here.label}: one of them has to be its own subject (self)."
        met.add(here.id)
    return ""


def way(collection: Collection, every: "Mapping[str, Collection]") -> tuple[object, ...]:
    """The columns by which the subject is reached. Changing them changes what people may see."""
    path: list[object] = [collection.subject]
    here: Collection | None = collection
    for name in (collection.subject or "").split(".") if collection.subject not in (None, "self") else ():
        relation = here.relation(name.strip()) if here is not None else None
        path.append(relation and (relation.collection, relation.columns))
        here = every.get(relation.collection) if relation else None
    return tuple(path)


def _catalogue() -> "Mapping[str, Collection]":
    from console.records import catalogue

    return catalogue.current().collections
