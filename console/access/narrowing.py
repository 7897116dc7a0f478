"""What a key leaves of its owner's rights: some acts, some collections, some workflows. It never adds any.

The scopes of a key are set when it is made and never change, so each process keeps those that it has seen.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.access.rows import NOT_YET
from console.core.actor import Actor
from console.db.engine import fetch

NAMED = {"collection": "collections", "workflow": "workflows"}
"""Kinds of objects of which a key may name some."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a key may be used for; None: everything that its owner may do, but to approve. `acts` are spoken as `workflow.start`.

    A key approves only where that was given to it by name: among its `acts`, or with `approves` to one that has all others.
    """

    acts: frozenset[str] | None = None
    collections: frozenset[str] | None = None
    workflows: frozenset[str] | None = None
    approves: bool = False

    def allow(self, obj: str, act: str) -> bool:
        """Whether the act on this object is among them."""
        kind, _, name = obj.partition(":")
        if f"{kind}.{act}" == APPROVE and self.acts is None and not self.approves:
            return False
        if self.acts is not None and f"{kind}.{act}" not in self.acts:
            return False
        named: frozenset[str] | None = getattr(self, NAMED[kind]) if kind in NAMED else None
        return named is None or name in named

    def to_json(self) -> dict[str, Any]:
        """As it is kept: only what narrows."""
        told = {name: getattr(self, name) for name in ("acts", "collections", "workflows")}
        return {name: sorted(value) for name, value in told.items() if value is not None} | ({"approves": True} if self.approves else {})

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> "Scopes":
        """The scopes that are kept so."""
        kept = dict(told or {})
        approves = bool(kept.pop("approves", False))
        return cls(approves=approves, **{name: frozenset(value) for name, value in kept.items()})


APPROVE = "action.approve"
NOTHING = Scopes(acts=frozenset())
EVERYTHING = Scopes(approves=True)
"""All that the owner may do, to approve too: a key that the command line makes."""


@functools.lru_cache(maxsize=4096)
def of_key(key_id: str) -> Scopes:
    """The scopes of a key; nothing at all of one that is not there."""
    found = fetch("select scopes from console.api_key where id = %s", (key_id,))
    return Scopes.of(found[0][0]) if found else NOTHING


def within(actor: Actor, obj: str, act: str) -> bool:
    """Whether the key that the actor came with leaves this; always for a person."""
    return actor.key_id is None or of_key(actor.key_id).allow(obj, act)


def answers(actor: Actor) -> bool:
    """Whether the key that the actor came with was given to approve, by name; always for a person."""
    return within(actor, "action:*", "approve")


def spoken_kinds(acts: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Kind → acts as they are chosen for a key, in order. Fields follow their collection; labels and keys are for persons, and for keys that leave nothing out."""
    return {kind: sorted(names - NOT_YET.get(kind, frozenset())) for kind, names in acts.items() if kind not in ("field", "label", "key")}
