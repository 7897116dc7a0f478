"""Who acts: a person, a person's API key, or the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ActorKind = Literal["user", "key", "system", "webhook"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts, with the rights found at the start of this request.

    `id` is the person's (`usr_…`), also for their key; the engine is `sys_engine`.
    `session` is the log chain for this actor's events outside runs (`ses_…`, `key_…`, `sys:…`).
    `roles` are pairs of role and team id, `*` for every team; `clearance` are the labels that they were cleared for.
    """

    kind: ActorKind
    id: str
    name: str = ""
    email: str = ""
    session: str = "sys:engine"
    teams: tuple[str, ...] = ()
    roles: frozenset[tuple[str, str]] = frozenset()
    tags: Mapping[str, Any] = field(default_factory=dict)
    locale: str = "en"
    zone: str = "UTC"
    key_id: str | None = None
    clearance: frozenset[str] = frozenset()
    policy: int = 0  # version of the policy at the start of the request
    service: bool = False  # a service account: nobody signs in to it, and it approves nothing
    address: str = ""  # of the client at this request; empty for the engine and for what goes on later
    for_model: bool = False  # what is read goes to a model: fields that no model may get whole are hidden

    @property
    def attributes(self) -> dict[str, Any]:
        """The values of `$currentUser` in expressions."""
        return {
            "id": self.id,
            "email": self.email,
            "name": self.name,
            "teams": list(self.teams),
            "roles": sorted({role for role, _ in self.roles}),
            "tags": dict(self.tags),
        }

    @property
    def role_names(self) -> list[str]:
        """Roles without team, sorted, without duplicates."""
        return sorted({role for role, _ in self.roles})


COMMAND_LINE = Actor("system", "sys_cli", "Command line", session="sys:config")
"""Whoever runs a command: trusted, because the database is theirs."""
SYSTEM = Actor("system", "sys_engine", "Console", session="sys:config")
"""The console itself."""
