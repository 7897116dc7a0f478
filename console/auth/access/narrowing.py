"""Scopes of an API key: which of its owner's acts, collections and workflows it may use. A key never adds rights.

The scopes of a key are set when it is made and never change, so each process caches them.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.auth.access.rows import NOT_YET
from console.core.actor import Actor
from console.core.errors import NotAllowed
from console.infra.db.engine import fetch

NAMED = {"collection": "collections", "workflow": "workflows"}
"""Kinds of objects that a key can be limited to by id."""


@dataclass(frozen=True, slots=True)
class Scopes:
    """What a key may be used for. None: everything its owner may do, except to approve. `acts` are written `workflow.start`.

    A key may approve only if that is named in `acts`, or if `approves` is set on a key without a list of acts. One for an `assistant` opens /mcp,
    which nothing else does, never approves, and has these `tools`; None: all.
    """

    acts: frozenset[str] | None = None
    collections: frozenset[str] | None = None
    workflows: frozenset[str] | None = None
    approves: bool = False
    assistant: bool = False
    tools: frozenset[str] | None = None

    @property
    def may_approve(self) -> bool:
        """Whether the key was made to approve; one for an assistant never was."""
        return not self.assistant and (self.approves if self.acts is None else APPROVE in self.acts)

    def allow(self, obj: str, act: str) -> bool:
        """Whether the scopes include this act on this object."""
        kind, _, name = obj.partition(":")
        if f"{kind}.{act}" == APPROVE:
            return self.may_approve
        if self.acts is not None and f"{kind}.{act}" not in self.acts:
            return False
        named: frozenset[str] | None = getattr(self, NAMED[kind]) if kind in NAMED else None
        return named is None or name in named

    def to_json(self) -> dict[str, Any]:
        """The stored form; only limits are stored."""
        narrowed = {name: getattr(self, name) for name in ("acts", "collections", "workflows", "tools")}
        return {name: sorted(value) for name, value in narrowed.items() if value is not None} | (
            {name: True for name in ("approves", "assistant") if getattr(self, name)}
        )

    @classmethod
    def of(cls, narrowing: Mapping[str, Any] | None) -> "Scopes":
        """The scopes from their stored form."""
        kept = dict(narrowing or {})
        approves, assistant = (bool(kept.pop(name, False)) for name in ("approves", "assistant"))
        return cls(
            approves=approves, assistant=assistant, **{name: frozenset(value) for name, value in kept.items()}
        )


APPROVE = "action.approve"
ASSISTANT_TOOLS = (
    "listCollections",
    "describeCollection",
    "findRecords",
    "listRelated",
    "listWorkflows",
    "describeWorkflow",
    "triggerWorkflow",
    "getWorkflowRun",
    "myWork",
    "getActionForm",
    "proposeAction",
    "ask_person",
    "request_answer",
)
"""What an assistant may call, as far as its key names it."""
NOT_MADE_TO_APPROVE = (
    "This key was not made to approve, nor to be the second person. Tick “To approve too” where you make one under Settings, API keys,"
    " or add --approve to console apikey create."
)
NOTHING = Scopes(acts=frozenset())


@functools.lru_cache(maxsize=4096)
def of_key(key_id: str) -> Scopes:
    """The scopes of a key; an unknown key may do nothing."""
    found = fetch("select scopes from console.api_key where id = %s", (key_id,))
    return Scopes.of(found[0][0]) if found else NOTHING


def within(actor: Actor, obj: str, act: str) -> bool:
    """Whether the actor's key includes this act on this object; always true for a person."""
    return actor.key_id is None or of_key(actor.key_id).allow(obj, act)


def tools_of(actor: Actor) -> frozenset[str]:
    """The tools that the actor's key allows; none for who comes without a key for an assistant."""
    scopes = of_key(actor.key_id) if actor.key_id is not None else NOTHING
    if not scopes.assistant:
        return frozenset()
    return frozenset(ASSISTANT_TOOLS) if scopes.tools is None else scopes.tools


def by_assistant(actor: Actor) -> bool:
    """Whether the actor comes with a key for an assistant."""
    return actor.key_id is not None and of_key(actor.key_id).assistant


def may_approve(actor: Actor) -> bool:
    """Whether the actor can be a second person: a person, or a person's key that was made to approve. No program is."""
    return (
        not actor.service
        and actor.kind in ("user", "key")
        and (actor.key_id is None or of_key(actor.key_id).may_approve)
    )


def require_approver(actor: Actor, obj: str) -> None:
    """Raise `NotAllowed` where the actor comes with a key that was not made to approve, or of a service account."""
    if actor.key_id is not None and not may_approve(actor):
        words = (
            "No service account approves, nor is it the second person: a person has to."
            if actor.service
            else NOT_MADE_TO_APPROVE
        )
        raise NotAllowed(words, code="not_in_key", need=(obj, "approve"))


def spoken_kinds(acts: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Kind → acts that can be chosen for a key, in order.

    Fields belong to their collection. Labels and keys are left out: only persons, and keys without limits, have these rights.
    """
    return {
        kind: sorted(names - NOT_YET.get(kind, frozenset()))
        for kind, names in acts.items()
        if kind not in ("field", "label", "key")
    }
