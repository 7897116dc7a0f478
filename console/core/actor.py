"""Who acts: a person, a key of a person, or the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

ActorKind = Literal["user", "key", "system", "webhook"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, with the rights that the door found at this request.

    `id` is the person's (`usr_…`), also when a key speaks for them; the engine is `sys_engine`.
    `session` names the chain of the log that takes this actor's events outside runs (`ses_…`, `key_…`, `sys:…`).
    `roles` are pairs of role and team id, team `*` for a role that holds everywhere; `clearance` are the labels that they might see then.
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
    policy: int = 0  # version of the rights that were in force when the door let this actor in

    @property
    def attributes(self) -> dict[str, Any]:
        """What `$currentUser` is made of in expressions."""
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
        """Roles without their team, sorted, each once."""
        return sorted({role for role, _ in self.roles})
