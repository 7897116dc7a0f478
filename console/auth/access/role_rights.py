"""Rights of roles, independent of who has them: for checks whether anybody could do a step."""

from console.auth.access import policy_store
from console.auth.access.index import Index

ROLE = "role:"


class RoleRights:
    """The policy at one moment, asked about roles. `team` is a team's id; None: any team."""

    def __init__(self, index: Index) -> None:
        """From the rows of this index."""
        self._index = index
        self.roles: frozenset[str] = frozenset(
            name.removeprefix(ROLE)
            for row in index.rows
            for name in (row.sub, row.obj)
            if name.startswith(ROLE)
        )

    def held(self, role: str, team: str | None) -> frozenset[str]:
        """The role and the roles that it is built from."""
        return frozenset().union(*(self._index.held(ROLE + role, place) for place in self._places(team))) | {
            role
        }

    def may(self, role: str, team: str | None, obj: str, act: str) -> bool:
        """Whether the role may do this, with or without a condition."""
        return any(self._index.verdict(ROLE + role, place, obj, act).possible for place in self._places(team))

    def closed(self, role: str, team: str | None, collection: str) -> tuple[frozenset[str], frozenset[str]]:
        """Fields that the role may not read, and fields that it may not write; with `team` None those that are closed in every team."""
        found = [self._index.hidden(ROLE + role, place, collection) for place in self._places(team)]
        return frozenset.intersection(*(scope.unreadable for scope in found)), frozenset.intersection(
            *(scope.unwritable for scope in found)
        )

    def people(self, role: str, team: str | None) -> frozenset[str]:
        """Ids of the persons who have the role in the team, or a role built from it."""
        subs = {row.sub for row in self._index.rows if row.ptype == "g" and row.sub.startswith("user:")}
        return frozenset(
            sub.removeprefix("user:")
            for sub in subs
            if any(role in self._index.held(sub, place) for place in self._places(team))
        )

    def allows(self, person: str, team: str | None, obj: str, act: str) -> bool:
        """Whether the person of this id may do this, with or without a condition."""
        return self._index.verdict(f"user:{person}", team, obj, act).possible

    def _places(self, team: str | None) -> list[str]:
        """Ids of teams; one id stands for all teams that no row names."""
        return [team] if team is not None else [*sorted(self._index.named_teams), ""]


def rights() -> RoleRights:
    """The rights under the policy in use."""
    return RoleRights(policy_store.current().index)
