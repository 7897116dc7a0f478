"""The published workspaces, and who sees which: those of their teams, and those that name no team."""

import time
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from console.core.actor import Actor
from console.core.documents.workspaces import Workspace, read
from console.core.errors import NotFound
from console.infra.db import tables
from console.infra.db.engine import hot_engine
from console.workspaces import builders

KEPT_S = 1.0

_kept: tuple[float, Engine, dict[str, tuple[int, Workspace]]] | None = None


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


def known() -> dict[str, Workspace]:
    """Id → published workspace, by title. Read at most once a second; a document that is read once is not parsed again."""
    global _kept  # noqa: PLW0603 (one list for each process)
    now, engine = time.monotonic(), hot_engine()
    if _kept is None or _kept[1] is not engine or now - _kept[0] > KEPT_S:
        before = _kept[2] if _kept is not None and _kept[1] is engine else {}
        table = tables.workspace.c
        with engine.connect() as connection:
            numbers = {
                row.id: row.version
                for row in connection.execute(
                    sa.select(table.id, table.version).where(table.document.is_not(None))
                )
            }
            changed = [
                name for name, number in numbers.items() if name not in before or before[name][0] != number
            ]
            fresh = (
                {
                    row.id: (row.version, read(row.document))
                    for row in connection.execute(sa.select(tables.workspace).where(table.id.in_(changed)))
                }
                if changed
                else {}
            )
        found = {**{name: each for name, each in before.items() if name in numbers}, **fresh}
        _kept = (now, engine, dict(sorted(found.items(), key=lambda each: each[1][1].title.casefold())))
    return {name: each for name, (_, each) in _kept[2].items()}


def forget() -> None:
    """Read the list anew at the next question."""
    global _kept  # noqa: PLW0603 (one list for each process)
    _kept = None


def workspaces_of(actor: Actor) -> list[Workspace]:
    """The published workspaces that the actor sees, by title."""
    return [each for each in known().values() if sees(actor, each)]


def workspace(actor: Actor, workspace_id: str) -> Workspace:
    """The published workspace. Raises NotFound, in the same words for missing and invisible ones."""
    found = known().get(workspace_id)
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
    with hot_engine().connect() as connection:
        for row in connection.execute(joined):
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
