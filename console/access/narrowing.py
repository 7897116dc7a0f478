"""What a key leaves of its owner's rights: some acts, some collections, some workflows. It never adds any.

The scopes of a key are set when it is made and never change, so each process keeps those that it has seen.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.core.actor import Actor
from console.db.engine import fetch

NAMED = {"collection": "collections", "workflow": "workflows"}
"""Kinds of objects of which a key may name some."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a key may be used for; None: everything that its owner may do. `acts` are spoken as `workflow.start`."""

    acts: frozenset[str] | None = None
    collections: frozenset[str] | None = None
    workflows: frozenset[str] | None = None

    def allow(self, obj: str, act: str) -> bool:
        """Whether the act on this object is among them."""
        kind, _, name = obj.partition(":")
        if self.acts is not None and f"{kind}.{act}" not in self.acts:
            return False
        named: frozenset[str] | None = getattr(self, NAMED[kind]) if kind in NAMED else None
        return named is None or name in named

    def to_json(self) -> dict[str, list[str]]:
        """As it is kept: only what narrows."""
        told = {name: getattr(self, name) for name in ("acts", "collections", "workflows")}
        return {name: sorted(value) for name, value in told.items() if value is not None}

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> "Scopes":
        """The scopes that are kept so."""
        return cls(**{name: frozenset(value) for name, value in (told or {}).items()})


NOTHING = Scopes(acts=frozenset())


@functools.lru_cache(maxsize=4096)
def of_key(key_id: str) -> Scopes:
    """The scopes of a key; nothing at all of one that is not there."""
    found = fetch("select scopes from console.api_key where id = %s", (key_id,))
    return Scopes.of(found[0][0]) if found else NOTHING


def within(actor: Actor, obj: str, act: str) -> bool:
    """Whether the key that the actor came with leaves this; always for a person."""
    return actor.key_id is None or of_key(actor.key_id).allow(obj, act)


def spoken_kinds(acts: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Kind → acts as they are chosen for a key, in order. Fields follow their collection; labels and keys are for persons, and for keys that leave nothing out."""
    return {kind: sorted(names) for kind, names in acts.items() if kind not in ("field", "label", "key")}
