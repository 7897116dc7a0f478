"""Who builds workspaces: who manages data sources any of them; who may shape collections those of the teams in which they may, without SELECTs."""

from console import records
from console.auth import access
from console.core.actor import Actor
from console.core.documents.workspaces import Workspace
from console.core.errors import Invalid


def manages(actor: Actor) -> bool:
    """Whether the actor may edit every workspace."""
    return access.can(actor, None, "source", "manage")


def own_teams(actor: Actor) -> frozenset[str]:
    """Teams in which the actor may shape a collection."""
    teams = {
        team
        for _, team in actor.roles
        if team != "*" and access.somewhere(actor, team, "collection", "shape")
    }
    objects = [f"collection:{item.id}" for item in records.collections()] if teams else []
    return frozenset(team for team in teams if any(access.can(actor, team, obj, "shape") for obj in objects))


def may_edit(actor: Actor, document: Workspace | None = None) -> bool:
    """Whether the actor may edit and publish the workspace; without one, whether there may be any."""
    if manages(actor):
        return True
    teams = own_teams(actor)
    return bool(teams) and (document is None or (_of_teams(document, teams) and not _selects(document)))


def require(actor: Actor, *documents: Workspace | None) -> None:
    """Raises NotAllowed unless the actor may edit all of these workspaces, or any if none is named."""
    if not may_edit(actor) or not all(
        may_edit(actor, document) for document in documents if document is not None
    ):
        access.require(actor, None, "source", "manage")


def require_within(actor: Actor, made: Workspace) -> None:
    """Raises Invalid where the document goes beyond what the actor may build."""
    if manages(actor):
        return
    outside = []
    if not _of_teams(made, own_teams(actor)):
        outside.append(
            {
                "field": "teams",
                "reason": "Tick one of the teams that you shape collections for, and no other: for the rest ask who manages data sources.",
            }
        )
    if _selects(made):
        outside.append(
            {
                "field": "components.0.sql",
                "reason": "A SELECT is written by who manages data sources: choose a collection and what is counted instead.",
            }
        )
    if outside:
        raise Invalid(outside[0]["reason"], details=outside)


def _of_teams(document: Workspace, teams: frozenset[str]) -> bool:
    return bool(document.teams) and set(document.teams) <= teams


def _selects(document: Workspace) -> bool:
    return any(getattr(item, "sql", None) for item in document.every)
