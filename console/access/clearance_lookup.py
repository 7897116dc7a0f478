"""TODO."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from console.access import clearance_rules, policy_store
from console.access.run_reach import EVERY_RUN, Runs
from console.core.actor import Actor


def clearance(actor: Actor) -> frozenset[str]:
    """Labels that the actor may see at this moment, by a role or for a time."""
    policy = policy_store.current()
    return clearance_rules.held(policy.index, policy.known, f"user:{actor.id}", actor.attributes)


def runs(reader: Actor) -> Runs:
    """The runs that are there for this reader, for every statement about runs. For the engine and whoever has the shell: all of them."""
    return EVERY_RUN if reader.kind == "system" else Runs(tuple(sorted(clearance(reader))))


def clearance_of(person_id: str) -> frozenset[str]:
    """As `clearance`, of the person of this id, before there is an actor."""
    policy = policy_store.current()
    return clearance_rules.held(policy.index, policy.known, f"user:{person_id}", {})


def cleared_for(actor: Actor, label: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """That a row without a label, or with one that the actor may see, stands here: the one condition of every list."""
    return runs(actor).condition(label)


def label_of(obj: str, record: Mapping[str, Any] | None = None) -> str | None:
    """The label of `workflow:<slug>` or `collection:<id>`, None without one; of a collection whose label has a condition, that of this record."""
    label = policy_store.current().labels.get(obj)
    if label is None or (label.when is not None and (record is None or label.when.denies({"record": record}))):
        return None
    return label.id


def labelled(label: str) -> list[str]:
    """Objects (`workflow:<slug>`, `collection:<id>`) that carry the label, in order."""
    return sorted(obj for obj, each in policy_store.current().labels.items() if each.id == label)


def all_labelled() -> frozenset[str]:
    """Objects (`workflow:<slug>`, `collection:<id>`) that carry any label, for some of their records at least."""
    return frozenset(policy_store.current().labels)


def hidden_from(actor: Actor) -> list[str]:
    """Objects that are not there for the actor, because of their label, in order; none for the engine and whoever has the shell."""
    return [] if actor.kind == "system" else sorted(obj for obj in policy_store.current().labels if not exists_for(actor, obj))


def check_clearance(told: Any) -> None:
    """Raise `PolicyError` where this is no `clearance` of a collection: `{"label": …}`, with `when` for some of its records only."""
    clearance_rules.check(told)


def exists_for(actor: Actor, obj: str) -> bool:
    """Whether the object is there for the actor at all: what carries a label that they are not cleared for is not."""
    policy = policy_store.current()
    return obj not in policy.labels or leaves_open(policy, actor, obj, "see", None)


def known_labels() -> frozenset[str]:
    """Ids of the labels that the policy, a workflow or a collection names."""
    return policy_store.current().known


def cleared_for_good(person_id: str, label: str) -> bool:
    """Whether the person is cleared for the label by a role, and not for a time."""
    return clearance_rules.for_good(policy_store.current().index, f"user:{person_id}", label)


def relabelled(connection: Connection, by: str) -> None:
    """Let every process read anew which collections need which clearance, within a second of this transaction's commit."""
    policy_store.write(connection, by=by, note="A collection needs another clearance.")


def leaves_open(policy: policy_store.Held, actor: Actor, obj: str, act: str, record: Mapping[str, Any] | None) -> bool:
    """Whether the label of the object leaves the question to the rows: the actor is cleared for it, or the record has none, or it is only reported to."""
    label = policy.labels[obj]
    if act == clearance_rules.REPORT or clearance_rules.sees(policy.index, f"user:{actor.id}", label.id, actor.attributes):
        return True
    return label.when is not None and (record is None or label.when.denies({"record": record}))
