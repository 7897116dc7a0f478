"""Who is cleared for which label, and which objects carry one: answers from the policy in use."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.auth.access import clearance_rules, ownership, policy_store
from console.core.actor import Actor
from console.infra.db.run_reach import EVERY_RUN, Runs


def clearance(actor: Actor) -> frozenset[str]:
    """Labels that the actor may see now, through a role or for a limited time."""
    policy = policy_store.current()
    return clearance_rules.labels_of(policy.index, policy.known, f"user:{actor.id}", actor.attributes)


def runs(reader: Actor) -> Runs:
    """The runs that this reader may know of, for use in every statement about runs. System actors may know of all runs."""
    return EVERY_RUN if reader.kind == "system" else Runs(tuple(sorted(clearance(reader))))


def clearance_of(person_id: str) -> frozenset[str]:
    """Like `clearance`, for a person's id."""
    policy = policy_store.current()
    return clearance_rules.labels_of(policy.index, policy.known, f"user:{person_id}", {})


def cleared_for(actor: Actor, label: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """SQL condition: the row has no label, or one that the actor may see."""
    return runs(actor).condition(label)


def label_of(obj: str, record: Mapping[str, Any] | None = None) -> str | None:
    """The label of `workflow:<slug>` or `collection:<id>`, None if it has none.

    Where a collection's label has a condition, the label applies only if `record` is given and the condition does not deny it.
    """
    label = policy_store.current().labels.get(obj)
    if label is None or (
        label.when is not None and (record is None or label.when.denies({"record": record}))
    ):
        return None
    return label.id


def labelled(label: str) -> list[str]:
    """Objects (`workflow:<slug>`, `collection:<id>`) that carry this label, sorted."""
    return sorted(obj for obj, each in policy_store.current().labels.items() if each.id == label)


def all_labelled() -> frozenset[str]:
    """Objects (`workflow:<slug>`, `collection:<id>`) that carry any label, at least for some of their records."""
    return frozenset(policy_store.current().labels)


def hidden_from(actor: Actor) -> list[str]:
    """Objects hidden from the actor because of their label or their owner, sorted. Nothing is hidden from system actors."""
    policy = policy_store.current()
    return (
        []
        if actor.kind == "system"
        else sorted(obj for obj in {*policy.labels, *policy.personal} if not exists_for(actor, obj))
    )


def check_clearance(told: Any) -> None:
    """Raise `PolicyError` unless this is a valid `clearance` of a collection: `{"label": …}`, with an optional condition `when`."""
    clearance_rules.check(told)


def exists_for(actor: Actor, obj: str) -> bool:
    """Whether the actor may know that the object exists: it has no label, or the actor is cleared for it; and it is no personal workflow of another."""
    policy = policy_store.current()
    if actor.kind != "system" and not ownership.opens(policy.index, policy.personal, actor.id, obj, "see"):
        return False
    return obj not in policy.labels or leaves_open(policy, actor, obj, "see", None)


def known_labels() -> frozenset[str]:
    """Ids of all labels named by the policy, a workflow or a collection."""
    return policy_store.current().known


def cleared_for_good(person_id: str, label: str) -> bool:
    """Whether a role clears the person for the label, without a time limit."""
    return clearance_rules.held_by_role(policy_store.current().index, f"user:{person_id}", label)


def touch_labels(connection: Connection, by: str) -> None:
    """Make every process reload the labels of collections within a second of this transaction's commit."""
    policy_store.write(connection, by=by, note="A collection needs another clearance.")


def leaves_open(
    policy: policy_store.Held, actor: Actor, obj: str, act: str, record: Mapping[str, Any] | None
) -> bool:
    """Whether the object's label permits the act, so that the policy rows decide.

    True if the actor is cleared, if the record does not carry the label, or if the act is only to report.
    """
    label = policy.labels[obj]
    if act == clearance_rules.REPORT or clearance_rules.sees(
        policy.index, f"user:{actor.id}", label.id, actor.attributes
    ):
        return True
    return label.when is not None and (record is None or label.when.denies({"record": record}))
