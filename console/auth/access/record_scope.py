"""The part of a collection that an actor may see or change."""

import functools
from collections.abc import Iterable
from dataclasses import replace

from console.auth.access import casbin_agreement, narrowing, policy_store, subject_scope
from console.auth.access.judgement import roots_of
from console.core import scopes
from console.core.actor import Actor


def scope_for(
    actor: Actor, collection_id: str, act: str = "read", *, sensitive: Iterable[str] | None = None
) -> scopes.Scope:
    """The records of the collection on which the actor may `act`, with hidden and fixed fields; the rights of all their teams add up.

    Without an allowing row the scope is empty. In a collection with a subject it has the records whose subject the actor may read
    (`access.subject_scope`). `sensitive`: the collection's sensitive fields, given for reading; where they are revealed one by one, they are
    hidden and `masked`, except for those that a row lets the actor read. What no model may get whole is hidden from an actor who reads for one.
    """
    policy, sub = policy_store.current(), f"user:{actor.id}"
    index, obj = policy.index, f"collection:{collection_id}"
    hidden = index.hidden(sub, None, collection_id)
    masked = (
        frozenset(sensitive or ()) - index.unmasked(sub, None, collection_id)
        if obj in policy.masking
        else frozenset()
    )
    shut = hidden.unreadable | masked | (_kept_from_models(collection_id) if actor.for_model else frozenset())
    if not narrowing.within(actor, obj, act):
        return scopes.Scope(
            collection=collection_id,
            attributes=actor.attributes,
            hidden=hidden.unreadable,
            fixed=hidden.unwritable,
        )
    rows = subject_scope.rows_of(policy, actor, None, collection_id, act)
    if not rows.nothing and casbin_agreement.dangerous(obj, act):
        question = casbin_agreement.Question(actor, None, obj, act, roots_of(actor), some=True)
        rows = (
            rows
            if casbin_agreement.agrees(policy, question)
            else scopes.Scope(collection_id, attributes=actor.attributes)
        )
    return replace(
        rows,
        hidden=shut and shut | _made_of(collection_id, shut),
        fixed=hidden.unwritable | masked,
        masked=masked - hidden.unreadable,
        elsewhere=functools.partial(scope_for, actor),
        locale=actor.locale,
    )


def subject_for(actor: Actor, collection_id: str) -> scopes.Subject | None:
    """The subject that limits the actor's rules on the collection, and which subjects they may read; None if nothing limits them."""
    return subject_scope.narrowed(policy_store.current(), actor, collection_id)


def _kept_from_models(collection_id: str) -> frozenset[str]:
    """Fields whose values no model gets as they are."""
    from console.records import catalogue

    collection = catalogue.current().collections.get(collection_id)
    return (
        frozenset()
        if collection is None
        else frozenset(item.name for item in collection.fields if item.ai != "full")
    )


def _made_of(collection_id: str, hidden: frozenset[str]) -> frozenset[str]:
    """Computed fields that would reveal something about the hidden fields."""
    from console.records import catalogue

    collection = catalogue.current().collections.get(collection_id)
    return (
        frozenset()
        if collection is None
        else frozenset(item.name for item in collection.computed_fields if item.inputs & hidden)
    )
