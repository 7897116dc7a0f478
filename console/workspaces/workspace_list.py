"""The published workspaces, and who sees which: those of their teams, and those that name no team."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from console.core.actor import Actor
from console.core.documents.workspaces import Workspace, read
from console.core.errors import NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine, read_rows
from console.infra.db.process_cache import ProcessCache
from console.workspaces import builders


@dataclass(frozen=True, slots=True)
class Head:
    """A workspace in a list of all. `version` is 0 if nothing was published; `drafted`: a draft waits to be published."""

    id: str
    title: str
    icon: str
    help: str
    teams: tuple[str, ...]
    dashboard: bool
    version: int
    drafted: bool


def published() -> dict[str, Workspace]:
    """Id → published workspace, by title."""
    return {name: each for name, (_, each) in _workspaces.get().items()}


def _read_published(former: Mapping[str, tuple[int, Workspace]] | None) -> dict[str, tuple[int, Workspace]]:
    """Id → version number and document, by title. A document that was read once is not parsed again."""
    table, before = tables.workspace.c, former or {}
    with hot_engine().connect() as connection:
        wanted = sa.select(table.id, table.version).where(table.document.is_not(None))
        numbers = {row.id: row.version for row in connection.execute(wanted)}
        found = {name: each for name, each in before.items() if numbers.get(name) == each[0]}
        if missing := numbers.keys() - found.keys():
            rows = connection.execute(
                sa.select(table.id, table.version, table.document).where(table.id.in_(missing))
            )
            found |= {row.id: (row.version, read(row.document)) for row in rows}
    return dict(sorted(found.items(), key=lambda each: each[1][1].title.casefold()))


_workspaces: ProcessCache[dict[str, tuple[int, Workspace]]] = ProcessCache(_read_published)
forget = _workspaces.forget


def workspaces_of(actor: Actor) -> list[Workspace]:
    """The published workspaces that the actor sees, by title."""
    return [each for each in published().values() if sees(actor, each)]


def workspace(actor: Actor, workspace_id: str) -> Workspace:
    """The published workspace. Raises NotFound, in the same words for missing and invisible ones."""
    found = published().get(workspace_id)
    if found is None or not sees(actor, found):
        raise NotFound("There is no such workspace, or it is not yours to see.", hidden=True)
    return found


def sees(actor: Actor, document: Workspace) -> bool:
    """Whether the workspace is shown to the actor: to people of its teams, and to whoever may edit it. What it shows is judged apart."""
    held = bool(actor.roles)
    theirs = not document.teams or bool(
        set(document.teams) & {*actor.teams, *(team for _, team in actor.roles)}
    )
    return (held and theirs) or builders.manages(actor)


def every(actor: Actor) -> list[Head]:
    """All workspaces that the actor may edit, drafts included, by title. Raises NotAllowed for those who may edit none."""
    builders.require(actor)
    kept, draft = tables.workspace, tables.workspace_draft
    joined = sa.select(
        kept.c.id, kept.c.version, kept.c.document, draft.c.document.label("draft")
    ).select_from(kept.outerjoin(draft, draft.c.workspace == kept.c.id))
    heads = []
    for row in read_rows(joined):
        if (text := row.draft or row.document) is not None:
            made = read(text)
            if not builders.may_edit(actor, made):
                continue
            heads.append(
                Head(
                    row.id,
                    made.title,
                    made.icon,
                    made.help or "",
                    tuple(made.teams),
                    made.dashboard,
                    row.version,
                    row.draft is not None,
                )
            )
    return sorted(heads, key=lambda head: head.title.casefold())
